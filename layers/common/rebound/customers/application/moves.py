"""What an edit, or an import, that changes a customer's addresses leaves behind at the contacts of before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rebound.customers.domain import Customer

if TYPE_CHECKING:
    from rebound.contacts.domain.contacts import Contact
    from rebound.contacts.domain.reachability import ReachabilityPolicy
    from rebound.kernel.channels import ContactKey


def left_behind(
    before: Customer | None,
    after: Customer,
    known: Mapping[ContactKey, Contact],
    contacts: Mapping[ContactKey, Contact],
    policy: ReachabilityPolicy,
) -> Mapping[ContactKey, Contact]:
    """The contacts that the customer has left, as left; written with the customer, so that their stream tells of it.

    ``known`` has all contacts as they are stored, ``contacts`` as they will be. A flag that is left behind ends for the
    customer unless the address that they have now on that channel is flagged too.
    """
    left: dict[ContactKey, Contact] = {}
    for key in before.contact_keys if before is not None else ():
        now_used = after.contact_key(key.channel)
        if now_used == key:
            continue
        was_flagged = known[key].verdict(policy).invalid
        is_flagged = now_used is not None and contacts[now_used].verdict(policy).invalid
        left[key] = contacts[key].left_by(after.customer_id, freed=was_flagged and not is_flagged)
    return left
