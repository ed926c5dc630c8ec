"""The breaker: a campaign that fails through our own fault, or bounces too much, stops by itself and blames nobody."""

from collections import Counter
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.domain.breaker import BOUNCE_WARNING, BOUNCES, FAULTS, deserves_a_warning, reason_to_pause
from rebound.campaigns.domain.campaigns import CampaignStatus, FinalWords, final_words
from rebound.contacts.domain.reachability import STANDARD_POLICY
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.provider_codes import FailureClass, Provider, ProviderCode, all_codes
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.labels import FAULT, FINAL, HARD_BOUNCE, counts_for_breaker, labels_of
from rebound.messages.domain.messages import MessageStatus
from rebound.sending.application.post_message import PostMessage
from rebound.sending.domain.recipients import Refused
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, GREETING, NO_SUCH_MAILBOX, SHORT_GREETING, customer
from tests.fakes.world import Chaos, World

FILTERED: Final = "30007"
NOT_REGISTERED: Final = "30034"
PAUSED_AT_AMAZON: Final = "ACCOUNT_SENDING_PAUSED"
STORM: Final = Chaos(death=0.01, duplicate=0.2, early=0.1, reminders=0.05)


# --- what counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", list(all_codes()), ids=lambda row: f"{row.provider}-{row.code}")
def test_only_our_own_faults_and_the_content_count_as_faults(row: ProviderCode) -> None:
    about_the_address = row.failure_class.is_about_the_address
    status = MessageStatus.BOUNCED if about_the_address else MessageStatus.FAILED
    labels = labels_of(status, provider=row.provider, code=row.code)

    assert (FAULT in labels) == (row.failure_class in {FailureClass.SENDER_FAULT, FailureClass.CONTENT})
    assert (HARD_BOUNCE in labels) == (
        row.provider is Provider.SES and row.code in {"Permanent/General", "Permanent/NoEmail"}
    )


@given(
    st.sampled_from(MessageStatus),
    st.sampled_from(sorted(all_codes(), key=str)),
    st.none() | st.integers(1, 3),
    st.none() | st.just("opted_out"),
)
def test_a_message_counts_as_one_thing_for_everybody_and_as_more_only_for_the_breaker(
    status: MessageStatus, row: ProviderCode, window: int | None, reason: str | None
) -> None:
    labels = labels_of(status, reason=reason, provider=row.provider, code=row.code, window=window)
    markers = {label for label in labels if label.partition("#")[0] in {FINAL, FAULT, HARD_BOUNCE}}
    handed_over = status not in {MessageStatus.QUEUED, MessageStatus.SENDING}

    assert len(labels - markers) == handed_over
    counts = Counter(labels)
    final = status in {MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.FAILED}
    assert final_words(counts, window or 0).total == final
    assert final_words(counts, (window or 0) + 1) == FinalWords()
    assert all(counts_for_breaker(label) for label in markers if not label.startswith(FINAL))
    assert not any(counts_for_breaker(label) for label in labels - markers)


@pytest.mark.parametrize(
    ("words", "pauses", "warns"),
    [
        (FinalWords(), False, False),
        (FinalWords(total=9, faults=9), False, False),
        (FinalWords(total=10, faults=10), True, False),
        (FinalWords(total=50, faults=10), True, False),
        (FinalWords(total=51, faults=10), False, False),
        (FinalWords(total=999, hard_bounces=900), False, True),
        (FinalWords(total=1000, hard_bounces=50), False, True),
        (FinalWords(total=1000, hard_bounces=51), True, True),
        (FinalWords(total=499, hard_bounces=499), False, False),
        (FinalWords(total=500, hard_bounces=10), False, True),
        (FinalWords(total=501, hard_bounces=10), False, False),
    ],
)
def test_the_thresholds(words: FinalWords, pauses: bool, warns: bool) -> None:
    assert (reason_to_pause(words) is not None) == pauses
    assert deserves_a_warning(words) == warns


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_what_pauses_for_bounces_has_deserved_a_warning_and_more_of_the_same_pauses_too(
    total: int, faults: int, bounces: int
) -> None:
    words = FinalWords(total, min(faults, total), min(bounces, total))
    if BOUNCES.is_passed_by(words.hard_bounces, words.total):
        assert BOUNCE_WARNING.is_passed_by(words.hard_bounces, words.total)
    if reason_to_pause(words) is not None:
        more = FinalWords(total + 1, words.faults + 1, words.hard_bounces + 1)
        assert reason_to_pause(more) is not None


# --- campaigns that fail through our own fault ------------------------------------------------------------------------


def posted(world: World, channel: Channel, people: int) -> str:
    world.add(*(customer(number) for number in range(1, people + 1)))
    campaign_id = world.post(channel).campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        while not world.expand_campaign(BUSINESS_ID, campaign_id, index, lambda: True):
            pass
    return campaign_id


def fails(world: World, people: int, code: str | None) -> None:
    """What becomes of everybody's message from now on; without a code it is delivered."""
    outcome = (Outcome.DELIVERED, None, 1.0) if code is None else (Outcome.FAILED, code, 1.0)
    for number in range(1, people + 1):
        one = customer(number)
        world.outcomes |= {address: (outcome,) for address in (one.email, one.mobile_phone) if address}


def view_of(world: World, campaign_id: str) -> CampaignView:
    view = world.campaign_service.get(BUSINESS_ID, campaign_id)
    assert adds_up(view)
    return view


def flagged(world: World) -> list[ContactKey]:
    return [key for key, contact in world.contacts.rows.items() if contact.verdict(STANDARD_POLICY).invalid]


@pytest.mark.parametrize("calm", [True, False])
@pytest.mark.parametrize("code", [FILTERED, NOT_REGISTERED])
def test_a_campaign_whose_texts_fail_through_our_fault_stops_flags_nobody_and_goes_on_when_it_is_mended(
    code: str, calm: bool
) -> None:
    people = 300
    world = World(seed=7)
    world.chaos = Chaos() if calm else STORM
    campaign_id = posted(world, Channel.SMS, people)
    fails(world, people, code)
    world.rest()
    view = view_of(world, campaign_id)

    assert view.campaign.status is CampaignStatus.PAUSED
    assert view.campaign.paused_because is not None
    assert "a fault of the sender or of the content" in view.campaign.paused_because
    assert 10 <= view.results[MessageStatus.FAILED] < people
    assert view.results[MessageStatus.QUEUED] > 0
    assert flagged(world) == []

    fails(world, people, None)
    resumed = world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    assert (resumed.campaign.status, resumed.campaign.paused_because) == (CampaignStatus.SENDING, None)
    done = world.run(campaign_id)
    assert adds_up(done)
    assert done.campaign.status is CampaignStatus.COMPLETED
    assert done.campaign.paused_because is None
    assert (
        done.results[MessageStatus.DELIVERED]
        >= view.results[MessageStatus.QUEUED] - done.results[MessageStatus.UNCERTAIN]
    )
    assert done.results[MessageStatus.QUEUED] == 0
    assert max(world.twilio_texter.went_out.values()) == 1


def test_a_fault_that_is_still_there_after_a_resume_stops_the_campaign_again() -> None:
    world = World()
    campaign_id = posted(world, Channel.SMS, 800)
    fails(world, 800, NOT_REGISTERED)
    world.rest()
    failed = view_of(world, campaign_id).results[MessageStatus.FAILED]
    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    world.rest()
    again = view_of(world, campaign_id)

    assert again.campaign.status is CampaignStatus.PAUSED
    assert failed + 10 <= again.results[MessageStatus.FAILED] < 800


def test_receipts_of_what_was_sent_before_the_resume_do_not_stop_it_again() -> None:
    world = World()
    campaign_id = posted(world, Channel.SMS, 200)
    fails(world, 200, NOT_REGISTERED)
    # Texts go out, their receipts wait.
    while world._send_one():
        pass
    sent = view_of(world, campaign_id)
    assert sent.campaign.status is CampaignStatus.EXPANDING
    assert len(world.receipt_queue.queue.messages) == 200
    world.steer_campaign.pause(BUSINESS_ID, campaign_id)
    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    world.rest()
    view = view_of(world, campaign_id)

    assert view.results[MessageStatus.FAILED] == 200
    assert view.campaign.status is CampaignStatus.SENDING
    assert final_words(world.tallies.counts(campaign_id), 0) == FinalWords(200, 200, 0)


def test_a_pause_that_a_person_asked_for_has_no_reason_and_the_breaker_gives_it_none() -> None:
    world = World()
    campaign_id = posted(world, Channel.SMS, 60)
    fails(world, 60, NOT_REGISTERED)
    while world._send_one():
        pass
    world.steer_campaign.pause(BUSINESS_ID, campaign_id)
    world.rest()
    view = view_of(world, campaign_id)

    assert view.results[MessageStatus.FAILED] == 60
    assert (view.campaign.status, view.campaign.paused_because) == (CampaignStatus.PAUSED, None)


def test_a_cancelled_campaign_forgets_why_it_was_paused() -> None:
    world = World()
    campaign_id = posted(world, Channel.SMS, 300)
    fails(world, 300, NOT_REGISTERED)
    world.rest()
    assert view_of(world, campaign_id).campaign.paused_because is not None
    world.steer_campaign.cancel(BUSINESS_ID, campaign_id)
    world.rest()
    view = view_of(world, campaign_id)

    assert (view.campaign.status, view.campaign.paused_because) == (CampaignStatus.CANCELLED, None)


def test_some_faults_among_many_deliveries_do_not_stop_a_campaign() -> None:
    world = World()
    campaign_id = posted(world, Channel.SMS, 200)
    fails(world, 200, None)
    for number in range(1, 200, 10):
        world.outcomes[f"+1415556{number:04d}"] = ((Outcome.FAILED, FILTERED, 1.0),)
    view = world.run(campaign_id)

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.results[MessageStatus.FAILED] == 20


# --- refused at once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calm", [True, False])
def test_a_call_that_is_refused_whole_stops_the_campaign_before_anybody_has_failed(calm: bool) -> None:
    world = World(seed=3)
    world.chaos = Chaos() if calm else STORM
    campaign_id = posted(world, Channel.EMAIL, 200)
    for number in range(1, 201):
        world.mailer.answer(f"ana{number}@example.com", Refused(PAUSED_AT_AMAZON))
    world.rest()
    view = view_of(world, campaign_id)

    assert view.campaign.status is CampaignStatus.PAUSED
    assert view.campaign.paused_because is not None
    assert PAUSED_AT_AMAZON in view.campaign.paused_because
    assert not world.mailer.went_out
    assert view.results[MessageStatus.FAILED] == 0
    if calm:
        assert world.mailer.calls == 1
        assert view.results[MessageStatus.QUEUED] == 200

    world.mailer.accept_everything()
    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    done = world.run(campaign_id)
    assert adds_up(done)
    assert done.results[MessageStatus.DELIVERED] + done.results[MessageStatus.UNCERTAIN] == 200
    assert set(world.mailer.went_out.values()) == {1}
    assert flagged(world) == []


def test_a_few_refusals_in_a_call_have_failed_and_the_rest_has_gone_out() -> None:
    world = World(ranges=1)
    campaign_id = posted(world, Channel.EMAIL, 50)
    for number in range(1, 10):
        world.mailer.answer(f"ana{number}@example.com", Refused("MAIL_FROM_DOMAIN_NOT_VERIFIED"))
    view = world.run(campaign_id)

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert (view.results[MessageStatus.FAILED], view.results[MessageStatus.DELIVERED]) == (9, 41)


def test_ten_refusals_in_a_call_stop_the_campaign_and_those_who_were_not_refused_have_it() -> None:
    world = World(ranges=1)
    campaign_id = posted(world, Channel.EMAIL, 50)
    for number in range(1, 11):
        world.mailer.answer(f"ana{number}@example.com", Refused("MAIL_FROM_DOMAIN_NOT_VERIFIED"))
    world.rest()
    view = view_of(world, campaign_id)
    assert view.campaign.status is CampaignStatus.PAUSED
    assert (view.results[MessageStatus.QUEUED], view.results[MessageStatus.DELIVERED]) == (10, 40)

    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    done = world.run(campaign_id)
    assert done.results[MessageStatus.DELIVERED] == 50
    assert set(world.mailer.went_out.values()) == {1}


@pytest.mark.parametrize("calm", [True, False])
def test_texts_that_are_refused_through_our_fault_stop_the_campaign_and_are_sent_after_a_resume(calm: bool) -> None:
    world = World(seed=5)
    world.chaos = Chaos() if calm else STORM
    campaign_id = posted(world, Channel.SMS, 100)
    for number in range(1, 101):
        world.twilio_texter.answer(f"+1415556{number:04d}", Refused("21606"))
    world.rest()
    view = view_of(world, campaign_id)
    assert view.campaign.status is CampaignStatus.PAUSED
    assert not world.twilio_texter.went_out
    if calm:
        assert len(world.twilio_texter.handed) == 10
        assert view.results[MessageStatus.QUEUED] == 100

    world.twilio_texter.accept_everything()
    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    done = world.run(campaign_id)
    assert adds_up(done)
    assert set(world.twilio_texter.went_out.values()) == {1}
    if calm:
        assert done.results[MessageStatus.DELIVERED] == 100


@given(st.integers(0, 1 << 30), st.booleans())
def test_a_few_texts_that_are_refused_have_failed_for_good(seed: int, calm: bool) -> None:
    world = World(seed=seed)
    world.chaos = Chaos() if calm else STORM
    campaign_id = posted(world, Channel.SMS, 100)
    for number in range(1, 10):
        world.twilio_texter.answer(f"+1415556{number:04d}", *[Refused("21408")] * 9)
    view = world.run(campaign_id)

    assert adds_up(view)
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert max(world.twilio_texter.went_out.values()) == 1
    assert len(world.twilio_texter.went_out) <= 91
    if calm:
        assert (view.results[MessageStatus.FAILED], view.results[MessageStatus.DELIVERED]) == (9, 91)


@pytest.mark.parametrize("channel", Channel)
def test_a_single_message_that_is_refused_has_failed(channel: Channel) -> None:
    world = World()
    world.add(customer(1))
    post: PostMessage = world.post_message
    script, code = (world.mailer, PAUSED_AT_AMAZON) if channel is Channel.EMAIL else (world.twilio_texter, "20003")
    script.answer(str(customer(1).address(channel)), Refused(code))
    message = post(
        BUSINESS_ID,
        customer_id=customer(1).customer_id,
        category=Category.REMINDER,
        channel=channel,
        content=GREETING if channel is Channel.EMAIL else SHORT_GREETING,
    )
    world.rest()

    assert world.messages.rows[message.key].status is MessageStatus.FAILED
    assert {campaign.status for campaign in world.campaigns.rows.values()} == {CampaignStatus.SENDING}


# --- bounces ----------------------------------------------------------------------------------------------------------


def test_a_campaign_that_bounces_too_much_is_warned_of_and_then_stops() -> None:
    people = 3000
    world = World(seed=1)
    campaign_id = posted(world, Channel.EMAIL, people)
    for number in range(1, people + 1, 10):
        world.outcomes[f"ana{number}@example.com"] = ((Outcome.FAILED, NO_SUCH_MAILBOX, 1.0),)
    world.rest()
    view = view_of(world, campaign_id)

    assert view.campaign.status is CampaignStatus.PAUSED
    assert view.campaign.paused_because is not None
    assert "bounced for good" in view.campaign.paused_because
    assert view.results[MessageStatus.QUEUED] > 0
    warning = view.campaign.bounce_warning
    assert warning is not None
    assert (
        500
        <= warning.total
        < 1000
        <= sum(view.results[status] for status in (MessageStatus.DELIVERED, MessageStatus.BOUNCED))
    )
    # These addresses are bad, whoever is to blame for writing to so many of them.
    assert len(flagged(world)) == view.results[MessageStatus.BOUNCED]


def test_full_mailboxes_and_texts_are_no_hard_bounces() -> None:
    world = World()
    campaign_id = posted(world, Channel.EMAIL, 1200)
    fails(world, 1200, None)
    for number in range(1, 1201, 10):
        world.outcomes[f"ana{number}@example.com"] = ((Outcome.FAILED, "Transient/MailboxFull", 1.0),)
    view = world.run(campaign_id)

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.campaign.bounce_warning is None
    assert view.results[MessageStatus.BOUNCED] == 120
    assert not FAULTS.is_passed_by(0, 1200)
