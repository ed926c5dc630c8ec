"""What customers need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.businesses.ports import BusinessesPorts

if TYPE_CHECKING:
    from rebound.application.ports import CustomerBook


class CustomersPorts(BusinessesPorts, Protocol):
    """What the use cases of customers need from outside."""

    @property
    def customers(self) -> CustomerBook: ...
