"""What is known of an address: one suite against the fake and the tables."""

from copy import replace
from itertools import product

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import (
    Cleared,
    ClearedBy,
    Failure,
    Tried,
)
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.provider_codes import Provider
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    NO_SUCH_MAILBOX,
    at,
    contact_key,
    id_of,
)


def used(number: int) -> Contact:
    """A contact as it is before its first write, of the customer with the number."""
    return Contact(contact_key(number), customer_ids=frozenset({id_of(number)}))


def known(ports: EveryPorts, number: int) -> Contact:
    return ports.contacts.get_many([contact_key(number)])[contact_key(number)]


def test_a_failure_of_an_address_that_nobody_uses_leaves_nothing(ports: EveryPorts) -> None:
    ports.contacts.save(Contact(contact_key(1)).with_evidence(*EVIDENCE))

    assert known(ports, 1) == Contact(contact_key(1))


EVIDENCE = (
    Cleared(at(1.000001), ClearedBy.DELIVERY, "m0"),
    Failure(at(2), "m1", Provider.SES, NO_SUCH_MAILBOX, "smtp; 550 user unknown"),
    Failure(at(3), "m2", Provider.TWILIO, "30003"),
)


SAID = (
    ConsentEvidence(at(4), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER, message_id="m3"),
    ConsentEvidence(at(5), Scope.MARKETING, opted_out=False, source=ConsentSource.COMPLAINT),
)


OF_EVERY_WEIGHT = tuple(
    ConsentEvidence(at(second), Scope.LOYALTY, opted_out=opted_out, source=source, who="Kim", words="as asked")
    for second, (source, opted_out) in enumerate(product(ConsentSource, (True, False)), start=6)
)


@pytest.mark.parametrize(
    "contact",
    [
        Contact(contact_key()),
        Contact(contact_key()).with_evidence(*EVIDENCE[:1]),
        Contact(contact_key()).with_evidence(*EVIDENCE[1:]),
        Contact(contact_key()).with_evidence(*EVIDENCE, *SAID),
        Contact(contact_key()).with_evidence(*EVIDENCE[1:], Tried(at(6), "m6")),
        Contact(ContactKey(BUSINESS_ID, Channel.SMS, "+14155550123")).with_evidence(SAID[0]),
        Contact(contact_key()).with_evidence(*OF_EVERY_WEIGHT),
        Contact(ContactKey(BUSINESS_ID, Channel.EMAIL, "o#d+d@example.com")).with_evidence(EVIDENCE[1]),
    ],
    ids=["empty", "cleared", "failed", "tried", "everything", "consent", "all kinds of consent", "hash in address"],
)
def test_a_contact_is_kept_with_all_that_is_known(ports: EveryPorts, contact: Contact) -> None:
    contact = replace(contact, customer_ids=frozenset({id_of(1), id_of(2)}))
    contact = contact.left_by(id_of(1), freed=True).left_by(id_of(2), freed=False)
    ports.contacts.save(contact)
    found = ports.contacts.get_many([contact.key])

    assert found == {contact.key: replace(contact, version=found[contact.key].version)}


def test_a_contact_is_only_written_as_it_was_read(ports: EveryPorts) -> None:
    ports.contacts.save(used(1))
    first = known(ports, 1)
    with pytest.raises(ConcurrentChangeError):
        ports.contacts.save(used(1).with_evidence(EVIDENCE[0]))
    ports.contacts.save(first.with_evidence(EVIDENCE[0]))

    assert known(ports, 1).version > first.version


def test_many_contacts_are_read_at_once_and_unknown_ones_come_empty(ports: EveryPorts) -> None:
    keys = [contact_key(number) for number in range(130)]
    for number in range(120):
        ports.contacts.save(used(number))
    found = ports.contacts.get_many(iter([*keys, *keys[:5]]))

    assert list(found) == keys
    assert [found[key].version > 0 for key in keys] == [True] * 120 + [False] * 10
    assert ports.contacts.get_many([]) == {}
