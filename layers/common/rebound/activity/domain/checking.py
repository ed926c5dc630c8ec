"""Events as clients write them: what each field may hold, and what is wrong with one."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.activity.domain.events import FIELDS, REQUIRED, Event, EventKind, MembershipStatus
from rebound.kernel.currencies import in_decimals_of, is_currency
from rebound.kernel.errors import FieldError
from rebound.kernel.ids import CUSTOMER_IDS
from rebound.kernel.times import read_day
from rebound.kernel.written_text import is_one_line, tidied

MAX_ID: Final = 128
MAX_LINE: Final = 200
MAX_WORDS: Final = 1000
MAX_CREDITS: Final = 1_000_000
HIGHEST_RATING: Final = 5
EVENT_ID: Final = re.compile(r"[A-Za-z0-9._:~-]{1,128}")
APPOINTMENT_ID: Final = r"[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}"
TEMPLATE_ID: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}"
AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
HAPPENED_WITHIN: Final = timedelta(days=1)
"""How far ahead of now ``at`` may lie: further than any zone that is written for another, or a clock that is fast."""
STARTS_WITHIN: Final = timedelta(days=1_830)
"""How far ahead of now ``starts_at`` may lie: about five years, longer than anybody books ahead."""
NO_SUCH_CUSTOMER: Final = "Is no customer of this business."
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
OF_ALL: Final = ("event_id", "kind", "at", "customer_id", "external_id")


class EventError(Exception):
    """What is wrong with one event."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(*errors)
        self.errors = errors


class ReadingContext(Struct, frozen=True):
    """Where and when events are read: the zone of the business, and now."""

    zone: str
    now: datetime


def checked_event(given: object, index: int, context: ReadingContext) -> Event:
    """The event of what a client wrote, at its place in the request. Raises ``EventError`` with all that is wrong.

    An event of an unknown kind is read as one that may have the fields of every kind, and must have none of them.
    """
    if not isinstance(given, Mapping):
        raise EventError(FieldError(f"events[{index}]", "Must be an object."))
    present = {str(name): value for name, value in given.items() if value is not None}
    errors: list[FieldError] = []
    event_id = present.get("event_id")
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id):
        errors.append(FieldError("event_id", "Must be your own id of the event: 1 to 128 of A-Z a-z 0-9 . _ : ~ -"))
    kind = EventKind(present["kind"]) if present.get("kind") in list(EventKind) else None
    if kind is None:
        errors.append(FieldError("kind", f"Must be one of {', '.join(EventKind)}."))
    errors += _about_customer(present)
    of_kind = _EVERY_FIELD if kind is None else FIELDS[kind]
    known = (*OF_ALL, *of_kind)
    errors += [
        FieldError.unknown(
            name[:MAX_ID], f"Is not a field of {'any kind' if kind is None else f'a {kind}'}.", name, known
        )
        for name in given
        if name not in known
    ]
    values: dict[str, Any] = {}
    for name in ("at", *of_kind):
        if name not in present:
            if name == "at" or (kind is not None and name in REQUIRED.get(kind, ())):
                errors.append(FieldError(name, "Is required."))
            continue
        try:
            values[name] = _READERS.get(name, _identifier)(present[name], context)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    errors += _about_money(present, values, {error.field for error in errors})
    if kind is None or errors:
        raise EventError(*errors)
    return Event(event_id=str(event_id), kind=kind, **values)


def named_customer(given: object) -> str | None:
    """Whom an event names by an id of ours, where it is one."""
    value = given.get("customer_id") if isinstance(given, Mapping) else None
    return value if isinstance(value, str) and CUSTOMER_IDS.fullmatch(value) else None


def _about_customer(present: Mapping[str, Any]) -> Iterator[FieldError]:
    named = [name for name in ("customer_id", "external_id") if name in present]
    if len(named) != 1:
        yield FieldError("customer_id", "Name the customer by customer_id or by external_id, one of the two.")
        return
    value = present[named[0]]
    if not isinstance(value, str) or not tidied(value) or len(value) > MAX_ID or not is_one_line(value):
        yield FieldError(named[0], f"Must be text of 1 to {MAX_ID} characters on one line.")
    elif named == ["customer_id"] and not CUSTOMER_IDS.fullmatch(value):
        yield FieldError("customer_id", NO_SUCH_CUSTOMER)


def _about_money(present: Mapping[str, Any], values: Mapping[str, Any], wrong: set[str]) -> Iterator[FieldError]:
    """An amount and its currency come together, with the decimals that the currency has."""
    for name, other in (("amount", "currency"), ("currency", "amount")):
        if other in present and name not in present and name not in wrong:
            yield FieldError(name, f"Is required beside {other}.")
    if "amount" in values and "currency" in values:
        try:
            in_decimals_of(values["currency"], values["amount"])
        except ValueError as error:
            yield FieldError("amount", str(error))


def _identifier(value: object, _: ReadingContext) -> str:
    return _line(value, MAX_ID)


def _line(value: object, longest: int) -> str:
    if not isinstance(value, str) or not tidied(value) or len(value) > longest or not is_one_line(value):
        raise ValueError(f"Must be text of 1 to {longest} characters on one line.")
    return tidied(value)


def _time(value: object, _: ReadingContext) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and _TIME.fullmatch(value) else None
    except ValueError:
        at = None
    if at is None or not _FIRST <= at < _LAST:
        raise ValueError(
            "Must be a time in RFC 3339 with an offset, such as 2026-11-29T18:00:00.000Z, from 1970 to 2199."
        )
    return at.astimezone(UTC)


def _happened(value: object, context: ReadingContext) -> datetime:
    at = _time(value, context)
    if at > context.now + HAPPENED_WITHIN:
        raise ValueError(
            "Must be at most one day from now: when it happened, and for a booking when it was made (when that begins "
            "is starts_at)."
        )
    return at


def _starts(value: object, context: ReadingContext) -> datetime:
    at = _time(value, context)
    if at > context.now + STARTS_WITHIN:
        raise ValueError(f"Must be at most {STARTS_WITHIN.days} days from now.")
    return at


def _day(value: object, context: ReadingContext) -> date:
    try:
        return _time(value, context).astimezone(ZoneInfo(context.zone)).date()
    except ValueError:
        pass
    try:
        day = read_day(value)
    except ValueError:
        day = None
    if day is None or not _FIRST.date() <= day < _LAST.date():
        raise ValueError("Must be the last day as YYYY-MM-DD, or a time in RFC 3339 with an offset.")
    return day


def _amount(value: object, _: ReadingContext) -> Decimal:
    if not isinstance(value, str) or not AMOUNT.fullmatch(value):
        raise ValueError('Must be decimal text without a sign, such as "12.50": up to 12 digits and 4 decimals.')
    return Decimal(value)


def _currency(value: object, _: ReadingContext) -> str:
    if not isinstance(value, str) or not is_currency(value):
        raise ValueError("Must be a currency of ISO 4217 in capitals, such as EUR.")
    return value


def _status(value: object, _: ReadingContext) -> MembershipStatus:
    if not isinstance(value, str) or value not in set(MembershipStatus):
        raise ValueError(f"Must be one of {', '.join(MembershipStatus)}.")
    return MembershipStatus(value)


def _whole(least: int, most: int) -> Callable[[object, ReadingContext], int]:
    def read(value: object, _: ReadingContext) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"Must be a whole number from {least} to {most}.")
        return value

    return read


def _words(value: object, _: ReadingContext) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_WORDS:
        raise ValueError(f"Must be text of 1 to {MAX_WORDS} characters.")
    return value


def _who(value: object, _: ReadingContext) -> str:
    return _line(value, MAX_LINE)


def _matching(pattern: str, what: str) -> Callable[[object, ReadingContext], str]:
    whole = re.compile(pattern)

    def read(value: object, _: ReadingContext) -> str:
        if not isinstance(value, str) or not whole.fullmatch(value):
            raise ValueError(f"Must be {what}.")
        return value

    return read


_READERS: Final[Mapping[str, Callable[[object, ReadingContext], Any]]] = {
    "at": _happened,
    # As messages name the same appointments, and templates.
    "appointment_id": _matching(APPOINTMENT_ID, "1 to 128 of A-Z a-z 0-9 . _ : -, not beginning with a dot"),
    "template_id": _matching(TEMPLATE_ID, "1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot"),
    "starts_at": _starts,
    "until": _day,
    "amount": _amount,
    "currency": _currency,
    "status": _status,
    "rating": _whole(1, HIGHEST_RATING),
    "credits_left": _whole(0, MAX_CREDITS),
    "text": _words,
    "who": _who,
}
"""Other fields hold ids of the client's."""
_EVERY_FIELD: Final = tuple(dict.fromkeys(name for names in FIELDS.values() for name in names))
