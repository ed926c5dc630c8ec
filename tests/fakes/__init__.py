"""Hand-written stand-ins for every port; ``tests/contract/test_ports_*.py`` hold them and the adapters to one suite."""
