"""Who is left out because a variable that the template requires says nothing for them: before, and at the send."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.customers.domain import Customer
from rebound.eligibility.application.preview_audience import Foreseen, Question
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Exclusion, Send, decision_on
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.messages.domain.messages import MessageStatus
from rebound.templates.application.make_version import NewVersion
from rebound.templates.domain.content import ANY_LANGUAGE, EmailContent, MadeFrom, TemplateContent, TextContent
from rebound.templates.domain.variables import Variable
from tests.fakes.making import BUSINESS_ID, at, business, campaign, customer, id_of
from tests.fakes.world import World

NOW: Final = at(3600)
SAYS: Final[dict[Channel, EmailContent | TextContent]] = {
    Channel.EMAIL: EmailContent("Hi ##{{first_name}}", text="##{{gender}}, ##{{note}}, ##{{birthday}}"),
    Channel.SMS: TextContent("Hi ##{{first_name}}: ##{{gender}}, ##{{note}}, ##{{birthday}}"),
}


def made(world: World, channel: Channel, variables: Mapping[str, Variable], **given_values: Any) -> TemplateContent:
    declared = {"note": Variable(), **variables}
    new = NewVersion(
        name="T",
        channel=channel,
        category=Category.MARKETING,
        variables=declared,
        contents={ANY_LANGUAGE: SAYS[channel]},
    )
    world.template_service.put(BUSINESS_ID, "t", new)
    return world.template_contents.made(BUSINESS_ID, MadeFrom("t", None, given_values), channel, Category.MARKETING)


def foreseen(world: World, content: TemplateContent, channel: Channel) -> dict[str, Foreseen]:
    question = Question({"all": []}, channel, Category.MARKETING, content=content)
    page = world.preview_audience.recipients(BUSINESS_ID, question, limit=100, cursor=None)
    return {each.customer.customer_id: each for each in page.items}


def sent_to(world: World) -> set[str]:
    return {row.key.customer_id for row in world.messages.rows.values() if row.status is not MessageStatus.EXCLUDED}


def reasons(world: World, campaign_id: str) -> dict[str, str | None]:
    rows = (row for row in world.messages.rows.values() if row.campaign_id == campaign_id)
    return {row.key.customer_id: row.reason for row in rows if row.status is MessageStatus.EXCLUDED}


@pytest.mark.parametrize("channel", list(Channel))
def test_whoever_lacks_what_is_required_is_left_out_and_that_is_foreseen_name_by_name(channel: Channel) -> None:
    world = World()
    world.add(customer(1, gender="f"), customer(2, gender=None), customer(3, gender="f", birthday=None))
    content = made(world, channel, {"gender": Variable(required=True)})
    posted = world.post(channel=channel, category=Category.MARKETING, content=content)

    told = foreseen(world, content, channel)
    assert [told[id_of(n)].missing_variables for n in (1, 2, 3)] == [(), ("gender",), ()]
    assert told[id_of(2)].decision is Exclusion.MISSING_VARIABLE
    assert posted.foreseen is not None
    assert (dict(posted.foreseen.excluded), posted.foreseen.targeted) == ({"missing_variable": 1}, 2)
    world.run(posted.campaign.campaign_id)
    view = world.campaign_service.get(BUSINESS_ID, posted.campaign.campaign_id)
    assert dict(view.audience.excluded) == {"missing_variable": 1}


GIVEN: Final = st.dictionaries(st.sampled_from(["note", "gender", "first_name"]), st.sampled_from(["", " ", None, "x"]))
VARIABLES: Final = st.dictionaries(
    st.sampled_from(["note", "gender", "first_name", "birthday"]),
    st.builds(Variable, required=st.booleans(), default=st.sampled_from([None, "", "there"])),
)
PEOPLE: Final = st.lists(st.sampled_from([None, "", "f"]), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.sampled_from(Channel), VARIABLES, GIVEN, PEOPLE)
def test_the_preview_and_the_send_say_the_same_of_everybody(
    channel: Channel, variables: Mapping[str, Variable], given_values: Mapping[str, Any], genders: list[str | None]
) -> None:
    world = World()
    world.add(*(customer(number, gender=gender) for number, gender in enumerate(genders, 1)))
    declared = {"note": Variable(), **variables}
    own = {name: value for name, value in given_values.items() if name in declared}
    content = made(world, channel, declared, **own)
    before = foreseen(world, content, channel)
    posted = world.post(channel=channel, category=Category.MARKETING, content=content)
    world.run(posted.campaign.campaign_id)

    assert {id_ for id_, each in before.items() if isinstance(each.decision, Send)} == sent_to(world)
    for id_, each in before.items():
        who = world.customers.get(BUSINESS_ID, id_)
        lacks = tuple(
            name for name, variable in declared.items() if variable.required and says_nothing(name, variable, own, who)
        )
        assert each.missing_variables == lacks
        assert (each.decision is Exclusion.MISSING_VARIABLE) is bool(lacks)


def says_nothing(name: str, variable: Variable, given_values: Mapping[str, Any], who: Customer) -> bool:
    sources = (given_values.get(name), getattr(who, name, None), variable.default)
    return not any(str(each or "").strip() for each in sources)


def test_what_changes_before_the_send_counts() -> None:
    world = World()
    world.add(customer(1, gender="f"), customer(2, gender="f"))
    content = made(world, Channel.EMAIL, {"gender": Variable(required=True)})
    posted = world.post(channel=Channel.EMAIL, category=Category.MARKETING, content=content)
    world.begin(posted.campaign.campaign_id)
    world.customer_service.change(BUSINESS_ID, id_of(2), {"gender": None})
    world.end(posted.campaign.campaign_id)
    world.rest()

    assert reasons(world, posted.campaign.campaign_id) == {id_of(2): "missing_variable"}


def test_a_single_message_is_refused_with_the_variable() -> None:
    world = World()
    world.add(customer(1, gender=None))
    content = made(world, Channel.EMAIL, {"gender": Variable(required=True), "note": Variable(required=True)}, note=" ")
    with pytest.raises(InvalidInputError) as caught:
        world.post_message.posted(
            BUSINESS_ID, customer_id=id_of(1), category=Category.MARKETING, channel=Channel.EMAIL, content=content
        )

    assert {error.field for error in caught.value.errors} == {"variables.gender", "variables.note"}
    assert not world.messages.rows


def test_who_cannot_have_it_does_not_stand_before_another_at_the_same_address() -> None:
    world = World()
    world.add(customer(1, gender=None, email="home@example.com"), customer(2, gender="f", email="home@example.com"))
    content = made(world, Channel.EMAIL, {"gender": Variable(required=True)})

    told = foreseen(world, content, Channel.EMAIL)
    world.run(world.post(channel=Channel.EMAIL, category=Category.MARKETING, content=content).campaign.campaign_id)

    assert told[id_of(1)].decision is Exclusion.MISSING_VARIABLE
    assert isinstance(told[id_of(2)].decision, Send)
    assert sent_to(world) == {id_of(2)}


def test_a_cap_says_nothing_of_who_lacks_a_variable() -> None:
    content = TemplateContent(MadeFrom("t", 1), {"": TextContent("x")}, {"gender": Variable(required=True)})
    what = campaign(Channel.SMS, content=content)
    capped = business(frequency_caps=(FrequencyCap("weekly", tuple(Category), 1, 7),))
    handed = Frequency(BUSINESS_ID, id_of(1), (HandOver("m", NOW, Category.MARKETING, Channel.SMS),))
    cases = (Case(customer(1, gender=gender), None, capped, what, NOW, handed) for gender in (None, "f"))

    assert [decision_on(case) for case in cases] == [Exclusion.MISSING_VARIABLE, Exclusion.FREQUENCY_CAP]
