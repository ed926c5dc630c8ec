"""What is ready-made may be put as it is by any business, and comes to its end."""

from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.activity.domain.events import Event, EventKind
from rebound.activity.domain.summary import summarised
from rebound.businesses.domain.business import TextAnswers
from rebound.kernel.channels import Channel
from rebound.sequences.application.sequence_service import Wanted
from rebound.sequences.domain import ready_made as module
from rebound.sequences.domain.enrolments import LeftBecause
from rebound.sequences.domain.happenings import Happened, Kind
from rebound.sequences.domain.ready_made import ReadyMade, ready_made
from rebound.sequences.domain.sequences import SequenceStatus
from rebound.sequences.domain.steps import If, Send, Written
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld

WRITTEN: Final = ("de", "en", "it")
NAMES: Final = [each.ready_made_id for each in ready_made("en")]


def world_with(ready_made_id: str, language: str = "en") -> tuple[SequenceWorld, ReadyMade]:
    """A salon that has taken one over and switched it on, and a customer who has not come for a hundred days."""
    world = SequenceWorld(business(text_answers=TextAnswers(language=language)))
    world.add(customer(1))
    visit = Event(event_id="old", kind=EventKind.VISIT, at=NOON - 100 * DAY)
    world.activity.save_summary(BUSINESS_ID, id_of(1), summarised([visit], "America/New_York", NOON), read=0)
    one = {each.ready_made_id: each for each in world.ready_made(BUSINESS_ID)}[ready_made_id]
    wanted = Wanted(name=one.name, status=SequenceStatus.ON, definition=one.definition)
    world.sequence_service.put(BUSINESS_ID, SEQUENCE_ID, wanted)
    return world, one


def begin(world: SequenceWorld, one: ReadyMade) -> None:
    trigger = one.definition.trigger
    if trigger.kind is Kind.MEMBERSHIP_EXPIRING:
        world.has_membership(1, "because", (NOON + 30 * DAY).date())
    else:
        tell(world, trigger.kind, "because")


def tell(world: SequenceWorld, kind: Kind, key: str, **given: Any) -> None:
    happened = Happened(kind=kind, key=key, at=world.clock.now(), **given)
    world.hear_happenings(BUSINESS_ID, id_of(1), [happened])


def texts(world: SequenceWorld) -> list[str]:
    return [each.body for each in world.twilio_texter.handed]


def sends(steps: tuple[Written, ...]) -> list[Send]:
    found: list[Send] = []
    for step in steps:
        if isinstance(step.action, Send):
            found.append(step.action)
        elif isinstance(step.action, If):
            found += sends(step.action.then) + sends(step.action.otherwise)
    return found


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("ready_made_id", NAMES)
def test_each_may_be_put_as_it_is_and_comes_to_its_end(ready_made_id: str, language: str) -> None:
    world, one = world_with(ready_made_id, language)
    begin(world, one)
    world.live_until(NOON + 90 * DAY)

    assert world.enrolment(id_of(1)).left_because is LeftBecause.ENDED
    wanted = sends(one.definition.steps)
    emails = [each.content.subject for each in wanted if each.channel is Channel.EMAIL]  # type: ignore[union-attr]
    assert world.subjects(id_of(1)) == emails
    assert len(texts(world)) == len(wanted) - len(emails)
    assert len(wanted) >= 1
    assert all("##{{" not in text and "Salon Juniper" in text for text in texts(world))


@pytest.mark.parametrize("ready_made_id", [name for name in NAMES if name not in ("missed_call", "first_visit")])
def test_each_ends_with_what_it_was_for(ready_made_id: str) -> None:
    world, one = world_with(ready_made_id)
    begin(world, one)
    world.live_until(NOON + HOUR)
    if one.definition.trigger.days_before is not None:
        world.live_until(NOON + (30 - one.definition.trigger.days_before + 1) * DAY)
    due_at = NOON + 400 * DAY
    for number, ends in enumerate(one.definition.exit_on[:1]):
        tell(world, ends.happening.kind, f"for {number}", due_at=due_at)
    gone = world.subjects(id_of(1))
    world.live_until(NOON + 90 * DAY)

    assert world.subjects(id_of(1)) == gone
    assert len(gone) < len(sends(one.definition.steps))


def test_they_are_in_the_language_of_the_business_and_in_english_for_others() -> None:
    subjects = {language: ready_made(language)[0].name for language in (*WRITTEN, "pt")}

    assert len({subjects[language] for language in WRITTEN}) == len(WRITTEN)
    assert subjects["pt"] == subjects["en"]


@pytest.mark.parametrize("language", WRITTEN)
def test_a_language_has_a_message_for_every_step_that_sends(language: str) -> None:
    for one, english in zip(ready_made(language), ready_made("en"), strict=True):
        assert [each.channel for each in sends(one.definition.steps)] == [
            each.channel for each in sends(english.definition.steps)
        ]
    used = {one.ready_made_id: len(sends(one.definition.steps)) for one in ready_made(language)}
    assert used == {name: len(words.messages) for name, words in module._words(language).items()}


def test_nothing_is_kept_of_them_before_they_are_put() -> None:
    world = SequenceWorld(business())

    assert len(world.ready_made(BUSINESS_ID)) == len(NAMES)
    assert world.sequence_service.all(BUSINESS_ID) == []


def test_whoever_renews_in_time_is_reminded_before_the_new_end_alone() -> None:
    world, one = world_with("membership_expiring")
    begin(world, one)
    world.live_until(NOON + 17 * DAY)
    assert len(world.subjects(id_of(1))) == 1
    world.has_membership(1, "renewed", (NOON + 395 * DAY).date())
    world.live_until(NOON + 380 * DAY)
    assert len(world.subjects(id_of(1))) == 1
    world.live_until(NOON + 380 * DAY + timedelta(days=3))

    assert len(world.subjects(id_of(1))) == 2
