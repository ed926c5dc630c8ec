"""Who gets a message: one pure function that preview, expansion, sending and every explanation call."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self, cast

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.frequency import Frequency
from rebound.businesses.domain.quiet_hours import HoldReason, Whereabouts
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import REACHABLE
from rebound.customers.domain import Customer
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.places import nowhere
from rebound.kernel.channels import Channel, with_former_name
from rebound.kernel.consent_words import Scope
from rebound.messages.domain.mailing import Mailing
from rebound.messages.domain.variants import in_percent


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


def _is_held_out(case: Case) -> bool:
    split = case.mailing.split
    return split is not None and split.holds_out(case.customer.customer_id)


def _holdout(case: Case) -> Mapping[str, Any]:
    split = case.mailing.split
    return {"holdout": 0 if split is None else in_percent(split.holdout), "held_out": _is_held_out(case)}


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
    HOLDOUT = "holdout", Rule(_is_held_out, _holdout)
    """The campaign is kept from some of those whom it would be sent to, by lot, so that it can be seen what it does."""
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
because it passes: nobody who is left out for good waits for the morning first. Who is held out of a campaign is asked
after all else, also after what only the sender finds out (``Mailing.before_holdout``): those who are held out are
compared with those who got it, and must be as they are.
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
    allowed_at, split = cast("datetime", case.allowed_at), case.mailing.split
    chosen_at = None if split is None else split.waits_until(case.customer.customer_id)
    if chosen_at is not None:
        return Hold(max(chosen_at, allowed_at), HoldReason.WINNER, send)
    if allowed_at == case.now:
        return send
    return Hold(allowed_at, HoldReason.QUIET_HOURS if allowed_at > case.wanted_at else HoldReason.SEND_AT, send)
