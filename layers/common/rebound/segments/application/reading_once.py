"""Books that read each row once, for who asks about the same few customers several times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rebound.contacts.domain.contacts import Contact
    from rebound.kernel.channels import ContactKey


class ReadOnceOf:
    """A book of what is known of a business's customers that reads each of them once; for few at a time."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._known: dict[str, Any] = {}

    def forget(self) -> None:
        """Read everybody anew from now on."""
        self._known.clear()

    def get_many(self, business_id: str, customer_ids: Iterable[str], **how: Any) -> Mapping[str, Any]:
        """As the book."""
        asked = list(customer_ids)
        missing = [each for each in asked if each not in self._known]
        if missing:
            self._known |= self._book.get_many(business_id, missing, **how)
        return {each: self._known[each] for each in asked}


class ReadOnce:
    """A book of contacts that reads each of them once; for few at a time."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._known: dict[ContactKey, Contact] = {}

    def forget(self) -> None:
        """Read everybody anew from now on."""
        self._known.clear()

    def get_many(self, keys: Iterable[ContactKey], **how: Any) -> Mapping[ContactKey, Contact]:
        """As the book."""
        asked = list(keys)
        missing = [each for each in asked if each not in self._known]
        if missing:
            self._known |= self._book.get_many(missing, **how)
        return {each: self._known[each] for each in asked}
