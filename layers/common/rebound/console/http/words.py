"""The console's words: one file for each language, in ``console/words``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_time
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from markupsafe import Markup

from rebound.console.domain.said import Translation, catalogue
from rebound.kernel.languages import LANGUAGES as WRITTEN
from rebound.kernel.languages import LAST_RESORT, read_words
from rebound.kernel.times import write_time
from rebound.kernel.written_text import folded

LANGUAGES: Final = tuple(sorted(path.stem for path in (Path(__file__).parents[1] / "words").glob("*.json")))
"""ISO 639-1: those that have a file."""
_LOCALES: Final = {"en": "en_GB"}
"""How dates are written where a language alone would not say."""


class Words:
    """What the console says in one language, and how dates and numbers are written there, in a business's zone."""

    def __init__(self, language: str, zone: str = "UTC") -> None:
        self.language, self._zone = language, ZoneInfo(zone)

    @cached_property
    def _locale(self) -> Locale:
        return _locale_of(self.language)

    def __call__(self, key: str, n: int | None = None, **values: object) -> Markup:
        """The sentence of a name such as ``customers.none``, as HTML; what is filled in is escaped.

        Where a sentence depends on a number, ``n`` chooses it, and is written into it as people there write numbers.
        Raises ``KeyError`` for a name that is not there.
        """
        found = _sentences(self.language)[key]
        if isinstance(found, Mapping):
            if n is None:
                raise KeyError(f"{key} needs n")
            found = found.get(self._locale.plural_form(n), found["other"])
        filled = {**values, "n": self.number(n)} if n is not None else values
        return Markup(found).format(**filled) if filled else Markup(found)  # noqa: S704 - our own sentences

    def has(self, key: str) -> bool:
        """Whether there is such a sentence."""
        return key in _sentences(self.language)

    def number(self, value: float) -> str:
        """A number with the separators that people there use."""
        return format_decimal(value, locale=self._locale)

    def money(self, amount: float, currency: str = "USD") -> str:
        """An amount as people there write it, with cents."""
        return format_currency(amount, currency, locale=self._locale)

    def short(self, value: int) -> str:
        """A number for where there is little room."""
        return format_compact_decimal(value, locale=self._locale, fraction_digits=1)

    def percent(self, share: float) -> str:
        """A share of 1 as percent, with one decimal."""
        return format_percent(round(share, 3), locale=self._locale, decimal_quantization=False)

    def price(self, amount: str, currency: str) -> str:
        """What something small costs, given as decimal text, with all its decimals."""
        return format_currency(Decimal(amount), currency, locale=self._locale, decimal_quantization=False)

    def language_named(self, code: str) -> str:
        """What people there call a language of ISO 639-1."""
        name = str(self._locale.languages.get(code, code))
        return name[:1].upper() + name[1:]

    def country_named(self, code: str) -> str:
        """What people there call a country of ISO 3166-1; its code, where it has no name."""
        return _countries(self.language).get(code, code)

    def zone_named(self, zone: str) -> str:
        """What people there call an IANA time zone: by its city and its country; its own name, where it has none."""
        return _zones(self.language).get(get_global("zone_aliases").get(zone, zone), zone)

    def countries(self, *also: str) -> Sequence[tuple[str, str]]:
        """Those that a business may be in, by code and name, in the order of their names; and what is there already."""
        return _with(_countries(self.language), also, self.country_named)

    def zones(self, *also: str) -> Sequence[tuple[str, str]]:
        """The time zones of places, as ``countries``."""
        return _with(_zones(self.language), also, self.zone_named)

    def languages(self, *also: str) -> Sequence[tuple[str, str]]:
        """Those in which Rebound writes, as ``countries``."""
        return _with({each: self.language_named(each) for each in WRITTEN}, also, self.language_named)

    def day(self, value: date | datetime) -> str:
        """A day, in the business's zone."""
        if isinstance(value, datetime):
            value = value.astimezone(self._zone).date()
        return format_date(value, "medium", locale=self._locale)

    def moment(self, value: datetime) -> str:
        """Day and time in the business's zone; without a zone of its own it is by the business's clock already."""
        local = value.replace(tzinfo=self._zone) if value.tzinfo is None else value.astimezone(self._zone)
        return f"{self.day(local)}, {format_time(local, 'short', locale=self._locale)}"

    def time(self, value: datetime) -> Markup:
        """Day and time in the business's zone, with the exact instant for programs."""
        return Markup('<time datetime="{}">{}</time>').format(write_time(value), self.moment(value))

    def said(self, text: str) -> str:
        """What a use case says, which is English; English still where the language has no entry for it."""
        if self.language == LAST_RESORT or isinstance(text, Markup):
            return text
        return Translation(catalogue(self.language), self).of(text) or text


_NO_COUNTRIES: Final = frozenset(
    ("AQ", "BV", "CP", "CQ", "DG", "EA", "EU", "EZ", "GS", "HM", "IC", "PN", "QO", "TF", "UM", "UN", "XA", "XB", "ZZ")
)
"""What CLDR names besides countries, and where nobody has a telephone."""
_CODE: Final = 2


def _locale_of(language: str) -> Locale:
    return Locale.parse(_LOCALES.get(language, language))


@cache
def _countries(language: str) -> Mapping[str, str]:
    names: Mapping[str, str] = dict(_locale_of(language).territories)
    found = {code: names[code] for code in names if len(code) == _CODE and code.isalpha() and code not in _NO_COUNTRIES}
    return dict(sorted(found.items(), key=lambda item: folded(item[1])))


@cache
def _zones(language: str) -> Mapping[str, str]:
    """Those in which somebody lives: what is a number of hours, or an old name, is none of them."""
    locale, countries = _locale_of(language), _countries(language)
    found = {}
    for zone, code in get_global("zone_territories").items():
        if code not in countries or "/" not in zone:
            continue
        city = locale.time_zones.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
        found[zone] = city if city == countries[code] else f"{city}, {countries[code]}"
    return dict(sorted(found.items(), key=lambda item: folded(item[1])))


def _with(named: Mapping[str, str], also: Iterable[str], name: Callable[[str], str]) -> Sequence[tuple[str, str]]:
    return [*((each, name(each)) for each in also if each and each not in named), *named.items()]


@cache
def _sentences(language: str) -> Mapping[str, Any]:
    """All sentences by their full names."""
    return dict(_flat(read_words("console", language)))


_FORMS: Final = frozenset({"one", "two", "few", "many", "other"})
"""The forms of a sentence that depends on a number. Source: CLDR, plural rules."""


def _flat(words: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in words.items():
        if isinstance(value, Mapping) and not _FORMS.issuperset(value):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((before + name, value))
    return found


def language_of(chosen: str | None, accepted: str) -> str:
    """The language of a page: the chosen one, else the first that the browser names in which there is one."""
    wanted = (each.partition(";")[0].strip()[:2].lower() for each in accepted.split(","))
    return next((each for each in (chosen, *wanted) if each in LANGUAGES), LAST_RESORT)
