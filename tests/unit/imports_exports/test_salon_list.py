"""A salon's whole list goes in as its software writes it, and the second time changes nothing."""

from typing import Final

import pytest

from rebound.contacts.adapters.addresses import LibraryAddressReader
from rebound.imports_exports.application.start_import import ImportView
from rebound.imports_exports.domain import ImportOptions
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.salon_file import COLUMNS, DATE_FORMAT, salon_file
from tests.fakes.world import World

CUSTOMERS: Final = 3000
FILLED: Final = ("email", "mobile_phone", "day_phone", "birthday", "customer_since", "general_tags", "language")


def salon() -> World:
    world = World(business(country="DE", time_zone="Europe/Berlin"))
    world.addresses = LibraryAddressReader()  # type: ignore[assignment]
    world.import_part_bytes = 64 * 1024
    world.import_piece_bytes = 256 * 1024
    return world


def imported(world: World, content: bytes, options: ImportOptions) -> ImportView:
    view, _ = world.start_import(BUSINESS_ID, "csv", None, options)
    world.import_store.put_bytes(BUSINESS_ID, view.job.import_id, content)
    return world.run_import(view.job.import_id)


@pytest.mark.parametrize(("numbered", "encoding"), [(True, "cp1252"), (False, "utf-16")])
def test_three_thousand_customers_of_a_salon_go_in_and_the_second_time_changes_no_row(
    numbered: bool, encoding: str
) -> None:
    world = salon()
    options = ImportOptions(columns=COLUMNS, date_format=DATE_FORMAT)
    content = salon_file(CUSTOMERS, numbered=numbered, encoding=encoding)
    first = imported(world, content, options)
    before = (dict(world.customers.rows), dict(world.contacts.rows), dict(world.contacts.hashed))
    writes = world.contacts.writes
    second = imported(world, content, options)
    after = (world.customers.rows, world.contacts.rows, world.contacts.hashed)
    customers = world.customers.rows.values()

    assert (first.job.status, first.counts.failed, first.counts.created) == ("completed", 0, CUSTOMERS)
    assert first.counts.rows == first.counts.created + first.counts.unchanged
    assert {problem.field for problem in first.problems} == {
        *("email", "mobile_phone", "birthday", "language"),
        *("sms_opted_out", "email_opted_out"),
    }
    for name in FILLED:
        assert sum(bool(getattr(customer, name)) for customer in customers) > CUSTOMERS // 4, name
    assert all(customer.mobile_phone is None or customer.mobile_phone.startswith("+49151") for customer in customers)
    assert {customer.first_name.title() for customer in customers} >= {"Jörg", "Zoë", "Åsa", "José"}
    assert sum(bool(contact.consent.opted_out) for contact in world.contacts.rows.values()) > CUSTOMERS // 8
    assert (second.counts.created, second.counts.updated, second.counts.failed) == (0, 0, 0)
    assert sum(one != another for one, another in zip(before, after, strict=True)) == 0
    assert world.contacts.writes == writes
