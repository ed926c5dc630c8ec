"""What the use cases of loyalty need from outside."""

from typing import Protocol

from rebound.activity.ports import ActivityPorts


class LoyaltyPorts(ActivityPorts, Protocol):
    """What the use cases of loyalty need from outside."""
