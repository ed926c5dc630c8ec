"""Customers who are deleted, and what is remembered of their addresses: one suite against the fake and the tables."""

from copy import replace

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from tests.contract.contacts.test_contacts import EVIDENCE, SAID, known, used
from tests.contract.customers.test_customers import stored
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
    contact_key,
    customer,
    id_of,
)


def test_a_customer_is_deleted_as_it_was_read(ports: EveryPorts) -> None:
    stored(ports, 1)
    first = ports.customers.get(BUSINESS_ID, id_of(1))
    ports.customers.save([first], [])
    with pytest.raises(ConcurrentChangeError):
        ports.customers.delete([first], [])
    ports.customers.delete([ports.customers.get(BUSINESS_ID, id_of(1))], [])
    with pytest.raises(NotFoundError):
        ports.customers.get(BUSINESS_ID, id_of(1))


def test_a_row_that_came_again_is_not_taken_for_the_one_that_went(ports: EveryPorts) -> None:
    stored(ports, 1)
    ports.contacts.save(used(1))
    before, contact = ports.customers.get(BUSINESS_ID, id_of(1)), known(ports, 1)
    ports.customers.delete([before], [contact.without([id_of(1)])])
    stored(ports, 1)
    ports.contacts.save(used(1))

    with pytest.raises(ConcurrentChangeError):
        ports.customers.delete([before], [])
    with pytest.raises(ConcurrentChangeError):
        ports.contacts.save(contact)


def test_who_left_an_address_by_a_deletion_is_known_by_its_hash_and_since_when(ports: EveryPorts) -> None:
    book, first, second = ports.departures, customer(1, email="Rosé@example.com"), customer(2, email="rosé@Example.com")
    moved = first.changed(at(1), email="new@example.com")
    shared, new = (who.contact_key(Channel.EMAIL) for who in (first, moved))
    assert shared is not None
    assert new is not None
    for _ in range(2):
        book.note([moved], at(5))
    book.note([second], at(7))

    assert sorted(book.since(shared, at(5))) == sorted([id_of(1), id_of(2)])
    assert sorted(book.since(shared.hashed, at(6))) == [id_of(2)]
    assert sorted(book.since(new, at(0))) == [id_of(1)]
    assert book.since(new, at(6)) == []
    assert book.since(ContactKey("other", Channel.EMAIL, shared.address), at(0)) == []
    phone = first.contact_key(Channel.SMS)
    assert phone is not None
    assert sorted(book.since(phone, at(0))) == [id_of(1)]


def test_a_deletion_leaves_the_contact_to_others_who_use_it(ports: EveryPorts) -> None:
    stored(ports, 1)
    ports.contacts.save(replace(used(1).with_evidence(*EVIDENCE, *SAID), customer_ids=frozenset({id_of(1), id_of(2)})))
    before = known(ports, 1)
    ports.customers.delete([ports.customers.get(BUSINESS_ID, id_of(1))], [before.without([id_of(1)])])

    after = known(ports, 1)
    assert after == replace(before, customer_ids=frozenset({id_of(2)}), version=after.version)
    assert after.version > before.version


def test_a_deletion_with_a_stale_contact_changes_nothing(ports: EveryPorts) -> None:
    stored(ports, 1)
    ports.contacts.save(used(1))
    stale = known(ports, 1)
    ports.contacts.save(stale.with_evidence(SAID[0]))
    with pytest.raises(ConcurrentChangeError):
        ports.customers.delete([ports.customers.get(BUSINESS_ID, id_of(1))], [stale.without([id_of(1)])])

    assert ports.customers.get(BUSINESS_ID, id_of(1)).customer_id == id_of(1)
    assert known(ports, 1).consent == Contact(contact_key(1)).with_evidence(SAID[0]).consent


def deleted(ports: EveryPorts) -> Contact:
    """What is left of a contact that knew everything when its only customer is deleted."""
    stored(ports, 1)
    ports.contacts.save(used(1).with_evidence(*EVIDENCE, *SAID))
    last = ports.customers.get(BUSINESS_ID, id_of(1))
    ports.customers.delete([last], [known(ports, 1).without([id_of(1)])])
    return known(ports, 1)


def test_of_an_address_that_nobody_uses_only_the_consent_is_remembered(ports: EveryPorts) -> None:
    left = deleted(ports)

    assert left.remembered > 0
    assert left == Contact(contact_key(1), consent=used(1).with_evidence(*SAID).consent, remembered=left.remembered)
    assert ports.contacts.get_many([contact_key(2), replace(contact_key(1), business_id="other")]) == {
        contact_key(2): Contact(contact_key(2)),
        replace(contact_key(1), business_id="other"): Contact(replace(contact_key(1), business_id="other")),
    }


def test_what_is_remembered_can_be_found_and_added_to_by_the_hash_alone(ports: EveryPorts) -> None:
    left = deleted(ports)
    hashed = contact_key(1).hashed
    found = ports.contacts.get_many([hashed, contact_key(2).hashed])
    late = ConsentEvidence(at(9), Scope.ALL, opted_out=True, source=ConsentSource.ONE_CLICK)
    ports.contacts.save(found[hashed].with_evidence(late))

    assert found == {
        hashed: replace(left, key=hashed),
        contact_key(2).hashed: Contact(contact_key(2).hashed),
    }
    assert known(ports, 1).consent == left.consent.join(late)
    with pytest.raises(ConcurrentChangeError):
        ports.contacts.save(found[hashed].with_evidence(SAID[0], late))


def test_whoever_comes_with_the_address_again_has_what_was_remembered(ports: EveryPorts) -> None:
    left = deleted(ports)
    ports.customers.save([customer(2, email="ana1@example.com")], [replace(left, customer_ids=frozenset({id_of(2)}))])
    again = known(ports, 1)

    assert (again.consent, set(again.customer_ids), again.remembered) == (left.consent, {id_of(2)}, 0)


def test_nobody_comes_with_an_address_past_what_has_just_been_remembered(ports: EveryPorts) -> None:
    nothing = known(ports, 1)
    ports.contacts.save(nothing.with_evidence(SAID[0]))
    with pytest.raises(ConcurrentChangeError):
        ports.customers.save([customer(1)], [replace(nothing, customer_ids=frozenset({id_of(1)}))])
    first = known(ports, 1)
    ports.contacts.save(first.with_evidence(SAID[1]))
    with pytest.raises(ConcurrentChangeError):
        ports.customers.save([customer(1)], [replace(first, customer_ids=frozenset({id_of(1)}))])

    assert known(ports, 1).consent == used(1).with_evidence(*SAID).consent


def test_nothing_is_remembered_past_who_has_just_come_with_the_address(ports: EveryPorts) -> None:
    left = deleted(ports)
    ports.customers.save([customer(1)], [replace(left, customer_ids=frozenset({id_of(1)}))])
    late = ConsentEvidence(at(9), Scope.ALL, opted_out=True, source=ConsentSource.COMPLAINT)
    with pytest.raises(ConcurrentChangeError):
        ports.contacts.save(left.with_evidence(late))
    ports.contacts.save(known(ports, 1).with_evidence(late))

    assert known(ports, 1).consent == used(1).with_evidence(*SAID, late).consent


def test_a_statement_about_an_address_that_nobody_had_when_it_was_read_is_not_lost_on_who_has_just_come(
    ports: EveryPorts,
) -> None:
    """Kept under the hash, it would be found by nobody: whoever uses an address is looked up under the address."""
    nobody = known(ports, 1)
    stop = ConsentEvidence(at(9), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD)
    ports.customers.save([customer(1)], [used(1)])
    with pytest.raises(ConcurrentChangeError):
        ports.contacts.save(nobody.with_evidence(stop))
    ports.contacts.save(known(ports, 1).with_evidence(stop))

    assert known(ports, 1).consent.opted_out == (Scope.ALL,)
    assert known(ports, 1).remembered == 0
