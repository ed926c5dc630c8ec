"""Every default template, in every language, as somebody gets it."""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.layout_style import Style
from rebound.kernel.channels import Channel
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.content import MadeFrom, TextContent
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.rendering import RenderedEmail, check_content, names_used
from rebound.templates.domain.sendable import email_to_send, for_one, is_sendable, text_to_send
from rebound.templates.domain.template import TemplateVersion
from rebound.templates.domain.template_events import lacking, template_events, variables_of
from rebound.templates.domain.typed_values import VariableType
from rebound.templates.domain.variables import check_given, examples_of
from tests.fakes.making import business, customer
from tests.fakes.template_defaults import made_default

GOLDEN: Final = Path(__file__).parent / "defaults"
GOLDEN_DEFAULTS: Final = (("class_cancelled", "it"), ("waiting_list_place_offered", "de"), ("voucher", "fr"))
EVENTS: Final = tuple(template_events())
STUDIO: Final = business(country="IT", time_zone="Europe/Rome", postal_address="Via Roma 5, Torino")
LINKS: Final = {name: f"https://links.example.com/{name}" for name in ALL_LINKS}
MOST_BYTES: Final = 12_000
"""Of a default's HTML: far from what Gmail clips, and quick on a phone."""
of_each_event: Final = pytest.mark.parametrize("event", EVENTS)


@cache
def made(event: str, channel: Channel) -> TemplateVersion:
    """A default as a business sends it."""
    found = made_default(event, channel, STUDIO)
    assert found.warnings == ()
    return found.version


def sent(event: str, channel: Channel, language: str, given: Mapping[str, Any]) -> str | RenderedEmail:
    """What Ana gets."""
    version, ana = made(event, channel), customer(first_name="Ana", language=language)
    said = version.content_for(MadeFrom(version.template_id, 1, check_given(version.variables, given)))
    assert is_sendable(said, version.category, ana, STUDIO)
    found = for_one(said, ana, STUDIO)
    assert found is not None
    values = {**found.values, **LINKS}
    if isinstance(found.content, TextContent):
        text = text_to_send(found.content, values, found.addresses)
        assert text is not None
        return text
    email = email_to_send(found.content, version.category, language, values, found.addresses)
    assert email is not None
    return email


def parts(message: str | RenderedEmail) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else (message.subject, message.html, message.text)


def examples(event: str, channel: Channel, *, required_alone: bool = False) -> Mapping[str, Any]:
    declared = made(event, channel).variables
    return {name: each for name, each in examples_of(declared).items() if declared[name].required or not required_alone}


@of_each_event
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("required_alone", [True, False])
def test_a_default_is_sent_with_the_examples_and_nothing_is_left_to_fill_in(
    event: str, language: str, channel: Channel, *, required_alone: bool
) -> None:
    message = sent(event, channel, language, examples(event, channel, required_alone=required_alone))

    for part in parts(message):
        assert not re.search(r"\{\{|\}\}|##", part)
        assert "None" not in part
        assert not re.search(r"\n\n\n|[:,] ?\n?\Z", part), "nothing ends with what it announces"
    assert "Salon Juniper" in parts(message)[-1]
    if isinstance(message, RenderedEmail):
        assert len(message.html.encode()) < MOST_BYTES
        assert f'<html lang="{language}"' in message.html
        assert "Ana" in message.text
        url = "https://studio.example.com/a/7f3c"
        needs = "url" in template_events()[event].required
        assert (f'href="{url}"' in message.html, url in message.text) == (needs, needs)


TEXT: Final = st.text(max_size=40) | st.sampled_from(
    ["{{first_name}}", "##{{url}}", "{", "}}", "<b>&</b>", "\n", " ", "card", "\u200b"]
)


@given(st.sampled_from(EVENTS), st.sampled_from(Channel), st.sampled_from(LANGUAGES), st.data())
def test_no_default_sends_two_braces_whatever_it_is_given(
    event: str, channel: Channel, language: str, data: st.DataObject
) -> None:
    declared = made(event, channel).variables
    values = dict(examples(event, channel))
    for name, each in declared.items():
        if each.type is VariableType.TEXT and each.texts is None:
            drawn = data.draw(TEXT)
            values[name] = (
                re.sub("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "", drawn) + "x" * each.required
            )

    for part in parts(sent(event, channel, language, values)):
        assert "{{" not in part


@of_each_event
@pytest.mark.parametrize("channel", Channel)
def test_a_default_is_what_a_business_could_have_saved_itself(event: str, channel: Channel) -> None:
    version = made(event, channel)

    assert set(version.contents) == set(LANGUAGES)
    for content in version.contents.values():
        check_content(content, version.category, version.variables)
        assert lacking(event, content) == ()


@of_each_event
@pytest.mark.parametrize("channel", Channel)
def test_a_message_from_a_default_needs_only_what_the_default_says(event: str, channel: Channel) -> None:
    version = made(event, channel)

    assert list(version.variables) == list(variables_of(event))
    for name, variable in version.variables.items():
        says = any(name in names_used(content) for content in version.contents.values())
        assert variable.required == (variables_of(event)[name].required and says)


@of_each_event
def test_a_default_can_be_read_in_the_colours_of_a_business_of_the_night(event: str) -> None:
    style = Style(text_color="#ffffff", content_color="#101418", link_color="#8ab4f8")
    default = made_default(event, Channel.EMAIL, business(layout_style=style))

    assert all("#101418" in str(content) for content in default.version.contents.values())
    assert default.warnings == ()


@pytest.mark.parametrize(("event", "language"), GOLDEN_DEFAULTS)
def test_a_default_looks_as_it_did(event: str, language: str) -> None:
    """After a wanted change, or with a new mrml: look at them, and write them anew with ``REBOUND_WRITE_GOLDEN=1``."""
    email = sent(event, Channel.EMAIL, language, examples(event, Channel.EMAIL))
    assert isinstance(email, RenderedEmail)
    made = {"html": email.html.replace("><", ">\n<"), "txt": f"{email.subject}\n\n{email.text}"}
    for suffix, text in made.items():
        file = GOLDEN / f"{event}.{language}.{suffix}"
        if os.environ.get("REBOUND_WRITE_GOLDEN"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")
