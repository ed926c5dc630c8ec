"""How a campaign divides its people, as its row keeps it: what a variant says that the campaign says stands once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rebound.messages.domain.variants import Split, read_split, written_split

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAYS = "content"


def write_split(split: Split | None, content: Mapping[str, Any]) -> dict[str, Any] | None:
    """The division beside the ``content`` of the campaign, as that is written."""
    if split is None:
        return None
    written = written_split(split)
    variants = [
        {name: value for name, value in each.items() if name != _SAYS or value != content}
        for each in written["variants"]
    ]
    return {**written, "variants": variants}


def read_split_beside(written: Mapping[str, Any] | None, content: Mapping[str, Any] | None) -> Split | None:
    """The division that a row keeps beside its content."""
    if not written:
        return None
    return read_split({**written, "variants": [{_SAYS: content, **each} for each in written["variants"]]})
