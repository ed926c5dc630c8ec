"""Who comes in and who does not: forms of strangers, sessions, cookies, headers, and paths that lead nowhere."""

import re
from urllib.parse import quote

import pytest

from rebound.console.http.frame import SESSION
from rebound.console.http.requests import MAX_FIELDS, MAX_FORM, PageRequest
from rebound.console.http.routes import ROUTES, Route
from rebound.console.http.sign_in import ATTEMPT, KNOWN
from rebound.console.wiring import ConsoleUseCases, use_cases
from rebound.staff.application import sign_in
from rebound.staff.domain import CODES_TO_REQUESTER, Role, person_key
from tests.contract.businesses.fakes import MemoryReboundMail
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, business
from tests.integration.conftest import Stack
from tests.integration.console.desk import FORM, ORIGIN, Desk, code_in
from tests.integration.console.site import event_of


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack)


@pytest.fixture
def customer(stack: Stack) -> str:
    row = {"first_name": "Amara", "last_name": "Osei", "email": "amara@example.com"}
    return str(stack.api("POST", "/v1/customers", row).body["customer_id"])


@pytest.fixture
def mail(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> MemoryReboundMail:
    found = MemoryReboundMail()
    house.stand_in(monkeypatch, rebound_mail=found)
    return found


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long an answer takes is staff's matter."""
    monkeypatch.setattr(sign_in, "ASKING_TAKES", sign_in.ASKING_TAKES * 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": None},
        {"origin": "null"},
        {"origin": "null", "host": None},
        {"origin": "null", "host": ""},
        {"origin": "https://elsewhere.example.com"},
        {"origin": f"{ORIGIN}.elsewhere.example.com"},
        {"origin": f"{ORIGIN}:8443"},
        {"origin": f"ftp://{ORIGIN.partition('://')[2]}"},
    ],
)
def test_a_form_that_comes_from_elsewhere_does_nothing(
    desk: Desk, customer: str, stack: Stack, headers: dict[str, str | None]
) -> None:
    desk.sign_in()
    seen = desk.post(f"/console/customers/{customer}", {"first_name": "Eve"}, **headers)
    assert seen.status == 403
    assert seen.cookies == []
    assert stack.api("GET", f"/v1/customers/{customer}").body["first_name"] == "Amara"


@pytest.mark.parametrize("headers", [{"origin": None}, {"origin": "null"}, {"origin": "https://elsewhere.example.com"}])
@pytest.mark.parametrize("address", [route.address for route in ROUTES if route.method == "POST"])
def test_no_form_at_all_is_taken_from_elsewhere_not_even_signing_in(
    desk: Desk, address: str, headers: dict[str, str | None]
) -> None:
    assert desk.post(f"/console/{address.replace('*', 'x')}", {"email": "a@example.com"}, **headers).status == 403


@pytest.mark.parametrize("token", ["", "wrong", None])
def test_without_the_token_of_the_session_nothing_is_done_and_what_was_typed_is_kept(
    desk: Desk, customer: str, stack: Stack, token: str | None
) -> None:
    desk.sign_in()
    others = Desk(stack).sign_in("other@salon.example.com").csrf
    seen = desk.post(
        f"/console/customers/{customer}", {"csrf": others if token is None else token, "first_name": '"><b>Eve'}
    )
    assert seen.status == 403
    assert "&#34;&gt;&lt;b&gt;Eve" in seen.text
    assert desk.csrf in seen.text
    assert others not in seen.text
    assert stack.api("GET", f"/v1/customers/{customer}").body["first_name"] == "Amara"


@pytest.mark.parametrize("address", [route.address for route in ROUTES if route.method == "POST" and route.rights])
def test_every_form_of_somebody_who_is_signed_in_needs_the_token(desk: Desk, address: str) -> None:
    desk.sign_in()
    seen = desk.post(f"/console/{address.replace('*', 'x')}", {"csrf": "wrong"})
    assert seen.status == 403
    assert seen.cookies == []
    assert desk.get("/console/customers").status == 200


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.address}")
def test_nobody_comes_in_without_a_session_and_no_page_may_be_framed_or_run_what_is_not_ours(
    desk: Desk, route: Route
) -> None:
    method, address, rights = route.method, route.address.replace("*", "x"), route.rights
    seen = desk.post(f"/console/{address}") if method == "POST" else desk.get(f"/console/{address}")
    if rights:
        assert seen.status == (401 if method == "POST" else 303)
    policy = dict(part.strip().split(" ", 1) for part in seen.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert seen.headers["X-Frame-Options"] == "DENY"
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    assert seen.headers["Cache-Control"] == "no-store"


def test_an_answer_that_comes_before_any_page_has_the_headers_too(desk: Desk) -> None:
    for seen in (desk.get("/console/static/none.js"), desk.send("/console/customers", "", content_type="text/plain")):
        assert "frame-ancestors 'none'" in seen.headers["Content-Security-Policy"]


def test_cookies_are_for_the_console_alone_and_for_no_script(desk: Desk) -> None:
    desk.post("/console/sign-in", {"email": "owner@salon.example.com"})
    seen = desk.post("/console/sign-in-link", {"token": _link()})
    assert len(seen.cookies) == 2
    for cookie in (*seen.cookies, *desk.post("/console/sign-in", {"email": "a@example.com"}).cookies):
        _, *attributes = cookie.split("; ")
        # Neither Domain, so that no other host gets them, nor Path: below the console's own folder.
        assert [each for each in attributes if not each.startswith("Max-Age=")] == [
            "Secure",
            "HttpOnly",
            "SameSite=Lax",
        ]


def test_a_session_that_somebody_else_put_into_the_browser_opens_nothing(desk: Desk) -> None:
    desk.jar[SESSION] = planted = "A" * 43
    desk.sign_in()
    assert desk.jar[SESSION] != planted
    stranger = Desk(desk.stack, jar={SESSION: planted})
    assert stranger.get("/console/customers").status == 303


def test_signing_in_again_ends_the_session_that_the_browser_had(desk: Desk) -> None:
    before = dict(desk.sign_in().jar)
    desk.sign_in("other@salon.example.com")
    assert Desk(desk.stack, jar=before).get("/console/customers").status == 303
    assert desk.get("/console/customers").status == 200


@pytest.mark.parametrize("path", ["sign-in", "sign-in-code", "sign-in/{link}"])
def test_whoever_is_signed_in_sees_the_pages_to_sign_in_as_well(desk: Desk, path: str) -> None:
    desk.sign_in()
    desk.post("/console/sign-in", {"email": "owner@salon.example.com"})
    assert '<form method="post"' in desk.get(f"/console/{path.format(link=_link())}").text.partition("<main")[2]


@pytest.mark.parametrize("theirs_last", [True, False])
def test_of_two_sessions_that_a_browser_sends_neither_is_taken(desk: Desk, stack: Stack, theirs_last: bool) -> None:
    own = desk.sign_in().jar[SESSION]
    theirs = Desk(stack).sign_in("eve@salon.example.com").jar[SESSION]
    sent = [own, theirs] if theirs_last else [theirs, own]
    both = "; ".join(f"{SESSION}={token}" for token in sent)
    assert desk.get("/console/customers", cookie=both).status == 303
    assert desk.post("/console/customers", cookie=both).status == 401
    assert desk.get("/console/customers", cookie=f"{SESSION}={own}; {SESSION}={own}").status == 200


def test_signing_out_ends_the_session_and_not_only_the_cookie(desk: Desk) -> None:
    before = dict(desk.sign_in().jar)
    assert desk.post("/console/sign-out").status == 303
    assert SESSION not in desk.jar
    assert Desk(desk.stack, jar=before).get("/console/customers").status == 303


def test_whoever_has_signed_in_from_this_browser_gets_a_code_whatever_strangers_ask(
    desk: Desk, stack: Stack, mail: MemoryReboundMail
) -> None:
    email = "owner@salon.example.com"
    desk.sign_in().post("/console/sign-out")
    assert [name for name in desk.jar if name != ATTEMPT] == [f"{KNOWN}{person_key(email)[:12]}"]
    mail.sent.clear()
    for _ in range(CODES_TO_REQUESTER.most + 1):
        Desk(stack).post("/console/sign-in", {"email": email})
    assert len(mail.sent) == CODES_TO_REQUESTER.most
    assert desk.sign_in_by_code(email, mail).get("/console/customers").status == 200


@pytest.mark.parametrize(
    ("given", "requester"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("no address", ""),
    ],
)
def test_where_a_request_comes_from_is_what_the_gateway_says(given: str, requester: str) -> None:
    event = event_of("POST", "/console/sign-in", {"content-type": FORM, "x-forwarded-for": "198.51.100.7"}, "email=a")
    event["requestContext"]["identity"] = {"sourceIp": given}
    assert PageRequest.of(event).requester == requester


def test_whether_an_address_is_known_cannot_be_told(desk: Desk, stack: Stack) -> None:
    desk.sign_in()
    answers = []
    for email in ("owner@salon.example.com", "nobody@example.com"):
        asking = Desk(stack)
        asked = asking.post("/console/sign-in", {"email": email})
        wrong = asking.post("/console/sign-in-code", {"code": "not it"})
        told = [len(each.partition(";")[0]) for each in asked.cookies], len(asking.jar[ATTEMPT])
        answers.append((asked.status, asked.headers, asked.text, told, wrong.status, wrong.headers, wrong.text))
    assert answers[0] == answers[1]


def test_what_a_program_asks_for_once_the_session_is_over_is_a_note_above_what_was_typed(desk: Desk) -> None:
    seen = desk.post("/console/customers", {"q": "amara"}, console_root="../", hx_request="true")
    assert seen.status == 401
    assert seen.headers["HX-Retarget"] == "#note"
    assert "<html" not in seen.text
    assert 'action="../customers"' in seen.text
    assert 'value="amara"' in seen.text
    assert desk.get("/console/customers", hx_request="true").status == 401


@pytest.mark.parametrize("root", ["//elsewhere.example.com/", "/", "javascript:", "../x/", "../" * 9, '"><b>'])
def test_where_a_program_says_that_the_page_is_leads_nowhere_else(desk: Desk, root: str) -> None:
    seen = desk.post("/console/customers", console_root=root, hx_request="true")
    assert 'action="./customers"' in seen.text
    assert "elsewhere" not in seen.text


@pytest.mark.parametrize(
    "wanted",
    [
        "//elsewhere.example.com",
        "https://elsewhere.example.com",
        "javascript:alert(1)",
        "../../v1/customers",
        "customers/../..",
        "\\\\elsewhere.example.com",
        "customers?x=//elsewhere",
        "customers\r\nSet-Cookie: a=b",
        "%2f%2felsewhere.example.com",
    ],
)
def test_whoever_signs_in_goes_on_to_a_page_of_ours(
    desk: Desk, stack: Stack, mail: MemoryReboundMail, wanted: str
) -> None:
    assert 'name="next" value=""' in desk.get(f"/console/sign-in?next={quote(wanted, safe='')}").text
    Desk(stack).sign_in()
    desk.post("/console/sign-in", {"email": "owner@salon.example.com", "next": wanted})
    code = code_in(mail)
    seen = desk.post("/console/sign-in-code", {"code": code, "next": wanted})
    assert (seen.status, seen.location) == (303, "./customers")


def test_whoever_asked_for_a_page_comes_to_it_after_signing_in(
    desk: Desk, stack: Stack, mail: MemoryReboundMail, customer: str
) -> None:
    Desk(stack).sign_in()
    page = f"/console/customers/{customer}"
    to_sign_in = desk.go(page, desk.get(page))
    assert to_sign_in == f"/console/sign-in?next={quote(f'customers/{customer}', safe='')}"
    wanted = f"customers/{customer}"
    asked = desk.post("/console/sign-in", {"email": "owner@salon.example.com", "next": wanted})
    assert desk.go("/console/sign-in", asked).startswith("/console/sign-in-code?next=")
    seen = desk.post("/console/sign-in-code", {"code": code_in(mail), "next": wanted})
    assert desk.go("/console/sign-in-code", seen) == page
    assert desk.get(page).status == 200


@pytest.mark.parametrize("before", ["", "/salon", "/console", "/console/pages", "/live/_user_request_"])
@pytest.mark.parametrize("bare", ["/console", "/console/", "/console//"])
def test_the_console_begins_at_its_own_page_whatever_stands_before_it(stack: Stack, before: str, bare: str) -> None:
    desk = Desk(stack, before).sign_in()
    path = desk.go(f"{before}{bare}", desk.get(bare))
    assert path.replace("//", "/") == f"{before}/console/customers"
    assert desk.get("/console/customers").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "nowhere",
        "customers/..",
        "customers/%2e%2e",
        "customers/..%2f..%2fv1",
        "customers/%00",
        "customers/%ff",
        "customers/" + "x" * 3000,
        "customers/" + "%F0%9F%92%87" * 300,
        "customers/x/y/z",
        "customers/console",
        "static/../handler.py",
        "static/%2e%2e%2f%2e%2e%2fwiring.py",
        "static/console.css",
        "static",
        "sign-in/%00",
        "sign-in/" + "x" * 3000,
        "customers/{{7*7}}",
        "page.html",
    ],
)
def test_a_path_that_leads_nowhere_is_no_page(desk: Desk, path: str) -> None:
    desk.sign_in()
    seen = desk.get(f"/console/{path}")
    assert seen.status == (410 if path.startswith("sign-in") else 404)
    assert desk.get(f"/console/{path}", "HEAD").text == ""


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"])
def test_another_method_is_none(desk: Desk, method: str) -> None:
    desk.sign_in()
    seen = desk.get("/console/sign-out", method)
    assert (seen.status, seen.headers["Allow"]) == (405, "POST")
    assert desk.get("/console/sign-out").status == 405
    assert desk.get("/console/customers").status == 200


def test_a_page_can_be_asked_about_without_its_text(desk: Desk) -> None:
    desk.sign_in()
    seen = desk.get("/console/customers", "HEAD")
    assert (seen.status, seen.text) == (200, "")


@pytest.mark.parametrize("path", ["customers", "customers/x", "customers/x/confirm", "sign-in", "sign-in-code"])
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("q=%ff", FORM, 400),
        ("q=%C3%28", FORM, 400),
        ("&".join(f"a{n}=1" for n in range(MAX_FIELDS + 1)), FORM, 400),
        ("q=" + "a" * MAX_FORM, FORM, 413),
        ('{"q": 1}', "application/json", 400),
        ("q=1", "multipart/form-data; boundary=x", 400),
        ("q=1", "text/plain", 400),
        ("q=1", None, 400),
    ],
)
def test_what_is_no_form_is_refused(desk: Desk, path: str, body: str, kind: str | None, status: int) -> None:
    desk.sign_in()
    assert desk.send(f"/console/{path}", body, content_type=kind).status == status


@pytest.mark.parametrize(
    "fields",
    [
        {"channel": ""},
        {"channel": "fax"},
        {"channel": "email\x00"},
        {"first_name": "a\x00b"},
        {"first_name": "\u202e"},
        {"email": "x" * 10_000},
        {"birthday": "2026-02-30"},
        {"language": "xx-\ud7ff"},
        {"general_tags": "," * 5000 + "a" * 500},
        {"online_booking": "perhaps"},
    ],
)
def test_a_wrong_form_is_said_and_changes_nothing(
    desk: Desk, stack: Stack, customer: str, fields: dict[str, str]
) -> None:
    desk.sign_in()
    before = stack.api("GET", f"/v1/customers/{customer}").body
    end = "/confirm" if "channel" in fields else ""
    # As the page has it: beside each field what it showed.
    sent = {**{f"was_{name}": "" for name in fields}, **fields}
    assert desk.post(f"/console/customers/{customer}{end}", sent).status == 422
    assert stack.api("GET", f"/v1/customers/{customer}").body == before


@pytest.mark.parametrize("error", [OverflowError("date value out of range"), RecursionError("too deep")])
def test_what_is_beyond_reading_is_said_on_a_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def beyond(*_: object) -> None:
        raise error

    desk.sign_in()
    monkeypatch.setattr(use_cases().segment_service.__class__, "page", beyond)
    seen = desk.get("/console/segments")
    assert (seen.status, "too large" in seen.text) == (422, True)


@pytest.mark.parametrize("fields", [{"cursor": "nonsense"}, {"cursor": "é" * 400}, {"q": "x" * 5000}, {"tag": "\x00"}])
def test_a_search_that_cannot_be_is_no_fault_of_ours(desk: Desk, fields: dict[str, str]) -> None:
    assert desk.sign_in().post("/console/customers", fields).status in (200, 422)


def test_a_form_for_a_key_that_is_sent_twice_makes_one(desk: Desk) -> None:
    desk.sign_in()

    def keys() -> list[str]:
        return [key.key_id for key in use_cases().tenant_service.list_keys(BUSINESS_ID) if key.label == "Till"]

    new = {"label": "Till", "scope": "customers:read", "once": "a"}
    assert [desk.post("/console/keys", new).status for _ in range(2)] == [200, 409]
    [key_id] = keys()
    rotated = [desk.post(f"/console/keys/{key_id}/rotate", {"once": "b"}).status for _ in range(2)]
    assert (rotated, len(keys())) == ([200, 409], 2)
    assert desk.post("/console/keys", {**new, "once": "c"}).status == 200
    assert len(keys()) == 3
    page = desk.get("/console/keys").text
    assert page.count('name="once" value="') == 1 + page.count('/rotate"')


def test_a_form_for_a_business_that_is_sent_twice_makes_one_also_after_it_was_refused(desk: Desk) -> None:
    desk.sign_in("ops@example.com", Role.OPERATOR)
    path = "/console/operations/businesses/new"
    assert 'name="once" value="0' in desk.get(path).text
    given = {"name": "Elm", "country": "US", "time_zone": "America/New_York", "once": "a"}
    assert desk.post(path, {**given, "time_zone": "Nowhere"}).status == 422
    first, again = (desk.go(path, desk.post(path, given)) for _ in range(2))
    assert first == again
    other = desk.go(path, desk.post(path, {**given, "once": "b"}))
    assert other != first
    assert len([each for each in use_cases().tenant_service.list_businesses(50, None).items if each.name == "Elm"]) == 2


def test_a_role_that_was_changed_meanwhile_is_not_overwritten(stack: Stack) -> None:
    one, two = Desk(stack).sign_in(), Desk(stack).sign_in("other@salon.example.com")
    Desk(stack).sign_in("bo@salon.example.com", Role.STAFF)
    seen = {"email": "bo@salon.example.com", "was_role": "staff"}
    assert one.post("/console/staff/change", {**seen, "role": "viewer"}).status == 303
    late = two.post("/console/staff/change", {**seen, "role": "staff", "location_id": "north"})
    assert late.status == 409
    assert "bo@salon.example.com meanwhile, who is now: viewer" in late.text.replace("Viewer", "viewer")
    [bo] = [each for each in use_cases().staff_service.list(BUSINESS_ID) if each.email == seen["email"]]
    assert (bo.role, bo.location_id) == (Role.VIEWER, None)


def test_two_people_who_edit_somebody_at_once_do_not_undo_each_other(stack: Stack, customer: str) -> None:
    one, two = Desk(stack).sign_in(), Desk(stack).sign_in("other@salon.example.com", Role.STAFF)
    shown = {"was_first_name": "Amara", "was_last_name": "Osei", "first_name": "Amara", "last_name": "Osei"}
    assert one.post(f"/console/customers/{customer}", {**shown, "first_name": "Ama"}).status == 303
    assert two.post(f"/console/customers/{customer}", {**shown, "last_name": "Mensah"}).status == 303
    after = stack.api("GET", f"/v1/customers/{customer}").body
    assert (after["first_name"], after["last_name"]) == ("Ama", "Mensah")


def test_what_is_sent_before_a_business_is_chosen_is_kept_until_one_is(
    desk: Desk, stack: Stack, mail: MemoryReboundMail, customer: str
) -> None:
    email = "owner@salon.example.com"
    Desk(stack).sign_in(email)
    use_cases().invite(None, email, Role.OPERATOR, console_url=f"{ORIGIN}/console")
    desk.sign_in_by_code(email, mail)
    assert desk.get("/console/customers").location == "./choose-business"
    asked = f"/console/customers/{customer}"
    typed = {"was_last_name": "Osei", "last_name": "Mensah"}
    seen = desk.post(asked, typed)
    assert seen.status == 409
    assert 'value="Mensah"' in seen.text
    assert 'href="../choose-business" target="_blank"' in seen.text
    assert desk.post("/console/choose-business", {"business_id": BUSINESS_ID}).status == 303
    assert desk.post(asked, typed).status == 303
    assert stack.api("GET", f"/v1/customers/{customer}").body["last_name"] == "Mensah"


@pytest.fixture
def cedar() -> str:
    """Another business."""
    house.ports().businesses.add(business(business_id="cedar", name="Cedar"))
    return "cedar"


def test_whoever_invites_gets_no_link_of_somebody_who_is_known_elsewhere(stack: Stack, cedar: str) -> None:
    known, new = "victim@cedar.example.com", "new@example.com"
    use_cases().invite(cedar, known, Role.OWNER, console_url=f"{ORIGIN}/console")
    inviting = Desk(stack).sign_in()
    inviting.post("/console/settings", {"was_email_from": "hello@juniper.example.com", "email_from": ""})
    seen = {email: inviting.post("/console/staff", {"email": email, "role": "viewer"}) for email in (known, new)}
    assert [seen[known].status, seen[new].status] == [200, 200]
    assert "/sign-in/" not in seen[known].text
    assert "address is known elsewhere" in seen[known].text
    [link] = re.findall(r'id="link"[^>]*value="[^"]*/sign-in/([^"]*)"', seen[new].text)
    assert Desk(stack).post("/console/sign-in-link", {"token": link}).status == 303


@pytest.mark.parametrize("to", ["cedar", ""])
def test_a_link_opens_the_business_that_it_is_for_and_a_code_opens_the_others(
    stack: Stack, mail: MemoryReboundMail, cedar: str, to: str
) -> None:
    behind, email = use_cases(), "victim@cedar.example.com"
    behind.invite(cedar, email, Role.OWNER, console_url=f"{ORIGIN}/console")
    behind.invite(None, email, Role.OPERATOR, console_url=f"{ORIGIN}/console")
    linked = Desk(stack).sign_in(email, Role.VIEWER)
    assert "Cedar" not in linked.get("/console/choose-business").text
    assert linked.post("/console/choose-business", {"business_id": to}).status == 404
    assert (linked.get("/console/staff").status, linked.get("/console/operations").status) == (403, 403)
    theirs = Desk(stack).sign_in_by_code(email, mail)
    assert theirs.post("/console/choose-business", {"business_id": to}).status == 303


@pytest.fixture
def of_two(stack: Stack, mail: MemoryReboundMail, cedar: str) -> Desk:
    """Who is an owner of two businesses, and looks at the first."""
    for business_id in (BUSINESS_ID, cedar):
        use_cases().invite(business_id, "both@example.com", Role.OWNER, console_url=f"{ORIGIN}/console")
    desk = Desk(stack).sign_in_by_code("both@example.com", mail)
    assert desk.post("/console/choose-business", {"business_id": BUSINESS_ID}).status == 303
    return desk


def test_a_form_of_one_business_does_nothing_in_another(of_two: Desk, cedar: str) -> None:
    opened = of_two.csrf
    of_two.post("/console/choose-business", {"business_id": cedar})
    typed = {"email": "new@example.com", "role": "viewer"}
    seen = of_two.post("/console/staff", {**typed, "csrf": opened})
    assert seen.status == 403
    assert "You are now in Cedar" in seen.text
    assert "new@example.com" not in seen.text
    kept = use_cases().staff_service
    assert {each.email for id_ in (BUSINESS_ID, cedar) for each in kept.list(id_)} == {"both@example.com"}
    of_two.post("/console/choose-business", {"business_id": BUSINESS_ID, "csrf": opened})
    assert of_two.post("/console/staff", {**typed, "csrf": opened}).status == 303
    assert [each.email for each in kept.list(cedar)] == ["both@example.com"]


def test_a_form_that_outlives_its_session_is_offered_in_its_own_business_alone(
    of_two: Desk, stack: Stack, mail: MemoryReboundMail, cedar: str
) -> None:
    typed = {"email": "new@example.com", "role": "viewer", "csrf": of_two.csrf}
    of_two.post("/console/sign-out")
    seen = of_two.post("/console/staff", typed)
    assert (seen.status, typed["csrf"] in seen.text) == (401, True)
    of_two.sign_in_by_code("both@example.com", mail)
    seen = of_two.post("/console/staff", typed)
    assert (seen.status, typed["csrf"] in seen.text) == (409, True)
    of_two.post("/console/choose-business", {"business_id": cedar})
    assert "new@example.com" not in of_two.post("/console/staff", typed).text
    of_two.post("/console/choose-business", {"business_id": BUSINESS_ID})
    seen = of_two.post("/console/staff", typed)
    assert seen.status == 403
    assert "it is done in Salon Juniper" in seen.text
    assert 'value="new@example.com"' in seen.text
    assert f'value="{of_two.csrf}"' in seen.text


def test_signing_out_goes_from_a_tab_of_another_business(of_two: Desk, cedar: str) -> None:
    opened = of_two.csrf
    of_two.post("/console/choose-business", {"business_id": cedar})
    assert of_two.post("/console/sign-out", {"csrf": opened}).status == 303
    assert SESSION not in of_two.jar


def test_files_may_be_kept_for_good_by_everybody(desk: Desk) -> None:
    page = desk.get("/console/sign-in").text
    names = [part.partition('"')[0] for part in page.split("./static/")[1:]]
    assert len(names) == 3
    for name in names:
        seen = desk.get(f"/console/static/{name}")
        assert (seen.status, seen.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        assert seen.headers["X-Content-Type-Options"] == "nosniff"


def _link() -> str:
    behind: ConsoleUseCases = use_cases()
    behind.invite(BUSINESS_ID, "owner@salon.example.com", Role.OWNER, console_url=f"{ORIGIN}/console")
    return behind.make_link("owner@salon.example.com", BUSINESS_ID)
