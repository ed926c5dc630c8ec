"""When a campaign pauses by itself: too many messages fail through our own fault, or too many bounce."""

from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import FinalWords
from rebound.kernel.provider_codes import Provider, look_up


class Threshold(Struct, frozen=True):
    """A share that is too much, once there are at least ``after`` cases and ``least`` bad ones among them."""

    percent: int
    least: int = 1
    after: int = 1
    exclusive: bool = False
    """Whether exactly the share is still allowed."""

    def is_passed_by(self, bad: int, total: int) -> bool:
        """Whether ``bad`` of ``total`` are too many."""
        too_much = bad * 100 > self.percent * total if self.exclusive else bad * 100 >= self.percent * total
        return too_much and bad >= self.least and total >= self.after


FAULTS: Final = Threshold(percent=20, least=10)
"""Any campaign has a few failures that are our own (a country that is not enabled, one spam filter). Ten of them fit
into one chunk, so not much more than a chunk has failed when the campaign is paused."""
BOUNCES: Final = Threshold(percent=5, after=1000, exclusive=True)
"""SES puts an account under review at a bounce rate of 5 %
(https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html). A rate of fewer than a thousand
receipts says little."""
BOUNCE_WARNING: Final = Threshold(percent=2, least=10, after=500)
"""SES recommends a rate below 2 %. Fewer cases are needed than for the pause, so that the warning comes first."""


def reason_to_pause(words: FinalWords) -> str | None:
    """Why a campaign with these final words should pause, as a sentence for people; ``None`` when it should not."""
    if FAULTS.is_passed_by(words.faults, words.total):
        return (
            f"Paused by itself: {words.faults} of {words.total} messages with an outcome failed through a fault of the "
            "sender or of the content, not of the addresses. The failed messages say which; mend it, then resume."
        )
    if BOUNCES.is_passed_by(words.hard_bounces, words.total):
        return (
            f"Paused by itself: {words.hard_bounces} of {words.total} emails with an outcome bounced for good, more "
            f"than {BOUNCES.percent} %, at which Amazon reviews the account. Look where these addresses came from "
            "before you resume."
        )
    return None


def deserves_a_warning(words: FinalWords) -> bool:
    """Whether so many messages bounce that a person should look, before the campaign has to pause."""
    return BOUNCE_WARNING.is_passed_by(words.hard_bounces, words.total)


def reason_of_refusal(provider: Provider, code: str, refused: int, tried: int) -> str:
    """Why a campaign pauses when its provider has just refused so many of its messages, as a sentence for people."""
    row = look_up(provider, code)
    return (
        f"Paused by itself: {provider} refused {refused} of {tried} messages at once ({row.reason}, {code}). "
        f"{row.sentence} None of them has gone out; a resume sends them."
    )
