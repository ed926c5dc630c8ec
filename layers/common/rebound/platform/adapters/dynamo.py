"""The tables' rows as pynamodb models, and what all repositories share: binding to a table, times, pages.

A model is bound to a table name when the repositories are made (``bind``), never while a module is imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

from pynamodb import models
from pynamodb.attributes import (
    Attribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import BINARY, LIST, NULL, NUMBER, STRING
from pynamodb.exceptions import AttributeDeserializationError, DeleteError, PutError, TransactWriteError, UpdateError

from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.pages import Page, write_cursor
from rebound.platform.adapters.aws import session

if TYPE_CHECKING:
    from pynamodb.connection.table import TableConnection
    from pynamodb.pagination import ResultIterator
    from pynamodb.transactions import TransactWrite

MAX_TRANSACTION: Final = 100
"""Rows that one transaction of DynamoDB takes."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
ID_LENGTH: Final = 32
"""Of a customer's id, in hexadecimal digits."""
ULID_KEYS: Final = re.compile(r"[0-9A-Z]{26}")
_LOST_RACES: Final = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class InstantAttribute(Attribute[datetime]):
    """An aware time, kept as RFC 3339 in UTC with microseconds, so that text order is time order."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return write_instant(value)

    def deserialize(self, value: str) -> datetime:
        return read_instant(value)


class WallClockAttribute(Attribute[datetime]):
    """What a clock on a wall shows: a naive time, ISO 8601."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class DateAttribute(Attribute[date]):
    """A calendar day, ISO 8601."""

    attr_type = STRING

    def serialize(self, value: date) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        return date.fromisoformat(value)


def write_instant(at: datetime) -> str:
    """The stored form of a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_instant(text: str) -> datetime:
    """The time of its stored form."""
    return datetime.fromisoformat(text)


class TextListAttribute(Attribute[list[str]]):
    """A list of texts: DynamoDB's own list, which keeps order, unlike its sets."""

    attr_type = LIST

    def serialize(self, value: list[str]) -> list[dict[str, str]]:
        return [{STRING: text} for text in value]

    def deserialize(self, value: list[dict[str, str]]) -> list[str]:
        return [element[STRING] for element in value]


class CustomerIdsAttribute(Attribute[list[str]]):
    """Ids of customers in their order, sixteen bytes each instead of the 33 that each would count in a list."""

    attr_type = BINARY

    def serialize(self, value: list[str]) -> bytes:
        return bytes.fromhex("".join(value))

    def deserialize(self, value: bytes) -> list[str]:
        written = value.hex()
        return [written[start : start + ID_LENGTH] for start in range(0, len(written), ID_LENGTH)]


class EpochAttribute(Attribute[datetime]):
    """An aware time, kept as microseconds since 1970: nine bytes instead of the 27 that people can read."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str((value - EPOCH) // MICROSECOND)

    def deserialize(self, value: str) -> datetime:
        return EPOCH + int(value) * MICROSECOND


class JsonAttribute(Attribute[Any]):
    """A JSON document as text, in UTF-8 and not in escapes, which would take up to twelve bytes a character."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> Any:
        return json.loads(value)


class Model(models.Model):
    """What every model here is: pynamodb's own, but read in one pass over what an item has.

    pynamodb goes through all attributes that a model could have, several times; where thousands of rows are read, that
    took as long as everything that botocore does. And all tables share a session of botocore.
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """That of pynamodb, with the process's session instead of one for each table."""
        connection = super()._get_connection()
        own = connection.connection._local  # noqa: SLF001 - pynamodb offers no other way to share a session
        if getattr(own, "session", None) is None:
            own.session = session()
        return connection

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """The row of an item as DynamoDB writes it; attributes that the model does not have are left aside."""
        defaults, readers = _reading(cls)
        row = cls.__new__(cls)
        row.attribute_values = values = defaults.copy()
        for name, typed in data.items():
            reader = readers.get(name)
            if reader is not None:
                python_name, attr_type, deserialize = reader
                if attr_type in typed:
                    content = typed[attr_type]
                    values[python_name] = content if deserialize is None else deserialize(content)
                elif NULL not in typed:
                    raise AttributeDeserializationError(name, attr_type)
        return row


type _Reader = tuple[str, str, Callable[[Any], Any] | None]
"""Name in Python, DynamoDB's type, and what makes a value of it; nothing for what is one already."""


@cache
def _reading(model: type[Model]) -> tuple[dict[str, Any], Mapping[str, _Reader]]:
    """What rows of a model begin with, and how their attributes are read."""
    attributes = model.get_attributes().items()
    defaults = {name: attribute.default for name, attribute in attributes if attribute.default is not None}
    return defaults, {
        attribute.attr_name: (
            name,
            attribute.attr_type,
            None if type(attribute) is UnicodeAttribute else attribute.deserialize,
        )
        for name, attribute in attributes
    }


class DirectoryRow(Model):
    """``business_id`` / ``entry_id`` = ``<kind>#<id>``: settings, keys, segments, imports, jobs, each as JSON."""

    business_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    document = JsonAttribute()
    version = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


_BOUND: Final[WeakSet[type[Model]]] = WeakSet()


def bind[R: Model](model: type[R], table_name: str) -> type[R]:
    """The model for one table; region, credentials and endpoint are botocore's own to find."""
    meta = type("Meta", (), {"table_name": table_name})
    bound = type(model.__name__, (model,), {"Meta": meta, "__module__": model.__module__})
    _BOUND.add(bound)
    return bound


def connect() -> None:
    """Make the clients of all tables that models are bound to, which are otherwise made at the first request."""
    for bound in list(_BOUND):
        _ = bound._get_connection().connection.client  # noqa: SLF001 - nobody else knows the connection


def expiry(since: datetime, kept: timedelta) -> int:
    """From when on a row may be removed (TTL), as DynamoDB wants it: seconds since 1970."""
    return int((since + kept).timestamp())


def next_version(version: int) -> int:
    """The version of the next write of a row.

    A new row begins with the milliseconds since 1970 and not with 1: a row that was deleted and came again must not be
    taken for the one that somebody read before, and nobody writes a row a thousand times a second.
    """
    return version + 1 if version else int(datetime.now(UTC).timestamp() * 1000)


@contextmanager
def lost_races() -> Iterator[None]:
    """Turn a failed condition into ``ConcurrentChangeError``; anything else stays the technical error it is."""
    try:
        yield
    except (PutError, UpdateError, DeleteError) as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise ConcurrentChangeError from error
        raise
    except TransactWriteError as error:
        if any(reason is not None and reason.code in _LOST_RACES for reason in error.cancellation_reasons):
            raise ConcurrentChangeError from error
        raise


@contextmanager
def transaction(row: type[Model]) -> Iterator[TransactWrite]:
    """A transaction over the connection of a bound model; a lost race in it is a ``ConcurrentChangeError``."""
    from pynamodb.transactions import TransactWrite  # noqa: PLC0415 - most functions write one row at a time

    connection = row._get_connection().connection  # noqa: SLF001 - pynamodb offers no other way to share it
    with lost_races(), TransactWrite(connection=connection) as opened:
        yield opened


def newest[R: Model](
    row: type[R], partition: str, place: Attribute[str], before: str | None, limit: int
) -> ResultIterator[R]:
    """The rows of a partition that is sorted by time, newest first, of those before a place."""
    return row.query(
        partition,
        place < before if before is not None else None,
        scan_index_forward=False,
        limit=limit,
        page_size=limit,
        consistent_read=True,
    )


def page_of[R, T](found: ResultIterator[R], read: Callable[[R], T], place: Callable[[R], str]) -> Page[T]:
    """What a query with a limit found; a cursor goes on after the last of it where there may be more."""
    rows = list(found)
    more = found.last_evaluated_key is not None and rows
    return Page([read(row) for row in rows], write_cursor(place(rows[-1])) if more else None)


def as_read(row: Any, version: int) -> Any:
    """The condition that a row of this model still has the version that was read; 0 for that there was none."""
    return row.version == version if version else row.version.does_not_exist()
