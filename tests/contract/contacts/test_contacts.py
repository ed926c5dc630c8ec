"""What is known of an address: one suite against the fake and the tables."""

from collections.abc import Callable, Sequence
from copy import replace
from itertools import product
from typing import Any, Final

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
        Contact(contact_key(), departed_at=at(7)),
    ],
    ids=[
        *("empty", "cleared", "failed", "tried", "everything", "consent", "all kinds of consent", "hash in address"),
        "left by a deletion",
    ],
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


@pytest.mark.parametrize("tables", ["memory", "dynamodb", "busy"], indirect=True)
def test_every_contact_in_use_is_on_one_page_whatever_the_pages_hold(ports: EveryPorts) -> None:
    for number in range(1, 6):
        ports.contacts.save(used(number))
    ports.contacts.save(Contact(contact_key(9)).with_evidence(*SAID))
    for limit in (1, 2, 5, 9):
        found, cursor = list[ContactKey](), None
        while True:
            page = ports.contacts.in_use(cursor, limit)
            assert len(page.items) <= limit
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(map(str, found)) == sorted(str(contact_key(number)) for number in range(1, 6))


PHONE_OF_TWO_SPELLINGS: Final = ContactKey.of(BUSINESS_ID, Channel.SMS, "+5215512345678")


@pytest.mark.parametrize("key", [contact_key(), PHONE_OF_TWO_SPELLINGS], ids=["one spelling", "two"])
@pytest.mark.parametrize("said", [(), SAID], ids=["nothing said", "said"])
@pytest.mark.parametrize("was", ["new", "used", "kept"])
@pytest.mark.parametrize("becomes", ["used", "unused"])
def test_a_contact_takes_as_many_rows_as_it_says(
    over_dynamodb: EveryPorts, key: ContactKey, said: Sequence[ConsentEvidence], was: str, becomes: str
) -> None:
    book: Any = over_dynamodb.contacts
    contact = Contact(key).with_evidence(*said)
    if was != "new":
        book.save(replace(contact, customer_ids=frozenset({id_of(1)})))
        if was == "kept":
            book.save(book.get_many([key])[key].without([id_of(1)]))
        contact = book.get_many([key])[key]
    contact = replace(contact, customer_ids=frozenset({id_of(2)} if becomes == "used" else ()))
    writes = CountedWrites()
    rows = book.rows([contact])
    rows.write(writes)

    assert rows.count == writes.count


class CountedWrites:
    """Stands for a transaction."""

    def __init__(self) -> None:
        self.count = 0

    def __getattr__(self, _: str) -> Callable[..., None]:
        return self._write

    def _write(self, *_given: object, **_named: object) -> None:
        self.count += 1
