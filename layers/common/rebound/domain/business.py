"""A business: the tenant, and how it sends."""

from dataclasses import dataclass, field
from enum import StrEnum

from rebound.domain.channels import Channel
from rebound.domain.reachability import STANDARD_POLICY, ReachabilityPolicy


class TextProvider(StrEnum):
    """Who carries the business's texts."""

    TWILIO = "twilio"
    SNS = "sns"


@dataclass(frozen=True, slots=True)
class Business:
    """The settings of one business.

    ``country`` is ISO 3166-1 alpha-2 and the country in which numbers without a country code are read; ``time_zone`` an
    IANA name. ``text_from`` is a phone number in E.164 or a Twilio messaging service id (``MG…``). ``version`` counts
    the writes of the stored row and is no setting, so it does not make settings differ.
    """

    business_id: str
    name: str
    country: str
    time_zone: str
    owner_email: str | None = None
    email_from: str | None = None
    text_provider: TextProvider = TextProvider.TWILIO
    text_from: str | None = None
    policy: ReachabilityPolicy = field(default=STANDARD_POLICY)
    version: int = field(default=0, compare=False)

    def can_send(self, channel: Channel) -> bool:
        """Whether the channel has what it needs to send; SNS may choose a number by itself."""
        match channel:
            case Channel.EMAIL:
                return self.email_from is not None
            case Channel.SMS:
                return self.text_from is not None or self.text_provider is TextProvider.SNS
