"""The currencies that amounts may be in, and how many decimals each has: the one list of the house, as data.

``currencies.csv`` has the codes of ISO 4217 that have a minor unit, with its decimals: list one as published on
2026-01-01, and those withdrawn since the year 2000, for what was paid before. Codes without a minor unit (metals,
tests, "no currency") are no money. The table is read when somebody first asks.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from decimal import Decimal

CODE: Final = "[A-Z]{3}"
"""What a code looks like, as a pattern."""


@cache
def _table() -> dict[str, int]:
    _, *lines = Path(__file__).with_name("currencies.csv").read_text(encoding="ascii").splitlines()
    return {code: int(decimals) for code, _, decimals in (line.partition(",") for line in lines)}


def is_currency(code: str) -> bool:
    """Whether a code, in capitals, is that of a currency."""
    return code in _table()


def decimals_of(currency: str) -> int:
    """How many decimals amounts of a currency have; two for what is none, which older rows may name."""
    return _table().get(currency, 2)


def in_decimals_of(currency: str, amount: Decimal) -> Decimal:
    """An amount with exactly the decimals of its currency. Raises ``ValueError`` with a sentence when it has more."""
    decimals = decimals_of(currency)
    if amount != round(amount, decimals):
        raise ValueError(f"Has more decimals than {currency}, which has {decimals}.")
    # Adding nothing takes the sign off a zero.
    return round(amount, decimals) + 0


def written_amount(amount: Decimal, currency: str) -> str:
    """An amount as decimal text with the decimals of its currency, and with more where it has them."""
    try:
        return f"{in_decimals_of(currency, amount):f}"
    except ValueError:
        return f"{amount:f}"
