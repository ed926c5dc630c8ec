"""All use cases over the fakes, and a whole campaign run to rest under seeded chaos."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property, partial
from typing import Any, Final

from rebound.activity.domain.words import ActivityTask
from rebound.businesses.domain.business import Business, Recopying
from rebound.campaigns.application.campaign_service import CampaignView, NewCampaign
from rebound.campaigns.application.roll_back_flags import RollbackProgress
from rebound.campaigns.domain.campaigns import Campaign
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Evidence
from rebound.customers.application.tagging import TagsGiven
from rebound.customers.domain import Customer
from rebound.imports_exports.application.export_customers import ExportView
from rebound.imports_exports.application.start_import import ImportView
from rebound.jobs.application.job_service import JobView
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError, ReboundError
from rebound.kernel.pages import RowChange
from rebound.kernel.provider_codes import TEXT_PROVIDERS, Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.messages.domain.messages import Message, StatusChange
from rebound.segments.domain.selections import Selection
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask
from rebound.sequences.domain.results import CountedChange
from rebound.sequences.domain.tasks import QueuedTask
from rebound.templates.domain.content import Content
from rebound.timers.domain import AHEAD
from rebound.webhooks.domain.webhooks import DeliveryTask
from tests.contract.messages.fakes import status_changes
from tests.contract.sequences.fakes import ask_changes, enrolment_changes
from tests.fakes.house import EveryUseCase
from tests.fakes.making import BUSINESS_ID, GREETING, SHORT_GREETING, business
from tests.fakes.memory_ports import MemoryPorts, watched_ports
from tests.fakes.queues import MemoryQueue
from tests.fakes.streams import Change, written
from tests.fakes.watching import Boundary, BrokenCallError, Checkpoint, WorkerDiedError

MOST_STEPS: Final = 20_000


MOST_COPIES: Final = 10
"""Messages that say the same, from which on none comes twice: where most workers die, there would be ever more."""


MOST_RECEIVES: Final = 14
"""``maxReceiveCount`` of the receipts queue."""


SOON: Final = timedelta(seconds=2)


LATEST: Final = timedelta(minutes=15)
"""Between them, doubling each time, an early receipt comes again, as apply_receipts asks for it."""


CRASHES: Final = (WorkerDiedError, BrokenCallError)


LATER: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Chaos:
    """How much goes wrong: chances out of 1."""

    death: float = 0.0
    """Of a worker, at each call of a port."""
    duplicate: float = 0.0
    """Of a queue message to come twice."""
    early: float = 0.0
    """Of a receipt to be handled before the sender has recorded the send."""
    reminders: float = 0.0
    """Of the time to leap between two steps."""


def always() -> bool:
    """There is time."""
    return True


class World(MemoryPorts, EveryUseCase):
    """One deployment in memory. Queues are pumped by ``rest``; nothing happens between calls."""

    between_looks = 1
    """How much happens between two looks whether a campaign has drained."""

    def __init__(self, *businesses: Business, seed: int = 0, ranges: int = 4, shards: int = 3) -> None:
        MemoryPorts.__init__(self, *(businesses or (business(),)), seed=seed, ranges=ranges, shards=shards)
        self.chaos = Chaos()
        self._may_die = False
        self.checkpoint: Checkpoint = self._perhaps_die
        """What happens before and after each call of a port; a test may put something else here."""
        self.deaths: Counter[str] = Counter()
        self.step = ""
        """Which worker is at work; empty while none is."""
        self.unattributed = 0
        self.dead_letters: list[Receipt] = []
        self.outcomes: dict[str, tuple[tuple[Outcome, str | None, float], ...]] = {}
        """What becomes of a message to an address: receipts with outcome, code and seconds after the send."""
        for script, provider in (
            (self.mailer, Provider.SES),
            *((self.texter(provider), provider) for provider in TEXT_PROVIDERS),
        ):
            script.taken.append(self._teller(provider))
        self._start_anew()

    def _start_anew(self) -> None:
        """As a new process does, which makes its use cases again; all that they reach outside of it is watched."""
        self.ports = watched_ports(self, self._reach)
        for name in _made_by_wiring():
            self.__dict__.pop(name, None)

    def use_cases(self) -> Iterator[tuple[str, object]]:
        """All there are, and what they are made of, by name."""
        for name in _made_by_wiring():
            yield name, getattr(self, name)

    # --- what a test prepares -----------------------------------------------------------------------------------------

    def add(self, *customers: Customer) -> None:
        """Customers as they are, with the contacts of their addresses."""
        for customer in customers:
            keys = customer.contact_keys
            linked = [
                replace(c, customer_ids=c.customer_ids | {customer.customer_id})
                for c in self.contacts.get_many(keys).values()
            ]
            self.customers.save([customer], linked)

    def know(self, key: ContactKey, *evidence: Evidence | ConsentEvidence) -> None:
        """Evidence about a contact."""
        self.contacts.save(self.contacts.get_many([key])[key].with_evidence(*evidence))

    def post(self, channel: Channel = Channel.EMAIL, **given: Any) -> CampaignView:
        """Post a campaign to everybody; ``request`` names the client's request."""
        request: str | None = given.pop("request", None)
        content: Content = GREETING if channel is Channel.EMAIL else SHORT_GREETING
        defaults: dict[str, Any] = {
            "name": "Autumn offer",
            "category": Category.MARKETING,
            "channel": channel,
            "selection": Selection(filter={"all": []}),
            "content": content,
        }
        return self.campaign_service.post(BUSINESS_ID, NewCampaign(**{**defaults, **given}), request)

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self, campaign_id: str, business_id: str = BUSINESS_ID) -> CampaignView:
        """Run a campaign from plan to close and everything that follows from it to rest."""
        self.begin(campaign_id, business_id)
        self.end(campaign_id, business_id)
        self.rest()
        return self.campaign_service.get(business_id, campaign_id)

    def begin(self, campaign_id: str, business_id: str = BUSINESS_ID) -> None:
        """Plan and expand."""
        for index in self._step("plan", lambda: self.plan_campaign(business_id, campaign_id)):
            while not self._step("expand", partial(self._expand, business_id, campaign_id, index)):
                self._tick()

    def end(self, campaign_id: str, business_id: str = BUSINESS_ID) -> None:
        """Let it drain, and close it."""
        for _ in range(MOST_STEPS):
            drained = self._step("drain", lambda: self.drain_campaign(business_id, campaign_id, 0))
            if drained.drained:
                break
            for _ in range(self.between_looks):
                self._tick()
            self.clock.move(timedelta(seconds=drained.wait_seconds))
        else:
            raise AssertionError("the campaign never drains")
        self._step("close", lambda: self.close_campaign.complete(business_id, campaign_id))

    def run_import(self, import_id: str, business_id: str = BUSINESS_ID) -> ImportView:
        """Run an import through all its steps, some parts before others."""
        while (parts := self._step("split_import", lambda: self._split(business_id, import_id))) is None:
            self._tick()
        left = list(parts)
        while left:
            part = self.random.choice(left)
            if self._step("import_customers", partial(self._import_part, business_id, import_id, part)):
                left.remove(part)
        self._step("close_import", lambda: self.close_import.complete(business_id, import_id))
        return self.start_import.get(business_id, import_id)

    def run_to_end(self, job: JobView) -> JobView:
        """Run a job as its state machine does until nothing is left to do."""
        ids = (job.job.business_id, job.job.job_id)
        while waiting := self._step("run_job", partial(self.run_job.advance, *ids)):
            for index in self.random.sample(waiting, len(waiting)):
                while not self._step("run_job", partial(self.run_job.work, *ids, index, self._time_left)):
                    pass
        return self.job_service.get(*ids)

    def run_export(self, export_id: str, business_id: str = BUSINESS_ID) -> ExportView:
        """Run an export to its end."""
        while not self._step("export_customers", lambda: self._export(business_id, export_id)):
            self._tick()
        return self.start_export.get(business_id, export_id)

    def rest(self) -> None:
        """Pump until nothing is left to happen."""
        for _ in range(MOST_STEPS):
            if not self._tick():
                return
        raise AssertionError("nothing comes to rest")

    def live_until(self, moment: datetime) -> None:
        """Let everything happen until a moment, and nothing after it."""
        for _ in range(MOST_STEPS):
            if self._happens():
                continue
            if self.next_at is None or self.next_at > moment:
                self.clock.move_to(moment)
                return
            self.clock.move_to(self.next_at)
        raise AssertionError("nothing comes to rest")

    def pump_streams(self) -> None:
        """Let the readers of the streams catch up, each with some changes twice."""
        while (batch := self.messages.stream.deliver(self.random)) is not None:
            shard, changes = batch
            told = status_changes(changes)
            self._retried("count_results", partial(self._count, shard, told))
            for message in changes:
                if message.after.campaign_id is None:
                    self._retried("project_messages", partial(self._follow, written(message)))
        while (enrolments := self.enrolments.stream.deliver(self.random)) is not None:
            shard, moved = enrolments
            self._retried("count_steps", partial(self._count_steps, shard, enrolment_changes(moved)))
        while (asked := self.asks.stream.deliver(self.random)) is not None:
            self._retried("count_steps", partial(self._count_steps, asked[0], ask_changes(asked[1])))
        while (contact_batch := self.contacts.stream.deliver(self.random)) is not None:
            for change in contact_batch[1]:
                self._retried("project_contacts", partial(self._project, written(change)))
        while (campaign_batch := self.campaigns.stream.deliver(self.random)) is not None:
            for campaign in campaign_batch[1]:
                self._retried("project_campaigns", partial(self._tell, written(campaign)))
        while (passages := self.customers.passages.deliver(self.random)) is not None:
            self._follow_customers(passages[1])
        while (tagged := self.customers.tagged.deliver(self.random)) is not None:
            self._retried("hear_tags", partial(self._hear_tags, [each.after for each in tagged[1]]))

    def _hear_tags(self, given: Sequence[TagsGiven]) -> None:
        self.hear_tags(given)

    def _follow_customers(self, changes: Sequence[Change[Customer | None]]) -> None:
        # What fails comes again from there on, not from the beginning of the batch.
        for each in changes:
            if each.before is not None:
                self._retried("forget_customers", partial(self._erase, each.before))
        came = [each.after for each in changes if each.after is not None]
        if came:
            self._retried("forget_customers", partial(self._tell_of, came))

    def _erase(self, customer: Customer) -> None:
        # Looked up anew, because the process may have died.
        self.erase_customer(customer)

    def _tell_of(self, came: Sequence[Customer]) -> None:
        self.tell_of_newcomers(came)

    def _step(self, name: str, step: Callable[[], Any]) -> Any:
        """A task of the state machine: tried again after a death or a lost race."""
        for _ in range(MOST_STEPS):
            try:
                return self._mortal(name, step)
            except (*CRASHES, ConcurrentChangeError):
                self._tick()
        raise AssertionError("a step never succeeds")

    def _retried(self, name: str, reader: Callable[[], None]) -> None:
        """A stream's batch is delivered until it is dealt with."""
        while True:
            with suppress(*CRASHES):
                self._mortal(name, reader)
                return

    def _mortal(self, name: str, work: Callable[[], Any]) -> Any:
        """Let a worker do something. One that dies leaves nothing behind in memory; ``work`` must look it up anew."""
        self._may_die, self.step = True, name
        try:
            return work()
        except WorkerDiedError:
            self._start_anew()
            raise
        finally:
            self._may_die, self.step = False, ""

    def _tick(self) -> bool:
        """One thing that happens; whether there was one."""
        return self._happens() or self._wait()

    def _happens(self) -> bool:
        """One thing that happens now; whether there was one."""
        if self.random.random() < self.chaos.reminders:
            self.clock.move(timedelta(minutes=self.random.choice([1, 7, 20])))
        doings = [
            self._send_one,
            self._receive_some,
            self._read_streams,
            self._run_requeue,
            self._run_rollback,
            self._recopy_some,
        ]
        if self.webhook_queue.queue.messages:
            doings.append(self._deliver_some)
        if self.forget_queue.queue.messages:
            doings.append(self._forget_some)
        if self.activity_queue.queue.messages:
            doings.append(self._apply_some)
        if self.step_queue.queue.messages:
            doings.append(self._go_on)
        if self.deferred_queue.queue.messages:
            doings.append(self._release_some)
        if self._timers_due_at is not None and self._timers_due_at <= self.clock.now():
            doings.append(self._sweep_timers)
        self.random.shuffle(doings)
        return any(doing() for doing in doings)

    def _wait(self) -> bool:
        if self.next_at is None:
            return False
        self.clock.move_to(self.next_at)
        return True

    @property
    def next_at(self) -> datetime | None:
        """When the next message of any queue can be received."""
        chunks = [queue.next_visible_at for queue in self.chunk_queue.queues.values()]
        queues = (
            self.receipt_queue.queue,
            self.recopy_queue.queue,
            self.deferred_queue.queue,
            self.webhook_queue.queue,
            self.forget_queue.queue,
            self.activity_queue.queue,
            self.step_queue.queue,
        )
        others = [queue.next_visible_at for queue in queues]
        return min((at for at in (*chunks, *others, self._timers_due_at) if at is not None), default=None)

    @property
    def _timers_due_at(self) -> datetime | None:
        """When a sweep takes the first of the timers."""
        first = min(self.timers.rows, default=None)
        return None if first is None else first.due_at - AHEAD

    def _run_requeue(self) -> bool:
        """A requeue is an execution of its own, tried again from its cursor."""
        if not self.runner.requeues:
            return False
        business_id, campaign_id = self.runner.requeues.pop(0)
        cursor: str | None = None
        while True:
            with suppress(*CRASHES):
                cursor = self._mortal("requeue", partial(self._requeue, business_id, campaign_id, cursor))
                if cursor is None:
                    return True

    def _run_rollback(self) -> bool:
        """As a requeue; what is done again counts again from the same place."""
        if not self.runner.rollbacks:
            return False
        asked = self.runner.rollbacks.pop(0)
        progress = RollbackProgress(None, 0)
        while True:
            with suppress(*CRASHES):
                progress = self._mortal("roll_back", partial(self._roll_back, *asked, progress))
                if progress.cursor is None:
                    return True

    def _recopy_some(self) -> bool:
        for waiting in self.recopy_queue.queue.receive(self.random):
            if self._comes_twice(self.recopy_queue.queue, waiting.body):
                self.recopy_queue.queue.send(waiting.body)
            with suppress(*CRASHES):
                self._mortal("recopy_flags", partial(self._recopy, waiting.body))
                self.recopy_queue.queue.delete(waiting.name)
            return True
        return False

    def _release_some(self) -> bool:
        taken = self.deferred_queue.queue.receive(self.random, self.random.choice([1, 10]))
        if not taken:
            return False
        for waiting in taken:
            if self._comes_twice(self.deferred_queue.queue, waiting.body):
                self.deferred_queue.queue.send(waiting.body)
        with suppress(*CRASHES):
            self._mortal("release_chunks", partial(self._release, [waiting.body for waiting in taken]))
            for waiting in taken:
                self.deferred_queue.queue.delete(waiting.name)
        return True

    def _deliver_some(self) -> bool:
        for waiting in self.webhook_queue.queue.receive(self.random):
            if self._comes_twice(self.webhook_queue.queue, waiting.body):
                self.webhook_queue.queue.send(waiting.body)
            with suppress(*CRASHES):
                self._mortal("deliver_webhook", partial(self._deliver, waiting.body))
                self.webhook_queue.queue.delete(waiting.name)
            return True
        return False

    def _forget_some(self) -> bool:
        for waiting in self.forget_queue.queue.receive(self.random):
            with suppress(*CRASHES):
                self._mortal("forget_customers", partial(self._erase_again, *waiting.body))
                self.forget_queue.queue.delete(waiting.name)
            return True
        return False

    def _erase_again(self, business_id: str, customer_id: str) -> None:
        self.erase_customer.again(business_id, customer_id)

    def _apply_some(self) -> bool:
        for waiting in self.activity_queue.queue.receive(self.random):
            if self._comes_twice(self.activity_queue.queue, waiting.body):
                self.activity_queue.queue.send(waiting.body)
            with suppress(*CRASHES, ConcurrentChangeError):
                self._mortal("apply_activity", partial(self._apply_part, waiting.body))
                self.activity_queue.queue.delete(waiting.name)
            return True
        return False

    def _apply_part(self, task: ActivityTask) -> None:
        self.apply_activity(task)

    def _go_on(self) -> bool:
        for waiting in self.step_queue.queue.receive(self.random):
            if self._comes_twice(self.step_queue.queue, waiting.body):
                self.step_queue.queue.send(waiting.body)
            with suppress(*CRASHES, ConcurrentChangeError):
                self._mortal("advance_sequences", partial(self._advance, waiting.body))
                self.step_queue.queue.delete(waiting.name)
            return True
        return False

    def _advance(self, task: QueuedTask) -> None:
        self.go_on(task)

    def _sweep_timers(self) -> bool:
        with suppress(*CRASHES):
            sweep = self._mortal("sweep_timers", lambda: self.sweep_timers(self._time_left))
            if sweep.failures:
                raise sweep.failures[0]
        return True

    def _send_one(self) -> bool:
        for (channel, _), queue in self.chunk_queue.queues.items():
            for waiting in queue.receive(self.random):
                if self._comes_twice(queue, waiting.body):
                    queue.send(waiting.body, timedelta(seconds=self.random.choice([0, 0, 100])))
                try:
                    owner = f"{waiting.name}:{waiting.receives}"
                    self._mortal(
                        "send_email" if channel is Channel.EMAIL else "send_text",
                        partial(self._send, channel, waiting.body, owner),
                    )
                except (*CRASHES, ReboundError):
                    return True
                queue.delete(waiting.name)
                return True
        return False

    def _send(self, channel: Channel, task: ChunkTask, owner: str) -> None:
        if channel is Channel.EMAIL:
            self.send_email(task, owner)
        else:
            self.send_text(task, owner, self._time_left)

    # Each looks its use case up when it is called: a death before may have replaced it.

    def _expand(self, business_id: str, campaign_id: str, index: int) -> bool:
        return self.expand_campaign(business_id, campaign_id, index, self._time_left)

    def _split(self, business_id: str, import_id: str) -> Sequence[int] | None:
        return self.split_import(business_id, import_id, self._time_left)

    def _export(self, business_id: str, export_id: str) -> bool:
        return self.export_customers(business_id, export_id, self._time_left)

    def _import_part(self, business_id: str, import_id: str, part: int) -> bool:
        return self.import_customers(business_id, import_id, part, self._time_left)

    def _requeue(self, business_id: str, campaign_id: str, cursor: str | None) -> str | None:
        return self.requeue_campaign(business_id, campaign_id, cursor, self._time_left)

    def _roll_back(
        self, business_id: str, campaign_id: str, rollback_id: str, progress: RollbackProgress
    ) -> RollbackProgress:
        return self.roll_back_flags(
            business_id, campaign_id, rollback_id, progress.cursor, progress.bounces, self._time_left
        )

    def _release(self, tasks: Sequence[DeferredChunkTask]) -> None:
        self.release_held(tasks)

    def _recopy(self, work: Recopying) -> None:
        self.recopy_flags(work, self._time_left)

    def _deliver(self, task: DeliveryTask) -> None:
        self.deliver_webhook(task)

    def _count(self, shard: str, changes: Iterable[StatusChange]) -> None:
        self.count_results(shard, changes)

    def _count_steps(self, shard: str, changes: Iterable[CountedChange]) -> None:
        self.count_steps(shard, changes)

    def _follow(self, change: RowChange[Message]) -> None:
        self.project_messages(change)

    def _project(self, change: RowChange[Contact]) -> None:
        self.project_contacts(change)

    def _tell(self, change: RowChange[Campaign]) -> None:
        self.project_campaigns(change)

    def _time_left(self) -> bool:
        return not self._may_die or self.random.random() >= self.chaos.death

    def _receive_some(self) -> bool:
        taken = self.receipt_queue.queue.receive(self.random, self.random.choice([1, 5, 100]))
        if not taken:
            return False
        with suppress(*CRASHES):
            applied = self._mortal(
                "apply_receipts", lambda: self.apply_receipts({waiting.name: waiting.body for waiting in taken})
            )
            self.unattributed += applied.unattributed
            for waiting in taken:
                if waiting.name in applied.again and waiting.receives >= MOST_RECEIVES:
                    self.dead_letters.extend(waiting.body)
                    self.receipt_queue.queue.delete(waiting.name)
                elif waiting.name in applied.again:
                    self.receipt_queue.queue.retry(waiting.name, min(SOON * 2 ** (waiting.receives - 1), LATEST))
                elif waiting.name in applied.postponed:
                    self.receipt_queue.queue.send(waiting.body, LATER)
                    self.receipt_queue.queue.delete(waiting.name)
                else:
                    self.receipt_queue.queue.delete(waiting.name)
        return True

    def _read_streams(self) -> bool:
        streams = (
            self.messages.stream,
            self.contacts.stream,
            self.campaigns.stream,
            self.customers.passages,
            self.customers.tagged,
            self.enrolments.stream,
        )
        if all(stream.drained for stream in streams):
            return False
        self.pump_streams()
        return True

    # --- chaos --------------------------------------------------------------------------------------------------------

    def _reach(self, where: Boundary) -> None:
        self.checkpoint(where)

    def _comes_twice[T](self, queue: MemoryQueue[T], body: T) -> bool:
        """Whether what is being delivered comes once more: not where there are enough of its like already."""
        return self.random.random() < self.chaos.duplicate and queue.copies(body) < MOST_COPIES

    def _perhaps_die(self, where: str) -> None:
        if self._may_die and self.random.random() < self.chaos.death:
            self.deaths[where] += 1
            raise WorkerDiedError(where)

    def _teller(self, provider: Provider) -> Callable[[MessageKey, str, str], None]:
        def tell(key: MessageKey, to: str, provider_id: str) -> None:
            now = self.clock.now()
            for outcome, code, seconds in self.outcomes.get(to, ((Outcome.DELIVERED, None, 1.0),)):
                receipt = Receipt(
                    provider,
                    outcome,
                    now + timedelta(seconds=seconds),
                    key if provider.traits.returns_key else None,
                    provider_id=provider_id,
                    address=to.lower(),
                    code=code,
                )
                copies = 1 + (self.random.random() < self.chaos.duplicate)
                for _ in range(copies):
                    self.receipt_queue.queue.send((receipt,))
            if self.random.random() < self.chaos.early:
                # Another worker, while this one waits for the provider's answer.
                may_die, step = self._may_die, self.step
                self._receive_some()
                self._may_die, self.step = may_die, step

        return tell


@cache
def _made_by_wiring() -> frozenset[str]:
    kinds = EveryUseCase.__mro__
    return frozenset(name for kind in kinds for name, made in vars(kind).items() if isinstance(made, cached_property))
