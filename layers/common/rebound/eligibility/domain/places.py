"""Where somebody may be, as far as nights and clocks go."""

from msgspec import Struct


class Places(Struct, frozen=True):
    """Where a customer may be: the nights of all ``zones`` count, and the clock of ``zone`` is taken for theirs."""

    zones: frozenset[str]
    zone: str


def nowhere(_: str) -> frozenset[str]:
    """The ``Whereabouts`` to use where nothing is known of the places that numbers belong to."""
    return frozenset()
