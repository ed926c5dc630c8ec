"""What holds of every row of ``ROUTES``, whoever adds it: rights, tokens, ids of nobody and of others, hostile forms.

Nothing is to be registered here. A route whose address has an id needs a row of ``crawl.THINGS``; until then it is
tried with ids that do not exist alone, and the first test says what is missing.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, quote_plus, urlencode

import pytest

from rebound.console.http.frame import CSRF
from rebound.console.http.routes import ROUTES, Route
from rebound.console.wiring import use_cases
from rebound.staff.application import sign_in
from rebound.staff.domain import Right, Role
from tests.fakes import house
from tests.fakes.making import business
from tests.integration.conftest import Stack
from tests.integration.console.crawl import MARK, THINGS, Made, changes, fields_sent, names_in, pages
from tests.integration.console.desk import ORIGIN, Desk, Seen

POSTS: Final = [route for route in ROUTES if route.method == "POST"]
OF_ONE: Final = [route for route in ROUTES if "*" in route.address]
NOBODYS: Final = (
    "x",
    "0" * 32,
    "01M7W6ARGFEXM6PVNM0V1C8F99",
    "\u202e",
    "\x00",
    "é" * 200,
    "x" * 2000,
    "../..",
    "a#b",
    "%",
    "{{7*7}}",
    "-1",
)
"""Ids that nobody has, of every kind."""
HOSTILE: Final[Mapping[str, str]] = {
    "empty": "",
    "blank": " \t ",
    "huge": "x" * 20_000,
    "control": "a\x00\x1b\x7fb",
    "lines": "a\r\nSet-Cookie: b=c\r\n",
    "reversed": "\u202eabc\u2066",
    "no character": "\uffff\ufdd0",
    "astral": "💇" * 300,
    "markup": "'\"><script>alert(1)</script>",
    "template": "{{7*7}}{% raw %}${x}#{x}",
    "negative": "-1",
    "large number": "9" * 40,
    "other digits": "١٢٣",
    "exponent": "1e999",
    "not a number": "NaN",
    "no date": "2026-02-30",
    "json": '{"a": [1, null]}',
    "deep": "[" * 3000,
    "path": "../../../etc/passwd",
    "mail": f"{MARK}@example.com",
}
SURROGATE: Final = "%ED%A0%80"
"""Half of a character, in what would be UTF-8."""


def named(route: Route) -> str:
    return f"{route.method} {route.address}"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long an answer takes is staff's matter."""
    monkeypatch.setattr(sign_in, "ASKING_TAKES", sign_in.ASKING_TAKES * 0)


@pytest.fixture
def made(stack: Stack) -> Made:
    return Made.of(stack)


_FIELDS: dict[str, Sequence[tuple[str, str]]] = {}
"""Read once; what the fields hold is of a stack that is gone."""


@pytest.fixture
def fields(made: Made) -> Mapping[str, Sequence[tuple[str, str]]]:
    if not _FIELDS:
        _FIELDS.update(fields_sent(made))
    return _FIELDS


def test_of_everything_that_has_an_address_one_is_made_here() -> None:
    before = {route.address.split("/*")[0] for route in OF_ONE}
    assert sorted(before - THINGS.keys()) == [], "crawl.THINGS says how one is made: add a row for each of these."


def test_of_every_form_it_is_known_what_it_sends(fields: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    alone = {"sign-out", "sign-out-everywhere"}
    silent = {route.address for route in POSTS if not fields[route.address] and not route.address.count("*")} - alone
    assert silent == set(), "No page has a form for these, and their code asks for no field by its name."


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_page_opens_to_whoever_has_the_right_and_to_nobody_else(made: Made, route: Route) -> None:
    path = made.path(route)
    for role in Role if route.rights else ():
        desk = made.desk(role)
        may = any(map(role.may, route.rights))
        if route.method == "POST":
            if not may:
                with changes() as written:
                    assert desk.post(path).status == 403
                assert written == []
        elif route.address.split("/*")[0] in THINGS or "*" not in route.address:
            status = desk.get(path).status
            assert (status == 403) is not may, (role, status)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=named)
def test_looking_at_a_page_changes_nothing_whatever_is_asked_for(made: Made, route: Route) -> None:
    desk, path = made.allowed(route), made.path(route)
    names = sorted({*names_in(route, "query|fields"), "cursor", "saved", "next"})
    queries = [urlencode(dict.fromkeys(names, value)) for value in HOSTILE.values() if len(value) < 5000]
    queries += ["&".join(f"{name}={SURROGATE}" for name in names), f"{names[0]}=a&{names[0]}=b"]
    for query in ["", *queries]:
        with changes() as written:
            seen = desk.get(f"{path}?{query}" if query else path)
        check(seen, query)
        assert written == [], query


@pytest.mark.parametrize("route", POSTS, ids=named)
def test_no_form_is_too_hostile(made: Made, route: Route, fields: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    known = fields[route.address]
    sent: list[tuple[str, str]] = []
    for kind, value in HOSTILE.items():
        sent.append((kind, urlencode([(name, value) for name, _ in known])))
    kinds = list(HOSTILE)
    for place, (name, _) in enumerate(known):
        others = [pair for pair in known if pair[0] != name]
        kind = kinds[place % len(kinds)]
        alone = [
            (f"{name} is {kind}", [*others, (name, HOSTILE[kind])]),
            (f"{name} is missing", others),
            (f"{name} is doubled", [*known, (name, "1"), (name, HOSTILE[kind])]),
        ]
        # Long forms are tried in one of the ways for each field, or they would take most of the time.
        sent += [(of, urlencode(pairs)) for of, pairs in (alone if len(known) < 12 else [alone[place % 3]])]
    sent.append(("half characters", "&".join(f"{quote_plus(name)}={SURROGATE}" for name, _ in known)))
    sent.append(("half characters as they are", "&".join(f"{quote_plus(name)}=\ud800" for name, _ in known)))
    sent.append(("unknown", "unknown=1&__proto__=1"))
    for kind, body in sent:
        desk = made.allowed(route)
        token = f"&{CSRF}={desk.csrf}" if route.rights else ""
        seen = desk.send(made.path(route), body[:400_000] + token)
        check(seen, kind)
        if route.handler.startswith(("sign_in.", "staff.")):
            made.forget()


@pytest.mark.parametrize("route", OF_ONE, ids=named)
def test_what_is_nobodys_is_no_page_and_nothing_is_done(
    made: Made, route: Route, fields: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    for id_ in NOBODYS:
        path = "/console/" + route.address.replace("*", quote(id_, safe=""))
        desk = made.allowed(route)
        with changes() as written:
            seen = desk.get(path) if route.method == "GET" else desk.post(path, dict(fields[route.address]))
        check(seen, id_)
        assert seen.status in (404, 410, 422, 409), (id_, seen.status)
        assert written == [], id_


@pytest.mark.parametrize(
    # Operators are of no business.
    "route",
    [route for route in OF_ONE if route.rights and Right.OPERATE not in route.rights],
    ids=named,
)
def test_what_is_anothers_is_as_what_is_nobodys(
    made: Made, route: Route, fields: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    theirs = made.path(route)
    house.ports().businesses.add(business(business_id="cedar", name="Cedar"))
    use_cases().invite("cedar", "cy@example.com", Role.OWNER, console_url=f"{ORIGIN}/console")
    stranger = Desk(made.stack)
    stranger.post("/console/sign-in-link", {"token": use_cases().make_link("cy@example.com", "cedar")})
    answers = []
    for path in (theirs, "/console/" + route.address.replace("*", "0" * 32)):
        with changes() as written:
            # What they type themselves comes back to them.
            known = fields[route.address] if route.method == "POST" else ()
            given = {name: value.replace(MARK, "") for name, value in known}
            seen = stranger.post(path, given) if route.method == "POST" else stranger.get(path)
        assert MARK not in seen.text
        assert written == []
        answers.append(seen.status)
    assert answers[0] == answers[1]
    assert answers[0] in (404, 409, 422)


def test_nothing_personal_stands_in_an_address(made: Made) -> None:
    written = {
        f"{named(route)}: {address}"
        for route, page in pages(made)
        for address in page.addresses
        if MARK.lower() in address.lower() and not address.startswith(("mailto:", "tel:"))
    }
    assert written == set()


def test_what_is_typed_into_a_form_goes_into_no_address(made: Made) -> None:
    """A form that is not posted may ask for what is nobody's name, and these are all of those."""
    campaigns = {made.id("campaigns"), made.id("campaigns of sent")}
    asked = {
        ("/".join("*" if part in campaigns else part for part in path.split("/")[2:]), name)
        for _, page in pages(made)
        for method, path, fields in page.forms
        if method == "GET"
        for name, _ in fields
    }
    assert asked <= {
        ("appointments", "id"),
        ("campaigns", "q"),
        ("campaigns", "status"),
        ("campaigns/*/check", "count"),
        ("campaigns/*/check", "customer"),
        ("campaigns/*/left-out", "reason"),
        ("campaigns/*/messages", "status"),
        ("campaigns/*/who", "count"),
        ("campaigns/*/who", "reason"),
        ("history", "by"),
        ("history", "kind"),
        ("operations/history", "by"),
        ("operations/history", "kind"),
        ("templates", "q"),
        ("templates/spring", "version"),
    }


def check(seen: Seen, of: str) -> None:
    """What holds of every answer."""
    assert seen.status < 500, of
    policy = seen.headers["Content-Security-Policy"]
    # Only a page of which nothing runs is shown within others, and only within ours.
    ours = "'self'" if "sandbox;" in policy and "script-src" not in policy else "'none'"
    assert f"frame-ancestors {ours}" in policy, of
    assert seen.headers["X-Frame-Options"] == ("DENY" if ours == "'none'" else "SAMEORIGIN"), of
    assert "<script>alert" not in seen.text, of
    assert "49{%" not in seen.text, of
    location = seen.headers.get("Location", "")
    assert MARK.lower() not in location.lower(), of
    assert not location.startswith(("/", "http", "\\")), of
    assert len(seen.cookies) <= 2, of
