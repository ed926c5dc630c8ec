"""Double opt-in: promotional messages only to those who have asked for them in their own word (an option)."""

from msgspec import Struct

from rebound.kernel.channels import Channel


class DoubleOptIn(Struct, frozen=True):
    """On which channels marketing goes only to contacts with an own-word opt-in (``Consent.is_confirmed``)."""

    email: bool = False
    sms: bool = False

    def is_asked_for(self, channel: Channel) -> bool:
        """Whether the channel wants it."""
        return self.email if channel is Channel.EMAIL else self.sms
