"""The business's own ids of customers who are known by ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerBook


class ReadExternalIds(Struct, frozen=True, kw_only=True):
    """Reads external ids for lists whose rows have only customer ids. ``id_of_external`` is the other way."""

    customers: CustomerBook

    def __call__(
        self, business_id: str, customer_ids: Iterable[str], *, as_of_now: bool = False
    ) -> Mapping[str, str | None]:
        """By customer id, ``None`` for who has none or is deleted.

        A read of a hundred keys for each hundred customers, none for nobody; see ``CustomerBook.get_many``.
        """
        wanted = list(dict.fromkeys(customer_ids))
        known = self.customers.external_ids(business_id, wanted, as_of_now=as_of_now) if wanted else {}
        return {each: known.get(each) for each in wanted}
