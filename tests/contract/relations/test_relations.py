"""Relations of customers: one suite against the fake and the table."""

from copy import replace
from datetime import date

import pytest

from rebound.customers.domain import ProfileEvent, ProfileEventKind
from rebound.kernel.errors import ConcurrentChangeError
from rebound.relations.domain import AskedAt, Invitation, Relation, Relations, RelationStatus
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, customer, id_of

ONE = "01M7W6ARGFEXM6PVNM0V1C8F99"
MESSAGE = "01M7W6ARGFEXM6PVNM0V1C8F98"
FULL = Relation(
    relation_id=ONE,
    relationship="child",
    status=RelationStatus.PENDING,
    created_at=at(1.25),
    other_id=id_of(2),
    invitation=MESSAGE,
)
PET = Relation(
    relation_id=MESSAGE,
    relationship="dog",
    status=RelationStatus.ACCEPTED,
    created_at=at(2),
    name="Rex",
    answered_at=at(3),
)
EVENT = ProfileEvent(kind=ProfileEventKind.RELATION_ADDED, at=at(1), event_id=ONE, relation_id=ONE, other_id=id_of(2))


def of(number: int, *relations: Relation, version: int = 0) -> Relations:
    return Relations(
        business_id=BUSINESS_ID,
        customer_id=id_of(number),
        entries={each.relation_id: each for each in relations},
        version=version,
    )


def there(ports: EveryPorts, *numbers: int) -> None:
    for number in numbers:
        ports.customers.save([customer(number)], [])


def test_both_sides_are_kept_whole_with_what_their_logs_say_and_the_invitation(ports: EveryPorts) -> None:
    there(ports, 1, 2)
    asked = Invitation(MESSAGE, id_of(1), ONE)
    ports.relations.save([of(1, FULL, PET), of(2, FULL)], {id_of(1): [EVENT], id_of(2): [EVENT]}, asked)
    own = ports.relations.get(BUSINESS_ID, id_of(1))

    assert own == of(1, FULL, PET, version=own.version)
    assert own.version > 0
    assert ports.relations.get(BUSINESS_ID, id_of(2)).entries == {ONE: FULL}
    assert ports.relations.invitation(BUSINESS_ID, MESSAGE) == asked
    assert ports.relations.invitation(BUSINESS_ID, ONE) is None
    assert ports.relations.invitation("other", MESSAGE) is None
    for number in (1, 2):
        assert ports.profile_history.before(BUSINESS_ID, id_of(number), None, 5) == [EVENT]


def test_what_was_asked_at_an_address_is_kept_and_of_two_who_ask_at_once_one_asks(ports: EveryPorts) -> None:
    there(ports, 1, 2)
    before = ports.relations.asked_at(BUSINESS_ID, "d1")
    assert before == AskedAt(business_id=BUSINESS_ID, digest="d1")
    asked = before.once_more(date(2026, 11, 29), id_of(1), MESSAGE)
    ports.relations.save([of(1, FULL), of(2, FULL)], {}, Invitation(MESSAGE, id_of(1), ONE), asked)
    kept = ports.relations.asked_at(BUSINESS_ID, "d1")

    assert replace(kept, version=0) == replace(asked, version=0)
    assert kept.version > 0
    assert ports.relations.asked_at(BUSINESS_ID, "d2").version == 0
    assert ports.relations.asked_at("other", "d1").version == 0
    own = ports.relations.get(BUSINESS_ID, id_of(1))
    with pytest.raises(ConcurrentChangeError):
        ports.relations.save([own.with_one(PET)], {}, None, asked)
    assert ports.relations.get(BUSINESS_ID, id_of(1)) == own
    ports.relations.save([own.with_one(PET)], {}, None, kept.once_more(date(2026, 11, 29), id_of(2), ONE))
    again = ports.relations.asked_at(BUSINESS_ID, "d1")
    assert (again.times, again.log_of, again.message_id) == (2, id_of(2), ONE)


def test_who_has_none_has_none(ports: EveryPorts) -> None:
    assert ports.relations.get(BUSINESS_ID, id_of(1)) == of(1)


def test_of_two_who_write_at_once_one_writes_and_the_other_side_stays(ports: EveryPorts) -> None:
    there(ports, 1, 2)
    ports.relations.save([of(1, PET)], {})
    with pytest.raises(ConcurrentChangeError):
        ports.relations.save([of(2, FULL), of(1, FULL)], {id_of(2): [EVENT]})

    assert ports.relations.get(BUSINESS_ID, id_of(2)) == of(2)
    assert ports.profile_history.before(BUSINESS_ID, id_of(2), None, 5) == []


def test_nobody_is_linked_with_a_customer_who_is_gone(ports: EveryPorts) -> None:
    there(ports, 1)
    with pytest.raises(ConcurrentChangeError):
        ports.relations.save([of(1, FULL), of(2, FULL)], {})
    ports.relations.save([of(1, FULL), of(2, FULL)], {}, of_existing=False)

    assert ports.relations.get(BUSINESS_ID, id_of(1)).entries == {ONE: FULL}


def test_what_is_forgotten_is_gone_unless_it_changed(ports: EveryPorts) -> None:
    there(ports, 1)
    ports.relations.save([of(1, FULL)], {})
    own = ports.relations.get(BUSINESS_ID, id_of(1))
    with pytest.raises(ConcurrentChangeError):
        ports.relations.forget(replace(own, version=own.version + 1))
    ports.relations.forget(own)

    assert ports.relations.get(BUSINESS_ID, id_of(1)) == of(1)
