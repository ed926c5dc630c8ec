"""One suite for the ports behind tables, run against the fakes and against DynamoDB with the template's tables."""

from collections.abc import Iterator
from copy import replace
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from types import MappingProxyType

import pytest

from rebound.access.adapters import DynamoApiKeyBook
from rebound.access.domain import ApiKey, hash_of
from rebound.access.ports import ApiKeyBook
from rebound.businesses.adapters.dynamo_directory import DynamoBusinessDirectory
from rebound.businesses.domain.business import TextProvider
from rebound.businesses.domain.double_opt_in import DoubleOptIn
from rebound.businesses.domain.quiet_hours import NO_QUIET_HOURS, HoldReason, QuietHours, QuietWindow
from rebound.businesses.domain.switches import Barrier, Bundle, Switches
from rebound.businesses.domain.text_answers import AnsweredBy, TextAnswers
from rebound.businesses.ports import BusinessDirectory
from rebound.campaigns.adapters.dynamo_campaigns import (
    DynamoCampaignBook,
    DynamoChunkLedger,
    DynamoExpansionLedger,
    DynamoTallyBook,
)
from rebound.campaigns.domain.campaigns import CampaignStatus, FinalWords, Rollback
from rebound.campaigns.domain.chunks import ChunkKey, ChunkState, ClaimOutcome
from rebound.campaigns.domain.expansion_records import Held
from rebound.campaigns.ports import CampaignBook, ChunkLedger, ExpansionLedger, TallyBook
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.adapters.dynamo_contacts import DynamoContactBook
from rebound.contacts.adapters.dynamo_history import DynamoContactHistory
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.history import ConsentStated, FlagChanged, HistoryEntry, place_of
from rebound.contacts.domain.reachability import (
    STANDARD_POLICY,
    STRICT_POLICY,
    Cleared,
    ClearedBy,
    Failure,
    PolicyPreset,
    ReachabilityPolicy,
    Tried,
    policy_of,
)
from rebound.contacts.domain.recovery import Recovery
from rebound.contacts.ports import ContactBook, ContactHistory
from rebound.customers.adapters.dynamo_customers import DynamoCustomerBook
from rebound.customers.ports import CustomerBook
from rebound.imports_exports.adapters.dynamo_export_book import DynamoExportBook
from rebound.imports_exports.adapters.dynamo_import_book import DynamoImportBook
from rebound.imports_exports.adapters.dynamo_imports import DynamoImportLedger
from rebound.imports_exports.domain.export_records import ExportJob
from rebound.imports_exports.domain.import_records import (
    BadRow,
    ImportJob,
    Place,
    RowCounts,
    Splitting,
)
from rebound.imports_exports.ports import ExportBook, ImportBook, ImportLedger
from rebound.jobs.adapters.dynamo_jobs import DynamoJobBook, DynamoJobLedger
from rebound.jobs.domain.job_records import FrozenCustomer, FrozenPage, JobProgress, Spared
from rebound.jobs.domain.jobs import Job, JobKind, JobStatus
from rebound.jobs.ports import JobBook, JobLedger
from rebound.kernel.api_scopes import ApiScope
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.key_ranges import bounds
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.adapters.dynamo_appointments import DynamoAppointmentBook
from rebound.messages.adapters.dynamo_messages import DynamoMessageLog
from rebound.messages.domain.appointments import Answered, AppointmentEntry, Asked, Told
from rebound.messages.domain.content import EmailContent, TextContent
from rebound.messages.domain.message_records import Delivery
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.ports import AppointmentBook, MessageLog
from rebound.platform.adapters.failures import DynamoFailureLog
from rebound.platform.adapters.request_ids import DynamoRequestIds
from rebound.platform.failures import FailedHandling
from rebound.platform.ports import FailureLog, RequestIds
from rebound.rates.adapters.dynamo_paces import DynamoPaceBook
from rebound.rates.domain import Flow, Lane, Quota, Stop
from rebound.rates.ports import PaceBook
from rebound.segments.adapters.dynamo_removals import DynamoRemovalLedger
from rebound.segments.adapters.dynamo_segments import DynamoSegmentBook
from rebound.segments.domain import Removal, Segment, Selection, compile_filter
from rebound.segments.ports import RemovalLedger, SegmentBook
from tests.contract.access.fakes import MemoryApiKeyBook
from tests.contract.businesses.fakes import MemoryBusinessDirectory
from tests.contract.campaigns.fakes import MemoryCampaignBook, MemoryChunkLedger, MemoryExpansionLedger, MemoryTallyBook
from tests.contract.contacts.fakes import MemoryContactBook, MemoryContactHistory
from tests.contract.customers.fakes import MemoryCustomerBook
from tests.contract.imports_exports.fakes import MemoryExportBook, MemoryImportBook, MemoryImportLedger
from tests.contract.jobs.fakes import MemoryJobBook, MemoryJobLedger
from tests.contract.messages.fakes import MemoryAppointmentBook, MemoryMessageLog
from tests.contract.platform.fakes import MemoryFailureLog, MemoryRequestIds
from tests.contract.rates.fakes import MemoryPaceBook
from tests.contract.segments.fakes import MemoryRemovalLedger, MemorySegmentBook
from tests.fakes.aws import empty_tables, fake_aws_with_tables, make
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    NO_SUCH_MAILBOX,
    at,
    business,
    campaign,
    chunk,
    contact_key,
    customer,
    id_of,
    message,
    message_key,
)

LEASE = timedelta(seconds=90)


@dataclass(frozen=True)
class Books:
    """One implementation of every port that keeps rows."""

    businesses: BusinessDirectory
    keys: ApiKeyBook
    segments: SegmentBook
    imports: ImportBook
    exports: ExportBook
    ledger: ImportLedger
    requests: RequestIds
    failures: FailureLog
    customers: CustomerBook
    contacts: ContactBook
    messages: MessageLog
    campaigns: CampaignBook
    chunks: ChunkLedger
    expansion: ExpansionLedger
    tallies: TallyBook
    paces: PaceBook
    jobs: JobBook
    job_ledger: JobLedger
    removal_ledger: RemovalLedger
    history: ContactHistory
    appointments: AppointmentBook


def in_memory() -> Books:
    contacts, chunks = MemoryContactBook(), MemoryChunkLedger()
    customers, jobs = MemoryCustomerBook(contacts), MemoryJobLedger()
    return Books(
        MemoryBusinessDirectory(),
        MemoryApiKeyBook(),
        MemorySegmentBook(),
        MemoryImportBook(),
        MemoryExportBook(),
        MemoryImportLedger(customers),
        MemoryRequestIds(),
        MemoryFailureLog(),
        customers,
        contacts,
        MemoryMessageLog(),
        MemoryCampaignBook(),
        chunks,
        MemoryExpansionLedger(chunks),
        MemoryTallyBook(),
        MemoryPaceBook(),
        MemoryJobBook(),
        jobs,
        MemoryRemovalLedger(jobs, customers),
        MemoryContactHistory(),
        MemoryAppointmentBook(),
    )


def in_dynamodb(tables: dict[str, str]) -> Books:
    directory = tables["DIRECTORY_TABLE"]
    jobs = DynamoJobLedger(tables["CHUNKS_TABLE"])
    customers = DynamoCustomerBook(tables["CUSTOMERS_TABLE"], DynamoContactBook(tables["CONTACTS_TABLE"]))
    return Books(
        DynamoBusinessDirectory(directory),
        DynamoApiKeyBook(directory),
        DynamoSegmentBook(directory),
        DynamoImportBook(directory),
        DynamoExportBook(directory),
        DynamoImportLedger(tables["CHUNKS_TABLE"], customers),
        DynamoRequestIds(directory),
        DynamoFailureLog(directory),
        customers,
        DynamoContactBook(tables["CONTACTS_TABLE"]),
        DynamoMessageLog(tables["MESSAGES_TABLE"]),
        DynamoCampaignBook(tables["CAMPAIGNS_TABLE"]),
        DynamoChunkLedger(tables["CHUNKS_TABLE"]),
        DynamoExpansionLedger(tables["CHUNKS_TABLE"]),
        DynamoTallyBook(tables["CHUNKS_TABLE"]),
        DynamoPaceBook(tables["PACES_TABLE"]),
        DynamoJobBook(directory),
        jobs,
        DynamoRemovalLedger(jobs, customers),
        DynamoContactHistory(tables["CONTACT_HISTORY_TABLE"]),
        DynamoAppointmentBook(tables["MESSAGES_TABLE"]),
    )


@pytest.fixture(scope="module")
def books_in_dynamodb() -> Iterator[Books]:
    with fake_aws_with_tables() as tables:
        yield in_dynamodb(tables)


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest) -> Books:
    if request.param == "memory":
        return in_memory()
    found: Books = request.getfixturevalue("books_in_dynamodb")
    empty_tables()
    return found


# --- businesses, keys, segments, imports, requests --------------------------------------------------------------------


def test_a_business_is_kept_whole_and_replaced_whole(books: Books) -> None:
    books.businesses.add(business(owner_email="owner@example.com"))
    first = books.businesses.get(BUSINESS_ID)
    bare = business(email_from=None, text_from=None, text_provider=TextProvider.SNS, version=first.version)
    assert first == business(owner_email="owner@example.com", version=1)
    books.businesses.replace(bare)
    assert books.businesses.get(BUSINESS_ID) == replace(bare, version=2)


@pytest.mark.parametrize(
    "policy",
    [STRICT_POLICY, policy_of("custom", {}), policy_of("custom", {"unreachable": 20, "invalid": 3})],
    ids=["strict", "never", "custom"],
)
def test_a_business_keeps_its_policy(books: Books, policy: ReachabilityPolicy) -> None:
    books.businesses.add(business())
    assert books.businesses.get(BUSINESS_ID).policy == STANDARD_POLICY
    books.businesses.replace(replace(books.businesses.get(BUSINESS_ID), policy=policy))
    kept = books.businesses.get(BUSINESS_ID).policy

    assert (kept, kept.preset) == (policy, policy.preset)


WORKING_HOURS = QuietWindow(time(18, 30), time(9), frozenset({Category.ONE_TO_ONE, Category.MARKETING}))


@pytest.mark.parametrize("hours", [NO_QUIET_HOURS, QuietHours(email=WORKING_HOURS)], ids=["none", "email"])
def test_a_business_keeps_its_quiet_hours(books: Books, hours: QuietHours) -> None:
    books.businesses.add(business(quiet_hours=QuietHours()))
    assert books.businesses.get(BUSINESS_ID).quiet_hours == QuietHours()
    books.businesses.replace(replace(books.businesses.get(BUSINESS_ID), quiet_hours=hours))

    assert books.businesses.get(BUSINESS_ID).quiet_hours == hours


@pytest.mark.parametrize("recovery", [Recovery(spaced=True), Recovery(probe_marketing=True)], ids=str)
def test_a_business_keeps_its_options_of_recovery(books: Books, recovery: Recovery) -> None:
    books.businesses.add(business())
    assert books.businesses.get(BUSINESS_ID).recovery == Recovery()
    books.businesses.replace(replace(books.businesses.get(BUSINESS_ID), recovery=recovery))

    assert books.businesses.get(BUSINESS_ID).recovery == recovery


@pytest.mark.parametrize("bundle", list(Bundle))
def test_a_business_keeps_its_switches_and_its_bundle(books: Books, bundle: Bundle) -> None:
    books.businesses.add(business())
    assert (books.businesses.get(BUSINESS_ID).switches, books.businesses.get(BUSINESS_ID).bundle) == (
        Switches(),
        Bundle.PREMIUM,
    )
    chosen = Switches(email=False, text_confirmations=False)
    books.businesses.replace(replace(books.businesses.get(BUSINESS_ID), switches=chosen, bundle=bundle))
    kept = books.businesses.get(BUSINESS_ID)

    assert (kept.switches, kept.bundle) == (chosen, bundle)


def test_a_business_keeps_where_it_wants_double_opt_in(books: Books) -> None:
    books.businesses.add(business())
    assert books.businesses.get(BUSINESS_ID).double_opt_in == DoubleOptIn()
    books.businesses.replace(replace(books.businesses.get(BUSINESS_ID), double_opt_in=DoubleOptIn(sms=True)))

    assert books.businesses.get(BUSINESS_ID).double_opt_in == DoubleOptIn(sms=True)


def test_settings_are_only_written_as_they_were_read(books: Books) -> None:
    with pytest.raises(ConcurrentChangeError):
        books.businesses.replace(business())
    books.businesses.add(business())
    read = books.businesses.get(BUSINESS_ID)
    books.businesses.replace(replace(read, policy=STRICT_POLICY))
    with pytest.raises(ConcurrentChangeError):
        books.businesses.replace(replace(read, name="Undoes the policy"))
    books.businesses.replace(replace(books.businesses.get(BUSINESS_ID), name="New"))
    kept = books.businesses.get(BUSINESS_ID)

    assert (kept.name, kept.policy) == ("New", STRICT_POLICY)


def test_settings_from_before_there_were_policies_and_versions_mean_the_standard_and_can_be_changed(
    books_in_dynamodb: Books,
) -> None:
    empty_tables()
    document = (
        '{"name":"Salon Juniper","country":"US","time_zone":"America/New_York","owner_email":null,'
        '"email_from":"hello@juniper.example.com","text_provider":"twilio","text_from":"+14155550100"}'
    )
    item = {"business_id": {"S": BUSINESS_ID}, "entry_id": {"S": "settings#"}, "document": {"S": document}}
    make("dynamodb").put_item(TableName="DirectoryTable", Item=item)
    old = books_in_dynamodb.businesses.get(BUSINESS_ID)
    assert old == business(text_rate=None, quiet_hours=QuietHours())
    assert old.policy.preset is PolicyPreset.STANDARD
    assert books_in_dynamodb.businesses.having_sent_from(["+14155550100"]) == []
    books_in_dynamodb.businesses.replace(replace(old, policy=STRICT_POLICY))

    assert books_in_dynamodb.businesses.get(BUSINESS_ID).policy == STRICT_POLICY
    assert len(books_in_dynamodb.businesses.having_sent_from(["+14155550100"])) == 1
    with pytest.raises(ConcurrentChangeError):
        books_in_dynamodb.businesses.replace(old)


def test_businesses_are_found_by_what_they_send_or_ever_sent_texts_from(books: Books) -> None:
    def having_sent_from(*senders: str) -> list[str]:
        return [found.business_id for found in books.businesses.having_sent_from(senders)]

    number, service = "+14155550100", "MG" + "0" * 32
    for business_id, sender in (("one", number), ("two", service), ("three", number), ("none", None)):
        books.businesses.add(business(business_id=business_id, text_from=sender))
    assert having_sent_from(number) == ["one", "three"]
    assert having_sent_from(number, service) == ["one", "three", "two"]
    assert having_sent_from("+14155550101") == having_sent_from() == []
    for business_id, sender in (("one", service), ("three", None)):
        books.businesses.replace(replace(books.businesses.get(business_id), text_from=sender))

    assert (having_sent_from(number), having_sent_from(service)) == (["one", "three"], ["one", "two"])
    assert books.businesses.having_sent_from([service])[0] == books.businesses.get("one")


def test_settings_that_lost_a_race_leave_the_sender_as_it_is(books: Books) -> None:
    books.businesses.add(business())
    read = books.businesses.get(BUSINESS_ID)
    books.businesses.replace(replace(read, text_from="+14155550101"))
    with pytest.raises(ConcurrentChangeError):
        books.businesses.replace(replace(read, text_from="+14155550102"))

    assert [len(books.businesses.having_sent_from([f"+1415555010{n}"])) for n in (0, 1, 2)] == [1, 1, 0]


def test_a_business_is_added_once(books: Books) -> None:
    books.businesses.add(business())
    with pytest.raises(ConflictError):
        books.businesses.add(business(name="Another"))
    assert books.businesses.get(BUSINESS_ID).name == "Salon Juniper"


def test_what_is_not_there_is_not_found(books: Books) -> None:
    with pytest.raises(NotFoundError):
        books.businesses.get("nobody")
    with pytest.raises(NotFoundError):
        books.segments.get(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        books.segments.delete(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        books.imports.get(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        books.customers.get(BUSINESS_ID, id_of(1))
    with pytest.raises(NotFoundError):
        books.campaigns.get(BUSINESS_ID, "none")
    with pytest.raises(NotFoundError):
        books.chunks.claim(chunk().key, "me", at(0), LEASE)
    assert books.keys.find(BUSINESS_ID, "none") is None


def api_key(key_id: str, business_id: str = BUSINESS_ID) -> ApiKey:
    scopes = (ApiScope.CAMPAIGNS_READ, ApiScope.MESSAGES_WRITE)
    return ApiKey(business_id, key_id, hash_of("s"), scopes, created_at=at(0.000001), label="till")


def test_keys_are_kept_found_listed_and_replaced(books: Books) -> None:
    first, second = api_key("key-1"), api_key("key-2")
    for key in (first, second, api_key("key-1", "other")):
        books.keys.add(key)
    ended = replace(first, expires_at=at(9))
    books.keys.replace(ended)

    assert books.keys.find(BUSINESS_ID, "key-1") == ended
    assert list(books.keys.list(BUSINESS_ID)) == [ended, second]
    assert books.keys.find("other", "key-2") is None


def segment(number: int, business_id: str = BUSINESS_ID) -> Segment:
    return Segment(business_id, f"s{number}", f"Name {number}", {"all": [{"tag": "é"}]}, at(number))


def test_segments_are_put_read_replaced_and_deleted(books: Books) -> None:
    books.segments.put(segment(1))
    books.segments.put(replace(segment(1), name="New"))
    assert books.segments.get(BUSINESS_ID, "s1") == replace(segment(1), name="New")
    books.segments.delete(BUSINESS_ID, "s1")
    with pytest.raises(NotFoundError):
        books.segments.get(BUSINESS_ID, "s1")


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_segments_come_in_pages_by_id_and_only_the_businesss_own(books: Books, limit: int) -> None:
    books.businesses.add(business())
    books.keys.add(api_key("key-1"))
    for number in (3, 1, 2):
        books.segments.put(segment(number))
        books.segments.put(segment(number, "other"))
    seen: list[Segment] = []
    cursor: str | None = None
    for _ in range(9):
        page = books.segments.page(BUSINESS_ID, limit, cursor)
        assert len(page.items) <= limit
        seen.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [segment(1), segment(2), segment(3)]


def test_an_import_is_kept_whole_and_overwritten(books: Books) -> None:
    job = ImportJob(BUSINESS_ID, "i1", "csv", "queued", created_at=at(0))
    books.imports.save(job)
    assert books.imports.get(BUSINESS_ID, "i1") == job
    for place in (Place(), Place(5_000_000_000, 70, ("first_name", "last_name"))):
        done = replace(job, status="failed", splitting=Splitting(3, '"etag"', place, 60, 2, done=True), failure="é")
        books.imports.save(done)

        assert books.imports.get(BUSINESS_ID, "i1") == done


def test_an_export_is_kept_whole_and_overwritten(books: Books) -> None:
    with pytest.raises(NotFoundError):
        books.exports.get(BUSINESS_ID, "e1")
    job = ExportJob(BUSINESS_ID, "e1", "csv", "queued", at(0), {"failed": "any", "filter": {"all": []}})
    later = replace(job, rows=7, cursor="c", upload_id="u", parts=("t1", "t2"), rest=7, written=True, failure="é")
    for one in (job, later):
        books.exports.save(one)

        assert books.exports.get(BUSINESS_ID, "e1") == one


def test_progress_of_an_import_counts_with_its_customers_and_only_as_it_was_read(books: Books) -> None:
    bad = BadRow(2, (FieldError("email", "Must be…"), FieldError("birthday", "Must be…")))
    begun = books.ledger.get("i1", 3)
    counts = RowCounts(3, created=1, failed=2)
    done = books.ledger.commit(
        replace(begun, counts=counts, reported=2), [customer(1)], [], [BadRow(10, bad.errors), bad]
    )

    assert done == books.ledger.get("i1", 3)
    assert done.version == 1
    with pytest.raises(ConcurrentChangeError):
        books.ledger.commit(begun, [customer(2)])
    with pytest.raises(ConcurrentChangeError):
        books.ledger.commit(replace(done, counts=counts + counts), [customer(1)], [], [BadRow(1, bad.errors)])
    assert books.customers.get_many(BUSINESS_ID, [id_of(1), id_of(2)], as_of_now=True).keys() == {id_of(1)}
    assert books.ledger.get("i1", 3) == done
    assert books.ledger.bad_rows("i1", 9) == [bad, BadRow(10, bad.errors)]
    assert books.ledger.bad_rows("i1", 1) == [bad]


def test_the_counts_of_an_import_are_the_sum_of_its_parts(books: Books) -> None:
    assert books.ledger.counts("i1") == RowCounts()
    for part, import_id in ((0, "i1"), (1, "i1"), (0, "i2")):
        books.ledger.commit(replace(books.ledger.get(import_id, part), counts=RowCounts(5, 1, 1, 1, 2)))

    assert books.ledger.counts("i1") == RowCounts(10, 2, 2, 2, 4)
    assert books.ledger.bad_rows("i1", 5) == []


def test_the_last_word_about_a_message_that_failed_is_kept(books: Books) -> None:
    first = FailedHandling("m1", "NotFoundError: No such campaign. (at get:1)", at(0), at(5), 2)
    last = replace(first, failed_at=at(365), receives=3)
    other = FailedHandling("m2", "malformed: bounce.timestamp is missing", at(1), at(2), 2)
    for failure in (first, last, other):
        books.failures.record(failure)

    assert books.failures.get_many(["m1", "m2", "m3", "m1"]) == {"m1": last, "m2": other}
    assert books.failures.get_many([]) == {}


def test_a_request_keeps_the_id_that_was_proposed_first(books: Books) -> None:
    assert books.requests.id_for(BUSINESS_ID, "/v1/campaigns#é", "first") == "first"
    assert books.requests.id_for(BUSINESS_ID, "/v1/campaigns#é", "second") == "first"
    assert books.requests.id_for(BUSINESS_ID, "/v1/campaigns#other", "second") == "second"
    assert books.requests.id_for("other", "/v1/campaigns#é", "third") == "third"


# --- customers and contacts -------------------------------------------------------------------------------------------

FULL = customer(
    1,
    external_id="A-1",
    day_phone="+14155550001",
    night_phone="+14155550002",
    gender="f",
    birthday=date(1990, 2, 28),
    customer_since=date(2020, 1, 1),
    general_tags=("vip", "Ünïcode", "a"),
    time_zone="Europe/Lisbon",
    language="pt",
    failed_email=True,
    created_at=at(0.123456),
    former_contacts=frozenset({contact_key(5), contact_key(5, Channel.SMS)}),
)
BARE = customer(2, email=None, mobile_phone=None)


def stored(book: Books, *numbers: int) -> None:
    for number in numbers:
        book.customers.save([customer(number)], [])


def used(number: int) -> Contact:
    """A contact as it is before its first write, of the customer with the number."""
    return Contact(contact_key(number), customer_ids=frozenset({id_of(number)}))


def known(books: Books, number: int) -> Contact:
    return books.contacts.get_many([contact_key(number)])[contact_key(number)]


@pytest.mark.parametrize("who", [FULL, BARE], ids=["full", "bare"])
def test_a_customer_is_kept_whole_and_its_version_grows_with_each_write(books: Books, who: object) -> None:
    given = FULL if who is FULL else BARE
    books.customers.save([given], [])
    first = books.customers.get(BUSINESS_ID, given.customer_id)
    books.customers.save([replace(first, last_name="Souza")], [])

    assert first.version > 0
    assert first == replace(given, version=first.version)
    second = books.customers.get(BUSINESS_ID, given.customer_id)
    assert second == replace(given, last_name="Souza", version=first.version + 1)


@pytest.mark.parametrize("version", [0, 2, 7])
def test_a_customer_is_only_written_as_it_was_read(books: Books, version: int) -> None:
    books.customers.save([customer(1)], [])
    with pytest.raises(ConcurrentChangeError):
        books.customers.save([customer(1, last_name="Lost", version=version)], [])
    assert books.customers.get(BUSINESS_ID, id_of(1)).last_name == "Silva"


def test_a_new_row_that_claims_an_old_version_is_refused(books: Books) -> None:
    with pytest.raises(ConcurrentChangeError):
        books.customers.save([customer(1, version=3)], [])
    with pytest.raises(ConcurrentChangeError):
        books.contacts.save(Contact(contact_key(), version=3))


def test_customers_and_contacts_are_written_all_or_none(books: Books) -> None:
    books.contacts.save(used(1))
    stale = replace(used(1), customer_ids=frozenset({"x"}))
    with pytest.raises(ConcurrentChangeError):
        books.customers.save([customer(1), customer(2)], [used(2), stale])

    assert books.customers.get_many(BUSINESS_ID, [id_of(1), id_of(2)]) == {}
    assert known(books, 2) == Contact(contact_key(2))
    assert known(books, 1).customer_ids == {id_of(1)}


def test_a_transaction_takes_a_hundred_rows_and_no_more(books: Books) -> None:
    most = [customer(number) for number in range(98)]
    with pytest.raises(ValueError, match="100"):
        books.customers.save([*most, customer(98)], [used(1)])
    books.customers.save(most, [used(1)])

    assert len(books.customers.get_many(BUSINESS_ID, [c.customer_id for c in most])) == 98
    with pytest.raises(ValueError, match="100"):
        books.customers.delete(most, [used(number) for number in range(2, 4)])


def test_many_customers_are_read_at_once_each_once_and_absent_ones_are_left_out(books: Books) -> None:
    for first in range(0, 250, 50):
        books.customers.save([customer(number) for number in range(first, first + 50)], [])
    wanted = [id_of(number) for number in range(240, 260)] + [id_of(number) for number in range(250)]
    found = books.customers.get_many(BUSINESS_ID, wanted)

    assert set(found) == {id_of(number) for number in range(250)}
    assert books.customers.get_many("other", [id_of(1)]) == {}
    assert books.customers.get_many(BUSINESS_ID, []) == {}


def test_a_customer_is_deleted_as_it_was_read(books: Books) -> None:
    stored(books, 1)
    first = books.customers.get(BUSINESS_ID, id_of(1))
    books.customers.save([first], [])
    with pytest.raises(ConcurrentChangeError):
        books.customers.delete([first], [])
    books.customers.delete([books.customers.get(BUSINESS_ID, id_of(1))], [])
    with pytest.raises(NotFoundError):
        books.customers.get(BUSINESS_ID, id_of(1))


def test_a_row_that_came_again_is_not_taken_for_the_one_that_went(books: Books) -> None:
    stored(books, 1)
    books.contacts.save(used(1))
    before, contact = books.customers.get(BUSINESS_ID, id_of(1)), known(books, 1)
    books.customers.delete([before], [contact.without([id_of(1)])])
    stored(books, 1)
    books.contacts.save(used(1))

    with pytest.raises(ConcurrentChangeError):
        books.customers.delete([before], [])
    with pytest.raises(ConcurrentChangeError):
        books.contacts.save(contact)


def test_a_deletion_leaves_the_contact_to_others_who_use_it(books: Books) -> None:
    stored(books, 1)
    books.contacts.save(replace(used(1).knowing(*EVIDENCE, *SAID), customer_ids=frozenset({id_of(1), id_of(2)})))
    before = known(books, 1)
    books.customers.delete([books.customers.get(BUSINESS_ID, id_of(1))], [before.without([id_of(1)])])

    assert known(books, 1) == replace(before, customer_ids=frozenset({id_of(2)}), version=before.version + 1)


def test_a_deletion_with_a_stale_contact_changes_nothing(books: Books) -> None:
    stored(books, 1)
    books.contacts.save(used(1))
    stale = known(books, 1)
    books.contacts.save(stale.knowing(SAID[0]))
    with pytest.raises(ConcurrentChangeError):
        books.customers.delete([books.customers.get(BUSINESS_ID, id_of(1))], [stale.without([id_of(1)])])

    assert books.customers.get(BUSINESS_ID, id_of(1)).customer_id == id_of(1)
    assert known(books, 1).consent == Contact(contact_key(1)).knowing(SAID[0]).consent


def deleted(books: Books) -> Contact:
    """What is left of a contact that knew everything when its only customer is deleted."""
    stored(books, 1)
    books.contacts.save(used(1).knowing(*EVIDENCE, *SAID))
    last = books.customers.get(BUSINESS_ID, id_of(1))
    books.customers.delete([last], [known(books, 1).without([id_of(1)])])
    return known(books, 1)


def test_of_an_address_that_nobody_uses_only_the_consent_is_remembered(books: Books) -> None:
    left = deleted(books)

    assert left.remembered > 0
    assert left == Contact(contact_key(1), consent=used(1).knowing(*SAID).consent, remembered=left.remembered)
    assert books.contacts.get_many([contact_key(2), replace(contact_key(1), business_id="other")]) == {
        contact_key(2): Contact(contact_key(2)),
        replace(contact_key(1), business_id="other"): Contact(replace(contact_key(1), business_id="other")),
    }


def test_what_is_remembered_can_be_found_and_added_to_by_the_hash_alone(books: Books) -> None:
    left = deleted(books)
    hashed = contact_key(1).hashed
    found = books.contacts.get_many([hashed, contact_key(2).hashed])
    late = ConsentEvidence(at(9), Scope.ALL, opted_out=True, source=ConsentSource.ONE_CLICK)
    books.contacts.save(found[hashed].knowing(late))

    assert found == {
        hashed: replace(left, key=hashed),
        contact_key(2).hashed: Contact(contact_key(2).hashed),
    }
    assert known(books, 1).consent == left.consent.join(late)
    with pytest.raises(ConcurrentChangeError):
        books.contacts.save(found[hashed].knowing(SAID[0], late))


def test_by_its_hash_an_address_that_somebody_uses_is_not_found(books: Books) -> None:
    books.customers.save([customer(1)], [used(1)])

    assert books.contacts.get_many([contact_key(1).hashed]) == {contact_key(1).hashed: Contact(contact_key(1).hashed)}


def test_whoever_comes_with_the_address_again_has_what_was_remembered(books: Books) -> None:
    left = deleted(books)
    books.customers.save([customer(2, email="ana1@example.com")], [replace(left, customer_ids=frozenset({id_of(2)}))])
    again = known(books, 1)

    assert (again.consent, set(again.customer_ids), again.remembered) == (left.consent, {id_of(2)}, 0)


def test_nobody_comes_with_an_address_past_what_has_just_been_remembered(books: Books) -> None:
    nothing = known(books, 1)
    books.contacts.save(nothing.knowing(SAID[0]))
    with pytest.raises(ConcurrentChangeError):
        books.customers.save([customer(1)], [replace(nothing, customer_ids=frozenset({id_of(1)}))])
    first = known(books, 1)
    books.contacts.save(first.knowing(SAID[1]))
    with pytest.raises(ConcurrentChangeError):
        books.customers.save([customer(1)], [replace(first, customer_ids=frozenset({id_of(1)}))])

    assert known(books, 1).consent == used(1).knowing(*SAID).consent


def test_nothing_is_remembered_past_who_has_just_come_with_the_address(books: Books) -> None:
    left = deleted(books)
    books.customers.save([customer(1)], [replace(left, customer_ids=frozenset({id_of(1)}))])
    late = ConsentEvidence(at(9), Scope.ALL, opted_out=True, source=ConsentSource.COMPLAINT)
    with pytest.raises(ConcurrentChangeError):
        books.contacts.save(left.knowing(late))
    books.contacts.save(known(books, 1).knowing(late))

    assert known(books, 1).consent == used(1).knowing(*SAID, late).consent


def test_a_failure_of_an_address_that_nobody_uses_leaves_nothing(books: Books) -> None:
    books.contacts.save(Contact(contact_key(1)).knowing(*EVIDENCE))

    assert known(books, 1) == Contact(contact_key(1))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("tagged", [False, True])
def test_pages_of_customers_show_everybody_once_by_id(books: Books, limit: int, tagged: bool) -> None:
    own = [customer(number, general_tags=("vip",) if number % 3 else ()) for number in range(7)]
    books.customers.save(own, [])
    books.customers.save([customer(99, business_id="other")], [])
    matcher = compile_filter({"tag": "vip"}) if tagged else None
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        page = books.customers.page(BUSINESS_ID, limit=limit, cursor=cursor, matching=matcher)
        assert len(page.items) <= limit
        seen.extend(item.customer_id for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == sorted(c.customer_id for c in own if c.general_tags or not tagged)


def test_pages_of_matching_customers_read_on_past_many_that_do_not(books: Books) -> None:
    for first in range(0, 300, 100):
        books.customers.save([customer(n, first_name=f"N{n}") for n in range(first, first + 100)], [])
    last = max(range(300), key=id_of)
    page = books.customers.page(
        BUSINESS_ID, limit=5, matching=compile_filter({"field": "first_name", "equals": f"n{last}"})
    )

    assert [found.customer_id for found in page.items] == [id_of(last)]
    assert page.next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "eyJhIjoxfQ", "é", "🙂", "a" * 1500])
def test_a_cursor_that_nobody_gave_is_refused_or_ends_the_list(books: Books, cursor: str) -> None:
    stored(books, 1)
    for read in (
        lambda: books.customers.page(BUSINESS_ID, limit=3, cursor=cursor),
        lambda: books.segments.page(BUSINESS_ID, 3, cursor),
        lambda: books.messages.page(BUSINESS_ID, id_of(1), 3, cursor),
        lambda: books.appointments.page(BUSINESS_ID, "a-1", 3, cursor),
        lambda: books.campaigns.page(BUSINESS_ID, 3, cursor),
        lambda: books.chunks.page(CAMPAIGN_ID, cursor),
    ):
        fields = {"cursor"}
        try:
            read()
        except InvalidInputError as error:
            fields = {wrong.field for wrong in error.errors}
        assert fields == {"cursor"}


def test_a_range_of_customers_is_read_in_parts_within_its_bounds(books: Books) -> None:
    everybody = sorted(id_of(number) for number in range(40))
    books.customers.save([customer(number) for number in range(40)], [])
    seen: list[str] = []
    for index in range(3):
        first, last = bounds(index, 3)
        after: str | None = None
        while True:
            part = [c.customer_id for c in books.customers.read_range(BUSINESS_ID, first, last, after, 4)]
            assert all(first <= customer_id <= last for customer_id in part)
            seen.extend(part)
            if len(part) < 4:
                break
            after = part[-1]

    assert seen == everybody


def test_a_flag_is_copied_to_who_still_has_the_address_and_to_nobody_else(books: Books) -> None:
    books.customers.save([customer(1, email="Ana1@Example.com"), customer(2)], [])
    books.customers.copy_flag(contact_key(1), id_of(1), invalid=True)
    books.customers.copy_flag(contact_key(1), id_of(2), invalid=True)
    books.customers.copy_flag(contact_key(1), id_of(77), invalid=True)
    books.customers.copy_flag(contact_key(2, Channel.SMS), id_of(2), invalid=True)
    ana, bo = books.customers.get(BUSINESS_ID, id_of(1)), books.customers.get(BUSINESS_ID, id_of(2))

    assert (ana.failed_email, ana.failed_phone) == (True, False)
    assert (bo.failed_email, bo.failed_phone) == (False, True)
    assert books.customers.get_many(BUSINESS_ID, [id_of(77)]) == {}


def test_a_copied_flag_makes_an_edit_read_again_and_the_same_flag_does_not(books: Books) -> None:
    stored(books, 1)
    first = books.customers.get(BUSINESS_ID, id_of(1))
    books.customers.copy_flag(contact_key(1), id_of(1), invalid=False)
    assert books.customers.get(BUSINESS_ID, id_of(1)) == first
    books.customers.copy_flag(contact_key(1), id_of(1), invalid=True)
    assert books.customers.get(BUSINESS_ID, id_of(1)).version == first.version + 1
    with pytest.raises(ConcurrentChangeError):
        books.customers.save([first], [])


EVIDENCE = (
    Cleared(at(1.000001), ClearedBy.DELIVERY, "m0"),
    Failure(at(2), "m1", Provider.SES, NO_SUCH_MAILBOX, "smtp; 550 user unknown"),
    Failure(at(3), "m2", Provider.TWILIO, "30003"),
)
SAID = (
    ConsentEvidence(at(4), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER, message_id="m3"),
    ConsentEvidence(at(5), Scope.MARKETING, opted_out=False, source=ConsentSource.COMPLAINT),
)
OF_EVERY_WEIGHT = tuple(
    ConsentEvidence(at(second), Scope.LOYALTY, opted_out=opted_out, source=source, who="Kim", words="as asked")
    for second, (source, opted_out) in enumerate(product(ConsentSource, (True, False)), start=6)
)


@pytest.mark.parametrize(
    "contact",
    [
        Contact(contact_key()),
        Contact(contact_key()).knowing(*EVIDENCE[:1]),
        Contact(contact_key()).knowing(*EVIDENCE[1:]),
        Contact(contact_key()).knowing(*EVIDENCE, *SAID),
        Contact(contact_key()).knowing(*EVIDENCE[1:], Tried(at(6), "m6")),
        Contact(ContactKey(BUSINESS_ID, Channel.SMS, "+14155550123")).knowing(SAID[0]),
        Contact(contact_key()).knowing(*OF_EVERY_WEIGHT),
        Contact(ContactKey(BUSINESS_ID, Channel.EMAIL, "o#d+d@example.com")).knowing(EVIDENCE[1]),
    ],
    ids=["empty", "cleared", "failed", "tried", "everything", "consent", "all kinds of consent", "hash in address"],
)
def test_a_contact_is_kept_with_all_that_is_known(books: Books, contact: Contact) -> None:
    contact = replace(contact, customer_ids=frozenset({id_of(1), id_of(2)}))
    books.contacts.save(contact)
    found = books.contacts.get_many([contact.key])

    assert found == {contact.key: replace(contact, version=found[contact.key].version)}


def test_a_contact_is_only_written_as_it_was_read(books: Books) -> None:
    books.contacts.save(used(1))
    first = known(books, 1)
    with pytest.raises(ConcurrentChangeError):
        books.contacts.save(used(1).knowing(EVIDENCE[0]))
    books.contacts.save(first.knowing(EVIDENCE[0]))

    assert known(books, 1).version == first.version + 1


def test_many_contacts_are_read_at_once_and_unknown_ones_come_empty(books: Books) -> None:
    keys = [contact_key(number) for number in range(130)]
    for number in range(120):
        books.contacts.save(used(number))
    found = books.contacts.get_many(iter([*keys, *keys[:5]]))

    assert list(found) == keys
    assert [found[key].version > 0 for key in keys] == [True] * 120 + [False] * 10
    assert books.contacts.get_many([]) == {}


# --- appointments -----------------------------------------------------------------------------------------------------

ASKED = Told(at(1.5), message_key(1, "01M7W6ARGFEXM6PVNM0V1C8F01"), asks_confirmation=True)
ABOUT_IT: list[AppointmentEntry] = [
    Answered(at(9), "SM2", confirmed=True),
    Told(at(2), message_key(1, "01M7W6ARGFEXM6PVNM0V1C8F02"), asks_confirmation=False),
    ASKED,
    Answered(at(1.5), "SM1", confirmed=False),
]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_what_happened_about_an_appointment_comes_newest_first_and_in_pages(books: Books, limit: int) -> None:
    for entry in (*ABOUT_IT, ASKED):
        books.appointments.record(BUSINESS_ID, "a:1.x", entry)
    books.appointments.record(BUSINESS_ID, "a:1", ASKED)
    books.appointments.record("other", "a:1.x", ASKED)
    found: list[AppointmentEntry] = []
    cursor: str | None = None
    while True:
        page = books.appointments.page(BUSINESS_ID, "a:1.x", limit, cursor)
        assert len(page.items) <= limit
        found, cursor = [*found, *page.items], page.next_cursor
        if cursor is None:
            break

    assert found == ABOUT_IT
    assert not books.appointments.page(BUSINESS_ID, "a:2", limit, None).items


# --- messages ---------------------------------------------------------------------------------------------------------

COMPLETE = message(
    1,
    MessageStatus.BOUNCED,
    reason="bounce:mailbox_full",
    provider=Provider.SES,
    provider_id="ses-1",
    provider_code="Transient/MailboxFull",
    sent_at=at(1.000001),
    held_until=at(1),
    delivered_at=at(2),
    failed_at=at(3),
)
NAMELESS = message(
    2,
    MessageStatus.EXCLUDED,
    address="",
    campaign_id=None,
    queued_at=None,
    reason="channel_off",
    barrier=Barrier.NO_BUNDLE,
    appointment_id="a-1",
    asks_confirmation=True,
)


@pytest.mark.parametrize("before", [None, "01M7W6ARGFEXM6PVNM0V1C8F03", "01M7W6ARGFEXM6PVNM0V1C8F025", "0"])
@pytest.mark.parametrize("limit", [1, 2, 9])
def test_the_messages_before_an_id_come_newest_first(books: Books, before: str | None, limit: int) -> None:
    ids = [f"01M7W6ARGFEXM6PVNM0V1C8F0{number}" for number in range(5)]
    books.messages.record_new([message(1, key=message_key(1, id_)) for id_ in ids])
    books.messages.record_new([message(2, key=message_key(2, ids[0]))])
    expected = [id_ for id_ in reversed(ids) if before is None or id_ < before][:limit]

    found = books.messages.before(BUSINESS_ID, id_of(1), before, limit)
    assert [one.key for one in found] == [message_key(1, id_) for id_ in expected]


def test_messages_are_kept_whole(books: Books) -> None:
    books.messages.record_new([COMPLETE])
    books.messages.record([NAMELESS])

    assert books.messages.get_many([COMPLETE.key, NAMELESS.key, message_key(9)]) == {
        COMPLETE.key: COMPLETE,
        NAMELESS.key: NAMELESS,
    }
    assert books.messages.get_many([]) == {}


@pytest.mark.parametrize("consistent", [True, False])
def test_any_number_of_messages_is_written_and_read_at_once(books: Books, consistent: bool) -> None:
    many = [message(number) for number in range(130)]
    books.messages.record_new(many)

    assert len(books.messages.get_many([row.key for row in many] + [many[0].key], consistent=consistent)) == 130


@pytest.mark.parametrize("stored_status", list(MessageStatus))
@pytest.mark.parametrize("status", list(MessageStatus))
def test_a_record_only_raises_the_rank(books: Books, stored_status: MessageStatus, status: MessageStatus) -> None:
    books.messages.record_new([message(1, stored_status, reason="old")])
    new = message(1, status, reason="new")
    books.messages.record([new])
    kept = books.messages.get_many([new.key])[new.key]

    assert kept.reason == ("new" if new.rank > message(1, stored_status).rank else "old")


def test_a_message_is_claimed_once(books: Books) -> None:
    queued = message(1, MessageStatus.QUEUED)

    assert books.messages.claim(queued)
    assert not books.messages.claim(queued)
    assert books.messages.get_many([queued.key])[queued.key].status is MessageStatus.SENDING


def test_a_queued_message_can_be_claimed_and_a_settled_one_cannot(books: Books) -> None:
    books.messages.record([message(1, MessageStatus.QUEUED), message(2, MessageStatus.UNCERTAIN)])

    assert books.messages.claim(message(1, MessageStatus.QUEUED))
    assert not books.messages.claim(message(2, MessageStatus.QUEUED))


def test_a_claim_that_is_taken_back_can_be_taken_again(books: Books) -> None:
    queued = message(1, MessageStatus.QUEUED)
    books.messages.claim(queued)
    books.messages.release(queued.key)
    assert books.messages.get_many([queued.key])[queued.key] == queued
    assert books.messages.claim(queued)


@pytest.mark.parametrize("status", [MessageStatus.QUEUED, MessageStatus.UNCERTAIN, MessageStatus.DELIVERED])
def test_only_a_claim_is_released(books: Books, status: MessageStatus) -> None:
    books.messages.record([message(1, status)])
    books.messages.release(message_key(1))
    books.messages.release(message_key(2))

    assert books.messages.get_many([message_key(1), message_key(2)]) == {message_key(1): message(1, status)}


def test_a_message_is_advanced_from_what_was_read_and_others_are_named(books: Books) -> None:
    first, second, absent = message(1), message(2), message(3)
    books.messages.record([first, second])
    books.messages.record([replace(second, status=MessageStatus.DELIVERED, delivered_at=at(1))])
    bounced = [replace(row, status=MessageStatus.BOUNCED, failed_at=at(2)) for row in (first, second, absent)]
    lost = books.messages.advance(list(zip((first, second, absent), bounced, strict=True)))

    assert list(lost) == [second.key, absent.key]
    rows = books.messages.get_many([first.key, second.key, absent.key])
    assert rows[first.key] == bounced[0]
    assert rows[second.key].status is MessageStatus.DELIVERED
    assert absent.key not in rows


@pytest.mark.parametrize("changed", [{"delivered_at": at(5)}, {"failed_at": at(5)}, {"provider_id": "x"}])
def test_an_advance_sees_every_change_that_a_receipt_can_make(books: Books, changed: dict[str, object]) -> None:
    before = message(1)
    books.messages.record_new([replace(before, **changed)])  # type: ignore[arg-type]

    assert list(books.messages.advance([(before, replace(before, status=MessageStatus.BOUNCED))])) == [before.key]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_client_log_comes_newest_first_in_pages(books: Books, limit: int) -> None:
    ids = [f"01M7W6C380000000000000000{n}" for n in range(5)]
    books.messages.record_new([message(1, key=message_key(1, name)) for name in ids] + [message(2)])
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = books.messages.page(BUSINESS_ID, id_of(1), limit, cursor)
        assert len(page.items) <= limit
        seen.extend(row.key.message_id for row in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids[::-1]


def test_deliveries_are_those_to_this_address_by_these_customers_after_the_time(books: Books) -> None:
    shared = "ana1@example.com"

    def delivered(number: int, name: str, seconds: float, **given: object) -> None:
        key = MessageKey(BUSINESS_ID, id_of(number), name)
        row = message(1, MessageStatus.DELIVERED, key=key, address=shared, delivered_at=at(seconds), **given)
        books.messages.record_new([row])

    delivered(1, "late", 20)
    delivered(2, "too", 10.000001)
    delivered(1, "same instant", 10)
    delivered(3, "somebody else's", 20)
    delivered(1, "text", 20, channel=Channel.SMS)
    books.messages.record_new(
        [message(1, key=message_key(1, "elsewhere"), address="x@example.com", delivered_at=at(30))]
    )
    books.messages.record_new([message(1, key=message_key(1, "not yet"), address=shared)])
    found = books.messages.deliveries(contact_key(1), [id_of(1), id_of(2)], after=at(10))

    assert set(found) == {Delivery("late", at(20)), Delivery("too", at(10.000001))}
    assert not list(books.messages.deliveries(contact_key(1), [], after=at(0)))


def test_a_provider_id_leads_to_its_message(books: Books) -> None:
    books.messages.remember_provider_id(Provider.SNS, "sns-1", message_key(1))

    assert books.messages.find_by_provider_id(Provider.SNS, "sns-1") == message_key(1)
    assert books.messages.find_by_provider_id(Provider.SNS, "sns-2") is None
    assert books.messages.find_by_provider_id(Provider.TWILIO, "sns-1") is None


# --- campaigns --------------------------------------------------------------------------------------------------------

CAMPAIGNS = [
    campaign(),
    campaign(
        Channel.SMS,
        selection=Selection(customer_ids=(id_of(2), id_of(1))),
        content=TextContent("é"),
        include_customer_ids=frozenset({id_of(3)}),
        exclude_failed=False,
        send_at=at(60),
        local_time=datetime(2026, 12, 1, 9, 30),  # noqa: DTZ001 - a clock on the wall
        expires_at=at(7200),
        started_at=at(61),
        completed_at=at(62.000001),
        run_id="run",
        failure="No such segment.",
        status=CampaignStatus.FAILED,
    ),
    campaign(
        status=CampaignStatus.PAUSED,
        paused_because="Too much bounced.",
        window=2,
        bounce_warning=FinalWords(1000, 3, 51),
        rollback=Rollback("01M7W6ARGFEXM6PVNM0V1C8F0N", at(70), since=at(60.5), bounces=3, done=True),
    ),
    campaign(selection=Selection(segment_id="vips", filter={"tag": "vip"}), content=EmailContent("s", None, "t")),
    campaign(name="", single=True, campaign_id="single-1", appointment_id="a-1", asks_confirmation=True),
]


@pytest.mark.parametrize("what", CAMPAIGNS, ids=["filter", "list", "paused", "segment", "single"])
def test_a_campaign_is_kept_whole(books: Books, what: object) -> None:
    given = next(known for known in CAMPAIGNS if known is what)
    books.campaigns.add(given)

    assert books.campaigns.get(BUSINESS_ID, given.campaign_id) == replace(given, version=1)


def test_a_campaign_is_added_once(books: Books) -> None:
    books.campaigns.add(campaign())
    with pytest.raises(ConcurrentChangeError):
        books.campaigns.add(campaign(name="Another"))


def test_a_campaign_is_replaced_if_nobody_wrote_it_since_it_was_read(books: Books) -> None:
    books.campaigns.add(campaign())
    read = books.campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    books.campaigns.replace(read, replace(read, status=CampaignStatus.PAUSED))
    with pytest.raises(ConcurrentChangeError):
        books.campaigns.replace(read, replace(read, status=CampaignStatus.FAILED))
    paused = books.campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    books.campaigns.replace(paused, replace(paused, status=read.status))
    # The status is what it was, and still it is not the campaign that was read.
    with pytest.raises(ConcurrentChangeError):
        books.campaigns.replace(read, replace(read, status=CampaignStatus.FAILED))

    assert books.campaigns.get(BUSINESS_ID, CAMPAIGN_ID) == replace(read, version=3)
    with pytest.raises(ConcurrentChangeError):
        books.campaigns.replace(campaign(campaign_id="new"), campaign(campaign_id="new"))


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_campaigns_come_newest_first_without_single_messages(books: Books, limit: int) -> None:
    ids = [f"01M7W6ARGFEXM6PVNM0V1C8F0{n}" for n in range(3)]
    for name in ids:
        books.campaigns.add(campaign(campaign_id=name))
        books.campaigns.add(campaign(campaign_id=f"single-{name}", single=True))
    books.campaigns.add(campaign(business_id="other"))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = books.campaigns.page(BUSINESS_ID, limit, cursor)
        seen.extend(item.campaign_id for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids[::-1]


def names(count: int) -> list[str]:
    return [f"chunk#000#{n:07d}" for n in range(count)]


def test_progress_and_its_chunks_are_written_together_and_only_as_read(books: Books) -> None:
    start = books.expansion.get(CAMPAIGN_ID, 3)
    beyond = replace(
        start,
        cursor=id_of(1),
        carry=(id_of(5), id_of(6)),
        chunks=2,
        enqueued=1,
        audience=Audience(9, MappingProxyType({"opted_out": 2})),
        held=MappingProxyType({1: Held(at(3600), 40, 7)}),
    )
    written = books.expansion.commit(beyond, [chunk(name) for name in names(2)])
    with pytest.raises(ConcurrentChangeError):
        books.expansion.commit(
            replace(beyond, chunks=3), [chunk("chunk#000#0000009"), chunk(names(1)[0], recipients=1)]
        )

    assert (start.version, written.version) == (0, 1)
    assert books.expansion.get(CAMPAIGN_ID, 3) == written
    assert [found.key.chunk for found in books.chunks.page(CAMPAIGN_ID, None).items] == names(2)
    assert len(books.chunks.page(CAMPAIGN_ID, None).items[0].customer_ids) == 3


def test_the_ranges_that_have_begun_are_listed(books: Books) -> None:
    for index in (10, 2):
        books.expansion.commit(replace(books.expansion.get(CAMPAIGN_ID, index), done=index == 2))
    books.expansion.commit(books.expansion.get("other", 0))
    books.chunks.add(chunk())
    books.tallies.add(CAMPAIGN_ID, "s", {"sent": 1}, after=None, position="1")

    assert [(part.index, part.done) for part in books.expansion.list(CAMPAIGN_ID)] == [(2, True), (10, False)]


def test_a_chunk_that_is_there_already_stays_as_it_is(books: Books) -> None:
    books.chunks.add(chunk())
    books.chunks.claim(chunk().key, "me", at(0), LEASE)
    books.chunks.add(chunk(recipients=1))
    (found,) = books.chunks.page(CAMPAIGN_ID, None).items

    assert (found.state, len(found.customer_ids)) == (ChunkState.CLAIMED, 3)


def test_a_chunk_goes_its_way_from_pending_to_done(books: Books) -> None:
    books.chunks.add(chunk())
    outcome, mine = books.chunks.claim(chunk().key, "me", at(0), LEASE)
    assert (outcome, mine.state, mine.owner, mine.attempts) == (ClaimOutcome.WORK, ChunkState.CLAIMED, "me", 1)
    assert (mine.leased_until, mine.remaining, mine.created_at) == (at(90), chunk().customer_ids, at(0))
    books.chunks.mark(mine, at(1))
    assert books.chunks.claim(chunk().key, "other", at(2), LEASE)[0] is ClaimOutcome.HELD
    books.chunks.finish(mine)
    outcome, done = books.chunks.claim(chunk().key, "other", at(2), LEASE)
    assert (outcome, done.state, done.remaining) == (ClaimOutcome.DONE, ChunkState.DONE, ())
    assert done.customer_ids == chunk().customer_ids


def test_a_chunk_that_is_put_back_is_work_again_for_those_who_remain(books: Books) -> None:
    books.chunks.add(chunk())
    _, mine = books.chunks.claim(chunk().key, "me", at(0), LEASE)
    books.chunks.mark(mine, at(1))
    books.chunks.put_back(mine, [id_of(2)])
    outcome, again = books.chunks.claim(chunk().key, "other", at(2), LEASE)

    assert (outcome, again.remaining, again.attempts) == (ClaimOutcome.WORK, (id_of(2),), 2)
    assert (again.customer_ids, again.not_before) == (chunk().customer_ids, None)


def test_a_chunk_remembers_who_waits_while_others_are_handed_over_and_until_when_it_waits(books: Books) -> None:
    books.chunks.add(chunk(not_before=at(60)))
    assert books.chunks.page(CAMPAIGN_ID, None).items[0].not_before == at(60)
    _, dead = books.chunks.claim(chunk().key, "dead", at(60), LEASE)
    books.chunks.mark(dead, at(61), [id_of(2)])
    outcome, mine = books.chunks.claim(chunk().key, "me", at(160), LEASE)
    assert (outcome, mine.waiting) == (ClaimOutcome.SETTLE, (id_of(2),))

    books.chunks.put_back(mine, [id_of(2)], at(3600))
    [held] = books.chunks.page(CAMPAIGN_ID, None).items
    assert (held.state, held.remaining, held.waiting) == (ChunkState.PENDING, (id_of(2),), ())
    assert held.not_before == at(3600)


def test_the_hours_for_which_a_campaign_waits_are_noted_once_each(books: Books) -> None:
    assert not books.chunks.holds(CAMPAIGN_ID)
    books.chunks.note_holds(CAMPAIGN_ID, {at(60): HoldReason.QUIET_HOURS, at(0.5): HoldReason.SEND_AT})
    books.chunks.note_holds(CAMPAIGN_ID, {at(60): HoldReason.QUIET_HOURS, at(120): HoldReason.SEND_AT})
    books.chunks.note_holds("another", {at(180): HoldReason.SEND_AT})

    assert books.chunks.holds(CAMPAIGN_ID) == {
        at(0.5): HoldReason.SEND_AT,
        at(60): HoldReason.QUIET_HOURS,
        at(120): HoldReason.SEND_AT,
    }
    assert not books.chunks.page(CAMPAIGN_ID, None).items
    assert not books.expansion.list(CAMPAIGN_ID)
    assert not books.tallies.counts(CAMPAIGN_ID)


@pytest.mark.parametrize(("marked", "outcome"), [(False, ClaimOutcome.WORK), (True, ClaimOutcome.SETTLE)])
def test_a_lease_that_is_over_gives_the_chunk_to_the_next(books: Books, marked: bool, outcome: ClaimOutcome) -> None:
    books.chunks.add(chunk())
    _, dead = books.chunks.claim(chunk().key, "dead", at(0), LEASE)
    if marked:
        books.chunks.mark(dead, at(1))
    assert books.chunks.claim(chunk().key, "next", at(89.9), LEASE)[0] is ClaimOutcome.HELD
    found, mine = books.chunks.claim(chunk().key, "next", at(90), LEASE)

    assert (found, mine.owner) == (outcome, "next")
    with pytest.raises(ConcurrentChangeError):
        books.chunks.mark(dead, at(91))
    with pytest.raises(ConcurrentChangeError):
        books.chunks.put_back(dead, [id_of(1)])
    books.chunks.finish(dead)
    assert books.chunks.claim(chunk().key, "third", at(91), LEASE)[0] is ClaimOutcome.HELD


def test_a_lease_that_is_over_cannot_be_marked_even_if_nobody_else_came(books: Books) -> None:
    books.chunks.add(chunk())
    _, mine = books.chunks.claim(chunk().key, "me", at(0), LEASE)
    with pytest.raises(ConcurrentChangeError):
        books.chunks.mark(mine, at(90))


def test_chunks_come_in_pages_in_order_and_without_their_neighbours(books: Books) -> None:
    for name in reversed(names(45)):
        books.chunks.add(chunk(name))
    books.expansion.commit(books.expansion.get(CAMPAIGN_ID, 0))
    books.tallies.add(CAMPAIGN_ID, "s", {"sent": 1}, after=None, position="1")
    books.chunks.add(replace(chunk(), key=ChunkKey(BUSINESS_ID, "other", names(1)[0])))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = books.chunks.page(CAMPAIGN_ID, cursor)
        seen.extend(found.key.chunk for found in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == names(45)


def test_tallies_add_up_over_shards_and_only_from_the_position_that_was_read(books: Books) -> None:
    assert books.tallies.position(CAMPAIGN_ID, "a") is None
    books.tallies.add(CAMPAIGN_ID, "a", {"sent": 3}, after=None, position="10")
    books.tallies.add(CAMPAIGN_ID, "a", {"sent": -2, "delivered": 2}, after="10", position="12")
    books.tallies.add(CAMPAIGN_ID, "b", {"excluded:opted_out": 1, "sent": 1}, after=None, position="9")
    books.tallies.add("other", "a", {"sent": 50}, after=None, position="1")
    for after in (None, "10", "99"):
        with pytest.raises(ConcurrentChangeError):
            books.tallies.add(CAMPAIGN_ID, "a", {"sent": 1}, after=after, position="13")

    assert books.tallies.position(CAMPAIGN_ID, "a") == "12"
    assert books.tallies.counts(CAMPAIGN_ID) == {"sent": 2, "delivered": 2, "excluded:opted_out": 1}


def test_a_count_that_comes_to_nothing_is_not_shown(books: Books) -> None:
    books.tallies.add(CAMPAIGN_ID, "a", {"sent": 1}, after=None, position="1")
    books.tallies.add(CAMPAIGN_ID, "a", {"sent": -1, "delivered": 1}, after="1", position="2")

    assert books.tallies.counts(CAMPAIGN_ID) == {"delivered": 1}


# --- paces ------------------------------------------------------------------------------------------------------------

FLOW = Flow(BUSINESS_ID, Lane.BULK)
WIDTH = timedelta(seconds=2)
LATEST = at(1) + timedelta(seconds=5)
LATER = timedelta(seconds=10)
"""Longer than a pace may be old."""


def test_nothing_is_known_of_an_account_at_first(books: Books) -> None:
    pace = books.paces.pace("ses", at(1))

    assert (pace.quota, pace.quota_read_at, pace.braked_at, pace.stop) == (None, None, None, None)
    assert dict(pace.booked) == {}


def test_bookings_of_a_flow_follow_each_other_and_end_at_the_horizon(books: Books) -> None:
    begins = [books.paces.book("ses", FLOW, WIDTH, at(1), LATEST) for _ in range(5)]

    assert begins == [at(1), at(1) + WIDTH, at(1) + 2 * WIDTH, None, None]
    assert dict(books.paces.pace("ses", at(50)).booked) == {FLOW: at(1) + 3 * WIDTH}


def test_what_was_booked_and_is_over_is_not_made_up_for(books: Books) -> None:
    books.paces.book("ses", FLOW, WIDTH, at(1), LATEST)
    much_later = at(1) + timedelta(hours=1)

    assert books.paces.book("ses", FLOW, WIDTH, much_later, much_later + WIDTH) == much_later


def test_each_account_and_each_flow_is_booked_by_itself(books: Books) -> None:
    prompt = Flow(BUSINESS_ID, Lane.PROMPT)
    books.paces.book("ses", FLOW, WIDTH, at(1), LATEST)

    assert books.paces.book("ses", prompt, WIDTH, at(1), LATEST) == at(1)
    assert books.paces.book("sns", FLOW, WIDTH, at(1), LATEST) == at(1)
    assert set(books.paces.pace("ses", at(80)).booked) == {FLOW, prompt}


def test_one_of_those_who_see_the_same_old_quota_asks_for_a_new_one(books: Books) -> None:
    assert books.paces.claim_quota("ses", None, at(1))
    assert not books.paces.claim_quota("ses", None, at(1))
    books.paces.keep_quota("ses", Quota(14.0, 50_000, 49_999))
    assert books.paces.pace("ses", at(1)).quota == Quota(14.0, 50_000, 49_999)
    assert books.paces.claim_quota("ses", at(1), at(2))
    books.paces.keep_quota("ses", Quota(500.0))
    assert books.paces.pace("ses", at(2)).quota == Quota(500.0)
    assert books.paces.pace("ses", at(2)).quota_read_at == at(2)


def test_a_swarm_of_throttles_brakes_once(books: Books) -> None:
    books.paces.brake("ses", 0.7, at(1))
    books.paces.brake("ses", 0.49, at(1) + timedelta(milliseconds=900))
    swarm = books.paces.pace("ses", at(1))
    books.paces.brake("ses", 0.49, at(1) + timedelta(seconds=1))
    later = books.paces.pace("ses", at(1) + LATER)

    assert (swarm.brake, swarm.braked_at) == (0.7, at(1))
    assert (later.brake, later.braked_at) == (0.49, at(1) + timedelta(seconds=1))


def test_a_stop_is_made_longer_and_never_shorter(books: Books) -> None:
    books.paces.stop("ses", Stop(at(0), at(2)))
    books.paces.stop("ses", Stop(at(1), at(1)))
    first = books.paces.pace("ses", at(1)).stop
    books.paces.stop("ses", Stop(at(0), at(3)))

    assert first == Stop(at(0), at(2))
    assert books.paces.pace("ses", at(1) + LATER).stop == Stop(at(0), at(3))


def test_the_state_of_a_chunk_can_be_asked_for_by_itself(books: Books) -> None:
    books.chunks.add(chunk())
    _, claimed = books.chunks.claim(chunk().key, "w", at(1), LEASE)

    assert books.chunks.state(claimed.key) is ChunkState.CLAIMED
    books.chunks.finish(claimed)
    assert books.chunks.state(claimed.key) is ChunkState.DONE
    assert books.chunks.state(replace(claimed.key, chunk="chunk#000#0000099")) is None


# --- jobs -------------------------------------------------------------------------------------------------------------

JOB = Job(BUSINESS_ID, CAMPAIGN_ID, JobKind.BULK_DELETE, {"wanted": {"q": "Ünï"}, "customer_ids": None}, 8, at(0.5))


def test_a_job_is_kept_whole_and_replaced_as_it_was_read(books: Books) -> None:
    books.jobs.add(JOB)
    with pytest.raises(ConcurrentChangeError):
        books.jobs.add(JOB)
    first = books.jobs.get(BUSINESS_ID, CAMPAIGN_ID)
    moved = replace(first, status=JobStatus.REFUSED, phase=1, run=2, reason="why", ended_at=at(9))
    books.jobs.replace(moved)
    with pytest.raises(ConcurrentChangeError):
        books.jobs.replace(first)

    assert replace(first, version=0) == JOB
    assert books.jobs.get(BUSINESS_ID, CAMPAIGN_ID) == replace(moved, version=first.version + 1)
    with pytest.raises(NotFoundError):
        books.jobs.get("other", CAMPAIGN_ID)
    with pytest.raises(ConcurrentChangeError):
        books.jobs.replace(replace(first, job_id="unknown"))


def test_progress_is_committed_as_it_was_read_and_with_its_page(books: Books) -> None:
    beginning = books.job_ledger.get(CAMPAIGN_ID, 0, 7)
    page = FrozenPage(CAMPAIGN_ID, 7, 0, (FrozenCustomer(id_of(1), at(0.000001)), FrozenCustomer(id_of(2), at(2))))
    spared = (Spared(id_of(1), "changed"),)
    moved = replace(beginning, cursor=id_of(2), counts={"looked_at": 2}, spared=spared, done=True)
    committed = books.job_ledger.commit(moved, frozen=page)
    with pytest.raises(ConcurrentChangeError):
        books.job_ledger.commit(beginning, frozen=replace(page, number=1))

    assert beginning == JobProgress(CAMPAIGN_ID, 0, 7)
    assert committed == replace(moved, version=1) == books.job_ledger.get(CAMPAIGN_ID, 0, 7)
    assert books.job_ledger.frozen(CAMPAIGN_ID, 7, 0) == page
    assert books.job_ledger.frozen(CAMPAIGN_ID, 7, 1) is None
    assert books.job_ledger.frozen(CAMPAIGN_ID, 6, 0) is None
    other = books.job_ledger.commit(JobProgress(CAMPAIGN_ID, 0, 3))
    books.job_ledger.commit(JobProgress(CAMPAIGN_ID, 1, 3))
    assert list(books.job_ledger.list(CAMPAIGN_ID, 0)) == [other, committed]
    assert list(books.job_ledger.list("another", 0)) == []


@pytest.mark.parametrize("stale", ["progress", "customer", "contact"])
def test_a_removal_and_its_progress_are_all_or_none(books: Books, stale: str) -> None:
    stored(books, 1)
    books.contacts.save(used(1).knowing(SAID[0]))
    progress, before, contact = (
        JobProgress(CAMPAIGN_ID, 1, 0),
        books.customers.get(BUSINESS_ID, id_of(1)),
        known(books, 1),
    )
    removal = Removal([before], [contact.without([id_of(1)])])
    match stale:
        case "progress":
            progress = replace(books.job_ledger.commit(progress), version=0)
        case "customer":
            books.customers.save([before], [])
        case _:
            books.contacts.save(contact.knowing(SAID[1]))
    with pytest.raises(ConcurrentChangeError):
        books.removal_ledger.commit(progress, removal)

    assert books.customers.get(BUSINESS_ID, id_of(1)).customer_id == id_of(1)
    assert known(books, 1).is_used
    assert books.job_ledger.get(CAMPAIGN_ID, 1, 0).counts == {}


def test_a_removal_counts_with_its_progress(books: Books) -> None:
    stored(books, 1)
    books.contacts.save(used(1).knowing(SAID[0]))
    removal = Removal([books.customers.get(BUSINESS_ID, id_of(1))], [known(books, 1).without([id_of(1)])])
    books.removal_ledger.commit(JobProgress(CAMPAIGN_ID, 1, 0, counts={"deleted": 1}), removal)

    with pytest.raises(NotFoundError):
        books.customers.get(BUSINESS_ID, id_of(1))
    assert (known(books, 1).is_used, known(books, 1).remembered > 0) == (False, True)
    assert books.job_ledger.get(CAMPAIGN_ID, 1, 0).counts == {"deleted": 1}


# --- the history of an address ----------------------------------------------------------------------------------------

HISTORY: list[HistoryEntry] = [
    ConsentStated(ConsentEvidence(at(1), Scope.ALL, True, ConsentSource.KEYWORD, "SM1", words="Stop!")),
    FlagChanged(at(2), NO_SUCH_MAILBOX, "change-1"),
    ConsentStated(ConsentEvidence(at(3), Scope.LOYALTY, False, ConsentSource.STAFF, who="Kim", words="asked for it")),
    FlagChanged(at(4), None, "change-2"),
]


def test_the_history_of_an_address_is_kept_once_and_shown_the_latest_first(books: Books) -> None:
    books.history.record(contact_key(1), HISTORY[2:])
    books.history.record(contact_key(1), HISTORY)
    books.history.record(contact_key(1), [])
    books.history.record(contact_key(2), [*HISTORY[:1], *HISTORY[:1]])

    assert list(books.history.page(contact_key(1), 10, None).items) == HISTORY[::-1]
    assert list(books.history.page(contact_key(2), 10, None).items) == HISTORY[:1]
    assert list(books.history.page(contact_key(3), 10, None).items) == []


def test_the_history_before_a_place_goes_on_behind_the_last_entry_shown(books: Books) -> None:
    books.history.record(contact_key(1), HISTORY)
    found: list[HistoryEntry] = []
    while entries := books.history.before(contact_key(1), place_of(found[-1]) if found else None, 2):
        found += entries

    assert found == HISTORY[::-1]
    assert books.history.before(contact_key(2), None, 2) == []


def test_the_history_comes_in_pages_and_is_found_under_the_hash_of_the_address(books: Books) -> None:
    books.history.record(contact_key(1), HISTORY)
    first = books.history.page(contact_key(1).hashed, 3, None)
    rest = books.history.page(contact_key(1), 3, first.next_cursor)

    assert [*first.items, *rest.items] == HISTORY[::-1]
    assert rest.next_cursor is None
    with pytest.raises(InvalidInputError):
        books.history.page(contact_key(1), 3, "nonsense")


def test_what_a_contact_was_asked_is_open_until_it_is_closed(books: Books) -> None:
    key, other = contact_key(1, Channel.SMS), contact_key(2, Channel.SMS)
    asked = [Asked(at(number), message_key(1, f"m{number}"), f"a-{number}") for number in range(3)]
    for one in (*asked, asked[0]):
        books.appointments.ask(key, one)
    books.appointments.ask(other, asked[0])

    assert list(books.appointments.asked(key.hashed)) == asked[::-1]
    books.appointments.close(key, asked[1:])
    books.appointments.close(key, asked[1:])
    books.appointments.close(key, [])
    assert list(books.appointments.asked(key)) == asked[:1]
    assert list(books.appointments.asked(other)) == asked[:1]
    assert list(books.appointments.asked(contact_key(3, Channel.SMS))) == []


def test_a_business_keeps_how_it_answers_texts(books: Books) -> None:
    books.businesses.add(business())
    assert books.businesses.get(BUSINESS_ID).text_answers == TextAnswers()
    answers = TextAnswers(AnsweredBy.TWILIO, "fr", ("OUI", "D'accord"))
    books.businesses.replace(replace(books.businesses.get(BUSINESS_ID), text_answers=answers))

    assert books.businesses.get(BUSINESS_ID).text_answers == answers
