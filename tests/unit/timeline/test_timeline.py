"""Everything that happened with a customer stands in one list, once, newest first, whatever the pages are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.history import ConsentStated, FlagChanged, HistoryEntry, place_of
from rebound.contacts.domain.replies import Keyword, Meaning, Reply
from rebound.customers.domain import PointsBooked, ProfileEvent
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.ids import time_of
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.messages import Message
from rebound.sequences.domain.what_next import InSequence
from rebound.templates.domain.content import TextContent
from rebound.timeline.application.read_timeline import Happened, Timeline
from rebound.timeline.domain import sentence_of_consent
from rebound.timeline.http import TimelineAnswer
from tests.contract.platform.fakes import SeededIds
from tests.fakes import strategies
from tests.fakes.making import BUSINESS_ID, at, business, customer, id_of, message, message_key
from tests.fakes.world import World

NUMBER = "+14155560001"
OLD_NUMBER = "+14155569999"
TEXTED = ContactKey(BUSINESS_ID, Channel.SMS, NUMBER)
LEFT = ContactKey(BUSINESS_ID, Channel.SMS, OLD_NUMBER)
MAILED = ContactKey(BUSINESS_ID, Channel.EMAIL, "ana1@example.com")


def salon(*others: Any, **given: Any) -> World:
    world = World(business(**given))
    world.add(customer(1, mobile_phone=OLD_NUMBER), *others)
    world.customer_service.change(BUSINESS_ID, id_of(1), {"mobile_phone": NUMBER})
    return world


def log_of(world: World, limit: int = 100, cursor: str | None = None) -> Timeline:
    return world.read_timeline(BUSINESS_ID, id_of(1), limit, cursor)


def sentences(timeline: Timeline) -> list[str]:
    return [entry.sentence for entry in TimelineAnswer.of(timeline, {}).items]


def whole(world: World, limit: int = 7) -> list[Happened]:
    """All pages put together."""
    found: list[Happened] = []
    cursor: str | None = None
    while True:
        page = log_of(world, limit, cursor).entries
        assert len(page.items) <= limit
        found, cursor = [*found, *page.items], page.next_cursor
        if cursor is None:
            return found
        assert len(page.items) == limit


def reply(key: ContactKey = TEXTED, seconds: float = 0, **given: Any) -> Reply:
    defaults: dict[str, Any] = {
        "key": key.hashed,
        "reply_id": "SM1",
        "at": at(seconds),
        "to": "+14155550100",
        "meaning": Meaning.OTHER,
        "number": key.address,
        "body": "See you then!",
    }
    return Reply(**{**defaults, **given})


def stated(seconds: float = 0, **given: Any) -> ConsentStated:
    defaults: dict[str, Any] = {
        "at": at(seconds),
        "scope": Scope.MARKETING,
        "opted_out": True,
        "source": ConsentSource.STAFF,
    }
    return ConsentStated(ConsentEvidence(**{**defaults, **given}))


moments = st.sampled_from([0.0, 0.0, 0.0005, 0.001, 0.0015, 1.0, 2.0]).map(at)
entries: st.SearchStrategy[HistoryEntry] = st.one_of(
    st.builds(lambda when, words: stated(at=when, words=words), moments, st.sampled_from("abcdef")),
    st.builds(FlagChanged, moments, st.sampled_from([None, "bounce:mailbox_full"]), st.sampled_from("abcdef")),
    st.builds(lambda when, n: reply(at=when, reply_id=f"SM{n}"), moments, st.integers(0, 9)),
)
histories = st.lists(st.tuples(st.sampled_from([TEXTED, LEFT, MAILED]), entries), max_size=25)
posted = st.lists(moments, max_size=12)


def filled(history: list[tuple[ContactKey, HistoryEntry]], messages: list[Any]) -> World:
    world, ids = salon(), SeededIds(1)
    for key, entry in history:
        world.contact_history.record(key, [entry])
    world.messages.record_new([message(1, key=message_key(1, ids.ulid(when))) for when in messages])
    return world


@given(histories, posted, st.integers(1, 9))
def test_pages_put_together_are_everything_newest_first(
    history: list[tuple[ContactKey, HistoryEntry]], messages: list[Any], limit: int
) -> None:
    world = filled(history, messages)
    found = whole(world, limit)
    kept = {(key, place_of(entry)) for key, entry in history}
    shown = [
        (entry.contact, place_of(entry.what))
        for entry in found
        if not isinstance(entry.what, Message | ProfileEvent | PointsBooked | InSequence)
    ]
    sent = [entry.what.key for entry in found if isinstance(entry.what, Message)]

    assert (len(shown), set(shown)) == (len(kept), kept)
    assert (len(sent), set(sent)) == (len(messages), set(world.messages.rows))
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)
    assert [entry.at for entry in found] == [
        time_of(entry.what.key.message_id) if isinstance(entry.what, Message) else entry.what.at for entry in found
    ]
    assert found == whole(world, 100)


@given(histories, histories, posted, posted, st.integers(1, 5))
def test_what_comes_between_two_pages_neither_repeats_nor_hides_anything(
    history: list[tuple[ContactKey, HistoryEntry]],
    later: list[tuple[ContactKey, HistoryEntry]],
    messages: list[Any],
    new_messages: list[Any],
    limit: int,
) -> None:
    world = filled(history, messages)
    before = whole(world, 100)
    first = log_of(world, limit).entries
    if first.next_cursor is None:
        return
    for key, entry in later:
        world.contact_history.record(key, [entry])
    ids = SeededIds(2)
    world.messages.record_new([message(1, key=message_key(1, ids.ulid(when)[:-1] + "Z")) for when in new_messages])
    rest = log_of(world, 100, first.next_cursor).entries.items

    assert [entry for entry in rest if entry in before] == before[limit:]
    assert not {entry.order for entry in rest} & {entry.order for entry in first.items}
    assert all(entry.order < first.items[-1].order for entry in rest)


def test_everything_is_told_in_plain_english() -> None:
    world = salon(customer(2, mobile_phone=NUMBER))
    world.outcomes[NUMBER] = ((Outcome.DELIVERED, None, 1.0),)
    world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.REMINDER,
        channel=Channel.SMS,
        content=TextContent("Tomorrow at ten"),
    )
    world.rest()
    now = (world.clock.now() - at(0)).total_seconds()
    world.contact_history.record(
        TEXTED,
        [
            reply(seconds=now + 1, body="Sure?\nReally?", needs_staff=True),
            reply(seconds=now + 2, reply_id="SM2", meaning=Meaning.KEYWORD, keyword=Keyword.STOP, body="Stop"),
            stated(now + 2, scope=Scope.ALL, source=ConsentSource.KEYWORD, words="Stop", message_id="SM2"),
            FlagChanged(at(now + 3), "bounce:mailbox_full", "c1"),
            FlagChanged(at(now + 4), None, "c2"),
            stated(now + 5, opted_out=False, who="Kim"),
        ],
    )
    shown = TimelineAnswer.of(log_of(world), {}).items

    assert [(entry.kind, entry.sentence) for entry in shown] == [
        ("consent", "Opted in to marketing texts through staff (Kim)."),
        ("flag", "The mobile number is not flagged as invalid any more."),
        ("flag", "The mobile number was flagged as invalid. The recipient's mailbox is full."),
        ("reply", 'Texted "Stop", which stops all texts.'),
        ("consent", 'Opted out of all texts by texting "Stop".'),
        ("reply", 'Texted "Sure? Really?". Somebody should read it.'),
        ("message", f"Sent reminder text to {NUMBER}, and it was delivered."),
    ]
    assert {(entry.channel, entry.address, entry.former, entry.shared_with) for entry in shown} == {
        (Channel.SMS, NUMBER, False, 1)
    }
    for entry in shown:
        parts = {"message": entry.message, "reply": entry.reply, "consent": entry.consent, "flag": entry.flag}
        assert [kind for kind, part in parts.items() if part is not None] == [entry.kind]


def test_what_was_said_for_a_former_number_is_there_and_says_so() -> None:
    world = salon()
    world.contact_history.record(LEFT, [reply(LEFT)])
    (entry,) = log_of(world).entries.items

    assert (entry.contact, entry.former, entry.shared_with) == (LEFT, True, 0)


def test_what_was_just_said_is_there_before_the_change_stream_has_brought_it_and_once_when_it_has() -> None:
    world = salon()
    said = stated(1).statement
    world.know(TEXTED, said)
    before = whole(world)
    world.pump_streams()

    assert [entry.what for entry in before] == [ConsentStated(said)]
    assert whole(world) == before


STOP = ConsentEvidence(at(5), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD, message_id="SM1", words="STOP")
SERVICE = "MG" + "0" * 32


@pytest.mark.parametrize(
    ("sender", "kept", "number", "end"),
    [
        ("+14155550100", True, "+14155550100", "they text START to +14155550100."),
        ("+14155550111", True, "+14155550111", "they text START to +14155550111."),
        (SERVICE, True, "+14155550100", "they text START to +14155550100."),
        (SERVICE, False, None, f"in the sender pool of the messaging service {SERVICE}."),
        (None, False, None, "they text START to the number that your texts come from."),
    ],
)
def test_while_texts_are_stopped_the_log_says_where_to_text_start(
    sender: str | None, kept: bool, number: str | None, end: str
) -> None:
    world = salon(text_from=sender)
    assert log_of(world).stopped is None
    world.know(TEXTED, STOP)
    if kept:
        world.contact_history.record(
            TEXTED, [reply(seconds=5, meaning=Meaning.KEYWORD, keyword=Keyword.STOP, body="STOP")]
        )
    stopped = log_of(world).stopped

    assert stopped is not None
    assert (stopped.since, stopped.source, stopped.text_start_to) == (at(5), ConsentSource.KEYWORD, number)
    assert stopped.sentence.endswith(end)
    start = ConsentEvidence(at(6), Scope.ALL, opted_out=False, source=ConsentSource.KEYWORD)
    world.know(TEXTED, start)
    assert log_of(world).stopped is None


def test_what_staff_stopped_staff_bring_back() -> None:
    world = salon()
    world.know(TEXTED, ConsentEvidence(at(5), Scope.ALL, opted_out=True, source=ConsentSource.STAFF))
    stopped = log_of(world).stopped

    assert stopped is not None
    assert stopped.text_start_to is None
    assert "START" not in stopped.sentence


def test_an_opt_out_of_marketing_or_of_email_does_not_stop_texts() -> None:
    world = salon()
    world.know(TEXTED, ConsentEvidence(at(5), Scope.MARKETING, opted_out=True, source=ConsentSource.KEYWORD))
    world.know(MAILED, STOP)

    assert log_of(world).stopped is None


@pytest.mark.parametrize("cursor", ["x", "", "QEA", "OjEyMw", "====", "é", "N1paWg"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        log_of(salon(), 5, cursor)


def test_somebody_elses_customer_has_no_log() -> None:
    with pytest.raises(NotFoundError):
        salon().read_timeline("other", id_of(1), 5, None)


@given(strategies.said, st.sampled_from(Channel))
def test_every_statement_has_its_sentence(said: ConsentEvidence, channel: Channel) -> None:
    told = sentence_of_consent(said, channel)

    assert told.endswith(".")
    beginnings = ("Held ", "Let ") if said.source is ConsentSource.REVIEW else ("Opted out of ", "Opted in to ")
    assert told.startswith(beginnings[0 if said.opted_out else 1])
    assert "None" not in told
