"""A filtered list looks through so many customers and no more, and goes on from there."""

from collections.abc import Sequence

import pytest

from rebound.customers.adapters.customer_book import MOST_PAGES, PAGE, DynamoCustomerBook
from rebound.customers.domain import Customer
from tests.fakes.making import BUSINESS_ID, customer

EVERYBODY = sorted((customer(number) for number in range(2 * MOST_PAGES * PAGE)), key=lambda c: c.customer_id)


class LongBook(DynamoCustomerBook):
    """A table with more customers than one request looks through."""

    def __init__(self) -> None:
        self.pages = 0

    def _query(self, business_id: str, after: str | None, limit: int) -> Sequence[Customer]:
        self.pages += 1
        return [c for c in EVERYBODY if after is None or c.customer_id > after][:limit]


@pytest.mark.parametrize("wanted", [EVERYBODY[-1], EVERYBODY[len(EVERYBODY) // 2]])
def test_a_page_may_be_empty_and_the_cursor_leads_to_who_matches(wanted: Customer) -> None:
    book = LongBook()
    cursor: str | None = None
    found: list[Customer] = []
    for request in range(1, 5):
        page = book.page(BUSINESS_ID, limit=10, cursor=cursor, matching=lambda some: [c for c in some if c == wanted])
        assert book.pages <= request * MOST_PAGES
        found.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == [wanted]
    assert cursor is None
