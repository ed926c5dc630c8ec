"""One busy day of a deployment in memory, in which every kind of worker does every kind of thing it can do.

Three businesses; campaigns by email, under a cap, to flagged addresses that come off a list one by one, by text over
Twilio and, after quiet hours, over SNS; a pause and a resume, another pause after texts were refused for our own fault,
with a resume in the middle of the setting aside, a cancellation, an opt-out and a removal at the last moment, single
messages, an import, a change of policy, customers who text STOP, ask in their own words, click and confirm; and
afterwards a count, a rollback of flags, a clean-up, an export and a night's look at the suppression list; providers
that refuse, throttle and do not answer; receipts that are early, doubled and late. Who may be handed what, and what
must have become of it, follows from what the providers were given (``faults``), not from what the code says it did.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import time, timedelta
from typing import Any, Final
from unittest.mock import patch

from rebound.businesses.domain.frequency import FrequencyCap
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.businesses.domain.text_plan import PlanStatus, TextPlan
from rebound.campaigns.application.campaign_service import CampaignView, NewCampaign
from rebound.campaigns.domain.campaigns import RUNNING, CampaignStatus
from rebound.campaigns.domain.chunks import ChunkState
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import STRICT_POLICY, Failure
from rebound.contacts.domain.replies import Decision
from rebound.contacts.domain.suppressions import SuppressionReason
from rebound.customers.application import copy_flags
from rebound.imports_exports.application import export_customers
from rebound.imports_exports.application.export_customers import ExportView
from rebound.inbound.domain.replies import IncomingText
from rebound.jobs.application.job_service import JobView
from rebound.jobs.domain import COUNT, DELETED, JobKind, JobStatus
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.events import (
    AppointmentConfirmed,
    CampaignCompleted,
    CampaignPaused,
    ContactInvalidated,
    ContactOptedOut,
    ContactRestored,
)
from rebound.kernel.provider_codes import TEXT_PROVIDERS, Provider, look_up
from rebound.kernel.receipts import MessageKey, Outcome
from rebound.messages.domain.links import Link, Purpose, write_token
from rebound.messages.domain.messages import NO_RECORD, RANKS, Message, MessageStatus
from rebound.rates.domain import Throttled
from rebound.segments.application import bulk_delete, find_customers
from rebound.segments.domain.selections import CustomerFilter, Selection
from rebound.sending.application import acquire_send_slot, run_campaign, send_email
from rebound.sending.domain.recipients import Accepted, Refused, Unknown, is_senders_fault
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.text_plans.domain import name_of
from tests.contract.campaigns.fakes import adds_up
from tests.contract.messages.fakes import labels_of_message
from tests.contract.sending.fakes import Handed
from tests.crash.stopping import Stopping
from tests.fakes import world
from tests.fakes.making import (
    BUSINESS_ID,
    NO_SUCH_MAILBOX,
    SOFT,
    at,
    business,
    contact_key,
    customer,
    id_of,
    message_key,
)
from tests.fakes.watching import Boundary
from tests.fakes.world import Chaos, always

OTHER_BUSINESS: Final = "salon-cedar"
THIRD_BUSINESS: Final = "salon-elm"
FOURTH_BUSINESS: Final = "salon-oak"
FOURTHS: Final = 6
CHUNK: Final = 5
PAGE: Final = 7
HORIZON: Final = timedelta(milliseconds=1)
"""So little can be booked ahead that some chunks find no room."""
CUSTOMERS: Final = 24
OTHERS: Final = 4
IMPORTED: Final = 3
FLAGGED: Final = range(301, 307)
"""Customers of the third salon whose addresses bounced, and stand on the suppression list."""
THIRDS: Final = 9
KEPT_BACK: Final = (301, 302)
"""Whose texts are refused for our own fault at first."""
MOST_TICKS: Final = 1500
"""Far more than it takes until somebody has paused that campaign and resumed it."""
PAUSED_AFTER: Final = 3
"""Texts, of which some were kept back: then somebody pauses the campaign."""
TIME_FOR_THE_LIST: Final = timedelta(seconds=4)
"""Enough to take two addresses off the list, of the five that a chunk may have."""
CLEANED: Final = (22, 23, 24)
"""Whom the clean-up deletes."""
EXPORT_PART: Final = 600
"""Bytes: some ten customers."""
QUIET: Final = QuietWindow(time(3), time(8, 10))
"""The day begins at four where the customers' numbers are: the other salon's texts wait for four hours."""
REDELIVERIES: Final = (timedelta(), timedelta(minutes=7), timedelta(hours=3))
"""Beside another worker, after the visibility timeout, and when everything is over."""
BETWEEN_LOOKS: Final = 6
"""A look changes nothing, so that a few of them are as good as many."""
MOST_CHUNK_RECEIVES: Final = 5
"""``maxReceiveCount`` of the senders' queues."""
CAP: Final = FrequencyCap("Once", (Category.MARKETING, Category.ONE_TO_ONE), 1, 7, Channel.EMAIL)
"""Whoever gets an email of their own gets no marketing after it, or the other way round."""
STOPPED: Final = 6
"""Texts STOP."""
CLICKED: Final = 4
"""Unsubscribes from marketing by email."""
UNCLEAR: Final = 7
"""Asks in their own words, and staff decide that it was nothing."""
CONFIRMED: Final = 2
"""Is asked to confirm an appointment, and does."""
OUR_NUMBER: Final = "+14155550100"
BOUNCE_LISTED: Final = "ana22@example.com"
"""Stands on the suppression list for a bounce that we were never told of."""
OWNER: Final = "owner@cedar.example.com"
PLANNED: Final = frozenset({BUSINESS_ID, OTHER_BUSINESS, FOURTH_BUSINESS})
"""Those with a text plan."""
COUNTED: Final = 2
"""How many segments a provider says that each text has, of which we count one."""
THEIR_PLAN: Final = TextPlan(7)
"""The other salon's. It warns of what it has used when all of its texts are counted, and is not exhausted."""
TEXTED_BACK: Final = 3
"""Texts that come in."""
SMALL_PLAN: Final = TextPlan(5)
"""The fourth salon's: some of its texts go by email."""
OUT_OF_SERVICE: Final = "30005"
OPTED_OUT: Final = "21610"
NO_CREDENTIALS: Final = "20003"
NOT_A_NUMBER: Final = "21211"
SETTLED: Final = ((Outcome.SENT, None, 0.5), (Outcome.DELIVERED, None, 1.0))
STATUS_OF: Final = {
    Outcome.SENT: MessageStatus.SENT,
    Outcome.DELAYED: MessageStatus.SENT,
    Outcome.DELIVERED: MessageStatus.DELIVERED,
    Outcome.COMPLAINED: MessageStatus.DELIVERED,
}

Reported = Sequence[tuple[Outcome, str | None, float]]


class Story(Stopping):
    """The day."""

    def __init__(self, *, redelivers: bool = False, **stops: Any) -> None:
        other = business(
            business_id=OTHER_BUSINESS,
            name="Salon Cedar",
            text_provider=Provider.SNS,
            text_from=None,
            quiet_hours=QuietHours(sms=QUIET),
            owner_email=OWNER,
            text_plan=THEIR_PLAN,
        )
        third = business(business_id=THIRD_BUSINESS, name="Salon Elm", text_from="+14155550300")
        first = business(frequency_caps=(CAP,), text_plan=TextPlan(1000, inbound_texts=True))
        fourth = business(
            business_id=FOURTH_BUSINESS,
            name="Salon Oak",
            text_from="+14155550400",
            owner_email=OWNER,
            text_plan=SMALL_PLAN,
        )
        super().__init__(first, other, third, fourth, ranges=2, **stops)
        for provider in TEXT_PROVIDERS:
            self.texter(provider).segments = lambda _: COUNTED
        self.between_looks = BETWEEN_LOOKS
        self.chaos = Chaos(duplicate=0.2, early=0.2)
        self.campaign_ids: dict[str, tuple[str, str]] = {}
        self.expected_customers = CUSTOMERS + OTHERS + IMPORTED + THIRDS + FOURTHS
        self.jobs_seen: list[JobView] = []
        self.exported: ExportView | None = None
        self.silenced: list[tuple[Any, str, int]] = []
        """Whom nothing may be handed any more: by which script, to which address, after how many hand-overs."""
        self.overstayed: list[str] = []
        """Places under a cap that were kept while their messages waited."""
        self.never_tried: frozenset[str] = frozenset()
        """The flagged addresses that still stood on the list when all campaigns were over."""
        self._interrupted: set[str] = set()
        self._looks = 0
        if redelivers:
            for queue in self.chunk_queue.queues.values():
                queue.redeliveries = REDELIVERIES
            self.receipt_queue.queue.redeliveries = REDELIVERIES
            self.recopy_queue.queue.redeliveries = REDELIVERIES
        self._people()
        self._moods()
        self.pump_streams()

    # --- stopping -----------------------------------------------------------------------------------------------------

    def _interrupt(self, where: Boundary) -> None:
        """Somebody else does something while a worker waits for an answer, as it happens where many work at once."""
        campaign = self.campaign_ids.get("kept")
        if where == "chunks.put_back" and where.side == "after":
            self._look_at_places()
        if campaign is None or self.step != "send_text" or "over" in self._interrupted:
            return
        status = self.campaigns.get(*campaign).status
        handed = sum(handed.key.business_id == THIRD_BUSINESS for handed in self.twilio_texter.handed)
        if "pause" not in self._interrupted and handed >= PAUSED_AFTER and status in RUNNING:
            self._interrupted.add("pause")
            self._beside(lambda: self.steer_campaign.pause(*campaign))
        elif (
            "resume" not in self._interrupted
            and status is CampaignStatus.PAUSED
            and (where, where.side) == ("chunks.put_back", "before")
        ):
            # The resume and its whole search for chunks are over before this one is there to be found.
            self._interrupted.add("resume")
            self._beside(self._resumed_and_requeued)

    def _resumed_and_requeued(self) -> None:
        campaign = self.campaign_ids["kept"]
        self.steer_campaign.resume(*campaign)
        self.runner.requeues.remove(campaign)
        cursor: str | None = None
        while True:
            cursor = self.requeue_campaign(*campaign, cursor, always)
            if cursor is None:
                return

    def _beside(self, does: Callable[[], object]) -> None:
        """Done by another process, which is not the one that may be stopped."""
        may_die, step = self._may_die, self.step
        self._may_die = False
        does()
        self._may_die, self.step = may_die, step

    def _look_at_places(self) -> None:
        """Whoever is put back to wait has no place under a cap: it would keep other messages from them meanwhile."""
        places = {
            (customer_id, place.message_id)
            for (_, customer_id), known in self.frequencies.rows.items()
            for place in known.hand_overs
        }
        for chunk in self.chunks.rows.values():
            if chunk.state is not ChunkState.PENDING or chunk.attempts == 0:
                continue
            campaign = self.campaigns.get(chunk.key.business_id, chunk.key.campaign_id)
            self.overstayed += [
                f"a place of {customer_id} was kept while {chunk.key.chunk} waited"
                for customer_id in chunk.remaining
                if campaign.run_id is not None and (customer_id, campaign.message_id(customer_id)) in places
            ]

    def _time_left(self) -> bool:
        """Every fourth look finds the function's time over, but never two in a row."""
        self._looks += 1
        return self._looks % 4 != 0

    # --- the people, and what becomes of what they are sent -----------------------------------------------------------

    def _people(self) -> None:
        emails = {16: None, 19: "family@example.com", 20: "family@example.com"}
        for number in range(1, CUSTOMERS + 1):
            self.add(customer(number, email=emails.get(number, f"ana{number}@example.com")))
        for number in range(101, 101 + OTHERS):
            self.add(customer(number, business_id=OTHER_BUSINESS))
        for number in range(301, 301 + THIRDS):
            self.add(customer(number, business_id=THIRD_BUSINESS))
        for number in range(401, 401 + FOURTHS):
            self.add(customer(number, business_id=FOURTH_BUSINESS))
        for number in FLAGGED:
            key = ContactKey(THIRD_BUSINESS, Channel.EMAIL, f"ana{number}@example.com")
            self.know(key, Failure(at(-9), "old", Provider.SES, NO_SUCH_MAILBOX))
            self.suppressions.put(key.address, SuppressionReason.BOUNCE, at(-9))
        self.know(contact_key(17), Failure(at(-9), "old", Provider.SES, NO_SUCH_MAILBOX))
        self.know(contact_key(18), ConsentEvidence(at(-9), Scope.MARKETING, True, ConsentSource.COMPLAINT))
        self.know(contact_key(17, Channel.SMS), Failure(at(-9), "old", Provider.TWILIO, OUT_OF_SERVICE))

    def _moods(self) -> None:
        bounced: Reported = ((Outcome.FAILED, NO_SUCH_MAILBOX, 1.0),)
        for number, told in {
            3: bounced,
            5: ((Outcome.DELIVERED, None, 1.0), (Outcome.FAILED, NO_SUCH_MAILBOX, 9.0)),
            7: ((Outcome.DELIVERED, None, 1.0), (Outcome.COMPLAINED, None, 5.0)),
            8: (),
            21: ((Outcome.FAILED, SOFT, 2.0),),
        }.items():
            self.outcomes[f"ana{number}@example.com"] = tuple(told)
        gone = (Outcome.SENT, None, 0.5), (Outcome.FAILED, OUT_OF_SERVICE, 2.0)
        for phone in ("+14155560003", "+14155560005"):
            self.outcomes[phone] = gone
        self.outcomes["+14155560102"] = ((Outcome.FAILED, "Phone is currently unreachable/unavailable", 2.0),)
        for script, address_of in (
            (self.mailer, "ana{}@example.com".format),
            (self.twilio_texter, "+1415556{:04d}".format),
        ):
            script.answer(address_of(9), Throttled("ACCOUNT_THROTTLED"))
            script.answer(address_of(10), Throttled("ACCOUNT_DAILY_QUOTA_EXCEEDED", daily=True))
            script.answer(address_of(11), Unknown("ReadTimeoutError"))
            script.answer(address_of(12), Unknown("ReadTimeoutError"), went_out=True)
        self.mailer.answer("ana13@example.com", Refused("MESSAGE_REJECTED"))
        self.twilio_texter.answer("+14155560013", Refused(NOT_A_NUMBER))
        self.twilio_texter.answer("+14155560004", Refused(OPTED_OUT))
        for number in KEPT_BACK:
            self.twilio_texter.answer(phone_of(number), Refused(NO_CREDENTIALS))
        self.sns_texter.answer("+14155560103", Refused("Invalid phone number"))

    # --- the day ------------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """From the first request until nothing is left to happen."""
        with ExitStack() as small:
            small_sizes: tuple[tuple[Any, str, Any], ...] = (
                (run_campaign, "CHUNK_SIZE", CHUNK),
                (run_campaign, "PAGE", PAGE),
                (copy_flags, "PAGE", PAGE),
                (find_customers, "PAGE", PAGE),
                (export_customers, "PAGE", PAGE),
                (bulk_delete, "PAGE", 2),
                (bulk_delete, "BATCH", 2),
                (self, "export_part_bytes", EXPORT_PART),
                (acquire_send_slot, "HORIZON", HORIZON),
                (send_email, "CLEARING_BUDGET", TIME_FOR_THE_LIST),
                # Many more than it takes: a day that does not end should be found out soon.
                (world, "MOST_STEPS", 2000),
            )
            for module, name, size in small_sizes:
                small.enter_context(patch.object(module, name, size))
            self._start_anew()
            self._day()

    def _day(self) -> None:
        everybody = Selection(filter={"all": []})
        listed = Selection(customer_ids=tuple(id_of(number) for number in range(1, 13)))
        email = EmailContent("Hello ##{{first_name}}", text="Hi ##{{first_name}}")
        text = TextContent("Hi ##{{first_name}}")
        self._post("email", BUSINESS_ID, Channel.EMAIL, Category.MARKETING, everybody, email)
        self._post("text", BUSINESS_ID, Channel.SMS, Category.REMINDER, everybody, text)
        stoppable = TextContent("Hi ##{{first_name}}. Stop: ##{{stop_url}}")
        self._post("sns", OTHER_BUSINESS, Channel.SMS, Category.MARKETING, everybody, stoppable)
        self._post("kept", THIRD_BUSINESS, Channel.SMS, Category.REMINDER, everybody, text)
        self._post("listed", THIRD_BUSINESS, Channel.EMAIL, Category.MARKETING, everybody, email, exclude_failed=False)
        self._post("beyond", FOURTH_BUSINESS, Channel.SMS, Category.REMINDER, everybody, text)
        self._post("cancelled", BUSINESS_ID, Channel.SMS, Category.REMINDER, listed, text)
        self._import()
        for name, (business_id, campaign_id) in self.campaign_ids.items():
            self.begin(campaign_id, business_id)
            if name == "email":
                # Before its chunks are sent, so that senders set some aside.
                self._steer("pause", name)
        self._message(1, Channel.EMAIL, email)
        self._message(2, Channel.SMS, text)
        self._message(13, Channel.EMAIL, email)
        self._last_moment()
        self._some_time(12)
        self._say_no()
        self._steer("resume", "email")
        self._some_time(8)
        self._steer("cancel", "cancelled")
        # What its texts wait for may be another hour now.
        self._asked(
            "settings",
            lambda: self.settings_of_business.change(OTHER_BUSINESS, {"name": "Cedar & Daughters"}),
        )
        self._asked("settings", lambda: self.settings_of_business.change(BUSINESS_ID, {"policy": STRICT_POLICY}))
        for _ in range(MOST_TICKS):
            if "resume" in self._interrupted or not self._tick():
                break
        self._interrupted.add("over")
        if self.campaigns.get(*self.campaign_ids["kept"]).status is CampaignStatus.PAUSED:
            self._steer("resume", "kept")
        for business_id, campaign_id in self.campaign_ids.values():
            self.end(campaign_id, business_id)
        self.rest()
        self._afterwards()

    def _say_no(self) -> None:
        """While campaigns are under way: a STOP, a click, and a text that somebody must read."""
        self._text("SM-stop", STOPPED, "Stop!")
        self.silenced.append((self.twilio_texter, phone_of(STOPPED), len(self.twilio_texter.handed)))
        key = contact_key(CLICKED)
        link = Link.to(Purpose.UNSUBSCRIBE, key, message_key(CLICKED), Scope.MARKETING)
        token = write_token(link, self.link_keyring.keys())
        self._asked("follow_links", lambda: self.follow_links.unsubscribe(token))
        self.silenced.append((self.mailer, key.address, len(self.mailer.handed)))
        self._text("SM-unclear", UNCLEAR, "please stop texting me")

    def _text(self, sid: str, number: int, body: str) -> None:
        """A text that comes in, handed on again when it was not answered."""
        text = IncomingText(sid, phone_of(number), OUR_NUMBER, (OUR_NUMBER,), body)
        self._asked("receive_text", lambda: self.receive_text(text))

    def _reconcile(self) -> None:
        """A night, whose steps are tried again; SES is asked no more than so much at a time."""
        self.never_tried = frozenset(self.suppressions.entries)
        self.suppressions.put(BOUNCE_LISTED, SuppressionReason.BOUNCE, at(-9))
        while not self._step("reconcile", lambda: self.reconcile_suppressions("night", timedelta(minutes=5))).done:
            self._tick()
        self.rest()

    def _afterwards(self) -> None:
        """What is asked for when the campaigns are over."""
        self._text("SM-yes", CONFIRMED, "C")
        self._asked(
            "review_replies",
            lambda: self.review_replies.resolve(BUSINESS_ID, "SM-unclear", Decision.KEEP, "Kim"),
        )
        self._reconcile()
        everybody = CustomerFilter(filter={"all": []})
        counting = self._asked(
            "start_job",
            lambda: self.job_service.start(
                BUSINESS_ID, JobKind.COUNT, {"wanted": find_customers.write_filter(everybody)}, request="count"
            ),
        )
        self.jobs_seen.append(self.run_to_end(counting))
        self._asked("ask_for_rollback", lambda: self.ask_for_rollback(*self.campaign_ids["text"]))
        self.rest()
        wanted = [id_of(number) for number in CLEANED]
        clean_up = self._asked(
            "start_job",
            lambda: self.bulk_delete(BUSINESS_ID, CustomerFilter(), wanted, len(wanted), request="clean-up"),
        )
        self.jobs_seen.append(self.run_to_end(clean_up))
        self.expected_customers -= len(CLEANED)
        self.rest()
        export = self._asked("start_export", lambda: self.start_export(BUSINESS_ID, "jsonl", everybody))
        self.exported = self.run_export(export.job.export_id)

    def _post(
        self,
        name: str,
        business_id: str,
        channel: Channel,
        category: Category,
        selection: Selection,
        content: EmailContent | TextContent,
        *,
        exclude_failed: bool = True,
    ) -> None:
        new = NewCampaign(name, category, channel, selection, content, exclude_failed=exclude_failed)
        view: CampaignView = self._asked(
            "post_campaign", lambda: self.campaign_service.post(business_id, new, request=name)
        )
        self.campaign_ids[name] = (business_id, view.campaign.campaign_id)

    def _message(self, number: int, channel: Channel, content: EmailContent | TextContent) -> None:
        self._asked(
            "post_message",
            lambda: self.post_message(
                BUSINESS_ID,
                customer_id=id_of(number),
                category=Category.ONE_TO_ONE,
                channel=channel,
                content=content,
                appointment_id=f"a-{number}",
                asks_confirmation=channel is Channel.SMS,
                request=f"message-{number}",
            ),
        )

    def _import(self) -> None:
        rows = "\n".join(f"New{number},Silva,{number},new{number}@example.com" for number in range(IMPORTED))
        content = f"first_name,last_name,external_id,email\n{rows}\n"
        view, _ = self.start_import(BUSINESS_ID, "csv", content)
        self.run_import(view.job.import_id)

    def _last_moment(self) -> None:
        self.know(contact_key(14), ConsentEvidence(at(0), Scope.ALL, True, ConsentSource.PROVIDER))
        self.know(contact_key(14, Channel.SMS), ConsentEvidence(at(0), Scope.ALL, True, ConsentSource.PROVIDER))
        self.customer_service.delete(BUSINESS_ID, id_of(15))
        self.expected_customers -= 1

    def _steer(self, order: str, name: str) -> None:
        business_id, campaign_id = self.campaign_ids[name]
        self._asked(order, lambda: getattr(self.steer_campaign, order)(business_id, campaign_id))

    def _some_time(self, ticks: int) -> None:
        for _ in range(ticks):
            self._tick()

    # --- what must hold -----------------------------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """Everything that is wrong at rest; empty when nothing is."""
        return [
            *self._doubled(),
            *self._astray(),
            *self._stuck(),
            *self._miscounted(),
            *self._unlearnt(),
            *self._untold(),
            *self._unfinished(),
            *self._unheard(),
            *self._overfed(),
            *self._overspent(),
            *self.overstayed,
            *self._uninterrupted(),
        ]

    @property
    def _scripts(self) -> Mapping[Provider, Any]:
        return {Provider.SES: self.mailer, **{provider: self.texter(provider) for provider in TEXT_PROVIDERS}}

    def _handed(self) -> Iterator[tuple[Provider, Handed]]:
        for provider, script in self._scripts.items():
            for handed in script.handed:
                yield provider, handed

    def _doubled(self) -> Iterator[str]:
        """Nobody was handed over again after an answer that was neither a throttle nor a fault of our own."""
        ended: set[MessageKey] = set()
        for provider, handed in self._handed():
            if handed.key in ended:
                yield f"handed over twice: {handed.key}"
            if not isinstance(handed.result, Throttled) and not is_senders_fault(handed.result, provider):
                ended.add(handed.key)

    def _astray(self) -> Iterator[str]:
        """Every message stands where what the provider was given, and said, puts it."""
        last = {handed.key: (provider, handed) for provider, handed in self._handed()}
        excused: list[Message] = []
        for key, message in self.messages.rows.items():
            allowed = self._allowed(*last[key]) if key in last else _NOT_HANDED
            if message.status in allowed:
                continue
            if message.status is MessageStatus.UNCERTAIN and message.reason == NO_RECORD:
                excused.append(message)
            else:
                yield f"{message.status} ({message.reason}) instead of {'/'.join(sorted(allowed))}: {key}"
        for key in last.keys() - self.messages.rows.keys():
            yield f"handed over without a row: {key}"
        for channel, most in ((Channel.EMAIL, CHUNK), (Channel.SMS, 1)):
            step = "send_email" if channel is Channel.EMAIL else "send_text"
            stopped = sum(here.step == step for here in self.stopped)
            found = [message for message in excused if message.channel is channel]
            if len(found) > most * stopped:
                yield f"{len(found)} uncertain {channel} messages after {stopped} workers stopped"
        for message in excused:
            if message.address in self.never_tried and message.channel is Channel.EMAIL:
                yield f"uncertain although its address was never taken off the list: {message.key}"
            found_last = last.get(message.key)
            if found_last is None or not found_last[0].traits.returns_key:
                continue
            if found_last[1].went_out and self._told(found_last[1]):
                yield f"uncertain although its receipt came: {message.key}"

    def _told(self, handed: Handed) -> Reported:
        told: Reported = self.outcomes.get(handed.to, SETTLED)
        return told

    def _allowed(self, provider: Provider, handed: Handed) -> frozenset[MessageStatus]:
        if handed.went_out:
            told = self._told(handed)
            if not told:
                unknown = isinstance(handed.result, Unknown)
                return frozenset({MessageStatus.UNCERTAIN if unknown else MessageStatus.SENT})
            return frozenset({_final(provider, told)})
        match handed.result:
            case Refused(code):
                return frozenset({_failed(provider, code)})
            case Unknown():
                return frozenset({MessageStatus.UNCERTAIN})
            case Accepted() | Throttled():
                # Whoever was throttled may be left out, or the campaign cancelled, before the next attempt.
                return _NOT_HANDED
        raise AssertionError

    def _stuck(self) -> Iterator[str]:
        """No chunk is held, nothing is on a queue, every campaign has ended, and as it should."""
        for chunk in self.chunks.rows.values():
            if chunk.state is not ChunkState.DONE:
                yield f"chunk {chunk.key.chunk} is {chunk.state}"
        recipients = Counter(
            (chunk.key.campaign_id, customer_id, chunk.key.fell_back is not None)
            for chunk in self.chunks.rows.values()
            for customer_id in chunk.customer_ids
        )
        yield from (f"in two chunks: {recipient}" for recipient, count in recipients.items() if count > 1)
        for (channel, lane), queue in self.chunk_queue.queues.items():
            if queue.messages:
                yield f"{len(queue.messages)} messages on the {lane} queue of {channel}"
            if queue.most_receives > MOST_CHUNK_RECEIVES:
                yield f"a chunk came {queue.most_receives} times: it would be in the dead letters"
        if self.receipt_queue.queue.messages or self.recopy_queue.queue.messages:
            yield "receipts or copyings on their queues"
        if self.runner.requeues:
            yield "a requeue was not run"
        for name, (business_id, campaign_id) in self.campaign_ids.items():
            status = self.campaigns.get(business_id, campaign_id).status
            if status is not (CampaignStatus.CANCELLED if name == "cancelled" else CampaignStatus.COMPLETED):
                yield f"campaign {name} is {status}"
        lost = {receipt.provider_id for receipt in self.dead_letters}
        unpaired = sum(here.step == "send_text" for here in self.stopped)
        if len(lost) > unpaired or any(receipt.provider.traits.returns_key for receipt in self.dead_letters):
            yield f"dead letters: {len(self.dead_letters)}"

    def _miscounted(self) -> Iterator[str]:
        """Truth 9: the counts add up, and are those of the message rows; so are those that the breaker looks at."""
        by_campaign: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
        for message in self.messages.rows.values():
            by_campaign[message.campaign_id].update(labels_of_message(message))
        population = {
            "email": CUSTOMERS,
            "text": CUSTOMERS,
            "sns": OTHERS,
            "kept": THIRDS,
            "listed": THIRDS,
            "cancelled": 12,
            "beyond": FOURTHS,
        }
        for name, (business_id, campaign_id) in self.campaign_ids.items():
            view = self.campaign_service.get(business_id, campaign_id)
            if not adds_up(view) or view.results[MessageStatus.QUEUED]:
                yield f"{name} does not add up: {view.audience} {dict(view.results)}"
            if view.audience.matched != population[name] + (IMPORTED if name in ("email", "text") else 0):
                yield f"{name} matched {view.audience.matched}"
            counted = Counter(self.tallies.counts(campaign_id))
            if counted != by_campaign[campaign_id]:
                yield f"{name} counted {dict(counted)}, its messages are {dict(by_campaign[campaign_id])}"
        if len(self.customers.rows) != self.expected_customers:
            yield f"{len(self.customers.rows)} customers instead of {self.expected_customers}"

    def _unlearnt(self) -> Iterator[str]:
        """What the receipts say of addresses is known to the contacts, and their flags to the customers."""
        for message in self.messages.rows.values():
            key = ContactKey(message.key.business_id, message.channel, message.address)
            contact = self.contacts.get_many([key])[key]
            if message.status is MessageStatus.BOUNCED and message.key.message_id not in {
                failure.message_id for failure in contact.reachability.failures
            }:
                yield f"the bounce of {message.key} is not known to its contact"
            if message.provider_code == OPTED_OUT and Scope.ALL not in contact.consent.opted_out:
                yield f"the opt-out of {message.key} is not known to its contact"
        for stored in self.customers.rows.values():
            policy = self.businesses.get(stored.business_id).policy
            for key in stored.contact_keys:
                flag = stored.failed_email if key.channel is Channel.EMAIL else stored.failed_phone
                if flag != self.contacts.get_many([key])[key].verdict(policy).invalid:
                    yield f"the copy of the flag of {key.channel} of {stored.customer_id} is wrong"
        announced = {
            (event.channel, id_)
            for event in self.domain_events.published
            if isinstance(event, ContactInvalidated | ContactRestored | ContactOptedOut)
            for id_ in event.customer_ids
        }
        for message in self.messages.rows.values():
            about = (message.channel, message.key.customer_id)
            if message.provider_code == NO_SUCH_MAILBOX and about not in announced:
                yield f"the world was not told of the bounce of {message.key}"

    def _untold(self) -> Iterator[str]:
        """Each campaign's end and pause is told, once for the write that did it."""
        told = {event.change_id: event for event in self.domain_events.published if isinstance(event, _OF_CAMPAIGNS)}
        for changes in self.campaigns.stream.everything().values():
            for change in changes:
                moved = change.before is not None and change.before.status is not change.after.status
                expected = _OF_STATUS.get(change.after.status) if moved and not change.after.single else None
                if expected is not None and not isinstance(told.get(f"change-{change.position}"), expected):
                    yield f"the world was not told that {change.after.campaign_id} is {change.after.status}"

    def _unfinished(self) -> Iterator[str]:
        """Count, clean-up, rollback and export have come to what they should, each exactly once."""
        own = CUSTOMERS + IMPORTED - 1
        for view, wanted in zip(self.jobs_seen, ({COUNT: own}, {DELETED: len(CLEANED)}), strict=True):
            if view.job.status is not JobStatus.COMPLETED:
                yield f"job {view.job.kind} is {view.job.status}: {view.job.reason}"
            for name, number in wanted.items():
                if view.counts[-1].get(name) != number:
                    yield f"job {view.job.kind} came to {view.counts}"
        campaign = self.campaigns.get(*self.campaign_ids["text"])
        if campaign.rollback is None or not campaign.rollback.done:
            yield f"the rollback is {campaign.rollback}"
        for message in self.messages.rows.values():
            if message.campaign_id == campaign.campaign_id and message.status is MessageStatus.BOUNCED:
                key = ContactKey(message.key.business_id, message.channel, message.address)
                if message.key.message_id not in self.contacts.get_many([key])[key].reachability.voided:
                    yield f"the bounce of {message.key} still counts"
        results, files = list[list[str]](), list[list[str]]()
        for (_, name), file in self.export_store.files.items():
            (results if name.endswith("-result") else files).append(file.decode().splitlines())
        found = [json.loads(line)["customer_id"] for lines in files for line in lines]
        told = [line.split(",")[1] for lines in results for line in lines[1:]]
        if sorted(told) != [str(number) for number in range(IMPORTED)]:
            yield f"the import says of {told} what became of them"
        if self.exported is None or self.exported.job.status != "completed":
            yield "the export is not done"
        elif len(found) != len(set(found)) or len(found) != own - len(CLEANED):
            yield f"{len(found)} customers exported instead of {own - len(CLEANED)}"

    def _unheard(self) -> Iterator[str]:
        """Whoever said something was heard, from that moment on, and only in what they said."""
        for script, address, before in self.silenced:
            if address in script.addresses[before:]:
                yield f"handed over to {address} after it was told not to"
        for number, channel, scope, holds in (
            (STOPPED, Channel.SMS, Scope.ALL, True),
            (STOPPED, Channel.EMAIL, Scope.ALL, False),
            (CLICKED, Channel.EMAIL, Scope.MARKETING, True),
            (CLICKED, Channel.EMAIL, Scope.ALL, False),
            (UNCLEAR, Channel.SMS, Scope.MARKETING, False),
        ):
            key = contact_key(number, channel)
            if self.contacts.get_many([key])[key].consent.of(scope).opted_out is not holds:
                yield f"{channel} of {number} stands wrong for {scope}"
        confirmed = {e.change_id: e for e in self.domain_events.published if isinstance(e, AppointmentConfirmed)}
        if [event.appointment_id for event in confirmed.values()] != [f"a-{CONFIRMED}"]:
            yield f"confirmed: {list(confirmed.values())}"
        if self.appointments.asked(contact_key(CONFIRMED, Channel.SMS)):
            yield "the question is still open"
        if self.replies.waiting(BUSINESS_ID, 10, None).items:
            yield "a reply still waits for staff"

    def _uninterrupted(self) -> Iterator[str]:
        """What others did beside a worker has happened, at least where nobody was stopped."""
        if not self.stopped and self._interrupted != {"pause", "resume", "over"}:
            yield f"beside workers there was only {self._interrupted}"

    def _overfed(self) -> Iterator[str]:
        """Nobody got more than the cap allows, and whoever has a place there was handed something or may have been."""
        reached = {handed.key for _, handed in self._handed() if handed.went_out or isinstance(handed.result, Unknown)}
        capped = {
            key: message
            for key, message in self.messages.rows.items()
            if key.business_id == BUSINESS_ID and CAP.covers(message.category, message.channel)
        }
        given = Counter(key.customer_id for key in capped if key in reached)
        yield from (f"{customer_id} got {n} messages" for customer_id, n in given.items() if n > CAP.at_most)
        places = {
            MessageKey(business_id, customer_id, place.message_id)
            for (business_id, customer_id), known in self.frequencies.rows.items()
            for place in known.hand_overs
        }
        for key, message in capped.items():
            uncertain = message.status is MessageStatus.UNCERTAIN
            if key in places and key not in reached and not uncertain:
                yield f"a place for {message.status} {key}, which was not handed over"
            if key in reached and key not in places:
                yield f"no place for {key}"

    def _overspent(self) -> Iterator[str]:
        """A month's sum is that of its texts, each of which went out or may have; the owner is told once of each."""
        entries = self.text_ledger.rows
        for (business_id, month), counted in self.text_ledger.months.items():
            own = [e for e in entries.values() if e.name.startswith(f"{business_id}#") and e.month == month]
            if counted.used != sum(entry.segments for entry in own):
                yield f"{business_id} has used {counted.used} in {month}, and {own} are counted"
        inbound = Counter(entry.is_inbound for entry in entries.values())[True]
        if inbound != TEXTED_BACK:
            yield f"{inbound} texts that came in are counted"
        unsettled: list[str] = []
        handed = {h.key: h for p, h in self._handed() if p is not Provider.SES and h.key.business_id in PLANNED}
        for key, each in handed.items():
            may_be_out = each.went_out or isinstance(each.result, Unknown)
            entry, message = entries.get(name_of(key)), self.messages.rows[key]
            if may_be_out != (entry is not None) and message.reason != NO_RECORD:
                yield f"{each} is counted as {entry}"
            is_settled = isinstance(each.result, Accepted) and message.reason != NO_RECORD
            if is_settled and entry is not None and entry.segments != COUNTED:
                unsettled.append(f"{each} is counted as {entry}")
        if len(unsettled) > len(self.stopped):
            # Who dies between the answer and the settling leaves what was reserved.
            yield from unsettled
        known = {name_of(key) for key in handed} | {name_of(m.key) for m in self._uncertain()}
        for name in entries.keys() - known:
            if not entries[name].is_inbound:
                yield f"{entries[name]} was never handed over"
        told = Counter(subject for _, to, subject, _ in self.rebound_mail.sent if to == OWNER)
        for subject, times in told.items():
            if times > 1 + any(reached.step == "sweep_timers" for reached in self.stopped):
                yield f"the owner was told {times} times: {subject}"
        for counted in self.text_ledger.months.values():
            salon = self.businesses.get(counted.business_id)
            due = salon.text_plan is not None and salon.text_plan.status(counted.used) is not PlanStatus.OK
            if due and not any(salon.name in subject for subject in told):
                yield f"the owner was not told of {counted}"

    def _uncertain(self) -> Iterator[Message]:
        return (message for message in self.messages.rows.values() if message.status is MessageStatus.UNCERTAIN)


def phone_of(number: int) -> str:
    """The mobile number of a customer."""
    return contact_key(number, Channel.SMS).address


_OF_STATUS: Final = {CampaignStatus.PAUSED: CampaignPaused, CampaignStatus.COMPLETED: CampaignCompleted}
_OF_CAMPAIGNS: Final = (CampaignPaused, CampaignCompleted)
_NOT_HANDED: Final = frozenset({MessageStatus.EXCLUDED, MessageStatus.CANCELLED})


def _final(provider: Provider, told: Reported) -> MessageStatus:
    """The status after all receipts: a failure wins, then a delivery."""
    statuses = [
        _failed(provider, code or "") if outcome is Outcome.FAILED else STATUS_OF[outcome] for outcome, code, _ in told
    ]
    return max(statuses, key=RANKS.__getitem__)


def _failed(provider: Provider, code: str) -> MessageStatus:
    about_the_address = look_up(provider, code).failure_class.is_about_the_address
    return MessageStatus.BOUNCED if about_the_address else MessageStatus.FAILED


def played(**given: Any) -> Story:
    """The day as it went."""
    story = Story(**given)
    story.play()
    return story
