"""The list of currencies, compared with what CLDR knows of them."""

from decimal import Decimal

import pytest
from babel.core import get_global
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.currencies import decimals_of, in_decimals_of, is_currency, written_amount

PAID_WITH_TODAY = sorted(
    {
        code
        for rows in get_global("territory_currencies").values()
        for code, _, until, is_tender in rows
        if is_tender and until is None
    }
)


def test_whatever_is_paid_with_anywhere_is_a_currency_with_all_its_decimals() -> None:
    assert len(PAID_WITH_TODAY) > 100
    assert [code for code in PAID_WITH_TODAY if not is_currency(code)] == []
    assert [code for code in PAID_WITH_TODAY if decimals_of(code) < get_currency_precision(code)] == []


@pytest.mark.parametrize("code", ["ZZZ", "XXX", "XTS", "XAU", "XDR", "eur", "EURO", "", "EUR ", "ＥＵＲ"])
def test_what_is_no_money_is_no_currency(code: str) -> None:
    assert not is_currency(code)


@pytest.mark.parametrize(("code", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("RSD", 2), ("CLF", 4), ("HRK", 2)])
def test_decimals_are_those_of_the_standard(code: str, decimals: int) -> None:
    assert decimals_of(code) == decimals


@given(st.sampled_from(PAID_WITH_TODAY), st.integers(0, 10**6), st.integers(0, 4))
def test_an_amount_has_the_decimals_of_its_currency_or_is_refused(code: str, units: int, decimals: int) -> None:
    amount = Decimal(units).scaleb(-decimals)
    allowed = decimals_of(code)
    if units % 10 ** max(0, decimals - allowed):
        with pytest.raises(ValueError, match=f"{code}, which has {allowed}"):
            in_decimals_of(code, amount)
    else:
        assert in_decimals_of(code, amount) == amount
        assert in_decimals_of(code, amount).as_tuple().exponent == -allowed


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("-9.9", "EUR", "-9.90"),
        ("5.00", "JPY", "5"),
        ("0.00", "JPY", "0"),
        ("1E+3", "KWD", "1000.000"),
        ("10.001", "EUR", "10.001"),
        ("5.5", "ZZZ", "5.50"),
    ],
)
def test_an_amount_is_written_with_the_decimals_of_its_currency_and_never_with_less(
    amount: str, currency: str, written: str
) -> None:
    assert written_amount(Decimal(amount), currency) == written
