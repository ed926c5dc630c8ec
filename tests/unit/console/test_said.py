"""What use cases say, in the languages of the console: every sentence that they can make is read back and written."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from rebound.businesses.domain.business import Barrier
from rebound.campaigns.application.find_waiting import WaitReason
from rebound.consent.domain.consent import ConsentEvidence
from rebound.console.domain.said import Catalogue, Translation
from rebound.console.http.words import LANGUAGES, Words
from rebound.contacts.domain.history import FlagChanged
from rebound.contacts.domain.replies import Decision, Keyword, Meaning, Reply
from rebound.customers.domain import (
    ASKED_CUSTOMER,
    ASKED_OTHER,
    BY_FORM,
    PROFILE,
    PointsBooked,
    ProfileEvent,
    ProfileEventKind,
)
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.eligibility.domain.explanation import attempt_sentence, explain
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import all_codes
from rebound.messages.domain.appointments import BY_LINK, Answered
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.timeline.domain import (
    sentence_of_answer,
    sentence_of_consent,
    sentence_of_flag,
    sentence_of_message,
    sentence_of_points,
    sentence_of_profile,
    sentence_of_reply,
    sentence_of_waiting,
)
from tests.fakes.making import BUSINESS_ID, at, message
from tests.unit.eligibility.test_explanation import attempts, cases, every_kind_of_case

TEXTED: Final = ContactKey(BUSINESS_ID, Channel.SMS, "+14155550101")
OTHERS: Final = [language for language in LANGUAGES if language != "en"]
in_each_language: Final = pytest.mark.parametrize("language", OTHERS)


def unsaid(language: str, sentences: set[str]) -> list[str]:
    """Those that the language has no words for."""
    words = Words(language)
    return sorted(each for each in sentences if words.said(each) == each)


@cache
def of_every_case() -> set[str]:
    said: set[str] = set()
    for case in every_kind_of_case():
        told = explain(case, [])
        said |= {told.sentence, told.next_step, *(rule.sentence for rule in told.rules)}
    return said


@in_each_language
def test_why_not_is_said_of_every_kind_of_case(language: str) -> None:
    assert len(of_every_case()) > 100
    assert unsaid(language, of_every_case()) == []


@given(cases(), attempts, st.sampled_from(OTHERS))
def test_why_not_is_said_of_any_case(case: Case, log: list[Message], language: str) -> None:
    told = explain(case, log)
    said = {told.sentence, told.next_step, *(rule.sentence for rule in told.rules)}

    assert unsaid(language, said | {each.sentence for each in told.attempts}) == []


def messages() -> Iterator[Message]:
    for status, channel, category in product(MessageStatus, Channel, Category):
        yield message(1, status, channel=channel, category=category)
    for status, channel, more in product(MessageStatus, Channel, (COPY, INVITATION, CONFIRMATION)):
        yield message(1, status, channel=channel, **more)
        yield message(1, status, channel=channel, reason="opted_out", **more)
    for reason, more in product((*Exclusion, "else"), (NOTHING, COPY)):
        yield message(1, MessageStatus.EXCLUDED, reason=reason, **more)
    for barrier, channel in product(Barrier, Channel):
        yield message(1, MessageStatus.EXCLUDED, channel=channel, reason="channel_off", barrier=barrier)
    for row in all_codes():
        yield message(1, MessageStatus.FAILED, provider=row.provider, provider_code=row.code)


COPY: Final[dict[str, Any]] = {"copy_of": "m0"}
NOTHING: Final[dict[str, Any]] = {}
INVITATION: Final[dict[str, Any]] = {"relation_id": "r1"}
CONFIRMATION: Final[dict[str, Any]] = {"asks_confirmation": True, "appointment_id": "a1"}


def of_messages() -> set[str]:
    found = {sentence_of_message(each) for each in messages()} | {attempt_sentence(each) for each in messages()}
    return found | {sentence_of_waiting(each, because) for each in messages() for because in WaitReason}


def of_consent() -> set[str]:
    return {
        sentence_of_consent(
            ConsentEvidence(at(0), scope, opted_out=opted_out, source=source, words=words, who=who), channel
        )
        for scope, opted_out, source, words, who, channel in product(
            Scope, (True, False), ConsentSource, (None, "No. Stop it, please."), (None, "ana@example.com"), Channel
        )
    }


def of_replies() -> set[str]:
    bodies = (None, "Stop", 'He said "no". Then he left, which stops all texts.')
    readings: list[dict[str, Any]] = [
        *({"keyword": keyword, "meaning": Meaning.OTHER} for keyword in Keyword),
        *({"meaning": meaning, "needs_staff": needs} for meaning, needs in product(Meaning, (True, False))),
        *(
            {"meaning": Meaning.OTHER, "decision": decision, "resolved_at": at(1), "resolved_by": who}
            for decision, who in product(Decision, (None, "ana@example.com"))
        ),
    ]
    return {
        sentence_of_reply(Reply(TEXTED, "SM1", at(0), "+14155550100", number=number, body=body, **reading))
        for body, number, reading in product(bodies, (None, "+14155550101"), readings)
    }


def of_profiles() -> set[str]:
    fields = [(), *((name,) for name in PROFILE), tuple(PROFILE)[:3]]
    edits = (
        ProfileEvent(kind=kind, at=at(0), event_id="e", fields=names, via=via, who="ana@example.com")
        for kind, names, via in product(ProfileEventKind, fields, (BY_FORM, None))
        if not kind.startswith("relation_")
    )
    relations = (
        ProfileEvent(kind=kind, at=at(0), event_id="e", name=name, asked=asked, relationship=relationship, who=who)
        for kind, name, asked, relationship, who in product(
            ProfileEventKind,
            (None, "Bo D. Oe"),
            (None, ASKED_CUSTOMER, ASKED_OTHER),
            (None, "mother", "aunt or uncle", "best mate"),
            (None, "ana@example.com"),
        )
        if kind.startswith("relation_")
    )
    return {sentence_of_profile(event) for event in (*edits, *relations)}


def of_points() -> set[str]:
    return {
        sentence_of_points(PointsBooked("b", at(0), delta, "Thanks. For you: 5 points", "ana@example.com", balance))
        for delta, balance in product((1, -1, 2500, -2500), (0, 1, 2500))
    }


def of_flags() -> set[str]:
    reasons = {None, "new", *(row.reason for row in all_codes())}
    return {sentence_of_flag(FlagChanged(at(0), reason, "c"), channel) for reason in reasons for channel in Channel}


def of_answers() -> set[str]:
    return {sentence_of_answer(Answered(at(0), by, confirmed)) for by in (BY_LINK, "r") for confirmed in (True, False)}


@in_each_language
@pytest.mark.parametrize(
    "sentences", [of_messages, of_consent, of_replies, of_profiles, of_points, of_flags, of_answers]
)
def test_the_logs_that_people_read_are_said(language: str, sentences: Callable[[], set[str]]) -> None:
    assert unsaid(language, sentences()) == []


@in_each_language
def test_every_code_of_a_provider_has_its_sentence(language: str) -> None:
    assert unsaid(language, {row.sentence for row in all_codes()}) == []


class TestReading:
    """How a sentence is read back."""

    def test_numbers_and_times_are_written_as_people_there_do(self) -> None:
        words = Words("de", "Europe/Berlin")

        assert words.said("The customer has 12500 points.") == "Der Kunde hat 12.500 Punkte."
        assert words.said("Must be before the appointment starts at 2026-07-01T22:30:00.000Z.").endswith(
            "02.07.2026, 00:30."
        )

    def test_what_has_no_entry_stays_as_it_is_and_whole(self) -> None:
        unknown = "It was delivered. Nobody has words for this."

        assert Words("de").said(unknown) == unknown
        assert Words("de").said("") == ""

    def test_english_is_what_was_said(self) -> None:
        assert Words("en").said("It was delivered.") == "It was delivered."

    def test_the_console_s_own_words_are_not_read_again(self) -> None:
        own = Markup("It was delivered.")

        assert Words("de").said(own) is own

    def test_what_somebody_wrote_is_not_read(self) -> None:
        said = Words("de").said('Texted "It was delivered.", which stops all texts.')

        assert said == "Schrieb „It was delivered.“; das stoppt alle SMS."

    @given(st.text('ab .,;:?"“”()0-', max_size=400))
    def test_whatever_it_is_it_is_read_in_a_moment(self, text: str) -> None:
        assert isinstance(Words("it").said(f'Texted "{text}". {text}'), str)

    def test_the_entry_with_the_most_words_is_taken(self) -> None:
        entries = Catalogue.of({"{a} and {b}.": "1 {a} {b}", "{a} or else {b}.": "2 {a} {b}"})

        assert Translation(entries, Words("de")).of("x and y or else z.") == "2 x and y z"

    def test_a_place_takes_only_what_is_of_its_kind(self) -> None:
        entries = Catalogue.of({"{n:number} of them": "{n} davon", "{a} of {b:said}": "{b}: {a}", "them": "sie"})

        assert Translation(entries, Words("de")).of("1000 of them") == "1.000 davon"
        assert Translation(entries, Words("de")).of("some of them") == "sie: some"
        assert Translation(entries, Words("de")).of("some of us") is None
