"""Who matches what sequences are entered by, in the Sequences table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import InstantAttribute, Model, bind, lost_races, next_version
from rebound.sequences.domain.members import Look, Member

if TYPE_CHECKING:
    from rebound.sequences.domain.members import MemberKey

_LOOKED: Final = "looked"
_AT_ONCE: Final = 500


class MemberRow(Model):
    """``part`` = ``<business>#<sequence's uid>#in``, ``entry`` = the customer's id."""

    part = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    look = UnicodeAttribute()
    is_in = BooleanAttribute()
    entered = NumberAttribute()
    row_version = NumberAttribute()


class LookedRow(Model):
    """``part`` = ``<business>#<sequence's uid>#looked``, ``entry`` = ``looked``: for what customers are looked at."""

    part = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    look = UnicodeAttribute()
    began_at = InstantAttribute()
    done_at = InstantAttribute(null=True)
    row_version = NumberAttribute()


class DynamoMemberBook:
    """Implements ``MemberBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(MemberRow, table_name)
        self._looked = bind(LookedRow, table_name)

    def looked(self, business_id: str, uid: str) -> Look | None:
        try:
            row = self._looked.get(f"{business_id}#{uid}#looked", _LOOKED, consistent_read=True)
        except self._looked.DoesNotExist:
            return None
        return Look(name=row.look, began_at=row.began_at, done_at=row.done_at, row_version=int(row.row_version))

    def save_look(self, business_id: str, uid: str, look: Look) -> None:
        read = look.row_version
        row = self._looked(
            f"{business_id}#{uid}#looked",
            _LOOKED,
            look=look.name,
            began_at=look.began_at,
            done_at=look.done_at,
            row_version=next_version(read),
        )
        with lost_races():
            row.save(condition=LookedRow.row_version == read if read else LookedRow.row_version.does_not_exist())

    def get_many(self, keys: Collection[MemberKey]) -> Mapping[MemberKey, Member]:
        places = {(_part(key), key.customer_id): key for key in keys}
        found = self._row.batch_get(list(places), consistent_read=True) if places else ()
        return {places[row.part, row.entry]: _member(places[row.part, row.entry], row) for row in found}

    def write(self, member: Member) -> None:
        read = member.row_version
        row = self._row(
            _part(member.key),
            member.key.customer_id,
            look=member.look,
            is_in=member.is_in,
            entered=member.entered,
            row_version=next_version(read),
        )
        with lost_races():
            row.save(condition=MemberRow.row_version == read if read else MemberRow.row_version.does_not_exist())

    def forget(self, key: MemberKey) -> None:
        # As enrolments are, so that who erases needs no more than for these.
        with self._row.batch_write() as batch:
            batch.delete(self._row(_part(key), key.customer_id))

    def forget_some(self, business_id: str, uid: str) -> bool:
        rows = list(self._row.query(f"{business_id}#{uid}#in", limit=_AT_ONCE, page_size=_AT_ONCE))
        with self._row.batch_write() as batch:
            for row in rows:
                batch.delete(self._row(row.part, row.entry))
        if len(rows) == _AT_ONCE:
            return True
        self._looked(f"{business_id}#{uid}#looked", _LOOKED).delete()
        return False


def _part(key: MemberKey) -> str:
    return f"{key.business_id}#{key.uid}#in"


def _member(key: MemberKey, row: MemberRow) -> Member:
    return Member(key=key, look=row.look, is_in=row.is_in, entered=int(row.entered), row_version=int(row.row_version))
