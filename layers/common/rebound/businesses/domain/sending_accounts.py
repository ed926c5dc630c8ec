"""What messages go out over, and whose rate they share."""

from typing import Final

from msgspec import Struct


class SendingAccount(Struct, frozen=True):
    """What messages go out over; ``rate`` is messages a second, or ``None`` where the provider says it itself."""

    name: str
    rate: float | None = None


EMAIL_ACCOUNT: Final = SendingAccount("ses")
"""SES's rate and quota are those of the AWS account and region, for all businesses of a deployment."""
