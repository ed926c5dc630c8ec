"""What people text, as sequences hear it: what is a reply, whose it is, and once."""

from typing import Final

import pytest

from rebound.contacts.domain.automatic_replies import is_automatic
from rebound.inbound.domain.replies import IncomingText
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Reentry
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, wait

NUMBER: Final = "+14155560001"
OURS: Final = "+14155550100"
REPLY: Final = Happening(kind=Kind.REPLY)


def world_with(*numbers: int, phone: str | None = None) -> SequenceWorld:
    world = SequenceWorld(business())
    given = {} if phone is None else {"mobile_phone": phone}
    world.add(*(customer(number, **given) for number in numbers))
    return world


def text(world: SequenceWorld, body: str, name: str = "SM1", number: str = NUMBER) -> None:
    world.receive_text(IncomingText(name, number, OURS, (OURS,), body))
    world.live_until(world.clock.now() + HOUR)


def test_a_reply_starts_it_once_however_often_it_comes() -> None:
    world = world_with(1)
    world.set_up(send("thanks"), trigger=REPLY, reentry=Reentry.AFTER_EXIT)
    text(world, "Do you have time on Friday?")
    # It is received again while Twilio may still try.
    world.receive_text(IncomingText("SM1", NUMBER, OURS, (OURS,), "Do you have time on Friday?"))
    world.live_until(NOON + DAY)
    assert world.subjects(id_of(1)) == ["thanks"]
    text(world, "Or on Monday?", "SM2")

    assert world.subjects(id_of(1)) == ["thanks", "thanks"]


def test_a_reply_ends_it_and_wakes_who_waits_for_one() -> None:
    world = world_with(1)
    world.set_up(wait(DAY, for_event=REPLY), send("after the reply"))
    world.set_up(wait(DAY), send("never"), sequence_id="ends", exit_on=(ExitOn(REPLY, is_goal=True),))
    for sequence_id in (SEQUENCE_ID, "ends"):
        assert world.sequence_service.enrol(BUSINESS_ID, sequence_id, id_of(1), "e1")
    world.live_until(NOON + HOUR)
    text(world, "Yes, I would")

    assert world.subjects(id_of(1)) == ["after the reply"]
    world.live_until(NOON + 3 * DAY)
    assert world.subjects(id_of(1)) == ["after the reply"]


@pytest.mark.parametrize(
    "body",
    [
        "STOP",
        "start",
        "Help?",
        "Liked “See you tomorrow”",
        "I'm driving with Focus turned on. I'll see your message when I get where I'm going.",
        "(I’m not receiving notifications. If this is urgent, reply “urgent”.)",
        "Auto-reply: I am away until Monday.",
        "Abwesenheitsnotiz: Ich bin im Urlaub.",
    ],
)
def test_words_that_mean_something_by_themselves_and_what_phones_say_are_no_replies(body: str) -> None:
    world = world_with(1)
    world.set_up(send("thanks"), trigger=REPLY)
    text(world, body)

    assert world.enrolments.rows == {}
    assert world.step_queue.queue.messages == {}


@pytest.mark.parametrize("body", ["I'm driving over right now, sorry!", "Is your office out of Juniper shampoo?", ""])
def test_what_people_write_is_not_taken_for_what_phones_say(body: str) -> None:
    assert not is_automatic(body)


def test_who_asks_in_words_not_to_be_texted_begins_nothing_and_what_waits_for_a_reply_ends() -> None:
    world = world_with(1)
    world.set_up(wait(DAY), send("never"), exit_on=(ExitOn(REPLY),))
    world.set_up(send("thanks"), sequence_id="thanks", trigger=REPLY)
    world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(1), "e1")
    world.live_until(NOON + HOUR)
    text(world, "please stop texting me")
    world.live_until(NOON + 3 * DAY)

    assert world.subjects(id_of(1)) == []
    assert world.enrolment(id_of(1)).is_over


def test_of_those_who_share_a_number_it_ends_it_for_each_and_starts_it_for_none() -> None:
    world = world_with(1, 2, phone=NUMBER)
    world.set_up(send("thanks"), sequence_id="thanks", trigger=REPLY)
    world.set_up(wait(DAY), send("never"), exit_on=(ExitOn(REPLY),))
    for number in (1, 2):
        world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), "e1")
    world.live_until(NOON + HOUR)
    text(world, "We will be late")

    assert all(world.enrolment(id_of(number)).is_over for number in (1, 2))
    assert {key.sequence_id for key in world.enrolments.rows} == {SEQUENCE_ID}


def test_who_had_the_number_before_is_not_meant() -> None:
    world = world_with(1, 2, phone=NUMBER)
    world.set_up(send("thanks"), trigger=REPLY)
    world.customer_service.change(BUSINESS_ID, id_of(2), {"mobile_phone": "+14155560002"})
    text(world, "We will be late")

    assert world.subjects(id_of(1)) == ["thanks"]
    assert world.subjects(id_of(2)) == []


def test_a_business_whose_sequences_hear_no_reply_puts_nothing_on_the_queue() -> None:
    world = world_with(1)
    world.set_up(send("hello"), trigger=Happening(kind=Kind.VISIT))
    world.receive_text(IncomingText("SM1", NUMBER, OURS, (OURS,), "A reply"))

    assert world.step_queue.queue.messages == {}
