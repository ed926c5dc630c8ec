"""Reading and changing the settings of a business."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business, RecipientOfTests, Recopying
from rebound.businesses.domain.layout_style import Style, style_options
from rebound.businesses.domain.sender_names import MAX_MAILBOX, check_sender_name
from rebound.businesses.domain.senders import sender_key
from rebound.contacts.domain.replies import WORDS, Keyword, plain
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.events import MESSAGE_EVENTS
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.local_time import time_zone
from rebound.kernel.provider_codes import Provider
from rebound.kernel.retrying import retried
from rebound.kernel.text_senders import (
    LONGEST_NAME,
    MESSAGING_SERVICE,
    NAME,
    SHORT_CODE,
    SenderKind,
    countries_with_names,
    kind_of,
)
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory, RecopyQueue
    from rebound.contacts.ports import AddressReader

MAX_NAME: Final = 200


BusinessChange = Mapping[str, Any]
"""New values by field name of ``Business``; a group of options is a mapping with only the options that change."""


class SettingsOfBusiness(Struct, frozen=True, kw_only=True):
    """Reads and changes the settings for the business itself.

    Every decision uses a new policy from its write on. The copies of flags, which lists filter by, follow in the
    background (``recopy_flags``).
    """

    businesses: BusinessDirectory
    addresses: AddressReader
    recopyings: RecopyQueue

    def get(self, business_id: str) -> Business:
        """The settings now."""
        return self.businesses.get(business_id)

    def change(self, business_id: str, change: BusinessChange) -> Business:
        """Set fields. Raises ``InvalidInputError``, and then nothing is changed.

        A change that names a policy enqueues a copying even if that policy is in force already: an earlier change may
        have died between writing the policy and enqueuing its copying.
        """

        def write() -> Business:
            before = self.businesses.get(business_id)
            business = changed_business(before, change, self.addresses)
            if not self._may_be_so_fast(before, business):
                business = _slowed_down(business, change)
            self.businesses.replace(business)
            return business

        business = retried(write)
        if "policy" in change:
            self.recopyings.put(Recopying(business_id))
        return business

    def _may_be_so_fast(self, before: Business, business: Business) -> bool:
        """A business may not quicken an account that others send over too; whoever runs Rebound may."""
        account, provider = business.text_account, business.text_provider.traits
        if account == before.text_account or (account.rate or 0) <= provider.rate_of(business.text_from):
            return True
        if business.text_from is None or not provider.rates_senders:
            return provider.rates_senders
        return not self.businesses.sender_holders(business.text_from).others(business.business_id)


def _slowed_down(business: Business, change: BusinessChange) -> Business:
    """The business at the least rate of an account that it shares. Raises ``InvalidInputError`` if it asks for more."""
    if change.get("text_rate") is None:
        return replace(business, text_rate=None)
    least = business.text_provider.traits.rate_of(business.text_from)
    message = f"Must be at most {least:g}, because other businesses send over the same account or sender."
    raise InvalidInputError(FieldError("text_rate", f"{message} Whoever runs Rebound can set more."))


def changed_business(business: Business, change: BusinessChange, addresses: AddressReader) -> Business:
    """The business with the change checked and applied. Raises ``InvalidInputError`` with everything that is wrong."""
    country = str(change.get("country", business.country)).upper()
    errors: list[FieldError] = []
    checked: dict[str, Any] = {}
    for name, value in change.items():
        try:
            checked[name] = _emptied(name) if value is None else _checked(name, value, country, addresses, business)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
        except InvalidInputError as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidInputError(*errors)
    options = {n: replace(getattr(business, n), **value) for n, value in checked.items() if isinstance(value, Mapping)}
    changed = replace(business, **{**checked, **options})
    if changed.email_from_name is not None and len(changed.email_sender) > MAX_MAILBOX:
        raise InvalidInputError(FieldError(_lengthens_sender(change), _TOO_LONG_A_SENDER))
    _check_name_of_texts(changed, change)
    return changed


def _check_name_of_texts(business: Business, change: BusinessChange) -> None:
    """Refuse a change after which texts would come from a name that provider or country does not allow."""
    sender, provider = business.text_from, business.text_provider.traits
    changed = next((name for name in ("text_from", "text_provider", "country") if name in change), None)
    if sender is None or changed is None or kind_of(sender) is not SenderKind.NAME:
        return
    if not re.fullmatch(provider.names, sender):
        message = f"{provider.label} sends from names of {provider.names_are}, and text_from is none."
        raise InvalidInputError(FieldError(changed, message))
    try:
        check_names_are_allowed(business.country)
    except ValueError as error:
        raise InvalidInputError(FieldError(changed, str(error))) from None


def check_names_are_allowed(country: str) -> None:
    """Raises ``ValueError`` with a sentence where texts cannot come from a name."""
    if country not in countries_with_names():
        raise ValueError(f"Texts cannot come from a name in {country}: take a number, a short code or a service (MG…).")


_TOO_LONG_A_SENDER: Final = (
    f"The sender of emails, email_from_name and email_from together, would have more than {MAX_MAILBOX} characters as "
    "it stands in an email, where each letter that is not ASCII takes several: shorten the name."
)


def _lengthens_sender(change: BusinessChange) -> str:
    """Which of the fields that are set may have made the sender of emails too long."""
    return next(
        (name for name in ("email_from_name", "name", "postal_address", "email_from") if name in change), "name"
    )


def _emptied(name: str) -> object:
    """What a setting is that is taken away."""
    return Style() if name == "layout_style" else None


def _checked(name: str, value: Any, country: str, addresses: AddressReader, business: Business) -> object:
    match name:
        case "name" | "postal_address":
            return _line(value)
        case "country":
            return addresses.country(value)
        case "time_zone":
            return time_zone(value)
        case "owner_email" | "reply_to":
            return addresses.email(value)
        case "email_from_name":
            name = _line(value)
            check_sender_name("email_from_name", name)
            return name
        case "email_from" | "text_from":
            return _granted(name, value, country, addresses, business)
        case "test_recipients":
            return _test_recipients(value, country, addresses, business)
        case _:
            check = _BY_THEMSELVES.get(name)
            return value if check is None else check(value)


def _granted(name: str, value: str, country: str, addresses: AddressReader, business: Business) -> str:
    if name == "email_from":
        return _own(addresses.email(value), business.email_from, business.senders.email)
    return _own(text_sender(value, country, addresses), business.text_from, business.senders.sms)


def text_sender(given: str, country: str, addresses: AddressReader) -> str:
    """A number in E.164; a messaging service as Twilio writes it; a short code or a name as it is given.

    Raises ``ValueError`` with a sentence.
    """
    sender = tidied(given)
    if MESSAGING_SERVICE.fullmatch(sender):
        return f"MG{sender[2:].lower()}"
    if SHORT_CODE.fullmatch(sender) or NAME.fullmatch(sender):
        return sender
    if any(character.isalpha() for character in sender):
        raise ValueError(
            "Must be a phone number, a short code of 3 to 6 digits, a messaging service (MG and 32 digits), or a name: "
            f"1 to {LONGEST_NAME} letters without accents, digits, spaces and signs out of - _ & +, not digits alone."
        )
    return addresses.phone(sender, country)


def test_recipient(given: str, country: str, addresses: AddressReader) -> RecipientOfTests:
    """An email address, or else a number, as one that has not confirmed. Raises ``ValueError`` with a sentence."""
    if "@" in given:
        return RecipientOfTests(Channel.EMAIL, addresses.email(given))
    if not any(character.isdigit() for character in given):
        raise ValueError("Must be an email address or a phone number, such as owner@example.com or +14155550123.")
    return RecipientOfTests(Channel.SMS, addresses.phone(given, country))


def _test_recipients(
    given: Sequence[str], country: str, addresses: AddressReader, business: Business
) -> tuple[RecipientOfTests, ...]:
    """The addresses, each once; those that have confirmed stay confirmed."""
    known = {(each.channel, each.address): each for each in business.test_recipients}
    found: dict[tuple[Channel, str], RecipientOfTests] = {}
    for number, each in enumerate(given, start=1):
        try:
            read = test_recipient(each, country, addresses)
        except ValueError as error:
            raise ValueError(f"The one at place {number}: {error}") from None
        found[read.channel, read.address] = known.get((read.channel, read.address), read)
    return tuple(found.values())


def _own(sender: str, present: str | None, senders: Sequence[str]) -> str:
    """The sender as it was granted. The present one may stay: it can be older than grants."""
    if sender == present:
        return sender
    own = {sender_key(granted): granted for granted in senders}
    if sender_key(sender) in own:
        return own[sender_key(sender)]
    if not senders:
        raise ValueError("The business has no sender of this kind; whoever runs Rebound adds one.")
    raise ValueError(f"Must be a sender of the business: {', '.join(senders)}. Whoever runs Rebound adds others.")


def _text_answers(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "language" in given and given["language"] not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}.")
    for word in given.get("confirmation_words", ()):
        if not plain(word) or WORDS.get(plain(word)) in (Keyword.STOP, Keyword.HELP):
            raise ValueError("confirmation_words must have letters or digits, and none that means STOP or HELP.")
    return given


def _message_events(given: Sequence[str]) -> Sequence[str]:
    if set(given) - set(MESSAGE_EVENTS):
        raise ValueError(f"Must be some of {', '.join(MESSAGE_EVENTS)}.")
    return tuple(dict.fromkeys(given))


_BY_THEMSELVES: Final[Mapping[str, Callable[[Any], object]]] = {
    "text_provider": Provider,
    "text_answers": _text_answers,
    "message_events": _message_events,
    "layout_style": partial(style_options, path="layout_style"),
}
"""What is right or wrong whatever the other settings are."""


def _line(value: str) -> str:
    value = tidied(value)
    if not value or len(value) > MAX_NAME or not is_one_line(value):
        raise ValueError(f"Must be 1 to {MAX_NAME} characters on one line.")
    return value
