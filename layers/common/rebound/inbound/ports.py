"""What inbound need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.messages.ports import MessagesPorts

if TYPE_CHECKING:
    from rebound.application.ports import ReplyBook


class InboundPorts(MessagesPorts, Protocol):
    """What the use cases of inbound need from outside."""

    @property
    def replies(self) -> ReplyBook: ...
