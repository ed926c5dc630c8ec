"""Numbers of campaigns with vouchers, redemptions and totals: one suite against the fake and the table."""

from copy import replace
from decimal import Decimal

import pytest

from rebound.campaigns.domain.redemptions import Redemption, Sale, Total
from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, at

OTHER = "studio-maple"
FREE = Redemption(BUSINESS_ID, "3CDFGHJKMN", CAMPAIGN_ID)


def sale(order_id: str = "o-1", amount: str = "80.00", discount: str = "8.00", currency: str = "EUR") -> Sale:
    return Sale(order_id, Decimal(amount), Decimal(discount), currency, at(5))


def stored(ports: EveryPorts, code: str = FREE.code) -> Redemption:
    return ports.voucher_book.get_many(BUSINESS_ID, [code])[code]


def test_each_business_counts_its_own_campaigns(ports: EveryPorts) -> None:
    book = ports.voucher_book
    assert [book.number(BUSINESS_ID, f"c{n}") for n in (1, 2)] == [1, 2]
    assert book.number(OTHER, "c9") == 1
    assert [book.campaign_of(BUSINESS_ID, n) for n in (0, 1, 2, 3)] == [None, "c1", "c2", None]
    assert book.campaign_of(OTHER, 1) == "c9"


def test_what_is_redeemed_is_read_back_and_counted(ports: EveryPorts) -> None:
    book = ports.voucher_book
    assert (book.get_many(BUSINESS_ID, [FREE.code]), book.totals(BUSINESS_ID, CAMPAIGN_ID)) == ({}, {})
    book.replace(FREE, replace(FREE, sale=sale()))
    other = replace(FREE, code="3CDFGHJKMP")
    book.replace(other, replace(other, sale=replace(sale("o-2", "1000", "1", "JPY"), free_minutes=30)))

    assert stored(ports) == replace(FREE, sale=sale(), version=1)
    found = stored(ports, other.code).sale
    assert found is not None
    assert found.free_minutes == 30
    assert book.get_many(OTHER, [FREE.code]) == {}
    assert book.totals(BUSINESS_ID, CAMPAIGN_ID) == {
        "EUR": Total(1, Decimal("72.00")),
        "JPY": Total(1, Decimal(999)),
    }


def test_what_is_taken_back_is_taken_off_and_remembered(ports: EveryPorts) -> None:
    book = ports.voucher_book
    book.replace(FREE, replace(FREE, sale=sale()))
    back = replace(stored(ports), sale=None, taken_back=frozenset({"o-1"}))
    book.replace(stored(ports), back)
    assert book.totals(BUSINESS_ID, CAMPAIGN_ID) == {"EUR": Total(0, Decimal(0))}
    book.replace(stored(ports), replace(stored(ports), sale=sale("o-2", "10.50", "0.50")))

    assert stored(ports) == Redemption(
        BUSINESS_ID, FREE.code, CAMPAIGN_ID, sale("o-2", "10.50", "0.50"), frozenset({"o-1"}), version=3
    )
    assert book.totals(BUSINESS_ID, CAMPAIGN_ID) == {"EUR": Total(1, Decimal(10))}


def test_who_read_what_is_not_so_any_more_writes_nothing(ports: EveryPorts) -> None:
    book = ports.voucher_book
    book.replace(FREE, replace(FREE, sale=sale()))
    for before in (FREE, replace(FREE, version=2)):
        with pytest.raises(ConcurrentChangeError):
            book.replace(before, replace(before, sale=sale("o-2")))

    assert stored(ports).sale == sale()
    assert book.totals(BUSINESS_ID, CAMPAIGN_ID) == {"EUR": Total(1, Decimal(72))}


def test_of_what_is_forgotten_only_that_it_was_redeemed_stays_and_the_sum(ports: EveryPorts) -> None:
    book = ports.voucher_book
    book.replace(FREE, replace(FREE, sale=sale()))
    free = replace(FREE, code="3CDFGHJKMQ", taken_back=frozenset({"o-9"}))
    book.replace(free, free)
    for _ in range(2):
        book.forget(BUSINESS_ID, [FREE.code, "3CDFGHJKMP", free.code])

    assert book.get_many(BUSINESS_ID, ["3CDFGHJKMP"]) == {}
    assert stored(ports) == Redemption(BUSINESS_ID, FREE.code, CAMPAIGN_ID, closed=True, version=3)
    assert stored(ports, free.code) == Redemption(BUSINESS_ID, free.code, CAMPAIGN_ID, version=3)
    assert book.totals(BUSINESS_ID, CAMPAIGN_ID) == {"EUR": Total(1, Decimal(72))}
