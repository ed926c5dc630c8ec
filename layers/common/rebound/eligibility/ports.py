"""What eligibility need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.messages.ports import MessagesPorts
from rebound.segments.ports import SegmentsPorts

if TYPE_CHECKING:
    from rebound.application.ports import FrequencyBook


class EligibilityPorts(SegmentsPorts, MessagesPorts, Protocol):
    """What the use cases of eligibility need from outside."""

    @property
    def frequencies(self) -> FrequencyBook: ...
