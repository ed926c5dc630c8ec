"""Vouchers of campaigns: what one is worth and when it is valid, and the code that each recipient gets.

A code is made of what the campaign and the recipient are, and is nowhere kept: whoever has the key makes it again. It
has the campaign's number in the business and 41 bits of an HMAC over the message and the customer, in letters that
nobody mistakes for each other. No vowels are among them, so that no code is a word.
"""

from __future__ import annotations

import hmac
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.receipts import MessageKey
from rebound.kernel.times import write_time

if TYPE_CHECKING:
    from rebound.templates.domain.variables import Declared

ALPHABET: Final = "23456789CDFGHJKMNPQRTVWXY"
_MISREAD: Final = str.maketrans("SBZ", "582")
"""Letters that no code has, as the digits that they are taken for."""
_BASE: Final = len(ALPHABET)
SIGNATURE_LETTERS: Final = 9
"""25 ** 9 is 41.8 bits of the HMAC's 256."""
_GROUP: Final = 3
MOST_NUMBER_LETTERS: Final = 9
_CONTEXT: Final = b"rebound-voucher\x00"
"""Signed with each code, so that nothing else that is signed with the same key says anything of one."""
_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015_.]+")

MOST_DAYS: Final = 365
"""As long as the message is surely in the log, without which nobody redeems it."""
MOST_MINUTES: Final = 24 * 60
_MIDNIGHT: Final = time()
_DAY: Final = timedelta(days=1)
_MOMENT: Final = timedelta(microseconds=1)
_DATE: Final = re.compile(r"[1-9]\d{3}-\d\d-\d\d", re.ASCII)


class VoucherKind(StrEnum):
    """What a voucher gives."""

    PERCENT = "percent"
    """A part of what is paid."""
    AMOUNT = "amount"
    FREE_MINUTES = "free_minutes"
    """Minutes that are not charged for: what they are worth is for the business to say."""


class Voucher(Struct, frozen=True, kw_only=True):
    """What a campaign gives each of its recipients.

    ``value`` is decimal text: percents, an amount of ``currency``, or minutes. ``valid_from`` and ``valid_until`` are a
    date on the business's calendar, both days included, or a moment (RFC 3339); ``valid_days`` count from the day of
    the send in place of ``valid_until``. ``number`` is the campaign's in the business, 0 before it is given.
    """

    kind: VoucherKind
    value: str
    currency: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    valid_days: int | None = None
    number: int = 0

    def begins(self, zone: str) -> datetime | None:
        """From when on it is valid; ``None`` for at once."""
        return None if self.valid_from is None else _moment(self.valid_from, zone)

    def ends(self, zone: str, sent_at: datetime) -> datetime:
        """From when on a voucher that was sent at a time is not valid any more."""
        if self.valid_until is None:
            return _start_of(
                sent_at.astimezone(ZoneInfo(zone)).date() + timedelta(days=(self.valid_days or 0) + 1), zone
            )
        if _DATE.fullmatch(self.valid_until):
            return _start_of(date.fromisoformat(self.valid_until) + _DAY, zone)
        return datetime.fromisoformat(self.valid_until)

    def last_day(self, zone: str, sent_at: datetime) -> date:
        """The last day on which it is valid, on the business's calendar."""
        return (self.ends(zone, sent_at) - _MOMENT).astimezone(ZoneInfo(zone)).date()

    @property
    def amount(self) -> Decimal:
        """The value as a number."""
        return Decimal(self.value)


def checked(voucher: Voucher, zone: str, now: datetime, field: str = "voucher") -> Voucher:
    """The voucher in the one form in which rows keep it.

    ``now`` is when it would be sent at the earliest. Raises ``InvalidInputError`` with all that is wrong.
    """
    errors: list[FieldError] = []
    value, currency = _checked_value(voucher, errors, field)
    begins = _checked_moment(voucher.valid_from, errors, f"{field}.valid_from")
    until = _checked_moment(voucher.valid_until, errors, f"{field}.valid_until")
    if (voucher.valid_until is None) is (voucher.valid_days is None):
        errors.append(FieldError(f"{field}.valid_until", "Give exactly one of valid_until and valid_days."))
    if voucher.valid_days is not None and not 1 <= voucher.valid_days <= MOST_DAYS:
        errors.append(FieldError(f"{field}.valid_days", f"Must be from 1 to {MOST_DAYS}."))
    if errors:
        raise InvalidInputError(*errors)
    kept = Voucher(
        kind=voucher.kind,
        value=value,
        currency=currency,
        valid_from=begins,
        valid_until=until,
        valid_days=voucher.valid_days,
        number=voucher.number,
    )
    starts, ends = kept.begins(zone), kept.ends(zone, now)
    if ends <= now:
        errors.append(FieldError(f"{field}.valid_until", "Is over before anybody could get it."))
    elif kept.valid_until is not None and ends > now + timedelta(days=MOST_DAYS + 1):
        errors.append(FieldError(f"{field}.valid_until", f"Must be within {MOST_DAYS} days."))
    elif starts is not None and starts >= ends:
        where = "valid_from"
        errors.append(FieldError(f"{field}.{where}", "Must be before it ends: else it would never be valid."))
    if errors:
        raise InvalidInputError(*errors)
    return kept


def _checked_value(voucher: Voucher, errors: list[FieldError], field: str) -> tuple[str, str | None]:
    from rebound.templates.domain.typed_values import currency_named, read_amount  # noqa: PLC0415 - only to check one

    currency: str | None = None
    try:
        currency = None if voucher.currency is None else currency_named(voucher.currency)
    except ValueError as error:
        errors.append(FieldError(f"{field}.currency", str(error)))
    if voucher.kind is VoucherKind.AMOUNT and voucher.currency is None:
        errors.append(FieldError(f"{field}.currency", "Is required for an amount: its code of ISO 4217, such as EUR."))
    try:
        value = read_amount(voucher.value, currency if voucher.kind is VoucherKind.AMOUNT else None)
    except ValueError as error:
        errors.append(FieldError(f"{field}.value", str(error)))
        return voucher.value, currency
    allowed = {
        VoucherKind.PERCENT: (
            0 < value <= 100 and value == round(value, 2),  # noqa: PLR2004
            "Must be more than 0 and at most 100, with at most two decimals.",
        ),
        VoucherKind.AMOUNT: (value > 0, "Must be more than 0."),
        VoucherKind.FREE_MINUTES: (
            value == int(value) and 1 <= value <= MOST_MINUTES,
            f"Must be whole minutes, from 1 to {MOST_MINUTES}.",
        ),
    }
    fits, sentence = allowed[voucher.kind]
    if not fits:
        errors.append(FieldError(f"{field}.value", sentence))
    return f"{value.normalize():f}" if voucher.kind is not VoucherKind.AMOUNT else f"{value:f}", currency


def _checked_moment(given: str | None, errors: list[FieldError], field: str) -> str | None:
    if given is None:
        return None
    text = given.strip()
    is_day = _DATE.fullmatch(text) is not None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    # Close to the end of the calendar there is no next day, and in some zones not this one.
    is_known = moment is not None and 1000 < moment.year < 9998  # noqa: PLR2004
    if moment is None or not is_known or (moment.tzinfo is None and not is_day):
        example = "2026-12-31, or a moment with an offset (RFC 3339), 2026-12-31T18:00:00Z."
        errors.append(FieldError(field, f"Must be a date on the business's calendar, {example}"))
        return None
    return moment.date().isoformat() if is_day else write_time(moment)


def _moment(written: str, zone: str) -> datetime:
    if _DATE.fullmatch(written):
        return _start_of(date.fromisoformat(written), zone)
    return datetime.fromisoformat(written)


def _start_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, _MIDNIGHT, ZoneInfo(zone))


def variables_of(voucher: Voucher | None) -> Declared:
    """The variables that a campaign has besides those of everybody."""
    from rebound.templates.domain.variables import of_vouchers  # noqa: PLC0415 - few campaigns have one

    return {} if voucher is None else of_vouchers()


# --- codes ------------------------------------------------------------------------------------------------------------


def code_of(number: int, message: MessageKey, secret: bytes) -> str:
    """The code in a recipient's message, without separators."""
    said = "#".join((message.business_id, str(number), message.customer_id, message.message_id))
    digest = hmac.digest(secret, _CONTEXT + said.encode(), sha256)
    return _letters(number) + _letters(int.from_bytes(digest[:16]) % _BASE**SIGNATURE_LETTERS).rjust(
        SIGNATURE_LETTERS, ALPHABET[0]
    )


def written_code(code: str) -> str:
    """A code as people read it: the number, and the rest in threes."""
    number, rest = code[:-SIGNATURE_LETTERS], code[-SIGNATURE_LETTERS:]
    return "-".join((number, *(rest[at : at + _GROUP] for at in range(0, SIGNATURE_LETTERS, _GROUP))))


def read_code(typed: str) -> str | None:
    """A code as it is compared: in any case, with spaces or dashes; ``None`` for what can be no code."""
    code = _SEPARATORS.sub("", typed).upper().translate(_MISREAD)
    number = len(code) - SIGNATURE_LETTERS
    if not 1 <= number <= MOST_NUMBER_LETTERS or not set(code) <= set(ALPHABET) or code[0] == ALPHABET[0]:
        return None
    return code


def number_in(code: str) -> int:
    """The campaign's number that a code says."""
    number = 0
    for letter in code[:-SIGNATURE_LETTERS]:
        number = number * _BASE + ALPHABET.index(letter)
    return number


def _letters(number: int) -> str:
    letters = ""
    while number or not letters:
        number, digit = divmod(number, _BASE)
        letters = ALPHABET[digit] + letters
    return letters
