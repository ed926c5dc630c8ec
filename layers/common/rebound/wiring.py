"""The composition root: which adapter stands behind which port.

Everything is made when it is first asked for and kept for the life of the process. Adapters are imported where they are
needed, so that a function loads only what it uses; no client and no setting is touched while this module is imported.
"""
# ruff: noqa: PLC0415 - see above

import gc
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from rebound.settings import Settings

if TYPE_CHECKING:
    from botocore.session import Session

    from rebound.adapters.dynamo_customers import DynamoCustomerBook
    from rebound.adapters.sqs_receipt_queue import SqsReceiptQueue
    from rebound.application.admit_chunk import AdmitChunk, MindThrottles
    from rebound.application.apply_receipts import ApplyReceipts
    from rebound.application.ask_for_confirmation import AskForConfirmation
    from rebound.application.authorize_request import AuthorizeRequest
    from rebound.application.bulk_delete import BulkDelete
    from rebound.application.count_customers import CountCustomers
    from rebound.application.count_results import CountResults
    from rebound.application.explain_reachability import ExplainReachability
    from rebound.application.export_customers import ExportCustomers, StartExport
    from rebound.application.honour_links import HonourLinks
    from rebound.application.import_customers import (
        BeginImport,
        CloseImport,
        ImportCustomers,
        SplitImport,
        StartImport,
    )
    from rebound.application.manage_campaigns import ManageCampaigns, PostMessage
    from rebound.application.manage_consent import ReadConsent, StateConsent
    from rebound.application.manage_customers import ManageCustomers
    from rebound.application.manage_dead_letters import ManageDeadLetters
    from rebound.application.manage_jobs import ManageJobs
    from rebound.application.manage_segments import ManageSegments
    from rebound.application.manage_tenants import ManageTenants
    from rebound.application.ports import (
        AddressReader,
        ApiKeyBook,
        AppointmentBook,
        BusinessDirectory,
        CampaignBook,
        CampaignRunner,
        ChunkLedger,
        ChunkQueue,
        Clock,
        ContactBook,
        ContactHistory,
        DeadLetterQueues,
        DomainEvents,
        ExpansionLedger,
        ExportBook,
        ExportStore,
        FailureLog,
        FileRunner,
        FrequencyBook,
        HeldQueue,
        Ids,
        ImportBook,
        ImportLedger,
        ImportStore,
        JobBook,
        JobLedger,
        JobRunner,
        LinkKeyring,
        Mailer,
        MessageLog,
        PaceBook,
        Patience,
        QuotaSource,
        ReconciliationBook,
        RecopyQueue,
        ReplyBook,
        RequestIds,
        SegmentBook,
        TallyBook,
        Texter,
    )
    from rebound.application.preview_audience import PreviewAudience
    from rebound.application.project_campaigns import ProjectCampaigns
    from rebound.application.project_contacts import ProjectContacts
    from rebound.application.read_appointment_log import ReadAppointmentLog
    from rebound.application.read_client_log import ReadClientLog
    from rebound.application.read_timeline import ReadTimeline
    from rebound.application.receive_text import ReceiveText
    from rebound.application.reconcile_suppressions import ReconcileSuppressions
    from rebound.application.recopy_flags import RecopyFlags
    from rebound.application.release_held import ReleaseHeld
    from rebound.application.report_replies import ReportReplies
    from rebound.application.review_replies import ReviewReplies
    from rebound.application.roll_back_flags import AskForRollback, RollBackFlags
    from rebound.application.run_campaign import CloseCampaign, DrainCampaign, ExpandCampaign, PlanCampaign
    from rebound.application.run_job import RunJob
    from rebound.application.send_chunk import ChunkDesk
    from rebound.application.send_email import SendEmail
    from rebound.application.send_text import SendText
    from rebound.application.settings_of_business import SettingsOfBusiness
    from rebound.application.steer_campaign import RequeueCampaign, SteerCampaign
    from rebound.application.suppression_desk import SuppressionDesk
    from rebound.application.trip_breaker import TripBreaker
    from rebound.application.write_links import LinkWriter
    from rebound.domain.business import TextProvider


def _end_start(phase: str, _: Mapping[str, int]) -> None:
    if phase == "stop":
        gc.callbacks.remove(_end_start)
        gc.freeze()
        gc.set_threshold(10_000)


# Of the objects that a start makes nearly all stay; looking through them again and again took a tenth of it. What has
# survived the first look is looked at no more, so that later ones are cheap, and garbage does not pile up between them.
gc.set_threshold(100_000)
gc.callbacks.append(_end_start)


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings.of_this_process()


@cache
def aws(service: str) -> Any:
    """A client of an AWS service with botocore's standard retries."""
    return _client(service, retries={"mode": "standard", "total_max_attempts": 4})


@cache
def aws_once(service: str) -> Any:
    """A client that tries nothing twice, for calls that send something to a person."""
    return _client(service, retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=30)


def _client(service: str, **config: Any) -> Any:
    from botocore.config import Config

    return _session().create_client(service, config=Config(**config))


@cache
def _session() -> "Session":
    """A session of botocore, because boto3 imports resources and transfers that nothing here uses."""
    from botocore.session import get_session

    return get_session()


@cache
def twilio_secret() -> Mapping[str, str]:
    """Twilio's account id and token, read once in the life of a process."""
    answer = aws("secretsmanager").get_secret_value(SecretId=settings()["TWILIO_SECRET_ARN"])
    secret: Mapping[str, str] = json.loads(answer["SecretString"])
    return secret


# --- ports ------------------------------------------------------------------------------------------------------------


@cache
def clock() -> "Clock":
    from rebound.adapters.system import SystemClock

    return SystemClock()


@cache
def ids() -> "Ids":
    from rebound.adapters.random_ids import RandomIds

    return RandomIds()


@cache
def patience() -> "Patience":
    from rebound.adapters.system import JitteredPatience

    return JitteredPatience()


@cache
def addresses() -> "AddressReader":
    from rebound.adapters.addresses import LibraryAddressReader

    return LibraryAddressReader()


@cache
def businesses() -> "BusinessDirectory":
    from rebound.adapters.dynamo_directory import DynamoBusinessDirectory

    return DynamoBusinessDirectory(settings()["DIRECTORY_TABLE"])


@cache
def api_keys() -> "ApiKeyBook":
    from rebound.adapters.dynamo_api_keys import DynamoApiKeyBook

    return DynamoApiKeyBook(settings()["DIRECTORY_TABLE"])


@cache
def segments() -> "SegmentBook":
    from rebound.adapters.dynamo_segments import DynamoSegmentBook

    return DynamoSegmentBook(settings()["DIRECTORY_TABLE"])


@cache
def request_ids() -> "RequestIds":
    from rebound.adapters.dynamo_request_ids import DynamoRequestIds

    return DynamoRequestIds(settings()["DIRECTORY_TABLE"])


@cache
def imports() -> "ImportBook":
    from rebound.adapters.dynamo_import_book import DynamoImportBook

    return DynamoImportBook(settings()["DIRECTORY_TABLE"])


@cache
def failure_log() -> "FailureLog":
    from rebound.adapters.dynamo_failures import DynamoFailureLog

    return DynamoFailureLog(settings()["DIRECTORY_TABLE"])


@cache
def reconciliations() -> "ReconciliationBook":
    from rebound.adapters.dynamo_reconciliations import DynamoReconciliationBook

    return DynamoReconciliationBook(settings()["DIRECTORY_TABLE"])


@cache
def import_store() -> "ImportStore":
    from rebound.adapters.import_store import S3ImportStore

    return S3ImportStore(aws("s3"), settings()["IMPORTS_BUCKET"])


@cache
def import_ledger() -> "ImportLedger":
    from rebound.adapters.dynamo_imports import DynamoImportLedger

    return DynamoImportLedger(settings()["CHUNKS_TABLE"], customers())


@cache
def import_runner() -> "FileRunner":
    from rebound.adapters.file_runner import StepFunctionsFileRunner

    return StepFunctionsFileRunner(aws("stepfunctions"), settings()["IMPORT_STATE_MACHINE_ARN"], "import_id")


@cache
def exports() -> "ExportBook":
    from rebound.adapters.dynamo_export_book import DynamoExportBook

    return DynamoExportBook(settings()["DIRECTORY_TABLE"])


@cache
def export_store() -> "ExportStore":
    from rebound.adapters.export_store import S3ExportStore

    return S3ExportStore(aws("s3"), settings()["IMPORTS_BUCKET"])


@cache
def export_runner() -> "FileRunner":
    from rebound.adapters.file_runner import StepFunctionsFileRunner

    return StepFunctionsFileRunner(aws("stepfunctions"), settings()["EXPORT_STATE_MACHINE_ARN"], "export_id")


def import_concurrency() -> int:
    """How many parts of an import are imported at the same time."""
    return int(settings()["IMPORT_CONCURRENCY"])


@cache
def customers() -> "DynamoCustomerBook":
    from rebound.adapters.dynamo_customers import DynamoCustomerBook

    return DynamoCustomerBook(settings()["CUSTOMERS_TABLE"], settings()["CONTACTS_TABLE"])


@cache
def contacts() -> "ContactBook":
    from rebound.adapters.dynamo_customers import DynamoContactBook

    return DynamoContactBook(settings()["CONTACTS_TABLE"])


@cache
def appointments() -> "AppointmentBook":
    from rebound.adapters.dynamo_appointments import DynamoAppointmentBook

    return DynamoAppointmentBook(settings()["MESSAGES_TABLE"])


@cache
def contact_history() -> "ContactHistory":
    from rebound.adapters.dynamo_history import DynamoContactHistory

    return DynamoContactHistory(settings()["CONTACT_HISTORY_TABLE"])


@cache
def replies() -> "ReplyBook":
    from rebound.adapters.dynamo_replies import DynamoReplyBook

    return DynamoReplyBook(settings()["CONTACT_HISTORY_TABLE"])


@cache
def messages() -> "MessageLog":
    from rebound.adapters.dynamo_messages import DynamoMessageLog

    return DynamoMessageLog(settings()["MESSAGES_TABLE"])


@cache
def campaigns() -> "CampaignBook":
    from rebound.adapters.dynamo_campaigns import DynamoCampaignBook

    return DynamoCampaignBook(settings()["CAMPAIGNS_TABLE"])


@cache
def chunks() -> "ChunkLedger":
    from rebound.adapters.dynamo_campaigns import DynamoChunkLedger

    return DynamoChunkLedger(settings()["CHUNKS_TABLE"])


@cache
def expansion() -> "ExpansionLedger":
    from rebound.adapters.dynamo_campaigns import DynamoExpansionLedger

    return DynamoExpansionLedger(settings()["CHUNKS_TABLE"])


@cache
def tallies() -> "TallyBook":
    from rebound.adapters.dynamo_campaigns import DynamoTallyBook

    return DynamoTallyBook(settings()["CHUNKS_TABLE"])


@cache
def chunk_queue() -> "ChunkQueue":
    from rebound.adapters.queues import SqsChunkQueue
    from rebound.domain.channels import Channel
    from rebound.domain.pacing import Lane

    queue_urls = {
        (Channel.EMAIL, Lane.BULK): "EMAIL_QUEUE_URL",
        (Channel.EMAIL, Lane.PROMPT): "PROMPT_EMAIL_QUEUE_URL",
        (Channel.SMS, Lane.BULK): "TEXT_QUEUE_URL",
        (Channel.SMS, Lane.PROMPT): "PROMPT_TEXT_QUEUE_URL",
    }
    known = {lane: url for lane, name in queue_urls.items() if (url := settings().get(name)) is not None}
    return SqsChunkQueue(aws("sqs"), known)


@cache
def frequencies() -> "FrequencyBook":
    from rebound.adapters.dynamo_frequencies import DynamoFrequencyBook

    return DynamoFrequencyBook(settings()["FREQUENCIES_TABLE"])


def held_queue() -> "HeldQueue":
    from rebound.adapters.queues import SqsHeldQueue

    return SqsHeldQueue(aws("sqs"), settings()["HELD_QUEUE_URL"])


def whereabouts(number: str) -> frozenset[str]:
    """The zones in which a phone number may be; loads the map of numbers only when it is asked for one."""
    from rebound.adapters.number_zones import zones_of_number

    return zones_of_number(number)


@cache
def paces() -> "PaceBook":
    from rebound.adapters.dynamo_paces import DynamoPaceBook

    return DynamoPaceBook(settings()["PACES_TABLE"])


@cache
def quotas() -> "QuotaSource":
    from rebound.adapters.ses_quota import SesQuota

    return SesQuota(aws_once("sesv2"))


@cache
def receipt_queue() -> "SqsReceiptQueue":
    from rebound.adapters.sqs_receipt_queue import SqsReceiptQueue

    return SqsReceiptQueue(aws("sqs"), settings()["RECEIPTS_QUEUE_URL"])


@cache
def recopy_queue() -> "RecopyQueue":
    from rebound.adapters.sqs_recopy_queue import SqsRecopyQueue

    return SqsRecopyQueue(aws("sqs"), settings()["RECOPY_QUEUE_URL"])


@cache
def dead_letter_queues() -> "DeadLetterQueues":
    from rebound.adapters.dead_letter_queues import DeadLettersOf, SqsDeadLetterQueues

    queues: Mapping[str, tuple[str, str]] = json.loads(settings()["DEAD_LETTER_QUEUES"])
    return SqsDeadLetterQueues(aws("sqs"), {name: DeadLettersOf(*urls) for name, urls in queues.items()})


@cache
def runner() -> "CampaignRunner":
    from rebound.adapters.campaign_runner import StepFunctionsCampaignRunner

    return StepFunctionsCampaignRunner(
        aws("stepfunctions"),
        aws("scheduler"),
        settings()["CAMPAIGN_STATE_MACHINE_ARN"],
        settings()["ERRAND_STATE_MACHINE_ARN"],
        settings()["SCHEDULE_GROUP"],
        settings()["SCHEDULER_ROLE_ARN"],
    )


@cache
def jobs() -> "JobBook":
    from rebound.adapters.dynamo_jobs import DynamoJobBook

    return DynamoJobBook(settings()["DIRECTORY_TABLE"])


@cache
def job_ledger() -> "JobLedger":
    from rebound.adapters.dynamo_jobs import DynamoJobLedger

    return DynamoJobLedger(settings()["CHUNKS_TABLE"], customers())


@cache
def job_runner() -> "JobRunner":
    from rebound.adapters.job_runner import StepFunctionsJobRunner

    return StepFunctionsJobRunner(aws("stepfunctions"), settings()["JOB_STATE_MACHINE_ARN"])


@cache
def domain_events() -> "DomainEvents":
    from rebound.adapters.counted import CountedDomainEvents
    from rebound.adapters.domain_events import EventBridgeDomainEvents
    from rebound.telemetry import count

    return CountedDomainEvents(EventBridgeDomainEvents(aws("events"), settings()["EVENT_BUS"]), count)


@cache
def mailer() -> "Mailer":
    from rebound.adapters.counted import CountedMailer
    from rebound.adapters.ses_mailer import SesMailer
    from rebound.telemetry import count

    return CountedMailer(SesMailer(aws_once("sesv2"), settings()["SES_CONFIGURATION_SET"]), count)


@cache
def suppression_desk() -> "SuppressionDesk":
    from rebound.adapters.ses_suppressions import SesSuppressionList
    from rebound.application.suppression_desk import SuppressionDesk
    from rebound.telemetry import tell_of_missed_removal

    def connect() -> Any:
        once = {"mode": "standard", "total_max_attempts": 1}
        return _client("sesv2", retries=once, connect_timeout=2, read_timeout=5)

    return SuppressionDesk(SesSuppressionList(connect), clock(), tell_of_missed_removal)


@cache
def twilio_texter() -> "Texter":
    from rebound.adapters.counted import CountedTexter
    from rebound.adapters.twilio_texter import TwilioTexter, connect
    from rebound.telemetry import count

    secret = twilio_secret()
    client = connect(secret["account_sid"], secret["auth_token"], settings().get("TWILIO_BASE_URL"))
    return CountedTexter(TwilioTexter(client, settings().public_url(settings()["API_ID"])), count)


@cache
def sns_texter() -> "Texter":
    from rebound.adapters.counted import CountedTexter
    from rebound.adapters.sns_texter import SnsTexter
    from rebound.telemetry import count

    return CountedTexter(SnsTexter(aws_once("sns")), count)


@cache
def link_keyring() -> "LinkKeyring":
    from rebound.adapters.link_secret import SecretLinkKeyring

    return SecretLinkKeyring(aws("secretsmanager"), settings()["LINK_SECRET_ARN"])


@cache
def link_writer() -> "LinkWriter":
    from rebound.application.write_links import LinkWriter

    return LinkWriter(link_keyring(), settings().public_url(settings()["API_ID"]))


def texters() -> "Mapping[TextProvider, Callable[[], Texter]]":
    """Each provider's texter, made when a business that uses it sends."""
    from rebound.domain.business import TextProvider

    return {TextProvider.TWILIO: twilio_texter, TextProvider.SNS: sns_texter}


def expansion_ranges() -> int:
    """Into how many key ranges an expansion is split."""
    return int(settings()["EXPANSION_RANGES"])


# --- use cases --------------------------------------------------------------------------------------------------------


@cache
def authorize_request() -> "AuthorizeRequest":
    from rebound.application.authorize_request import AuthorizeRequest

    return AuthorizeRequest(api_keys(), clock())


@cache
def manage_tenants() -> "ManageTenants":
    from rebound.application.manage_tenants import ManageTenants
    from rebound.domain.business import TextProvider

    default = TextProvider(settings()["DEFAULT_TEXT_PROVIDER"])
    return ManageTenants(businesses(), api_keys(), addresses(), clock(), ids(), default)


@cache
def manage_dead_letters() -> "ManageDeadLetters":
    from rebound.application.manage_dead_letters import ManageDeadLetters

    return ManageDeadLetters(dead_letter_queues(), failure_log())


@cache
def settings_of_business() -> "SettingsOfBusiness":
    from rebound.application.settings_of_business import SettingsOfBusiness

    return SettingsOfBusiness(businesses(), addresses(), recopy_queue())


@cache
def manage_customers() -> "ManageCustomers":
    from rebound.application.manage_customers import ManageCustomers

    return ManageCustomers(customers(), contacts(), businesses(), addresses(), clock(), ids(), suppression_desk())


@cache
def manage_segments() -> "ManageSegments":
    from rebound.application.manage_segments import ManageSegments

    return ManageSegments(segments(), clock())


@cache
def preview_audience() -> "PreviewAudience":
    from rebound.application.preview_audience import PreviewAudience

    return PreviewAudience(customers(), contacts(), frequencies(), businesses(), clock(), whereabouts)


@cache
def count_customers() -> "CountCustomers":
    from rebound.application.count_customers import CountCustomers

    return CountCustomers(customers(), clock())


@cache
def manage_jobs() -> "ManageJobs":
    from rebound.application.manage_jobs import ManageJobs

    return ManageJobs(jobs(), job_ledger(), job_runner(), clock(), ids(), request_ids(), expansion_ranges())


@cache
def bulk_delete() -> "BulkDelete":
    from rebound.application.bulk_delete import BulkDelete

    return BulkDelete(manage_jobs())


@cache
def run_job() -> "RunJob":
    from rebound.application.bulk_delete import BulkDeleteWork
    from rebound.application.count_customers import CountingWork
    from rebound.application.preview_audience import PreviewWork
    from rebound.application.run_job import JobWork, RunJob
    from rebound.domain.jobs import JobKind

    works: Mapping[JobKind, JobWork] = {
        JobKind.COUNT: CountingWork(customers(), job_ledger()),
        JobKind.PREVIEW: PreviewWork(customers(), contacts(), frequencies(), businesses(), job_ledger(), whereabouts),
        JobKind.BULK_DELETE: BulkDeleteWork(customers(), contacts(), businesses(), job_ledger()),
    }
    return RunJob(jobs(), job_ledger(), works, clock())


@cache
def manage_campaigns() -> "ManageCampaigns":
    from rebound.application.manage_campaigns import ManageCampaigns

    return ManageCampaigns(
        campaigns(),
        runner(),
        segments(),
        businesses(),
        expansion(),
        tallies(),
        chunks(),
        messages(),
        clock(),
        ids(),
        request_ids(),
        paces(),
        preview_audience().foresee,
    )


@cache
def steer_campaign() -> "SteerCampaign":
    from rebound.application.steer_campaign import SteerCampaign

    return SteerCampaign(campaigns(), runner(), manage_campaigns(), clock(), ids())


@cache
def post_message() -> "PostMessage":
    from rebound.application.manage_campaigns import PostMessage

    return PostMessage(
        campaigns(),
        customers(),
        businesses(),
        chunks(),
        messages(),
        chunk_queue(),
        clock(),
        ids(),
        request_ids(),
        appointments(),
        held_queue(),
        whereabouts,
    )


@cache
def read_timeline() -> "ReadTimeline":
    from rebound.application.read_timeline import ReadTimeline

    return ReadTimeline(customers(), contacts(), businesses(), messages(), contact_history())


@cache
def report_replies() -> "ReportReplies":
    from rebound.application.report_replies import ReportReplies

    return ReportReplies(replies(), customers(), contacts())


@cache
def read_appointment_log() -> "ReadAppointmentLog":
    from rebound.application.read_appointment_log import ReadAppointmentLog

    return ReadAppointmentLog(appointments(), messages())


@cache
def read_client_log() -> "ReadClientLog":
    from rebound.application.read_client_log import ReadClientLog

    return ReadClientLog(customers(), messages())


@cache
def read_consent() -> "ReadConsent":
    from rebound.application.manage_consent import ReadConsent

    return ReadConsent(customers(), contacts(), businesses(), contact_history())


@cache
def ask_for_confirmation() -> "AskForConfirmation":
    from rebound.application.ask_for_confirmation import AskForConfirmation

    return AskForConfirmation(
        customers(), contacts(), businesses(), messages(), post_message(), clock(), ids(), request_ids()
    )


@cache
def state_consent() -> "StateConsent":
    from rebound.application.manage_consent import StateConsent

    return StateConsent(customers(), contacts(), businesses(), clock())


@cache
def explain_reachability() -> "ExplainReachability":
    from rebound.application.explain_reachability import ExplainReachability

    return ExplainReachability(customers(), contacts(), frequencies(), businesses(), messages(), clock(), whereabouts)


@cache
def start_import() -> "StartImport":
    from rebound.application.import_customers import StartImport

    return StartImport(imports(), import_ledger(), import_store(), businesses(), clock(), ids())


@cache
def begin_import() -> "BeginImport":
    from rebound.application.import_customers import BeginImport

    return BeginImport(imports(), import_runner())


@cache
def split_import() -> "SplitImport":
    from rebound.application.import_customers import SplitImport

    return SplitImport(imports(), import_store())


@cache
def import_customers() -> "ImportCustomers":
    from rebound.application.import_customers import ImportCustomers

    return ImportCustomers(
        imports(),
        import_ledger(),
        import_store(),
        customers(),
        contacts(),
        businesses(),
        addresses(),
        clock(),
        patience(),
    )


@cache
def close_import() -> "CloseImport":
    from rebound.application.import_customers import CloseImport

    return CloseImport(imports(), import_store())


@cache
def start_export() -> "StartExport":
    from rebound.application.export_customers import StartExport

    return StartExport(exports(), export_store(), export_runner(), businesses(), clock(), ids())


@cache
def export_customers() -> "ExportCustomers":
    from rebound.application.export_customers import ExportCustomers

    return ExportCustomers(exports(), export_store(), customers(), contacts(), businesses())


@cache
def plan_campaign() -> "PlanCampaign":
    from rebound.application.run_campaign import WORTH_A_RANGE, PlanCampaign

    return PlanCampaign(campaigns(), customers(), segments(), clock(), ids(), expansion_ranges(), WORTH_A_RANGE)


@cache
def expand_campaign() -> "ExpandCampaign":
    from rebound.application.run_campaign import ExpandCampaign

    return ExpandCampaign(
        campaigns(),
        businesses(),
        customers(),
        contacts(),
        frequencies(),
        expansion(),
        chunk_queue(),
        clock(),
        chunks(),
        held_queue(),
        whereabouts,
    )


@cache
def drain_campaign() -> "DrainCampaign":
    from rebound.application.run_campaign import DrainCampaign

    return DrainCampaign(campaigns(), expansion(), tallies(), clock(), chunks())


@cache
def requeue_campaign() -> "RequeueCampaign":
    from rebound.application.steer_campaign import RequeueCampaign

    return RequeueCampaign(campaigns(), chunks(), chunk_queue(), clock())


@cache
def ask_for_rollback() -> "AskForRollback":
    from rebound.application.roll_back_flags import AskForRollback

    return AskForRollback(campaigns(), runner(), manage_campaigns(), clock(), ids())


@cache
def roll_back_flags() -> "RollBackFlags":
    from rebound.application.roll_back_flags import RollBackFlags

    return RollBackFlags(campaigns(), chunks(), messages(), contacts())


@cache
def close_campaign() -> "CloseCampaign":
    from rebound.application.run_campaign import CloseCampaign

    return CloseCampaign(campaigns(), clock())


@cache
def trip_breaker() -> "TripBreaker":
    from rebound.application.trip_breaker import TripBreaker

    return TripBreaker(campaigns(), tallies())


@cache
def chunk_desk() -> "ChunkDesk":
    from rebound.application.send_chunk import ChunkDesk

    return ChunkDesk(
        chunks(),
        campaigns(),
        businesses(),
        customers(),
        contacts(),
        frequencies(),
        messages(),
        chunk_queue(),
        trip_breaker(),
        clock(),
        held_queue(),
        whereabouts,
    )


@cache
def admit_chunk() -> "AdmitChunk":
    import random

    from rebound.application.admit_chunk import AdmitChunk

    return AdmitChunk(paces(), quotas(), chunks(), chunk_queue(), clock(), random.random)


@cache
def release_held() -> "ReleaseHeld":
    from rebound.application.release_held import ReleaseHeld

    return ReleaseHeld(held_queue(), chunk_queue(), clock(), businesses())


@cache
def mind_throttles() -> "MindThrottles":
    from rebound.application.admit_chunk import MindThrottles

    return MindThrottles(paces(), clock())


@cache
def send_email() -> "SendEmail":
    from rebound.application.send_email import SendEmail

    return SendEmail(chunk_desk(), mailer(), admit_chunk(), mind_throttles(), suppression_desk(), link_writer())


@cache
def send_text() -> "SendText":
    from rebound.application.send_text import SendText

    return SendText(chunk_desk(), texters(), receipt_queue(), admit_chunk(), mind_throttles())


@cache
def honour_links() -> "HonourLinks":
    from rebound.application.honour_links import HonourLinks
    from rebound.application.read_links import LinkReader
    from rebound.application.tell_contact import TellContact

    reader = LinkReader(link_keyring(), messages(), customers(), contacts())
    return HonourLinks(reader, link_keyring(), businesses(), customers(), TellContact(messages(), contacts()), clock())


@cache
def apply_receipts() -> "ApplyReceipts":
    from rebound.application.apply_receipts import ApplyReceipts

    return ApplyReceipts(messages(), contacts(), suppression_desk())


@cache
def receive_text() -> "ReceiveText":
    from rebound.application.receive_text import ReceiveText
    from rebound.application.tell_contact import TellContact

    tell = TellContact(messages(), contacts())
    return ReceiveText(
        businesses(), contacts(), customers(), replies(), messages(), appointments(), domain_events(), tell, clock()
    )


@cache
def review_replies() -> "ReviewReplies":
    from rebound.application.review_replies import ReviewReplies
    from rebound.application.tell_contact import TellContact

    return ReviewReplies(replies(), contacts(), TellContact(messages(), contacts()), clock())


@cache
def count_results() -> "CountResults":
    from rebound.application.count_results import CountResults

    return CountResults(tallies(), trip_breaker())


@cache
def project_contacts() -> "ProjectContacts":
    from rebound.application.project_contacts import ProjectContacts

    return ProjectContacts(customers(), businesses(), domain_events(), contact_history(), replies())


@cache
def project_campaigns() -> "ProjectCampaigns":
    from rebound.application.project_campaigns import ProjectCampaigns

    return ProjectCampaigns(expansion(), tallies(), domain_events())


@cache
def recopy_flags() -> "RecopyFlags":
    from rebound.application.recopy_flags import RecopyFlags

    return RecopyFlags(customers(), contacts(), businesses(), recopy_queue())


@cache
def reconcile_suppressions() -> "ReconcileSuppressions":
    from rebound.application.reconcile_suppressions import ReconcileSuppressions

    return ReconcileSuppressions(businesses(), contacts(), messages(), suppression_desk(), reconciliations())
