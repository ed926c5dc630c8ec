"""The limit for bulk email without the marketing bundle (``Business.recipient_limit``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.domain.business import Business
    from rebound.eligibility.application.preview_audience import PreviewAudience
    from rebound.eligibility.ports import BulkDayBook
    from rebound.messages.domain.mailing import Mailing


class LimitRecipients(Struct, frozen=True, kw_only=True):
    """Decides once for each campaign of a limited business whether it may begin, and counts its recipients.

    All bulk campaigns of a local day reserve in one row, by a conditional write: of two at once, the second sees what
    the first has reserved. A campaign that asks again is told the same.
    """

    bulk_days: BulkDayBook
    preview: PreviewAudience

    def refuses(self, business: Business, mailing: Mailing, campaign_id: str, began_at: datetime) -> bool:
        """Whether a campaign may not be sent; asked before its first chunk. Nothing is read for who has no limit."""
        limit = business.recipient_limit(mailing.channel, mailing.category)
        if limit is None or mailing.single:
            return False
        day = business.local_day(began_at)

        def decide() -> bool:
            known = self.bulk_days.get(business.business_id, day)
            if campaign_id in known.campaigns:
                return known.campaigns[campaign_id] is None
            count = self.preview.count_targeted(mailing, limit - known.reserved)
            refused = known.reserved + count >= limit
            self.bulk_days.save(known.with_campaign(campaign_id, None if refused else count))
            return refused

        return retried(decide)

    def admitted(self, business: Business, mailing: Mailing, part: str, wanted: int, began_at: datetime) -> int:
        """How many of ``wanted`` more recipients a limited business may still reach on the day, and counts them.

        They are a ``part`` of a campaign that was not judged as a whole, because it was none of emails when it began.
        A part that asks again is told the same. Nothing is read for who has no limit.
        """
        limit = business.recipient_limit(mailing.channel, mailing.category)
        if limit is None or mailing.single:
            return wanted
        day = business.local_day(began_at)

        def decide() -> int:
            known = self.bulk_days.get(business.business_id, day)
            if part in known.campaigns:
                return known.campaigns[part] or 0
            count = max(min(wanted, limit - 1 - known.reserved), 0)
            if count:
                self.bulk_days.save(known.with_campaign(part, count))
            return count

        return retried(decide)
