"""Answers in the customers' own words: confirmations, revocations, and what staff make of them."""

from copy import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import AnsweredBy, Business, DoubleOptIn, TextAnswers
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.replies import Decision, Keyword, Meaning, Reply
from rebound.inbound.domain.replies import IncomingText
from rebound.inbound.domain.stopped_texts import answer_to
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, NotFoundError
from rebound.kernel.events import AppointmentConfirmed, ReplyReceived
from rebound.messages.domain.appointments import Answered
from rebound.messages.domain.messages import MessageStatus
from rebound.templates.domain.content import TextContent
from tests.fakes.making import BUSINESS_ID, bare, business, customer, id_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import World

NUMBER: Final = "+14155560001"
OURS: Final = "+14155550100"
KEY: Final = ContactKey(BUSINESS_ID, Channel.SMS, NUMBER)


class Talk:
    """A business and a customer who text each other."""

    def __init__(self, *people: int, **settings: Any) -> None:
        self.business: Business = business(owner_email="owner@example.com", **settings)
        self.world = World(self.business)
        for number in people or (1,):
            self.world.add(customer(number, mobile_phone=NUMBER))
        self._said = 0

    def ask(self, appointment: str = "a-1", number: int = 1, *, goes_out: bool = True) -> str:
        """Text for a confirmation; the message's id."""
        self.world.clock.move(timedelta(seconds=10))
        message = self.world.post_message(
            BUSINESS_ID,
            customer_id=id_of(number),
            category=Category.REMINDER,
            channel=Channel.SMS,
            content=TextContent("Tomorrow at ten? Answer C."),
            appointment_id=appointment,
            asks_confirmation=True,
        )
        if goes_out:
            self.world.rest()
        return message.key.message_id

    def say(self, body: str, sid: str | None = None, **given: Any) -> str | None:
        """A text to the business; what comes back."""
        self._said += 1
        self.world.clock.move(timedelta(seconds=1))
        name = sid or f"SM{self._said}"
        return self.world.receive_text(IncomingText(name, NUMBER, OURS, (OURS,), body, **given)).answer

    def staff(self, decision: Decision, sid: str) -> Reply:
        self.world.clock.move(timedelta(minutes=5))
        return self.world.review_replies.resolve(BUSINESS_ID, sid, decision, "Kim")

    @property
    def last(self) -> Reply:
        found: Reply = self.world.replies.page(BUSINESS_ID, 1, None).items[0]
        return found

    @property
    def to_read(self) -> list[str]:
        return [reply.reply_id for reply in self.world.review_replies.waiting(BUSINESS_ID, 100, None).items]

    def opted_out(self) -> tuple[Scope, ...]:
        return self.world.contacts.get_many([KEY])[KEY].consent.opted_out

    @property
    def confirmed(self) -> list[tuple[str, str]]:
        events = [event for event in self.world.domain_events.published if isinstance(event, AppointmentConfirmed)]
        return [(event.appointment_id, event.message_id) for event in events]

    @property
    def told(self) -> list[ReplyReceived]:
        """The texts that the client was told of, because staff must read them."""
        return [bare(event) for event in self.world.domain_events.published if isinstance(event, ReplyReceived)]


# --- confirmations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["C", "c.", " Confirm! ", "YES", "yes 👍"])
def test_a_word_of_confirmation_confirms_what_was_asked_last(body: str) -> None:
    talk = Talk()
    talk.ask("a-1")
    asked = talk.ask("a-2")

    assert talk.say(body) is None
    assert talk.confirmed == [("a-2", asked)]
    assert (talk.last.meaning, talk.last.appointment_id, talk.last.message_id) == (Meaning.CONFIRMATION, "a-2", asked)
    assert talk.world.read_appointment_log(BUSINESS_ID, "a-2", 9, None).confirmed_at == talk.last.at
    assert talk.to_read == []
    talk.say(body)
    assert [appointment for appointment, _ in talk.confirmed] == ["a-2", "a-1"]


def test_nobody_confirms_an_appointment_whose_messages_were_cancelled_after_the_question_went_out() -> None:
    talk = Talk()
    talk.ask("a-1")
    cancelled = talk.world.steer_appointment.cancel(BUSINESS_ID, "a-1")
    talk.say("C", "SM-C")

    assert (cancelled, talk.confirmed) == ([], [])
    assert (talk.to_read, [event.appointment_id for event in talk.told]) == (["SM-C"], [None])
    assert talk.world.read_appointment_log(BUSINESS_ID, "a-1", 9, None).confirmed_at is None
    asked = talk.ask("a-1")
    talk.say("C")
    assert talk.confirmed == [("a-1", asked)]


def test_a_question_that_is_being_handed_over_while_its_appointment_is_cancelled_is_closed_too() -> None:
    talk = Talk()
    said: list[object] = []

    def beside(where: Boundary) -> None:
        if where == "chunks.mark" and where.side == "after" and not said:
            said.append(talk.world.steer_appointment.cancel(BUSINESS_ID, "a-1"))

    talk.world.checkpoint = beside
    talk.ask("a-1")
    talk.say("C")

    assert (said, talk.confirmed) == ([[]], [])


def test_what_was_confirmed_is_not_confirmed_by_the_same_text_played_back_nor_is_what_was_asked_since() -> None:
    talk = Talk()
    asked = talk.ask()
    talk.say("C", "SM-c")
    talk.ask("a-2")
    for _ in range(3):
        talk.say("C", "SM-c")

    assert talk.confirmed == [("a-1", asked)]
    assert talk.world.read_appointment_log(BUSINESS_ID, "a-2", 9, None).confirmed_at is None


def test_asked_twice_about_one_appointment_one_answer_is_enough() -> None:
    talk = Talk()
    talk.ask()
    last = talk.ask()
    talk.say("C")
    talk.say("C")

    assert talk.confirmed == [("a-1", last)]
    assert talk.to_read == ["SM2"]


def test_a_confirmation_is_told_although_the_worker_dies_before_or_after_it_closes_the_question() -> None:
    for side in ("before", "after"):
        for call in ("domain_events.publish", "appointments.close"):
            talk = Talk()
            asked = talk.ask()
            talk.world.checkpoint = partial(_die, talk.world, call, side)
            with pytest.raises(WorkerDiedError):
                talk.say("C", "SM-yes")
            # Twilio hands the text on again.
            talk.say("C", "SM-yes")

            assert set(talk.confirmed) == {("a-1", asked)}, (call, side)
            assert talk.world.appointments.asked(KEY) == [], (call, side)


def _die(world: World, call: str, side: str, where: Boundary) -> None:
    if (where, where.side) == (call, side):
        world.checkpoint = lambda _: None
        raise WorkerDiedError


@pytest.mark.parametrize("status", MessageStatus)
def test_a_question_may_be_answered_as_soon_as_it_may_have_arrived(status: MessageStatus) -> None:
    """Whoever answers a text has it, also where its provider never said so."""
    talk = Talk()
    asked = talk.ask()
    (key,) = [key for key in talk.world.messages.rows if key.message_id == asked]
    talk.world.messages.rows[key] = replace(talk.world.messages.rows[key], status=status)
    talk.say("C")
    went_out = status in {
        MessageStatus.SENDING,
        MessageStatus.SENT,
        MessageStatus.UNCERTAIN,
        MessageStatus.DELIVERED,
    }

    assert talk.confirmed == ([("a-1", asked)] if went_out else [])


def test_when_customers_share_a_number_and_both_were_asked_staff_must_say_who_answered() -> None:
    talk = Talk(1, 2)
    talk.ask("a-1", 1)
    talk.ask("a-2", 2)
    talk.say("C")

    assert talk.confirmed == []
    assert (talk.to_read, talk.last.meaning) == (["SM1"], Meaning.CONFIRMATION)
    talk.staff(Decision.KEEP, "SM1")
    assert talk.to_read == []


@pytest.mark.parametrize("body", ["can we make it eleven?", "C?? not sure yet, maybe", "No", "👍"])
def test_an_unclear_answer_is_for_staff_and_stands_in_the_log_of_the_appointment(body: str) -> None:
    talk = Talk()
    asked = talk.ask()
    talk.say(body)

    assert (talk.confirmed, talk.to_read) == ([], ["SM1"])
    assert (talk.last.meaning, talk.last.message_id) == (Meaning.OTHER, asked)
    log = talk.world.read_appointment_log(BUSINESS_ID, "a-1", 9, None)
    assert [entry.reply_id for entry in log.entries if isinstance(entry, Answered)] == ["SM1"]
    assert log.confirmed_at is None
    talk.say("C")
    assert [appointment for appointment, _ in talk.confirmed] == ["a-1"]


def test_a_question_that_never_went_out_is_not_answered() -> None:
    talk = Talk()
    talk.ask(goes_out=False)
    talk.say("C")

    assert (talk.confirmed, talk.to_read) == ([], ["SM1"])


@pytest.mark.parametrize(
    ("body", "keyword"), [("Cancel", Keyword.STOP), ("HELP", Keyword.HELP), ("Stop", Keyword.STOP)]
)
def test_stop_and_help_mean_what_they_mean_whatever_was_asked(body: str, keyword: Keyword) -> None:
    talk = Talk(text_answers=TextAnswers(confirmation_words=("C", "STOP", "CANCEL", "HELP")))
    talk.ask()
    talk.say(body)

    assert (talk.last.meaning, talk.last.keyword, talk.confirmed) == (Meaning.KEYWORD, keyword, [])


@pytest.mark.parametrize("body", ["sorry, I need to cancel tomorrow", "No", "👍", "can we make it eleven?"])
def test_a_free_answer_is_told_with_the_appointment_and_without_its_words(body: str) -> None:
    talk = Talk()
    asked = talk.ask()
    talk.say(body, "SM-free")

    assert talk.told == [
        ReplyReceived(
            BUSINESS_ID, "SM-free", (id_of(1),), "other", None, asked, id_of(1), "a-1", talk.last.at, "SM-free"
        )
    ]


@pytest.mark.parametrize("body", ["Cancel", "CANCEL!", "please cancel", "cancel cancel", "Cancel\n- Dana"])
def test_a_cancel_after_a_question_stops_and_is_for_staff(body: str) -> None:
    talk = Talk()
    asked = talk.ask()
    talk.say(body)

    assert (talk.last.keyword, talk.opted_out(), talk.confirmed) == (Keyword.STOP, (Scope.ALL,), [])
    assert talk.to_read == ["SM1"]
    assert [(event.keyword, event.message_id, event.appointment_id) for event in talk.told] == [("stop", asked, "a-1")]
    log = talk.world.read_appointment_log(BUSINESS_ID, "a-1", 9, None)
    assert [entry.reply_id for entry in log.entries if isinstance(entry, Answered)] == ["SM1"]
    talk.staff(Decision.KEEP, "SM1")
    assert (talk.to_read, talk.opted_out()) == ([], (Scope.ALL,))


def test_a_cancel_that_twilio_has_acted_on_is_for_staff_as_well() -> None:
    talk = Talk()
    talk.ask()
    talk.say("CANCEL", keyword=Keyword.STOP)

    assert (talk.to_read, [event.keyword for event in talk.told]) == (["SM1"], ["stop"])


@pytest.mark.parametrize(
    ("asked", "body"),
    [(False, "Cancel"), (True, "STOP"), (True, "STOP STOP"), (True, "C"), (True, "HELP"), (False, "See you!")],
)
def test_what_needs_nobody_is_not_told(asked: bool, body: str) -> None:
    talk = Talk()
    if asked:
        talk.ask()
    talk.say(body)

    assert (talk.to_read, talk.told) == ([], [])


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize(
    "body", ["Liked “20 % off. Reply STOP to unsubscribe”", "👍 to “Tomorrow at ten? Answer C.”", "Loved an image"]
)
def test_the_reaction_of_a_phone_changes_nothing_and_waits_for_nobody(asked: bool, body: str) -> None:
    talk = Talk()
    if asked:
        talk.ask()

    assert talk.say(body) is None
    assert (talk.to_read, talk.told, talk.opted_out(), talk.confirmed) == ([], [], (), [])
    assert (talk.last.meaning, talk.last.message_id) == (Meaning.REACTION, None)
    if asked:
        talk.say("C")
        assert [appointment for appointment, _ in talk.confirmed] == ["a-1"]


def test_a_text_that_comes_again_is_told_with_the_same_id_and_not_any_more_once_it_is_read_or_old() -> None:
    talk = Talk()
    talk.ask()
    talk.say("eleven?", "SM-r")
    talk.say("eleven?", "SM-r")
    assert {event.change_id for event in talk.told} == {"SM-r"}
    told = len(talk.told)
    talk.staff(Decision.KEEP, "SM-r")
    talk.say("eleven?", "SM-r")
    talk.say("twelve?", "SM-s")
    talk.world.clock.move(timedelta(hours=2))
    talk.say("twelve?", "SM-s")

    assert len(talk.told) == told + 1


def test_a_revocation_is_told_without_an_appointment() -> None:
    talk = Talk(1, 2)
    talk.say("please stop texting me")
    [event] = talk.told

    assert (event.kind, event.customer_ids, event.message_id, event.customer_id, event.appointment_id) == (
        "revocation",
        tuple(sorted((id_of(1), id_of(2)))),
        None,
        None,
        None,
    )


@pytest.mark.parametrize(("spoken", "stops"), [(["es"], True), (["en", "es"], True), (["en"], False), ([None], False)])
def test_a_word_of_one_language_stops_for_who_speaks_it_and_is_for_staff_else(
    spoken: list[str | None], stops: bool
) -> None:
    talk = Talk(9)
    for number, language in enumerate(spoken, 1):
        talk.world.add(customer(number, mobile_phone=NUMBER, language=language))
    talk.say("ALTO")

    assert talk.opted_out() == ((Scope.ALL,) if stops else (Scope.MARKETING,))
    assert talk.to_read == ([] if stops else ["SM1"])


def test_a_word_of_the_businesss_language_stops_for_who_has_none() -> None:
    talk = Talk(text_answers=TextAnswers(language="es"))
    talk.say("alto!!")

    assert talk.opted_out() == (Scope.ALL,)


def test_a_yes_is_a_start_for_who_is_stopped_and_a_confirmation_for_who_is_not() -> None:
    talk = Talk()
    talk.ask()
    talk.say("STOP")
    talk.say("YES")
    assert (talk.last.keyword, talk.opted_out(), talk.confirmed) == (Keyword.START, (), [])
    talk.say("YES")
    assert [appointment for appointment, _ in talk.confirmed] == ["a-1"]
    talk.say("YES")
    assert talk.last.keyword is Keyword.START


def test_a_yes_that_may_be_about_marketing_as_well_is_for_staff() -> None:
    talk = Talk(double_opt_in=DoubleOptIn(sms=True))
    talk.ask()
    talk.say("YES")
    assert (talk.confirmed, talk.to_read, talk.last.evidence) == ([], ["SM1"], ())
    talk.say("C")
    assert [appointment for appointment, _ in talk.confirmed] == ["a-1"]


def test_the_words_are_the_businesss_to_choose() -> None:
    talk = Talk(text_answers=TextAnswers(confirmation_words=("Passt",)))
    talk.ask()
    talk.say("C")
    talk.say("passt!")

    assert (talk.to_read, [appointment for appointment, _ in talk.confirmed]) == (["SM1"], ["a-1"])


# --- who answers, and in which language -------------------------------------------------------------------------------


def test_a_business_whose_provider_answers_by_itself_says_nothing() -> None:
    talk = Talk(text_answers=TextAnswers(keywords=AnsweredBy.TWILIO))

    assert [talk.say(body) for body in ("STOP", "START", "HELP")] == [None, None, None]


def test_the_answers_are_in_the_language_of_the_business() -> None:
    talk = Talk(text_answers=TextAnswers(language="es"))

    assert talk.say("HELP") == (
        "Salon Juniper: ayuda en owner@example.com. Responda STOP para dejar de recibir mensajes."
    )


@pytest.mark.parametrize(
    ("spoken", "answered"),
    [
        ((None,), "es"),
        (("de",), "de"),
        (("de", "de"), "de"),
        (("de", None), "de"),
        (("de", "fr"), "es"),
        ((None, None), "es"),
    ],
)
def test_the_customers_of_a_number_are_answered_in_their_language_if_they_have_one(
    spoken: tuple[str | None, ...], answered: str
) -> None:
    talk = Talk(*range(1, len(spoken) + 1), text_answers=TextAnswers(language="es"))
    for number, language in enumerate(spoken, 1):
        talk.world.customer_service.change(BUSINESS_ID, id_of(number), {"language": language})
    for keyword, body in ((Keyword.STOP, "stop"), (Keyword.START, "start"), (Keyword.HELP, "info")):
        assert talk.say(body) == answer_to(keyword, [talk.business], answered)


def test_who_has_another_number_by_now_does_not_choose_the_language() -> None:
    talk = Talk(1, 2)
    talk.world.customer_service.change(BUSINESS_ID, id_of(1), {"language": "pt", "mobile_phone": "+14155569999"})

    assert talk.say("help") == answer_to(Keyword.HELP, [talk.business], "en")


def test_what_is_not_answered_reads_no_customer() -> None:
    talk = Talk()
    reached: list[str] = []
    talk.world.checkpoint = lambda where: reached.append(f"{where.side} {where}")
    talk.say("See you!")
    talk.say("STOP", keyword=Keyword.STOP)
    assert "before customers.get_many" not in reached
    talk.say("STOP")
    assert reached.count("before customers.get_many") == 1


# --- revocations ------------------------------------------------------------------------------------------------------


def test_a_revocation_holds_marketing_until_staff_have_read_it() -> None:
    talk = Talk()
    assert talk.say("please stop texting me") is None
    assert (talk.opted_out(), talk.to_read) == ((Scope.MARKETING,), ["SM1"])
    reminder = talk.ask()
    assert talk.world.messages.get_many(
        [m.key for m in talk.world.read_client_log(BUSINESS_ID, id_of(1), 9, None).items]
    )
    assert reminder
    talk.staff(Decision.KEEP, "SM1")

    assert (talk.opted_out(), talk.to_read) == ((), [])
    assert (talk.last.decision, talk.last.resolved_by) == (Decision.KEEP, "Kim")


def test_a_revocation_that_staff_confirm_is_the_customers_own_stop_which_a_start_takes_back() -> None:
    talk = Talk()
    talk.say("please stop texting me", "SM-r")
    talk.staff(Decision.OPT_OUT, "SM-r")
    opt_out = talk.world.contacts.get_many([KEY])[KEY].consent.of(Scope.ALL).opt_out

    assert talk.opted_out() == (Scope.ALL,)
    assert opt_out == ConsentEvidence(
        talk.last.at, Scope.ALL, True, ConsentSource.KEYWORD, "SM-r", "Kim", "please stop texting me"
    )
    talk.say("START")
    assert talk.opted_out() == ()


def test_a_start_after_the_revocation_outdoes_what_staff_decide_later() -> None:
    talk = Talk()
    talk.say("please stop texting me", "SM-r")
    talk.say("START")
    talk.staff(Decision.OPT_OUT, "SM-r")

    assert talk.opted_out() == ()


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_release_ends_the_hold_and_nobodys_own_opt_out(seconds: int) -> None:
    talk = Talk()
    talk.say("no more messages", "SM-r")
    talk.world.know(
        KEY, ConsentEvidence(talk.last.at + timedelta(seconds=seconds), Scope.MARKETING, True, ConsentSource.STAFF)
    )
    talk.staff(Decision.KEEP, "SM-r")

    assert talk.opted_out() == (Scope.MARKETING,)


@pytest.mark.parametrize("order", [("SM1", "SM2"), ("SM2", "SM1")])
def test_marketing_is_held_until_the_last_such_text_is_read(order: tuple[str, str]) -> None:
    talk = Talk()
    talk.say("no more messages")
    talk.say("remove me from your list")
    talk.staff(Decision.KEEP, order[0])
    assert talk.opted_out() == (Scope.MARKETING,)
    talk.staff(Decision.KEEP, order[1])
    assert talk.opted_out() == ()
    # Neither comes back when it is handed on once more.
    talk.say("no more messages", "SM1")
    talk.say("remove me from your list", "SM2")
    assert (talk.opted_out(), talk.to_read) == ((), [])


def test_a_decision_can_be_said_again_and_not_changed() -> None:
    talk = Talk()
    talk.say("unsubscribe me pls", "SM-r")
    first = talk.staff(Decision.KEEP, "SM-r")
    assert talk.staff(Decision.KEEP, "SM-r") == first
    with pytest.raises(ConflictError):
        talk.staff(Decision.OPT_OUT, "SM-r")
    assert talk.opted_out() == ()


def test_only_what_somebody_had_to_read_can_be_resolved() -> None:
    talk = Talk()
    talk.say("See you!", "SM-o")
    with pytest.raises(ConflictError):
        talk.staff(Decision.OPT_OUT, "SM-o")
    with pytest.raises(NotFoundError):
        talk.staff(Decision.OPT_OUT, "SM-none")
    with pytest.raises(NotFoundError):
        talk.world.review_replies.resolve("other", "SM-o", Decision.KEEP, "Kim")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(["STOP", "START", "no more texts", "C", "thanks", "keep", "opt_out", "again"]),
        min_size=1,
        max_size=10,
    )
)
def test_handing_on_again_changes_nothing_whatever_was_said_and_decided(said: list[str]) -> None:
    plain, replayed = Talk(), Talk()
    for talk in (plain, replayed):
        talk.ask()
        for number, what in enumerate(said):
            waiting = talk.to_read
            if what in ("keep", "opt_out"):
                if waiting:
                    talk.staff(Decision(what), waiting[0])
                continue
            if what != "again":
                talk.say(what, f"SM{number}")
                continue
            for earlier, body in enumerate(said[:number]):
                if talk is replayed and body not in ("keep", "opt_out", "again"):
                    talk.world.receive_text(IncomingText(f"SM{earlier}", NUMBER, OURS, (OURS,), body))

    assert (plain.opted_out(), plain.to_read, len(plain.confirmed)) == (
        replayed.opted_out(),
        replayed.to_read,
        len(replayed.confirmed),
    )


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_with_the_last_customer_of_a_number_the_words_go_and_what_was_said_about_consent_stays() -> None:
    talk = Talk(1, 2)
    for body in ("see you", "please stop texting me", "STOP"):
        talk.say(body)
    talk.world.customer_service.delete(BUSINESS_ID, id_of(1))
    talk.world.pump_streams()
    assert talk.last.body == "STOP"
    talk.world.customer_service.delete(BUSINESS_ID, id_of(2))
    talk.world.pump_streams()

    kept = talk.world.replies.page(BUSINESS_ID, 9, None).items
    assert [(reply.number, reply.body) for reply in kept] == [(None, None)] * 3
    assert (talk.to_read, Scope.ALL in talk.opted_out()) == ([], True)
    said = [e.statement.words for e in talk.world.contact_history.page(KEY, 99, None).items if hasattr(e, "statement")]
    assert "STOP" in said
    assert "please stop texting me" not in said
    with pytest.raises(ConflictError):
        talk.staff(Decision.OPT_OUT, "SM2")
    talk.say("STOP", "SM3")
    assert talk.last.body is None
