"""Where somebody is and what comes next, why somebody is not in it, and what the timeline says of it."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.activity.domain.events import MembershipStatus
from rebound.console.http.words import LANGUAGES, Words
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import NotFoundError
from rebound.preferences.application.customer_consent import Statement
from rebound.sequences.application.read_enrolments import Stand
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, LeftBecause, Stage
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Reentry, SavedSequence, SequenceStatus
from rebound.sequences.domain.steps import Action, Exit, Program, Step, Tag, Wait
from rebound.sequences.domain.what_next import (
    InSequence,
    Next,
    Place,
    next_of,
    sentence_inside,
    sentence_of_sequence,
    sentence_outside,
)
from rebound.templates.domain.content import MadeFrom, TemplateContent, TextContent
from tests.fakes.making import BUSINESS_ID, NOON, at, business, id_of
from tests.unit.sequences.worlds import (
    BY_HAND,
    DAY,
    HOUR,
    SEQUENCE_ID,
    SequenceWorld,
    definition_of,
    send,
    steps,
    tag,
    tagged,
    wait,
)

BOOKING: Final = Happening(kind=Kind.BOOKING)


def enrol(world: SequenceWorld, number: int = 1, entry: str = "e1", sequence_id: str = SEQUENCE_ID) -> bool:
    return world.sequence_service.enrol(BUSINESS_ID, sequence_id, id_of(number), entry)


def stand(world: SequenceWorld, number: int = 1, sequence_id: str = SEQUENCE_ID) -> Stand:
    stands = world.read_enrolments.of_customer(world.customers.get(BUSINESS_ID, id_of(number)), business())
    return next(each for each in stands if each.sequence.sequence_id == sequence_id)


def follows(world: SequenceWorld, number: int = 1) -> Next | None:
    """As both readings have it: of one sequence, and of one customer."""
    [alone] = world.read_enrolments.in_one(EnrolmentKey(BUSINESS_ID, id_of(number), SEQUENCE_ID))
    assert alone == stand(world, number).shown
    return alone.follows


def told(world: SequenceWorld, number: int = 1) -> list[str]:
    """What the timeline says of sequences, the last first."""
    entries = world.read_timeline(BUSINESS_ID, id_of(number), 100, None).entries.items
    return [sentence_of_sequence(each.what) for each in entries if isinstance(each.what, InSequence)]


# --- what comes next --------------------------------------------------------------------------------------------------


def test_who_waits_sees_the_step_behind_the_wait_and_when(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("two"), wait(HOUR, for_event=BOOKING), tagged("vip", steps(tag("x"))), wait(DAY))
    enrol(world)
    first = follows(world)
    assert first is not None
    assert first.step is not None
    assert (first.step.step_id, first.at, first.waits_for) == ("1", NOON, None)
    world.live_until(NOON + HOUR / 2)
    second = follows(world)
    assert second is not None
    assert second.step is not None
    assert (second.step.step_id, second.at, second.waits_for) == ("2", NOON + DAY, None)
    assert stand(world).sentence == 'Waits until 21 November 2026, 07:00. Next comes a marketing email: "two".'
    world.live_until(NOON + DAY + HOUR / 2)
    third = follows(world)
    assert third is not None
    assert third.step is not None
    assert (third.step.step_id, third.waits_for) == ("4", BOOKING)
    assert stand(world).sentence.startswith("Waits for a booking, until 21 November 2026, 08:00 at the latest. Next a ")
    world.live_until(NOON + DAY + 3 * HOUR)
    last = follows(world)
    assert last is not None
    assert (last.step, stand(world).place) == (None, Place.INSIDE)
    world.live_until(NOON + 3 * DAY)
    assert follows(world) is None
    assert stand(world).shown.sentence == "Left on 22 November 2026, 08:00: they had come to its end."  # type: ignore[union-attr]


def test_what_comes_next_is_that_of_the_version_that_somebody_goes_through(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("old"))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.set_up(wait(DAY), wait(DAY), send("new"))

    assert '"old"' in stand(world).sentence


def test_while_it_is_off_nothing_comes_next(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("two"))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)

    assert stand(world).sentence.startswith("Is inside. The sequence is off")
    assert stand(world, 2).place is Place.OFF


ACTIONS: Final = st.sampled_from(
    [wait(DAY), wait(HOUR, for_event=BOOKING), send("a"), tag("t"), Exit(), tagged("v", steps(tag("b")))]
)
WRITTEN: Final = st.recursive(
    ACTIONS, lambda inner: st.builds(tagged, st.just("v"), st.lists(inner, max_size=3).map(lambda some: steps(*some)))
)


@given(st.lists(WRITTEN, min_size=1, max_size=6), st.data())
def test_of_every_place_in_every_program_there_is_a_next_step(written: list[Action], data: st.DataObject) -> None:
    program = Program.of(steps(*written))
    step = program.steps[data.draw(st.sampled_from(sorted(program.steps)))]
    doing = standing(Stage.DOING, step_id=step.step_id)
    found = next_of(doing, program)
    assert found is not None
    assert found.step == step
    if isinstance(step.action, Wait):
        waits = next_of(standing(step_id=step.step_id, wake_at=at(9)), program)
        assert waits is not None
        assert (waits.at, waits.waits_for) == (at(9), step.action.for_event)
        assert (waits.step and waits.step.step_id) == step.next_id
    assert next_of(doing.left(LeftBecause.EXIT, at(3)), program) is None


def test_who_was_in_a_sequence_that_had_the_id_before_is_in_none(world: SequenceWorld) -> None:
    world.set_up(send("one"), wait(DAY), send("two"))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    world.set_up(send("other"))

    assert world.read_enrolments.page(BUSINESS_ID, SEQUENCE_ID, 10, None).items == ()
    assert world.read_enrolments.in_one(EnrolmentKey(BUSINESS_ID, id_of(1), SEQUENCE_ID)) == ()
    assert (stand(world).place, stand(world).shown) == (Place.NOT_STARTED, None)
    with pytest.raises(NotFoundError):
        world.sequence_service.take_out(BUSINESS_ID, SEQUENCE_ID, id_of(1))
    assert enrol(world)


# --- why not? ---------------------------------------------------------------------------------------------------------


def test_who_may_begin_waits_for_the_trigger_and_who_is_not_meant_does_not(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=Happening(kind=Kind.VISIT, about={"class_type": "yoga"}), filter={"tag": "vip"})

    assert stand(world, 1).place is Place.FILTER
    assert stand(world, 2).sentence == "Nothing has started it for them: it begins with a visit (yoga)."
    assert stand(world, 2).shown is None


@pytest.mark.parametrize(
    ("reentry", "place"), [(Reentry.NEVER, Place.ONLY_ONCE), (Reentry.AFTER_EXIT, Place.NOT_STARTED)]
)
def test_who_has_been_through_may_begin_again_or_not_and_it_is_as_it_says(
    world: SequenceWorld, reentry: Reentry, place: Place
) -> None:
    world.set_up(send("hello"), reentry=reentry)
    enrol(world)
    world.live_until(NOON + HOUR)

    assert stand(world).place is place
    assert enrol(world, entry="another") is (place is Place.NOT_STARTED)


def test_who_left_before_the_first_step_may_begin(world: SequenceWorld) -> None:
    trigger = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7)
    world.set_up(send("hello"), trigger=trigger)
    world.has_membership(1, "one", (NOON + 30 * DAY).date())
    world.has_membership(1, "two", status=MembershipStatus.CANCELLED)

    assert stand(world).place is Place.NOT_STARTED
    assert enrol(world)


def test_a_message_that_was_left_out_says_why(world: SequenceWorld) -> None:
    world.set_up(send("one"), wait(DAY), send("two"), wait(DAY))
    enrol(world)
    world.live_until(NOON + HOUR)
    sent = stand(world).last
    assert sent is not None
    statement = Statement(Channel.EMAIL, Scope.MARKETING, True, ConsentSource.STAFF)
    world.state_consent(BUSINESS_ID, id_of(1), statement)
    world.live_until(NOON + DAY + HOUR)

    left_out = stand(world)
    assert left_out.last is not None
    assert left_out.last.reason == "opted_out"
    assert left_out.last_sentence.startswith("It was left out: ")
    assert left_out.last.key != sent.key
    # Who begins again begins without a last message.
    world.live_until(NOON + 3 * DAY)
    world.set_up(wait(DAY), reentry=Reentry.AFTER_EXIT)
    enrol(world, entry="e2")
    assert stand(world).last is None


# --- the timeline -----------------------------------------------------------------------------------------------------


def test_the_timeline_has_the_beginning_what_was_sent_and_the_end(world: SequenceWorld) -> None:
    world.set_up(wait(HOUR / 4), send("one"), wait(DAY), exit_on=(ExitOn(BOOKING, is_goal=True),))
    enrol(world)
    world.live_until(NOON + HOUR)
    assert told(world) == ['Began the sequence "Welcome".']
    happened = Happened(kind=Kind.BOOKING, key="b1", at=world.clock.now())
    world.hear_happenings(BUSINESS_ID, id_of(1), [happened])

    assert told(world) == [
        'Left the sequence "Welcome": what it was for has happened.',
        'Began the sequence "Welcome".',
    ]
    whats = [type(each.what).__name__ for each in world.read_timeline(BUSINESS_ID, id_of(1), 9, None).entries.items]
    assert whats == ["InSequence", "Message", "InSequence"]
    assert told(world, 2) == []


def test_pages_of_the_timeline_have_each_entry_once(world: SequenceWorld) -> None:
    for number in range(7):
        world.set_up(tag(f"t{number}"), sequence_id=f"a_{number}-b")
        enrol(world, sequence_id=f"a_{number}-b")
        if number % 3 == 0:
            world.live_until(world.clock.now() + HOUR)
    world.live_until(world.clock.now() + HOUR)
    whole = world.read_timeline(BUSINESS_ID, id_of(1), 100, None).entries.items
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = world.read_timeline(BUSINESS_ID, id_of(1), 3, cursor).entries
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == list(whole)
    assert len(found) == 14


# --- words ------------------------------------------------------------------------------------------------------------


def saved(*actions: Action, **given_: Any) -> SavedSequence:
    defaults: dict[str, Any] = {
        "business_id": BUSINESS_ID,
        "sequence_id": SEQUENCE_ID,
        "uid": "u",
        "name": "Welcome",
        "version": 1,
        "status": SequenceStatus.ON,
        "definition": definition_of(*actions),
        **dict.fromkeys(("created_at", "updated_at", "switched_at"), NOON),
    }
    return SavedSequence(**{**defaults, **given_})


def standing(where: Stage = Stage.WAITING, **given_: Any) -> Enrolment:
    key = EnrolmentKey(BUSINESS_ID, id_of(1), SEQUENCE_ID)
    defaults = {"version": 1, "entry_key": "e", "entered_at": NOON, "step_id": None, "since": NOON}
    return Enrolment(key=key, standing=where, **{**defaults, **given_})


def every_sentence() -> set[str]:
    on, off = saved(), saved(status=SequenceStatus.OFF)
    texted = send("", channel=Channel.SMS, content=TextContent("Hi"))
    made = send("", content=TemplateContent(MadeFrom("welcome", None, {})))
    ends: list[Action] = [send("Hi"), texted, made, tag("t"), Tag(remove="t"), tagged("v"), Exit(), wait(DAY)]
    nexts = [Next(step=Step("2", each, None), at=at(99)) for each in ends]
    nexts += [Next(step=None, at=at(99))]
    nexts += [Next(step=None, at=at(99), waits_for=Happening(kind=kind)) for kind in Kind]
    nexts += [Next(step=None, at=at(99), waits_for=BY_HAND)]
    left = [standing().left(because, at(1)) for because in LeftBecause]
    found = {sentence_inside(standing(), each, on, "Europe/Rome", now) for each in nexts for now in (at(), at(100))}
    found |= {sentence_inside(standing(), nexts[0], off, "Europe/Rome", at())}
    found |= {sentence_inside(each, None, on, "Europe/Rome", at()) for each in left}
    found |= {sentence_outside(place, on) for place in Place if place is not Place.INSIDE}
    for each in (standing(), *left):
        found |= {sentence_of_sequence(InSequence("Welcome", each, NOON, each.is_over))}
    return found


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_every_sentence_is_there_in_each_language(language: str) -> None:
    words = Words(language)

    assert len(every_sentence()) > 40
    assert sorted(each for each in every_sentence() if words.said(each) == each) == []


def test_who_did_not_match_the_filter_when_it_was_due_is_told_so(world: SequenceWorld) -> None:
    trigger = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7)
    world.set_up(send("it ends"), trigger=trigger, filter={"tag": "vip"}, exit_on=(ExitOn(BOOKING),))
    world.has_membership(1, "m", (NOON + 20 * DAY).date())
    world.live_until(NOON + 30 * DAY)
    world.pump_streams()

    assert told(world)[0] == 'Left the sequence "Welcome": they did not match its filter when it was due.'
    assert world.sequence_results(BUSINESS_ID, SEQUENCE_ID)[1].total.left == {LeftBecause.NOT_MATCHING: 1}
