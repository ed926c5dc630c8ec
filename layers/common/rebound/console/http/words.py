"""The console's words: one file for each language, in ``console/words``."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from markupsafe import Markup

from rebound.console.domain.said import Translation, catalogue
from rebound.kernel.languages import LAST_RESORT, read_words
from rebound.kernel.times import write_time

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
        return Locale.parse(_LOCALES.get(self.language, self.language))

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
        name = Locale.parse(code).get_display_name(self._locale) or code
        return name[:1].upper() + name[1:]

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
