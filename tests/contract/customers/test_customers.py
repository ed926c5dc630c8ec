"""Customers, written with their contacts: one suite against the fake and the tables."""

from copy import replace
from datetime import date

import pytest

from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.ids import bounds
from rebound.segments.application.matching import by_pages
from rebound.segments.domain.filters import compile_filter
from tests.contract.contacts.test_contacts import known, used
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
    contact_key,
    contacts_of,
    customer,
    id_of,
)

FULL = customer(
    1,
    external_id="A-1",
    day_phone="+14155550001",
    night_phone="+14155550002",
    gender="f",
    birthday=date(1990, 2, 28),
    customer_since=date(2020, 1, 1),
    general_tags=("vip", "Ünïcode", "a"),
    time_zone="Europe/Lisbon",
    language="pt",
    failed_email=True,
    created_at=at(0.123456),
    former_contacts=frozenset({contact_key(5), contact_key(5, Channel.SMS)}),
)


BARE = customer(2, email=None, mobile_phone=None)


def stored(ports: EveryPorts, *numbers: int) -> None:
    for number in numbers:
        ports.customers.save([customer(number)], [])


@pytest.mark.parametrize("who", [FULL, BARE], ids=["full", "bare"])
def test_a_customer_is_kept_whole_and_its_version_grows_with_each_write(ports: EveryPorts, who: object) -> None:
    given = FULL if who is FULL else BARE
    ports.customers.save([given], [])
    first = ports.customers.get(BUSINESS_ID, given.customer_id)
    ports.customers.save([replace(first, last_name="Souza")], [])

    assert first.version > 0
    assert first == replace(given, version=first.version)
    second = ports.customers.get(BUSINESS_ID, given.customer_id)
    assert second == replace(given, last_name="Souza", version=first.version + 1)


@pytest.mark.parametrize("version", [0, 2, 7])
def test_a_customer_is_only_written_as_it_was_read(ports: EveryPorts, version: int) -> None:
    ports.customers.save([customer(1)], [])
    with pytest.raises(ConcurrentChangeError):
        ports.customers.save([customer(1, last_name="Lost", version=version)], [])
    assert ports.customers.get(BUSINESS_ID, id_of(1)).last_name == "Silva"


def test_a_new_row_that_claims_an_old_version_is_refused(ports: EveryPorts) -> None:
    with pytest.raises(ConcurrentChangeError):
        ports.customers.save([customer(1, version=3)], [])
    with pytest.raises(ConcurrentChangeError):
        ports.contacts.save(Contact(contact_key(), version=3))


def test_customers_and_contacts_are_written_all_or_none(ports: EveryPorts) -> None:
    ports.contacts.save(used(1))
    stale = replace(used(1), customer_ids=frozenset({"x"}))
    with pytest.raises(ConcurrentChangeError):
        ports.customers.save([customer(1), customer(2)], [used(2), stale])

    assert ports.customers.get_many(BUSINESS_ID, [id_of(1), id_of(2)]) == {}
    assert known(ports, 2) == Contact(contact_key(2))
    assert known(ports, 1).customer_ids == {id_of(1)}


def test_a_transaction_takes_a_hundred_rows_and_no_more(ports: EveryPorts) -> None:
    most = [customer(number) for number in range(98)]
    with pytest.raises(ValueError, match="100"):
        ports.customers.save([*most, customer(98)], [used(1)])
    ports.customers.save(most, [used(1)])

    assert len(ports.customers.get_many(BUSINESS_ID, [c.customer_id for c in most])) == 98
    with pytest.raises(ValueError, match="100"):
        ports.customers.delete(most, [used(number) for number in range(2, 4)])


def test_many_customers_are_read_at_once_each_once_and_absent_ones_are_left_out(ports: EveryPorts) -> None:
    for first in range(0, 250, 50):
        ports.customers.save([customer(number) for number in range(first, first + 50)], [])
    wanted = [id_of(number) for number in range(240, 260)] + [id_of(number) for number in range(250)]
    found = ports.customers.get_many(BUSINESS_ID, wanted)

    assert set(found) == {id_of(number) for number in range(250)}
    assert ports.customers.get_many("other", [id_of(1)]) == {}
    assert ports.customers.get_many(BUSINESS_ID, []) == {}


def test_external_ids_are_read_of_any_number_of_customers(ports: EveryPorts) -> None:
    known = [customer(n, external_id=f"crm/{n}" if n % 2 else None) for n in range(1, 121)]
    for some in (known[:40], known[40:80], known[80:]):
        ports.customers.save(some, [])
    wanted = [*(each.customer_id for each in known), id_of(999), id_of(1)]
    expected = {each.customer_id: each.external_id for each in known}

    assert ports.customers.external_ids(BUSINESS_ID, wanted) == expected
    assert ports.customers.external_ids(BUSINESS_ID, wanted, as_of_now=True) == expected
    assert ports.customers.external_ids("other", wanted) == ports.customers.external_ids(BUSINESS_ID, []) == {}


def test_by_its_hash_an_address_that_somebody_uses_is_not_found(ports: EveryPorts) -> None:
    ports.customers.save([customer(1)], [used(1)])

    assert ports.contacts.get_many([contact_key(1).hashed]) == {contact_key(1).hashed: Contact(contact_key(1).hashed)}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("tagged", [False, True])
def test_pages_of_customers_show_everybody_once_by_id(ports: EveryPorts, limit: int, tagged: bool) -> None:
    own = [customer(number, general_tags=("vip",) if number % 3 else ()) for number in range(7)]
    ports.customers.save(own, [])
    ports.customers.save([customer(99, business_id="other")], [])
    matching = by_pages(compile_filter({"tag": "vip"}), ports.contacts, ports.summaries) if tagged else None
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        page = ports.customers.page(BUSINESS_ID, limit=limit, cursor=cursor, matching=matching)
        assert len(page.items) <= limit
        seen.extend(item.customer_id for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == sorted(c.customer_id for c in own if c.general_tags or not tagged)


def test_pages_of_matching_customers_read_on_past_many_that_do_not(ports: EveryPorts) -> None:
    for first in range(0, 300, 100):
        ports.customers.save([customer(n, first_name=f"N{n}") for n in range(first, first + 100)], [])
    last = max(range(300), key=id_of)
    matching = by_pages(compile_filter({"field": "first_name", "equals": f"n{last}"}), ports.contacts, ports.summaries)
    page = ports.customers.page(BUSINESS_ID, limit=5, matching=matching)

    assert [found.customer_id for found in page.items] == [id_of(last)]
    assert page.next_cursor is None


def test_a_range_of_customers_is_read_in_parts_within_its_bounds(ports: EveryPorts) -> None:
    everybody = sorted(id_of(number) for number in range(40))
    ports.customers.save([customer(number) for number in range(40)], [])
    seen: list[str] = []
    for index in range(3):
        first, last = bounds(index, 3)
        after: str | None = None
        while True:
            part = [c.customer_id for c in ports.customers.read_range(BUSINESS_ID, first, last, after, 4)]
            assert all(first <= customer_id <= last for customer_id in part)
            seen.extend(part)
            if len(part) < 4:
                break
            after = part[-1]

    assert seen == everybody


def test_a_flag_is_copied_to_who_still_has_the_address_and_to_nobody_else(ports: EveryPorts) -> None:
    ports.customers.save([customer(1, email="Ana1@Example.com"), customer(2)], [])
    ports.customers.copy_flag(contact_key(1), id_of(1), invalid=True)
    ports.customers.copy_flag(contact_key(1), id_of(2), invalid=True)
    ports.customers.copy_flag(contact_key(1), id_of(77), invalid=True)
    ports.customers.copy_flag(contact_key(2, Channel.SMS), id_of(2), invalid=True)
    ana, bo = ports.customers.get(BUSINESS_ID, id_of(1)), ports.customers.get(BUSINESS_ID, id_of(2))

    assert (ana.failed_email, ana.failed_phone) == (True, False)
    assert (bo.failed_email, bo.failed_phone) == (False, True)
    assert ports.customers.get_many(BUSINESS_ID, [id_of(77)]) == {}


def test_a_copied_flag_makes_an_edit_read_again_and_the_same_flag_does_not(ports: EveryPorts) -> None:
    stored(ports, 1)
    first = ports.customers.get(BUSINESS_ID, id_of(1))
    ports.customers.copy_flag(contact_key(1), id_of(1), invalid=False)
    assert ports.customers.get(BUSINESS_ID, id_of(1)) == first
    ports.customers.copy_flag(contact_key(1), id_of(1), invalid=True)
    assert ports.customers.get(BUSINESS_ID, id_of(1)).version == first.version + 1
    with pytest.raises(ConcurrentChangeError):
        ports.customers.save([first], [])


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("leaves", [False, True])
def test_a_flag_does_not_land_on_the_address_to_which_a_customer_moves_meanwhile(
    over_dynamodb: EveryPorts, monkeypatch: pytest.MonkeyPatch, channel: Channel, leaves: bool
) -> None:
    ports = over_dynamodb
    stored(ports, 1)
    read = ports.customers.get

    def overtaken(business_id: str, customer_id: str) -> Customer:
        found = read(business_id, customer_id)
        if leaves:
            ports.customers.delete([found], [])
        else:
            ports.customers.save([replace(found, email="new@example.com", mobile_phone="+14155560099")], [])
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ports.customers, "get", overtaken)
        ports.customers.copy_flag(contact_key(1, channel), id_of(1), invalid=True)
    found = ports.customers.get_many(BUSINESS_ID, [id_of(1)])

    assert [(moved.email, moved.failed_email, moved.failed_phone) for moved in found.values()] == (
        [] if leaves else [("new@example.com", False, False)]
    )


@pytest.mark.parametrize("tagged", [False, True])
def test_a_page_that_holds_the_last_customer_exactly_is_the_last_one(ports: EveryPorts, tagged: bool) -> None:
    ports.customers.save([customer(number, general_tags=("vip",)) for number in range(6)], [])
    matching = by_pages(compile_filter({"tag": "vip"}), ports.contacts, ports.summaries) if tagged else None
    pages = {limit: ports.customers.page(BUSINESS_ID, limit=limit, matching=matching) for limit in (5, 6, 7)}

    assert {limit: (len(page.items), page.next_cursor is None) for limit, page in pages.items()} == {
        5: (5, False),
        6: (6, True),
        7: (6, True),
    }


def test_a_favourite_is_one_until_they_are_none_and_stays_one_through_edits(ports: EveryPorts) -> None:
    ports.customers.save([customer(1), customer(2)], contacts_of(customer(1), customer(2)))
    ports.customers.choose(BUSINESS_ID, id_of(1), favourite=True)
    chosen = ports.customers.get(BUSINESS_ID, id_of(1))

    assert chosen.favourite
    assert chosen.updated_at == customer(1).updated_at
    assert not ports.customers.get(BUSINESS_ID, id_of(2)).favourite
    ports.customers.save([replace(chosen, first_name="Bea")], [])
    assert ports.customers.get(BUSINESS_ID, id_of(1)).favourite
    # Whoever read the customer before does not write over the choice.
    with pytest.raises(ConcurrentChangeError):
        ports.customers.save([chosen], [])
    ports.customers.choose(BUSINESS_ID, id_of(1), favourite=False)
    assert not ports.customers.get(BUSINESS_ID, id_of(1)).favourite
    with pytest.raises(NotFoundError):
        ports.customers.choose(BUSINESS_ID, id_of(77), favourite=True)
    with pytest.raises(NotFoundError):
        ports.customers.get(BUSINESS_ID, id_of(77))


@pytest.mark.parametrize("tags", [("Thanked", "vip"), (), ("vip",)], ids=["more", "none", "fewer"])
def test_tags_are_written_as_an_edit_writes_them(ports: EveryPorts, tags: tuple[str, ...]) -> None:
    """To the letter what ``save`` leaves, and what is kept of a file's values as well."""
    filed = replace(FULL, file_values={"first_name": "x"})
    for number, before in ((1, filed), (2, replace(filed, customer_id=id_of(2), external_id="A-2"))):
        ports.customers.save([before], [])
        read = ports.customers.get(BUSINESS_ID, id_of(number))
        after = read.changed(at(60), general_tags=tags)
        if number == 1:
            written = ports.customers.retag(read, after)
            assert written == ports.customers.get(BUSINESS_ID, id_of(1))
        else:
            ports.customers.save([after], [])
    one, other = (ports.customers.get(BUSINESS_ID, id_of(number)) for number in (1, 2))

    assert one.general_tags == tags
    assert one.version > 0
    assert replace(one, version=0) == replace(other, customer_id=id_of(1), external_id="A-1", version=0)


def test_tags_are_only_written_of_who_is_as_they_were_read(ports: EveryPorts) -> None:
    ports.customers.save([customer(1)], [])
    before = ports.customers.get(BUSINESS_ID, id_of(1))
    after = before.changed(at(60), general_tags=("late",))
    ports.customers.save([replace(before, first_name="Bea")], [])
    with pytest.raises(ConcurrentChangeError):
        ports.customers.retag(before, after)
    kept = ports.customers.get(BUSINESS_ID, id_of(1))
    assert (kept.first_name, kept.general_tags) == ("Bea", ())
    ports.customers.delete([kept], [])
    with pytest.raises(ConcurrentChangeError):
        ports.customers.retag(kept, kept.changed(at(61), general_tags=("late",)))
    with pytest.raises(NotFoundError):
        ports.customers.get(BUSINESS_ID, id_of(1))
