"""Claim before send, decide again, and never hand over twice what may have gone out."""

import re
from copy import replace
from datetime import timedelta

import pytest

from rebound.businesses.domain.business import EMAIL_ACCOUNT, TextAnswers
from rebound.campaigns.domain.chunks import Chunk, ChunkKey, ChunkState
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.contacts.domain.suppressions import LISTED_BOUNCE
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ComeAgainError, ConcurrentChangeError, InvalidInputError, NotAnsweredError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.links import Link, Purpose, read_token
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import SHORTEST_STOP, Lane, Stop, Throttled
from rebound.sending.application.chunk_lifecycle import LEASE, ChunkHeldError
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.sending.domain.outcomes import AFTER_A_STOP
from rebound.sending.domain.recipients import ACCESS_DENIED, Refused, Unknown
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.footers import footer_words
from rebound.templates.domain.rendering import check_content
from tests.contract.messages.fakes import PUBLIC_URL
from tests.fakes.making import BUSINESS_ID, at, business, contact_key, customer, id_of
from tests.fakes.watching import WorkerDiedError
from tests.fakes.world import World, always


class Sending:
    """A world with one chunk of a campaign on its queue."""

    def __init__(self, channel: Channel = Channel.EMAIL, recipients: int = 3, **given: object) -> None:
        self.world = World(ranges=1)
        self.channel = channel
        self.world.add(*(customer(n) for n in range(1, recipients + 1)))
        self.campaign_id = self.world.post(channel, **given).campaign.campaign_id
        self.world.plan_campaign(BUSINESS_ID, self.campaign_id)
        self.world.expand_campaign(BUSINESS_ID, self.campaign_id, 0, always)
        self.key = ChunkKey(BUSINESS_ID, self.campaign_id, "chunk#000#0000000")
        self.task = ChunkTask(self.key, recipients, Lane.BULK)
        self.script = self.world.mailer if channel is Channel.EMAIL else self.world.twilio_texter

    def send(self, owner: str = "worker-1") -> None:
        if self.channel is Channel.EMAIL:
            self.world.send_email(self.task, owner)
        else:
            self.world.send_text(self.task, owner, always)

    def die_at(self, where: str, times: int = 1) -> None:
        """Send with a worker that dies at the nth checkpoint of this name."""
        seen = 0

        def checkpoint(name: str) -> None:
            nonlocal seen
            seen += name == where
            if seen == times and name == where:
                raise WorkerDiedError

        self.world.checkpoint = checkpoint
        with pytest.raises(WorkerDiedError):
            self.send("worker-that-dies")
        self.world.checkpoint = lambda _: None

    def after_the_lease(self) -> None:
        self.world.clock.move(LEASE + timedelta(seconds=1))
        self.send("worker-2")

    @property
    def chunk(self) -> Chunk:
        return self.world.chunks.rows[self.campaign_id, self.key.chunk]

    def message(self, number: int) -> Message | None:
        message_id = self.world.campaigns.get(BUSINESS_ID, self.campaign_id).message_id(id_of(number))
        return self.world.messages.rows.get(MessageKey(BUSINESS_ID, id_of(number), message_id))

    def statuses(self) -> dict[int, str]:
        return {n: str(message.status) for n in range(1, 9) if (message := self.message(n)) is not None}


CHANNELS = pytest.mark.parametrize("channel", list(Channel))


@CHANNELS
def test_every_recipient_gets_their_own_message(channel: Channel) -> None:
    sending = Sending(channel)
    sending.send()

    assert {handed.body.split("\n")[0] for handed in sending.script.handed} == {"Hi Ana1", "Hi Ana2", "Hi Ana3"}
    assert sending.statuses() == {1: "sent", 2: "sent", 3: "sent"}
    assert sending.chunk.state is ChunkState.DONE
    assert all(n is not None for n in [sending.message(1)])


@pytest.mark.parametrize("category", Category)
def test_every_email_carries_its_recipients_own_links(category: Category) -> None:
    sending = Sending(category=category)
    sending.send()
    keys = sending.world.link_keyring.keys()

    for number, email in enumerate(sorted(sending.world.mailer.emails, key=lambda email: email.to), 1):
        sent = sending.message(number)
        assert sent is not None
        urls = {purpose: re.findall(rf"{PUBLIC_URL}/v1/{purpose}/([\w-]+)", email.content.text) for purpose in Purpose}
        [preferences] = urls[Purpose.PREFERENCES]
        link = Link.to(Purpose.PREFERENCES, contact_key(number), sent.key)
        assert read_token(preferences, Purpose.PREFERENCES, keys) == link
        assert preferences in email.content.html
        if category.traits.scope is not Scope.ALL:
            token = email.headers["List-Unsubscribe"].rpartition("/")[2].removesuffix(">")
            # What sells offers it in the footer too; the footer of the others leads to the page with the same switch.
            assert urls[Purpose.UNSUBSCRIBE] == [token] * category.is_promotional
            link = Link.to(Purpose.UNSUBSCRIBE, contact_key(number), sent.key, category.traits.scope)
            assert read_token(token, Purpose.UNSUBSCRIBE, keys) == link
            assert email.headers == {
                "List-Unsubscribe": f"<{PUBLIC_URL}/v1/unsubscribe/{token}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        else:
            assert (urls[Purpose.UNSUBSCRIBE], email.headers) == ([], {})


@pytest.mark.parametrize("category", Category)
def test_the_link_to_unsubscribe_may_stand_wherever_mail_programs_offer_it(category: Category) -> None:
    says = EmailContent("Hi", '<p><a href="##{{unsubscribe_url}}">Off</a></p>', "Off: ##{{unsubscribe_url}}")
    if category.traits.scope is Scope.ALL:
        with pytest.raises(InvalidInputError, match="unsubscribe_url"):
            check_content(says, category)
        return
    check_content(says, category)
    sending = Sending(category=category, content=says)
    sending.send()
    for email in sending.world.mailer.emails:
        offered = email.headers["List-Unsubscribe"].strip("<>")
        assert email.content.text.startswith(f"Off: {offered}")
        assert f'<a href="{offered}">Off</a>' in email.content.html
    assert len(sending.world.mailer.emails) == 3


def test_every_email_ends_in_its_recipients_own_language() -> None:
    sending = Sending()
    for number, language in ((1, "de"), (2, "pt")):
        sending.world.customer_service.change(BUSINESS_ID, id_of(number), {"language": language})
    sending.world.businesses.replace(
        replace(sending.world.businesses.get(BUSINESS_ID), text_answers=TextAnswers(language="es"))
    )
    sending.send()
    emails = sorted(sending.world.mailer.emails, key=lambda email: email.to)

    for email, language in zip(emails, ("de", "pt", "es"), strict=True):
        assert footer_words(language).choose in email.content.text
        assert f'<div lang="{language}"' in email.content.html


@CHANNELS
def test_a_chunk_that_is_done_is_not_sent_again(channel: Channel) -> None:
    sending = Sending(channel)
    sending.send()
    sending.send("worker-2")

    assert len(sending.script.handed) == 3


@CHANNELS
def test_a_chunk_that_another_worker_holds_is_left_to_them(channel: Channel) -> None:
    sending = Sending(channel)
    sending.world.chunks.claim(sending.key, "other", sending.world.clock.now(), timedelta(seconds=90))
    with pytest.raises(ChunkHeldError):
        sending.send()

    assert sending.script.handed == []


@CHANNELS
def test_a_worker_that_dies_before_the_mark_leaves_a_chunk_that_is_simply_redone(channel: Channel) -> None:
    sending = Sending(channel)
    sending.die_at("chunks.mark")
    assert sending.script.handed == []
    sending.after_the_lease()

    assert set(sending.statuses().values()) == {"sent"}
    assert len(sending.script.handed) == 3


def test_a_worker_that_dies_after_handing_emails_over_leaves_them_uncertain_and_never_sent_again() -> None:
    sending = Sending()
    sending.die_at("mailer.send", times=2)
    sending.after_the_lease()

    assert len(sending.script.handed) == 3
    assert sending.statuses() == {1: "uncertain", 2: "uncertain", 3: "uncertain"}
    assert sending.chunk.state is ChunkState.DONE


def test_a_worker_that_dies_after_the_mark_and_before_the_call_makes_uncertain_too_because_nobody_knows() -> None:
    sending = Sending()
    sending.die_at("mailer.send", times=1)
    sending.after_the_lease()

    assert sending.script.handed == []
    assert set(sending.statuses().values()) == {"uncertain"}


def test_a_worker_that_dies_after_recording_leaves_what_is_recorded() -> None:
    sending = Sending()
    sending.die_at("chunks.finish")
    sending.after_the_lease()

    assert set(sending.statuses().values()) == {"sent"}
    assert len(sending.script.handed) == 3


def test_a_worker_that_dies_at_its_second_text_leaves_one_uncertain_and_the_rest_is_sent() -> None:
    sending = Sending(Channel.SMS)
    sending.die_at("twilio_texter.send", times=4)
    sending.after_the_lease()
    assert sorted(sending.statuses().values()) == ["sent", "uncertain"]
    sending.send("worker-3")
    statuses = list(sending.statuses().values())

    assert sorted(statuses) == ["sent", "sent", "uncertain"]
    assert len(sending.script.handed) == 3
    assert set(sending.script.went_out.values()) == {1}


@CHANNELS
def test_what_a_dead_worker_left_is_settled_although_nothing_may_be_sent_today(channel: Channel) -> None:
    """Receipts of what went out come again for a quarter of an hour; the day's quota may be used up for longer."""
    sending = Sending(channel)
    sending.die_at("mailer.send" if channel is Channel.EMAIL else "twilio_texter.send", times=2)
    handed = len(sending.script.handed)
    account = EMAIL_ACCOUNT if channel is Channel.EMAIL else business().text_account
    now = sending.world.clock.now()
    sending.world.rates.stop(account.name, Stop(now, now + timedelta(hours=9)))
    sending.after_the_lease()

    assert [status for status in sending.statuses().values() if status != "uncertain"] == []
    assert len(sending.statuses()) == handed == len(sending.script.handed)
    sending.send("worker-3")
    assert len(sending.script.handed) == handed


@CHANNELS
def test_a_message_too_many_of_a_chunk_that_is_put_back_meanwhile_hands_nothing_over(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender has put it back for a later turn after the message was seen to need none, and before the claim."""
    sending = Sending(channel)
    account = EMAIL_ACCOUNT if channel is Channel.EMAIL else business().text_account
    now = sending.world.clock.now()
    sending.world.rates.stop(account.name, Stop(now, now + timedelta(hours=9)))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(sending.world.chunks, "state", lambda _: ChunkState.SENDING)
        sending.send()

    assert sending.script.handed == []
    assert (sending.chunk.state, len(sending.chunk.remaining)) == (ChunkState.PENDING, 3)
    assert sending.world.chunk_queue.delays[-1] == timedelta()
    sending.world.clock.move(timedelta(hours=9))
    sending.send("worker-2")
    assert len(sending.script.handed) == 3


@CHANNELS
def test_a_lease_that_is_over_stops_a_slow_worker_before_the_provider_is_called(channel: Channel) -> None:
    sending = Sending(channel)
    slow = sending.world.chunks.claim(sending.key, "slow", sending.world.clock.now(), timedelta(seconds=90))[1]
    sending.world.clock.move(timedelta(seconds=91))
    with pytest.raises(ConcurrentChangeError):
        sending.world.chunks.mark(slow, sending.world.clock.now())


@CHANNELS
def test_only_those_who_were_throttled_are_tried_again_and_later(channel: Channel) -> None:
    sending = Sending(channel)
    throttled = customer(2).address(channel) or ""
    sending.script.answer(throttled, Throttled("ACCOUNT_THROTTLED"))
    sending.send()
    first = list(sending.script.addresses)
    sending.world.clock.move(timedelta(seconds=5))
    sending.send("worker-2")

    assert sending.world.chunk_queue.delays[-1] == timedelta(seconds=2)
    assert sending.chunk.state is ChunkState.DONE
    assert sending.script.addresses.count(throttled) == 2
    assert set(sending.script.went_out.values()) == {1}
    assert throttled in first
    assert set(sending.statuses().values()) == {"sent"}


@CHANNELS
def test_a_used_up_daily_quota_is_waited_for_at_the_door(channel: Channel) -> None:
    sending = Sending(channel)
    sending.script.answer(customer(1).address(channel) or "", Throttled("ACCOUNT_DAILY_QUOTA_EXCEEDED", daily=True))
    sending.send()

    assert sending.world.chunk_queue.delays[-1] == AFTER_A_STOP
    sending.world.clock.move(AFTER_A_STOP)
    sending.send("worker-2")
    assert sending.world.chunk_queue.delays[-1] == SHORTEST_STOP - AFTER_A_STOP
    assert sending.chunk.attempts == 1


@CHANNELS
def test_an_answer_that_never_came_is_uncertain_and_not_tried_again(channel: Channel) -> None:
    sending = Sending(channel)
    sending.script.answer(customer(1).address(channel) or "", Unknown("ReadTimeoutError"))
    sending.send()
    row = sending.message(1)

    assert row is not None
    assert (row.status, row.reason) == (MessageStatus.UNCERTAIN, "no_answer_from_provider")
    assert sending.chunk.state is ChunkState.DONE


def test_an_email_that_is_refused_has_failed_with_the_tables_reason_and_is_nobodys_flag() -> None:
    sending = Sending()
    sending.script.answer("ana1@example.com", Refused("MESSAGE_REJECTED", "details"))
    sending.send()
    row = sending.message(1)

    assert row is not None
    assert (row.status, row.reason, row.provider_code) == (MessageStatus.FAILED, "content:rejected", "MESSAGE_REJECTED")
    assert not sending.world.contacts.rows[contact_key(1)].reachability.failures


def test_a_text_that_is_refused_for_its_number_comes_back_as_a_receipt_that_flags() -> None:
    sending = Sending(Channel.SMS)
    sending.script.answer("+14155560001", Refused("21211", "The 'To' number is not valid."))
    sending.send()
    sending.world.rest()
    row, contact = sending.message(1), sending.world.contacts.rows[contact_key(1, Channel.SMS)]

    assert row is not None
    assert (row.status, row.provider, row.provider_code) == (MessageStatus.BOUNCED, Provider.TWILIO, "21211")
    assert [failure.code for failure in contact.reachability.failures] == ["21211"]


@CHANNELS
def test_a_stop_that_comes_before_the_send_is_honoured(channel: Channel) -> None:
    sending = Sending(channel, category=Category.REMINDER)
    stop = ConsentEvidence(at(0), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER)
    sending.world.know(contact_key(2, channel), stop)
    sending.send()

    assert sending.statuses() == {1: "sent", 2: "excluded", 3: "sent"}
    assert (customer(2).address(channel) or "") not in sending.script.addresses


@CHANNELS
def test_whoever_was_left_out_by_a_worker_that_died_stays_left_out_and_counted(channel: Channel) -> None:
    sending = Sending(channel, category=Category.REMINDER)
    for number in (1, 2, 3):
        stop = ConsentEvidence(at(0), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER)
        sending.world.know(contact_key(number, channel), stop)
    sending.die_at("chunks.finish")
    start = ConsentEvidence(at(60), Scope.ALL, opted_out=False, source=ConsentSource.PROVIDER)
    sending.world.know(contact_key(2, channel), start)
    sending.after_the_lease()
    sending.world.pump_streams()
    view = sending.world.campaign_service.get(BUSINESS_ID, sending.campaign_id)

    assert sending.statuses() == {1: "excluded", 2: "excluded", 3: "excluded"}
    assert sending.chunk.state is ChunkState.DONE
    assert not sending.script.addresses
    assert (dict(view.audience.excluded), view.audience.targeted) == ({"opted_out": 3}, 0)
    assert view.results[MessageStatus.QUEUED] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [("##{{first_name}}" * 100, "sent"), ("##{{gender}}", "excluded"), ("##{{first_name}}" * 500, "excluded")],
)
def test_a_text_that_comes_out_empty_or_too_long_is_left_out_and_never_sent(body: str, status: str) -> None:
    sending = Sending(Channel.SMS, recipients=1, content=TextContent(body))
    sending.send()
    row = sending.message(1)

    assert row is not None
    assert row.status == status
    assert len(sending.script.handed) == (status == "sent")
    assert row.reason == (None if status == "sent" else "cannot_render")


def test_a_worker_that_is_out_of_time_puts_the_rest_back_at_once() -> None:
    sending = Sending(Channel.SMS)
    looks = iter([True, False])
    sending.world.send_text(sending.task, "worker-1", lambda: next(looks))

    assert len(sending.script.handed) == 1
    assert len(sending.chunk.remaining) == 2
    assert sending.world.chunk_queue.delays[-1] == timedelta()
    sending.send("worker-2")
    assert set(sending.script.went_out.values()) == {1}
    assert len(sending.script.handed) == 3


def test_a_text_over_sns_is_remembered_by_the_id_that_sns_gave() -> None:
    sending = Sending(Channel.SMS, recipients=1)
    world = sending.world
    world.businesses.replace(business(text_provider=Provider.SNS, text_from=None))
    sending.send()
    row = sending.message(1)

    assert row is not None
    assert world.messages.find_by_provider_id(Provider.SNS, row.provider_id or "") == row.key


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_to_one_person_that_aws_denies_comes_again_until_somebody_has_mended_the_role(
    channel: Channel,
) -> None:
    world = World(business(text_provider=Provider.SNS))
    world.add(customer(1))
    script = world.mailer if channel is Channel.EMAIL else world.texter(Provider.SNS)
    denied = Refused(ACCESS_DENIED)
    script.answer(
        "ana1@example.com" if channel is Channel.EMAIL else customer(1).address(channel) or "", denied, denied
    )
    content = EmailContent("Hi", text="Hi") if channel is Channel.EMAIL else TextContent("Hi")
    world.post_message(
        BUSINESS_ID, customer_id=id_of(1), category=Category.TRANSACTIONAL, channel=channel, content=content
    )
    world.rest()
    (after,) = world.read_client_log(BUSINESS_ID, id_of(1), 10, None).items

    assert [handed.result for handed in script.handed[:2]] == [denied, denied]
    assert after.status is MessageStatus.DELIVERED


def test_one_message_to_one_person_goes_out_and_stands_in_the_client_log_before_and_after() -> None:
    world = World()
    world.add(customer(1))
    queued = world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.ONE_TO_ONE,
        channel=Channel.SMS,
        content=TextContent("Hi ##{{first_name}}"),
    )
    before = world.read_client_log(BUSINESS_ID, id_of(1), 10, None).items
    world.rest()
    (after,) = world.read_client_log(BUSINESS_ID, id_of(1), 10, None).items

    assert [row.status for row in before] == [queued.status] == [MessageStatus.QUEUED]
    assert (after.key, after.status, after.campaign_id) == (queued.key, MessageStatus.DELIVERED, None)
    assert [handed.body for handed in world.twilio_texter.handed] == ["Hi Ana1"]
    assert world.campaign_service.page(BUSINESS_ID, 10, None).items == []


def test_the_same_request_for_a_message_tried_again_is_one_message() -> None:
    world = World()
    world.add(customer(1))
    posted = [
        world.post_message(
            BUSINESS_ID,
            customer_id=id_of(1),
            category=Category.ONE_TO_ONE,
            channel=Channel.SMS,
            content=TextContent("Hi"),
            request="r-1",
        ).key
        for _ in range(3)
    ]
    world.rest()

    assert len(set(posted)) == 1
    assert len(world.twilio_texter.handed) == 1


# --- the provider's suppression list ----------------------------------------------------------------------------------

GONE = "Permanent/NoEmail"


def flagged_sending(recipients: int, flagged: int) -> Sending:
    """A campaign that is sent in spite of flags; the first customers are flagged."""
    sending = Sending(recipients=recipients, exclude_failed=False)
    for number in range(1, flagged + 1):
        sending.world.know(contact_key(number), Failure(at(-9), f"m{number}", Provider.SES, GONE))
    return sending


def test_who_is_sent_to_in_spite_of_a_flag_comes_off_the_suppression_list_first() -> None:
    sending = flagged_sending(3, 1)
    sending.world.suppressions.put("ana1@example.com", "BOUNCE")
    sending.world.suppressions.put("ana2@example.com", "BOUNCE")
    sending.send()

    assert set(sending.world.suppressions.entries) == {"ana2@example.com"}
    assert sending.statuses() == {1: "sent", 2: "sent", 3: "sent"}
    assert sending.world.suppressions.calls == {"get": 1, "remove": 1}


def test_a_complaint_stays_on_the_list() -> None:
    sending = flagged_sending(1, 1)
    sending.world.suppressions.put("ana1@example.com", "COMPLAINT")
    sending.send()

    assert set(sending.world.suppressions.entries) == {"ana1@example.com"}
    assert sending.statuses() == {1: "sent"}


def test_who_is_not_flagged_costs_no_call() -> None:
    sending = flagged_sending(3, 0)
    sending.send()

    assert sending.world.suppressions.calls == {}


@pytest.mark.parametrize("listed", [True, False])
def test_what_is_always_tried_is_looked_up_only_when_the_flag_rests_on_an_entry(listed: bool) -> None:
    sending = Sending(recipients=1, category=Category.REMINDER)
    code = LISTED_BOUNCE if listed else GONE
    sending.world.know(contact_key(1), Failure(at(-9), None, Provider.SES, code))
    sending.world.suppressions.put("ana1@example.com", "BOUNCE")
    sending.send()

    assert sending.statuses() == {1: "sent"}
    assert bool(sending.world.suppressions.entries) is not listed


def test_those_for_whom_there_is_no_time_come_again_and_the_others_go_out_once() -> None:
    sending = flagged_sending(50, 40)
    for number in range(1, 41):
        sending.world.suppressions.put(f"ana{number}@example.com", "BOUNCE")
    sending.send()

    first = len(sending.world.mailer.handed)
    assert 10 < first < 50
    assert sending.chunk.state is ChunkState.PENDING
    sending.world.rest()
    assert set(sending.world.mailer.went_out.values()) == {1}
    assert len(sending.world.mailer.handed) == 50
    assert sending.world.suppressions.entries == {}


def test_a_list_that_throttles_holds_back_only_the_flagged_and_one_that_refuses_nobody() -> None:
    sending = flagged_sending(3, 1)
    sending.world.suppressions.troubles = [ComeAgainError()] * 99
    sending.send()
    assert sending.world.mailer.addresses == ["ana2@example.com", "ana3@example.com"]
    sending.world.suppressions.troubles = [NotAnsweredError("AccessDeniedException")]
    sending.world.clock.move(timedelta(minutes=5))
    sending.send("worker-2")

    assert sending.world.mailer.addresses == ["ana2@example.com", "ana3@example.com", "ana1@example.com"]
    assert sending.world.suppressions.missed == ["AccessDeniedException"]
