"""What a text that somebody sends changes, for whom, and what is answered."""

from copy import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import AnsweredBy, TextAnswers
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.replies import WORDS, Keyword, Meaning, Reply, plain
from rebound.inbound.application.receive_text import TRIED_AGAIN_FOR
from rebound.inbound.domain.replies import IncomingText
from rebound.inbound.domain.stopped_texts import answer_to
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.events import ReplyReceived
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.text_size import size_of_text
from tests.fakes.making import BUSINESS_ID, at, business, customer
from tests.fakes.world import World

NUMBER: Final = "+14155560001"
"""That of customer 1."""
OURS: Final = "+14155550100"
SERVICE: Final = "MG" + "0" * 32
KEY: Final = ContactKey(BUSINESS_ID, Channel.SMS, NUMBER)


def text(body: str, sid: str = "SM1", **given: Any) -> IncomingText:
    return IncomingText(**{"reply_id": sid, "number": NUMBER, "to": OURS, "senders": (OURS,), "body": body, **given})


def opted_out(world: World, key: ContactKey = KEY) -> tuple[Scope, ...]:
    return world.contacts.get_many([key])[key].consent.opted_out


def replies(world: World, business_id: str = BUSINESS_ID) -> list[Reply]:
    return list(world.replies.page(business_id, 100, None).items)


@pytest.fixture
def world() -> World:
    world = World()
    world.add(customer(1))
    return world


# --- words ------------------------------------------------------------------------------------------------------------

DECORATIONS: Final = (
    "{}",
    " {} ",
    "{}.",
    "'{}'",
    "\u201c{}\u201d!",
    "\n{}\n",
    "*{}*",
    "({})",
    "{} 🛑",
    "\u200b{}\ufe0f",
    "¡{}!",
)


@pytest.mark.parametrize("word", sorted(WORDS))
@pytest.mark.parametrize("written", [str.upper, str.lower, str.title], ids=["upper", "lower", "title"])
def test_a_word_counts_in_any_case_and_whatever_surrounds_it(word: str, written: Any) -> None:
    assert {WORDS.get(plain(decoration.format(written(word)))) for decoration in DECORATIONS} == {WORDS[word]}


@pytest.mark.parametrize("body", ["opt-out", "OPT OUT", "Stop all", "un-stop", "ＳＴＯＰ"])
def test_what_divides_a_word_does_not_hide_it(body: str) -> None:
    assert WORDS[plain(body)] in (Keyword.STOP, Keyword.START)


@pytest.mark.parametrize(
    "body", ["", " ", "🛑", "stop it", "don't stop", "yes please", "stopp", "cancelled", "helpful", "start over", "1"]
)
def test_a_word_within_a_message_is_none(body: str) -> None:
    assert plain(body) not in WORDS


def test_the_words_are_twilios() -> None:
    stop = {"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"}
    by_keyword = {keyword: {word.upper() for word, meant in WORDS.items() if meant is keyword} for keyword in Keyword}

    assert by_keyword == {
        Keyword.STOP: stop,
        Keyword.START: {"START", "YES", "UNSTOP"},
        Keyword.HELP: {"HELP", "INFO"},
    }


# --- STOP, START and HELP ---------------------------------------------------------------------------------------------


def test_stop_stops_everything_by_text_and_start_brings_it_back(world: World) -> None:
    stopped = world.receive_text(text("Stop.", "SM1"))
    assert opted_out(world) == (Scope.ALL,)
    world.clock.move(timedelta(seconds=1))
    started = world.receive_text(text("start", "SM2"))

    assert opted_out(world) == ()
    assert stopped.answer == "Salon Juniper: you will get no more texts from us. Text START to get them again."
    assert started.answer == "Salon Juniper: you will get our texts again. Text HELP for help, STOP to end them."
    assert world.contacts.get_many([KEY])[KEY].consent.statements == {
        ConsentEvidence(at(0), Scope.ALL, True, ConsentSource.KEYWORD, "SM1", None, "Stop."),
        ConsentEvidence(at(1), Scope.ALL, False, ConsentSource.KEYWORD, "SM2", None, "start"),
    }


@pytest.mark.parametrize("source", [ConsentSource.ONE_CLICK, ConsentSource.STAFF])
def test_start_gives_back_only_what_a_stop_took(world: World, source: ConsentSource) -> None:
    world.know(KEY, ConsentEvidence(at(-60), Scope.MARKETING, opted_out=True, source=source))
    world.receive_text(text("STOP", "SM1"))
    world.clock.move(timedelta(seconds=1))
    world.receive_text(text("UNSTOP", "SM2"))

    assert opted_out(world) == (Scope.MARKETING,)


def test_start_clears_the_opt_out_that_a_refusal_of_twilio_taught(world: World) -> None:
    world.know(KEY, ConsentEvidence(at(-60), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER))
    world.receive_text(text("START"))

    assert opted_out(world) == ()


def test_help_changes_nothing_and_says_who_writes_and_whom_to_ask() -> None:
    world = World(business(name="Juniper & <Vale>", owner_email="owner@juniper.example.com"))
    received = world.receive_text(text("Help?"))

    assert opted_out(world) == ()
    assert received.answer == (
        "Juniper & <Vale>: for help contact owner@juniper.example.com. Text STOP to get no more texts."
    )


@pytest.mark.parametrize("keyword", Keyword)
def test_what_twilio_has_answered_is_not_answered_again_and_counts_as_twilio_says(
    world: World, keyword: Keyword
) -> None:
    world.receive_text(text("STOP", "SM0"))
    world.clock.move(timedelta(seconds=1))
    received = world.receive_text(text("Arrêt", keyword=keyword))

    assert received.answer is None
    assert opted_out(world) == (() if keyword is Keyword.START else (Scope.ALL,))
    assert replies(world)[0].keyword is keyword


def test_anything_else_is_kept_and_neither_answered_nor_taken_for_consent(world: World) -> None:
    received = world.receive_text(text("See you on Tuesday! 👋"))

    assert received.answer is None
    assert opted_out(world) == ()
    assert replies(world) == [Reply(KEY.hashed, "SM1", at(0), OURS, Meaning.OTHER, NUMBER, "See you on Tuesday! 👋")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_in_any_language_names_the_business_and_fits_a_text(language: str) -> None:
    asked = business(name="Juniper {contact} & Vale", owner_email="owner@juniper.example.com")
    for keyword in Keyword:
        answer = answer_to(keyword, [asked], language)
        assert answer.startswith("Juniper {contact} & Vale")
        assert size_of_text(answer).segments == 1
    assert "owner@juniper.example.com" in answer_to(Keyword.HELP, [asked], language)
    assert "START" in answer_to(Keyword.STOP, [asked], language)


# --- whom it affects --------------------------------------------------------------------------------------------------


def test_customers_who_share_a_number_share_its_stop(world: World) -> None:
    world.add(customer(2, mobile_phone=NUMBER), customer(3))
    world.receive_text(text("STOP"))
    view = world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert dict(view.audience.excluded) == {"opted_out": 2}
    assert world.twilio_texter.addresses == [customer(3).mobile_phone]


def test_a_text_is_for_every_business_of_the_sender_and_for_nobody_else() -> None:
    world = World(
        business(business_id="one", name="One", owner_email="one@example.com"),
        business(business_id="two", name="Two", text_from=SERVICE, owner_email="two@example.com"),
        business(business_id="other", text_from="+14155550199"),
    )
    received = world.receive_text(text("stop", senders=(OURS, SERVICE)))
    helped = world.receive_text(text("help", "SM2", senders=(OURS, SERVICE)))

    assert received.business_ids == ("one", "two")
    assert helped.answer is not None
    assert helped.answer.startswith("One, Two: for help contact one@example.com, two@example.com.")
    for business_id, scopes in (("one", (Scope.ALL,)), ("two", (Scope.ALL,)), ("other", ())):
        assert opted_out(world, replace(KEY, business_id=business_id)) == scopes
        assert len(replies(world, business_id)) == (2 if scopes else 0)


def test_a_text_to_a_number_that_nobody_sends_from_changes_nothing(world: World) -> None:
    received = world.receive_text(text("STOP", to="+14155550999", senders=("+14155550999",)))

    assert (received.business_ids, received.answer) == ((), None)
    assert opted_out(world) == ()
    assert not world.contact_history.rows


def test_a_stop_holds_for_a_number_that_no_customer_has_yet() -> None:
    world = World()
    world.receive_text(text("STOP"))
    world.add(customer(1))

    assert opted_out(world) == (Scope.ALL,)


# --- numbers that a business sent from before -------------------------------------------------------------------------

BEFORE: Final = OURS
NOW: Final = "+14155550199"


def moved(*others: str) -> World:
    """A business that has moved to another number with customer 1, and others that send from the one before."""
    world = World(business(owner_email="owner@example.com"))
    world.add(customer(1))
    world.businesses.replace(replace(world.businesses.get(BUSINESS_ID), text_from=NOW))
    for name in others:
        world.businesses.add(business(business_id=name, name=name.title(), text_from=BEFORE))
    return world


@pytest.mark.parametrize("sender", [NOW, SERVICE, None])
def test_who_answers_an_old_message_is_heard_by_whoever_sent_it(sender: str | None) -> None:
    world = moved()
    world.businesses.replace(replace(world.businesses.get(BUSINESS_ID), text_from=sender))
    stopped = world.receive_text(text("STOP", "SM1"))
    assert opted_out(world) == (Scope.ALL,)
    assert stopped.answer is not None
    assert stopped.answer.startswith("Salon Juniper: you will get no more texts")
    world.clock.move(timedelta(seconds=1))
    assert world.receive_text(text("help", "SM2")).answer is not None
    world.receive_text(text("start", "SM3"))

    assert opted_out(world) == ()
    assert [reply.body for reply in replies(world)] == ["start", "help", "STOP"]


@pytest.mark.parametrize(("body", "held"), [("STOP", Scope.ALL), ("please stop texting me", Scope.MARKETING)])
def test_when_another_has_the_number_now_what_ends_texts_counts_for_both(body: str, held: Scope) -> None:
    world = moved("cedar")
    received = world.receive_text(text(body))

    assert set(received.business_ids) == {"cedar", BUSINESS_ID}
    assert opted_out(world) == opted_out(world, replace(KEY, business_id="cedar")) == (held,)
    # START to this number gives back the texts of Cedar alone, so nobody else says that it would.
    assert (received.answer or "Cedar: ").startswith("Cedar: ")


@pytest.mark.parametrize("body", ["START", "HELP", "see you", "C", "YES"])
def test_whatever_ends_nothing_is_for_who_has_the_number_now(body: str) -> None:
    world = moved("cedar")
    world.receive_text(text("STOP", "SM1"))
    world.clock.move(timedelta(seconds=1))
    received = world.receive_text(text(body, "SM2"))

    assert received.business_ids == ("cedar",)
    assert opted_out(world) == (Scope.ALL,)
    assert [reply.body for reply in replies(world)] == ["STOP"]


def test_the_former_holder_of_a_number_learns_nothing_of_people_who_are_no_customers_of_theirs() -> None:
    world = moved("cedar")
    stranger = text("STOP", number="+14155567777")
    assert world.receive_text(stranger).business_ids == ("cedar",)
    assert replies(world) == []
    # Nor later, when the same text is played back.
    world.add(customer(7, mobile_phone=stranger.number))
    assert world.receive_text(stranger).business_ids == ("cedar",)
    assert opted_out(world, replace(KEY, address=stranger.number)) == ()


def test_a_start_to_the_new_number_takes_back_the_stop_to_the_old_one() -> None:
    world = moved("cedar")
    world.receive_text(text("STOP", "SM1"))
    world.clock.move(timedelta(seconds=1))
    world.receive_text(text("START", "SM2", to=NOW, senders=(NOW,)))

    assert opted_out(world) == ()
    assert opted_out(world, replace(KEY, business_id="cedar")) == (Scope.ALL,)


# --- again, and later -------------------------------------------------------------------------------------------------


def test_a_stop_that_is_played_back_after_a_start_does_not_stop_again(world: World) -> None:
    world.receive_text(text("STOP", "SM1"))
    world.clock.move(timedelta(minutes=1))
    world.receive_text(text("START", "SM2"))
    kept, written = replies(world), world.contacts.writes
    for later in (timedelta(), timedelta(minutes=5), timedelta(days=3), timedelta(days=900)):
        world.clock.move(later)
        world.receive_text(text("STOP", "SM1"))

    assert opted_out(world) == ()
    assert (replies(world), world.contacts.writes) == (kept, written)


def test_a_text_played_back_when_its_reply_is_long_forgotten_is_not_read_anew(world: World) -> None:
    world.receive_text(text("STOP", "SM1"))
    world.clock.move(timedelta(minutes=1))
    world.receive_text(text("START", "SM2"))
    world.contact_history.rows.clear()
    world.clock.move(timedelta(days=500))
    world.receive_text(text("STOP", "SM1"))

    assert (opted_out(world), replies(world)) == ((), [])


def test_a_text_played_back_says_nothing_to_a_business_that_has_come_to_the_number_since() -> None:
    world = World(business(business_id="one"), business(business_id="two", text_from="+14155550199"))
    world.receive_text(text("STOP", "SM1"))
    world.businesses.replace(replace(world.businesses.get("two"), text_from=OURS))
    received = world.receive_text(text("STOP", "SM1"))

    assert received.business_ids == ("one",)
    assert opted_out(world, replace(KEY, business_id="two")) == ()


@settings(max_examples=60, deadline=None)
@given(
    said=st.lists(st.sampled_from(["STOP", "START", "HELP", "thanks"]), min_size=1, max_size=6),
    again=st.lists(st.integers(0, 5), max_size=12),
)
def test_the_first_receipts_alone_decide_whatever_is_played_back_in_between(said: list[str], again: list[int]) -> None:
    world, once = World(), World()
    for number, body in enumerate(said):
        for one in (world, once):
            one.clock.move(timedelta(seconds=1))
            one.receive_text(text(body, f"SM{number}"))
        for played in again:
            if played <= number:
                world.receive_text(text(said[played], f"SM{played}"))

    last = next((body for body in reversed(said) if body in ("STOP", "START")), "START")
    assert opted_out(world) == opted_out(once) == ((Scope.ALL,) if last == "STOP" else ())
    assert replies(world) == replies(once)


def test_where_twilio_answers_for_one_business_of_a_number_it_answers_for_all() -> None:
    by_twilio = TextAnswers(keywords=AnsweredBy.TWILIO)
    world = World(business(business_id="one", text_answers=by_twilio), business(business_id="two"))

    assert world.receive_text(text("help")).answer is None
    assert world.receive_text(text("stop", "SM2")).answer is None


@pytest.mark.parametrize(("after", "told"), [(TRIED_AGAIN_FOR, 2), (TRIED_AGAIN_FOR + timedelta(seconds=1), 1)])
def test_staff_are_told_again_of_a_text_for_as_long_as_its_first_receipt_may_have_failed_half_way(
    after: timedelta, told: int
) -> None:
    world = World()
    world.add(customer(1))
    world.receive_text(text("please stop texting me"))
    world.clock.move(after)
    world.receive_text(text("please stop texting me"))

    assert sum(isinstance(each, ReplyReceived) for each in world.domain_events.published) == told
