"""The log of messages: one suite against the fake and the tables."""

from copy import replace
from datetime import datetime, timedelta

import pytest

from rebound.businesses.domain.business import Barrier
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.ids import time_of
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome
from rebound.messages.domain.links import ShortLink
from rebound.messages.domain.messages import Delivery, MessageStatus
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
    contact_key,
    id_of,
    message,
    message_key,
    receipt,
)

COMPLETE = message(
    1,
    MessageStatus.BOUNCED,
    reason="bounce:mailbox_full",
    provider=Provider.SES,
    provider_id="ses-1",
    provider_code="Transient/MailboxFull",
    sent_at=at(1.000001),
    held_until=at(1),
    fell_back=2,
    variant="Long",
    opted_out_at=at(4),
    delivered_at=at(2),
    failed_at=at(3),
    goal="visit#7",
    reached_at=at(4),
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
def test_the_messages_before_an_id_come_newest_first(ports: EveryPorts, before: str | None, limit: int) -> None:
    ids = [f"01M7W6ARGFEXM6PVNM0V1C8F0{number}" for number in range(5)]
    ports.messages.record_new([message(1, key=message_key(1, id_)) for id_ in ids])
    ports.messages.record_new([message(2, key=message_key(2, ids[0]))])
    expected = [id_ for id_ in reversed(ids) if before is None or id_ < before][:limit]

    found = ports.messages.before(BUSINESS_ID, id_of(1), before, limit)
    assert [one.key for one in found] == [message_key(1, id_) for id_ in expected]


def test_messages_are_kept_whole(ports: EveryPorts) -> None:
    ports.messages.record_new([COMPLETE])
    ports.messages.record([NAMELESS])

    assert ports.messages.get_many([COMPLETE.key, NAMELESS.key, message_key(9)]) == {
        COMPLETE.key: COMPLETE,
        NAMELESS.key: NAMELESS,
    }
    assert ports.messages.get_many([]) == {}


@pytest.mark.parametrize("consistent", [True, False])
def test_any_number_of_messages_is_written_and_read_at_once(ports: EveryPorts, consistent: bool) -> None:
    many = [message(number) for number in range(130)]
    ports.messages.record_new(many)

    assert len(ports.messages.get_many([row.key for row in many] + [many[0].key], consistent=consistent)) == 130


@pytest.mark.parametrize("stored_status", list(MessageStatus))
@pytest.mark.parametrize("status", list(MessageStatus))
def test_a_record_only_raises_the_rank(ports: EveryPorts, stored_status: MessageStatus, status: MessageStatus) -> None:
    ports.messages.record_new([message(1, stored_status, reason="old")])
    new = message(1, status, reason="new")
    ports.messages.record([new])
    kept = ports.messages.get_many([new.key])[new.key]

    assert kept.reason == ("new" if new.rank > message(1, stored_status).rank else "old")


def test_a_message_is_claimed_once(ports: EveryPorts) -> None:
    queued = message(1, MessageStatus.QUEUED)

    assert ports.messages.claim(queued)
    assert not ports.messages.claim(queued)
    assert ports.messages.get_many([queued.key])[queued.key].status is MessageStatus.SENDING


def test_a_queued_message_can_be_claimed_and_a_settled_one_cannot(ports: EveryPorts) -> None:
    ports.messages.record([message(1, MessageStatus.QUEUED), message(2, MessageStatus.UNCERTAIN)])

    assert ports.messages.claim(message(1, MessageStatus.QUEUED))
    assert not ports.messages.claim(message(2, MessageStatus.QUEUED))


BY_EMAIL = message(1, MessageStatus.QUEUED, fell_back=3)


@pytest.mark.parametrize("stored", [None, *MessageStatus])
def test_only_a_text_that_no_provider_can_have_falls_back_to_email(
    ports: EveryPorts, stored: MessageStatus | None
) -> None:
    text = message(1, MessageStatus.QUEUED, channel=Channel.SMS, address="+14155560001")
    if stored is not None:
        ports.messages.record_new([replace(text, status=stored)])
    fell_back = ports.messages.fall_back(BY_EMAIL)

    assert fell_back is (stored in (None, MessageStatus.QUEUED))
    kept = ports.messages.get_many([text.key])[text.key]
    assert kept == (BY_EMAIL if fell_back else replace(text, status=stored or MessageStatus.QUEUED))


def test_a_message_falls_back_in_one_attempt_and_can_be_claimed_by_no_text_then(ports: EveryPorts) -> None:
    text = message(1, MessageStatus.QUEUED, channel=Channel.SMS, address="+14155560001")

    assert ports.messages.fall_back(BY_EMAIL)
    assert ports.messages.fall_back(BY_EMAIL)
    assert not ports.messages.fall_back(replace(BY_EMAIL, fell_back=4))
    assert not ports.messages.claim(text)
    assert ports.messages.get_many([text.key]) == {text.key: BY_EMAIL}


def test_a_claim_that_is_taken_back_can_be_taken_again(ports: EveryPorts) -> None:
    queued = message(1, MessageStatus.QUEUED)
    ports.messages.claim(queued)
    ports.messages.release(queued.key)
    assert ports.messages.get_many([queued.key])[queued.key] == queued
    assert ports.messages.claim(queued)


@pytest.mark.parametrize("status", [MessageStatus.QUEUED, MessageStatus.UNCERTAIN, MessageStatus.DELIVERED])
def test_only_a_claim_is_released(ports: EveryPorts, status: MessageStatus) -> None:
    ports.messages.record([message(1, status)])
    ports.messages.release(message_key(1))
    ports.messages.release(message_key(2))

    assert ports.messages.get_many([message_key(1), message_key(2)]) == {message_key(1): message(1, status)}


def test_a_message_is_advanced_from_what_was_read_and_others_are_named(ports: EveryPorts) -> None:
    first, second, absent = message(1), message(2), message(3)
    ports.messages.record([first, second])
    ports.messages.record([replace(second, status=MessageStatus.DELIVERED, delivered_at=at(1))])
    bounced = [replace(row, status=MessageStatus.BOUNCED, failed_at=at(2)) for row in (first, second, absent)]
    lost = ports.messages.advance(list(zip((first, second, absent), bounced, strict=True)))

    assert list(lost) == [second.key, absent.key]
    rows = ports.messages.get_many([first.key, second.key, absent.key])
    assert rows[first.key] == bounced[0]
    assert rows[second.key].status is MessageStatus.DELIVERED
    assert absent.key not in rows


def test_a_failure_that_a_delivery_outdoes_stands_between_sent_and_delivered(ports: EveryPorts) -> None:
    doubtful = message(
        1, MessageStatus.BOUNCED, provider=Provider.SES, provider_code="Transient/General/NoReport", failed_at=at(3)
    )
    delivered = doubtful.after(receipt(Outcome.DELIVERED, 1))
    ports.messages.record([doubtful])
    ports.messages.record([message(1, MessageStatus.SENT)])
    assert ports.messages.get_many([doubtful.key]) == {doubtful.key: doubtful}
    assert list(ports.messages.advance([(doubtful, delivered)])) == []
    ports.messages.record([doubtful])
    assert ports.messages.get_many([doubtful.key]) == {doubtful.key: delivered}


@pytest.mark.parametrize("changed", [{"delivered_at": at(5)}, {"failed_at": at(5)}, {"provider_id": "x"}])
def test_an_advance_sees_every_change_that_a_receipt_can_make(ports: EveryPorts, changed: dict[str, object]) -> None:
    before = message(1)
    ports.messages.record_new([replace(before, **changed)])  # type: ignore[arg-type]

    assert list(ports.messages.advance([(before, replace(before, status=MessageStatus.BOUNCED))])) == [before.key]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_client_log_comes_newest_first_in_pages(ports: EveryPorts, limit: int) -> None:
    ids = [f"01M7W6C380000000000000000{n}" for n in range(5)]
    ports.messages.record_new([message(1, key=message_key(1, name)) for name in ids] + [message(2)])
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = ports.messages.page(BUSINESS_ID, id_of(1), limit, cursor)
        assert len(page.items) <= limit
        seen.extend(row.key.message_id for row in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids[::-1]


def test_deliveries_are_those_to_this_address_by_these_customers_after_the_time(ports: EveryPorts) -> None:
    shared = "ana1@example.com"

    def delivered(number: int, name: str, seconds: float, **given: object) -> None:
        key = MessageKey(BUSINESS_ID, id_of(number), name)
        row = message(1, MessageStatus.DELIVERED, key=key, address=shared, delivered_at=at(seconds), **given)
        ports.messages.record_new([row])

    delivered(1, "late", 20)
    delivered(2, "too", 10.000001)
    delivered(1, "same instant", 10)
    delivered(3, "somebody else's", 20)
    delivered(1, "text", 20, channel=Channel.SMS)
    ports.messages.record_new(
        [message(1, key=message_key(1, "elsewhere"), address="x@example.com", delivered_at=at(30))]
    )
    ports.messages.record_new([message(1, key=message_key(1, "not yet"), address=shared)])
    found = ports.messages.deliveries(contact_key(1), [id_of(1), id_of(2)], after=at(10))

    assert set(found) == {Delivery("late", at(20)), Delivery("too", at(10.000001))}
    assert not list(ports.messages.deliveries(contact_key(1), [], after=at(0)))


def test_a_provider_id_leads_to_its_message(ports: EveryPorts) -> None:
    ports.messages.remember_provider_id(Provider.SNS, "sns-1", message_key(1))

    assert ports.messages.find_by_provider_id(Provider.SNS, "sns-1") == message_key(1)
    assert ports.messages.find_by_provider_id(Provider.SNS, "sns-2") is None
    assert ports.messages.find_by_provider_id(Provider.TWILIO, "sns-1") is None


def test_an_address_is_forgotten_in_the_messages_of_one_customer_and_nothing_else(ports: EveryPorts) -> None:
    key = contact_key(1)
    others = replace(message(3), address="other@example.com")
    ports.messages.record([message(1), message(2), others])
    ports.messages.forget(key, id_of(1), "sealed")
    ports.messages.forget(key, id_of(1), "sealed again")
    found = ports.messages.get_many([message(n).key for n in (1, 2, 3)])

    assert found[message(1).key] == replace(message(1), address=key.hashed.address, sealed="sealed")
    assert (found[message(2).key], found[others.key]) == (message(2), others)


def test_a_receipt_that_was_read_before_an_address_was_forgotten_does_not_bring_it_back(ports: EveryPorts) -> None:
    ports.messages.record([message(1)])
    [read] = ports.messages.get_many([message(1).key]).values()
    ports.messages.forget(read.contact, id_of(1), "sealed")
    after = read.after(receipt(Outcome.DELIVERED, 1, address=read.address))

    assert ports.messages.advance([(read, after)]) == [read.key]
    [stored] = ports.messages.get_many([read.key]).values()
    told = stored.after(receipt(Outcome.DELIVERED, 1, address=read.address.upper()))
    assert ports.messages.advance([(stored, told)]) == []
    [final] = ports.messages.get_many([read.key]).values()
    assert (final.status, final.contact, final.sealed) == (MessageStatus.DELIVERED, read.contact.hashed, "sealed")


def test_the_code_of_a_short_link_leads_to_its_token_and_no_other_does(ports: EveryPorts) -> None:
    one, other = ShortLink("a" * 16, "https://…", "token-1"), ShortLink("b" * 16, "https://…", "token-2")
    for link in (one, other, one):
        ports.short_links.keep(link)

    assert [ports.short_links.token_of(code) for code in ("a" * 16, "b" * 16, "c" * 16, "")] == [
        "token-1",
        "token-2",
        None,
        None,
    ]


EARLIER, LATER = "01M7W6ARGFEXM6PVNM0V1C8F00", "01M7ZRJC3805FEE6AD6R1F2WA0"


def test_messages_with_goals_are_those_of_a_customer_since_a_time(ports: EveryPorts) -> None:
    with_goal = [message(1, key=message_key(1, id_), goal="visit#7") for id_ in (EARLIER, LATER)]
    others = [message(1), message(2, key=message_key(2, LATER), goal="visit#7")]
    ports.messages.record_new([*with_goal, *others])

    found = {
        since: {one.key for one in ports.messages.with_goals(BUSINESS_ID, id_of(1), since)}
        for since in (time_of(EARLIER) - timedelta(seconds=1), time_of(EARLIER), time_of(LATER))
    }
    assert list(found.values()) == [{each.key for each in with_goal}, {with_goal[1].key}, set()]


def test_that_a_goal_was_reached_is_written_beside_what_receipts_say(ports: EveryPorts) -> None:
    sent = message(1, goal="visit#7")
    ports.messages.record_new([sent])
    delivered = replace(sent, status=MessageStatus.DELIVERED, delivered_at=at(2))
    assert not ports.messages.advance([(sent, delivered)])
    ports.messages.reach(sent, at(9))
    again = replace(delivered, delivered_at=at(1))

    assert ports.messages.advance([(delivered, again)]) == [sent.key]
    assert ports.messages.get_many([sent.key])[sent.key] == replace(delivered, reached_at=at(9))
    ports.messages.reach(replace(sent, reached_at=at(9)), None)
    assert ports.messages.get_many([sent.key])[sent.key] == delivered


@pytest.mark.parametrize("read", [None, at(8)])
def test_a_goal_that_somebody_has_written_since_is_not_written(ports: EveryPorts, read: datetime | None) -> None:
    ports.messages.record_new([message(1, goal="visit#7", reached_at=at(9)), message(2)])

    for each in (message(1, goal="visit#7", reached_at=read), message(2, reached_at=read), message(3)):
        with pytest.raises(ConcurrentChangeError):
            ports.messages.reach(each, at(7))
    kept = ports.messages.get_many([message_key(number) for number in (1, 2, 3)])
    assert {key: each.reached_at for key, each in kept.items()} == {message_key(1): at(9), message_key(2): None}


def test_the_first_opt_out_by_a_message_of_a_variant_is_kept_and_nothing_for_any_other(ports: EveryPorts) -> None:
    variant, plain = message(1, MessageStatus.SENT, variant="Long"), message(2, MessageStatus.SENT)
    ports.messages.record_new([variant, plain])
    for each in (variant, plain, message(3)):
        ports.messages.opt_out(each.key, at(5))
        ports.messages.opt_out(each.key, at(6))

    assert ports.messages.get_many([variant.key, plain.key, message_key(3)]) == {
        variant.key: replace(variant, opted_out_at=at(5)),
        plain.key: plain,
    }


def test_a_receipt_that_was_read_before_an_opt_out_does_not_take_it_back(ports: EveryPorts) -> None:
    before = message(1, MessageStatus.SENT, variant="Long")
    ports.messages.record_new([before])
    ports.messages.opt_out(before.key, at(5))
    after = before.after(receipt(Outcome.DELIVERED))

    assert ports.messages.advance([(before, after)]) == [before.key]
    assert ports.messages.get_many([before.key])[before.key].opted_out_at == at(5)
