"""What a campaign would say to one customer, before anybody gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.placeholders import SAMPLE_VALUES, VOUCHER_CODE
from rebound.messages.application.load_content import loaded
from rebound.messages.application.voucher_values import voucher_values
from rebound.templates.application.preview_template import written_out

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.customers.domain import Customer
    from rebound.platform.ports import Clock
    from rebound.templates.application.preview_template import Preview
    from rebound.templates.application.template_contents import TemplateContents


class PreviewCampaign(Struct, frozen=True, kw_only=True):
    """Shows what a campaign says as the sender would write it out. Nothing is sent, and nothing kept."""

    template_contents: TemplateContents
    clock: Clock

    def __call__(self, campaign: Campaign, customer: Customer, business: Business) -> Preview:
        """What the customer would get; the code of a voucher is a sample, because it belongs to a message.

        Raises ``InvalidInputError`` where the template is deleted, or something that it requires says nothing.
        """
        campaign = loaded(campaign.for_customer(customer.customer_id), self.template_contents)
        more = campaign.more_values
        if campaign.voucher is not None:
            code = SAMPLE_VALUES[VOUCHER_CODE]
            at = campaign.starts_at(self.clock.now())
            more = voucher_values(campaign.voucher, code, customer, business, campaign.channel, at)
        return written_out(campaign.content, campaign.category, customer, business, more)
