"""Every port in memory."""

from typing import Any, Final, cast

from rebound.kernel.provider_codes import Provider
from tests.contract.operations.fakes import MemoryOperationsPorts
from tests.contract.relations.fakes import MemoryRelationsPorts
from tests.contract.sequences.fakes import MemorySequencesPorts
from tests.fakes.house import EveryPorts
from tests.fakes.watching import Checkpoint, watched

OF_THE_PROCESS: Final = frozenset(
    {"clock", "ids", "stamps", "addresses", "link_keyring", "mjml_renderer", "html_cleaner"}
)
"""What no call leaves the process for."""


class MemoryPorts(MemoryOperationsPorts, MemorySequencesPorts, MemoryRelationsPorts):
    """Implements ``EveryPorts``: the parts of all capabilities, each of which stands beside the suite of its ports."""


class _WatchedPorts:
    """Ports of which each is watched; one that is no object of its own is as it is."""

    def __init__(self, ports: EveryPorts, reach: Checkpoint) -> None:
        self._ports = ports
        self._reach = reach

    def __getattr__(self, name: str) -> Any:
        return self._watched(name, getattr(self._ports, name))

    def _watched(self, name: str, port: Any) -> Any:
        if name in OF_THE_PROCESS or callable(port) or isinstance(port, str | int | tuple):
            return port
        made = watched(port, name, self._reach)
        setattr(self, name, made)
        return made

    def texter(self, provider: Provider) -> Any:
        name = f"{provider}_texter"
        return vars(self).get(name) or self._watched(name, self._ports.texter(provider))


def watched_ports(ports: EveryPorts, reach: Checkpoint) -> EveryPorts:
    """The ports, with a checkpoint before and after each of their calls."""
    return cast("EveryPorts", _WatchedPorts(ports, reach))
