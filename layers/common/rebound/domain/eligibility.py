"""Who gets a message: one pure function that preview, expansion, sending and every explanation call."""

from dataclasses import dataclass
from enum import StrEnum

from rebound.domain.business import Business
from rebound.domain.campaigns import Campaign
from rebound.domain.consent import Scope
from rebound.domain.contacts import Contact
from rebound.domain.customers import Customer


class Exclusion(StrEnum):
    """Why somebody is left out: exactly one reason each, the first that holds in this order."""

    NOT_FOUND = "not_found"
    """No such customer (any more)."""
    CHANNEL_OFF = "channel_off"
    """The business cannot send on this channel."""
    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    INVALID_CONTACT = "invalid_contact"
    CANNOT_RENDER = "cannot_render"
    """What would be sent to this customer is not a message the provider can take (an empty or far too long text)."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send, to this address as the customer writes it."""

    address: str


Decision = Send | Exclusion


def decide(customer: Customer | None, contact: Contact | None, business: Business, campaign: Campaign) -> Decision:
    """Whether ``customer`` gets ``campaign`` now.

    ``contact`` is that of the customer's address on the campaign's channel; ``None`` when nothing is known of it.
    Consent decides before validity. A flag keeps promotional messages away unless the campaign says otherwise or the
    customer was added back by hand; everything else is still tried (A3, A7), because a delivery is what clears the
    flag.
    """
    if customer is None:
        return Exclusion.NOT_FOUND
    if not business.can_send(campaign.channel):
        return Exclusion.CHANNEL_OFF
    address = customer.address(campaign.channel)
    if address is None:
        return Exclusion.NO_ADDRESS
    if contact is not None:
        if _opted_out(contact, campaign):
            return Exclusion.OPTED_OUT
        if _left_out_as_invalid(customer, contact, business, campaign):
            return Exclusion.INVALID_CONTACT
    return Send(address)


def _opted_out(contact: Contact, campaign: Campaign) -> bool:
    scopes = contact.consent.opted_out
    return Scope.ALL in scopes or (campaign.category.is_promotional and Scope.MARKETING in scopes)


def _left_out_as_invalid(customer: Customer, contact: Contact, business: Business, campaign: Campaign) -> bool:
    return (
        campaign.category.is_promotional
        and campaign.exclude_failed
        and customer.customer_id not in campaign.include_customer_ids
        and contact.verdict(business.policy).invalid
    )
