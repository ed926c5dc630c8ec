"""Events and summaries in the Activity table, each written by itself."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec.msgpack import Decoder, encode

from rebound.activity.adapters.packed import pack, unpack
from rebound.activity.adapters.rows import (
    SUMMARY,
    CellRow,
    LocationRow,
    OwnedRow,
    PlacedRow,
    PointerRow,
    StagedRow,
    SummaryRow,
    at_location,
    locations_of,
    owner_of,
)
from rebound.activity.domain.events import Event
from rebound.activity.domain.words import Cell, Kept, Place, Pointer, Word
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.pages import Page, read_cursor, write_cursor
from rebound.platform.adapters.dynamo import (
    as_read,
    bind,
    expiry,
    lost_races,
    next_version,
    read_instant,
    transaction,
    write_instant,
)

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

    from rebound.activity.domain.summary import Summary
    from rebound.activity.domain.words import ActivityTask

LEFTOVERS_KEPT: Final = timedelta(days=60)
"""What says that something is gone is kept for longer than a word of before may wait on a queue."""
POINTER: Final = "."
FIRST_CELL: Final = "0"
LAST_CELL: Final = ":"
"""Times begin with a digit."""
_INSTANT: Final = 27
_CELLS: Final = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z#.+", re.DOTALL)
_EVENT: Final = Decoder(Event)
_WORDS: Final = Decoder(list[Word])


class DynamoActivityBook:
    """Implements ``ActivityBook``."""

    def __init__(self, table_name: str) -> None:
        self._summary = bind(SummaryRow, table_name)
        self._cell = bind(CellRow, table_name)
        self._owned = bind(OwnedRow, table_name)
        self._pointer = bind(PointerRow, table_name)
        self._staged = bind(StagedRow, table_name)
        self._placed = bind(PlacedRow, table_name)
        self._location = bind(LocationRow, table_name)
        self._heard_of: set[tuple[str, str]] = set()

    def stage(self, task: ActivityTask, words: Sequence[Word]) -> None:
        packed = zlib.compress(encode(list(words)))
        self._staged(*_place_of(task), words=packed, expires_at=_leftover()).save()

    def staged(self, task: ActivityTask) -> Sequence[Word]:
        try:
            row = self._staged.get(*_place_of(task), consistent_read=True)
        except self._staged.DoesNotExist:
            return ()
        return _WORDS.decode(zlib.decompress(row.words))

    def unstage(self, task: ActivityTask) -> None:
        self._staged(*_place_of(task)).delete()

    def pointers(
        self, business_id: str, event_ids: Collection[str], *, as_of_now: bool = False
    ) -> Mapping[str, Pointer]:
        keys = [(_pointer_owner(business_id, event_id), POINTER) for event_id in event_ids]
        rows = self._pointer.batch_get(keys, consistent_read=as_of_now) if keys else ()
        begins = len(_pointer_owner(business_id, ""))
        return {row.owner[begins:]: _pointer_of(row.owner[begins:], row) for row in rows}

    def point(self, business_id: str, pointer: Pointer, *, read: Pointer | None) -> None:
        row = self._pointer(
            _pointer_owner(business_id, pointer.event_id),
            POINTER,
            stamp=pointer.stamp,
            digest=pointer.digest or None,
            place=None if pointer.place is None else _write_place(pointer.place),
            first=pointer.first,
            soonest=_write_delay(pointer.soonest),
            expires_at=_leftover() if pointer.place is None else None,
        )
        with lost_races():
            row.save(condition=_is_as_read(read))

    def set_cell(self, business_id: str, customer_id: str, cell: Cell) -> None:
        row = self._cell(
            owner_of(business_id, customer_id),
            _entry_of(cell),
            stamp=cell.stamp,
            event=None if cell.event is None else encode(cell.event),
            external=cell.external or None,
            expires_at=_leftover() if cell.event is None else None,
        )
        with suppress(ConcurrentChangeError), lost_races():
            row.save(condition=CellRow.stamp.does_not_exist() | (CellRow.stamp < cell.stamp))

    def read(self, business_id: str, customer_id: str) -> Kept:
        # The summary sorts before all cells, and a query reads in this order: no cell is older than the summary.
        kept, cells = Kept(), []
        for row in self._owned.query(owner_of(business_id, customer_id), consistent_read=True):
            if row.entry_id != SUMMARY:
                cells.append(_cell_of(row))
                continue
            summary = unpack(row.packed) if row.packed else None
            kept = Kept(summary=summary, version=int(row.version or 0), erased=row.erased or "")
        return replace(kept, cells=cells)

    def known_of(self, business_id: str, customer_ids: Collection[str]) -> frozenset[str]:
        keys = [(owner_of(business_id, customer_id), SUMMARY) for customer_id in customer_ids]
        rows = self._summary.batch_get(keys, consistent_read=True) if keys else ()
        return frozenset(row.owner.rpartition("#")[2] for row in rows if row.packed)

    def since(self, business_id: str, customer_id: str, at: datetime) -> Sequence[Cell]:
        between = OwnedRow.entry_id.between(write_instant(at), LAST_CELL)
        rows = self._owned.query(owner_of(business_id, customer_id), between, consistent_read=True)
        return [_cell_of(row) for row in rows]

    def erase(self, business_id: str, customer_id: str, cells: Collection[Cell]) -> None:
        owner = owner_of(business_id, customer_id)
        for cell in cells:
            pointer = self._pointer(_pointer_owner(business_id, cell.event_id), POINTER)
            with suppress(ConcurrentChangeError), lost_races():
                pointer.delete(condition=PointerRow.place == _write_place(Place(customer_id, cell.at)))
            with suppress(ConcurrentChangeError), lost_races():
                self._cell(owner, _entry_of(cell)).delete(condition=CellRow.stamp == cell.stamp)

    def save_summary(
        self,
        business_id: str,
        customer_id: str,
        summary: Summary | None,
        *,
        read: int,
        erased: str = "",
        before: Summary | None = None,
    ) -> None:
        row = self._summary(
            owner_of(business_id, customer_id),
            SUMMARY,
            packed=None if summary is None else pack(summary),
            erased=erased or None,
            version=next_version(read),
            expires_at=_leftover() if summary is None else None,
        )
        was, now = ({} if each is None else each.places for each in (before, summary))
        if was == now:
            with lost_races():
                row.save(condition=as_read(SummaryRow, read))
            return
        moved = {name: until for name, until in now.items() if name not in was or was[name] != until}
        self._hear_of(business_id, moved)
        # Together, so that whoever is looked for at a location is there by the summary, whoever wins or dies.
        with transaction(self._summary) as writes:
            writes.save(row, condition=as_read(SummaryRow, read))
            for name, until in moved.items():
                writes.save(self._placed(at_location(business_id, name), customer_id, until=until))
            for name in was.keys() - now.keys():
                writes.delete(self._placed(at_location(business_id, name), customer_id))

    def _hear_of(self, business_id: str, names: Iterable[str]) -> None:
        """Keep that there are these locations, each once by this process."""
        for name in names:
            if (business_id, name) not in self._heard_of:
                self._location(locations_of(business_id), name).save()
                self._heard_of.add((business_id, name))

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Event]:
        before = read_cursor(cursor, _CELLS) or LAST_CELL
        found: list[tuple[str, Event]] = []
        rows = self._cell.query(
            owner_of(business_id, customer_id),
            CellRow.entry_id.between(FIRST_CELL, before),
            scan_index_forward=False,
            page_size=limit + 2,
            consistent_read=True,
        )
        for row in rows:
            if not row.event or row.entry_id == before:
                continue
            if len(found) == limit:
                return Page([event for _, event in found], write_cursor(found[-1][0]))
            found.append((row.entry_id, _EVENT.decode(row.event)))
        return Page([event for _, event in found])


def _leftover() -> int:
    return expiry(datetime.now(UTC), LEFTOVERS_KEPT)


def _place_of(task: ActivityTask) -> tuple[str, str]:
    return f"{task.business_id}#batch#{task.batch_id}", f"{task.part:03d}"


def _pointer_owner(business_id: str, event_id: str) -> str:
    return f"{business_id}#event#{event_id}"


def _entry_of(cell: Cell) -> str:
    return f"{write_instant(cell.at)}#{cell.event_id}"


def _cell_of(row: OwnedRow) -> Cell:
    at, event_id = row.entry_id[:_INSTANT], row.entry_id[_INSTANT + 1 :]
    event = _EVENT.decode(row.event) if row.event else None
    return Cell(event_id, read_instant(at), row.stamp or "", event, bool(row.external))


def _write_place(place: Place) -> str:
    return f"{place.customer_id}#{write_instant(place.at)}"


def _write_delay(delay: timedelta | None) -> int | None:
    return None if delay is None else delay // timedelta.resolution


def _read_delay(microseconds: float | None) -> timedelta | None:
    return None if microseconds is None else int(microseconds) * timedelta.resolution


def _is_as_read(read: Pointer | None) -> Condition:
    if read is None:
        return PointerRow.stamp.does_not_exist()
    soonest = _write_delay(read.soonest)
    is_first = PointerRow.first.does_not_exist() if read.first is None else PointerRow.first == read.first
    is_soonest = PointerRow.soonest.does_not_exist() if soonest is None else PointerRow.soonest == soonest
    is_same: Condition = (PointerRow.stamp == read.stamp) & is_first & is_soonest
    return is_same


def _pointer_of(event_id: str, row: PointerRow) -> Pointer:
    place = None
    if row.place is not None:
        customer_id, _, at = row.place.partition("#")
        place = Place(customer_id, read_instant(at))
    return Pointer(event_id, row.stamp, row.digest or "", place, row.first, _read_delay(row.soonest))
