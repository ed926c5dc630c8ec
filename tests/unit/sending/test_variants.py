"""Each recipient gets their variant, those who are held out get nothing, and all of it is counted, whatever dies."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.text_plan import TextPlan
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.inbound.domain.replies import IncomingText
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.links import Link, Purpose, write_token
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import Split, Variant
from rebound.templates.domain.content import EmailContent, TextContent
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, business, customer, id_of
from tests.fakes.world import Chaos, World

PEOPLE: Final = 160
HOLDOUTS: Final = st.sampled_from([0, 4_000])
OURS: Final = "+14155550100"
EMAILS: Final = (
    Variant("Short", 3_000, EmailContent("Short", None, "Come.")),
    Variant("Long", 7_000, EmailContent("Long", None, "Come, ##{{first_name}}.")),
)
TEXTS: Final = (Variant("Short", 5_000, TextContent("Come.")), Variant("Long", 5_000, TextContent("Do come.")))
BODIES: Final = {"Come.": "Short", "Do come.": "Long"}


def salon(people: int = PEOPLE, seed: int = 0, **settings_: Any) -> World:
    world = World(business(**settings_), seed=seed)
    world.add(*(customer(number) for number in range(1, people + 1)))
    return world


def post(world: World, channel: Channel = Channel.EMAIL, **given: Any) -> CampaignView:
    variants = EMAILS if channel is Channel.EMAIL else TEXTS
    return world.post(channel, **{"content": variants[0].content, "variants": variants, **given})


def split_of(view: CampaignView) -> Split:
    split = view.campaign.split
    assert split is not None
    return split


def by_variant(view: CampaignView) -> dict[str, tuple[int, dict[str, int]]]:
    return {
        each.name: (each.targeted, {str(status): count for status, count in each.results.items() if count})
        for each in view.variants
    }


def test_everybody_gets_their_own_variant_in_as_many_calls_as_if_all_got_the_same() -> None:
    world, alike = salon(), salon()
    view = world.run(post(world).campaign.campaign_id)
    alike.run(alike.post().campaign.campaign_id)
    split = split_of(view)
    said = {handed.key.customer_id: handed.subject for handed in world.mailer.handed}

    assert said == {id_of(n): split.variant_of(id_of(n)) for n in range(1, PEOPLE + 1)}
    assert len(set(said.values())) == 2
    assert world.mailer.calls == alike.mailer.calls < PEOPLE / 20
    assert {m.key.customer_id: m.variant for m in world.messages.rows.values()} == said
    assert by_variant(view) == {
        name: (count, {"delivered": count}) for name, count in split.counts(sorted(said)).items()
    }


def test_who_is_held_out_has_a_row_and_no_message_and_is_counted_as_left_out() -> None:
    world = salon()
    view = world.run(post(world, holdout=2_500).campaign.campaign_id)
    split = split_of(view)
    held_out = {id_of(n) for n in range(1, PEOPLE + 1) if split.holds_out(id_of(n))}
    rows = {m.key.customer_id: m for m in world.messages.rows.values()}

    assert 0 < len(held_out) < PEOPLE / 2
    assert {id_ for id_, m in rows.items() if m.reason == Exclusion.HOLDOUT} == held_out
    assert {rows[id_].variant for id_ in held_out} == {None}
    assert {handed.key.customer_id for handed in world.mailer.handed} == rows.keys() - held_out
    assert (dict(view.audience.excluded), view.audience.targeted) == (
        {"holdout": len(held_out)},
        PEOPLE - len(held_out),
    )
    assert adds_up(view)


def test_a_campaign_that_holds_nobody_out_reads_and_writes_as_much_as_one_without_variants() -> None:
    def requests(**given: Any) -> Counter[str]:
        world, found = salon(), Counter[str]()

        def count(where: str) -> None:
            found[where] += 1

        campaign_id = (post(world, **given) if given else world.post()).campaign.campaign_id
        world.checkpoint = count
        world.run(campaign_id)
        return found

    assert requests(variants=EMAILS) == requests()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 1 << 30), st.sampled_from([0.0, 0.02, 0.08]), st.sampled_from(Channel), st.sampled_from([0, 4_000])
)
def test_whatever_dies_nobody_gets_two_and_nobody_held_out_gets_one(
    seed: int, death: float, channel: Channel, holdout: int
) -> None:
    world = salon(30, seed=seed)
    world.chaos = Chaos(death=death, duplicate=0.2, early=0.2)
    view = world.run(post(world, channel, holdout=holdout).campaign.campaign_id)
    split = split_of(view)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    went_out = [handed for handed in script.handed if handed.went_out]
    held_out = {id_of(n) for n in range(1, 31) if split.holds_out(id_of(n))}

    event(f"{len(held_out) > 0} {sum(world.deaths.values()) > 0}")
    assert adds_up(view)
    assert max(Counter(handed.key for handed in went_out).values(), default=1) == 1
    assert not held_out & {handed.key.customer_id for handed in went_out}
    assert view.audience.excluded.get("holdout", 0) == len(held_out)
    texts = {each.name: each.content for each in split.variants}
    for handed in went_out:
        said = texts[split.variant_of(handed.key.customer_id) or ""]
        assert said is not None
        assert handed.subject == said.subject if isinstance(said, EmailContent) else handed.body in BODIES
        assert channel is Channel.EMAIL or BODIES[handed.body] == split.variant_of(handed.key.customer_id)
    for each in view.variants:
        rows = [m for m in world.messages.rows.values() if m.variant == each.name]
        assert each.targeted == sum(each.results.values()) == sum(m.status is not MessageStatus.EXCLUDED for m in rows)
        assert all(each.results[s] == sum(m.status is s for m in rows) for s in each.results)


def test_where_the_first_at_an_address_is_held_out_nobody_gets_a_message_there() -> None:
    world = World(business(), ranges=1)
    numbers = sorted(range(1, 41), key=id_of)
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    for number, pair in enumerate(pairs):
        world.add(*(customer(each, email=f"family{number}@example.com") for each in pair))
    foreseen = post(world, holdout=5_000)
    view = world.run(foreseen.campaign.campaign_id)
    split = split_of(view)
    firsts = {id_of(first) for first, _ in pairs}
    held_out = {id_ for id_ in firsts if split.holds_out(id_)}
    reasons = {m.key.customer_id: m.reason for m in world.messages.rows.values() if m.reason is not None}

    assert 0 < len(held_out) < len(firsts)
    assert {handed.key.customer_id for handed in world.mailer.handed} == firsts - held_out
    assert {id_ for id_, why in reasons.items() if why == Exclusion.HOLDOUT} == held_out
    assert {id_ for id_, why in reasons.items() if why == Exclusion.SAME_ADDRESS} == {id_of(b) for _, b in pairs}
    assert foreseen.foreseen == view.audience


def test_a_text_that_goes_by_email_is_of_the_same_variant() -> None:
    world = salon(40, text_plan=TextPlan(10))
    view = world.run(post(world, Channel.SMS).campaign.campaign_id)
    split = split_of(view)
    emails = {handed.key.customer_id: handed.body for handed in world.mailer.handed}

    assert len(emails) == 30 == view.fell_back_to_email
    assert all(("Do come." in body) == (split.variant_of(id_) == "Long") for id_, body in emails.items())
    assert {name: count for name, (count, _) in by_variant(view).items()} == split.counts(
        [id_of(n) for n in range(1, 41)]
    )


def test_a_copy_draws_anew_and_what_is_sent_again_keeps_its_draws() -> None:
    world = salon(60)
    view = world.run(post(world, holdout=5_000).campaign.campaign_id)
    campaign, split = view.campaign, split_of(view)
    copy = world.edit_campaign.copy(BUSINESS_ID, campaign.campaign_id, CampaignChange()).campaign
    people = [id_of(n) for n in range(1, 61)]
    again = world.send_again(BUSINESS_ID, campaign, people, "Again").copy_id
    assert again is not None
    sent = world.run(again)

    assert copy.split == Split(copy.campaign_id, split.variants, split.holdout)
    assert split_of(sent) == split
    assert sent.audience.excluded == view.audience.excluded
    assert {each.name: each.targeted for each in sent.variants} == {each.name: each.targeted for each in view.variants}


def test_who_opts_out_by_a_link_or_complains_is_counted_with_their_variant_once() -> None:
    world = salon(40)
    campaign_id = post(world).campaign.campaign_id
    split = split_of(world.campaign_service.get(BUSINESS_ID, campaign_id))
    drawn = {number: split.variant_of(id_of(number)) for number in range(1, 41)}
    short, long = ([number for number, name in drawn.items() if name == which] for which in ("Short", "Long"))
    delivered, complained = (Outcome.DELIVERED, None, 1.0), (Outcome.COMPLAINED, None, 9.0)
    for number in (long[0], long[1]):
        world.outcomes[f"ana{number}@example.com"] = (delivered, complained, complained)
    world.run(campaign_id)
    messages = {message.key.customer_id: message for message in world.messages.rows.values()}
    for number in (short[0], short[0], long[0]):
        message = messages[id_of(number)]
        link = Link.to(Purpose.UNSUBSCRIBE, message.contact, message.key, Scope.MARKETING)
        world.follow_links.unsubscribe(write_token(link, world.link_keyring.keys()))
    world.rest()
    counted = world.campaign_service.get(BUSINESS_ID, campaign_id)

    assert {each.name: each.opted_out for each in counted.variants} == {"Short": 1, "Long": 2}
    assert {name: results for name, (_, results) in by_variant(counted).items()} == {
        "Short": {"delivered": len(short)}, "Long": {"delivered": len(long)},
    }  # fmt: skip


@pytest.mark.parametrize(("days", "counted"), [(6, 1), (8, 0)])
def test_stop_counts_with_the_variant_of_the_last_text_if_that_is_not_long_ago(days: int, counted: int) -> None:
    world = salon(1)
    first, last = (post(world, Channel.SMS).campaign.campaign_id for _ in range(2))
    for campaign_id in (first, last):
        world.run(campaign_id)
    world.clock.move(timedelta(days=days))
    for _ in range(2):
        world.receive_text(IncomingText("SM1", "+14155560001", OURS, (OURS,), "STOP"))
    world.rest()
    views = [world.campaign_service.get(BUSINESS_ID, campaign_id) for campaign_id in (first, last)]

    assert [sum(each.opted_out for each in view.variants) for view in views] == [0, counted]


def test_an_opt_out_by_a_message_without_variants_writes_nothing_to_it() -> None:
    world = salon(1)
    world.run(world.post().campaign.campaign_id)
    [message] = world.messages.rows.values()
    link = Link.to(Purpose.UNSUBSCRIBE, message.contact, message.key, Scope.MARKETING)
    found = Counter[str]()
    world.checkpoint = lambda where: found.update([where])
    world.follow_links.unsubscribe(write_token(link, world.link_keyring.keys()))

    assert world.messages.rows[message.key] == message
    assert not [where for where in found if "opt_out" in where]
