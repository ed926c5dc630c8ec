"""Who did what: every form leaves one entry in the audit log when it does something, and none when it does not."""

import json
import re
from collections.abc import Sequence
from html import unescape
from io import StringIO
from typing import Any, Final

import pytest
from aws_lambda_powertools import Logger
from markupsafe import escape
from playwright.sync_api import Page, expect

from rebound.console.domain.deeds import Deed
from rebound.console.http.history import entries as history_entries
from rebound.console.http.history import listed
from rebound.console.http.routes import ROUTES, SIGNED_IN, Route
from rebound.console.wiring import use_cases
from rebound.staff.application import sign_in
from rebound.staff.domain import AuditEntry, Role
from tests.contract.staff.fakes import MemoryAuditBook
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, business
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, check
from tests.integration.console.conftest import sign_in as sign_in_there
from tests.integration.console.crawl import MARK, Made, changes, counted_requests, fields_sent, names_in
from tests.integration.console.desk import ORIGIN, Desk, Seen
from tests.integration.console.doing import DOING, DONE, prepare
from tests.integration.console.test_layouts import Fields

MOST_REQUESTS: Final = 8
LEADS_TO: Final = re.compile(
    "(?:businesses|campaigns|clean-up|customers(?!/clean)|dead-letters|exports|imports|jobs|layouts|recurring|segments|sequences|templates)"
    "/([^/?]+)"
)
"""The id in an address of a page of one thing."""
ONLY_LOOKS: Final = {
    "campaigns/*/check": {"do": "count", "once": "1"},
    "campaigns/*/what": {"do": "look", "say": "own"},
    "campaigns/*/whom": {"do": "find", "q": "Amara", "name": "Spring", "segment_id": "*everybody"},
    "customers/*/family": {"do": "find", "q": "Amara"},
    "layouts/*": {"do": "check"},
    "layouts/new": {"do": "undo"},
    "recurring/*": {"do": "look"},
    "recurring/new": {"do": "look"},
    "segments/*": {"do": "count", "name": "VIP", "n.kind": "all"},
    "segments/new": {"do": "count", "name": "VIP", "n.kind": "all"},
    "sequences/*/edit": {"do": "look"},
    "sequences/new": {"do": "look"},
    "templates/*": {"do": "look"},
    "templates/new": {"do": "look"},
}
"""Of forms that do something, what only shows the page again, or counts."""
FORMS: Final = [route for route in ROUTES if route.method == "POST" and route.rights]


def named(given: Any) -> str:
    return given.address if isinstance(given, Route) else str(given)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long an answer takes is staff's matter."""
    monkeypatch.setattr(sign_in, "ASKING_TAKES", sign_in.ASKING_TAKES * 0)


@pytest.fixture
def made(stack: Stack) -> Made:
    return Made.of(stack)


def entries(route: Route) -> Sequence[AuditEntry]:
    return use_cases().ports.audit.newest(None if route.is_for_operators else BUSINESS_ID, 100)


def test_of_everything_that_is_done_it_is_known_how() -> None:
    assert {(route.address, deed) for route, deed in DONE} == set(DOING), "doing.DOING says how: add a row for each."


@pytest.mark.parametrize(("route", "deed"), DONE, ids=named)
def test_what_is_done_leaves_one_entry_with_who(made: Made, route: Route, deed: Deed) -> None:
    form = prepare(made, route, deed)
    before = entries(route)
    seen = form()
    assert seen.status in (200, 303), seen.text
    entry, *others = entries(route)
    assert others == list(before)
    assert entry.did == deed
    me = use_cases().staff_service.list(None if route.is_for_operators else BUSINESS_ID)
    assert (entry.email, entry.member_id) in [(each.email, each.member_id) for each in me]
    leads_to = LEADS_TO.findall(seen.headers.get("Location", ""))
    if leads_to:
        # What was made is what it was done to.
        assert leads_to[-1] == entry.object_id
    if deed.kind == "customer":
        # Only their own rows are forgotten with them.
        assert MARK not in str(entry)
        assert entry.name is None
    if entry.object_key is not None:
        place = None if route.is_for_operators else BUSINESS_ID
        assert use_cases().audit_log.of(place, entry.object_key, 1).entries == [entry]


@pytest.mark.parametrize("route", [each for each in FORMS if not each.does and each.rights != SIGNED_IN], ids=named)
def test_a_form_without_a_name_for_it_changes_nothing(made: Made, route: Route) -> None:
    desk, path = made.allowed(route), made.path(route)
    fields = fields_sent(made)[route.address]
    with changes() as written:
        assert desk.post(path, {**dict(fields), "q": MARK}).status in (200, 422)
    assert written == []
    assert entries(route) == []


@pytest.mark.parametrize("route", [route for route in FORMS if route.does], ids=named)
def test_what_is_refused_leaves_no_entry(made: Made, route: Route) -> None:
    path = made.path(route)
    for role in Role:
        if not any(map(role.may, route.rights)):
            assert made.desk(role).post(path).status == 403
    desk = made.allowed(route)
    assert desk.post(path, origin="https://evil.example.com").status == 403
    assert desk.post(path, {"csrf": "x"}).status == 403
    wrong = [dict.fromkeys(names_in(route, "form|fields"), value) for value in ("", "\u202e", "x" * 3000)]
    for fields in wrong:
        before = entries(route)
        status = desk.post(path, fields).status
        assert len(entries(route)) == len(before) or status < 400, status


@pytest.mark.parametrize("address", ONLY_LOOKS)
def test_what_only_shows_the_page_again_leaves_no_entry(made: Made, address: str) -> None:
    [route] = [each for each in FORMS if each.address == address]
    seen = made.allowed(route).post(made.path(route), ONLY_LOOKS[address])
    assert seen.status in ((303,) if address.endswith("check") else (200, 422)), seen.text
    assert entries(route) == []


# --- what is written --------------------------------------------------------------------------------------------------


class Broken(MemoryAuditBook):
    """A book that cannot be written."""

    def add(self, business_id: str | None, entry: AuditEntry) -> None:
        raise ConnectionError(f"{business_id} {entry.email}")


def test_what_is_done_stays_done_once_if_it_cannot_be_written_and_that_is_told_without_names(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = made.desk(Role.OWNER)
    house.stand_in(monkeypatch, audit=Broken())
    written = StringIO()
    log = Logger(service="serve_console_lost", level="INFO", stream=written, logger_handler=None)
    monkeypatch.setattr(history_entries, "logger", lambda: log)
    seen = desk.post("/console/segments/new", segment("Regulars"))
    assert seen.status == 303
    assert [each.name for each in use_cases().segment_service.page(BUSINESS_ID, 9, None).items] == ["Regulars"]
    done, lost = (json.loads(line) for line in written.getvalue().splitlines())
    [member] = use_cases().staff_service.list(BUSINESS_ID)
    assert (done["level"], lost["level"]) == ("INFO", "ERROR")
    assert (lost["did"], lost["member_id"], lost["error"]) == ("segment.created", member.member_id, "ConnectionError")
    assert lost["object_id"] in seen.location
    assert "@" not in written.getvalue()
    assert '"AuditEntriesNotWritten":[1.0]' in capsys.readouterr().out.replace(" ", "")


def segment(name: str) -> dict[str, str]:
    return {"do": "save", "name": name, "n.kind": "all", "n.0.kind": "tag", "n.0.value": "vip"}


def test_settings_say_which_fields_were_changed_and_roles_which_they_are(made: Made) -> None:
    desk = made.desk(Role.OWNER)
    fields = {"name": "Elm", "was_name": "x", "switches.sms": "on", "was_switches.sms": "", "country": "", "x": "y"}
    assert desk.post("/console/settings", {**fields, "was_country": ""}).status == 303
    assert desk.post("/console/settings", {"was_name": ""}).status == 303
    assert desk.post("/console/staff", {"email": "bo@example.com", "role": "viewer"}).status in (200, 303)
    changed = {"email": "bo@example.com", "role": "staff", "was_role": "viewer", "location_id": "north"}
    assert desk.post("/console/staff/change", changed).status == 303
    assert [(each.did, each.name, each.details) for each in use_cases().ports.audit.newest(BUSINESS_ID, 9)] == [
        ("staff.changed", "bo@example.com", {"role": ["staff"], "location": ["north"]}),
        ("staff.invited", "bo@example.com", {"role": ["viewer"]}),
        # What saves nothing leaves nothing.
        ("settings.changed", None, {"fields": ["name", "switches.sms"]}),
    ]


def test_a_draft_that_saves_itself_is_one_entry(made: Made) -> None:
    desk, layout = made.desk(Role.OWNER), made.id("layouts")
    path = f"/console/layouts/{layout}"
    for text in ("One", "Two", "Three"):
        fields = {**Fields(desk.get(path).text).found, "b.0.text": text, "do": "autosave"}
        assert desk.post(path, fields, hx_request="true").status == 200
    [entry] = use_cases().ports.audit.newest(BUSINESS_ID, 9)
    assert (entry.did, entry.object_id) == (Deed.TEMPLATE_DRAFT_SAVED, layout)


def test_the_same_form_sent_twice_is_one_entry(made: Made) -> None:
    desk = made.desk(Role.OWNER)
    form = {"name": "Spring", "channel": "email", "category": "marketing", "segment_id": "*everybody", "once": "1"}
    first, again = (desk.post("/console/campaigns/new", form).location for _ in range(2))
    assert first == again
    assert [each.did for each in use_cases().ports.audit.newest(BUSINESS_ID, 9)] == [Deed.CAMPAIGN_BEGUN]


# --- who sees it ------------------------------------------------------------------------------------------------------


def test_owners_see_all_of_their_business_and_nobody_anything_of_another(made: Made) -> None:
    house.ports().businesses.add(business(business_id="cedar", name="Cedar"))
    use_cases().invite("cedar", "cy@example.com", Role.OWNER, console_url=f"{ORIGIN}/console")
    stranger = Desk(made.stack)
    stranger.post("/console/sign-in-link", {"token": use_cases().make_link("cy@example.com", "cedar")})
    assert stranger.post("/console/segments/new", segment("Cedar’s own")).status == 303
    assert made.desk(Role.STAFF).post("/console/segments/new", segment("Juniper’s own")).status == 303
    ours, theirs = made.desk(Role.OWNER).get("/console/history"), stranger.get("/console/history")
    for seen, own, email, other, others in (
        (ours, "Juniper’s own", "staff@salon.example.com", "Cedar’s own", "cy@example.com"),
        (theirs, "Cedar’s own", "cy@example.com", "Juniper’s own", "salon.example.com"),
    ):
        assert seen.status == 200
        assert (own in seen.text, email in seen.text, other in seen.text, others in seen.text) == (
            True,
            True,
            False,
            False,
        )


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 200), (Role.STAFF, 403), (Role.VIEWER, 403)])
def test_the_whole_is_for_owners_and_what_was_done_to_a_thing_for_whoever_sees_it(
    made: Made, role: Role, status: int
) -> None:
    made.desk(Role.OWNER).post("/console/segments/vip", {})
    assert made.desk(Role.OWNER).post(f"/console/segments/{made.id('segments')}", segment("VIP")).status == 303
    desk = made.desk(role)
    assert desk.get("/console/history").status == status
    assert ('href="../history"' in desk.get(f"/console/segments/{made.id('segments')}").text) is (status == 200)
    seen = desk.get(f"/console/segments/{made.id('segments')}/history")
    assert (seen.status, OWNER in seen.text, "Segment changed" in seen.text) == (200, True, True)
    assert desk.get("/console/operations/history").status == 403


def test_operators_see_what_operators_did_and_nothing_of_a_business(made: Made) -> None:
    assert made.desk(Role.OWNER).post("/console/segments/new", segment("Juniper’s own")).status == 303
    desk, path = made.desk(Role.OPERATOR), f"/console/operations/businesses/{BUSINESS_ID}"
    assert desk.post(f"{path}/senders", {"sender": "desk@salon.example.com"}).status == 303
    for address in ("/console/operations/history", f"{path}/history"):
        seen = desk.get(address).text
        assert "Sender granted" in seen
        assert "Sender: desk@salon.example.com" in seen
        assert "Juniper’s own" not in seen
    assert "Sender granted" not in made.desk(Role.OWNER).get("/console/history").text


# --- the pages --------------------------------------------------------------------------------------------------------


def test_a_long_history_is_read_in_pages_and_picked_out_by_person_and_kind(made: Made) -> None:
    people = {role: made.desk(role) for role in (Role.OWNER, Role.STAFF)}
    members = {each.role: each for each in use_cases().staff_service.list(BUSINESS_ID)}
    for number in range(listed.PAGE + 3):
        role = Role.STAFF if number % 10 == 0 else Role.OWNER
        did = "segment.changed" if number % 2 else "template.published"
        use_cases().audit_log.write(members[role], did, object_id="vip", name=f"Number {number}.")
    desk = people[Role.OWNER]

    def walk(address: str) -> list[int]:
        found: list[int] = []
        while True:
            with counted_requests() as names:
                seen = desk.get(address).text
            assert len(names) <= MOST_REQUESTS, names
            found += map(int, re.findall(r"Number (\d+)\.", seen))
            onwards = re.findall(r'href="([^"]*before=[^"]*)"', seen)
            if not onwards:
                return found
            address = unescape(onwards[0]).replace("./", "/console/")

    every = list(range(listed.PAGE + 2, -1, -1))
    assert walk("/console/history") == every
    by = members[Role.STAFF].member_id
    assert walk(f"/console/history?by={by}") == [each for each in every if each % 10 == 0]
    assert walk("/console/history?kind=segment") == [each for each in every if each % 2]
    assert walk(f"/console/history?kind=segment&by={by}") == []
    # What there is not is not asked for.
    assert walk("/console/history?kind=stack&before=x") == every


def test_who_is_here_no_more_is_still_named(made: Made) -> None:
    desk = made.desk(Role.OWNER)
    assert made.desk(Role.STAFF).post("/console/segments/new", segment("VIP 2")).status == 303
    [gone] = [each for each in use_cases().staff_service.list(BUSINESS_ID) if each.role is Role.STAFF]
    assert desk.post("/console/staff/remove", {"email": gone.email}).status == 303
    seen = desk.get(f"/console/history?by={gone.member_id}").text
    assert f'value="{gone.member_id}" selected>{gone.email}' in seen
    assert "VIP 2" in seen


def test_of_a_thing_that_is_gone_the_history_stays_and_what_never_was_has_none(made: Made) -> None:
    desk, path = made.desk(Role.OWNER), f"/console/segments/{made.id('segments')}"
    assert desk.get(f"{path}/history").status == 200
    assert desk.post(f"{path}/delete").status == 303
    seen = desk.get(f"{path}/history")
    assert (seen.status, "Segment deleted" in seen.text) == (200, True)
    assert desk.get("/console/segments/nothing/history").status == 404


@pytest.mark.parametrize("address", ["campaigns", "templates", "layouts", "segments", "recurring", "sequences"])
def test_every_page_of_a_thing_leads_to_its_history(made: Made, address: str) -> None:
    desk, path = made.desk(Role.OWNER), f"/console/{address}/{made.id(address)}"
    path = f"{path}/whom" if address == "campaigns" else path
    ways = set(re.findall(r'href="([^"]*/history)"', desk.get(path).text)) - {"../history", "../../history"}
    [to] = {desk.go(path, Seen(303, {"Location": way}, (), "")) for way in ways}
    with counted_requests() as names:
        assert desk.get(to).status == 200
    assert len(names) <= MOST_REQUESTS


@pytest.mark.parametrize("name", ["<b>x</b>", '"><script>alert(1)</script>', "{{7*7}}"])
def test_whatever_things_are_called_is_text(made: Made, name: str) -> None:
    desk = made.desk(Role.OWNER)
    assert desk.post("/console/segments/new", segment(name)).status == 303
    for address in ("history", "history?kind=segment"):
        assert str(escape(name)) in desk.get(f"/console/{address}").text


@pytest.fixture
def history(stack: Stack) -> None:
    """Of a business in which several people did something."""
    behind, made = use_cases(), Made.of(stack)
    for route, deed in DONE:
        if (
            not route.is_for_operators
            and deed is not Deed.SEGMENT_DELETED
            and deed.kind in ("segment", "settings", "staff", "key", "reply", "recurring")
        ):
            prepare(made, route, deed)()
    [member] = [each for each in behind.staff_service.list(BUSINESS_ID) if each.email == OWNER]
    behind.audit_log.write(
        member, "campaign.sent", object_id="c", name="Spring offer " * 8, details={"number": ["1200"]}
    )


@pytest.mark.usefixtures("history")
def test_the_history_is_for_everybody(console: str, at_width: Page, width: str) -> None:
    sign_in_there(at_width, console)
    at_width.goto(f"{console}/history")
    check(at_width, f"history-{width}")
    at_width.goto(f"{console}/segments/vip/history")
    check(at_width, f"history-of-one-{width}")
    at_width.goto(f"{console}/history?kind=job")
    check(at_width, f"history-none-{width}")


@pytest.mark.usefixtures("history")
def test_on_the_page_of_a_thing_it_opens_where_it_stands(console: str, page: Page) -> None:
    sign_in_there(page, console)
    page.goto(f"{console}/segments/vip")
    page.get_by_role("link", name="Who did what, and when").click()
    expect(page.locator("#past")).to_contain_text(OWNER)
    assert page.url.endswith("/segments/vip")
    check(page, "history-in-place")


@pytest.mark.usefixtures("history")
def test_without_scripts_it_is_a_page_and_is_picked_out_by_a_form(console: str, without_scripts: Page) -> None:
    page = without_scripts
    sign_in_there(page, console)
    page.goto(f"{console}/segments/vip")
    page.get_by_role("link", name="Who did what, and when").click()
    assert page.url.endswith("/segments/vip/history")
    page.goto(f"{console}/history")
    page.get_by_label("About").select_option("Keys")
    page.get_by_role("button", name="Show").click()
    assert {row.inner_text().split("\t")[-1].split(":")[0] for row in page.locator("tbody tr").all()} == {
        "Key created",
        "Key replaced",
        "Key ended",
    }
