"""What is wrong, or had better be mended, with what a campaign says to each tier, and of its voucher."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from typing import TYPE_CHECKING, Final

from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.placeholders import VOUCHER_CODE
from rebound.messages.domain.by_tier import of_no_tier
from rebound.messages.domain.goals import GoalKind
from rebound.messages.domain.variants import REST
from rebound.messages.domain.vouchers import variables_of
from rebound.messages.domain.winners import ChosenBy
from rebound.segments.domain.filters import compile_filter
from rebound.templates.domain.content import ANY_LANGUAGE, EmailContent, Said, TemplateContent
from rebound.templates.domain.rendering import check_said, uses

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.domain.business import Business
    from rebound.campaigns.application.campaign_service import NewCampaign
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.messages.domain.variants import Split, Variant
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


def variant_problems(
    campaign: NewCampaign | Campaign, variants: Sequence[Variant], business: Business
) -> list[FieldError]:
    """What is wrong with what a campaign's variants say, and with the goal by which they are compared."""
    wrong: list[FieldError] = []
    for number, variant in enumerate(variants):
        if variant.content is None:
            continue
        try:
            check_said(variant.content, campaign.category, business, variables_of(campaign.voucher))
        except InvalidInputError as error:
            wrong.extend(replace(each, field=f"variants[{number}].{each.field}") for each in error.errors)
    if campaign.goal is not None and campaign.goal.kind is GoalKind.REDEMPTION and campaign.voucher is None:
        wrong.append(FieldError("goal.kind", "Needs a voucher, which recipients can redeem."))
    if campaign.goal is not None and campaign.goal.kind is GoalKind.REPLY and campaign.channel is Channel.EMAIL:
        wrong.append(
            FieldError("goal.kind", "Answers to emails go to your own mailbox: they are counted of texts alone.")
        )
    return wrong


NEEDS_VARIANTS: Final = "Needs variants, of which the best goes to the rest."


def winner_problems(
    campaign: NewCampaign | Campaign, split: Split | None, local_time: datetime | None
) -> list[FieldError]:
    """What is wrong with the rule by which the best variant goes to the rest, if there is one."""
    if split is None or split.winner is None:
        return []
    wrong: list[FieldError] = []
    if local_time is not None:
        message = "Not with local: some clocks show the time a day after others, and all are to be compared."
        wrong.append(FieldError("winner", message))
    if split.winner.by is ChosenBy.GOAL and campaign.goal is None:
        wrong.append(FieldError("winner.by", "Needs a goal, which recipients can reach."))
    for number, variant in enumerate(split.variants):
        if variant.name == REST:
            wrong.append(FieldError(f"variants.{number}.name", "Is what those are called who get the winner."))
    return wrong


def unpinned(said: Said) -> Said:
    """What a draft says, which takes the version of a template that is published when it is announced."""
    return said.unpinned if isinstance(said, TemplateContent) else said


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


def about_voucher(all_said: Mapping[str, Said]) -> Iterator[FieldError]:
    """Where recipients get a voucher and are not told its code, of all that is said, by where it stands."""
    for field, each in all_said.items():
        if isinstance(each, TemplateContent):
            silent = [language for language, content in each.contents.items() if not uses(content, VOUCHER_CODE)]
            if silent:
                named = "" if silent == [ANY_LANGUAGE] else f" in {', '.join(sorted(silent))}"
                yield _silent(_beside(field, "template_id"), named)
        elif not uses(each, VOUCHER_CODE):
            yield _silent(field)
        email = None if isinstance(each, EmailContent) else each.email_content
        if email is not None and not uses(email, VOUCHER_CODE):
            yield _silent(_beside(field, "email_content"))


def all_said(campaign: Campaign) -> Mapping[str, Said]:
    """All that a campaign says, each by where it stands."""
    if campaign.contents is not None:
        return {f"contents.{tier}": each for tier, each in campaign.contents.items()}
    if campaign.split is None or not campaign.split.variants:
        return {"content": campaign.content}
    return {f"variants[{number}].content": each for number, each in enumerate(campaign.all_said) if each is not None}


def _beside(field: str, name: str) -> str:
    """The field of another name beside one."""
    before, dot, last = field.rpartition(".")
    return f"{before}.{name}" if last == "content" and dot else name


def _silent(field: str, where: str = "") -> FieldError:
    return FieldError(
        field, f"Has no ##{{{{{VOUCHER_CODE}}}}}{where}: each recipient gets a voucher, and is not told its code."
    )
