"""How many of a campaign's messages are where, and since when: shapes."""

from typing import Self

from pydantic import Field

from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.domain.over_time import SpanResults
from rebound.campaigns.domain.results import VariantResults
from rebound.platform.http.shapes import Answer, Time


class ResultsAnswer(Answer):
    """How many of those targeted are where; they add up to ``targeted``."""

    queued: int = 0
    sent: int = Field(default=0, description="Accepted by the provider, no final word yet.")
    delivered: int = 0
    bounced: int = Field(default=0, description="Final, and the address's fault.")
    failed: int = Field(default=0, description="Final, for any other reason.")
    uncertain: int = Field(default=0, description="Nobody knows whether it went out; settled by a later receipt.")
    cancelled: int = Field(default=0, description="The campaign was cancelled before these were handed over.")

    @classmethod
    def of(cls, view: CampaignView | VariantResults) -> Self:
        """The answer for the results of a campaign, or of one of its variants."""
        return cls(**{str(status): count for status, count in view.results.items()})


class SpanAnswer(Answer):
    """How many have had their status since a span of time: by what the provider says, or else since the hand-over.

    The spans are of five minutes for the first three hours, counted from the full hour in which the campaign began, of
    an hour until two days have passed, and of a day until thirty.
    """

    since: Time
    until: Time | None = Field(description="The next span begins then. Null for all that came after thirty days.")
    sent: int = 0
    delivered: int = 0
    bounced: int = 0
    failed: int = 0
    uncertain: int = 0

    @classmethod
    def of(cls, span: SpanResults) -> Self:
        """The answer for a span."""
        return cls(since=span.since, until=span.until, **{str(each): count for each, count in span.results.items()})
