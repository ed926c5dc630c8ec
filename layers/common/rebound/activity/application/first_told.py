"""When events were told first, and how soon after they happened, whatever was said of them since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from rebound.activity.domain.words import delay_of

if TYPE_CHECKING:
    from datetime import timedelta

    from rebound.activity.domain.words import Cell, Pointer
    from rebound.activity.ports import ActivityBook


def first_told(activity: ActivityBook, business_id: str, cells: Collection[Cell]) -> Mapping[str, str]:
    """The stamps of the first words about the events of these cells, by event id; strongly consistent.

    One item an event; no request for no cells.
    """
    # Of a first word the cell is written before the pointer.
    stamps = {each.event_id: each.stamp for each in cells}
    pointers = _pointers(activity, business_id, cells)
    return stamps | {event_id: min(stamps[event_id], each.told) for event_id, each in pointers.items()}


def soonest_told(activity: ActivityBook, business_id: str, cells: Collection[Cell]) -> Mapping[str, timedelta]:
    """How long after they happened the events of these cells were told at best, by event id; likewise."""
    delays = {each.event_id: delay_of(each.stamp, each.at) for each in cells}
    pointers = _pointers(activity, business_id, cells)
    return delays | {
        event_id: min(delays[event_id], each.delay) for event_id, each in pointers.items() if each.delay is not None
    }


def _pointers(activity: ActivityBook, business_id: str, cells: Collection[Cell]) -> Mapping[str, Pointer]:
    return activity.pointers(business_id, {each.event_id for each in cells}, as_of_now=True) if cells else {}
