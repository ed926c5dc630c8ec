"""How many segments texts would take is foreseen exactly, for who has a text plan."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.text_plan import TextPlan
from rebound.eligibility.application.preview_audience import Question
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.templates.domain.content import Content, TextContent
from rebound.templates.domain.sendable import segments_for
from tests.fakes.making import BUSINESS_ID, GREETING, business, customer
from tests.fakes.world import World

EVERYBODY: dict[str, Any] = {"all": []}


def asked(channel: Channel, content: Content | None) -> Question:
    return Question(filter=EVERYBODY, channel=channel, category=Category.REMINDER, content=content)


@given(
    names=st.lists(st.text("aé😀ç", min_size=1, max_size=90), min_size=1, max_size=4),
    words=st.integers(0, 300),
)
def test_what_is_foreseen_is_what_is_counted(names: list[str], words: int) -> None:
    """Also with names that ask for another encoding, so that a text has more segments for some than for others."""
    world = World(business(text_plan=TextPlan(1000)))
    world.add(
        *(
            customer(n, first_name=name, mobile_phone=f"+1415555{2000 + n}", email=None)
            for n, name in enumerate(names, start=1)
        )
    )
    text = TextContent("Hi ##{{first_name}}. " + "x" * words)
    foreseen = world.preview_audience(BUSINESS_ID, asked(Channel.SMS, text))
    campaign = world.post(Channel.SMS, category=Category.REMINDER, content=text)
    world.run(campaign.campaign.campaign_id)

    assert foreseen is not None
    assert campaign.foreseen is not None
    [used] = [month.used for month in world.text_ledger.months.values()]
    assert foreseen.segments == campaign.foreseen.segments == used
    assert used >= len(names)


def test_nothing_is_foreseen_of_emails_of_texts_that_are_not_known_and_without_a_plan() -> None:
    with_plan, without = World(business(text_plan=TextPlan(9))), World(business())
    for world in (with_plan, without):
        world.add(customer(1))
    text = TextContent("Hi")
    found = [
        with_plan.preview_audience(BUSINESS_ID, asked(Channel.EMAIL, GREETING)),
        with_plan.preview_audience(BUSINESS_ID, asked(Channel.SMS, None)),
        without.preview_audience(BUSINESS_ID, asked(Channel.SMS, text)),
    ]

    assert [audience.segments for audience in found if audience is not None] == [None] * 3


def test_a_text_that_cannot_be_sent_has_no_segments() -> None:
    assert segments_for(TextContent("##{{first_name}}"), customer(1, first_name=" "), business()) == 0
    assert segments_for(GREETING, customer(1), business()) == 0


def test_segments_of_parts_of_an_audience_are_added_where_they_are_known() -> None:
    none, two = Audience(), Audience(1, segments=2)
    assert [none.plus(none).segments, none.plus(two).segments, two.plus(none).segments, two.plus(two).segments] == [
        None,
        2,
        2,
        4,
    ]
