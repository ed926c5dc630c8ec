"""Saved templates: one suite against the fake and the tables."""

import pytest

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.platform.adapters.directory import Directory
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.template import Template, TemplateVersion
from rebound.templates.domain.typed_values import VariableType
from rebound.templates.domain.variables import Variable
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at


def version(number: int = 1, template_id: str = "class.email", business_id: str = BUSINESS_ID) -> TemplateVersion:
    return TemplateVersion(
        business_id=business_id,
        template_id=template_id,
        version=number,
        name=f"Kurs {number}",
        channel=Channel.EMAIL,
        category=Category.REMINDER,
        variables={"starts": Variable(VariableType.TIME, required=True, default="17:30", example=None)},
        contents={
            "de": EmailContent("Bis ##{{starts}}", "<p>é</p>"),
            "en": EmailContent("Until ##{{starts}}", None, "😀"),
        },
        layouts={"de": {"subject": "Bis ##{{starts}}", "blocks": [{"kind": "divider"}]}},
        email_content=EmailContent("In place of a text", text="Hi"),
        saved_at=at(number),
    )


def nothing(template_id: str = "class.email", business_id: str = BUSINESS_ID) -> Template:
    return Template(business_id=business_id, template_id=template_id)


def test_a_version_is_read_as_it_was_saved_with_which_there_are(ports: EveryPorts) -> None:
    assert ports.templates.get(BUSINESS_ID, "class.email") == nothing()
    saved = ports.templates.save(nothing(), nothing().with_published(version()), version())

    assert ports.templates.get(BUSINESS_ID, "class.email") == saved
    assert (saved.published, saved.draft, saved.latest, saved.about) == (1, 0, 1, version().about)
    assert ports.templates.version(BUSINESS_ID, "class.email", 1) == version()
    assert ports.templates.versions(BUSINESS_ID, {"class.email": 1, "nobody": 1}) == {"class.email": version()}
    assert ports.templates.versions(BUSINESS_ID, {}) == {}


def test_a_text_is_read_as_it_was_saved(ports: EveryPorts) -> None:
    text = TemplateVersion(
        business_id=BUSINESS_ID,
        template_id="t",
        version=1,
        name="Text",
        channel=Channel.SMS,
        category=Category.MARKETING,
        contents={"": TextContent("Hi")},
        saved_at=at(),
    )
    ports.templates.save(nothing("t"), nothing("t").with_published(text), text)

    assert ports.templates.version(BUSINESS_ID, "t", 1) == text


def test_versions_stay_when_the_template_is_edited_and_deleted_and_a_draft_goes(ports: EveryPorts) -> None:
    first = ports.templates.save(nothing(), nothing().with_published(version()), version())
    drafted = ports.templates.save(first, first.with_draft(version(2)), version(2))
    assert ports.templates.version(BUSINESS_ID, "class.email", 2) == version(2)
    published = drafted.with_published(version(3)).with_draft(None)
    third = ports.templates.save(drafted, published, version(3))
    assert ports.templates.versions(BUSINESS_ID, {"class.email": 2}) == {}
    gone = ports.templates.save(third, third.deleted())

    assert not ports.templates.get(BUSINESS_ID, "class.email").exists
    assert (gone.latest, gone.published) == (3, 0)
    assert [ports.templates.version(BUSINESS_ID, "class.email", n).version for n in (1, 3)] == [1, 3]


def test_who_read_an_older_state_writes_nothing(ports: EveryPorts) -> None:
    def nth(number: int) -> TemplateVersion:
        # Its own id, since a process keeps the versions that it has read.
        return version(number, "raced")

    unknown = nothing("raced")
    first = ports.templates.save(unknown, unknown.with_published(nth(1)), nth(1))
    second = ports.templates.save(first, first.with_published(nth(2)), nth(2))
    for read in (unknown, first):
        with pytest.raises(ConcurrentChangeError):
            ports.templates.save(read, read.with_published(nth(3)), nth(3))

    assert ports.templates.get(BUSINESS_ID, "raced") == second
    with pytest.raises(NotFoundError):
        ports.templates.version(BUSINESS_ID, "raced", 3)


def test_pages_are_by_id_and_only_the_businesss_own(ports: EveryPorts) -> None:
    for id_ in ("b", "a-b", "a", "a.b", "A", "a_b"):
        for owner in (BUSINESS_ID, "other"):
            made = nothing(id_, owner)
            ports.templates.save(made, made.with_published(version(1, id_, owner)), version(1, id_, owner))

    seen = [""]
    while found := ports.templates.page(BUSINESS_ID, seen[-1], 2):
        assert {each.business_id for each in found} == {BUSINESS_ID}
        seen += [each.template_id for each in found]
    assert seen[1:] == ["A", "a", "a-b", "a.b", "a_b", "b"]


def test_a_version_that_was_read_is_not_read_again(
    over_dynamodb: None, ports: EveryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = nothing("kept")
    ports.templates.save(made, made.with_published(version(1, "kept")), version(1, "kept"))
    first = ports.templates.version(BUSINESS_ID, "kept", 1)
    monkeypatch.setattr(Directory, "get_document", None)

    assert ports.templates.version(BUSINESS_ID, "kept", 1) is first
