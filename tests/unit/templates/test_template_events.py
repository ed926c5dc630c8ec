"""The built-in events: each has its variables, and in each language a default template that can be sent as it is."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from rebound.kernel.channels import Channel
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.templates.domain import template_events as module
from rebound.templates.domain.content import Content, EmailContent, TextContent
from rebound.templates.domain.rendering import VARIABLES, render_text
from rebound.templates.domain.template_events import (
    about_variables,
    default_id,
    default_template,
    event_of_default,
    for_what_is_used,
    lacking,
    template_events,
    variables_of,
)
from rebound.templates.domain.text_size import TextEncoding, size_of_text
from rebound.templates.domain.typed_values import Reader, VariableType
from rebound.templates.domain.variables import check_declared, check_given, examples_of, filled

FOLDER: Final = Path(module.__file__).parents[1] / "events"
MODEL: Final = "en"
COUNTRIES: Final = {"de": "DE", "en": "US", "es": "ES", "fr": "FR", "it": "IT", "pt": "PT"}
BUSINESS: Final = {"business_name": "Salon Juniper", "first_name": "Ana", "email": "ana@example.com"}
MONTHS: Final = [f"2026-{month:02}-28" for month in range(1, 13)]
EVENTS: Final = tuple(template_events())

of_each_event: Final = pytest.mark.parametrize("event", EVENTS)
of_each_language: Final = pytest.mark.parametrize("language", LANGUAGES)


def words(language: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return document


def sentences(language: str) -> Iterator[tuple[str, str]]:
    """Every sentence of a language with the path to it."""
    document = words(language)
    yield "hello", document["hello"]
    for kind, sentence in document["refunds"].items():
        yield f"refunds/{kind}", sentence
    for event, said in document["events"].items():
        for name, sentence in said.items():
            yield f"{event}/{name}", sentence


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def everything(event: str, channel: Channel, language: str) -> str:
    """All that a default says in a language, with its markup."""
    default = default_template(event, channel)
    if channel is Channel.EMAIL:
        return json.dumps(default.layouts[language], ensure_ascii=False)
    return default.texts[language].body


def given_in(event: str, language: str, **more: Any) -> Mapping[str, str]:
    """What a message is filled in with that is given the required variables alone."""
    declared = variables_of(event)
    examples = {name: each for name, each in examples_of(declared).items() if declared[name].required}
    given = check_given(declared, {**examples, **more})
    reader = Reader(language, COUNTRIES[language], "Europe/Berlin", spaces_may_break=True)
    result = filled(declared, given, {}, reader)
    assert not result.missing
    return {**BUSINESS, **result.values}


# --- the events -------------------------------------------------------------------------------------------------------


def test_the_events_are_those_that_studios_and_salons_write_about() -> None:
    assert (
        *("appointment_confirmed", "appointment_changed", "appointment_cancelled"),
        *("class_confirmed", "class_changed", "class_cancelled"),
        *("reminder", "confirmation_asked", "waiting_list_place_offered", "receipt"),
        *("membership_renewed", "membership_expiring", "renewal_failed", "package_last_credit"),
        *("waiver_to_sign", "update_form", "family_invitation", "login_information", "missed_call", "voucher"),
    ) == EVENTS


@of_each_event
def test_an_event_names_variables_that_are_described_each_once(event: str) -> None:
    about = template_events()[event]

    assert len(set(about.names)) == len(about.names)
    assert set(about.names) <= set(about_variables())
    assert set(about.must_use) <= set(about.required)
    assert {*placeholders(" ".join(about.details)), *about.notes} <= set(about.names)
    check_declared(variables_of(event))
    for sentence in (about.description, *(about_variables()[name].description for name in about.names)):
        assert re.fullmatch(r"[A-Z][^\n]{10,150}\.", sentence)


def test_every_variable_that_is_described_belongs_to_an_event_and_hides_none_of_the_customers() -> None:
    assert {name for about in template_events().values() for name in about.names} == set(about_variables())
    assert not set(about_variables()) & set(VARIABLES)


def test_variables_that_come_with_a_message_about_a_class_have_the_names_that_booking_systems_give_them() -> None:
    for event in ("class_cancelled", "appointment_cancelled"):
        assert {"noteToCustomers", "refundNotice"} <= set(variables_of(event))
    for event in ("class_confirmed", "appointment_confirmed"):
        assert "welcomeMessage" in variables_of(event)
    offered = variables_of("waiting_list_place_offered")["numberOfMinutesToRespond"]
    assert (offered.type, offered.required) == (VariableType.NUMBER, True)
    assert variables_of("waiver_to_sign")["url"].type is VariableType.URL


@of_each_event
@pytest.mark.parametrize("channel", Channel)
def test_the_id_of_a_default_names_its_event_and_its_channel(event: str, channel: Channel) -> None:
    assert default_id(event, channel) == f"{event}.{channel}"
    assert event_of_default(f"{event}.{channel}") == (event, channel)


@pytest.mark.parametrize(
    "other", ["receipt", "receipt.", "receipt.push", "Receipt.email", "receipt.email.2", ".sms", ""]
)
def test_any_other_id_is_that_of_no_default(other: str) -> None:
    assert event_of_default(other) is None


# --- the words --------------------------------------------------------------------------------------------------------


def test_there_is_a_file_for_every_language_and_no_other() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"events.json", *(f"{each}.json" for each in LANGUAGES)}


@of_each_language
def test_a_language_says_everything_that_the_others_say_with_the_same_variables(language: str) -> None:
    model, own = dict(sentences(MODEL)), dict(sentences(language))

    assert list(own) == list(model), "the same sentences, in the same order"
    assert list(words(language)["events"]) == list(EVENTS)
    for path, sentence in own.items():
        assert sentence.strip() == sentence != "", path
        assert placeholders(sentence) == placeholders(model[path]), path
        assert not set("{}<>#") & set(PLACEHOLDER.sub("", sentence)), path
        assert language == MODEL or sentence != model[path], path
        assert "  " not in sentence, path


@of_each_language
def test_punctuation_is_that_of_the_language(language: str) -> None:
    for path, sentence in sentences(language):
        bare = PLACEHOLDER.sub("x", sentence)
        assert (re.search(r"\S[!?:;](?!//)", bare) is None) == (language == "fr") or not re.search("[!?:;]", bare), path
        assert ("¡" in bare) == (language == "es" and "!" in bare), path
        assert ("¿" in bare) == (language == "es" and "?" in bare), path


@of_each_event
@of_each_language
@pytest.mark.parametrize("channel", Channel)
def test_a_default_uses_no_variable_that_nobody_fills_in(event: str, language: str, channel: Channel) -> None:
    used = placeholders(everything(event, channel, language))

    assert used <= {*variables_of(event), *VARIABLES}
    assert "business_name" in used


@of_each_event
def test_what_an_event_requires_some_default_says(event: str) -> None:
    used = {name for channel in Channel for name in placeholders(everything(event, channel, MODEL))}

    assert set(template_events()[event].required) <= used


@of_each_language
@pytest.mark.parametrize("event", ["class_cancelled", "appointment_cancelled"])
def test_what_becomes_of_the_money_is_said_by_kind_of_payment_or_in_words_of_ones_own(
    event: str, language: str
) -> None:
    texts = words(language)["refunds"]

    assert set(texts) == {"card", "cash", "gift_card", "membership", "package"}
    for kind, text in texts.items():
        assert given_in(event, language, refundNotice=kind)["refundNotice"] == text
    assert given_in(event, language, refundNotice="We call you.")["refundNotice"] == "We call you."
    assert given_in(event, language)["refundNotice"] == ""


# --- texts ------------------------------------------------------------------------------------------------------------


@of_each_event
@of_each_language
def test_a_text_is_one_segment_of_gsm_7(event: str, language: str) -> None:
    """With the example's values; the letters of a month or a name may need UCS-2 all the same."""
    body = render_text(default_template(event, Channel.SMS).texts[language], given_in(event, language))
    size = size_of_text(body.rstrip())

    assert (size.encoding, size.segments) == (TextEncoding.GSM_7, 1), body


@of_each_event
@of_each_language
def test_a_text_has_at_most_two_segments_in_every_month(event: str, language: str) -> None:
    dates = [name for name, each in variables_of(event).items() if each.type is VariableType.DATE and each.required]
    for day in MONTHS:
        values = given_in(event, language, **dict.fromkeys(dates, day))
        body = render_text(default_template(event, Channel.SMS).texts[language], values)
        assert size_of_text(body.rstrip()).segments <= 2, body


@of_each_language
def test_a_text_that_asks_for_a_confirmation_says_what_to_answer(language: str) -> None:
    assert re.search(r"\bC\b", default_template("confirmation_asked", Channel.SMS).texts[language].body)


# --- emails -----------------------------------------------------------------------------------------------------------


@of_each_event
@of_each_language
def test_an_email_has_a_button_where_there_is_something_to_do(event: str, language: str) -> None:
    layout = default_template(event, Channel.EMAIL).layouts[language]
    buttons = [block for block in layout["blocks"] if block["kind"] == "button"]

    assert [button["link"] for button in buttons] == ["##{{url}}"] * ("url" in template_events()[event].required)
    assert layout["language"] == language
    assert [block["kind"] for block in layout["blocks"][:3]] == ["text", "heading", "text"]


# --- what a template must have ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        (TextContent("Sign: ##{{url}}"), False),
        (TextContent("Sign, please"), True),
        (TextContent("Sign: ##{{ url }}"), False),
        (TextContent("Sign: ##%7B%7Burl%7D%7D"), False),
        (EmailContent("Sign ##{{url}}", None, "Please sign"), True),
        (EmailContent("Sign", None, "Please sign ##{{url}}"), False),
        (EmailContent("Sign", '<a href="##{{url}}">Sign</a>', None), False),
        (EmailContent("Sign", '<a href="##{{url}}"></a>', None), True),
        (EmailContent("Sign", "<p>Sign: ##{{url}}</p>", None), False),
        (EmailContent("Sign", "<p>Sign</p><!-- ##{{url}} -->", None), True),
        (EmailContent("Sign", '<p style="display:none">##{{url}}</p>', None), True),
        (EmailContent("Sign", '<a href="##{{url}}">Sign</a>', "Please sign"), True),
        (EmailContent("Sign", "<p>Sign</p>", "##{{url}}"), True),
    ],
)
def test_a_waiver_is_not_asked_for_without_the_place_to_sign_it(content: Content, lacks: bool) -> None:
    assert lacking("waiver_to_sign", content) == ("url",) * lacks
    assert lacking("receipt", content) == ()


def test_what_a_text_does_not_use_no_message_needs() -> None:
    declared = for_what_is_used(variables_of("waiting_list_place_offered"), {"url", "class_name"})

    assert [name for name, each in declared.items() if each.required] == ["class_name", "url"]
    assert list(declared) == list(variables_of("waiting_list_place_offered"))
