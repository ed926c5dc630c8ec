"""Every port in memory."""

import random
from typing import Any, Final, cast

from rebound.businesses.domain.business import Business, TextProvider
from rebound.kernel.provider_codes import Provider
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
from tests.fakes.house import EveryPorts
from tests.fakes.jobs import MemoryJobBook, MemoryJobLedger, MemoryRemovalLedger, RecordingJobRunner
from tests.fakes.links import MemoryLinkKeyring
from tests.fakes.making import business
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
from tests.fakes.suppressions import MemorySuppressionList
from tests.fakes.system import CountingPatience, FakeClock, PlainAddressReader, SeededIds, known_whereabouts
from tests.fakes.watching import Checkpoint, watched

PUBLIC_URL: Final = "https://rebound.example.com/live"
OF_THE_PROCESS: Final = frozenset({"clock", "ids", "addresses", "link_keyring"})
"""What no call leaves the process for."""


class MemoryPorts:
    """Implements ``EveryPorts``, as small as some dozen rows need it to have several parts of everything."""

    public_url = PUBLIC_URL
    default_text_provider = TextProvider.TWILIO
    worth_a_range = 3
    import_concurrency = 4
    import_part_bytes = 800
    import_piece_bytes = 3000
    export_part_bytes = 20_000

    def __init__(self, *businesses: Business, seed: int = 0, ranges: int = 4, shards: int = 3) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same in every run
        self.expansion_ranges = ranges
        self.clock = FakeClock()
        self.ids = SeededIds(seed)
        self.addresses = PlainAddressReader()
        self.patience = CountingPatience()
        self.request_ids = MemoryRequestIds()
        self.domain_events = RecordingDomainEvents()
        self.failure_log = MemoryFailureLog()
        self.api_keys = MemoryApiKeyBook()
        self.contacts, (self.contact_history, self.replies) = MemoryContactBook(), history_and_replies()
        self.suppressions = MemorySuppressionList()
        self.businesses = MemoryBusinessDirectory(*(businesses or (business(),)))
        self.recopy_queue = MemoryRecopyQueue(self.clock)
        self.paces, self.quotas = MemoryPaceBook(), ScriptedQuota()
        self.jobs, self.job_ledger, self.job_runner = MemoryJobBook(), MemoryJobLedger(), RecordingJobRunner()
        self.customers = MemoryCustomerBook(self.contacts)
        self.segments = MemorySegmentBook()
        self.removal_ledger = MemoryRemovalLedger(self.job_ledger, self.customers)
        self.messages, self.appointments = MemoryMessageLog(shards), MemoryAppointmentBook()
        self.link_keyring = MemoryLinkKeyring()
        self.frequencies = MemoryFrequencyBook()
        self.campaigns, self.chunks, self.tallies = MemoryCampaignBook(), MemoryChunkLedger(), MemoryTallyBook()
        self.expansion = MemoryExpansionLedger(self.chunks)
        self.runner = RecordingRunner()
        self.chunk_queue, self.held_queue = MemoryChunkQueue(self.clock), MemoryHeldQueue(self.clock)
        self.mailer = ScriptedMailer()
        self.twilio_texter, self.sns_texter = ScriptedTexter(), ScriptedTexter(Provider.SNS)
        self.receipt_queue = MemoryReceiptQueue(self.clock)
        self.reconciliations = MemoryReconciliationBook()
        self.imports, self.import_store = MemoryImportBook(), MemoryImportStore()
        self.import_ledger = MemoryImportLedger(self.customers)
        self.exports, self.export_store = MemoryExportBook(), MemoryExportStore()
        self.import_runner, self.export_runner = RecordingFileRunner(), RecordingFileRunner()
        self.dead_letter_queues = MemoryDeadLetterQueues("email", "import", "receipts", "recopy", "text")

    @staticmethod
    def whereabouts(number: str, /) -> frozenset[str]:
        return known_whereabouts(number)

    def report_missed_removal(self, cause: str, /) -> None:
        self.suppressions.missed.append(cause)

    def chance(self) -> float:
        return self.random.random()


class _WatchedPorts:
    """Ports of which each is watched; one that is no object of its own is as it is."""

    def __init__(self, ports: EveryPorts, reach: Checkpoint) -> None:
        self._ports = ports
        self._reach = reach

    def __getattr__(self, name: str) -> Any:
        port = getattr(self._ports, name)
        if name in OF_THE_PROCESS or callable(port) or isinstance(port, str | int):
            return port
        made = watched(port, name, self._reach)
        setattr(self, name, made)
        return made


def watched_ports(ports: EveryPorts, reach: Checkpoint) -> EveryPorts:
    """The ports, with a checkpoint before and after each of their calls."""
    return cast("EveryPorts", _WatchedPorts(ports, reach))
