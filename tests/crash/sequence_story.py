"""A fortnight of sequences in memory: begun by what happens and by hand, waited in, ended, changed, switched, deleted.

Customers of one salon go through a sequence with a wait, a condition, a wait for an event, tags, an email and a text;
it is changed while they are inside, switched off while somebody's message is on its way and others come due, and on
again, once to go on and once to let lapse; somebody is deleted half way, another is taken out, and a second sequence is
deleted with people inside. Who must have got what follows from what happened to them, not from what the code says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from rebound.campaigns.domain.chunks import ChunkState
from rebound.jobs.domain import JobStatus
from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.sequences.application import wake
from rebound.sequences.application.sequence_service import Wanted
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, LeftBecause
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Late, Reentry, SequenceStatus
from rebound.sequences.domain.steps import Action
from rebound.templates.domain.content import TextContent
from tests.crash.stopping import Stopping
from tests.crash.story import REDELIVERIES
from tests.fakes import world
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, definition_of, send, steps, tag, tagged, wait

GONE: Final = "gone"
"""The sequence that is deleted."""
PEOPLE: Final = 10
VIPS: Final = (3, 6, 9)
LEAVES: Final = 4
"""Cancels while they wait."""
BUYS: Final = 5
"""Buys while they wait, which is what it is for."""
BOOKS: Final = 1
"""Books, which others wait for until they may not any longer."""
DELETED: Final = 7
TAKEN_OUT: Final = 8
LATE: Final = 2
"""Comes due while it is off, and what is late lapses."""
NEXT: Final = 10
"""Begins once it has been changed."""
WORDS: Final[Mapping[str, str]] = {"one": "1", "for vips": "3.then.1", "two": "4"}
BOOKED: Final = Happening(kind=Kind.BOOKING)


def program(last: str) -> tuple[Action, ...]:
    """The sequence, with the words of its last email."""
    return (
        send("one"),
        wait(DAY),
        tagged("vip", steps(send("for vips"), tag("thanked")), steps(wait(2 * DAY, for_event=BOOKED))),
        send("", channel=Channel.SMS, content=TextContent("Come again. Stop: ##{{stop_url}}")),
        wait(timedelta(minutes=10)),
        send(last),
    )


class SequenceStory(Stopping):
    """The fortnight."""

    def __init__(self, *, redelivers: bool = False, **stops: Any) -> None:
        super().__init__(business(), ranges=2, **stops)
        self.jobs_left: list[str] = []
        for number in range(1, PEOPLE + 1):
            self.add(customer(number, general_tags=("vip",) if number in VIPS else ()))
        if redelivers:
            self.step_queue.queue.redeliveries = REDELIVERIES
            for queue in self.chunk_queue.queues.values():
                queue.redeliveries = REDELIVERIES
        self.pump_streams()

    def play(self) -> None:
        """From the first visit until nothing is left to happen."""
        with patch.object(world, "MOST_STEPS", 4000), patch.object(wake, "PAGE", 3):
            self._start_anew()
            self._fortnight()

    def _fortnight(self) -> None:
        self._put(SEQUENCE_ID, *program("three"))
        self._put(GONE, wait(9 * DAY), send("never"), reentry=Reentry.AFTER_EXIT)
        for number in range(1, PEOPLE):
            if number != LATE:
                self._hears(Kind.VISIT, number)
        for number in (1, 2):
            self._asked("enrol", lambda number=number: self._enrol(GONE, number))  # type: ignore[misc]
        self.live_until(NOON + HOUR)
        self._hears(Kind.CANCELLATION, LEAVES)
        self._hears(Kind.PURCHASE, BUYS)
        self.remove_customer(self.customers.get(BUSINESS_ID, id_of(DELETED)))
        self._asked("take_out", lambda: self.sequence_service.take_out(BUSINESS_ID, SEQUENCE_ID, id_of(TAKEN_OUT)))
        self._put(SEQUENCE_ID, *program("third"))
        self._hears(Kind.VISIT, NEXT)
        self._until_a_message_is_on_its_way()
        # The message of who has begun last is on its way; all others come due while it is off.
        self._switch(SequenceStatus.OFF)
        self.live_until(NOON + DAY + 2 * HOUR)
        self._switch(SequenceStatus.ON, Late.GO_ON)
        self.live_until(NOON + DAY + 3 * HOUR)
        self._hears(Kind.BOOKING, BOOKS)
        self._hears(Kind.VISIT, LATE)
        self.live_until(NOON + DAY + 9 * HOUR)
        self._switch(SequenceStatus.OFF)
        self.live_until(NOON + 2 * DAY + 9 * HOUR)
        self._switch(SequenceStatus.ON, Late.LAPSE)
        self._asked("delete", lambda: self._delete(GONE))
        self._run_jobs()
        self.live_until(NOON + 14 * DAY)
        self.pump_streams()

    def _put(self, sequence_id: str, *actions: Action, **given: Any) -> None:
        ends = (ExitOn(Happening(kind=Kind.CANCELLATION)), ExitOn(Happening(kind=Kind.PURCHASE), is_goal=True))
        said = definition_of(*actions, **{"trigger": Happening(kind=Kind.VISIT), "exit_on": ends, **given})
        wanted = Wanted(name="Welcome", status=SequenceStatus.ON, definition=said)
        self._asked("put", lambda: self.sequence_service.put(BUSINESS_ID, sequence_id, wanted))

    def _hears(self, kind: Kind, number: int) -> None:
        happened = Happened(kind=kind, key=f"{kind}-{number}", at=self.clock.now())
        self._asked("hear", lambda: self.hear_happenings(BUSINESS_ID, id_of(number), [happened]))

    def _enrol(self, sequence_id: str, number: int) -> bool:
        return self.sequence_service.enrol(BUSINESS_ID, sequence_id, id_of(number), "by hand")

    def _switch(self, status: SequenceStatus, late: Late | None = None) -> None:
        self._asked("switch", lambda: self.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, status, late))
        self._run_jobs()

    def _delete(self, sequence_id: str) -> None:
        with suppress(NotFoundError):  # the answer that did not come was that it is gone
            self.sequence_service.delete(BUSINESS_ID, sequence_id)

    def _run_jobs(self) -> None:
        while self.job_runner.started:
            business_id, job_id, _ = self.job_runner.started.pop()
            view = self.run_to_end(self.job_service.get(business_id, job_id))
            if view.job.status is not JobStatus.COMPLETED:
                self.jobs_left.append(f"{view.job.kind} is {view.job.status}")

    def _until_a_message_is_on_its_way(self) -> None:
        while not any(queue.messages for queue in self.chunk_queue.queues.values()) and self._happens():
            pass

    # --- what must be true in the end ---------------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """What is wrong; empty where nothing is."""
        found = [*self.jobs_left, *self._twice(), *self._lost(), *self._lying_about(), *self._miscounted()]
        return sorted(set(found))

    def _twice(self) -> Iterator[str]:
        for key, times in [*self.mailer.went_out.items(), *self.twilio_texter.went_out.items()]:
            if times > 1:
                yield f"{key} went out {times} times"
        words = Counter((each.key.customer_id, each.subject) for each in self.mailer.handed if each.went_out)
        yield from (f"{who} got {what} {times} times" for (who, what), times in words.items() if times > 1)
        if any(each.subject == "never" for each in self.mailer.handed):
            yield "what was deleted was sent"

    def _lost(self) -> Iterator[str]:
        """Everybody has come to the end that was theirs, and was sent to at each of their steps."""
        for number in range(1, PEOPLE + 1):
            standing = self.enrolments.get_many([EnrolmentKey(BUSINESS_ID, id_of(number), SEQUENCE_ID)])
            [one] = standing.values() or [None]
            if number == DELETED:
                if one is not None:
                    yield "who was deleted is still there"
                continue
            # Who is in hand when it is switched off may go on when it is on, a day later.
            late = {LeftBecause.LAPSED} if number == NEXT else set()
            if one is None or one.left_because not in {_BECAUSE.get(number, LeftBecause.ENDED)} | late:
                yield f"{number} is {one}"
                continue
            yield from self._unsent(number, one)
        for key in self.enrolments.rows:
            if key.sequence_id == GONE:
                yield f"{key} is in what was deleted"

    def _unsent(self, number: int, one: Enrolment) -> Iterator[str]:
        emails = [
            each.subject
            for each in self.mailer.handed
            if each.key.customer_id == id_of(number) and (each.went_out or self.stopped)
        ]
        texts = [each for each in self.twilio_texter.handed if each.key.customer_id == id_of(number)]
        expected = {"one"}
        if one.left_because is LeftBecause.ENDED:
            expected |= {"third" if number == NEXT else "three"} | ({"for vips"} if number in VIPS else set())
            known = {
                each.channel: each for each in self.messages.rows.values() if each.key.customer_id == id_of(number)
            }
            if not texts and Channel.SMS not in known:
                yield f"{number} got no text"
        elif texts:
            yield f"{number} got a text"
        uncertain = len(self.stopped)
        if set(emails) - expected or len(expected - set(emails)) > uncertain:
            yield f"{number} got {emails} instead of {expected}"
        tags = self.customers.get(BUSINESS_ID, id_of(number)).general_tags
        if ("thanked" in tags) != ("for vips" in expected):
            yield f"{number} has the tags {tags}"

    def _lying_about(self) -> Iterator[str]:
        for chunk in self.chunks.rows.values():
            if chunk.state is not ChunkState.DONE:
                yield f"chunk {chunk.key.chunk} is {chunk.state}"
        for waiting in (self.step_queue.queue.messages, *(each.messages for each in self.chunk_queue.queues.values())):
            if waiting:
                yield f"still on a queue: {waiting}"
        if self.timers.rows:
            yield f"timers: {self.timers.rows}"

    def _miscounted(self) -> Iterator[str]:
        """Whoever was not sent to has a message that says why, and nobody has two of a step."""
        of_steps = Counter((m.key.customer_id, m.campaign_id) for m in self.messages.rows.values())
        yield from (f"{who} has {times} messages of {what}" for (who, what), times in of_steps.items() if times > 1)


_BECAUSE: Final = {
    LEAVES: LeftBecause.EXIT,
    BUYS: LeftBecause.GOAL,
    TAKEN_OUT: LeftBecause.REMOVED,
    LATE: LeftBecause.LAPSED,
}
