"""What the stand-ins of several capabilities share, and all of them together: ``MemoryPorts`` and the ``World``.

The stand-in for a port stands beside the suite that holds it and the adapter to the same: in
``tests/contract/<capability>/fakes.py``.
"""
