"""Frames with emails: they look as the reader sees them, and nothing in them can do anything."""

from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from rebound.console.http.frame import SESSION
from tests.integration.conftest import Stack
from tests.integration.console.conftest import sign_in
from tests.integration.console.desk import Desk

HOSTILE: Final = """<html><head><base href="https://evil.example.com/"><title>x</title>
<meta http-equiv="refresh" content="0; url=/live/console/customers">
<style>p { color: rgb(1, 2, 3) }</style>
<link rel="stylesheet" href="/style.css"></head><body onload="document.title = 'ran'">
<p>Hello ##{{first_name}}</p><script>document.title = 'ran'; parent.document.title = 'ran'; top.location = '/'</script>
<img src="data:," onerror="document.title = 'ran'"><svg onload="document.title = 'ran'"></svg>
<iframe src="/live/console/customers"></iframe><object data="/live/console/customers"></object>
<form action="/live/console/sign-out-everywhere" method="post"><button>Send</button></form>
<a id="out" href="/live/console/customers">Out</a><a id="top" target="_top" href="https://evil.example.com/">Top</a>
<a id="run" href="javascript:document.title='ran'">Run</a>
</body></html>"""


@pytest.fixture
def hostile(stack: Stack) -> str:
    content = {"subject": "Hello", "html": HOSTILE, "text": "<b>Hello</b>"}
    body: dict[str, Any] = {"name": "Hostile", "channel": "email", "content": content}
    answer = stack.api("PUT", "/v1/templates/hostile", body)
    assert answer.status == 200, answer.text
    return "templates/hostile/frame"


def test_a_frame_has_a_policy_under_which_nothing_runs_and_only_our_pages_show_it(stack: Stack, hostile: str) -> None:
    seen = Desk(stack).sign_in().get(f"/console/{hostile}")
    parts = (part.strip().partition(" ") for part in seen.headers["Content-Security-Policy"].split(";"))
    policy = {name: value for name, _, value in parts}
    assert policy == {
        "default-src": "'none'",
        "img-src": "data: https:",
        "style-src": "'unsafe-inline'",
        "sandbox": "",
        "frame-ancestors": "'self'",
    }
    assert seen.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert (seen.status, seen.headers["Cache-Control"]) == (200, "no-store")


def test_a_draft_somebody_and_a_language_are_shown_and_what_is_not_there_is_said(stack: Stack) -> None:
    given = {"first_name": "<i>Ana</i>", "last_name": "Silva", "email": "ana@example.com"}
    customer_id = stack.api("POST", "/v1/customers", given).body["customer_id"]
    contents = {
        "en": {"subject": "Hi", "text": "Dear ##{{first_name}}"},
        "de": {"subject": "Hallo", "text": "Guten Tag"},
    }
    body = {"name": "Hi", "channel": "email", "contents": contents}
    assert stack.api("PUT", "/v1/templates/hi", body).status == 200
    draft = {"contents": {"en": {"subject": "Hi", "text": "Draft"}}, "status": "draft"}
    assert stack.api("PATCH", "/v1/templates/hi", draft).status == 200
    desk = Desk(stack).sign_in()
    shown = desk.get(f"/console/templates/hi/frame?customer={customer_id}").text
    assert "Dear &lt;i&gt;Ana" in shown
    assert "Guten Tag" in desk.get("/console/templates/hi/frame?language=de").text
    assert "Draft" in desk.get("/console/templates/hi/frame?draft=1").text
    missing = desk.get("/console/templates/hi/frame?customer=nobody")
    # A frame that says why there is no preview is no error of the page that it is in.
    assert (missing.status, "Customer: " in missing.text) == (200, True)
    assert "sandbox" in missing.headers["Content-Security-Policy"]
    assert desk.get("/console/templates/none/frame").status == 404


def test_a_hostile_email_runs_nothing_and_stays_where_it_is(console: str, hostile: str, chromium: Browser) -> None:
    """In a page of the console's own origin, and opened alone."""
    context = chromium.new_context()
    window = context.new_page()
    answered: list[str] = []
    window.on("response", lambda response: answered.append(urlsplit(response.url).path.rpartition("/")[2]))
    sign_in(window, console)
    window.goto(f"{console}/customers")
    title, here = window.title(), window.url
    window.evaluate(
        "(src) => { const frame = document.createElement('iframe'); frame.src = src; document.body.append(frame); }",
        f"{console}/{hostile}",
    )
    answered.clear()
    frame = window.frame_locator("iframe").first
    assert frame.locator("p").first.inner_text() == "Hello Alex"
    assert frame.locator("p").first.evaluate("each => getComputedStyle(each).color") == "rgb(1, 2, 3)"
    for link in ("#out", "#top", "#run", "button"):
        frame.locator(link).click()
    assert frame.locator("p").first.inner_text() == "Hello Alex"
    assert (window.title(), window.url, len(context.pages)) == (title, here, 1)
    assert answered == ["frame"]
    assert window.evaluate("() => { try { return frames[0].document.title } catch { return 'of no origin' } }") == (
        "of no origin"
    )
    window.goto(f"{console}/{hostile}")
    assert window.title() == "x"
    assert SESSION in {each["name"] for each in context.cookies()}
    context.close()
