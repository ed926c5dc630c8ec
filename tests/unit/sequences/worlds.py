"""A salon with sequences, all in memory."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from rebound.activity.domain.events import Event, EventKind, MembershipStatus
from rebound.activity.domain.words import Cell, Pointer, Told, Word, stamp_of
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.sequences.application.sequence_service import Wanted
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.moves import Move
from rebound.sequences.domain.sequences import Definition, SavedSequence, SequenceStatus
from rebound.sequences.domain.steps import Action, If, Send, Tag, Wait, Written
from tests.fakes.making import BUSINESS_ID, GREETING, business, customer, id_of
from tests.fakes.world import World

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
BY_HAND: Final = Happening(kind=Kind.CUSTOM, about={"name": "welcome"})
SEQUENCE_ID: Final = "welcome"


def send(subject: str, **given: Any) -> Send:
    """An email with a subject of its own."""
    content = GREETING.__class__(subject, GREETING.html, GREETING.text)
    return Send(**{"channel": Channel.EMAIL, "category": Category.MARKETING, "content": content, **given})


def wait(duration: timedelta = DAY, **given: Any) -> Wait:
    return Wait(for_=duration, **given)


def steps(*actions: Action) -> tuple[Written, ...]:
    return tuple(Written(action) for action in actions)


def tagged(tag: str, then: tuple[Written, ...] = (), otherwise: tuple[Written, ...] = ()) -> If:
    return If(filter={"tag": tag}, then=then, otherwise=otherwise)


def tag(name: str) -> Tag:
    return Tag(add=name)


def definition_of(*actions: Action, **given: Any) -> Definition:
    """What is done by hand, unless a ``trigger`` is given."""
    return Definition(**{"trigger": BY_HAND, "steps": steps(*actions), **given})


class SequenceWorld(World):
    """With what a client does about sequences."""

    def set_up(
        self, *actions: Action, sequence_id: str = SEQUENCE_ID, status: SequenceStatus = SequenceStatus.ON, **given: Any
    ) -> SavedSequence:
        """Put a sequence, by hand unless a ``trigger`` is given."""
        wanted = Wanted(name="Welcome", status=status, definition=definition_of(*actions, **given))
        return self.sequence_service.put(BUSINESS_ID, sequence_id, wanted)

    def run_jobs(self) -> None:
        """All work in the background is done."""
        while self.job_runner.started:
            business_id, job_id, _ = self.job_runner.started.pop()
            self.run_to_end(self.job_service.get(business_id, job_id))

    def move_waiting(self, version: int, steps: Mapping[str, str]) -> Move:
        """Move those who wait in a version to the newest; what was said about it before."""
        self.pump_streams()
        told = self.move_enrolments.foresee(BUSINESS_ID, SEQUENCE_ID, version, steps)
        self.move_enrolments.start(BUSINESS_ID, SEQUENCE_ID, told)
        self.run_jobs()
        self.pump_streams()
        return told

    def did(self, number: int, event_id: str, kind: EventKind, *, at: datetime | None = None, **given: Any) -> None:
        """Something happened with a customer, and is told now."""
        now = self.clock.now()
        event = Event(event_id=event_id, kind=kind, at=at or now, **given)
        word = Word(event_id, stamp_of(now, event_id), id_of(number), event)
        self.activity.set_cell(BUSINESS_ID, id_of(number), Cell(event_id, event.at, word.stamp, event))
        read = self.activity.pointers(BUSINESS_ID, [event_id]).get(event_id)
        told_by = self.businesses.get(BUSINESS_ID)
        self.refold(BUSINESS_ID, told_by.time_zone, id_of(number))
        self.activity.point(BUSINESS_ID, Pointer.after(word, read), read=read)
        delay = now - event.at
        soonest = min(delay, delay if read is None or read.delay is None else read.delay)
        self.hear_activity(told_by, {id_of(number): [Told(event, delay, soonest)]})

    def has_membership(
        self,
        number: int,
        event_id: str,
        until: date | None = None,
        *,
        membership_id: str = "gold",
        status: MembershipStatus = MembershipStatus.ACTIVE,
        at: datetime | None = None,
    ) -> None:
        """A word about a membership of a customer."""
        given = {"membership_id": membership_id, "status": status, "until": until}
        self.did(number, event_id, EventKind.MEMBERSHIP, at=at, **given)

    def enrolment(self, customer_id: str, sequence_id: str = SEQUENCE_ID) -> Enrolment:
        """Where somebody stands."""
        key = EnrolmentKey(BUSINESS_ID, customer_id, sequence_id)
        return self.enrolments.get_many([key])[key]

    def subjects(self, customer_id: str) -> list[str]:
        """What somebody was sent, in order."""
        return [each.subject for each in self.mailer.handed if each.key.customer_id == customer_id and each.went_out]


def world_of(people: int, seed: int = 1) -> SequenceWorld:
    """A salon of so many customers, of whom each third has the tag ``vip``."""
    world = SequenceWorld(business(), seed=seed)
    world.add(*(customer(number, general_tags=("vip",) if number % 3 == 0 else ()) for number in range(people)))
    return world
