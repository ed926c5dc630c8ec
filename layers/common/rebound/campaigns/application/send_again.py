"""Sending a campaign again to some of those whom it did not reach: to each of them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.sent_again import MOST, Copy
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, FieldError, InvalidInputError
from rebound.kernel.retrying import retried
from rebound.segments.domain.selections import Selection

if TYPE_CHECKING:
    from rebound.campaigns.application.edit_campaign import EditCampaign
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.ports import SentAgainBook


class Again(Struct, frozen=True):
    """What came of it: the copy's id, and whether that was sent to the same people before.

    There is no copy where some of them are in another one already: nothing was sent then.
    """

    copy_id: str | None
    was_before: bool = False


class SendAgain(Struct, frozen=True, kw_only=True):
    """Sends copies of campaigns to some of their people, flagged or not.

    Whom a copy is for is written before it is announced, on the condition that nobody else was meanwhile; of two at
    once, one finds what the other has written. What is refused is taken back.
    """

    sent_again: SentAgainBook
    edit: EditCampaign

    def known(self, business_id: str, campaign_id: str) -> Mapping[str, str]:
        """Those to whom a campaign was sent again, each with the id of the copy."""
        return self.sent_again.get(business_id, campaign_id).by_customer

    def of_just(self, business_id: str, campaign_id: str, people: Sequence[str]) -> str | None:
        """The id of the copy that is for just these people; ``None`` where there is none."""
        return self.sent_again.get(business_id, campaign_id).of_just(people)

    def __call__(self, business_id: str, campaign: Campaign, people: Sequence[str], name: str) -> Again:
        """Send it to them, as a campaign of this name; asked again for the same people, it is the same copy.

        Raises ``InvalidInputError`` and ``ConflictError`` as announcing does.
        """
        made: list[str] = []

        def claim() -> str | None:
            sent = self.sent_again.get(business_id, campaign.campaign_id)
            if (before := sent.of_just(people)) is not None:
                return before
            known = sent.by_customer
            if any(each in known for each in people):
                return None
            if len(known) + len(people) > MOST:
                raise InvalidInputError(FieldError("customer", f"Must be at most {MOST} of one campaign."))
            if not made:
                made.append(self._drafted(business_id, campaign, people, name))
            self.sent_again.replace(sent.with_copy(Copy(made[0], tuple(people))))
            return made[0]

        copy_id = retried(claim)
        if copy_id is None:
            return Again(None)
        copy = self.edit.view.find(business_id, copy_id)
        if copy.status is not CampaignStatus.DRAFT:
            return Again(copy_id, was_before=True)
        try:
            self.edit.announce(business_id, copy_id)
        except (InvalidInputError, ConflictError):
            self._release(business_id, campaign.campaign_id, copy_id)
            raise
        return Again(copy_id)

    def _drafted(self, business_id: str, campaign: Campaign, people: Sequence[str], name: str) -> str:
        change = CampaignChange(
            name=name,
            selection=lambda _: Selection(customer_ids=tuple(people)),
            include_customer_ids=frozenset(people),
            include_external_ids=frozenset(),
            exclude_customer_ids=frozenset(),
            exclude_external_ids=frozenset(),
        )
        request = f"console#again#{campaign.campaign_id}#{'#'.join(sorted(people))}"
        return self.edit.copy(business_id, campaign.campaign_id, change, request, draws_anew=False).campaign.campaign_id

    def _release(self, business_id: str, campaign_id: str, copy_id: str) -> None:
        def write() -> None:
            self.sent_again.replace(self.sent_again.get(business_id, campaign_id).without(copy_id))

        # Where others keep writing, these people are refused from then on: better than sent to twice.
        with suppress(ConcurrentChangeError):
            retried(write)
