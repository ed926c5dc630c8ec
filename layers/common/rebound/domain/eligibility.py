"""Who gets a message: one pure function that preview, expansion, sending and every explanation call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from rebound.domain.channels import Channel
from rebound.domain.consent import Scope
from rebound.domain.frequency import HandOver
from rebound.domain.reachability import REACHABLE

if TYPE_CHECKING:
    from rebound.domain.business import Business
    from rebound.domain.campaigns import Campaign
    from rebound.domain.contacts import Contact
    from rebound.domain.customers import Customer
    from rebound.domain.frequency import Frequency
    from rebound.domain.switches import Barrier


class Exclusion(StrEnum):
    """Why somebody is left out: exactly one reason each, the first that holds in this order."""

    NOT_FOUND = "not_found"
    """No such customer (any more)."""
    CHANNEL_OFF = "channel_off"
    """The business does not send this: it has switched it off, has not booked it, or has no sender (``Barrier``)."""
    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    NOT_CONFIRMED = "not_confirmed"
    """The business wants double opt-in, and the customer has not asked for marketing in their own word."""
    INVALID_CONTACT = "invalid_contact"
    WAITING_FOR_RETRY = "waiting_for_retry"
    """The address is flagged for a cause that passes, and its next try is not due yet (``recovery``)."""
    FREQUENCY_CAP = "frequency_cap"
    """The customer has been handed as many of these messages as the business allows itself (``frequency``)."""
    CANNOT_RENDER = "cannot_render"
    """What would be sent to this customer is not a message the provider can take (an empty or far too long text)."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send, to this address as the customer writes it.

    ``is_try`` when the address is flagged and gets this message only because a try is due: whoever sends it writes the
    try down before, so that it is the only one.
    """

    address: str
    is_try: bool = False


Decision = Send | Exclusion


@dataclass(frozen=True, slots=True)
class Case:
    """One customer and one campaign to decide about.

    ``contact`` is that of the customer's address on the campaign's channel; ``None`` when nothing is known of it.
    ``frequency`` is what the customer has been handed of late; ``None`` when nothing is known to count.
    """

    customer: Customer
    contact: Contact | None
    business: Business
    campaign: Campaign
    now: datetime
    frequency: Frequency | None = None

    @property
    def address(self) -> str | None:
        """Where the message would go, as the customer writes it."""
        return self.customer.address(self.campaign.channel)

    @property
    def barrier(self) -> Barrier | None:
        """What in the business's settings keeps the message back."""
        return self.business.barrier(self.campaign.channel, asks_confirmation=self.campaign.asks_confirmation)

    @property
    def opted_out_of(self) -> Scope | None:
        """The widest scope that the address has opted out of and this message needs."""
        said = self.contact.consent.opted_out if self.contact is not None else ()
        return next((scope for scope in said if scope in self.campaign.category.scopes), None)

    @property
    def next_try_at(self) -> datetime | None:
        """When the flagged address may be tried again with a message of this kind; ``None`` when no schedule says."""
        if self.contact is None or not self.business.recovery.governs(self.campaign.category):
            return None
        return self.contact.next_try_at(self.business.policy)

    @property
    def try_is_due(self) -> bool:
        """Whether there is a schedule and it lets this message through, as the next try or the one that has begun."""
        due = self.next_try_at
        return due is not None and (due <= self.now or self._has_begun)

    @property
    def _has_begun(self) -> bool:
        """Whether the try that is written down is this very message, whose sender has not come to its end."""
        tried = self.contact.reachability.tried if self.contact is not None else None
        return (
            tried is not None
            and self.campaign.run_id is not None
            and tried.message_id == self.campaign.message_id(self.customer.customer_id)
        )

    @property
    def hand_over(self) -> HandOver:
        """The message as caps look at it; without an id while the campaign has no messages."""
        campaign = self.campaign
        message_id = campaign.message_id(self.customer.customer_id) if campaign.run_id is not None else ""
        return HandOver(message_id, self.now, campaign.category, campaign.channel, campaign.selection.segment_id)

    @property
    def free_again_at(self) -> datetime | None:
        """When the caps will have room for the message; ``None`` when they have."""
        if self.frequency is None:
            return None
        return self.frequency.free_again_at(self.business.frequency_caps, self.hand_over)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it leaves out for, whether it does, and all the data that its word depends on.

    Nothing but what ``looks_at`` gives may change what ``stops`` says, so that who is shown the data can follow.
    """

    exclusion: Exclusion
    stops: Callable[[Case], bool]
    looks_at: Callable[[Case], Mapping[str, Any]]


def decide(
    customer: Customer | None,
    contact: Contact | None,
    business: Business,
    campaign: Campaign,
    now: datetime,
    frequency: Frequency | None = None,
) -> Decision:
    """Whether ``customer`` gets ``campaign`` at ``now``: what the first of ``RULES`` that stops it says, or send.

    ``contact`` and ``frequency`` are those of a ``Case``. Who does not exist is no case for the rules.
    """
    if customer is None:
        return Exclusion.NOT_FOUND
    return decision_on(Case(customer, contact, business, campaign, now, frequency))


def decision_on(case: Case) -> Decision:
    """``decide`` for a customer who exists."""
    for rule in RULES:
        if rule.stops(case):
            return rule.exclusion
    # The rule about the address has let it pass.
    return Send(cast("str", case.address), is_try=case.next_try_at is not None and not _is_sent_all_the_same(case))


def _channel_is_off(case: Case) -> bool:
    return case.barrier is not None


def _settings_of_channel(case: Case) -> Mapping[str, Any]:
    business = case.business
    if case.campaign.channel is Channel.EMAIL:
        return {"switches": {"email": business.switches.email}, "email_from": business.email_from}
    sender = {"text_provider": business.text_provider, "text_from": business.text_from}
    if not case.campaign.asks_confirmation:
        return {"switches": {"text": business.switches.text}, **sender}
    switches = {"text": business.switches.text, "text_confirmations": business.switches.text_confirmations}
    return {"switches": switches, "bundle": str(business.bundle), **sender}


def _has_no_address(case: Case) -> bool:
    return case.address is None


def _address_field(case: Case) -> Mapping[str, Any]:
    return {"email" if case.campaign.channel is Channel.EMAIL else "mobile_phone": case.address}


def _has_opted_out(case: Case) -> bool:
    return case.opted_out_of is not None


def _consent(case: Case) -> Mapping[str, Any]:
    scopes = case.contact.consent.opted_out if case.contact is not None else ()
    return {
        "scopes": [str(scope) for scope in Scope if scope in case.campaign.category.scopes],
        "opted_out": [str(scope) for scope in scopes],
    }


def _has_not_confirmed(case: Case) -> bool:
    asked_for = case.business.double_opt_in.is_asked_for(case.campaign.channel)
    return asked_for and case.campaign.category.is_promotional and not _is_confirmed(case)


def _is_confirmed(case: Case) -> bool:
    return case.contact is not None and case.contact.consent.is_confirmed


def _confirmation(case: Case) -> Mapping[str, Any]:
    return {
        "promotional": case.campaign.category.is_promotional,
        "double_opt_in": case.business.double_opt_in.is_asked_for(case.campaign.channel),
        "confirmed": _is_confirmed(case),
    }


def _is_left_out_as_invalid(case: Case) -> bool:
    return (
        case.contact is not None
        and case.campaign.category.is_promotional
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
        and not case.campaign.category.is_promotional
        and not _is_sent_all_the_same(case)
        and not case.try_is_due
    )


def _spacing(case: Case) -> Mapping[str, Any]:
    return {**_kind_of_send(case), "spaced": case.business.recovery.spaced, **_schedule(case)}


def _kind_of_send(case: Case) -> Mapping[str, Any]:
    return {
        "promotional": case.campaign.category.is_promotional,
        "exclude_failed": case.campaign.exclude_failed,
        "added_back_by_hand": _is_added_back(case),
    }


def _schedule(case: Case) -> Mapping[str, Any]:
    return {"next_try_at": case.next_try_at, "try_is_due": case.try_is_due}


def _is_sent_all_the_same(case: Case) -> bool:
    """Whether somebody has said that flags keep nothing back here."""
    return not case.campaign.exclude_failed or _is_added_back(case)


def _is_added_back(case: Case) -> bool:
    return case.customer.customer_id in case.campaign.include_customer_ids


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
    return {"caps": caps, "segment_id": case.campaign.selection.segment_id, "free_again_at": case.free_again_at}


RULES: Final = (
    Rule(Exclusion.CHANNEL_OFF, _channel_is_off, _settings_of_channel),
    Rule(Exclusion.NO_ADDRESS, _has_no_address, _address_field),
    Rule(Exclusion.OPTED_OUT, _has_opted_out, _consent),
    Rule(Exclusion.NOT_CONFIRMED, _has_not_confirmed, _confirmation),
    Rule(Exclusion.INVALID_CONTACT, _is_left_out_as_invalid, _validity),
    Rule(Exclusion.WAITING_FOR_RETRY, _waits_for_its_next_try, _spacing),
    Rule(Exclusion.FREQUENCY_CAP, _is_capped, _counts),
)
"""In the order in which they decide.

Consent decides before validity. A flag keeps promotional messages away unless the campaign says otherwise or the
customer was added back by hand; everything else is still tried (A3, A7), because a delivery is what clears the flag.
For causes that pass, a business may have marketing try as well, and space out the tries of everything else (A11).
Caps come last: they say when the customer is free again, which is true only of somebody whom nothing else keeps back.
"""
