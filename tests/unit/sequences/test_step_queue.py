"""What the queue of sequences carries comes out as it went in, and is never more than SQS takes."""

import json
from collections.abc import Mapping, Sequence
from copy import replace
from types import MappingProxyType
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from rebound.customers.application.profile_checks import MAX_TAG, MAX_TAGS
from rebound.customers.application.tagging import TagsGiven
from rebound.kernel.categories import Category
from rebound.sequences.adapters.step_queue import SqsStepQueue, decode_steps, encode_steps
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import MOST_SEQUENCES, Reentry
from rebound.sequences.domain.tasks import TOGETHER, TOLD_TOGETHER, Came, HearTask, NewcomersTask, StepTask, Told
from tests.fakes.making import BUSINESS_ID, NOON, at, business, customer, id_of
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, wait

CALL_TAKES: Final = 256 * 1024
"""Bytes of all messages of a call to SQS."""

HAPPENED = st.builds(
    Happened,
    kind=st.sampled_from(Kind),
    key=st.text(min_size=1, max_size=200),
    at=st.integers(0, 10**6).map(at),
    about=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3) | st.just(MappingProxyType({})),
    due_at=st.none() | st.integers(0, 10**6).map(at),
    is_withdrawn=st.booleans(),
    starts=st.booleans(),
)
TOLD = st.builds(Told, st.integers(0, 9).map(id_of), HAPPENED, st.lists(st.text(max_size=32), max_size=3).map(tuple))


@given(st.lists(TOLD, max_size=5))
def test_what_happened(told: list[Told]) -> None:
    task = HearTask(BUSINESS_ID, tuple(told))

    assert decode_steps(encode_steps(task)) == task


def test_who_is_new() -> None:
    came = tuple(Came(id_of(number), at(number / 7)) for number in range(10))
    task = NewcomersTask(BUSINESS_ID, came)

    assert decode_steps(encode_steps(task)) == task


def test_who_is_due() -> None:
    task = StepTask(BUSINESS_ID, "welcome", (id_of(1), id_of(2)), "batch", NOON.replace(microsecond=7))

    assert decode_steps(encode_steps(task)) == task


def without_at(task: StepTask) -> StepTask:
    """As it is read where it was written before messages said ``at``."""
    said = json.loads(encode_steps(task))
    del said["at"]
    read = decode_steps(json.dumps(said))
    assert isinstance(read, StepTask)
    return read


def test_a_task_that_does_not_say_for_when_it_is_has_all_come_again_who_are_due() -> None:
    world = SequenceWorld(business())
    world.add(customer(1), customer(2))
    world.set_up(send("one"), wait(DAY), send("two"))
    for number in (1, 2):
        world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), "e1")
    waiting = world.step_queue.queue.messages
    for name, message in waiting.items():
        assert isinstance(message.body, StepTask)
        waiting[name] = replace(message, body=without_at(message.body))
    world.live_until(NOON + 2 * DAY)

    assert [world.subjects(id_of(number)) for number in (1, 2)] == [["one", "two"]] * 2


def test_a_task_that_does_not_say_for_when_it_is_takes_nobody_who_has_begun_again() -> None:
    world = SequenceWorld(business())
    world.add(customer(1))
    world.set_up(send("hello", category=Category.TRANSACTIONAL), reentry=Reentry.AFTER_EXIT)
    world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(1), "e1")
    (message,) = world.step_queue.queue.messages.values()
    task = message.body
    assert isinstance(task, StepTask)
    world.go_on(task)
    world.clock.move(HOUR)
    world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(1), "e2")
    world.go_on(without_at(task))
    world.live_until(NOON + DAY)

    assert world.subjects(id_of(1)) == ["hello", "hello"]


class StrictSqs:
    """Takes what SQS takes."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        bodies = [each["MessageBody"] for each in Entries]
        assert len({each["Id"] for each in Entries}) == len(bodies) <= 10
        assert sum(len(each.encode()) for each in bodies) <= CALL_TAKES
        self.taken += bodies
        return {}


def largest_tags(number: int) -> TagsGiven:
    """The most tags, given at the end of the longest chain of sequences with the longest names."""
    tags = tuple(f"{place:x>{MAX_TAG}}" for place in range(MAX_TAGS))
    by = tuple(f"{place:x>64}" for place in range(MOST_SEQUENCES))
    moment = NOON.replace(microsecond=1)
    return TagsGiven(business_id=BUSINESS_ID, customer_id=id_of(number), tags=tags[:1], at=moment, had=tags[1:], by=by)


def test_the_largest_content_fits_into_messages_and_calls() -> None:
    world, sqs = SequenceWorld(business()), StrictSqs()
    queue = SqsStepQueue(sqs, "url")
    tell = replace(world.hear_tags.tell, step_queue=queue)
    world.set_up(wait(), trigger=Happening(kind=Kind.TAG_ADDED, about={"tag": largest_tags(1).tags[0]}))
    replace(world.hear_tags, tell=tell)([largest_tags(number) for number in range(1, 101)])
    due = StepTask(BUSINESS_ID, "x" * 64, tuple(map(id_of, range(TOGETHER))), "x" * 24, NOON)
    queue.put([due] * 100, DAY)

    sizes = [len(each.encode()) for each in sqs.taken]
    assert len(sizes) == 100 // TOLD_TOGETHER + 100
    assert max(sizes) > CALL_TAKES / 10
