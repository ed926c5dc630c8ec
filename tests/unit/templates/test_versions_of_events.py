"""What a template of an event needs, and what it must have."""

from datetime import UTC, datetime
from typing import Final

import pytest

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.templates.application.make_version import NewVersion
from rebound.templates.domain.content import Content, EmailContent, TextContent
from rebound.templates.domain.template import Template, TemplateVersion
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.template_defaults import make_version

NOW: Final = datetime(2026, 11, 29, tzinfo=UTC)


def made(event: str, content: Content, email_content: EmailContent | None = None) -> TemplateVersion:
    new = NewVersion(
        name="Of our own",
        channel=Channel.SMS if isinstance(content, TextContent) else Channel.EMAIL,
        category=Category.TRANSACTIONAL,
        event=event,
        variables={},
        contents={"en": content},
        email_content=email_content,
    )
    return make_version(business())(Template(business_id=BUSINESS_ID, template_id="t"), 1, new, NOW).version


@pytest.mark.parametrize(
    "content",
    [
        EmailContent("Pay", '<a href="##{{url}}">Pay</a>'),
        EmailContent("Pay", '<a href="##%7B%7Burl%7D%7D">Pay</a>'),
        EmailContent("Pay", '<a href="##&#123;{<b>url</b>}}">Pay</a>'),
        EmailContent("Pay", None, "Pay: ##{{ url }}"),
        TextContent("Pay: ##{{url}}"),
    ],
)
def test_what_a_template_uses_is_required_however_an_editor_has_left_it(content: Content) -> None:
    assert made("renewal_failed", content).variables["url"].required


@pytest.mark.parametrize("content", [EmailContent("Pay", "<p>Pay url</p>"), TextContent("Pay")])
def test_what_a_template_does_not_use_is_not_required(content: Content) -> None:
    version = made("renewal_failed", content)

    assert not any(variable.required for variable in version.variables.values())
    assert "url" in version.variables


def test_what_goes_by_email_in_place_of_a_text_must_have_it_too() -> None:
    text, email = TextContent("Sign: ##{{url}}"), EmailContent("Sign", None, "Please sign.")

    with pytest.raises(InvalidInputError) as caught:
        made("waiver_to_sign", text, email)
    assert [error.field for error in caught.value.errors] == ["email_content"]
    assert made("waiver_to_sign", text, EmailContent("Sign", None, "##{{url}}")).email_content is not None
    with pytest.raises(InvalidInputError) as caught:
        made("waiver_to_sign", TextContent("Sign, please"))
    assert [error.field for error in caught.value.errors] == ["contents.en"]
