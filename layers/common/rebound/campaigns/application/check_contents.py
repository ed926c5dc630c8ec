"""What is wrong, or had better be mended, with what a campaign says to each tier, and of its voucher."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import replace
from typing import TYPE_CHECKING

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.placeholders import VOUCHER_CODE
from rebound.messages.domain.by_tier import of_no_tier
from rebound.messages.domain.vouchers import variables_of
from rebound.segments.domain.filters import compile_filter
from rebound.templates.domain.content import ANY_LANGUAGE, EmailContent, Said, TemplateContent
from rebound.templates.domain.rendering import check_said, uses

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.campaigns.application.campaign_service import NewCampaign
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.segments.domain.selections import Selection


def tier_problems(campaign: NewCampaign | Campaign, business: Business) -> list[FieldError]:
    """What is wrong with a campaign that says something else to each loyalty tier."""
    if campaign.contents is None:
        return []
    wrong: list[FieldError] = []
    for tier, said in campaign.contents.items():
        try:
            check_said(said, campaign.category, business, variables_of(campaign.voucher))
        except InvalidInputError as error:
            wrong.extend(
                replace(each, field=f"contents.{tier}{each.field.removeprefix('content')}") for each in error.errors
            )
    if not campaign.category.traits.is_spaced:
        wrong.append(FieldError("contents", "Are for loyalty campaigns alone; others have content."))
    if campaign.selection.customer_ids is not None:
        message = "Are for a segment_id or a filter: who is named by id gets one content."
        wrong.append(FieldError("contents", message))
    return wrong


def check_parts(meant: Selection, contents: Mapping[str, Said] | None) -> None:
    """Check that a filter has room for the tiers. Raises ``InvalidInputError``."""
    if contents is None or meant.filter is None:
        return
    try:
        compile_filter(of_no_tier(meant.filter, sorted(contents)))
    except InvalidInputError:
        field = "filter" if meant.segment_id is None else "segment_id"
        message = "The filter is too large to be asked beside the loyalty tiers: make it smaller, or give one content."
        raise InvalidInputError(FieldError(field, message)) from None


def about_voucher(said: Said, contents: Mapping[str, Said] | None = None) -> Iterator[FieldError]:
    """Where recipients get a voucher and are not told its code; ``contents`` are what is said by tier in its place."""
    where = {"content": said} if contents is None else {f"contents.{tier}": each for tier, each in contents.items()}
    for field, each in where.items():
        if isinstance(each, TemplateContent):
            silent = [language for language, content in each.contents.items() if not uses(content, VOUCHER_CODE)]
            if silent:
                named = "" if silent == [ANY_LANGUAGE] else f" in {', '.join(sorted(silent))}"
                yield _silent("template_id", named)
        elif not uses(each, VOUCHER_CODE):
            yield _silent(field)
        email = None if isinstance(each, EmailContent) else each.email_content
        if email is not None and not uses(email, VOUCHER_CODE):
            yield _silent("email_content")


def _silent(field: str, where: str = "") -> FieldError:
    return FieldError(
        field, f"Has no ##{{{{{VOUCHER_CODE}}}}}{where}: each recipient gets a voucher, and is not told its code."
    )
