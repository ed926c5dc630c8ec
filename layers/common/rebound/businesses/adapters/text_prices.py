"""What texts cost, in the Directory table."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from rebound.businesses.domain.text_prices import TextPrice, written
from rebound.kernel.errors import NotFoundError
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from rebound.platform.adapters.directory import Directory

PRICES: Final = "#text_prices"
"""Partition key, in place of a business id."""


class DynamoTextPrices(Directory):
    """Implements ``TextPriceBook``: a row for each price."""

    kind = "text_price"

    def get(self, country: str, provider: Provider) -> TextPrice | None:
        document = self.get_document(PRICES, _id(country, provider))
        return None if document is None else _read(document)

    def put(self, price: TextPrice) -> None:
        document = {
            "country": price.country,
            "provider": price.provider.value,
            "price": written(price.price),
            "currency": price.currency,
        }
        self.put_document(PRICES, _id(price.country, price.provider), document)

    def delete(self, country: str, provider: Provider) -> None:
        try:
            self.delete_document(PRICES, _id(country, provider))
        except NotFoundError:
            raise NotFoundError("text price") from None

    def page(self, limit: int, cursor: str | None) -> Page[TextPrice]:
        return self.page_documents(PRICES, limit, cursor, lambda _, document: _read(document))


def _id(country: str, provider: Provider) -> str:
    return f"{country}-{provider.value}"


def _read(document: Mapping[str, Any]) -> TextPrice:
    provider, price = Provider(document["provider"]), Decimal(document["price"])
    return TextPrice(document["country"], provider, price, document["currency"])
