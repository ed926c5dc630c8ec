"""What texts cost: a table that whoever runs the stack enters, as providers publish no prices for programs."""

import re
from decimal import Decimal  # noqa: TC003 - read from annotations
from typing import Final

from msgspec import Struct

from rebound.kernel.provider_codes import Provider

AMOUNT: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


class TextPrice(Struct, frozen=True):
    """What a segment costs that a business in ``country`` sends over a provider."""

    country: str
    """ISO 3166-1 alpha-2."""
    provider: Provider
    price: Decimal
    currency: str

    def of(self, segments: int) -> str:
        """What so many segments cost, as decimal text."""
        return written(self.price * segments)


def written(amount: Decimal) -> str:
    """An amount as decimal text, never with an exponent."""
    return f"{amount:f}"
