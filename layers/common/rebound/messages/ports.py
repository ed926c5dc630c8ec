"""What messages need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.customers.ports import CustomersPorts

if TYPE_CHECKING:
    from rebound.application.ports import AppointmentBook, LinkKeyring, MessageLog


class MessagesPorts(CustomersPorts, Protocol):
    """What the use cases of messages need from outside."""

    @property
    def messages(self) -> MessageLog: ...

    @property
    def appointments(self) -> AppointmentBook: ...

    @property
    def link_keyring(self) -> LinkKeyring: ...

    @property
    def public_url(self) -> str:
        """Where the world reaches the API, without a slash at the end."""
