"""Nothing that people write leaves the tables: not by queues, not by events, not by jobs (truth 12)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.customers.domain import PROFILE
from rebound.customers.domain import Kind as FieldKind
from rebound.inbound.domain.replies import IncomingText
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.receipts import Outcome, Receipt
from rebound.messages.domain.variants import Variant
from rebound.messages.domain.winners import ChosenBy, WinnerRule
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.sequences.application.tell_custom import CustomEvent
from rebound.sequences.domain.happenings import Happening, Kind, tag_name
from rebound.sequences.domain.sequences import ExitOn, Reentry
from rebound.sequences.domain.steps import Action, Tag
from rebound.sequences.domain.tasks import HearTask, StepTask
from rebound.sequences.domain.waivers import Posting
from rebound.templates.domain.content import EmailContent
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.queues import MemoryQueue
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SequenceWorld, send, steps, tag, tagged, wait

MARK: Final = "Quackenbush"
"""In everything that is written of somebody, or to them."""
PHONE: Final = "415556"
"""In each of their numbers."""
PEOPLE: Final = 6
VARIANTS: Final = tuple(Variant(name, 5000, EmailContent(MARK, None, f"{name} {MARK}")) for name in "AB")
TAGS: Final = tuple(f"{way} of Ana {MARK} {number}" for way in ("daughter", "Wife") for number in range(3))


def profile(number: int) -> dict[str, Any]:
    """Every field has the mark that can have it."""
    of_kind: dict[FieldKind, Any] = {
        FieldKind.TEXT: f"{MARK} {number}",
        FieldKind.EMAIL: f"ana{number}@{MARK}.example.org".lower(),
        FieldKind.PHONE: f"+1{PHONE}700{number}",
        FieldKind.RECIPIENTS: [f"cc{number}@{MARK}.example.org".lower()],
    }
    given = {name: of_kind[row.kind] for name, row in PROFILE.items() if row.kind in of_kind}
    # By it a business names somebody, and so do we.
    return {**given, "external_id": f"a-{number}"}


def happening(world: SequenceWorld, *more: Kind) -> Happening:
    """Something that sequences are told by their queue, or at once."""
    kind = world.random.choice([Kind.TAG_ADDED, Kind.TAG_ADDED, Kind.REPLY, Kind.CUSTOM, *more])
    about = {
        Kind.TAG_ADDED: {"tag": world.random.choice(TAGS).upper()},
        Kind.CUSTOM: {"name": "order late"},
        Kind.SEGMENT_ENTERED: {"segment_id": "marked"},
    }
    return Happening(kind=kind, about=about.get(kind, {}))


def program(world: SequenceWorld) -> list[Action]:
    """Steps that write of somebody and to them."""
    chance = world.random
    made: list[Action] = [
        send(f"Dear {MARK}"),
        tag(chance.choice(TAGS)),
        Tag(remove=chance.choice(TAGS)),
        wait(HOUR),
        wait(DAY, for_event=Happening(kind=Kind.TAG_ADDED, about={"tag": chance.choice(TAGS)})),
        tagged(chance.choice(TAGS), steps(tag(chance.choice(TAGS)), wait(HOUR))),
    ]
    return chance.sample(made, chance.randint(2, len(made)))


def text(world: SequenceWorld, number: int, body: str) -> None:
    """Somebody texts."""
    ours = "+14155550100"
    world.receive_text(IncomingText(f"SM{world.clock.now()}{number}", f"+1{PHONE}700{number}", ours, (ours,), body))


def happens(world: SequenceWorld, ids: list[str], number: int) -> None:
    """Something that people, or the business's own software, do."""
    chance, customer_id = world.random, ids[number]
    match chance.choice(["edit", "text", "custom", "waiver", "book", "delete"]):
        case "edit":
            with_tags = chance.sample(TAGS, 2)
            world.customer_service.change(BUSINESS_ID, customer_id, {"general_tags": with_tags})
        case "text":
            text(world, number, f"This is {MARK}, call me")
        case "custom":
            event = CustomEvent(name="order late", event_id=f"o{chance.random()}", at=world.clock.now())
            world.tell_custom(BUSINESS_ID, customer_id, event, "customer_id")
        case "waiver":
            posting = Posting(f"v{chance.random()}", f"For {MARK}", "https://sign.example.com/rules")
            world.waiver_service.post(BUSINESS_ID, "rules", posting)
        case "book":
            at = world.clock.now()
            booking = {"event_id": f"b{chance.random()}", "kind": "booking", "at": at.isoformat()}
            starts_at = (at + 3 * DAY).isoformat()
            booked = {**booking, "customer_id": customer_id, "starts_at": starts_at, "appointment_id": f"a{number}"}
            world.accept_activity(BUSINESS_ID, [booked])
        case _:
            world.customer_service.delete(BUSINESS_ID, customer_id)
            world.customer_service.create(BUSINESS_ID, profile(number))


@pytest.mark.parametrize("seed", range(15))
def test_nothing_that_people_write_leaves_the_tables(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[object] = []
    queued = MemoryQueue.send

    def noted(queue: MemoryQueue[Any], body: object, delay: timedelta = timedelta()) -> None:
        # What providers tell has addresses.
        if not (isinstance(body, tuple) and isinstance(body[0], Receipt)):
            put.append(body)
        queued(queue, body, delay)

    monkeypatch.setattr(MemoryQueue, "send", noted)
    world = SequenceWorld(business(), seed=seed)
    ids = [world.customer_service.create(BUSINESS_ID, profile(number)).customer.customer_id for number in range(PEOPLE)]
    world.segment_service.put(BUSINESS_ID, "marked", MARK, {"tag": TAGS[0]})
    given: dict[str, Any] = {"variants": VARIANTS, "winner": WinnerRule(4000, 24, ChosenBy.DELIVERED, 1)}
    world.run(world.post(name=MARK, content=VARIANTS[0].content, **given).campaign.campaign_id)
    for number in range(4):
        for _ in range(2):
            # Twice, so that a version before the newest may hear anything.
            world.set_up(
                *program(world),
                sequence_id=f"s{number}",
                trigger=happening(world, Kind.SEGMENT_ENTERED),
                exit_on=(ExitOn(happening(world)),),
                reentry=Reentry.AFTER_EXIT,
            )
    world.sequence_service.enrol(BUSINESS_ID, "s0", ids[1], "by hand")
    late = CustomEvent(name="order late", event_id="first", at=world.clock.now())
    world.tell_custom(BUSINESS_ID, ids[1], late, "customer_id")
    world.customer_service.change(BUSINESS_ID, ids[1], {"general_tags": TAGS})
    text(world, 0, "STOP")
    world.outcomes = {profile(0)["email"]: ((Outcome.COMPLAINED, None, 1.0),)}
    world.waiver_service.post(BUSINESS_ID, "rules", Posting("v0", f"For {MARK}", "https://sign.example.com/rules"))
    started: list[object] = list(world.job_runner.started)
    world.chaos = Chaos(death=0.02, duplicate=0.2)
    for _ in range(25):
        # Who was deleted, and whose maker died, is not there.
        with suppress(WorkerDiedError, BrokenCallError, NotFoundError, InvalidInputError):
            world._mortal("people", lambda: happens(world, ids, world.random.randrange(PEOPLE)))
        started += world.job_runner.started
        world.run_jobs()
        world.live_until(world.clock.now() + world.random.choice([timedelta(minutes=1), HOUR]))
    world.chaos = Chaos()
    world.live_until(world.clock.now() + 3 * DAY)

    told = [each.happened for task in put if isinstance(task, HearTask) for each in task.told]
    assert {each.about["tag"] for each in told if each.kind is Kind.TAG_ADDED} <= set(map(tag_name, TAGS))
    assert Kind.TAG_ADDED in {each.kind for each in told}
    assert {type(each) for each in put} >= {HearTask, StepTask, ChunkTask}
    left: dict[str, Sequence[object]] = {"queue": put, "event": world.domain_events.published, "job": started}
    assert all(left.values())
    assert [
        (where, each)
        for where, found in left.items()
        for each in found
        if MARK.lower() in repr(each).lower() or PHONE in repr(each)
    ] == []
