"""Who gets a message: one pure function that preview, expansion, sending and every explanation call."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self, cast

from msgspec import Struct

from rebound.businesses.domain.allowed_hours import first_allowed
from rebound.businesses.domain.business import Barrier, Business
from rebound.businesses.domain.frequency import Frequency, HandOver
from rebound.businesses.domain.quiet_hours import HoldReason, Whereabouts
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import REACHABLE
from rebound.customers.domain import Customer
from rebound.eligibility.domain.places import Places, nowhere
from rebound.kernel.channels import Channel, with_former_name
from rebound.kernel.consent_words import Scope
from rebound.kernel.local_time import first_instant_of
from rebound.messages.domain.mailing import Mailing
from rebound.templates.domain.content import TemplateContent


class Send(Struct, frozen=True):
    """Send, to this address as the customer writes it.

    ``is_try`` is set when the address is flagged and gets this message only because a try is due. The sender writes the
    try to the contact before it sends, so that no second message is sent as the same try.
    """

    address: str
    is_try: bool = False


class Hold(Struct, frozen=True):
    """Hand over ``send`` at ``until`` and not before. A recipient who waits is targeted like any other.

    At ``until`` the decision is made again, on the data as it is by then.
    """

    until: datetime
    because: HoldReason
    send: Send


class Case(Struct, frozen=True):
    """One customer and one campaign to decide about.

    ``contact`` is that of the customer's address on the mailing's channel; ``None`` when nothing is known of it.
    ``frequency`` holds the customer's recent hand-overs; when it is ``None``, no cap leaves the customer out.
    ``goes_to`` is the other customer who gets the message at the same address; ``None`` when nobody goes first.
    """

    customer: Customer
    contact: Contact | None
    business: Business
    mailing: Mailing
    now: datetime
    frequency: Frequency | None = None
    whereabouts: Whereabouts = nowhere
    goes_to: str | None = None

    @property
    def places(self) -> Places:
        """Where the customer may be: by the profile, else by the mobile number, else where the business is.

        A number that may belong to several zones does not say to which one. The business's clock is taken then, and the
        nights of all these zones and of the business's count.
        """
        own, number = self.customer.time_zone, self.customer.mobile_phone
        if own is not None:
            return Places(frozenset({own}), own)
        zones = self.whereabouts(number) if number is not None else frozenset()
        if len(zones) == 1:
            [zone] = zones
            return Places(zones, zone)
        return Places(zones | {self.business.time_zone}, self.business.time_zone)

    @property
    def wanted_at(self) -> datetime:
        """When the message is to go out: now, or at the mailing's time (``local_time`` by the customer's clock)."""
        mailing = self.mailing
        if mailing.local_time is not None:
            return max(self.now, first_instant_of(mailing.local_time, self.places.zone))
        return max(self.now, mailing.send_at or self.now)

    @property
    def allowed_at(self) -> datetime | None:
        """The first moment from ``wanted_at`` on that is quiet in none of the zones; ``None`` if there is none."""
        window = self.business.quiet_hours.window(self.mailing.channel, self.mailing.category)
        return self.wanted_at if window is None else first_allowed(self.wanted_at, window, self.places.zones)

    @property
    def address(self) -> str | None:
        """Where the message would go, as the customer writes it."""
        return self.customer.address(self.mailing.channel)

    @property
    def barrier(self) -> Barrier | None:
        """What in the business's settings keeps the message back."""
        mailing = self.mailing
        return self.business.barrier(
            mailing.channel, asks_confirmation=mailing.asks_confirmation, lacks_stop_url=self.lacks_stop_url
        )

    @property
    def lacks_stop_url(self) -> bool:
        """Whether the message is a text that sells, from a name, and has no link to stop such texts with."""
        if self.business.can_be_texted or self.mailing.content is None:
            return False
        # What shows messages needs nothing that renders them.
        from rebound.templates.domain.rendering import lacks_stop_url  # noqa: PLC0415

        return lacks_stop_url(self.mailing.content, self.mailing.category)

    @property
    def missing_variables(self) -> tuple[str, ...]:
        """The variables that the message's template requires and that say nothing for this customer."""
        content = self.mailing.content
        if not isinstance(content, TemplateContent) or not content.declared:
            return ()
        # Likewise.
        from rebound.templates.domain.sendable import missing_for  # noqa: PLC0415

        return missing_for(content, self.customer, self.business, self.mailing.more_values)

    @property
    def opted_out_of(self) -> Scope | None:
        """The widest scope that the address has opted out of and this message needs."""
        opted_out = self.contact.consent.opted_out if self.contact is not None else ()
        return next((scope for scope in opted_out if scope in self.mailing.scopes), None)

    @property
    def next_try_at(self) -> datetime | None:
        """When the flagged address may be tried again with such a message; ``None`` when no schedule applies."""
        if self.contact is None or not self.business.recovery.governs(self.mailing.category):
            return None
        return self.contact.next_try_at(self.business.policy)

    @property
    def try_is_due(self) -> bool:
        """Whether there is a schedule and it lets this message through, as the next try or the one that has begun."""
        due = self.next_try_at
        return due is not None and (due <= self.now or self._has_begun)

    @property
    def _has_begun(self) -> bool:
        """Whether the try on the contact is this very message: its sender wrote the try down and did not finish.

        Where an address gets one message for all who share it, the try is that of any of them.
        """
        tried = self.contact.reachability.tried if self.contact is not None else None
        if self.contact is None or tried is None or self.mailing.run_id is None:
            return False
        sharing = self.contact.customer_ids if self.mailing.once_per_address else ()
        return any(
            tried.message_id == self.mailing.message_id(customer_id)
            for customer_id in {self.customer.customer_id, *sharing}
        )

    @property
    def hand_over(self) -> HandOver:
        """The message as caps look at it; its id is empty while the mailing has no ``run_id``."""
        mailing = self.mailing
        message_id = mailing.message_id(self.customer.customer_id) if mailing.run_id is not None else ""
        return HandOver(message_id, self.now, mailing.category, mailing.channel, mailing.selection.segment_id)

    @property
    def free_again_at(self) -> datetime | None:
        """When the caps will have room for the message; ``None`` when they have room now."""
        if self.frequency is None:
            return None
        return self.frequency.free_again_at(self.business.frequency_caps, self.hand_over)


def _channel_is_off(case: Case) -> bool:
    return case.barrier is not None


def _settings_of_channel(case: Case) -> Mapping[str, Any]:
    business = case.business
    if case.mailing.channel is Channel.EMAIL:
        return {"switches": {"email": business.switches.email}, "email_from": business.email_from}
    sender: dict[str, Any] = {"text_provider": business.text_provider, "text_from": business.text_from}
    if not business.can_be_texted:
        sender["lacks_stop_url"] = case.lacks_stop_url
    switches = with_former_name({"sms": business.switches.sms})
    if not case.mailing.asks_confirmation:
        return {"switches": switches, **sender}
    switches["text_confirmations"] = business.switches.text_confirmations
    return {"switches": switches, "bundle": str(business.bundle), **sender}


def _is_held(case: Case) -> bool:
    return case.business.hold is not None and case.mailing.category.is_bulk and not case.mailing.single


def _hold(case: Case) -> Mapping[str, Any]:
    hold = case.business.hold
    return {
        "held_since": None if hold is None else hold.since,
        "bulk": case.mailing.category.is_bulk and not case.mailing.single,
    }


def _is_taken_out(case: Case) -> bool:
    return case.customer.customer_id in case.mailing.exclude_customer_ids


def _chosen(case: Case) -> Mapping[str, Any]:
    return {"taken_out_by_hand": _is_taken_out(case)}


def _has_no_address(case: Case) -> bool:
    return case.address is None


def _address_field(case: Case) -> Mapping[str, Any]:
    return {"email" if case.mailing.channel is Channel.EMAIL else "mobile_phone": case.address}


def _has_opted_out(case: Case) -> bool:
    return case.opted_out_of is not None


def _consent(case: Case) -> Mapping[str, Any]:
    scopes = case.contact.consent.opted_out if case.contact is not None else ()
    return {
        "scopes": [str(scope) for scope in Scope if scope in case.mailing.scopes],
        "opted_out": [str(scope) for scope in scopes],
    }


def _has_not_confirmed(case: Case) -> bool:
    asked_for = case.business.double_opt_in.is_asked_for(case.mailing.channel)
    return asked_for and case.mailing.category.is_promotional and not _is_confirmed(case)


def _is_confirmed(case: Case) -> bool:
    return case.contact is not None and case.contact.consent.is_confirmed


def _confirmation(case: Case) -> Mapping[str, Any]:
    return {
        "promotional": case.mailing.category.is_promotional,
        "double_opt_in": case.business.double_opt_in.is_asked_for(case.mailing.channel),
        "confirmed": _is_confirmed(case),
    }


def _has_reminders_off(case: Case) -> bool:
    return case.mailing.category.traits.follows_reminders and not case.customer.wants_reminders(case.mailing.channel)


def _reminders(case: Case) -> Mapping[str, Any]:
    wanted = {str(case.mailing.channel): case.customer.wants_reminders(case.mailing.channel)}
    return {"is_reminder": case.mailing.category.traits.follows_reminders, "reminders": wanted}


def _is_left_out_as_invalid(case: Case) -> bool:
    return (
        case.contact is not None
        and case.mailing.category.is_promotional
        and not _is_sent_all_the_same(case)
        and case.contact.verdict(case.business.policy).invalid
        and not case.try_is_due
    )


def _validity(case: Case) -> Mapping[str, Any]:
    verdict = case.contact.verdict(case.business.policy) if case.contact is not None else REACHABLE
    return {
        **_kind_of_send(case),
        "invalid": verdict.invalid,
        "reason": verdict.reason,
        "since": verdict.since,
        "probe_marketing": case.business.recovery.probe_marketing,
        **_schedule(case),
    }


def _waits_for_its_next_try(case: Case) -> bool:
    return (
        case.next_try_at is not None
        and not case.mailing.category.is_promotional
        and not _is_sent_all_the_same(case)
        and not case.try_is_due
    )


def _spacing(case: Case) -> Mapping[str, Any]:
    return {**_kind_of_send(case), "spaced": case.business.recovery.spaced, **_schedule(case)}


def _kind_of_send(case: Case) -> Mapping[str, Any]:
    return {
        "promotional": case.mailing.category.is_promotional,
        "exclude_failed": case.mailing.exclude_failed,
        "added_back_by_hand": _is_added_back(case),
    }


def _schedule(case: Case) -> Mapping[str, Any]:
    return {"next_try_at": case.next_try_at, "try_is_due": case.try_is_due}


def _is_sent_all_the_same(case: Case) -> bool:
    """Whether flags keep nothing back here: the campaign says so, or the customer was added back by hand."""
    return not case.mailing.exclude_failed or _is_added_back(case)


def _is_added_back(case: Case) -> bool:
    return case.customer.customer_id in case.mailing.include_customer_ids


def _has_no_content(case: Case) -> bool:
    return bool(case.mailing.contents)


def _tiers(case: Case) -> Mapping[str, Any]:
    return {"contents": sorted(case.mailing.contents or ())}


def _lacks_a_variable(case: Case) -> bool:
    return bool(case.missing_variables)


def _variables(case: Case) -> Mapping[str, Any]:
    return {"missing_variables": list(case.missing_variables)}


def _is_capped(case: Case) -> bool:
    return case.free_again_at is not None


def _counts(case: Case) -> Mapping[str, Any]:
    states = case.frequency.states(case.business.frequency_caps, case.hand_over) if case.frequency is not None else ()
    caps = [
        {
            "name": state.cap.name,
            "counted": state.counted,
            "at_most": state.cap.at_most,
            "within_days": state.cap.within_days,
            "per_segment": state.cap.per_segment,
        }
        for state in states
    ]
    return {"caps": caps, "segment_id": case.mailing.selection.segment_id, "free_again_at": case.free_again_at}


def _comes_too_late(case: Case) -> bool:
    expires_at = case.mailing.expires_at
    return expires_at is not None and (case.allowed_at or case.now) >= expires_at


def _expiry(case: Case) -> Mapping[str, Any]:
    return {"expires_at": case.mailing.expires_at, "sent_at": case.allowed_at or case.now}


def _is_quiet_at_all_times(case: Case) -> bool:
    return case.allowed_at is None


def _quiet_hours(case: Case) -> Mapping[str, Any]:
    window = case.business.quiet_hours.window(case.mailing.channel, case.mailing.category)
    if window is None:
        return {"from": None, "until": None, "time_zones": None, "sent_at": case.allowed_at}
    return {
        "from": f"{window.start:%H:%M}",
        "until": f"{window.end:%H:%M}",
        "time_zones": sorted(case.places.zones),
        "sent_at": case.allowed_at,
    }


def _goes_to_another(case: Case) -> bool:
    return case.goes_to is not None


def _sharers(case: Case) -> Mapping[str, Any]:
    return {"once_per_address": case.mailing.once_per_address, "goes_to": case.goes_to}


def _is_over_the_limit(case: Case) -> bool:
    return case.mailing.over_limit


def _limit(case: Case) -> Mapping[str, Any]:
    limit = case.business.recipient_limit(case.mailing.channel, case.mailing.category)
    return {"recipient_limit": limit, "over_limit": case.mailing.over_limit}


class Rule(Struct, frozen=True):
    """Whether a customer is left out, and all the data on which that depends.

    ``stops`` may depend only on what ``looks_at`` returns, so that a reader who is shown the data can follow.
    """

    stops: Callable[[Case], bool]
    looks_at: Callable[[Case], Mapping[str, Any]]


class Exclusion(StrEnum):
    """Why somebody is left out: exactly one reason each, the first that holds in this order."""

    rule: Rule | None

    def __new__(cls, name: str, rule: Rule | None = None) -> Self:
        """A row: the name in the API and in stored rows, and the rule, ``None`` for a reason that no rule can find.

        The sentences about the reason are its row in ``exclusion_words``.
        """
        reason = str.__new__(cls, name)
        reason._value_ = name
        reason.rule = rule
        return reason

    NOT_FOUND = "not_found"
    """No such customer (any more)."""
    CHANNEL_OFF = "channel_off", Rule(_channel_is_off, _settings_of_channel)
    """The business does not send this: it has switched it off, has not booked it, or has no sender (``Barrier``)."""
    ACCOUNT_HELD = "account_held", Rule(_is_held, _hold)
    """The account mostly sends bulk, and the operator has not lifted the hold (``HoldPolicy``)."""
    TAKEN_OUT = "taken_out", Rule(_is_taken_out, _chosen)
    """Whoever planned the campaign took the customer out of it by hand (``exclude_customer_ids``)."""
    NO_ADDRESS = "no_address", Rule(_has_no_address, _address_field)
    OPTED_OUT = "opted_out", Rule(_has_opted_out, _consent)
    NOT_CONFIRMED = "not_confirmed", Rule(_has_not_confirmed, _confirmation)
    """The business wants double opt-in, and the customer has not asked for marketing in their own word."""
    REMINDER_OFF = "reminder_off", Rule(_has_reminders_off, _reminders)
    """The customer has switched reminders off on the channel (``reminders`` of the profile)."""
    INVALID_CONTACT = "invalid_contact", Rule(_is_left_out_as_invalid, _validity)
    WAITING_FOR_RETRY = "waiting_for_retry", Rule(_waits_for_its_next_try, _spacing)
    """The address is flagged for a cause that passes, and its next try is not due yet (``recovery``)."""
    NO_TIER_CONTENT = "no_tier_content", Rule(_has_no_content, _tiers)
    """The campaign says something else to each loyalty tier, and nothing to the customer's."""
    MISSING_VARIABLE = "missing_variable", Rule(_lacks_a_variable, _variables)
    """A variable that the message's template requires says nothing for this customer, and has no default."""
    FREQUENCY_CAP = "frequency_cap", Rule(_is_capped, _counts)
    """The customer has been handed as many of these messages as the business allows itself (``frequency``)."""
    SAME_ADDRESS = "same_address", Rule(_goes_to_another, _sharers)
    """Another customer with this address gets it: what sells goes to each address once."""
    RECIPIENT_LIMIT = "recipient_limit", Rule(_is_over_the_limit, _limit)
    """Without the marketing bundle, the business may not reach so many by bulk email on one day."""
    EXPIRED = "expired", Rule(_comes_too_late, _expiry)
    """It would come too late: its ``expires_at`` is over, or would be by the time at which it may go out."""
    QUIET_HOURS = "quiet_hours", Rule(_is_quiet_at_all_times, _quiet_hours)
    """It is quiet at every minute of the day in one or another of the zones in which the customer may be."""
    CANNOT_RENDER = "cannot_render"
    """What would be sent to this customer is not a message the provider can take (an empty or far too long text)."""
    TEXT_PLAN_EXHAUSTED = "text_plan_exhausted"
    """The business's text plan has no room for the text, and it may not go to this customer by email either."""


RULES: Final = tuple((exclusion, exclusion.rule) for exclusion in Exclusion if exclusion.rule is not None)
"""The rules in the order in which they decide.

Who was taken out by hand needs no other reason. Consent decides before validity, and before what a customer prefers. A
flag keeps promotional messages away unless the campaign says otherwise or the customer was added back by hand;
everything else is still tried, because a delivery is what clears the flag. For causes that pass, a business may let
marketing try the address as well, and space out the tries of everything else. Caps come next: the time at which they
say a customer is free again is right only if no rule before keeps the message back. Who goes first at a shared address
has passed every other rule, so that the place of that one only orders what is shown. Rules about the hour come last,
because it passes: nobody who is left out for good waits for the morning first.
"""

Decision = Send | Hold | Exclusion


def decide(
    customer: Customer | None,
    contact: Contact | None,
    business: Business,
    mailing: Mailing,
    now: datetime,
    frequency: Frequency | None = None,
    whereabouts: Whereabouts = nowhere,
) -> Decision:
    """Decide on ``customer`` and ``mailing`` at ``now``: excluded by the first rule that stops it, else sent or held.

    ``contact`` and ``frequency`` are as in ``Case``. A customer who does not exist (``None``) is no case for the rules.
    """
    if customer is None:
        return Exclusion.NOT_FOUND
    return decision_on(Case(customer, contact, business, mailing, now, frequency, whereabouts))


def decision_on(case: Case) -> Decision:
    """``decide`` for a customer who exists."""
    for exclusion, rule in RULES:
        if rule.stops(case):
            return exclusion
    # The rules about the address and about quiet hours have passed, so ``address`` and ``allowed_at`` exist.
    send = Send(cast("str", case.address), is_try=case.next_try_at is not None and not _is_sent_all_the_same(case))
    allowed_at = cast("datetime", case.allowed_at)
    if allowed_at == case.now:
        return send
    return Hold(allowed_at, HoldReason.QUIET_HOURS if allowed_at > case.wanted_at else HoldReason.SEND_AT, send)
