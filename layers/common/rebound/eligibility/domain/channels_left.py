"""By which channels somebody can be written to by name, where the business leaves the choice to us."""

from collections.abc import Mapping

from rebound.businesses.domain.business import Business
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import Scope


def why_not_by(
    channel: Channel, customer: Customer, business: Business, known: Mapping[ContactKey, Contact]
) -> str | None:
    """Why a transactional message cannot go by a channel, in a word; ``None`` when it can."""
    key = customer.contact_key(channel)
    if key is None:
        return "no_address"
    if known[key].verdict(business.policy).invalid:
        return "invalid"
    if known[key].consent.keeps_back(Scope.TRANSACTIONAL):
        return "opted_out"
    return "off" if business.barrier(channel) is not None else None
