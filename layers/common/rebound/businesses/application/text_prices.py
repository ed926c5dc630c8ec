"""The operator's table of what texts cost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.text_prices import AMOUNT, TextPrice
from rebound.kernel.currencies import is_currency
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.kernel.provider_codes import TEXT_PROVIDERS, Provider

if TYPE_CHECKING:
    from rebound.businesses.ports import TextPriceBook
    from rebound.contacts.ports import AddressReader
    from rebound.kernel.pages import Page


class TextPrices(Struct, frozen=True, kw_only=True):
    """Enters, lists and takes away what a segment costs, by the business's country and by provider."""

    text_prices: TextPriceBook
    addresses: AddressReader

    def set(self, *, country: str, provider: str, price: str, currency: str) -> TextPrice:
        """Enter a price, in place of the one that there is. Raises ``InvalidInputError``."""
        errors: list[FieldError] = []
        country = self._country(country, errors)
        if provider not in TEXT_PROVIDERS:
            errors.append(FieldError("provider", f"Must be one of {', '.join(TEXT_PROVIDERS)}."))
        if not AMOUNT.fullmatch(price):
            message = "Must be decimal text, such as 0.0083: up to six digits before the point and up to six after it."
            errors.append(FieldError("price", message))
        if not is_currency(currency):
            errors.append(FieldError("currency", "Must be the code of a currency (ISO 4217), such as USD."))
        if errors:
            raise InvalidInputError(*errors)
        entered = TextPrice(country, Provider(provider), Decimal(price), currency)
        self.text_prices.put(entered)
        return entered

    def remove(self, *, country: str, provider: str) -> None:
        """Take a price away; texts there cost nobody knows what. Raises ``NotFoundError`` when there is none."""
        errors: list[FieldError] = []
        country = self._country(country, errors)
        if errors or provider not in TEXT_PROVIDERS:
            raise NotFoundError("text price")
        self.text_prices.delete(country, Provider(provider))

    def page(self, limit: int, cursor: str | None) -> Page[TextPrice]:
        """Prices by country. Raises ``InvalidInputError``."""
        return self.text_prices.page(limit, cursor)

    def _country(self, given: str, errors: list[FieldError]) -> str:
        try:
            return self.addresses.country(given)
        except ValueError as error:
            errors.append(FieldError("country", str(error)))
            return ""
