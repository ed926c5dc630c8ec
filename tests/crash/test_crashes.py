"""A worker stopped at one boundary of each kind, what the harness covers, and that it finds what is wrong.

``make crash`` stops one at every boundary.
"""

import ast
import inspect
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from copy import replace
from typing import Any, Final
from unittest.mock import patch

import pytest

from rebound.campaigns.application import count_results, project_campaigns, roll_back_flags
from rebound.campaigns.domain.chunks import RangeProgress
from rebound.contacts import application as suppression_list_client
from rebound.contacts.ports import AddressReader
from rebound.customers.application import copy_flags
from rebound.eligibility.application import frequency_reservations
from rebound.imports_exports.application import export_customers, import_customers
from rebound.inbound.application import receive_text, review_replies
from rebound.jobs.application import run_job
from rebound.kernel.events import AppointmentConfirmed
from rebound.kernel.provider_codes import TEXT_PROVIDERS
from rebound.messages.application import record_evidence
from rebound.messages.domain.messages import Message
from rebound.platform.ports import Clock, Ids
from rebound.preferences.application import follow_links
from rebound.receipts.application import apply_receipts, reconcile_suppressions
from rebound.segments.application import bulk_delete, find_customers
from rebound.sending.application import (
    acquire_send_slot,
    chunk_lifecycle,
    decide_recipients,
    fall_back,
    requeue_chunks,
    run_campaign,
    send_email,
    send_text,
)
from rebound.sending.domain.outcomes import KeptBack, Outcomes, Settled
from rebound.text_plans.application import meter_texts, tell_owner
from rebound.timeline.application import project_contacts
from tests.contract.campaigns.fakes import MemoryChunkLedger, MemoryExpansionLedger, MemoryTallyBook
from tests.contract.contacts.fakes import PlainAddressReader
from tests.contract.messages.fakes import MemoryLinkKeyring
from tests.contract.platform.fakes import FakeClock, SeededIds
from tests.contract.sending.fakes import MemoryChunkQueue
from tests.crash.harness import ALWAYS, MODES, boundaries, one_of_each_kind, stopped_at, those_that_tell_most
from tests.crash.sequence_story import SequenceStory
from tests.crash.story import played
from tests.fakes.aws import REPOSITORY
from tests.fakes.house import EveryPorts
from tests.fakes.watching import Boundary, _Watched
from tests.fakes.world import World

NOT_OUTSIDE: Final = (FakeClock, SeededIds, PlainAddressReader, MemoryLinkKeyring)
"""They answer from within the process and change nothing: stopping there is stopping at the next call."""
WORKERS: Final = (
    acquire_send_slot,
    apply_receipts,
    bulk_delete,
    copy_flags,
    find_customers,
    count_results,
    export_customers,
    frequency_reservations,
    follow_links,
    import_customers,
    project_campaigns,
    project_contacts,
    receive_text,
    reconcile_suppressions,
    requeue_chunks,
    review_replies,
    roll_back_flags,
    run_campaign,
    run_job,
    chunk_lifecycle,
    decide_recipients,
    fall_back,
    send_email,
    send_text,
    suppression_list_client,
    record_evidence,
    meter_texts,
    tell_owner,
)
"""Modules of the use cases that the story's workers run."""


SAMPLES: Final = list(zip(MODES, (8, 32, 16, 64), strict=True))
"""Of each mode, a boundary of each so many-th kind: seconds, where all of them take minutes."""


@pytest.mark.parametrize(("mode", "every"), SAMPLES, ids=lambda value: getattr(value, "name", ""))
def test_a_worker_stopped_at_a_boundary_loses_nothing_and_repeats_nothing(mode: Any, every: int) -> None:
    reached = boundaries(mode)
    most = those_that_tell_most(reached, 3) if mode is MODES[0] else ()
    numbers = {*one_of_each_kind(reached, every), *most}
    wrong = [stopped_at(mode, number) for number in sorted(numbers)]

    assert wrong
    assert [str(violation) for violation in wrong if violation is not None] == []


def test_every_use_case_reaches_the_outside_through_watched_ports_only() -> None:
    assert sorted(set(_unwatched(World()))) == []


def _unwatched(world: World) -> Iterator[str]:
    """Every fake that a use case holds without a checkpoint, found by looking into the use cases."""
    waiting = [(name, held) for name, held in world.use_cases() if _is_ours(held, "rebound.")]
    assert waiting
    while waiting:
        name, holder = waiting.pop()
        for held in _held(holder):
            if _is_ours(held, "rebound."):
                waiting.append((name, held))
            elif _is_ours(held, "tests.") and not isinstance(held, (_Watched, *NOT_OUTSIDE)):
                yield f"{name}: {type(held).__name__}"


def _held(holder: object) -> Iterator[object]:
    names: Iterable[str] = getattr(holder, "__dict__", ()) or getattr(type(holder), "__slots__", ())
    for held in (getattr(holder, name) for name in names):
        for each in held.values() if isinstance(held, dict) else (held,):
            # A texter is made when it is asked for.
            is_texter = inspect.ismethod(each) and each.__name__ == "texter"
            yield from map(each, TEXT_PROVIDERS) if is_texter else (each,)


def _is_ours(held: object, room: str) -> bool:
    return type(held).__module__.startswith(room)


def _protocols(module: object) -> Iterator[type]:
    """The ports of a module of them."""
    for _, found in inspect.getmembers(module, inspect.isclass):
        if getattr(found, "_is_protocol", False) and found.__module__.startswith("rebound."):
            yield found


def test_the_story_comes_to_every_call_that_the_workers_can_make() -> None:
    """A call in a branch that no story takes would be covered by nothing: then one of them must grow."""
    told = (*boundaries(MODES[0]), *boundaries(MODES[0], tale=SequenceStory))
    reached = {here.call.partition(".")[2] for here in told}
    protocols = {found for kind in (*EveryPorts.__mro__,) for found in _protocols(inspect.getmodule(kind))}
    methods = {
        name
        for protocol in protocols
        if protocol not in (Clock, Ids, AddressReader) and protocol not in EveryPorts.__mro__
        for name, found in vars(protocol).items()
        if inspect.isfunction(found) and not name.startswith("_")
    }
    called = {
        node.func.attr
        for module in WORKERS
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }

    assert len(called & methods) > len(WORKERS)
    assert (called & methods) - reached - NOT_OF_WORKERS == set()


NOT_OF_WORKERS: Final = frozenset(
    {
        "upload_url",
        "download_url",
        "bad_rows",
        "in_use",
        "wait",
        "keys",
        "read",
        "token_of",
        "fill_index",
        "known",
        "parts",
        "newest",
        "at_location",
        "reach",
    }
)
"""Called in the workers' modules, but by the API's use cases and pages, which sign a URL and read what is kept; the
walk over all contacts that an operator asks for; the wait after a lost race, which the story does not lose: what was
tried has not been done; the keys of links, which are in memory (``NOT_OUTSIDE``); where a short link leads, which only
its page reads; the filling of the index of a business of before there was one, which an operator asks for and the
contract suite of customers tries; the goals of campaigns, whose own worlds stop workers at every call
(``tests/unit/campaigns``); and methods of our own that have the names of ports'.
"""


def test_the_same_seed_makes_the_same_run() -> None:
    assert played(seed=3).reached == played(seed=3).reached


def test_a_boundary_is_noted_on_both_sides_also_of_a_call_that_raises() -> None:
    reached = boundaries(MODES[0])
    before, after = (sum(here.side == side for here in reached) for side in ("before", "after"))

    assert before == after
    assert Boundary("x.y", "after") == "x.y"


def test_deployed_functions_stopped_at_requests_to_aws_lose_nothing_and_repeat_nothing() -> None:
    """In a process of its own, because it forks."""
    command = [sys.executable, "-m", "tests.crash.deployed", "--every", "240"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


# --- the harness finds what is wrong ----------------------------------------------------------------------------------


def forgets_the_mark() -> Any:
    """A worker that dies while it sends then looks like one that had not begun."""
    return patch.object(MemoryChunkLedger, "mark", lambda *_: None)


def forgets_its_positions() -> Any:
    """A change that comes again counts again."""

    def add(self: MemoryTallyBook, campaign_id: str, shard: str, counts: Any, *, after: Any, position: str) -> None:
        known, _ = self._rows.get((campaign_id, shard), (Counter[str](), ""))
        known.update(counts)
        self._rows[campaign_id, shard] = (known, position)

    return patch.multiple(MemoryTallyBook, add=add, position=lambda *_: None)


def takes_chunks_for_enqueued_when_they_are_written() -> Any:
    """Nobody enqueues what was written by an expansion that died in between."""
    commit = MemoryExpansionLedger.commit

    def hasty(self: MemoryExpansionLedger, progress: RangeProgress, chunks: Any = (), left_out: Any = {}) -> Any:  # noqa: B006 - never changed
        commit(self, replace(progress, enqueued=progress.chunks), chunks, left_out)
        return replace(progress, version=progress.version + 1)

    return patch.object(MemoryExpansionLedger, "commit", hasty)


def drops_early_receipts() -> Any:
    """What came before our own record of the send is gone."""
    return patch.object(apply_receipts.Applied, "again", property(lambda self: self.contended))


def forgets_whom_it_kept_back() -> Any:
    """Texts that were refused for our own fault end in no chunk when somebody pauses the campaign."""

    def left(self: Outcomes) -> list[str]:
        return [c for c, outcome in self.by_customer.items() if not isinstance(outcome, Message | Settled | KeptBack)]

    return patch.object(Outcomes, "left", property(left))


def forgets_who_waits() -> Any:
    """After a death in the call, those to whom it was not to send are taken for sent to."""
    mark = chunk_lifecycle.ChunkLifecycle.mark
    return patch.object(chunk_lifecycle.ChunkLifecycle, "mark", lambda self, claimed, _=(): mark(self, claimed, ()))


def leaves_a_halted_chunk_lying() -> Any:
    """A resume that comes before a chunk is put back does not find it, and nobody looks at the status again."""
    put = MemoryChunkQueue.put

    def silent(self: MemoryChunkQueue, *given: Any) -> None:
        if sys._getframe(2).f_code.co_name != "halt":
            put(self, *given)

    return patch.object(MemoryChunkQueue, "put", silent)


def forgets_whom_it_moved_to_email() -> Any:
    """Texts whose rows say that they go by email are in no chunk of emails."""
    return patch.object(fall_back.FallBackToEmail, "go_on", lambda *_: None)


def keeps_places() -> Any:
    """A place under a cap stays taken while its message waits for another attempt."""
    return patch.object(chunk_lifecycle.ChunkLifecycle, "release", lambda *_: None)


def closes_before_it_tells() -> Any:
    """A question is closed before its answer is published: after a death in between nobody is told."""

    def confirm(self: receive_text.ReceiveText, business: Any, key: Any, reply: Any) -> None:
        asked = self.appointments.asked(key)
        if asked:
            self.appointments.close(key, asked)
            told = AppointmentConfirmed(
                key.business_id, reply.appointment_id, reply.customer_id, reply.message_id, "SM", reply.at, "SM"
            )
            self.publish([told], reply.at, business=business)

    return patch.object(receive_text.ReceiveText, "_confirm", confirm)


@pytest.mark.parametrize(
    ("mutation", "step", "call"),
    [
        (forgets_whom_it_kept_back, "send_text", "chunks.put_back"),
        (forgets_who_waits, "send_email", "mailer.send"),
        (leaves_a_halted_chunk_lying, "send_text", "chunks.put_back"),
        (forgets_whom_it_moved_to_email, "send_text", "messages.fall_back"),
        (keeps_places, "send_email", "frequencies.save"),
        (closes_before_it_tells, "receive_text", "domain_events.publish"),
        (forgets_the_mark, "send_email", "messages.record_new"),
        (forgets_its_positions, "count_results", "tallies.add"),
        (takes_chunks_for_enqueued_when_they_are_written, "expand", "chunk_queue.put"),
        (drops_early_receipts, "send_email", "messages.record_new"),
    ],
)
def test_a_fault_is_found_by_stopping_a_worker_where_it_shows(
    mutation: Callable[[], Any], step: str, call: str
) -> None:
    mode = MODES[0]
    with mutation():
        try:
            reached = boundaries(mode)
        except AssertionError:
            return
        numbers = [number for number, here in enumerate(reached) if (here.step, here.call) == (step, call)]
        assert any(stopped_at(mode, number) for number in numbers)


def test_the_sample_stops_workers_where_it_shows_who_is_kept_back_waits_or_was_told_of() -> None:
    reached = boundaries(MODES[0])
    found = {(reached[number].step, reached[number].call) for number in those_that_tell_most(reached)}

    assert found == ALWAYS
