"""Keys of links that everybody may know."""

from collections.abc import Mapping

from rebound.messages.domain.links import LinkKeys

FIRST_KEY = b"the first key of the tests"


class MemoryLinkKeyring:
    """Implements ``LinkKeyring``; a rotation is seen at once."""

    def __init__(self, current: int = 1, keys: Mapping[int, bytes] | None = None) -> None:
        self.stored = LinkKeys(current, dict(keys or {1: FIRST_KEY}))

    def keys(self, needed: int | None = None) -> LinkKeys:
        return self.stored

    def rotate(self, current: int, key: bytes) -> None:
        """Sign with another key from now on."""
        self.stored = LinkKeys(current, {**self.stored.keys, current: key})
