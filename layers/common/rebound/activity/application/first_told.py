"""When events were told first, whatever was said of them since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rebound.activity.domain.words import Cell
    from rebound.activity.ports import ActivityBook


def first_told(activity: ActivityBook, business_id: str, cells: Collection[Cell]) -> Mapping[str, str]:
    """The stamps of the first words about the events of these cells, by event id; strongly consistent.

    One item an event; no request for no cells.
    """
    if not cells:
        return {}
    pointers = activity.pointers(business_id, {each.event_id for each in cells}, as_of_now=True)
    # Of a first word the cell is written before the pointer.
    stamps = {each.event_id: each.stamp for each in cells}
    return stamps | {event_id: min(stamps[event_id], each.told) for event_id, each in pointers.items()}
