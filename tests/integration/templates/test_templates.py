"""Templates over the real handlers and tables."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from rebound.templates.domain.template_events import template_events
from tests.integration.conftest import Answer, Stack

URL: Final = "/v1/templates/class-confirmed"
DEFAULTS: Final = [f"{event}.{channel}" for event in template_events() for channel in ("email", "sms")]
UNSUCCESSFUL: Final = ["renewal_failed.email", "renewal_failed.sms"]
TEMPLATE: Final[dict[str, Any]] = {
    "name": "Class confirmed",
    "channel": "email",
    "category": "transactional",
    "variables": {"class_name": {"required": True, "example": "Vinyasa"}},
    "contents": {
        "en": {"subject": "##{{class_name}} is booked", "text": "See you, ##{{first_name}}."},
        "de": {"subject": "##{{class_name}} ist gebucht", "text": "Bis bald, ##{{first_name}}."},
    },
}
LAYOUT: Final[dict[str, Any]] = {
    "subject": "##{{class_name}}",
    "blocks": [{"kind": "heading", "text": "Hello ##{{first_name}}"}, {"kind": "text", "text": "##{{class_name}}"}],
}


def put(stack: Stack, body: Mapping[str, Any] = TEMPLATE, url: str = URL, **more: Any) -> Answer:
    return stack.api("PUT", url, body, **more)


def tag_of(answer: Answer) -> str:
    return {name.lower(): value for name, value in answer.headers.items()}["etag"]


def test_a_template_is_saved_and_read_as_it_was_written(stack: Stack) -> None:
    saved = put(stack)

    assert saved.status == 200, saved.text
    assert saved.body["version"] == saved.body["published_version"] == 1
    assert (saved.body["status"], saved.body["draft_version"], saved.body["warnings"]) == ("published", None, [])
    assert saved.body["contents"]["de"] == {**TEMPLATE["contents"]["de"], "html": None}
    assert saved.body["variables"] == {
        "class_name": {"type": "text", "required": True, "default": None, "example": "Vinyasa", "texts": None}
    }
    read = stack.api("GET", URL)
    assert (read.body, tag_of(read)) == (saved.body, tag_of(saved))


def test_what_was_read_can_be_put_back_as_it_is(stack: Stack) -> None:
    for body in (TEMPLATE, {**TEMPLATE, "contents": None, "layout": LAYOUT}):
        read = put(stack, body).body
        sendable = {name: read[name] for name in ("name", "channel", "category", "variables", "contents", "layout")}
        again = put(stack, sendable).body

        assert {**again, "version": 0, "published_version": 0, "saved_at": ""} == {
            **read,
            "version": 0,
            "published_version": 0,
            "saved_at": "",
        }


def test_who_edits_one_language_leaves_the_others(stack: Stack) -> None:
    put(stack)
    german = {"subject": "Gebucht", "text": "Bis bald."}
    changed = stack.api("PATCH", URL, {"contents": {"de": german}})

    assert changed.status == 200, changed.text
    assert changed.body["version"] == 2
    assert changed.body["contents"] == {
        "en": {**TEMPLATE["contents"]["en"], "html": None},
        "de": {**german, "html": None},
    }
    without = stack.api("PATCH", URL, {"contents": {"en": None, "fr": german}, "name": "Kurs"}).body
    assert (list(without["contents"]), without["name"]) == (["de", "fr"], "Kurs")
    assert stack.api("PATCH", URL, {"contents": {"de": None, "fr": None}}).status == 422
    assert stack.api("GET", URL, query={"version": "1"}).body["status"] == "superseded"


def test_of_content_contents_and_layout_one_replaces_another(stack: Stack) -> None:
    put(stack)
    plain = stack.api("PATCH", URL, {"content": {"subject": "Hi", "text": "Hi"}}).body
    assert (plain["content"]["subject"], plain["contents"], plain["layout"]) == ("Hi", None, None)
    laid = stack.api("PATCH", URL, {"layout": LAYOUT}).body
    assert (laid["content"], laid["contents"], laid["layout"]) == (None, None, LAYOUT)
    both = stack.api("PATCH", URL, {"content": {"subject": "Hi", "text": "Hi"}, "layout": LAYOUT})
    assert (both.status, both.body["errors"][0]["field"]) == (422, "layout")
    assert stack.api("PATCH", URL, {"layout": None}).body["errors"] == [
        {"field": "layout", "message": "Give exactly one of content, contents, layout."}
    ]


def test_a_variable_is_changed_or_removed_by_its_name(stack: Stack) -> None:
    put(stack)
    changed = stack.api("PATCH", URL, {"variables": {"room": {"default": "Hall"}}}).body
    assert list(changed["variables"]) == ["class_name", "room"]
    refused = stack.api("PATCH", URL, {"variables": {"class_name": None}})
    assert refused.status == 422
    assert [each["field"] for each in refused.body["errors"]] == ["contents.en.subject", "contents.de.subject"]


def test_of_a_variable_changes_what_is_named(stack: Stack) -> None:
    put(stack, {**TEMPLATE, "variables": {"class_name": {"type": "text"}, "starts": {"type": "date"}}})
    changed = stack.api("PATCH", URL, {"variables": {"starts": {"required": True}}}).body
    assert (changed["variables"]["starts"]["type"], changed["variables"]["starts"]["required"]) == ("date", True)


@pytest.mark.parametrize("body", [TEMPLATE, {**TEMPLATE, "contents": None, "layout": LAYOUT}])
@pytest.mark.parametrize("status", ["published", "draft"])
def test_what_is_said_already_is_no_version_more(stack: Stack, body: Mapping[str, Any], status: str) -> None:
    first = put(stack, {**body, "status": status})
    for again in (put(stack, {**body, "status": status}), stack.api("PATCH", URL, {"status": status})):
        assert (again.body, tag_of(again)) == (first.body, tag_of(first))
    changed = stack.api("PATCH", URL, {"name": "Other", "status": status}).body
    assert changed["version"] == first.body["version"] + 1


def test_an_edit_that_changes_nothing_leaves_a_default(stack: Stack) -> None:
    default = stack.api("GET", "/v1/templates/receipt.email").body
    unchanged = stack.api("PATCH", "/v1/templates/receipt.email", {}).body
    assert unchanged == default
    assert (default["is_default"], default["saved_at"], default["published_version"]) == (True, None, 1)


def test_a_version_and_a_status_are_not_asked_for_together(stack: Stack) -> None:
    put(stack)
    refused = stack.api("GET", URL, query={"version": "1", "status": "draft"})
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "status")


@pytest.mark.parametrize(
    ("given", "errors", "meant"),
    [
        ({"contents": {"en": {"subject": "S", "text": "##{{frist_name}}"}}}, ["contents.en.text"], "first_name"),
        ({"contents": {"en": {"subject": "##{{ClassName}}", "text": "T"}}}, ["contents.en.subject"], "class_name"),
        ({"contents": None, "content": {"subject": "S", "html": "##{{className}}"}}, ["content.html"], "class_name"),
        ({"contents": {"eng": {"subject": "S", "text": "T"}}}, ["contents.eng"], "en"),
        ({"contents": {"de": {"subject": "S", "txt": "T"}}}, ["contents.de.txt"], "text"),
        (
            {"contents": None, "layout": {"subject": "S", "blocks": [{"kind": "heading", "text": "##{{classname}}"}]}},
            ["layout.blocks[0].text"],
            "class_name",
        ),
        (
            {"contents": {"de": {"layout": {"subject": "##{{classname}}", "blocks": [{"kind": "divider"}]}}}},
            ["contents.de.layout.subject"],
            "class_name",
        ),
    ],
)
def test_what_cannot_be_filled_in_is_refused_with_its_place_and_the_right_name(
    stack: Stack, given: Mapping[str, Any], errors: list[str], meant: str
) -> None:
    refused = put(stack, {**TEMPLATE, **given})

    assert refused.status == 422, refused.text
    assert [each["field"] for each in refused.body["errors"]][:1] == errors
    assert refused.body["did_you_mean"][errors[0]] == meant
    assert stack.api("GET", URL).status == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"contents": None}, "content"),
        ({"contents": {}}, "contents"),
        ({"layout": LAYOUT}, "layout"),
        ({"content": {"subject": "S", "text": "T"}}, "contents"),
        ({"contents": {"en": {"layout": LAYOUT, "subject": "S"}}}, "contents.en"),
        ({"contents": {"en": {"layout": []}}}, "contents.en"),
        ({"contents": {"en": {}}}, "contents.en.subject"),
        ({"channel": "sms", "contents": None, "layout": LAYOUT}, "layout"),
        ({"channel": "sms"}, "contents.en.body"),
        ({"email_content": {"subject": "S", "text": "T"}}, "email_content"),
        ({"variables": {"unsubscribe_url": {}}}, "variables.unsubscribe_url"),
        ({"variables": {"class_name": {"type": "number", "default": "many"}}}, "variables.class_name.default"),
        ({"contents": {"en": {"subject": "S", "text": "##{{stop_url}}"}}}, "contents.en.text"),
        ({"name": " "}, "name"),
        ({"category": "news"}, "category"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(stack: Stack, given: Mapping[str, Any], field: str) -> None:
    refused = put(stack, {**TEMPLATE, **given})

    assert refused.status == 422, refused.text
    assert refused.body["errors"][0]["field"] == field


@pytest.mark.parametrize("template_id", [".hidden", "a" * 65, "a+b", "é"])
def test_a_name_that_is_none_is_refused(stack: Stack, template_id: str) -> None:
    refused = put(stack, url=f"/v1/templates/{template_id}")

    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "template_id")


def test_all_languages_together_fit_a_row(stack: Stack) -> None:
    part = {"subject": "S", "html": "<p>" + "x" * 88_000 + "</p>"}
    refused = put(stack, {**TEMPLATE, "contents": dict.fromkeys(("de", "en", "es", "fr"), part)})

    assert refused.status == 422, refused.text
    assert "350000 are allowed" in refused.body["errors"][0]["message"]
    assert put(stack, {**TEMPLATE, "contents": dict.fromkeys(("de", "en", "es"), part)}).status == 200


def test_a_draft_stands_beside_what_is_published_until_it_is_published(stack: Stack) -> None:
    put(stack)
    draft = stack.api("PATCH", URL, {"name": "Later", "status": "draft"}).body
    assert (draft["status"], draft["version"], draft["published_version"], draft["draft_version"]) == ("draft", 2, 1, 2)
    assert stack.api("GET", URL).body["name"] == "Class confirmed"
    more = stack.api("PATCH", URL, {"contents": {"fr": {"body": "x"}}, "status": "draft"})
    assert more.status == 422
    more = stack.api("PATCH", URL, {"contents": {"fr": {"subject": "S", "text": "T"}}, "status": "draft"}).body
    assert (more["name"], more["version"], list(more["contents"])) == ("Later", 3, ["en", "de", "fr"])
    mended = stack.api("PATCH", URL, {"contents": {"en": {"subject": "Mended", "text": "T"}}}).body
    assert (mended["name"], mended["version"], mended["draft_version"]) == ("Class confirmed", 4, 3)
    assert stack.api("GET", URL, query={"status": "draft"}).body["name"] == "Later"

    published = stack.api("POST", f"{URL}/publish").body
    assert (published["name"], published["version"], published["published_version"]) == ("Later", 5, 5)
    assert published["draft_version"] is None
    assert stack.api("GET", URL, query={"status": "draft"}).status == 404
    assert stack.api("POST", f"{URL}/publish").body["version"] == 5
    assert stack.api("GET", URL, query={"version": "3"}).status == 404
    assert stack.api("GET", URL, query={"version": "4"}).body["contents"]["en"]["subject"] == "Mended"


def test_a_draft_can_be_all_there_is_and_goes_alone(stack: Stack) -> None:
    assert put(stack, {**TEMPLATE, "status": "draft"}).body["published_version"] is None
    assert stack.api("GET", URL).body["status"] == "draft"
    assert stack.api("PATCH", URL, {"name": "Still one"}).body["status"] == "draft"
    assert stack.api("DELETE", URL, query={"status": "draft"}).status == 204
    assert stack.api("GET", URL).status == 404
    put(stack)
    put(stack, {**TEMPLATE, "status": "draft"})
    assert stack.api("DELETE", URL, query={"status": "draft"}).status == 204
    assert stack.api("DELETE", URL, query={"status": "draft"}).status == 404
    assert stack.api("GET", URL).body["status"] == "published"


def test_two_editors_do_not_overwrite_each_other(stack: Stack) -> None:
    first = tag_of(put(stack, headers={"If-None-Match": "*"}))
    assert put(stack, headers={"If-None-Match": "*"}).body["code"] == "changed_meanwhile"
    drafted = put(stack, {**TEMPLATE, "status": "draft"}, headers={"If-Match": first})
    for method, path, body in (
        ("PUT", URL, TEMPLATE),
        ("PATCH", URL, {"name": "N"}),
        ("DELETE", URL, None),
        ("POST", f"{URL}/publish", None),
    ):
        late = stack.api(method, path, body, headers={"If-Match": first})
        assert (late.status, late.body["code"], late.body["retryable"]) == (412, "changed_meanwhile", False)
    assert stack.api("GET", URL).body["version"] == 1
    assert stack.api("POST", f"{URL}/publish", headers={"If-Match": f'"x", W/{tag_of(drafted)}'}).status == 200
    assert put(stack, headers={"If-Match": "*"}).status == 200
    assert put(stack, headers={"If-Match": "3"}).status == 400
    assert put(stack, headers={"If-None-Match": first}).status == 400


def test_a_deleted_template_is_gone_and_its_numbers_are_not_given_again(stack: Stack) -> None:
    put(stack)
    assert stack.api("DELETE", URL).status == 204
    for method, path in (("GET", URL), ("DELETE", URL), ("POST", f"{URL}/publish")):
        assert stack.api(method, path).status == 404
    assert stack.api("PATCH", URL, {"name": "N"}).status == 404
    assert [each for each in stack.api("GET", "/v1/templates").body["items"] if not each["is_default"]] == []
    assert put(stack, headers={"If-Match": "*"}).status == 412
    assert put(stack, headers={"If-None-Match": "*"}).body["version"] == 2


def test_templates_are_listed_and_found_by_name_and_text(stack: Stack) -> None:
    put(stack)
    put(stack, {**TEMPLATE, "name": "Renewal unsuccessful"}, "/v1/templates/renewal")
    body = {"name": "Card", "channel": "sms", "content": {"body": "Your payment was Unsuccessful."}}
    put(stack, {**body, "status": "draft"}, "/v1/templates/card")
    html = {"subject": "S", "html": "<p class='unsuccessful'>Fine</p>"}
    put(stack, {**TEMPLATE, "contents": {"en": html}}, "/v1/templates/other")

    everything = [each for each in stack.api("GET", "/v1/templates").body["items"] if not each["is_default"]]
    assert [each["template_id"] for each in everything] == ["card", "class-confirmed", "other", "renewal"]
    assert everything[1]["languages"] == ["en", "de"]
    assert everything[0]["published_version"] is None
    found = stack.api("GET", "/v1/templates", query={"q": "unsuccessful"}).body["items"]
    assert [each["template_id"] for each in found] == ["card", "renewal", *UNSUCCESSFUL]
    assert stack.api("GET", "/v1/templates", query={"q": " "}).status == 422


@pytest.mark.parametrize("limit", ["1", "7", "50"])
def test_pages_of_templates_are_full_and_leave_nothing_out(stack: Stack, limit: str) -> None:
    for id_ in ("a", "class_confirmed.email", "m", "waiver_to_sign.smt", "z"):
        assert put(stack, url=f"/v1/templates/{id_}").status == 200
    query, seen = {"limit": limit}, list[str]()
    for _ in range(60):
        page = stack.api("GET", "/v1/templates", query=query).body
        seen += [each["template_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        assert len(page["items"]) == int(limit)
        query["cursor"] = page["next_cursor"]

    assert seen == sorted({*DEFAULTS, "a", "m", "waiver_to_sign.smt", "z"})


def test_warnings_of_a_layout_name_its_place(stack: Stack) -> None:
    grey = {**LAYOUT, "style": {"text_color": "#888888"}}
    answer = put(stack, {**TEMPLATE, "contents": {"de": {"layout": grey}}})

    assert [each["field"] for each in answer.body["warnings"]] == ["contents.de.layout.style.text_color"]


def test_the_texts_of_variables_count_as_well(stack: Stack) -> None:
    texts = {f"case_{n}": dict.fromkeys(("de", "en"), "x" * 950) for n in range(20)}
    variables = {f"v{n}": {"texts": texts} for n in range(10)}
    refused = put(stack, {**TEMPLATE, "variables": {**TEMPLATE["variables"], **variables}})

    assert refused.status == 422, refused.text
    assert "350000 are allowed" in refused.body["errors"][0]["message"]


def test_what_cannot_be_filled_in_is_found_by_its_line(stack: Stack) -> None:
    html = "<p>Hello</p>\n<p>##{{first_name}}</p>\n<p>##{{className}} ##{{frist_name}}</p>\n<p>##{{className}}</p>"
    refused = put(stack, {**TEMPLATE, "contents": {"en": {"subject": "S", "html": html}}})

    assert sorted((each["field"], each["message"][:44]) for each in refused.body["errors"]) == [
        ("contents.en.html", "Line 3: Unknown variable ##{{className}}; kn"),
        ("contents.en.html", "Line 3: Unknown variable ##{{frist_name}}; k"),
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"content": {"subject": "S", "html": '<p><a href="##{{u}}">Book</a></p>'}},
        {"content": {"subject": "S", "html": '<p><img alt="" src="##%7B%7Bu%7D%7D"></p>'}},
        {"layout": {"subject": "S", "blocks": [{"kind": "button", "text": "Book", "link": "##{{u}}"}]}},
        {
            "contents": {
                "it": {"layout": {"subject": "S", "blocks": [{"kind": "button", "text": "B", "link": "##{{u}}"}]}}
            }
        },
    ],
)
def test_a_link_that_would_lead_nowhere_is_refused(stack: Stack, said: Mapping[str, Any]) -> None:
    body = {"name": "N", "channel": "email", **said}
    refused = put(stack, {**body, "variables": {"u": {"type": "url"}}})
    assert (refused.status, refused.fields) == (422, ["variables.u"])
    for mended in ({"required": True}, {"default": "https://salon.example/book"}):
        assert put(stack, {**body, "variables": {"u": {"type": "url", **mended}}}).status == 200


def test_an_address_that_can_be_read_may_be_empty(stack: Stack) -> None:
    body = {"name": "N", "channel": "email", "content": {"subject": "S", "text": "Hi\n##{{u}}\nBye"}}
    assert put(stack, {**body, "variables": {"u": {"type": "url"}}}).status == 200
