"""What a row of a file asks for: its fields as they would be kept, its opt-outs, and what cannot be read of it.

An odd field that is optional costs that field, not the customer. What is required refuses the row, and so does an
opt-out whose scope nobody can read: without it the customer would be written to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import ConsentEvidence
from rebound.customers.application.profile_checks import ADDRESS_FIELDS, checked_profile
from rebound.customers.application.recipients import recipients_named
from rebound.customers.domain import GROUPS, PROFILE, REQUIRED_FIELDS, Customer, Kind, members_of
from rebound.imports_exports.application.customer_files import CONSENT_COLUMNS, LIST_COLUMNS, read_tags
from rebound.imports_exports.domain import ImportJob
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.local_time import wall_clock
from rebound.kernel.written_text import folded, tidied

if TYPE_CHECKING:
    from rebound.contacts.ports import AddressReader

_ESSENTIAL: Final = frozenset({*REQUIRED_FIELDS, "external_id"})
"""Profile fields without which nobody can tell whom a row is about."""
_FIRST_OPT_OUT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""No list of opt-outs is older, so an earlier time is a mistake."""
_FLOAT: Final = re.compile(r"(\+?[0-9]+)[.,]0+")
"""A phone number that a spreadsheet took for a number with decimals."""
_WHOLE_DAY: Final = re.compile(r"(.*?)[T\s]+[0-9]{1,2}:[0-9]{2}.*")
YES: Final = frozenset(
    {
        *(
            "1",
            "1.0",
            "x",
            "y",
            "t",
            "yes",
            "true",
            "on",
            "unsubscribed",
            "opted out",
            "ja",
            "j",
            "wahr",
            "waar",
            "oui",
            "o",
            "vrai",
        ),
        *("si", "vero", "sim", "s", "verdadero", "verdadeiro"),
    }
)
NO: Final = frozenset(
    (
        "0",
        "0.0",
        "n",
        "f",
        "no",
        "none",
        "n/a",
        "-",
        "false",
        "off",
        "nein",
        "falsch",
        "non",
        "faux",
        "falso",
        "nao",
        "nee",
        "onwaar",
    )
)
"""How people and spreadsheets write yes and no in the languages of the pages, as ``folded`` compares them."""
_OPT_OUTS: Final = frozenset({"unsubscribed", "opted out"})
"""Those words for yes that say it of an opt-out alone."""


class Wish(Struct, frozen=True):
    """What a good row asks for.

    ``customer_id`` is that of the customer whom the row names by an id, else ``None``; ``marks`` then are what a row
    about the same customer has in common with it. A row with neither is told from others of its name by how many
    come before it (``namesakes``). ``nameless`` are the numbers under which a row of marks may have been before it had
    an address: no row of the file has them now. ``recipients`` are those of ``cc`` who are named as customers, by our
    ids, as the row writes them. In a file whose other rows have ids, it ``only_fills`` what is empty of a customer
    who has one: a row of the customer's own says the rest. ``keys`` are the contacts that the row gives. A wish that
    ``is_opt_out`` is about these alone. ``warnings`` say which fields were left out, and why.
    """

    line: int
    customer_id: str | None
    profile: Mapping[str, Any]
    opt_outs: Mapping[Channel, Sequence[ConsentEvidence]]
    keys: Mapping[Channel, ContactKey]
    marks: tuple[str, ...] = ()
    namesakes: int = 0
    nameless: range = range(0)
    only_fills: bool = False
    warnings: tuple[FieldError, ...] = ()
    is_opt_out: bool = False
    recipients: Mapping[str, str] = MappingProxyType({})

    @property
    def external_id(self) -> str | None:
        """The business's own id of the customer."""
        external_id: str | None = self.profile.get("external_id")
        return external_id

    def without(self, errors: Sequence[FieldError]) -> Wish | None:
        """The wish without fields that cannot be had; ``None`` if it does not have these."""
        names = {error.field for error in errors}
        if not names <= self.profile.keys():
            return None
        return replace(
            self,
            profile={name: value for name, value in self.profile.items() if name not in names},
            keys={
                channel: self.keys[channel]
                for name, channel in ADDRESS_FIELDS.items()
                if channel in self.keys and name not in names
            },
            warnings=(*self.warnings, *errors),
        )


class RowReader(Struct, frozen=True, kw_only=True):
    """Reads the rows of one import."""

    job: ImportJob
    business: Business
    addresses: AddressReader

    def wish(self, line: int, customer_id: str | None, given: Mapping[str, Any], *, is_opt_out: bool = False) -> Wish:
        """What the row asks for. Raises ``InvalidInputError`` with everything that is wrong with it."""
        wrong: list[FieldError] = []
        warnings: list[FieldError] = []
        fields = self._fields(given, wrong, warnings)
        profile = self._profile(fields, wrong, warnings, is_opt_out=is_opt_out)
        opt_outs = self._opt_outs(given, wrong, warnings)
        if customer_id is None and profile.get("external_id", "") is None:
            del profile["external_id"]
        keys = self._keys(profile)
        if is_opt_out and not wrong:
            wrong += [
                FieldError(name, "Is required: the address that has opted out.")
                for name, channel in ADDRESS_FIELDS.items()
                if opt_outs.get(channel) and channel not in keys and name not in {error.field for error in wrong}
            ]
        if wrong:
            raise InvalidInputError(*wrong, *warnings)
        return Wish(
            line,
            customer_id,
            profile,
            opt_outs,
            keys,
            () if customer_id or is_opt_out else self._marks(profile, keys),
            only_fills=customer_id is None and "external_id" in given,
            warnings=tuple(warnings),
            is_opt_out=is_opt_out,
            recipients=recipients_named(fields.get("cc") or (), self.business.business_id),
        )

    def _fields(self, given: Mapping[str, Any], wrong: list[FieldError], warnings: list[FieldError]) -> dict[str, Any]:
        """The profile fields as the API takes them."""
        fields: dict[str, Any] = {}
        for name, value in given.items():
            if name in GROUPS:
                known = ", ".join(members_of(name))
                warnings.append(FieldError(name, f"Must be an object with {known}. All else of it was left out."))
                continue
            if name in CONSENT_COLUMNS or (name == "external_id" and value == ""):
                continue
            try:
                fields[name] = self._field(name, value)
            except ValueError as error:
                (wrong if name in _ESSENTIAL else warnings).append(FieldError(name, str(error)))
        return fields

    def _field(self, name: str, value: Any) -> Any:
        kind = PROFILE[name].kind
        if name in LIST_COLUMNS:
            return _texts(value)
        if kind is Kind.PHONE and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is None or value == "":
            return None
        if kind is Kind.SWITCH:
            return _switch(value)
        if not isinstance(value, str):
            raise ValueError("Must be a text or null.")  # noqa: TRY004 - for people, as all that is wrong with a row
        match kind:
            case Kind.PHONE:
                decimal = _FLOAT.fullmatch(tidied(value))
                return decimal[1] if decimal else value
            case Kind.DATE:
                return read_date(value, self.job.options.date_format, self.job.created_at.date()).isoformat()
            case Kind.LANGUAGE:
                # RFC 5646: the language comes first, then script and region.
                return re.split("[-_]", tidied(value), maxsplit=1)[0]
            case Kind.CHOICE:
                return re.sub(r"[\s-]+", "_", folded(value))
        return value

    def _profile(
        self, fields: dict[str, Any], wrong: list[FieldError], warnings: list[FieldError], *, is_opt_out: bool
    ) -> dict[str, Any]:
        today = wall_clock(self.job.created_at, self.business.time_zone).date()
        while True:
            try:
                return checked_profile(fields, self.business, self.addresses, today, creating=not is_opt_out)
            except InvalidInputError as error:
                flawed = {each.field for each in error.errors}
                if is_opt_out or flawed & _ESSENTIAL:
                    told = {each.field for each in wrong}
                    wrong += [each for each in error.errors if each.field not in told]
                    return {}
                warnings += error.errors
                fields = {name: value for name, value in fields.items() if name not in flawed}

    def _opt_outs(
        self, given: Mapping[str, Any], wrong: list[FieldError], warnings: list[FieldError]
    ) -> dict[Channel, Sequence[ConsentEvidence]]:
        """The opt-outs that the row states for its addresses; as of the import when the row does not say since when."""
        opt_outs: dict[Channel, Sequence[ConsentEvidence]] = {}
        for channel in Channel:
            name = f"{channel}_opted_out"
            try:
                scopes = read_scopes(given.get(name))
            except ValueError as error:
                wrong.append(FieldError(name, str(error)))
                continue
            at = self.job.created_at
            try:
                at = self._time(given.get(f"{name}_at"))
            except ValueError as error:
                warnings.append(FieldError(f"{name}_at", str(error)))
            who = f"import {self.job.import_id}"
            opt_outs[channel] = [
                ConsentEvidence(at, scope, opted_out=True, source=ConsentSource.IMPORT, who=who) for scope in scopes
            ]
        return opt_outs

    def _time(self, given: Any) -> datetime:
        """The time that a cell gives; one without an offset is of the business's time zone."""
        if given is None or given == "":
            return self.job.created_at
        sentence = (
            "Must be a time as RFC 3339, such as 2024-05-01T00:00:00Z, between 2000 and the import. The import's own "
            "time is taken."
        )
        if not isinstance(given, str):
            raise ValueError(sentence)  # noqa: TRY004 - for people
        try:
            at = datetime.fromisoformat(_in_plain_digits(given))
        except ValueError:
            try:
                day = read_date(given, self.job.options.date_format, self.job.created_at.date())
            except ValueError:
                raise ValueError(sentence) from None
            at = datetime.combine(day, datetime.min.time())
        if at.tzinfo is None:
            at = at.replace(tzinfo=ZoneInfo(self.business.time_zone))
        if not _FIRST_OPT_OUT <= at <= self.job.created_at:
            raise ValueError(sentence)
        return at.astimezone(UTC)

    def _keys(self, profile: Mapping[str, Any]) -> dict[Channel, ContactKey]:
        addresses = {name: profile[name] for name in ADDRESS_FIELDS if profile.get(name)}
        if not addresses:
            return {}
        at = self.job.created_at
        somebody = Customer(
            business_id=self.business.business_id,
            customer_id="",
            first_name="",
            last_name="",
            created_at=at,
            updated_at=at,
            **addresses,
        )
        return {key.channel: key for key in somebody.contact_keys}

    def _marks(self, profile: Mapping[str, Any], keys: Mapping[Channel, ContactKey]) -> tuple[str, ...]:
        """Rows with a mark in common are about one person: they have the same name and the same address."""
        channels = [ADDRESS_FIELDS[name] for name in self.job.options.match_by]
        return tuple(mark_of(keys[channel], name_of(profile)) for channel in channels if channel in keys)


def name_of(fields: Mapping[str, Any]) -> str:
    """The name of a row or a customer as it is compared."""
    return "\x1f".join(folded(str(fields.get(name) or "")) for name in REQUIRED_FIELDS)


def mark_of(key: ContactKey, name: str) -> str:
    """The mark of somebody's name (see ``name_of``) at an address."""
    return sha256(f"{key}\x1f{name}".encode(errors="surrogatepass")).hexdigest()[:32]


def _texts(value: Any) -> list[str] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return read_tags(value)
    if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise ValueError("Must be a list of texts.")
    return value


def _switch(value: Any) -> bool:
    """Yes or no, as people, spreadsheets and programs write it."""
    if isinstance(value, bool):
        return value
    word = folded(str(value)) if isinstance(value, str | int | float) else ""
    if word in YES - _OPT_OUTS:
        return True
    if word in NO:
        return False
    raise ValueError("Must be yes or no.")


def read_scopes(value: Any) -> Sequence[Scope]:
    """The scopes of an opt-out: a list of them, or yes (all) or no in the languages of the pages.

    Raises ``ValueError`` with a sentence for people.
    """
    if value is None or isinstance(value, bool):
        return [Scope.ALL] if value else []
    texts = re.split("[;,]", value) if isinstance(value, str) else _texts(value)
    words = set(map(folded, texts or ())) - {""}
    if words <= YES and words:
        return [Scope.ALL]
    if words <= NO:
        return []
    if not words.issubset(Scope):
        raise ValueError(f"Must be a list of {', '.join(Scope)}, or yes or no.")
    return [scope for scope in Scope if scope in words]


_TOKENS: Final = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short>[0-9]{2})",
    "MM": r"(?P<month>[0-9]{1,2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{1,2})",
    "D": r"(?P<day>[0-9]{1,2})",
}
_TOKEN: Final = re.compile("YYYY|YY|MM|M|DD|D")
_PERCENT: Final = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD"}
_TIME: Final = re.compile(r"[T\s]*(?:%H|hh?|HH?).*")


@lru_cache(maxsize=16)
def date_pattern(written: str) -> re.Pattern[str]:
    """What dates in a format look like: ``DD/MM/YYYY``, ``M.D.YY`` or ``%d/%m/%Y``, with or without a time behind.

    Raises ``ValueError`` with a sentence for people.
    """
    plain = _TIME.sub("", written.strip())
    for percent, token in _PERCENT.items():
        plain = plain.replace(percent, token)
    plain = plain.upper()
    tokens = _TOKEN.findall(plain)
    if sorted(token[0] for token in tokens) != ["D", "M", "Y"] or not re.fullmatch(r"[DMY ./,-]+", plain):
        raise ValueError("Must have a day, a month and a year once each, such as DD/MM/YYYY or %d/%m/%Y.")
    parts = re.split("(YYYY|YY|MM|M|DD|D)", plain)
    return re.compile("".join(_TOKENS.get(part, re.escape(part)) for part in parts))


def read_date(value: str, written: str | None, today: date) -> date:
    """The date of a cell, in ISO 8601 or in a format of the import's own; a time behind it does not matter.

    Digits may be those of any script, and full-width. Years of two digits are of the hundred years before ``today``.
    Raises ``ValueError`` with a sentence for people.
    """
    plain = _in_plain_digits(value)
    day = _WHOLE_DAY.fullmatch(plain)
    text = (day[1] if day else plain).strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        found = date_pattern(written).fullmatch(text) if written else None
    read = None if found is None else _date_of(found.groupdict(), today)
    if read is None:
        other = f" or {written}" if written else ", or the import must say how dates are written (date_format)"
        raise ValueError(f"Must be a date as YYYY-MM-DD{other}.")
    return read


def _in_plain_digits(value: str) -> str:
    """A date or time in ASCII, without marks that nobody sees, with plain dashes and spaces."""
    return folded(value).upper()


def _date_of(parts: Mapping[str, str], today: date) -> date | None:
    month, day = int(parts["month"]), int(parts["day"])
    year = int(parts["year"]) if "year" in parts else today.year // 100 * 100 + int(parts["short"])
    if "short" in parts and (year, month, day) > (today.year, today.month, today.day):
        year -= 100
    try:
        return date(year, month, day)
    except ValueError:
        return None


def merged(earlier: Wish, later: Wish) -> Wish:
    """The later of two rows about one customer, with what only the earlier one says.

    An opt-out of the earlier row stays while the later one does not give another address.
    """
    opt_outs = dict(later.opt_outs)
    for channel, stated in earlier.opt_outs.items():
        addresses = {earlier.keys.get(channel), later.keys.get(channel)} - {None}
        if len(addresses) < 2:  # noqa: PLR2004 - one address, or one row that names none
            known = {statement.scope for statement in opt_outs.get(channel, ())}
            opt_outs[channel] = [*opt_outs.get(channel, ()), *(each for each in stated if each.scope not in known)]
    keys = {**earlier.keys, **later.keys}
    for name, channel in ADDRESS_FIELDS.items():
        if name in later.profile and channel not in later.keys:
            # An empty cell that clears.
            keys.pop(channel, None)
    return replace(
        later,
        profile={**earlier.profile, **later.profile},
        opt_outs=opt_outs,
        keys=keys,
        recipients={**earlier.recipients, **later.recipients},
        marks=tuple(dict.fromkeys((*later.marks, *earlier.marks))),
    )
