"""What the use cases need from outside. Adapters and the tests' fakes implement these; one suite runs against both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rebound.application.expansion_records import RangeProgress
    from rebound.application.export_records import ExportJob
    from rebound.application.failure_records import DeadLetter, FailedHandling, Redriven
    from rebound.application.flag_records import Reconciliation, Recopying
    from rebound.application.handovers import OutgoingEmail, SendResult
    from rebound.application.import_records import BadRow, ImportFile, ImportJob, PartProgress, RowCounts
    from rebound.application.job_records import FrozenPage, JobProgress, Removal
    from rebound.application.message_records import Delivery
    from rebound.application.pages import Page
    from rebound.application.reply_records import FirstReceipt
    from rebound.domain.appointments import AppointmentEntry
    from rebound.domain.business import Business
    from rebound.domain.campaigns import Campaign
    from rebound.domain.channels import Channel, ContactKey
    from rebound.domain.chunks import Chunk, ChunkKey, ChunkState, ClaimOutcome
    from rebound.domain.contacts import Contact
    from rebound.domain.customers import Customer
    from rebound.domain.events import DomainEvent
    from rebound.domain.frequency import Frequency
    from rebound.domain.history import HistoryEntry
    from rebound.domain.jobs import Job
    from rebound.domain.keys import ApiKey
    from rebound.domain.links import LinkKeys
    from rebound.domain.messages import Message
    from rebound.domain.pacing import Flow, HeldTicket, Lane, Pace, Quota, Stop, Ticket
    from rebound.domain.provider_codes import Provider
    from rebound.domain.quiet_hours import HoldReason
    from rebound.domain.receipts import MessageKey, Receipt
    from rebound.domain.replies import Asked, Reply
    from rebound.domain.segments import Matcher, Segment
    from rebound.domain.suppressions import Suppression


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, aware, in UTC."""

    def wait(self, duration: timedelta) -> None:
        """Let so much time pass."""


class Ids(Protocol):
    """New identifiers."""

    def ulid(self, at: datetime) -> str:
        """A ULID: 26 characters that sort by time."""

    def customer_id(self) -> str:
        """32 random hexadecimal digits."""

    def secret(self) -> str:
        """A secret of at least 256 bits, URL-safe."""


class RequestIds(Protocol):
    """Ids that belong to requests: the same request tried again, also after a crash, makes the same thing."""

    def id_for(self, business_id: str, request: str, proposed: str) -> str:
        """``proposed`` the first time that the business's request is seen, afterwards what was proposed then."""


class AddressReader(Protocol):
    """Reads addresses as people write them."""

    def email(self, text: str) -> str:
        """The address, domain in lower case. Raises ``ValueError`` with a sentence for people when it is none."""

    def country(self, text: str) -> str:
        """The country's two letters (ISO 3166-1 alpha-2). Raises ``ValueError`` likewise."""

    def phone(self, text: str, country: str) -> str:
        """The number in E.164, read in ``country`` when it has no country code. Raises ``ValueError`` likewise.

        A *possible* number is enough; whether it works is for the providers to say.
        """


class BusinessDirectory(Protocol):
    """The businesses of this deployment."""

    def get(self, business_id: str) -> Business:
        """Raises ``NotFoundError``."""

    def add(self, business: Business) -> None:
        """Raises ``ConflictError`` when the id is taken."""

    def ids(self) -> Sequence[str]:
        """All of them, in no order that means anything; for work at night, because it reads the whole table."""

    def having_sent_from(self, senders: Collection[str]) -> Sequence[Business]:
        """The businesses whose ``text_from`` is, or ever was, one of these numbers or messaging services, by id."""

    def replace(self, business: Business) -> None:
        """Write the settings whole, as they were read (``version``). Raises ``ConcurrentChangeError`` otherwise."""


class ApiKeyBook(Protocol):
    """API keys, of which only a hash is kept."""

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        """The key, revoked or not."""

    def list(self, business_id: str) -> Sequence[ApiKey]:
        """All keys of a business."""

    def replace(self, key: ApiKey) -> None:
        """Write a key whole."""


class SegmentBook(Protocol):
    """Saved segments."""

    def get(self, business_id: str, segment_id: str) -> Segment:
        """Raises ``NotFoundError``."""

    def put(self, segment: Segment) -> None:
        """Create or replace."""

    def delete(self, business_id: str, segment_id: str) -> None:
        """Raises ``NotFoundError``."""

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        """By id."""


class CustomerBook(Protocol):
    """The customers of all businesses."""

    def get(self, business_id: str, customer_id: str) -> Customer:
        """Strongly consistent. Raises ``NotFoundError``."""

    def get_many(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, Customer]:
        """Those that exist, by id, any number; eventually consistent, for half the price, unless ``as_of_now``."""

    def save(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """Write customers and contacts in one transaction: all or nothing, at most 100 rows, none twice.

        A contact that is not stored yet takes two rows, because it makes sure of what is remembered of its address.
        Each row must still be as it was read (``version``). Raises ``ConcurrentChangeError`` otherwise.
        """

    def delete(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """Remove profiles, and write their contacts without them, in one transaction with the limits of ``save``.

        A contact that nobody uses any more goes too, and takes two rows when its consent is remembered.
        """

    def page(
        self, business_id: str, *, limit: int, cursor: str | None = None, matching: Matcher | None = None
    ) -> Page[Customer]:
        """Customers by id, of those only the ones that match.

        Reads on until ``limit`` are found, all are seen, or so many have been looked at that the answer should not wait
        any longer; then the page is short, or empty, and has a cursor all the same.
        """

    def read_range(self, business_id: str, first: str, last: str, after: str | None, limit: int) -> Sequence[Customer]:
        """Up to ``limit`` customers of an id range (inclusive), after an id; shorter than ``limit`` only at the end."""

    def copy_flag(self, key: ContactKey, customer_id: str, *, invalid: bool) -> None:
        """Copy a contact's flag to a customer who still has that address; does nothing to anybody else."""


class ContactBook(Protocol):
    """The contacts of all businesses."""

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        """The contacts as of now.

        One that nobody uses comes without customers and failures, with what is remembered of its consent, if anything.
        By a hashed key comes what is remembered, and nothing while somebody uses the address.
        Those of a moment ago are good enough, and cost half, where a decision will be taken again.
        """

    def save(self, contact: Contact) -> None:
        """Write a contact that is still as it was read (``version``). Raises ``ConcurrentChangeError`` otherwise.

        Of one that nobody uses only the consent is kept, under the hash of its address. One with a hashed key must be
        remembered already: that is what says that nobody uses the address.
        """


class ContactHistory(Protocol):
    """What happened to addresses, kept under their hash, so that it outlives the address itself."""

    def record(self, key: ContactKey, entries: Sequence[HistoryEntry]) -> None:
        """Keep entries; one that is kept already stays as it is."""

    def page(self, key: ContactKey, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        """The latest first (strongly consistent)."""

    def before(self, key: ContactKey, place: str | None, limit: int) -> Sequence[HistoryEntry]:
        """Up to ``limit`` before a place (``history.place_of``), or of all, the latest first (strongly consistent).

        Fewer only when there are no more.
        """


class ReplyBook(Protocol):
    """The texts that people send, each kept in the history of its contact; forgotten after some 400 days."""

    def receive(self, reply_id: str, receipt: FirstReceipt) -> FirstReceipt:
        """What was given when the provider's id was seen for the first time, which is kept for good."""

    def add(self, reply: Reply) -> Reply:
        """Keep a reply unless it is kept already; the one that is kept."""

    def get(self, key: ContactKey, receipt: FirstReceipt, reply_id: str) -> Reply | None:
        """A contact's reply (strongly consistent)."""

    def page(
        self,
        business_id: str,
        limit: int,
        cursor: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        matching: Callable[[Reply], bool] | None = None,
    ) -> Page[Reply]:
        """The replies to a business from ``since`` until before ``until``, the latest first (eventually consistent).

        Of those only the ones that match; then a page may be short, or empty, and have a cursor all the same, because
        no more are looked at than the answer should wait for.
        """

    def find(self, business_id: str, reply_id: str) -> Reply:
        """The reply of the provider's id to a business (strongly consistent). Raises ``NotFoundError``."""

    def waiting(self, business_id: str, limit: int, cursor: str | None) -> Page[Reply]:
        """Those that somebody must still read, the oldest first (eventually consistent)."""

    def of_contact(self, key: ContactKey) -> Sequence[Reply]:
        """All replies of a contact (strongly consistent)."""

    def replace(self, before: Reply, after: Reply) -> None:
        """Write a reply that is still as it was read. Raises ``ConcurrentChangeError`` otherwise."""

    def forget(self, key: ContactKey) -> None:
        """Take number and words out of every reply of a contact; what they meant stays."""


class MessageLog(Protocol):
    """The client log: one row for each message (truth 7)."""

    def get_many(self, keys: Sequence[MessageKey], *, consistent: bool = True) -> Mapping[MessageKey, Message]:
        """Those that exist, any number; unless ``consistent``, as they were a moment ago, for half the price."""

    def record_new(self, messages: Sequence[Message]) -> None:
        """Write messages that have no row and that nobody else can be writing: for the holder of a chunk's lease."""

    def record(self, messages: Sequence[Message]) -> None:
        """Write what is known of messages; a stored row of the same or a higher rank stays as it is."""

    def claim(self, message: Message) -> bool:
        """Write ``sending`` unless the message has been claimed before; whether it is ours."""

    def release(self, key: MessageKey) -> None:
        """Take a claim back for a message that is known not to have gone out."""

    def advance(self, changes: Sequence[tuple[Message, Message]]) -> Sequence[MessageKey]:
        """Write each (before, after) if the row still is as before; the keys of those that had changed meanwhile."""

    def page(self, business_id: str, customer_id: str, limit: int, cursor: str | None) -> Page[Message]:
        """The log of one customer, newest first."""

    def before(self, business_id: str, customer_id: str, message_id: str | None, limit: int) -> Sequence[Message]:
        """Up to ``limit`` of a customer's messages with an id before this one, or of all, newest first.

        Fewer only when there are no more (strongly consistent).
        """

    def deliveries(self, key: ContactKey, customer_ids: Iterable[str], after: datetime) -> Sequence[Delivery]:
        """Deliveries to an address later than ``after`` among these customers' messages (strongly consistent)."""

    def remember_provider_id(self, provider: Provider, provider_id: str, key: MessageKey) -> None:
        """For a provider that sends nothing of ours back: which message its id means."""

    def find_by_provider_id(self, provider: Provider, provider_id: str) -> MessageKey | None:
        """The message that was remembered for the id."""


class AppointmentBook(Protocol):
    """What has happened about appointments, found by the client's names for them."""

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        """Keep an entry; the same again changes nothing."""

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        """The latest first (strongly consistent)."""

    def ask(self, key: ContactKey, asked: Asked) -> None:
        """Keep that a contact is asked to confirm something, for 30 days; the same again changes nothing."""

    def asked(self, key: ContactKey) -> Sequence[Asked]:
        """What a contact was asked lately and has not confirmed, the latest first (strongly consistent)."""

    def close(self, key: ContactKey, asked: Sequence[Asked]) -> None:
        """These are confirmed."""


class CampaignBook(Protocol):
    """The campaigns of all businesses."""

    def get(self, business_id: str, campaign_id: str) -> Campaign:
        """Strongly consistent. Raises ``NotFoundError``."""

    def add(self, campaign: Campaign) -> None:
        """Write a new campaign."""

    def replace(self, before: Campaign, after: Campaign) -> None:
        """Write ``after`` if nobody has written since ``before`` was read. Raises ``ConcurrentChangeError`` if so."""

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Campaign]:
        """Newest first, without the carriers of single messages."""


class ExpansionLedger(Protocol):
    """Progress of expansions. A page of customers counts at the moment its progress is committed, and only once."""

    def get(self, campaign_id: str, index: int) -> RangeProgress:
        """The progress of a range, at its beginning when there is none."""

    def commit(self, progress: RangeProgress, chunks: Sequence[Chunk] = ()) -> RangeProgress:
        """Write progress that is still as it was read, and a page's chunks with it: all or nothing, at most 99 chunks.

        Raises ``ConcurrentChangeError`` when somebody else has gone on with the range.
        """

    def list(self, campaign_id: str) -> Sequence[RangeProgress]:
        """All ranges that have begun."""


class ChunkLedger(Protocol):
    """The claim ledger (truth 8)."""

    def add(self, chunk: Chunk) -> None:
        """Write a new chunk; one that is there already stays as it is."""

    def claim(self, key: ChunkKey, owner: str, now: datetime, lease: timedelta) -> tuple[ClaimOutcome, Chunk]:
        """Try to take a chunk; the chunk as it is afterwards. Raises ``NotFoundError``."""

    def mark(self, chunk: Chunk, now: datetime, waiting: Sequence[str] = ()) -> None:
        """Mark a claimed chunk as being handed to the provider, but for ``waiting``, if the lease is ours and alive.

        Raises ``ConcurrentChangeError`` otherwise: then nothing may be sent.
        """

    def put_back(self, chunk: Chunk, remaining: Sequence[str], not_before: datetime | None = None) -> None:
        """Make a chunk pending again for recipients that are known not to have gone out, if it is still ours."""

    def finish(self, chunk: Chunk) -> None:
        """Nothing of the chunk is left to do; does nothing when it is no longer ours."""

    def state(self, key: ChunkKey) -> ChunkState | None:
        """Where a chunk stood a moment ago (eventually consistent); ``None`` when it is not there."""

    def page(self, campaign_id: str, cursor: str | None) -> Page[Chunk]:
        """The chunks of a campaign in order."""

    def note_holds(self, campaign_id: str, holds: Mapping[datetime, HoldReason]) -> None:
        """Remember until when, and why, some of a campaign's recipients wait."""

    def holds(self, campaign_id: str) -> Mapping[datetime, HoldReason]:
        """All times that were noted, over or not."""


class TallyBook(Protocol):
    """Exact counts of a campaign's messages by label, kept from the message log's change stream."""

    def counts(self, campaign_id: str) -> Mapping[str, int]:
        """The sum over all shards, by label (``domain.tally``)."""

    def position(self, campaign_id: str, shard: str) -> str | None:
        """The last change of a shard that was counted."""

    def add(self, campaign_id: str, shard: str, counts: Mapping[str, int], *, after: str | None, position: str) -> None:
        """Add counts and move the position from ``after``. Raises ``ConcurrentChangeError`` if it stands elsewhere."""


class ChunkQueue(Protocol):
    """Hands chunks to the workers of a channel, each in its lane."""

    def put(self, channel: Channel, tickets: Sequence[Ticket], delay: timedelta = timedelta()) -> None:
        """Enqueue; every ticket is on its lane's queue when this returns. At most 15 minutes of delay."""

    def waiting(self, channel: Channel, lane: Lane) -> int:
        """About how many chunks wait in a lane."""


class FrequencyBook(Protocol):
    """What every customer has been handed of late, for the caps."""

    def get_many(
        self, business_id: str, customer_ids: Iterable[str], *, consistent: bool = True
    ) -> Mapping[str, Frequency]:
        """Everybody's, by customer, any number; empty for one of whom nothing is kept.

        Those of a moment ago are good enough, and cost half, where a decision will be taken again.
        """

    def save(self, frequency: Frequency, until: datetime) -> Frequency:
        """Write one that is still as it was read (``version``), to be forgotten some time after ``until``.

        As it is stored now. Raises ``ConcurrentChangeError`` when somebody else has written it.
        """


class HeldQueue(Protocol):
    """Keeps chunks whose recipients wait for their hour away from the lanes, where only what can go has its turn."""

    def put(self, held: Sequence[HeldTicket], now: datetime) -> None:
        """Enqueue; each comes after a round (``HeldTicket.round_from``), and is to be put again before its hour."""


class PaceBook(Protocol):
    """What the workers know together of how fast each sending account may be used."""

    def pace(self, account: str, now: datetime) -> Pace:
        """The pace, some seconds old at most."""

    def book(self, account: str, flow: Flow, width: timedelta, now: datetime, latest: datetime) -> datetime | None:
        """Book ``width`` for a flow behind what it has booked, or from ``now``; the moment at which it begins.

        ``None``, with nothing booked, when the flow is booked beyond ``latest`` already. Atomic: no moment of a flow is
        given twice.
        """

    def brake(self, account: str, left: float, now: datetime) -> None:
        """Keep ``left`` of the rate from ``now`` on, unless somebody braked within the last second."""

    def stop(self, account: str, stop: Stop) -> None:
        """Hand over nothing until it is over; one that ends later stays."""

    def claim_quota(self, account: str, read_at: datetime | None, now: datetime) -> bool:
        """Whether it is for us to ask the provider for its quota, which was last asked for at ``read_at``."""

    def keep_quota(self, account: str, quota: Quota) -> None:
        """Tell the others what the provider allows."""


class QuotaSource(Protocol):
    """Asks the provider what it allows."""

    def quota(self) -> Quota | None:
        """The quota; ``None`` when the provider could not be asked now."""


class ReceiptQueue(Protocol):
    """The one way for outcomes."""

    def put(self, receipt: Receipt) -> None:
        """Enqueue a receipt of our own, without personal data."""


class RecopyQueue(Protocol):
    """Copyings of flags that are due."""

    def put(self, work: Recopying) -> None:
        """Enqueue; it is on the queue when this returns, and may be delivered more than once."""


class FailureLog(Protocol):
    """What SQS does not keep: the reasons for which messages end in the dead letters. Forgotten after two weeks."""

    def record(self, failure: FailedHandling) -> None:
        """Keep the last word about a message."""

    def get_many(self, message_ids: Sequence[str]) -> Mapping[str, FailedHandling]:
        """Those that are known, by message."""


class DeadLetterQueues(Protocol):
    """The dead letters of every queue, by the queue's name."""

    @property
    def names(self) -> Sequence[str]:
        """The queues, in a fixed order."""

    def waiting(self, name: str) -> int:
        """About how many dead letters a queue has."""

    def read(self, name: str, limit: int) -> Sequence[DeadLetter]:
        """Up to ``limit`` of a queue's dead letters, which stay where they are."""

    def redrive(self, name: str, may_go_on: Callable[[], bool]) -> Redriven:
        """Put a queue's dead letters back on it. One that cannot be put back stays where it is."""


class CampaignRunner(Protocol):
    """Runs campaigns."""

    def start(self, business_id: str, campaign_id: str) -> None:
        """Start now; starting twice is starting once."""

    def schedule(self, business_id: str, campaign_id: str, at: datetime) -> None:
        """Start at a time."""

    def requeue(self, business_id: str, campaign_id: str, name: str) -> None:
        """Bring back the chunks that a pause set aside; ``name`` tells one such errand from another."""

    def roll_back(self, business_id: str, campaign_id: str, rollback_id: str) -> None:
        """Take back the flags that the campaign's bounces raised; starting twice is starting once."""


class DomainEvents(Protocol):
    """Tells the operator's other systems."""

    def publish(self, events: Sequence[DomainEvent]) -> None:
        """All are accepted when this returns."""


class Mailer(Protocol):
    """Sends email."""

    def send(self, sender: str, emails: Sequence[OutgoingEmail]) -> Sequence[SendResult]:
        """Hand over up to 50 emails in one call; one result for each, in order. Never tries anything twice."""


class SuppressionList(Protocol):
    """SES's suppression list of the account, which all businesses of the deployment share.

    Every call may raise ``ComeAgainError``, above all because the account may make about one call a second, and
    ``NotAnsweredError``. Nothing is tried twice.
    """

    def get(self, address: str) -> Suppression | None:
        """The entry of exactly this spelling."""

    def remove(self, address: str) -> None:
        """Remove the entry of exactly this spelling, whatever its reason; one that is not there is fine."""

    def page(self, cursor: str | None) -> Page[Suppression]:
        """Entries in the provider's own order, up to 1,000; a cursor that it does not know any more begins anew."""


class ReconciliationBook(Protocol):
    """Reconciliations, remembered for a few days."""

    def get(self, run: str) -> Reconciliation:
        """The run, at its beginning when it is new."""

    def save(self, reconciliation: Reconciliation) -> None:
        """Write whole."""


class LinkKeyring(Protocol):
    """The keys that links in messages are signed with."""

    def keys(self, needed: int | None = None) -> LinkKeys:
        """The keys, read once in the life of a process.

        They are read again, at most once a minute, when the one that is ``needed`` is not among them: it may have come
        with a rotation since.
        """


class Texter(Protocol):
    """Sends texts of one provider."""

    @property
    def provider(self) -> Provider:
        """Who carries them."""

    def send(
        self, sender: str | None, key: MessageKey, to: str, body: str, valid_for: timedelta | None = None
    ) -> SendResult:
        """Hand over one text. Never tries anything twice.

        A provider that can be told to drops it instead of delivering it later than ``valid_for`` from now.
        """


class ImportBook(Protocol):
    """The imports of all businesses."""

    def get(self, business_id: str, import_id: str) -> ImportJob:
        """Strongly consistent. Raises ``NotFoundError``."""

    def save(self, job: ImportJob) -> None:
        """Write whole."""


class ImportLedger(Protocol):
    """Progress of imports. A row counts at the moment when what it says is written, and only once."""

    def get(self, import_id: str, part: int) -> PartProgress:
        """The progress of a part (strongly consistent), at its beginning when there is none."""

    def commit(
        self,
        progress: PartProgress,
        customers: Sequence[Customer] = (),
        contacts: Sequence[Contact] = (),
        bad_rows: Sequence[BadRow] = (),
    ) -> PartProgress:
        """Write progress, customers, contacts and bad rows in one transaction: all or nothing, at most 100 writes.

        Each row but the bad ones must still be as it was read. Raises ``ConcurrentChangeError`` otherwise.
        """

    def counts(self, import_id: str) -> RowCounts:
        """The sum over all parts."""

    def bad_rows(self, import_id: str, limit: int) -> Sequence[BadRow]:
        """The first bad rows that are kept, in the order of their lines."""


class ImportStore(Protocol):
    """The files of imports, and the parts that they are divided into."""

    def put(self, business_id: str, import_id: str, content: str) -> None:
        """Store a file; its arrival starts the import."""

    def upload_url(self, business_id: str, import_id: str) -> str:
        """A URL that takes one PUT of the file, for an hour."""

    def open(self, business_id: str, import_id: str, offset: int = 0) -> ImportFile:
        """The file from a byte on, as a stream; one that has become shorter, from its beginning.

        Raises ``NotFoundError``.
        """

    def put_piece(self, business_id: str, import_id: str, part: int, piece: int, content: bytes) -> None:
        """Store a piece of a part; again is once."""

    def open_piece(self, business_id: str, import_id: str, part: int, piece: int) -> IO[bytes]:
        """A piece as a stream. Raises ``NotFoundError``."""

    def remove_pieces(self, business_id: str, import_id: str, parts: int, pieces: int) -> None:
        """Remove the first pieces of the first parts, as far as they are there."""


class ExportBook(Protocol):
    """The exports of all businesses."""

    def get(self, business_id: str, export_id: str) -> ExportJob:
        """Strongly consistent. Raises ``NotFoundError``."""

    def save(self, job: ExportJob) -> None:
        """Write whole."""


class ExportStore(Protocol):
    """The files of exports."""

    def begin(self, business_id: str, export_id: str, format_: str) -> str:
        """Begin a file; the id of its upload."""

    def put_part(self, business_id: str, export_id: str, upload_id: str, number: int, content: bytes) -> str:
        """Store a part, of at least 5 MiB unless it is the last, counted from 1; its tag. Again is once."""

    def complete(self, business_id: str, export_id: str, upload_id: str, tags: Sequence[str]) -> None:
        """Make the file of its parts; again does nothing."""

    def put_rest(self, business_id: str, export_id: str, name: int, content: bytes) -> None:
        """Set something aside."""

    def read_rest(self, business_id: str, export_id: str, name: int) -> bytes:
        """What was set aside. Raises ``NotFoundError``."""

    def download_url(self, business_id: str, export_id: str) -> str:
        """A URL that gives the file, for an hour."""


class FileRunner(Protocol):
    """Runs the work on files: imports, or exports."""

    def start(self, business_id: str, work_id: str) -> None:
        """Start now; starting twice is starting once."""


class Patience(Protocol):
    """Waits for others to be done with something that can be tried again."""

    def wait(self, attempt: int) -> None:
        """Wait before another attempt: longer after each (counted from 1), and not as long as everybody else."""


class JobBook(Protocol):
    """Jobs of all businesses."""

    def get(self, business_id: str, job_id: str) -> Job:
        """Strongly consistent. Raises ``NotFoundError``."""

    def add(self, job: Job) -> None:
        """Write a new job. Raises ``ConcurrentChangeError`` when its id is taken."""

    def replace(self, job: Job) -> None:
        """Write a job that is still as it was read (``version``). Raises ``ConcurrentChangeError`` otherwise."""


class JobLedger(Protocol):
    """Progress of jobs. What is done in a step counts at the moment its progress is committed, and only once."""

    def get(self, job_id: str, phase: int, index: int) -> JobProgress:
        """The progress of a range, at its beginning when there is none (strongly consistent)."""

    def commit(self, progress: JobProgress, frozen: FrozenPage | None = None) -> JobProgress:
        """Write progress that is still as it was read, and a part of a frozen list with it: all or nothing.

        Raises ``ConcurrentChangeError`` when somebody else has gone on with the range.
        """

    def list(self, job_id: str, phase: int) -> Sequence[JobProgress]:
        """All ranges of a phase that have begun."""

    def frozen(self, job_id: str, index: int, number: int) -> FrozenPage | None:
        """A part of a frozen list; ``None`` after the last."""


class RemovalLedger(Protocol):
    """Progress of the jobs that delete customers."""

    def commit(self, progress: JobProgress, removal: Removal) -> JobProgress:
        """Delete, and write progress that is still as it was read: all or nothing.

        Raises ``ConcurrentChangeError`` when somebody else has gone on with the range, and as ``CustomerBook.delete``
        does. A removal may take 99 rows.
        """


class JobRunner(Protocol):
    """Runs jobs."""

    def start(self, business_id: str, job_id: str, run: int) -> None:
        """Start; starting the same run twice is starting it once."""
