"""All use cases over the fakes, and a whole campaign run to rest under seeded chaos."""

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rebound.application.admit_chunk import AdmitChunk, MindThrottles
from rebound.application.apply_receipts import ApplyReceipts
from rebound.application.ask_for_confirmation import AskForConfirmation
from rebound.application.authorize_request import AuthorizeRequest
from rebound.application.bulk_delete import BulkDelete, BulkDeleteWork
from rebound.application.count_customers import CountCustomers, CountingWork
from rebound.application.count_results import CountResults
from rebound.application.export_customers import ExportCustomers, ExportView, StartExport
from rebound.application.flag_records import Recopying
from rebound.application.honour_links import HonourLinks
from rebound.application.import_customers import (
    BeginImport,
    CloseImport,
    ImportCustomers,
    ImportView,
    SplitImport,
    StartImport,
)
from rebound.application.manage_campaigns import CampaignView, ManageCampaigns, NewCampaign, PostMessage
from rebound.application.manage_consent import ReadConsent, StateConsent
from rebound.application.manage_customers import ManageCustomers
from rebound.application.manage_dead_letters import ManageDeadLetters
from rebound.application.manage_jobs import JobView, ManageJobs
from rebound.application.manage_segments import ManageSegments
from rebound.application.manage_tenants import ManageTenants
from rebound.application.message_records import StatusChange
from rebound.application.ports import BusinessDirectory, ContactBook, CustomerBook, MessageLog
from rebound.application.preview_audience import PreviewAudience, PreviewWork
from rebound.application.project_campaigns import ProjectCampaigns
from rebound.application.project_contacts import ProjectContacts
from rebound.application.read_appointment_log import ReadAppointmentLog
from rebound.application.read_client_log import ReadClientLog
from rebound.application.read_links import LinkReader
from rebound.application.read_timeline import ReadTimeline
from rebound.application.receive_text import ReceiveText
from rebound.application.reconcile_suppressions import ReconcileSuppressions
from rebound.application.recopy_flags import RecopyFlags
from rebound.application.release_held import ReleaseHeld
from rebound.application.report_replies import ReportReplies
from rebound.application.review_replies import ReviewReplies
from rebound.application.roll_back_flags import AskForRollback, RollBackFlags, RollbackProgress
from rebound.application.run_campaign import CloseCampaign, DrainCampaign, ExpandCampaign, PlanCampaign
from rebound.application.run_job import JobWork, RunJob
from rebound.application.send_chunk import ChunkDesk
from rebound.application.send_email import SendEmail
from rebound.application.send_text import SendText
from rebound.application.settings_of_business import SettingsOfBusiness
from rebound.application.steer_campaign import RequeueCampaign, SteerCampaign
from rebound.application.suppression_desk import SuppressionDesk
from rebound.application.tell_contact import TellContact
from rebound.application.trip_breaker import TripBreaker
from rebound.application.write_links import LinkWriter
from rebound.domain.business import Business, TextProvider
from rebound.domain.campaigns import Campaign, Content, Selection
from rebound.domain.categories import Category
from rebound.domain.changes import Written
from rebound.domain.channels import Channel, ContactKey
from rebound.domain.consent import ConsentEvidence
from rebound.domain.contacts import Contact
from rebound.domain.customers import Customer
from rebound.domain.errors import ConcurrentChangeError, ReboundError
from rebound.domain.jobs import JobKind
from rebound.domain.pacing import HeldTicket, Ticket
from rebound.domain.provider_codes import Provider
from rebound.domain.reachability import Evidence
from rebound.domain.receipts import MessageKey, Outcome, Receipt
from rebound.domain.tally import labels_of
from tests.fakes.appointments import MemoryAppointmentBook
from tests.fakes.campaigns import MemoryCampaignBook, MemoryChunkLedger, MemoryExpansionLedger, MemoryTallyBook
from tests.fakes.customers import MemoryContactBook, MemoryCustomerBook
from tests.fakes.directory import (
    MemoryApiKeyBook,
    MemoryBusinessDirectory,
    MemoryExportBook,
    MemoryFailureLog,
    MemoryImportBook,
    MemoryImportLedger,
    MemoryReconciliationBook,
    MemoryRequestIds,
    MemorySegmentBook,
)
from tests.fakes.frequencies import MemoryFrequencyBook
from tests.fakes.history import history_and_replies
from tests.fakes.jobs import MemoryJobBook, MemoryJobLedger, RecordingJobRunner
from tests.fakes.links import MemoryLinkKeyring
from tests.fakes.making import BUSINESS_ID, GREETING, SHORT_GREETING, at, business
from tests.fakes.messages import MemoryMessageLog
from tests.fakes.paces import MemoryPaceBook, ScriptedQuota
from tests.fakes.providers import ScriptedMailer, ScriptedTexter
from tests.fakes.queues import (
    MemoryChunkQueue,
    MemoryDeadLetterQueues,
    MemoryExportStore,
    MemoryHeldQueue,
    MemoryImportStore,
    MemoryReceiptQueue,
    MemoryRecopyQueue,
    RecordingDomainEvents,
    RecordingFileRunner,
    RecordingRunner,
)
from tests.fakes.streams import Change
from tests.fakes.suppressions import MemorySuppressionList
from tests.fakes.system import CountingPatience, FakeClock, PlainAddressReader, SeededIds, known_whereabouts
from tests.fakes.watching import Boundary, BrokenCallError, Checkpoint, WorkerDiedError, watched

if TYPE_CHECKING:
    from rebound.domain.messages import Message

PUBLIC_URL: Final = "https://rebound.example.com/live"
MOST_STEPS: Final = 20_000
MOST_RECEIVES: Final = 14
"""``maxReceiveCount`` of the receipts queue."""
SOON: Final = timedelta(seconds=2)
LATEST: Final = timedelta(minutes=15)
"""Between them, doubling each time, an early receipt comes again, as apply_receipts asks for it."""
CRASHES: Final = (WorkerDiedError, BrokenCallError)
EXPORT_PART_BYTES: Final = 20_000
IMPORT_SIZES: Final = (800, 3000)
"""Bytes of a file for each part, and of the rows written at a time, so that some dozen rows make several of both."""
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


class World:
    """One deployment in memory. Queues are pumped by ``rest``; nothing happens between calls."""

    between_looks = 1
    """How much happens between two looks whether a campaign has drained."""

    def __init__(self, *businesses: Business, seed: int = 0, ranges: int = 4, shards: int = 3) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same in every run
        self.chaos = Chaos()
        self._may_die = False
        self.checkpoint: Checkpoint = self._perhaps_die
        """What happens before and after each call of a port; a test may put something else here."""
        self.deaths: Counter[str] = Counter()
        self.step = ""
        """Which worker is at work; empty while none is."""
        self.clock = FakeClock()
        self.ids = SeededIds(seed)
        self.addresses = PlainAddressReader()
        self.businesses = MemoryBusinessDirectory(*(businesses or (business(),)))
        self.keys = MemoryApiKeyBook()
        self.segments = MemorySegmentBook()
        self.imports, self.store = MemoryImportBook(), MemoryImportStore()
        self.request_ids = MemoryRequestIds()
        self.contacts, (self.history, self.replies) = MemoryContactBook(), history_and_replies()
        self.customers = MemoryCustomerBook(self.contacts)
        self.import_ledger = MemoryImportLedger(self.customers)
        self.exports, self.export_store = MemoryExportBook(), MemoryExportStore()
        self.import_runner, self.export_runner = RecordingFileRunner(), RecordingFileRunner()
        self.patience = CountingPatience()
        self.jobs = MemoryJobBook()
        self.job_ledger = MemoryJobLedger(self.customers)
        self.job_runner = RecordingJobRunner()
        self.messages, self.appointments = MemoryMessageLog(shards), MemoryAppointmentBook()
        self.campaigns = MemoryCampaignBook()
        self.chunks = MemoryChunkLedger()
        self.expansion = MemoryExpansionLedger(self.chunks)
        self.tallies = MemoryTallyBook()
        self.chunk_queue, self.held = MemoryChunkQueue(self.clock), MemoryHeldQueue(self.clock)
        self.receipts = MemoryReceiptQueue(self.clock)
        self.recopyings = MemoryRecopyQueue(self.clock)
        self.dead_letter_queues = MemoryDeadLetterQueues("email", "import", "receipts", "recopy", "text")
        self.failures = MemoryFailureLog()
        self.frequencies, self.paces = MemoryFrequencyBook(), MemoryPaceBook()
        self.quotas = ScriptedQuota()
        self.runner = RecordingRunner()
        self.events = RecordingDomainEvents()
        self.mailer = ScriptedMailer()
        self.texter, self.sns_texter = ScriptedTexter(), ScriptedTexter(Provider.SNS)
        self.suppressions, self.link_keys = MemorySuppressionList(), MemoryLinkKeyring()
        self.unattributed = 0
        self.dead_letters: list[Receipt] = []
        self.outcomes: dict[str, tuple[tuple[Outcome, str | None, float], ...]] = {}
        """What becomes of a message to an address: receipts with outcome, code and seconds after the send."""
        for script, provider in (
            (self.mailer, Provider.SES),
            (self.texter, Provider.TWILIO),
            (self.sns_texter, Provider.SNS),
        ):
            script.taken.append(self._teller(provider))
        self._ranges = ranges
        self._wire()

    def _own[T](self, port: T, name: str) -> T:
        return watched(port, name, self._reach)

    def _wire_jobs(
        self,
        customers: MemoryCustomerBook,
        contacts: MemoryContactBook,
        businesses: MemoryBusinessDirectory,
        request_ids: MemoryRequestIds,
    ) -> None:
        frequencies = self._own(self.frequencies, "frequencies")
        self.preview = PreviewAudience(customers, contacts, frequencies, businesses, self.clock, known_whereabouts)
        self.count_customers = CountCustomers(customers, self.clock)
        jobs, ledger = self._own(self.jobs, "jobs"), self._own(self.job_ledger, "job_ledger")
        job_runner = self._own(self.job_runner, "job_runner")
        self.manage_jobs = ManageJobs(jobs, ledger, job_runner, self.clock, self.ids, request_ids, self._ranges)
        self.bulk_delete = BulkDelete(self.manage_jobs)
        works: Mapping[JobKind, JobWork] = {
            JobKind.COUNT: CountingWork(customers, ledger),
            JobKind.PREVIEW: PreviewWork(customers, contacts, frequencies, businesses, ledger, known_whereabouts),
            JobKind.BULK_DELETE: BulkDeleteWork(customers, contacts, businesses, ledger),
        }
        self.run_job = RunJob(jobs, ledger, works, self.clock)

    def _wire(self) -> None:
        """Make the use cases, as a new process does. What they reach outside of it is watched, all of it."""
        own = self._own
        customers, contacts = own(self.customers, "customers"), own(self.contacts, "contacts")
        messages, campaigns = own(self.messages, "messages"), own(self.campaigns, "campaigns")
        chunks, expansion, tallies = (
            own(self.chunks, "chunks"),
            own(self.expansion, "expansion"),
            own(self.tallies, "tallies"),
        )
        queue, held = own(self.chunk_queue, "chunk_queue"), own(self.held, "held")
        receipts, events = own(self.receipts, "receipts"), own(self.events, "events")
        businesses, clock, ids = own(self.businesses, "businesses"), self.clock, self.ids
        recopyings = own(self.recopyings, "recopyings")
        segments, keys, runner = own(self.segments, "segments"), own(self.keys, "keys"), own(self.runner, "runner")
        paces, quotas = own(self.paces, "paces"), own(self.quotas, "quotas")
        appointments, frequencies = own(self.appointments, "appointments"), own(self.frequencies, "frequencies")
        request_ids = own(self.request_ids, "request_ids")
        desk_of_list = self._wire_suppressions(businesses, contacts, messages)
        breaker = TripBreaker(campaigns, tallies)
        desk = ChunkDesk(
            chunks,
            campaigns,
            businesses,
            customers,
            contacts,
            frequencies,
            messages,
            queue,
            breaker,
            clock,
            held,
            known_whereabouts,
        )
        self.release_held = ReleaseHeld(held, queue, clock, businesses)
        texter, sns_texter = own(self.texter, "texter"), own(self.sns_texter, "texter")
        texters = {TextProvider.TWILIO: lambda: texter, TextProvider.SNS: lambda: sns_texter}
        self.manage_tenants = ManageTenants(businesses, keys, self.addresses, clock, ids)
        dead_letters, failures = own(self.dead_letter_queues, "dead_letter_queues"), own(self.failures, "failures")
        self.manage_dead_letters = ManageDeadLetters(dead_letters, failures)
        self.authorize = AuthorizeRequest(keys, clock)
        self.settings = SettingsOfBusiness(businesses, self.addresses, recopyings)
        self.manage_customers = ManageCustomers(
            customers, contacts, businesses, self.addresses, clock, ids, desk_of_list
        )
        self.manage_segments = ManageSegments(segments, clock)
        self._wire_jobs(customers, contacts, businesses, request_ids)
        self.manage_campaigns = ManageCampaigns(
            campaigns,
            runner,
            segments,
            businesses,
            expansion,
            tallies,
            chunks,
            messages,
            clock,
            ids,
            request_ids,
            paces,
            self.preview.foresee,
        )
        self.post_message = PostMessage(
            campaigns,
            customers,
            businesses,
            chunks,
            messages,
            queue,
            clock,
            ids,
            request_ids,
            appointments,
            held,
            known_whereabouts,
        )
        self.read_appointment_log = ReadAppointmentLog(appointments, messages)
        self._wire_logs(customers, contacts, businesses, messages)
        self._wire_consent(customers, contacts, businesses, messages, request_ids)
        self._wire_files(customers, contacts, businesses)
        self.plan = PlanCampaign(campaigns, customers, segments, clock, ids, self._ranges, worth_a_range=3)
        self.expand = ExpandCampaign(
            campaigns,
            businesses,
            customers,
            contacts,
            frequencies,
            expansion,
            queue,
            clock,
            chunks,
            held,
            known_whereabouts,
        )
        self.drain = DrainCampaign(campaigns, expansion, tallies, clock, chunks)
        self.close = CloseCampaign(campaigns, clock)
        self.steer = SteerCampaign(campaigns, runner, self.manage_campaigns, clock, ids)
        self.requeue = RequeueCampaign(campaigns, chunks, queue, clock)
        self.ask_for_rollback = AskForRollback(campaigns, runner, self.manage_campaigns, clock, ids)
        self.roll_back_flags = RollBackFlags(campaigns, chunks, messages, contacts)
        admit, mind = (
            AdmitChunk(paces, quotas, chunks, queue, clock, self.chance.random),
            MindThrottles(paces, clock),
        )
        self.send_email = SendEmail(
            desk,
            own(self.mailer, "mailer"),
            admit,
            mind,
            desk_of_list,
            self._wire_links(businesses, customers, contacts, messages),
        )
        self.send_text = SendText(desk, texters, receipts, admit, mind)
        self.apply_receipts = ApplyReceipts(messages, contacts, desk_of_list)
        self._wire_texts(businesses, contacts, customers, messages, events)
        self.count_results = CountResults(tallies, breaker)
        self.project_contacts = ProjectContacts(
            customers, businesses, events, own(self.history, "history"), own(self.replies, "replies")
        )
        self.project_campaigns = ProjectCampaigns(expansion, tallies, events)
        self.recopy_flags = RecopyFlags(customers, contacts, businesses, recopyings)

    def _wire_links(
        self, businesses: BusinessDirectory, customers: CustomerBook, contacts: ContactBook, messages: MessageLog
    ) -> LinkWriter:
        reader, tell = LinkReader(self.link_keys, messages, customers, contacts), TellContact(messages, contacts)
        self.honour_links = HonourLinks(reader, self.link_keys, businesses, customers, tell, self.clock)
        return LinkWriter(self.link_keys, PUBLIC_URL)

    def _wire_consent(
        self,
        customers: MemoryCustomerBook,
        contacts: MemoryContactBook,
        businesses: MemoryBusinessDirectory,
        messages: MemoryMessageLog,
        request_ids: MemoryRequestIds,
    ) -> None:
        clock, ids = self.clock, self.ids
        self.read_consent = ReadConsent(customers, contacts, businesses, self._own(self.history, "history"))
        self.ask_for_confirmation = AskForConfirmation(
            customers, contacts, businesses, messages, self.post_message, clock, ids, request_ids
        )
        self.state_consent = StateConsent(customers, contacts, businesses, clock)

    def _wire_logs(
        self, customers: CustomerBook, contacts: ContactBook, businesses: BusinessDirectory, messages: MessageLog
    ) -> None:
        history, replies = self._own(self.history, "history"), self._own(self.replies, "replies")
        self.read_client_log = ReadClientLog(customers, messages)
        self.read_timeline = ReadTimeline(customers, contacts, businesses, messages, history)
        self.report_replies = ReportReplies(replies, customers, contacts)

    def _wire_suppressions(
        self, businesses: BusinessDirectory, contacts: ContactBook, messages: MessageLog
    ) -> SuppressionDesk:
        listed = watched(self.suppressions, "suppressions", self._reach)
        book = watched(MemoryReconciliationBook(), "reconciliations", self._reach)
        desk = SuppressionDesk(listed, self.clock, self.suppressions.missed.append)
        self.reconcile = ReconcileSuppressions(businesses, contacts, messages, desk, book)
        return desk

    def _wire_texts(
        self,
        businesses: BusinessDirectory,
        contacts: ContactBook,
        customers: CustomerBook,
        messages: MessageLog,
        events: RecordingDomainEvents,
    ) -> None:
        """What people text, and what staff make of it."""
        replies, appointments = self._own(self.replies, "replies"), self._own(self.appointments, "appointments")
        tell, clock = TellContact(messages, contacts), self.clock
        self.receive_text = ReceiveText(
            businesses, contacts, customers, replies, messages, appointments, events, tell, clock
        )
        self.review_replies = ReviewReplies(replies, contacts, tell, clock)

    def _wire_files(
        self, customers: MemoryCustomerBook, contacts: MemoryContactBook, businesses: MemoryBusinessDirectory
    ) -> None:
        """Imports and exports."""

        def own[T](port: T, name: str) -> T:
            return watched(port, name, self._reach)

        clock, ids = self.clock, self.ids
        imports, store = own(self.imports, "imports"), own(self.store, "store")
        ledger = own(self.import_ledger, "import_ledger")
        self.start_import = StartImport(imports, ledger, store, businesses, clock, ids)
        self.begin_import = BeginImport(imports, own(self.import_runner, "import_runner"))
        self.split_import = SplitImport(imports, store, *IMPORT_SIZES)
        self.import_customers = ImportCustomers(
            imports,
            ledger,
            store,
            customers,
            contacts,
            businesses,
            self.addresses,
            clock,
            own(self.patience, "patience"),
        )
        self.close_import = CloseImport(imports, store)
        exports, files = own(self.exports, "exports"), own(self.export_store, "export_store")
        self.start_export = StartExport(
            exports, files, own(self.export_runner, "export_runner"), businesses, clock, ids
        )
        self.export_customers = ExportCustomers(exports, files, customers, contacts, businesses, EXPORT_PART_BYTES)

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
        self.contacts.save(self.contacts.get_many([key])[key].knowing(*evidence))

    def post(self, channel: Channel = Channel.EMAIL, **given: Any) -> CampaignView:
        """Post a campaign to everybody."""
        content: Content = GREETING if channel is Channel.EMAIL else SHORT_GREETING
        defaults: dict[str, Any] = {
            "name": "Autumn offer",
            "category": Category.MARKETING,
            "channel": channel,
            "selection": Selection(filter={"all": []}),
            "content": content,
        }
        return self.manage_campaigns.post(BUSINESS_ID, NewCampaign(**{**defaults, **given}))

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self, campaign_id: str, business_id: str = BUSINESS_ID) -> CampaignView:
        """Run a campaign from plan to close and everything that follows from it to rest."""
        self.begin(campaign_id, business_id)
        self.end(campaign_id, business_id)
        self.rest()
        return self.manage_campaigns.get(business_id, campaign_id)

    def begin(self, campaign_id: str, business_id: str = BUSINESS_ID) -> None:
        """Plan and expand."""
        for index in self._step("plan", lambda: self.plan(business_id, campaign_id)):
            while not self._step("expand", partial(self._expand, business_id, campaign_id, index)):
                self._tick()

    def end(self, campaign_id: str, business_id: str = BUSINESS_ID) -> None:
        """Let it drain, and close it."""
        for _ in range(MOST_STEPS):
            drained = self._step("drain", lambda: self.drain(business_id, campaign_id, 0))
            if drained.drained:
                break
            for _ in range(self.between_looks):
                self._tick()
            self.clock.move(timedelta(seconds=drained.wait_seconds))
        else:
            raise AssertionError("the campaign never drains")
        self._step("close", lambda: self.close.complete(business_id, campaign_id))

    def run_import(self, import_id: str, business_id: str = BUSINESS_ID) -> ImportView:
        """Run an import through all its steps, some parts before others."""
        while (parts := self._step("split_import", lambda: self._split(business_id, import_id))) is None:
            self._tick()
        left = list(parts)
        while left:
            part = self.chance.choice(left)
            if self._step("import_customers", partial(self._import_part, business_id, import_id, part)):
                left.remove(part)
        self._step("close_import", lambda: self.close_import.complete(business_id, import_id))
        return self.start_import.get(business_id, import_id)

    def run_to_end(self, job: JobView) -> JobView:
        """Run a job as its state machine does until nothing is left to do."""
        ids = (job.job.business_id, job.job.job_id)
        while waiting := self._step("run_job", partial(self.run_job.advance, *ids)):
            for index in self.chance.sample(waiting, len(waiting)):
                while not self._step("run_job", partial(self.run_job.work, *ids, index, self._time_left)):
                    pass
        return self.manage_jobs.get(*ids)

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

    def pump_streams(self) -> None:
        """Let the readers of the streams catch up, each with some changes twice."""
        while (batch := self.messages.stream.deliver(self.chance)) is not None:
            shard, changes = batch
            told = status_changes(changes)
            self._retried("count_results", partial(self._count, shard, told))
        while (contact_batch := self.contacts.stream.deliver(self.chance)) is not None:
            for change in contact_batch[1]:
                self._retried("project_contacts", partial(self._project, contact_change(change)))
        while (campaign_batch := self.campaigns.stream.deliver(self.chance)) is not None:
            for campaign in campaign_batch[1]:
                write = Written(campaign.before, campaign.after, f"change-{campaign.position}", at(0))
                self._retried("project_campaigns", partial(self._tell, write))

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
            self._wire()
            raise
        finally:
            self._may_die, self.step = False, ""

    def _tick(self) -> bool:
        """One thing that happens; whether there was one."""
        if self.chance.random() < self.chaos.reminders:
            self.clock.move(timedelta(minutes=self.chance.choice([1, 7, 20])))
        doings = [
            self._send_one,
            self._receive_some,
            self._read_streams,
            self._run_errand,
            self._run_rollback,
            self._recopy_some,
        ]
        if self.held.queue.messages:
            doings.append(self._release_some)
        self.chance.shuffle(doings)
        return any(doing() for doing in doings) or self._wait()

    def _wait(self) -> bool:
        if self.next_at is None:
            return False
        self.clock.move_to(self.next_at)
        return True

    @property
    def next_at(self) -> datetime | None:
        """When the next message of any queue can be received."""
        chunks = [queue.next_visible_at for queue in self.chunk_queue.queues.values()]
        queues = (self.receipts.queue, self.recopyings.queue, self.held.queue)
        others = [queue.next_visible_at for queue in queues]
        return min((at for at in (*chunks, *others) if at is not None), default=None)

    def _run_errand(self) -> bool:
        """A requeue is an execution of its own, tried again from its cursor."""
        if not self.runner.errands:
            return False
        business_id, campaign_id = self.runner.errands.pop(0)
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
        for waiting in self.recopyings.queue.receive(self.chance):
            if self.chance.random() < self.chaos.duplicate:
                self.recopyings.queue.send(waiting.body)
            with suppress(*CRASHES):
                self._mortal("recopy_flags", partial(self._recopy, waiting.body))
                self.recopyings.queue.delete(waiting.name)
            return True
        return False

    def _release_some(self) -> bool:
        taken = self.held.queue.receive(self.chance, self.chance.choice([1, 10]))
        if not taken:
            return False
        for waiting in taken:
            if self.chance.random() < self.chaos.duplicate:
                self.held.queue.send(waiting.body)
        with suppress(*CRASHES):
            self._mortal("release_chunks", partial(self._release, [waiting.body for waiting in taken]))
            for waiting in taken:
                self.held.queue.delete(waiting.name)
        return True

    def _send_one(self) -> bool:
        for (channel, _), queue in self.chunk_queue.queues.items():
            for waiting in queue.receive(self.chance):
                if self.chance.random() < self.chaos.duplicate:
                    queue.send(waiting.body, timedelta(seconds=self.chance.choice([0, 0, 100])))
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

    def _send(self, channel: Channel, ticket: Ticket, owner: str) -> None:
        if channel is Channel.EMAIL:
            self.send_email(ticket, owner)
        else:
            self.send_text(ticket, owner, self._time_left)

    # Each looks its use case up when it is called: a death before may have replaced it.

    def _expand(self, business_id: str, campaign_id: str, index: int) -> bool:
        return self.expand(business_id, campaign_id, index, self._time_left)

    def _split(self, business_id: str, import_id: str) -> Sequence[int] | None:
        return self.split_import(business_id, import_id, self._time_left)

    def _export(self, business_id: str, export_id: str) -> bool:
        return self.export_customers(business_id, export_id, self._time_left)

    def _import_part(self, business_id: str, import_id: str, part: int) -> bool:
        return self.import_customers(business_id, import_id, part, self._time_left)

    def _requeue(self, business_id: str, campaign_id: str, cursor: str | None) -> str | None:
        return self.requeue(business_id, campaign_id, cursor, self._time_left)

    def _roll_back(
        self, business_id: str, campaign_id: str, rollback_id: str, progress: RollbackProgress
    ) -> RollbackProgress:
        return self.roll_back_flags(business_id, campaign_id, rollback_id, progress, self._time_left)

    def _release(self, tickets: Sequence[HeldTicket]) -> None:
        self.release_held(tickets)

    def _recopy(self, work: Recopying) -> None:
        self.recopy_flags(work, self._time_left)

    def _count(self, shard: str, changes: Iterable[StatusChange]) -> None:
        self.count_results(shard, changes)

    def _project(self, change: Written[Contact]) -> None:
        self.project_contacts(change)

    def _tell(self, change: Written[Campaign]) -> None:
        self.project_campaigns(change)

    def _time_left(self) -> bool:
        return not self._may_die or self.chance.random() >= self.chaos.death

    def _receive_some(self) -> bool:
        taken = self.receipts.queue.receive(self.chance, self.chance.choice([1, 5, 100]))
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
                    self.receipts.queue.delete(waiting.name)
                elif waiting.name in applied.again:
                    self.receipts.queue.retry(waiting.name, min(SOON * 2 ** (waiting.receives - 1), LATEST))
                elif waiting.name in applied.postponed:
                    self.receipts.queue.send(waiting.body, LATER)
                    self.receipts.queue.delete(waiting.name)
                else:
                    self.receipts.queue.delete(waiting.name)
        return True

    def _read_streams(self) -> bool:
        if self.messages.stream.drained and self.contacts.stream.drained and self.campaigns.stream.drained:
            return False
        self.pump_streams()
        return True

    # --- chaos --------------------------------------------------------------------------------------------------------

    def _reach(self, where: Boundary) -> None:
        self.checkpoint(where)

    def _perhaps_die(self, where: str) -> None:
        if self._may_die and self.chance.random() < self.chaos.death:
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
                    None if provider is Provider.SNS else key,
                    provider_id=provider_id,
                    address=to.lower(),
                    code=code,
                )
                copies = 1 + (self.chance.random() < self.chaos.duplicate)
                for _ in range(copies):
                    self.receipts.queue.send((receipt,))
            if self.chance.random() < self.chaos.early:
                # Another worker, while this one waits for the provider's answer.
                may_die, step = self._may_die, self.step
                self._receive_some()
                self._may_die, self.step = may_die, step

        return tell


def contact_change(change: Change[Contact]) -> Written[Contact]:
    """What the stream of the contacts says to who projects them."""
    return Written(change.before, change.after, f"change-{change.position}", at(0))


def status_changes(changes: Iterable[Any]) -> deque[StatusChange]:
    """What the stream of the message log says to who counts."""
    found: deque[StatusChange] = deque()
    for change in changes:
        after: Message = change.after
        if after.campaign_id is not None:
            before = labels_of_message(change.before) if change.before is not None else frozenset()
            found.append(
                StatusChange(
                    str(change.position),
                    after.key.business_id,
                    after.campaign_id,
                    before,
                    labels_of_message(after),
                )
            )
    return found


def labels_of_message(message: "Message") -> frozenset[str]:
    """What a message counts as."""
    return labels_of(
        message.status,
        reason=message.reason,
        provider=message.provider,
        code=message.provider_code,
        window=message.window,
    )


def adds_up(view: CampaignView) -> bool:
    """Truth 9: nobody is lost, nobody is counted twice."""
    audience = view.audience
    excluded: Mapping[str, int] = audience.excluded
    return (
        audience.matched == sum(excluded.values()) + audience.targeted
        and audience.targeted == sum(view.results.values())
        and all(count >= 0 for count in [*excluded.values(), *view.results.values()])
    )
