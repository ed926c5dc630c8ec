"""Values of variables by their type: what a client may give for one, and how it is written for whoever reads it.

How languages and countries write numbers, money, dates and times is CLDR's to say, through Babel. It is loaded where
such a value is written or an amount is read, by nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer, language_for
from rebound.kernel.channels import Channel
from rebound.kernel.currencies import in_decimals_of, is_currency
from rebound.kernel.written_text import is_blank

if TYPE_CHECKING:
    from babel import Locale

MAX_TEXT_VALUE: Final = 1_000
"""Characters: more than a text message has room for beside it."""
MAX_ADDRESS: Final = 2_000
_AMOUNT: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_MONEY: Final = re.compile(r"(?P<before>[A-Za-z]{3})?\s*(?P<amount>-?\d[\d.]*)\s*(?P<after>[A-Za-z]{3})?", re.ASCII)
_DATE: Final = r"[1-9]\d{3}-\d\d-\d\d"
_TIME: Final = r"\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?"
_MOMENT: Final = re.compile(rf"{_DATE}[Tt ]{_TIME}(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_DAY_ALONE: Final = re.compile(_DATE, re.ASCII)
_TIME_ALONE: Final = re.compile(_TIME, re.ASCII)
_LAST_YEAR: Final = 9998
"""So that a date has a next day in every zone."""
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NO_BREAKS: Final = str.maketrans("\u00a0\u202f\u2019", "  '")
"""What CLDR writes between digits, and GSM-7 has not: each would make a text twice as long."""

TypedValue = str | Decimal | date | time | datetime


class VariableType(StrEnum):
    """What a variable holds."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    TIME = "time"
    URL = "url"


class Reader(Struct, frozen=True):
    """Whom a value is written for: a language (one of ``LANGUAGES``), a country (ISO 3166-1) and a zone (IANA).

    ``spaces_may_break`` is set where a space that does not break costs: a text with one is sent in UCS-2.
    """

    language: str
    country: str
    zone: str
    spaces_may_break: bool = False


def reader_of(customer: Customer | None, business: Business, channel: Channel) -> Reader:
    """The reader of a message to a customer: in the customer's own language and zone, else in the business's."""
    zone = (customer.time_zone if customer is not None else None) or business.time_zone
    return Reader(language_for(customer, business), business.country, zone, channel is Channel.SMS)


class Money(Struct, frozen=True):
    """An amount in a currency (ISO 4217)."""

    amount: Decimal
    currency: str


def is_empty(value: object) -> bool:
    """Whether what was given says nothing: ``None``, a text of which nothing can be seen, money without an amount."""
    if isinstance(value, Mapping):
        return "amount" in value and is_empty(cast("Mapping[str, object]", value)["amount"])
    return value is None or (isinstance(value, str) and is_blank(value))


def checked(kind: VariableType, value: object) -> str | dict[str, str]:
    """A value that is not empty, in the one form in which rows keep it: a text, and for money the two texts of it.

    Raises ``ValueError`` with a sentence for people, which says what is allowed.
    """
    read = _TRAITS[kind].read(value)
    if isinstance(read, Money):
        return {"amount": f"{read.amount:f}", "currency": read.currency}
    return f"{read:f}" if isinstance(read, Decimal) else str(value).strip() if kind is not VariableType.TEXT else read


def written(kind: VariableType, value: object, reader: Reader) -> str:
    """A value that ``checked`` has passed, as the reader writes it. Raises ``ValueError`` for any other."""
    traits = _TRAITS[kind]
    return traits.write(traits.read(value), reader)


def allowed(kind: VariableType) -> str:
    """What a value of a type may be, as a sentence for people."""
    return _TRAITS[kind].allowed


def sample(kind: VariableType) -> Any:
    """A value to show where nobody has given one; ``None`` for text."""
    return _TRAITS[kind].sample


# --- reading ----------------------------------------------------------------------------------------------------------


def _refused(kind: VariableType) -> ValueError:
    return ValueError(_TRAITS[kind].allowed)


def _as_text(value: object) -> str | None:
    """A text or a JSON number as text; ``None`` for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return f"{Decimal(repr(value) if isinstance(value, float) else value):f}"


def _read_text(value: object) -> str:
    text = _as_text(value)
    if text is None or len(text) > MAX_TEXT_VALUE or _UNWRITABLE.search(text):
        raise _refused(VariableType.TEXT)
    return text.strip()


def _read_number(value: object) -> Decimal:
    text = _as_text(value)
    if text is None or not _AMOUNT.fullmatch(text.strip()):
        raise _refused(VariableType.NUMBER)
    # Adding nothing takes the sign off a zero.
    return Decimal(text.strip()) + 0


def currency_named(text: str) -> str:
    """The currency (ISO 4217) that a client names. Raises ``ValueError`` with a sentence for people."""
    currency = text.strip().upper()
    if not is_currency(currency):
        raise ValueError("Is no currency that there is: write its code of ISO 4217, such as EUR or USD.")
    return currency


def currency_of(country: str) -> str:
    """The currency of a country (ISO 3166-1); USD where none is known."""
    from babel.numbers import get_territory_currencies  # noqa: PLC0415 - see above

    return next(iter(get_territory_currencies(country)), "USD")


def read_amount(text: str, currency: str | None = None) -> Decimal:
    """A number as decimal text, with the decimals of its currency, if it has one. Raises ``ValueError`` likewise."""
    if not _AMOUNT.fullmatch(text.strip()):
        raise ValueError("Must be a number as text, with at most 15 digits before the point: 12.50.")
    amount = Decimal(text.strip()) + 0
    return amount if currency is None else in_decimals_of(currency, amount)


def _read_money(value: object) -> Money:
    amount, currency = _parts_of_money(value)
    if amount is None or not _AMOUNT.fullmatch(amount.strip()) or currency is None:
        raise _refused(VariableType.MONEY)
    currency = currency.strip().upper()
    if not is_currency(currency):
        raise ValueError("Is in no currency that there is: write its code of ISO 4217, such as EUR or USD.")
    return Money(in_decimals_of(currency, Decimal(amount.strip())), currency)


def _parts_of_money(value: object) -> tuple[str | None, str | None]:
    if isinstance(value, Mapping):
        given = cast("Mapping[str, object]", value)
        if given.keys() != {"amount", "currency"}:
            return None, None
        currency = given["currency"]
        return _as_text(given["amount"]), currency if isinstance(currency, str) else None
    found = _MONEY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or (found["before"] is None) is (found["after"] is None):
        return None, None
    return found["amount"], found["before"] or found["after"]


def _read_date(value: object) -> date | datetime:
    return cast("date", _read_moment(value, VariableType.DATE, _DAY_ALONE, date.fromisoformat))


def _read_time(value: object) -> time | datetime:
    return cast("time", _read_moment(value, VariableType.TIME, _TIME_ALONE, time.fromisoformat))


def _read_moment(
    value: object, kind: VariableType, alone: re.Pattern[str], read: Callable[[str], date | time]
) -> date | time | datetime:
    text = value.strip() if isinstance(value, str) else ""
    try:
        found = datetime.fromisoformat(text.upper()) if _MOMENT.fullmatch(text) else None
        if found is None and alone.fullmatch(text):
            return read(text)
    except ValueError:
        # No such day or hour.
        found = None
    if found is None or found.year > _LAST_YEAR:
        raise _refused(kind)
    return found


def _read_url(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        host = urlsplit(text).hostname
    except ValueError:
        host = None
    if (
        not host
        or len(text) > MAX_ADDRESS
        or not text.lower().startswith(("http://", "https://"))
        or not text.isprintable()
        or re.search(r"[\s<>\"\\^`{|}]", text)
    ):
        raise _refused(VariableType.URL)
    return text


# --- writing ----------------------------------------------------------------------------------------------------------


@cache
def _locale(language: str, country: str) -> Locale:
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - see above

    try:
        return Locale.parse(f"{language}_{country}")
    except UnknownLocaleError:
        return Locale.parse(language)


def _write_number(value: Any, reader: Reader) -> str:
    from babel.numbers import format_decimal  # noqa: PLC0415 - see above

    locale = _locale(reader.language, reader.country)
    decimals = max(0, -cast("int", value.as_tuple().exponent))
    return _spaced(format_decimal(value, f"#,##0.{'0' * decimals}" if decimals else "#,##0", locale), reader)


def _write_money(value: Any, reader: Reader) -> str:
    from babel.numbers import format_currency, get_currency_precision  # noqa: PLC0415 - see above

    locale = _locale(reader.language, reader.country)
    # Where people usually write fewer decimals than there are, what is there is written all the same.
    is_usual = value.amount == round(value.amount, get_currency_precision(value.currency))
    return _spaced(format_currency(value.amount, value.currency, locale=locale, decimal_quantization=is_usual), reader)


def written_percent(value: Decimal, reader: Reader) -> str:
    """Percents, as the reader writes them."""
    from babel.numbers import format_percent  # noqa: PLC0415 - see above

    decimals = max(0, -cast("int", value.normalize().as_tuple().exponent))
    locale = _locale(reader.language, reader.country)
    pattern = locale.percent_formats[None].pattern.replace("#,##0", f"#,##0.{'0' * decimals}" if decimals else "#,##0")
    return _spaced(format_percent(value / 100, pattern, locale), reader)


def written_minutes(minutes: int, reader: Reader) -> str:
    """So many minutes, in the reader's words."""
    from babel.units import format_unit  # noqa: PLC0415 - see above

    return _spaced(format_unit(minutes, "duration-minute", locale=_locale(reader.language, reader.country)), reader)


def _write_date(value: Any, reader: Reader) -> str:
    from babel.dates import format_date  # noqa: PLC0415 - see above

    return _spaced(format_date(_local(value, reader), "long", _locale(reader.language, reader.country)), reader)


def _write_time(value: Any, reader: Reader) -> str:
    from babel.dates import format_time  # noqa: PLC0415 - see above

    local = _local(value, reader)
    alone = local.time() if isinstance(local, datetime) else local
    return _spaced(format_time(alone, "short", locale=_locale(reader.language, reader.country)), reader)


def _local(value: Any, reader: Reader) -> Any:
    """A moment by the reader's clock; what has no offset is local already."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(ZoneInfo(reader.zone)).replace(tzinfo=None)
    return value


def _spaced(text: str, reader: Reader) -> str:
    return text.translate(_NO_BREAKS) if reader.spaces_may_break else text


def _as_it_is(value: Any, _: Reader) -> str:
    return cast("str", value)


class _Traits(Struct, frozen=True):
    """What a type is: how its values are read and written, what is allowed, and one to show."""

    read: Callable[[object], Any]
    write: Callable[[Any, Reader], str]
    allowed: str
    sample: Any


_TRAITS: Final[Mapping[VariableType, _Traits]] = {
    VariableType.TEXT: _Traits(
        _read_text,
        _as_it_is,
        f"Must be text of at most {MAX_TEXT_VALUE} characters, or a number; no control characters but line breaks.",
        None,
    ),
    VariableType.NUMBER: _Traits(
        _read_number,
        _write_number,
        'Must be a number with at most 15 digits before and 6 behind the point: 12.5 or "12.50".',
        30,
    ),
    VariableType.MONEY: _Traits(
        _read_money,
        _write_money,
        'Must be an amount and its currency: {"amount": "12.50", "currency": "EUR"} or "12.50 EUR".',
        {"amount": "12.50", "currency": "EUR"},
    ),
    VariableType.DATE: _Traits(
        _read_date,
        _write_date,
        f'Must be a date of the years 1000 to {_LAST_YEAR}, "2026-12-31", or a date and time, which is by the '
        "reader's clock if it has an offset: "
        '"2026-12-31T17:30:00Z".',
        "2026-12-31",
    ),
    VariableType.TIME: _Traits(
        _read_time,
        _write_time,
        'Must be a time of day, "17:30", or a date and time, which is by the reader\'s clock if it has an offset: '
        '"2026-12-31T17:30:00Z".',
        "17:30",
    ),
    VariableType.URL: _Traits(
        _read_url,
        _as_it_is,
        f"Must be an address of at most {MAX_ADDRESS} characters that begins with https:// or http:// and names a "
        'host; white space and any of < > " \\ ^ ` { | } must be percent-encoded.',
        "https://www.example.com/",
    ),
}
