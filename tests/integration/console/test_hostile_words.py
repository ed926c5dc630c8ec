"""Whatever customers and clients write stays text on every page: no element and no attribute comes of it.

The pages are asked for as ``crawl`` knows them, with a mark in everything that somebody can fill in; what each template
was given is kept. Then the mark is replaced by hostile words in all of it, and the page has to have the elements that
it has with harmless ones. A new page is held from the day its route is there; what it shows of a new thing is held
once ``crawl.THINGS`` or ``_filled`` makes one with the mark.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup, escape
from msgspec import Struct

import rebound.console.http
from rebound.console.http import rendering, visits
from rebound.console.http.frame import CSRF
from rebound.console.http.routes import ROUTES
from rebound.staff.application import sign_in
from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.crawl import MARK, OWNER, Made, fields_sent
from tests.integration.console.desk import Desk

HARMLESS: Final = "Amara"
PIECES: Final = (
    *("<", ">", '"', "'", "&", "/", "=", " ", "\n", "`", "\\", "<!--", "-->", "]]>", "{{", "{%", "x", "é"),
    *("<script>", "</script>", "</title>", "</textarea>", "</option>", "</select>", "onfocus=alert(1) autofocus"),
    *('"><img src=x onerror=alert(1)>', "' onload='", "&lt;", "&#34;", "javascript:alert(1)", "\u2028", "\u202e"),
)
LEADING: Final = ("href", "src", "action", "formaction", "hx-get", "hx-post", "srcdoc")
OPT_OUT: Final = {"channel": "email", "scope": "marketing", "opted_out": True}
SHOWN: Final = 3
"""Contexts of one template that are tried."""
TEMPLATES: Final = Path(rebound.console.http.__file__).parent / "templates"
NOT_SEEN: Final = {"changed_meanwhile", "note", "campaign_message", "sequence_messages", "other_place"}
"""Pages for when somebody else is quicker and for a form of another business, and the frame of what scripts show, which
are one sentence each; and the pages of a message and of a step, whose addresses have two ids."""
SHOW_WORDS: Final = {
    *("customers", "customer", "customer_family", "customer_activity", "customer_points", "customer_timeline"),
    *("replies", "segment", "segments", "settings", "staff", "keys", "send_again", "appointments"),
    *("history", "history_of_one"),
}

Kept = list[tuple[str, Mapping[str, Any]]]


class Structure(HTMLParser):
    """The elements of a page, with the names of their attributes, and where they lead to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Sequence[str]]] = []
        self.leads_to: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, [name for name, _ in attrs]))
        self.leads_to += [(value or "").strip().lower() for name, value in attrs if name in LEADING]


def with_words(value: Any, words: str) -> Any:
    """The same with the mark replaced, as deep as it goes."""
    match value:
        case Markup():
            written = str(escape(words))
            return Markup(value.replace(MARK, written).replace(MARK.lower(), written))  # noqa: S704 - as filled in
        case str() if type(value) is str:
            return value.replace(MARK, words).replace(MARK.lower(), words)
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(with_words(each, words) for each in value)
        case dict():
            return {with_words(name, words): with_words(each, words) for name, each in value.items()}
        case Struct():
            found = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {name: with_words(each, words) for name, each in found.items()}
            return replace(value, **{name: each for name, each in changed.items() if each is not found[name]})
    return value


@contextmanager
def kept() -> Iterator[Kept]:
    """What templates are given meanwhile."""
    found: Kept = []

    def noted(template: str, values: Mapping[str, Any]) -> str:
        found.append((template, values))
        return rendering.html(template, values)

    with patch.object(visits, "html", noted):
        yield found


def _filled(made: Made) -> None:
    """More that somebody can fill in."""
    stack, customer = made.stack, made.id("customers")
    other = stack.api("POST", "/v1/customers", {"first_name": MARK, "last_name": "Osei"}).body["customer_id"]
    path = f"/v1/customers/{customer}"
    done = [
        stack.api("POST", f"{path}/relations", {"relationship": MARK, "customer_id": other}),
        stack.api("POST", f"{path}/relations", {"relationship": MARK, "name": MARK}),
        stack.api("POST", f"{path}/points", {"delta": 5, "reason": MARK, "who": MARK}),
        stack.api(
            "POST", f"{path}/consent", {"channel": "email", "scope": "marketing", "opted_out": True, "who": MARK}
        ),
        stack.api("PUT", "/v1/segments/named", {"name": MARK, "filter": {"all": [{"tag": MARK}]}}),
        stack.api("PATCH", "/v1/business", {"name": MARK, "booking_block_message": MARK}),
    ]
    review = {"kind": "review", "event_id": MARK, "customer_id": customer, "at": "2024-11-01T10:00:00Z"}
    done.append(
        stack.api("POST", "/v1/activity", {"events": [{**review, "rating": 5, "text": MARK, "class_id": MARK}]})
    )
    assert [each.text for each in done if each.status >= 300] == []


_CONTEXTS: Kept = []
"""Looked for once; what the templates show needs no stack."""


@pytest.fixture
def contexts(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Of each template those that show the mark, at most a few."""
    if _CONTEXTS:
        return _CONTEXTS
    monkeypatch.setattr(sign_in, "ASKING_TAKES", sign_in.ASKING_TAKES * 0)
    made = Made.of(stack)
    _filled(made)
    with kept() as found:
        fields = fields_sent(made)
        for route in ROUTES:
            if route.method == "POST" and not route.handler.startswith("sign_in.sign_out"):
                made.allowed(route).post(made.path(route), {name: MARK for name, _ in fields[route.address]})
        made.desk(Role.OWNER).post("/console/customers", {"q": MARK, CSRF: MARK})
        made.desk(Role.VIEWER).get("/console/staff")
        made.desk(Role.OWNER).post(
            f"/console/segments/{made.id('segments')}",
            {"do": "save", "name": MARK, "n.kind": "all", "n.0.kind": "tag", "n.0.value": MARK},
        )
        made.desk(Role.OWNER).get("/console/history")
        made.desk(Role.OWNER).get(f"/console/segments/{made.id('segments')}/history")
        signing_in = Desk(stack)
        signing_in.post("/console/sign-in", {"email": OWNER})
        signing_in.get("/console/sign-in-code")
    chosen: dict[str, Kept] = {}
    for template, values in found:
        of_it = chosen.setdefault(template, [])
        if not of_it or (len(of_it) < SHOWN and MARK in rendering.html(template, values)):
            of_it.append((template, values))
    _CONTEXTS.extend(each for of_it in chosen.values() for each in of_it)
    return _CONTEXTS


def test_whatever_is_written_stays_text_on_every_page(contexts: Kept) -> None:
    # The others stay as they are, whatever is written.
    marked = [(name, values) for name, values in contexts if MARK.lower() in rendering.html(name, values).lower()]
    plain = [Structure(rendering.html(name, with_words(values, HARMLESS))) for name, values in marked]
    assert plain

    @settings(max_examples=20, deadline=None)
    @given(words=st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join).filter(str.strip))
    def tried(words: str) -> None:
        for (template, values), before in zip(marked, plain, strict=True):
            after = Structure(rendering.html(template, with_words(values, words)))
            assert after.elements == before.elements, (template, words)
            assert [each for each in after.leads_to if each.startswith(("javascript:", "data:"))] == [], template

    tried()


def test_every_template_is_tried_and_all_that_show_what_somebody_wrote_show_the_mark(contexts: Kept) -> None:
    sources = {path.relative_to(TEMPLATES).with_suffix("").as_posix(): path for path in TEMPLATES.rglob("*.html")}
    used = {
        name
        for path in sources.values()
        for name in re.findall(r"(?:extends|import|include|from) '([\w/]+)\.html'", path.read_text(encoding="utf-8"))
    }
    tried = {template for template, _ in contexts}
    assert sorted(sources.keys() - used - tried - NOT_SEEN) == [], "Show these in the fixture contexts."
    marked = {template for template, values in contexts if MARK in rendering.html(template, values)}
    assert marked >= SHOW_WORDS
