"""The base of the tables' rows as pynamodb models, and what all repositories share: binding, times, pages.

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
from weakref import WeakKeyDictionary, WeakSet

from pynamodb import models
from pynamodb.attributes import (
    Attribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import (
    BINARY,
    DELETE,
    DELETE_REQUEST,
    ITEM,
    KEY,
    LIST,
    NULL,
    NUMBER,
    PUT,
    PUT_REQUEST,
    STRING,
    UNPROCESSED_ITEMS,
)
from pynamodb.exceptions import AttributeDeserializationError, DeleteError, PutError, TransactWriteError, UpdateError
from pynamodb.models import BatchWrite

from rebound.kernel.errors import ComeAgainError, ConcurrentChangeError
from rebound.kernel.pages import Page, write_cursor
from rebound.platform.adapters.aws import is_busy, session

if TYPE_CHECKING:
    from pynamodb.connection.table import TableConnection
    from pynamodb.pagination import ResultIterator
    from pynamodb.transactions import TransactWrite

MAX_TRANSACTION: Final = 100
"""The most rows that one transaction of DynamoDB takes."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
ID_LENGTH: Final = 32
"""The length of a customer's id, in hexadecimal digits."""
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
    """A wall-clock time: naive, kept as ISO 8601."""

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
    """The stored form of a time, with four digits of the year whatever the year is."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_instant(text: str) -> datetime:
    """The time that ``write_instant`` wrote."""
    return datetime.fromisoformat(text)


class TextListAttribute(Attribute[list[str]]):
    """A list of texts: DynamoDB's own list, which keeps order, unlike its sets."""

    attr_type = LIST

    def serialize(self, value: list[str]) -> list[dict[str, str]]:
        return [{STRING: text} for text in value]

    def deserialize(self, value: list[dict[str, str]]) -> list[str]:
        return [element[STRING] for element in value]


class CustomerIdsAttribute(Attribute[list[str]]):
    """Customer ids in their order, in 16 bytes each; as an element of a list, each would count 33 bytes."""

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
    """A JSON document as UTF-8 text without escapes, which would take up to twelve bytes a character."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> Any:
        return json.loads(value)


class Model(models.Model):
    """Base of all models: pynamodb's own, but an item is read in one pass over the attributes that it has.

    pynamodb goes through all attributes that a model could have, several times; for thousands of rows, that took as
    long as all that botocore does. In addition, all models share one session of botocore.
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """The connection that pynamodb makes, with the session of the process instead of one for each table."""
        connection = super()._get_connection()
        own = connection.connection._local  # noqa: SLF001 - pynamodb offers no other way to share a session
        if getattr(own, "session", None) is None:
            own.session = session()
        return connection

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """The row of an item as DynamoDB returns it; attributes that the model does not have are ignored."""
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

    @classmethod
    def _batch_get_page(cls, *given: Any, **named: Any) -> tuple[list[dict[str, Any]], Any]:
        """A page, also where DynamoDB has left all of it and names no table."""
        page, left = super()._batch_get_page(*given, **named)  # type: ignore[no-untyped-call]
        return page or [], left

    @classmethod
    def batch_write(cls, auto_commit: bool = True) -> BatchWrite[Self]:  # noqa: FBT001, FBT002 - pynamodb's own
        """A batch that has as much patience as single writes."""
        return _PatientBatch(cls, auto_commit)


class _PatientBatch[R: Model](BatchWrite[R]):
    """pynamodb's own, which gives up when DynamoDB leaves something three times; how long to wait, the session says."""

    def commit(self) -> None:
        pending, self.pending_operations = self.pending_operations, []
        puts = [each["item"].serialize() for each in pending if each["action"] == PUT]
        deletes = [each["item"]._get_keys() for each in pending if each["action"] == DELETE]  # noqa: SLF001 - as pynamodb does
        connection = self.model._get_connection()  # noqa: SLF001 - as pynamodb does
        while puts or deletes:
            answer = connection.batch_write_item(put_items=puts, delete_items=deletes) or {}
            left = answer.get(UNPROCESSED_ITEMS, {}).get(connection.table_name, ())
            puts = [each[PUT_REQUEST][ITEM] for each in left if PUT_REQUEST in each]
            deletes = [each[DELETE_REQUEST][KEY] for each in left if DELETE_REQUEST in each]


type _Reader = tuple[str, str, Callable[[Any], Any] | None]
"""Name in Python, DynamoDB's type, and the function that reads the value; ``None`` where it needs no reading."""


@cache
def _reading(model: type[Model]) -> tuple[dict[str, Any], Mapping[str, _Reader]]:
    """The default values of a model's rows, and the reader of each attribute by its name in DynamoDB."""
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
    """The model bound to one table; botocore itself finds region, credentials and endpoint."""
    meta = type("Meta", (), {"table_name": table_name})
    bound = type(model.__name__, (model,), {"Meta": meta, "__module__": model.__module__})
    _BOUND.add(bound)
    return bound


def connect() -> None:
    """Make the clients of all tables that models are bound to, which are otherwise made at the first request."""
    for bound in list(_BOUND):
        _ = bound._get_connection().connection.client  # noqa: SLF001 - nobody else knows the connection


def expiry(since: datetime, kept: timedelta) -> int:
    """The time from which DynamoDB may remove a row (TTL), in its format: seconds since 1970."""
    return int((since + kept).timestamp())


def next_version(version: int) -> int:
    """The version of the next write of a row.

    A new row begins with the milliseconds since 1970 instead of 1: a row that was deleted and made again must not be
    taken for the one that somebody read before. This holds because no row is written a thousand times a second.
    """
    return version + 1 if version else _milliseconds()


def later_version(version: int) -> int:
    """``next_version`` where writes of different rows are compared: the later one has the higher, as clocks agree."""
    return max(version + 1, _milliseconds())


def _milliseconds() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


@contextmanager
def come_again_when_busy() -> Iterator[None]:
    """Turn a transaction that is refused for being too much at this moment into ``ComeAgainError``: nothing was done.

    The same holds for the rows that are put before it. For who can wait for longer than the client does by itself.
    """
    try:
        yield
    except (TransactWriteError, PutError) as error:
        if is_busy(error):
            raise ComeAgainError from error
        raise


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


_FOLLOWERS: Final[WeakKeyDictionary[TransactWrite, list[tuple[Callable[[], None], Callable[[], None]]]]] = (
    WeakKeyDictionary()
)


def follow(writes: TransactWrite, written: Callable[[], None], lost: Callable[[], None]) -> None:
    """Call one of two things after a transaction that is still open: when it is written, or when its race is lost."""
    _FOLLOWERS.setdefault(writes, []).append((written, lost))


@contextmanager
def transaction(row: type[Model]) -> Iterator[TransactWrite]:
    """A transaction over the connection of a bound model; a lost race in it raises ``ConcurrentChangeError``."""
    from pynamodb.transactions import TransactWrite  # noqa: PLC0415 - most functions write one row at a time

    connection = row._get_connection().connection  # noqa: SLF001 - pynamodb offers no other way to share it
    writes = TransactWrite(connection=connection)
    try:
        with lost_races(), writes as opened:
            yield opened
    except ConcurrentChangeError:
        for _, lost in _FOLLOWERS.pop(writes, ()):
            lost()
        raise
    for written, _ in _FOLLOWERS.pop(writes, ()):
        written()


def newest[R: Model](
    row: type[R], partition: str, place: Attribute[str], before: str | None, limit: int, page_size: int | None = None
) -> ResultIterator[R]:
    """Up to ``limit`` rows of a partition sorted by time, newest first; with ``before``, only those before it."""
    return row.query(
        partition,
        place < before if before is not None else None,
        scan_index_forward=False,
        limit=limit,
        page_size=page_size or limit,
        consistent_read=True,
    )


def page_of[R, T](found: ResultIterator[R], read: Callable[[R], T], place: Callable[[R], str]) -> Page[T]:
    """The page that a query with a limit found; if there may be more, its cursor continues after the last row."""
    rows = list(found)
    more = found.last_evaluated_key is not None and rows
    return Page([read(row) for row in rows], write_cursor(place(rows[-1])) if more else None)


def as_read(row: Any, version: int) -> Any:
    """The condition that a row still has the version that was read; 0 means that there was no row."""
    return row.version == version if version else row.version.does_not_exist()
