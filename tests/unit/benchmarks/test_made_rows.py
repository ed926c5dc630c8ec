"""Rows that are made when they are read: those that the product writes."""

import json
from typing import Any

from rebound.activity.domain.summary import Summary
from rebound.contacts.domain.contacts import Contact
from tests.benchmarks.capacity import item_size
from tests.benchmarks.deployment import deployment
from tests.benchmarks.large_salon import customer, doings, furnish
from tests.benchmarks.light_calls import light_calls
from tests.benchmarks.tables import Row
from tests.fakes import house
from tests.fakes.making import id_of

COUNT, STORIES = 30, 7
MADE = ("CustomersTable", "ContactsTable", "ActivityTable")


def story(number: int) -> Summary:
    return doings(number % STORIES)


def told(row: Row | None, business_id: str) -> Any:
    """A row and its size, but for its version, which is a time, and whose it is."""
    assert row is not None
    item = json.loads(row.written.replace(business_id.encode(), b"business"))
    version = {"version": item.pop("version")}
    assert len(version["version"]["N"]) == 13
    return item, row.size - item_size(version)


def test_made_rows_are_those_that_the_product_writes() -> None:
    with deployment() as deployed, light_calls(deployed.cloud):
        deployed.open_business()
        whose, tables = deployed.business_id, deployed.cloud.tables.by_name
        for number in range(COUNT):
            who = customer(whose, number)
            contacts = [Contact(key, customer_ids=frozenset({who.customer_id})) for key in who.contact_keys]
            house.ports().customers.save([who], contacts)
            house.ports().activity.save_summary(whose, who.customer_id, story(number), read=0)
        written = [
            (name, tuple(part.replace(whose, "{}") for part in tables[name].key_of(row.item)), told(row, whose))
            for name in MADE
            for row in tables[name].everything()
        ]
    with deployment() as deployed, light_calls(deployed.cloud):
        deployed.open_business()
        whose, tables = deployed.business_id, deployed.cloud.tables.by_name
        furnish(deployed, COUNT, story, STORIES)
        made = [(name, key, told(tables[name].get((key[0].format(whose), key[1])), whose)) for name, key, _ in written]
        assert tables["CustomersTable"].get((whose, id_of(COUNT))) is None

    assert made == written
    assert len(written) == (1 + 2 + 1) * COUNT


def test_made_rows_are_read_in_order_and_written_ones_stand_in_their_place() -> None:
    with deployment() as deployed, light_calls(deployed.cloud):
        deployed.open_business()
        furnish(deployed, COUNT)
        customers = house.ports().customers
        everybody = sorted(id_of(number) for number in range(COUNT))
        first, last = everybody[0], everybody[-1]
        read = customers.read_range(deployed.business_id, first, last, everybody[4], 7)
        assert [one.customer_id for one in read] == everybody[5:12]

        customers.choose(deployed.business_id, everybody[8], favourite=True)
        again = customers.read_range(deployed.business_id, first, last, everybody[4], 7)

    assert [one.customer_id for one in again if one.favourite] == [everybody[8]]
    assert [one.customer_id for one in again] == everybody[5:12]
