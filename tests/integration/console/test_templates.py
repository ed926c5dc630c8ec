"""Templates: the list, and the page of one, on which it is written, counted, looked at, tried and published."""

import gzip
import re
from html import unescape
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from rebound.kernel.languages import LANGUAGES
from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, check, sign_in
from tests.integration.console.desk import Desk, Seen
from tests.integration.console.test_customers import MOST_REQUESTS, counted

URL: Final = "/v1/templates"


def put(stack: Stack, template_id: str = "spring", **given: Any) -> None:
    content = {"subject": "<b>Spring</b>", "text": "Dear ##{{first_name}}, <i>hello</i>"}
    body = {"name": "<i>Spring</i>", "channel": "email", "category": "marketing", "content": content, **given}
    answer = stack.api("PUT", f"{URL}/{template_id}", body)
    assert answer.status == 200, answer.text


def put_text(stack: Stack, template_id: str = "soon", body: str = "See you soon ##{{first_name}}") -> None:
    put(stack, template_id, name="Soon", channel="sms", category="reminder", content={"body": body})


def test_templates_are_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    contents = {"en": {"body": "“Soon” ##{{class_name}} 🎉"}, "de": {"body": "Bis bald"}}
    variables = {"class_name": {"type": "text", "required": True, "example": "Yoga"}}
    put(stack)
    put(stack, "soon", name="Soon", channel="sms", content=None, contents=contents, variables=variables)
    sign_in(at_width, console)
    for address in (
        "templates",
        "templates?show=ready",
        "templates/new?channel=sms",
        "templates/spring",
        "templates/soon",
    ):
        at_width.goto(f"{console}/{address}")
        name = address.replace("/", "-").partition("?")[0]
        check(at_width, f"{name}{'-ready' if 'ready' in address else ''}-{width}")


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack).sign_in()


def fields_of(html: str) -> dict[str, Any]:
    """What the form of a template has as it is shown."""
    form = html.partition('<form id="form"')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input type="(?:hidden|text)" (?:id="[^"]*" )?name="([^"]*)" value="([^"]*)"', form))
    found |= re.findall(r'<textarea id="[^"]*" name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    found |= dict.fromkeys(re.findall(r'<input type="checkbox" name="([^"]*)" value="1" checked', form), "1")
    selected = re.findall(r'<select id="([^"]*)".*?</select>', form, re.DOTALL)
    for name in selected:
        options = form.partition(f'<select id="{name}"')[2].partition("</select>")[0]
        found[name] = next(iter(re.findall(r'value="([^"]*)" selected', options)), "")
    found.pop("csrf")
    languages = re.findall(r'name="language" value="([^"]*)"', form)
    return {**{name: unescape(value) for name, value in found.items()}, "language": languages}


def send(desk: Desk, path: str, fields: dict[str, Any]) -> Seen:
    return desk.send(f"/console/templates/{path}", urlencode({"csrf": desk.csrf, **fields}, doseq=True))


def save(desk: Desk, template_id: str, do: str = "publish", /, **typed: str) -> Seen:
    """Send the form as it is shown, but for what is typed; dots in names are written as two underscores."""
    shown = fields_of(desk.get(f"/console/templates/{template_id}").text)
    given = {name.replace("__", "."): value for name, value in typed.items()}
    return send(desk, template_id, {**shown, **given, "do": do})


def test_a_template_is_written_as_a_draft_and_published(desk: Desk, stack: Stack) -> None:
    typed = {"any__subject": "Hi ##{{first_name}}", "any__text": "One\r\ntwo", "category": "marketing"}
    seen = save(desk, "new", "draft", name="Grüße im Mai!", **typed)
    path = desk.go("/console/templates/new", seen)
    assert path.startswith("/console/templates/gr-e-im-mai?")
    found = stack.api("GET", f"{URL}/gr-e-im-mai").body
    assert (found["name"], found["status"], found["category"]) == ("Grüße im Mai!", "draft", "marketing")
    assert found["content"] == {"subject": "Hi ##{{first_name}}", "html": None, "text": "One\ntwo"}
    page = desk.get(path).text
    assert 'role="status"' in page
    assert "Draft" in page
    tag = fields_of(page)["tag"]
    assert desk.post("/console/templates/gr-e-im-mai/publish", {"tag": tag}).status == 303
    assert stack.api("GET", f"{URL}/gr-e-im-mai").body["status"] == "published"


def test_saving_what_is_shown_changes_nothing(desk: Desk, stack: Stack) -> None:
    """Also not what the form cannot have: values that a program gave, texts of cases, blocks."""
    texts = {"card": {"en": "To your card."}}
    variables = {
        "price": {
            "type": "money",
            "default": {"amount": "12.50", "currency": "EUR"},
            "example": {"amount": 7, "currency": "EUR"},
        },
        "refund": {"type": "text", "texts": texts, "example": "card", "required": True},
    }
    block = {"kind": "text", "text": "Dear ##{{first_name}}, ##{{price}} ##{{refund}}"}
    contents = {"en": {"layout": {"subject": "Blocks", "blocks": [block]}}, "de": {"subject": "Text", "text": "Hallo"}}
    put(stack, content=None, contents=contents, variables=variables)
    before = stack.api("GET", f"{URL}/spring").body
    assert save(desk, "spring").status == 303
    after = stack.api("GET", f"{URL}/spring").body
    assert after == before
    assert save(desk, "spring", de__subject="Neu").status == 303
    after = stack.api("GET", f"{URL}/spring").body
    assert after["contents"] == {**before["contents"], "de": {"subject": "Neu", "html": None, "text": "Hallo"}}
    assert after["variables"] == before["variables"]


@pytest.mark.parametrize(
    ("typed", "beside"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"any__subject": ""}, "any.subject"),
        ({"any__subject": "Hi ##{{nobody}}"}, "any.subject"),
        ({"any__text": "##{{first_nam}}"}, "any.text"),
        ({"any__text": "", "any__html": ""}, None),
        ({"v__0__name": "a b", "v__0__type": "text"}, "v.0.name"),
        ({"v__0__name": "price", "v__0__type": "money", "v__0__example": "much"}, "v.0.example"),
        ({"v__0__name": "when", "v__0__type": "date", "v__0__default": "soon"}, "v.0.default"),
        ({"event": "party"}, "event"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    desk: Desk, stack: Stack, typed: dict[str, str], beside: str | None
) -> None:
    put(stack)
    before = stack.api("GET", f"{URL}/spring").body
    seen = save(desk, "spring", **{"any__html": "<p>Typed</p>", **typed})
    assert seen.status == 422
    assert beside is None or f'id="{beside}-wrong"' in seen.text
    assert 'class="wrong"' in seen.text
    assert fields_of(seen.text)["any.html"] == typed.get("any__html", "<p>Typed</p>")
    assert stack.api("GET", f"{URL}/spring").body == before


def test_a_change_by_somebody_else_is_told_and_what_was_typed_can_be_saved_over_it(desk: Desk, stack: Stack) -> None:
    put(stack)
    shown = fields_of(desk.get("/console/templates/spring").text)
    put(stack, name="Theirs")
    seen = send(desk, "spring", {**shown, "name": "Mine", "do": "publish"})
    assert (seen.status, "Somebody else changed" in seen.text) == (409, True)
    assert stack.api("GET", f"{URL}/spring").body["name"] == "Theirs"
    again = fields_of(seen.text)
    assert again["name"] == "Mine"
    assert send(desk, "spring", {**again, "do": "publish"}).status == 303
    assert stack.api("GET", f"{URL}/spring").body["name"] == "Mine"
    assert desk.post("/console/templates/spring/delete", {"tag": again["tag"]}).status == 409
    assert stack.api("DELETE", f"{URL}/spring").status == 204
    gone = send(desk, "spring", {**again, "do": "publish"})
    assert (gone.status, fields_of(gone.text)["name"]) == (409, "Mine")
    assert send(desk, "new", {**fields_of(gone.text), "do": "publish"}).status == 303


def test_what_had_better_be_mended_is_said_when_it_is_saved(desk: Desk, stack: Stack) -> None:
    put(stack)
    seen = save(desk, "spring", any__html="<p>" + "x" * 90_000)
    assert (seen.status, "Gmail clips" in seen.text, 'role="status"' in seen.text) == (200, True, True)
    assert fields_of(seen.text)["tag"] == fields_of(desk.get("/console/templates/spring").text)["tag"]


@pytest.mark.parametrize(("template_id", "wanted"), [("spring", 409), ("new", 422), ("a b", 422)])
def test_a_new_template_takes_nobodys_place(desk: Desk, stack: Stack, template_id: str, wanted: int) -> None:
    put(stack)
    before = stack.api("GET", f"{URL}/spring").body
    typed = {"template_id": template_id, "name": "Other", "any__subject": "S", "any__text": "T"}
    seen = save(desk, "new", **typed)
    assert (seen.status, 'id="template_id-wrong"' in seen.text) == (wanted, True)
    assert stack.api("GET", f"{URL}/spring").body == before


def test_languages_come_and_go_and_what_everybody_got_becomes_the_businesss(desk: Desk, stack: Stack) -> None:
    put_text(stack, body="Soon")
    seen = save(desk, "soon", "add_language", new_language="de")
    assert (seen.status, fields_of(seen.text)["en.body"]) == (200, "Soon")
    assert send(desk, "soon", {**fields_of(seen.text), "de.body": "Bald", "do": "publish"}).status == 303
    assert stack.api("GET", f"{URL}/soon").body["contents"] == {"en": {"body": "Soon"}, "de": {"body": "Bald"}}


def test_a_text_is_counted_and_what_makes_it_long_is_marked(desk: Desk, stack: Stack) -> None:
    put_text(stack)
    seen = save(desk, "soon", "look", any__body="“Soon” ##{{first_name}} <b>")
    assert "<mark>“</mark>Soon<mark>”</mark> ##{{first_name}} &lt;b&gt;" in seen.text
    assert "1 segment" in seen.text
    assert "“Soon” Ana &lt;b&gt;" in seen.text
    assert "2 segments" in save(desk, "soon", "look", any__body="“" + "x" * 70).text
    wrong = save(desk, "soon", "look", any__body="##{{nobody}}")
    assert (wrong.status, 'id="any.body-wrong"' in wrong.text) == (200, True)


def test_a_copy_is_a_draft_of_its_own_and_a_default_can_be_taken_back(desk: Desk, stack: Stack) -> None:
    put(stack)
    copied = desk.go("/console/templates/spring/copy", desk.post("/console/templates/spring/copy"))
    assert copied == "/console/templates/spring-copy?done=copied"
    assert stack.api("GET", f"{URL}/spring-copy").body["status"] == "draft"
    assert "spring-copy2" in desk.post("/console/templates/spring/copy").location
    seen = save(desk, "reminder.sms", en__body="See you ##{{appointment_date}} ##{{appointment_time}} ##{{service}}")
    assert seen.status == 303
    assert "reminder.sms" in desk.get("/console/templates").text
    tag = fields_of(desk.get("/console/templates/reminder.sms").text)["tag"]
    assert desk.post("/console/templates/reminder.sms/reset", {"tag": tag}).status == 303
    assert stack.api("GET", f"{URL}/reminder.sms").body["is_default"] is True
    assert "reminder.sms" not in desk.get("/console/templates").text
    assert "reminder.sms" in desk.get("/console/templates?show=ready").text


def test_a_draft_is_dropped_and_a_template_deleted(desk: Desk, stack: Stack) -> None:
    put(stack)
    assert save(desk, "spring", "draft", name="Draft").status == 303
    tag = fields_of(desk.get("/console/templates/spring").text)["tag"]
    assert desk.post("/console/templates/spring/delete", {"tag": tag, "what": "draft"}).status == 303
    found = stack.api("GET", f"{URL}/spring").body
    assert (found["name"], found["draft_version"]) == ("<i>Spring</i>", None)
    tag = fields_of(desk.get("/console/templates/spring").text)["tag"]
    assert desk.post("/console/templates/spring/delete", {"tag": tag}).status == 303
    assert stack.api("GET", f"{URL}/spring").status == 404


def test_a_version_of_before_is_looked_at_and_saved_again(desk: Desk, stack: Stack) -> None:
    put(stack, name="First")
    put(stack, name="Second")
    page = desk.get("/console/templates/spring?version=1").text
    assert (fields_of(page)["name"], "Earlier version" in page) == ("First", True)
    assert send(desk, "spring", {**fields_of(page), "do": "publish"}).status == 303
    assert stack.api("GET", f"{URL}/spring").body["name"] == "First"
    missing = desk.get("/console/templates/spring?version=9")
    assert (missing.status, 'id="version-wrong"' in missing.text) == (404, True)


def test_a_preview_is_of_somebody_who_is_looked_for_and_no_name_stands_in_an_address(desk: Desk, stack: Stack) -> None:
    put(stack)
    given = {"first_name": "Zoë", "last_name": "<b>Silva</b>", "email": "zoe@example.com"}
    customer_id = stack.api("POST", "/v1/customers", given).body["customer_id"]
    seen = save(desk, "spring", "look", who="silva", was_who="")
    assert f"frame?version=1&amp;customer={customer_id}" in seen.text
    assert "&lt;b&gt;Silva" in seen.text
    assert "Nobody is found" in save(desk, "spring", "look", who="nobody", was_who="").text
    viewer = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    looked = viewer.post("/console/templates/spring/preview", {"who": "silva", "was_who": ""})
    assert f"customer={customer_id}" in looked.text
    subject = desk.get("/console/templates/spring/frame?subject=1").text
    assert "&lt;b&gt;Spring" in subject


def test_a_test_goes_to_whoever_asks_also_of_a_draft_with_its_examples(desk: Desk, stack: Stack) -> None:
    put(stack, variables={"class_name": {"example": "Yin & Yang"}})
    save(desk, "spring", "draft", any__subject="##{{class_name}}", any__html="<p>##{{class_name}} ##{{first_name}}</p>")
    number = fields_of(desk.get("/console/templates/spring").text)["number"]
    seen = desk.post("/console/templates/spring/test", {"to": OWNER, "number": number})
    assert seen.status == 303, seen.text
    for record in stack.received("PROMPT_EMAIL_QUEUE_URL"):
        stack.invoke("send_email", {"Records": [record]})
    [email] = stack.mailer.emails
    assert email.content.subject == "[Test] Yin & Yang"
    assert "<p>Yin &amp; Yang" in email.content.html
    assert "##" not in email.content.html


def test_a_test_goes_to_nobody_who_has_not_agreed(desk: Desk, stack: Stack) -> None:
    put(stack)
    stack.api("PATCH", "/v1/business", {"test_recipients": ["kim@example.com"]})
    for to, status in (("kim@example.com", 409), ("other@example.com", 422), ("nonsense", 422)):
        seen = desk.post("/console/templates/spring/test", {"to": to, "number": "1"})
        assert (seen.status, 'id="to-wrong"' in seen.text) == (status, True)
    put_text(stack)
    assert desk.post("/console/templates/soon/test", {"to": OWNER, "number": "1"}).status == 422


@pytest.mark.parametrize("what", ["", "/copy", "/publish", "/reset", "/delete", "/test"])
def test_who_only_looks_on_changes_nothing(stack: Stack, what: str) -> None:
    put(stack)
    viewer = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    assert viewer.post(f"/console/templates/spring{what}").status == 403
    assert viewer.get("/console/templates/new").status == 403
    page = viewer.get("/console/templates/spring").text.partition("<main")[2]
    assert re.findall(r'action="([^"]*)"', page) == ["../templates/spring/preview"]


@pytest.mark.parametrize("address", ["templates", "templates?show=ready", "templates/soon", "templates/reminder.email"])
def test_a_page_of_templates_needs_few_requests(desk: Desk, stack: Stack, address: str) -> None:
    contents = {language: {"body": "Soon"} for language in LANGUAGES}
    put(stack, "soon", channel="sms", content=None, contents=contents)
    for number in range(60):
        put(stack, f"t-{number}")
    desk.get(f"/console/{address}")
    with counted() as names:
        seen = desk.get(f"/console/{address}")
    assert seen.status == 200
    assert len(names) <= MOST_REQUESTS, names
    assert len(gzip.compress(seen.text.encode())) < 100_000


def test_a_long_list_has_a_next_page_and_is_searched(desk: Desk, stack: Stack) -> None:
    for number in range(52):
        put(stack, f"t-{number:02}", content={"subject": "S", "text": f"Word{number}"})
    first = desk.get("/console/templates").text
    assert first.count('<a class="whole"') == 50
    [following] = re.findall(r'href="([^"]*cursor[^"]*)"', first)
    second = desk.get(f"/console/{unescape(following).removeprefix('./')}").text
    assert re.findall(r"templates/(t-\d\d)", second) == ["t-50", "t-51"]
    assert re.findall(r"templates/(t-\d\d)", desk.get("/console/templates?q=word37").text) == ["t-37"]


def test_a_text_is_counted_while_it_is_typed(console: str, stack: Stack, page: Page) -> None:
    put_text(stack)
    sign_in(page, console)
    page.goto(f"{console}/templates/soon")
    page.get_by_label("Text message").fill("See you “soon”")
    expect(page.locator("mark")).to_have_text(["“", "”"])
    expect(page.locator(".bubble")).to_have_text("See you “soon”")
    assert page.get_by_label("Text message").input_value() == "See you “soon”"


def test_an_email_is_written_looked_at_and_published_without_scripts(
    console: str, stack: Stack, without_scripts: Page
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/templates")
    page.get_by_role("link", name="New email", exact=True).click()
    page.get_by_label("Name").fill("Autumn")
    page.get_by_label("Kind").select_option("marketing")
    page.get_by_label("Subject").fill("Hello ##{{first_name}}")
    page.get_by_label("Plain text").fill("The timetable is out")
    page.get_by_role("button", name="Add a variable").click()
    page.get_by_label("Name of the variable").fill("class_name")
    page.get_by_role("button", name="Save as a draft").click()
    assert "Saved as a draft" in page.get_by_role("status").inner_text()
    frames = page.frame_locator("iframe")
    assert frames.first.locator("body").inner_text() == "Hello Alex"
    assert "The timetable is out" in frames.last.locator("body").inner_text()
    page.get_by_role("button", name="Publish the draft").click()
    assert "Published" in page.get_by_role("status").inner_text()
    found = stack.api("GET", f"{URL}/autumn").body
    assert (found["status"], list(found["variables"])) == ("published", ["class_name"])


def test_what_is_published_over_a_draft_leaves_none(desk: Desk, stack: Stack) -> None:
    put(stack)
    assert save(desk, "spring", "draft", **{"any.subject": "draft"}).status == 303
    assert save(desk, "spring", "publish", **{"any.subject": "live"}).status in (200, 303)
    kept = stack.api("GET", f"{URL}/spring").body

    assert (kept["draft_version"], kept["content"]["subject"]) == (None, "live")
