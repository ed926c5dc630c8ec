"""Texts that come from a name, which nobody can answer with STOP, have a link to stop them with."""

import re
from collections.abc import Mapping
from copy import replace
from typing import Any, Final

import pytest

from rebound.businesses.domain.business import Barrier, Business
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import InvalidInputError
from rebound.messages.domain.messages import MessageStatus
from rebound.preferences.http.links import respond
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import MadeFrom, TemplateContent, TextContent
from rebound.templates.domain.rendering import check_said
from tests.fakes.making import BUSINESS_ID, business, contact_key, customer, id_of
from tests.fakes.world import World

OFFER: Final = TextContent("20 % off. Stop: ##{{stop_url}}")
PLAIN: Final = TextContent("20 % off until Friday.")
LINK: Final = r"^20 % off\. Stop: (https://rebound\.example\.com/live/v1/stop/[a-z2-7]{16})$"
NAMED: Final = business(country="GB", text_from="Juniper", loyalty_interval_days=None)
SELLING: Final = [category for category in Category if category.is_promotional]
OTHERS: Final = [category for category in Category if not category.is_promotional]


def world_of(sender: Business = NAMED, customers: int = 3) -> World:
    world = World(sender)
    world.add(*(customer(number) for number in range(1, customers + 1)))
    for number in range(1, customers + 1):
        world.outcomes[customer(number).mobile_phone or ""] = ()
    return world


def texts(world: World) -> list[str]:
    return [handed.body for handed in world.texter(world.businesses.get(BUSINESS_ID).text_provider).handed]


def ask(world: World, method: str, path: str, body: str | None = None) -> Mapping[str, Any]:
    event = {
        "httpMethod": method,
        "path": path,
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": body,
        "isBase64Encoded": False,
    }
    return respond(event, world)


def path_in(text: str) -> str:
    return text.partition("/live")[2]


@pytest.mark.parametrize("category", SELLING)
def test_each_recipient_has_a_link_of_their_own_and_one_row_for_it(category: Category) -> None:
    world = world_of()
    sent = world.run(world.post(Channel.SMS, category=category, content=OFFER).campaign.campaign_id)

    assert sent.results[MessageStatus.SENT] == 3
    assert all(re.match(LINK, text) for text in texts(world))
    assert len(set(texts(world))) == len(world.short_links.rows) == 3


@pytest.mark.parametrize("category", SELLING)
def test_the_page_behind_the_link_stops_what_sells_when_its_button_is_pressed_and_not_before(
    category: Category,
) -> None:
    world = world_of(customers=1)
    world.run(world.post(Channel.SMS, category=category, content=OFFER).campaign.campaign_id)
    [text] = texts(world)
    before = repr((world.contacts.rows, world.customers.rows, world.messages.rows))
    scope = category.traits.scope

    for method in ("GET", "HEAD", "GET"):
        assert ask(world, method, path_in(text))["statusCode"] == 200
    assert ask(world, "POST", path_in(text), "something=else")["statusCode"] == 400
    assert repr((world.contacts.rows, world.customers.rows, world.messages.rows)) == before

    pressed = ask(world, "POST", path_in(text), "List-Unsubscribe=One-Click")
    key = contact_key(1, Channel.SMS)
    assert (pressed["statusCode"], "unsubscribed" in pressed["body"]) == (200, True)
    assert world.contacts.get_many([key])[key].consent.opted_out == (scope,)
    again = world.post(Channel.SMS, category=category, content=OFFER)
    assert world.run(again.campaign.campaign_id).audience.excluded == {"opted_out": 1}
    assert len(world.short_links.rows) == 1


@pytest.mark.parametrize("code", ["", "a" * 16, "A" * 16, "x" * 600, "../unsubscribe"])
def test_a_code_that_is_none_leads_nowhere(code: str) -> None:
    assert ask(world_of(), "GET", f"/v1/stop/{code}")["statusCode"] == 404


@pytest.mark.parametrize("category", SELLING)
def test_without_the_link_a_text_that_sells_is_refused_and_nothing_is_kept(category: Category) -> None:
    world = world_of()
    with pytest.raises(InvalidInputError, match=r"^content\.body: .*##\{\{stop_url\}\}"):
        world.post(Channel.SMS, category=category, content=PLAIN)
    with pytest.raises(InvalidInputError, match=r"^content\.body: "):
        world.post_message(BUSINESS_ID, customer_id=id_of(1), category=category, channel=Channel.SMS, content=PLAIN)

    assert (world.campaigns.rows, world.short_links.rows) == ({}, {})


@pytest.mark.parametrize("category", OTHERS)
def test_other_texts_need_no_link_and_cannot_have_one(category: Category) -> None:
    world = world_of()
    world.run(world.post(Channel.SMS, category=category, content=PLAIN).campaign.campaign_id)
    with pytest.raises(InvalidInputError, match="stop_url"):
        world.post(Channel.SMS, category=category, content=OFFER)

    assert (len(texts(world)), world.short_links.rows) == (3, {})


def test_who_can_be_answered_pays_for_no_link_but_may_have_one() -> None:
    world = world_of(business())
    world.run(world.post(Channel.SMS, content=PLAIN).campaign.campaign_id)
    assert (len(texts(world)), world.short_links.rows) == (3, {})

    world.run(world.post(Channel.SMS, content=OFFER).campaign.campaign_id)
    assert (len(texts(world)), len(world.short_links.rows)) == (6, 3)


def test_a_sender_that_becomes_a_name_lets_no_text_out_that_cannot_be_stopped() -> None:
    world = world_of(business())
    waiting = world.post(Channel.SMS, content=PLAIN).campaign.campaign_id
    world.businesses.replace(replace(NAMED, version=world.businesses.get(BUSINESS_ID).version))
    ended: CampaignView = world.run(waiting)

    assert (ended.audience.excluded, texts(world)) == ({"channel_off": 3}, [])
    assert NAMED.barrier(Channel.SMS, lacks_stop_url=True) is Barrier.NO_STOP_URL
    assert business().barrier(Channel.SMS, lacks_stop_url=True) is None


def test_a_link_is_kept_before_its_text_can_be_on_a_phone() -> None:
    world = world_of(customers=1)
    kept: list[int] = []
    world.texter(NAMED.text_provider).taken.append(lambda *_: kept.append(len(world.short_links.rows)))
    world.run(world.post(Channel.SMS, content=OFFER).campaign.campaign_id)

    assert kept == [1]


def test_what_is_foreseen_is_what_is_sent() -> None:
    world = world_of()
    view = world.post(Channel.SMS, content=OFFER, selection=Selection(filter={"all": []}))
    ended = world.run(view.campaign.campaign_id)

    assert view.foreseen is not None
    assert (view.foreseen.targeted, view.foreseen.excluded) == (ended.audience.targeted, ended.audience.excluded)
    assert Scope.MARKETING in view.campaign.scopes


def test_of_a_template_the_languages_are_named_in_which_there_is_no_way_to_stop() -> None:
    contents = {"en": TextContent("Hi ##{{stop_url}}"), "de": TextContent("Hallo"), "it": TextContent("Ciao")}
    said = TemplateContent(MadeFrom("promo", 1), contents)
    with pytest.raises(InvalidInputError) as caught:
        check_said(said, Category.MARKETING, NAMED)
    [error] = caught.value.errors

    assert error.field == "template_id"
    assert error.message.endswith("The template has none in de, it.")
