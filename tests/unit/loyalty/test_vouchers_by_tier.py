"""Vouchers of campaigns that say something else to each tier: one for each recipient, counted for both."""

import re
from collections.abc import Mapping
from copy import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.redemptions import Total
from rebound.kernel.categories import Category
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.loyalty.domain.tiers import Tier
from rebound.messages.domain.vouchers import Voucher, VoucherKind
from rebound.templates.domain.content import EmailContent, Said
from rebound.vouchers.application.redeem_voucher import Order
from tests.fakes.making import BUSINESS_ID, id_of
from tests.fakes.world import World
from tests.unit.loyalty.test_by_tier import salon

TEN_PERCENT: Final = Voucher(kind=VoucherKind.PERCENT, value="10", currency="EUR", valid_days=90)
CODE: Final = re.compile(r"code ([2-9C-Y-]+)\.")
WITH_CODE: Final = "##{{voucher_value}} with the code ##{{voucher_code}}."


def offering(contents: Mapping[str, Said], voucher: Voucher | None = TEN_PERCENT) -> dict[str, Any]:
    said = {"content": next(iter(contents.values())), "contents": contents}
    return {"category": Category.LOYALTY, "voucher": voucher, **said}


def saying(tier: str, text: str = WITH_CODE) -> EmailContent:
    return EmailContent(f"To the {tier}", None, text)


def codes(world: World) -> dict[str, str]:
    """The codes that went out, by customer."""
    return {
        id_of(int(email.to.removeprefix("ana").partition("@")[0])): found[1]
        for email in world.mailer.emails
        if (found := CODE.search(email.content.text or "")) is not None
    }


def redeem(world: World, code: str, customer_id: str, order_id: str) -> Decimal:
    return world.redeem_voucher(BUSINESS_ID, code, Order(customer_id, order_id, "50.00")).sale.discount


@settings(max_examples=12, deadline=None)
@given(tiers=st.sets(st.sampled_from(Tier), min_size=1), seed=st.integers(0, 100))
def test_each_recipient_of_each_tier_redeems_one_and_the_campaign_counts_them_all(tiers: set[Tier], seed: int) -> None:
    world = salon(seed)
    parent = world.run(world.post(**offering({tier: saying(tier) for tier in tiers})).campaign.campaign_id)
    given_out = codes(world)
    assert len(given_out) == len(set(given_out.values())) == len(world.mailer.emails) == parent.audience.targeted
    for place, (customer_id, code) in enumerate(sorted(given_out.items())):
        [issued] = world.vouchers_of_customer(BUSINESS_ID, customer_id)
        assert redeem(world, code, customer_id, f"o-{place}") == redeem(world, code, customer_id, f"o-{place}") == 5
        assert issued.campaign.parent_id == parent.campaign.campaign_id
        for other in given_out.keys() - {customer_id}:
            with pytest.raises(NotFoundError):
                redeem(world, code, other, "another")
        assert world.vouchers_of_customer(BUSINESS_ID, customer_id) == []

    view = world.campaign_service.get(BUSINESS_ID, parent.campaign.campaign_id)
    total = {"EUR": Total(len(given_out), Decimal(45) * len(given_out))} if given_out else {}
    assert view.brought_in == total
    by_tier = {child.campaign.tier: child.brought_in or {} for child in view.children}
    assert {tier: found.get("EUR", Total()).redeemed for tier, found in by_tier.items()} == {
        child.campaign.tier: child.audience.targeted for child in view.children
    }


@given(shown=st.dictionaries(st.sampled_from(Tier), st.booleans(), min_size=1))
def test_who_would_not_be_told_the_code_is_warned_of(shown: dict[Tier, bool]) -> None:
    world = salon()
    contents: dict[str, Said] = {
        tier: saying(tier, WITH_CODE if is_shown else "Thanks.") for tier, is_shown in shown.items()
    }
    silent = {f"contents.{tier}" for tier, is_shown in shown.items() if not is_shown}
    posted = world.post(**offering(contents), is_draft=True)

    def warned(view: Any) -> set[str]:
        return {warning.field for warning in view.warnings} - {"postal_address"}

    own = posted.campaign.campaign_id
    assert warned(posted) == warned(world.campaign_service.get(BUSINESS_ID, own)) == silent
    changed = world.edit_campaign.change(BUSINESS_ID, own, CampaignChange(content=lambda _: saying("everybody", "Hi")))
    assert warned(changed) == {"content"}
    changed = world.edit_campaign.change(BUSINESS_ID, own, CampaignChange(content=lambda _: saying("everybody")))
    assert warned(changed) == set()
    silenced = world.edit_campaign.change(BUSINESS_ID, own, CampaignChange(contents=lambda _: contents))
    assert warned(silenced) == silent
    without = CampaignChange(voucher=None, contents=lambda _: {tier: saying(tier, "Thanks.") for tier in shown})
    assert warned(world.edit_campaign.change(BUSINESS_ID, own, without)) == set()


def test_a_draft_takes_a_voucher_with_its_contents_and_needs_it_for_the_code() -> None:
    world = salon()
    contents = {"new": saying("new"), "top": saying("top", "Thanks.")}
    with pytest.raises(InvalidInputError) as refused:
        world.post(**offering(contents, None))
    assert {error.field for error in refused.value.errors} == {"contents.new.text"}
    draft = world.post(**offering(contents), is_draft=True).campaign.campaign_id
    changed = world.edit_campaign.change(
        BUSINESS_ID, draft, CampaignChange(voucher=replace(TEN_PERCENT, value="15"), contents=lambda _: contents)
    )
    with pytest.raises(InvalidInputError):
        world.edit_campaign.change(BUSINESS_ID, draft, CampaignChange(voucher=None))
    copied = world.edit_campaign.copy(BUSINESS_ID, draft)
    world.edit_campaign.announce(BUSINESS_ID, draft)
    world.run(draft)

    assert (changed.campaign.voucher, copied.campaign.voucher) == (
        replace(TEN_PERCENT, value="15", number=1),
        replace(TEN_PERCENT, value="15", number=2),
    )
    assert len(codes(world)) == 2
