"""Reading and changing the settings of a business."""

from __future__ import annotations

import re
from copy import replace
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from rebound.businesses.domain.quiet_hours import QuietHours
from rebound.businesses.domain.recopying import Recopying
from rebound.contacts.domain.keywords import WORDS, Keyword, plain
from rebound.contacts.domain.recovery import Recovery
from rebound.kernel.errors import ConcurrentChangeError, FieldError, InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.local_time import time_zone

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business, TextProvider
    from rebound.businesses.domain.double_opt_in import DoubleOptIn
    from rebound.businesses.domain.frequency import FrequencyCap
    from rebound.businesses.domain.quiet_hours import QuietWindow
    from rebound.businesses.domain.switches import Bundle, Switches
    from rebound.businesses.domain.text_answers import AnsweredBy, TextAnswers
    from rebound.businesses.ports import BusinessDirectory, RecopyQueue
    from rebound.contacts.domain.reachability import ReachabilityPolicy
    from rebound.contacts.ports import AddressReader

ATTEMPTS: Final = 5
MAX_NAME: Final = 200
MESSAGING_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")


class Unset:
    """The type of ``UNSET``: a field that a change leaves alone, as opposed to one that it empties with ``None``."""

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset()


class RecoveryChange(Struct, frozen=True):
    """The options to set; ``None`` leaves one as it is."""

    spaced: bool | None = None
    probe_marketing: bool | None = None

    def applied_to(self, recovery: Recovery) -> Recovery:
        """The options after the change."""
        return Recovery(
            recovery.spaced if self.spaced is None else self.spaced,
            recovery.probe_marketing if self.probe_marketing is None else self.probe_marketing,
        )


class SwitchesChange(Struct, frozen=True):
    """The switches to set; ``None`` leaves one as it is."""

    email: bool | None = None
    text: bool | None = None
    text_confirmations: bool | None = None

    def applied_to(self, switches: Switches) -> Switches:
        """The switches after the change."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(switches, **given)


class DoubleOptInChange(Struct, frozen=True):
    """The channels to set; ``None`` leaves one as it is."""

    email: bool | None = None
    sms: bool | None = None

    def applied_to(self, double_opt_in: DoubleOptIn) -> DoubleOptIn:
        """The option after the change."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(double_opt_in, **given)


class QuietHoursChange(Struct, frozen=True):
    """The windows to set; ``None`` switches one off, ``UNSET`` leaves it as it is."""

    sms: QuietWindow | Unset | None = UNSET
    email: QuietWindow | Unset | None = UNSET

    def applied_to(self, hours: QuietHours) -> QuietHours:
        """The windows after the change."""
        return QuietHours(
            hours.sms if isinstance(self.sms, Unset) else self.sms,
            hours.email if isinstance(self.email, Unset) else self.email,
        )


class TextAnswersChange(Struct, frozen=True):
    """The options to set; ``None`` leaves one as it is."""

    keywords: AnsweredBy | None = None
    language: str | None = None
    confirmation_words: tuple[str, ...] | None = None

    def applied_to(self, answers: TextAnswers) -> TextAnswers:
        """The options after the change. Raises ``ValueError`` with a sentence for people."""
        if self.language is not None and self.language not in LANGUAGES:
            raise ValueError(f"language must be one of {', '.join(LANGUAGES)}.")
        for word in self.confirmation_words or ():
            if not plain(word) or WORDS.get(plain(word)) in (Keyword.STOP, Keyword.HELP):
                raise ValueError("confirmation_words must have letters or digits, and none that means STOP or HELP.")
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(answers, **given)


class BusinessChange(Struct, frozen=True):
    """The fields to set. Only ``owner_email``, ``email_from`` and ``text_from`` can be emptied.

    ``bundle`` is for the operator alone to set.
    """

    name: str | None = None
    country: str | None = None
    time_zone: str | None = None
    text_provider: TextProvider | None = None
    owner_email: str | Unset | None = UNSET
    email_from: str | Unset | None = UNSET
    text_from: str | Unset | None = UNSET
    text_rate: float | Unset | None = UNSET
    policy: ReachabilityPolicy | None = None
    recovery: RecoveryChange | None = None
    switches: SwitchesChange | None = None
    double_opt_in: DoubleOptInChange | None = None
    text_answers: TextAnswersChange | None = None
    bundle: Bundle | None = None
    frequency_caps: tuple[FrequencyCap, ...] | None = None
    quiet_hours: QuietHoursChange | None = None


_OPTIONS: Final = frozenset({"recovery", "switches", "double_opt_in", "quiet_hours", "text_answers"})
"""Settings with options of their own, of which a change names some."""
_NEVER_EMPTY: Final = _OPTIONS | {"name", "country", "time_zone", "text_provider", "policy", "bundle", "frequency_caps"}


class SettingsOfBusiness(Struct, frozen=True, kw_only=True):
    """The settings as their own business sees them.

    A policy holds from its write on, for everything that decides; the copies of flags in lists follow in the background
    (``recopy_flags``).
    """

    businesses: BusinessDirectory
    addresses: AddressReader
    recopyings: RecopyQueue

    def get(self, business_id: str) -> Business:
        """The settings now."""
        return self.businesses.get(business_id)

    def change(self, business_id: str, change: BusinessChange) -> Business:
        """Set fields. Raises ``InvalidInputError`` and then has changed nothing.

        Naming a policy enqueues a copying also when it is in force already: the change before may have died before it
        enqueued its own.
        """
        business = write_change(self.businesses, self.addresses, business_id, change)
        if change.policy is not None:
            self.recopyings.put(Recopying(business_id))
        return business


def write_change(
    businesses: BusinessDirectory, addresses: AddressReader, business_id: str, change: BusinessChange
) -> Business:
    """Write a change whoever else writes; the business after it. Raises ``NotFoundError`` and what is wrong with it."""
    for attempt in range(1, ATTEMPTS + 1):
        business = changed_business(businesses.get(business_id), change, addresses)
        try:
            businesses.replace(business)
        except ConcurrentChangeError:
            if attempt == ATTEMPTS:
                raise
            continue
        return business
    raise AssertionError


def changed_business(business: Business, change: BusinessChange, addresses: AddressReader) -> Business:
    """The business with the change checked and applied. Raises ``InvalidInputError`` with everything that is wrong."""
    given = {
        name: value
        for name, value in asdict(change).items()
        if not isinstance(value, Unset) and not (value is None and name in _NEVER_EMPTY)
    }
    country = str(given.get("country", business.country)).upper()
    errors: list[FieldError] = []
    checked: dict[str, Any] = {}
    for name, value in given.items():
        try:
            checked[name] = None if value is None else _checked(name, value, business, country, addresses)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise InvalidInputError(*errors)
    return replace(business, **checked)


def _checked(name: str, value: Any, business: Business, country: str, addresses: AddressReader) -> object:
    match name:
        case _ if name in _OPTIONS:
            return value.applied_to(getattr(business, name))
        case "name":
            return _line(value)
        case "country":
            return addresses.country(value)
        case "time_zone":
            return time_zone(value)
        case "owner_email" | "email_from":
            return addresses.email(value)
        case "text_from":
            return value if MESSAGING_SERVICE.fullmatch(value) else addresses.phone(value, country)
        case _:
            return value


def _line(value: str) -> str:
    value = value.strip()
    if not value or len(value) > MAX_NAME or not value.isprintable():
        raise ValueError(f"Must be 1 to {MAX_NAME} characters on one line.")
    return value
