"""Texts in plain signs, where the business wants it and it saves something: what is shown is what is sent."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.kernel.channels import Channel
from rebound.messages.domain.messages import MessageStatus
from rebound.templates.domain.content import TextContent
from rebound.templates.domain.text_size import simplified, size_of_text
from tests.fakes.making import BUSINESS_ID, business, customer
from tests.fakes.world import World

QUOTED: Final = "“See you – ##{{first_name}}” " + "a" * 60
NAMES: Final = st.sampled_from(["Ana", "Zoë", "O’Hara", "Anne–Marie", "Jiří", "山田", "\U0001f600"])


def sent_by(world: World, body: str) -> str:
    world.outcomes[customer(1).mobile_phone or ""] = ()
    sent = world.run(world.post(Channel.SMS, content=TextContent(body)).campaign.campaign_id)
    assert sent.results[MessageStatus.SENT] == 1
    ((handed),) = world.texter(world.businesses.get(BUSINESS_ID).text_provider).handed
    return handed.body


@pytest.mark.parametrize("smart", [True, False])
def test_signs_become_plain_only_where_the_business_wants_it(*, smart: bool) -> None:
    world = World(business(smart_encoding=smart))
    world.add(customer(1, first_name="Ana"))
    written = f"“See you – Ana” {'a' * 60}"

    sent = sent_by(world, QUOTED)

    assert sent == (f'"See you - Ana" {"a" * 60}' if smart else written)
    assert size_of_text(sent).segments == (1 if smart else 2)


@settings(max_examples=30, deadline=None)
@given(NAMES, st.sampled_from(["“", "…", "–\u00a0"]), st.integers(40, 170))
def test_what_is_sent_is_as_small_as_can_be_and_no_letter_is_lost(name: str, sign: str, length: int) -> None:
    world = World(business(smart_encoding=True))
    world.add(customer(1, first_name=name))
    written = f"{sign}{name} {'a' * length}"

    assert sent_by(world, f"{sign}##{{{{first_name}}}} {'a' * length}") == simplified(written)
