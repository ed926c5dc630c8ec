"""Events as clients write them: what each field may hold, and what is wrong with one."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from rebound.activity.domain.events import FIELDS, REQUIRED, Event, EventKind, MembershipStatus
from rebound.kernel.errors import FieldError
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
CURRENCY: Final = re.compile(r"[A-Z]{3}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
OF_ALL: Final = ("event_id", "kind", "at", "customer_id", "external_id")


class EventError(Exception):
    """What is wrong with one event."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(*errors)
        self.errors = errors


def checked_event(given: object, zone: str) -> Event:
    """The event of what a client wrote; ``zone`` is the business's. Raises ``EventError`` with all that is wrong."""
    if not isinstance(given, Mapping):
        raise EventError(FieldError("", "Must be an object."))
    present = {str(name): value for name, value in given.items() if value is not None}
    errors: list[FieldError] = []
    event_id = present.get("event_id")
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id):
        errors.append(FieldError("event_id", "Must be your own id of the event: 1 to 128 of A-Z a-z 0-9 . _ : ~ -"))
    kind = present.get("kind")
    if kind not in set(EventKind):
        errors.append(FieldError("kind", f"Must be one of {', '.join(EventKind)}."))
        raise EventError(*errors)
    errors += _about_customer(present)
    of_kind = FIELDS[EventKind(kind)]
    known = (*OF_ALL, *of_kind)
    errors += [
        FieldError.unknown(name[:MAX_ID], f"Is not a field of a {kind}.", name, known)
        for name in given
        if name not in known
    ]
    values: dict[str, Any] = {}
    for name in ("at", *of_kind):
        if name not in present:
            if name == "at" or name in REQUIRED.get(EventKind(kind), ()):
                errors.append(FieldError(name, "Is required."))
            continue
        try:
            values[name] = _READERS.get(name, _identifier)(present[name], zone)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if ("amount" in present) != ("currency" in present) and not {error.field for error in errors} & {
        "amount",
        "currency",
    }:
        missing, given = ("currency", "amount") if "amount" in present else ("amount", "currency")
        errors.append(FieldError(missing, f"Is required beside {given}."))
    if errors:
        raise EventError(*errors)
    return Event(event_id=str(event_id), kind=EventKind(kind), **values)


def _about_customer(present: Mapping[str, Any]) -> Iterator[FieldError]:
    named = [name for name in ("customer_id", "external_id") if name in present]
    if len(named) != 1:
        yield FieldError("customer_id", "Name the customer by customer_id or by external_id, one of the two.")
        return
    value = present[named[0]]
    if not isinstance(value, str) or not tidied(value) or len(value) > MAX_ID or not is_one_line(value):
        yield FieldError(named[0], f"Must be text of 1 to {MAX_ID} characters on one line.")


def _identifier(value: object, _: str) -> str:
    return _line(value, MAX_ID)


def _line(value: object, longest: int) -> str:
    if not isinstance(value, str) or not tidied(value) or len(value) > longest or not is_one_line(value):
        raise ValueError(f"Must be text of 1 to {longest} characters on one line.")
    return tidied(value)


def _time(value: object, _: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(value)) if _TIME.fullmatch(str(value)) else None
    except ValueError:
        at = None
    if at is None or not isinstance(value, str) or not _FIRST <= at < _LAST:
        raise ValueError(
            "Must be a time in RFC 3339 with an offset, such as 2026-11-29T18:00:00.000Z, from 1970 to 2199."
        )
    return at.astimezone(UTC)


def _day(value: object, zone: str) -> date:
    try:
        return _time(value, zone).astimezone(ZoneInfo(zone)).date()
    except ValueError:
        pass
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-11-29") else None
    except ValueError:
        day = None
    if day is None or not _FIRST.date() <= day < _LAST.date():
        raise ValueError("Must be the last day as YYYY-MM-DD, or a time in RFC 3339 with an offset.")
    return day


def _amount(value: object, _: str) -> Decimal:
    if not isinstance(value, str) or not AMOUNT.fullmatch(value):
        raise ValueError('Must be decimal text without a sign, such as "12.50": up to 12 digits and 4 decimals.')
    return Decimal(value)


def _currency(value: object, _: str) -> str:
    if not isinstance(value, str) or not CURRENCY.fullmatch(value):
        raise ValueError("Must be a currency of ISO 4217 in capitals, such as EUR.")
    return value


def _status(value: object, _: str) -> MembershipStatus:
    if value not in set(MembershipStatus):
        raise ValueError(f"Must be one of {', '.join(MembershipStatus)}.")
    return MembershipStatus(str(value))


def _whole(least: int, most: int) -> Callable[[object, str], int]:
    def read(value: object, _: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"Must be a whole number from {least} to {most}.")
        return value

    return read


def _words(value: object, _: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_WORDS:
        raise ValueError(f"Must be text of 1 to {MAX_WORDS} characters.")
    return value


def _who(value: object, _: str) -> str:
    return _line(value, MAX_LINE)


def _matching(pattern: str, what: str) -> Callable[[object, str], str]:
    whole = re.compile(pattern)

    def read(value: object, _: str) -> str:
        if not isinstance(value, str) or not whole.fullmatch(value):
            raise ValueError(f"Must be {what}.")
        return value

    return read


_READERS: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "at": _time,
    # As messages name the same appointments, and templates.
    "appointment_id": _matching(APPOINTMENT_ID, "1 to 128 of A-Z a-z 0-9 . _ : -, not beginning with a dot"),
    "template_id": _matching(TEMPLATE_ID, "1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot"),
    "starts_at": _time,
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
