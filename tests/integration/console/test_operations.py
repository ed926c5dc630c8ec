"""The pages of operators: alarms, dead letters, costs, businesses, senders, plans; and that nobody else comes near."""

import json
import re
from copy import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from aws_lambda_powertools import Logger
from playwright.sync_api import Page, expect

from rebound.businesses.domain.holds import AccountHold
from rebound.console.http.history import entries
from rebound.console.http.operations import letters
from rebound.console.http.routes import ROUTES, Route
from rebound.console.wiring import use_cases
from rebound.operations.domain import Alarm, AlarmState, CostPart, EmailAccount, Usage
from rebound.staff.domain import Role
from tests.contract.businesses.fakes import MemoryReboundMail
from tests.contract.operations.fakes import MemoryAlarms, MemoryEmailIdentities, MemoryUsages
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NOON
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check
from tests.integration.console.crawl import counted_requests
from tests.integration.console.desk import Desk
from tests.integration.console.site import event_of

OPERATOR: Final = "ops@example.com"
OWN: Final = [route for route in ROUTES if route.is_for_operators]
LOOKED_AT: Final = [route.address for route in OWN if route.method == "GET"]
MOST_REQUESTS: Final = 8
IN_MEMORY: Final = {"operations": 1, "operations/costs": 1, "operations/senders": 2}
"""Requests to CloudWatch and SES, which are not made here."""
PERSONAL: Final = "amara@example.com"
USAGE: Final = Usage(
    {CostPart.DYNAMODB_WRITES: 1.25, CostPart.SQS: 0.4, CostPart.LAMBDA_TIME: 0.0},
    emails=12_000,
    texts=310,
    is_measured=True,
)


@pytest.fixture(autouse=True)
def watched(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> MemoryUsages:
    usages = MemoryUsages(USAGE)
    house.stand_in(
        monkeypatch,
        alarms=MemoryAlarms(
            Alarm("ApiErrors", "The API is <b>well</b>; see docs/runbook.md.", AlarmState.OK, NOON),
            Alarm("EmailDeadLetters", "Chunks of email ended; see docs/runbook.md.", AlarmState.ALARM, NOON),
            Alarm("BounceRate", "Email bounces; see docs/runbook.md.", AlarmState.UNKNOWN, NOON),
        ),
        usages=usages,
        email_identities=MemoryEmailIdentities(**{"salon.example.com": True, "example.com": False}),
    )
    return usages


@pytest.fixture
def operator(stack: Stack) -> Desk:
    return Desk(stack).sign_in(OPERATOR, Role.OPERATOR)


def give_up(stack: Stack, queue: str = "email", number: int = 1) -> None:
    """Put messages into the dead letters of a queue."""
    [_, url] = json.loads(stack.settings["DEAD_LETTER_QUEUES"])[queue]
    body = {"business_id": BUSINESS_ID, "campaign_id": "c-1", "chunk": "0001", "email": PERSONAL, "name": "Amara"}
    for _ in range(number):
        stack.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))


def waiting(queue: str = "email") -> int:
    return house.ports().dead_letter_queues.waiting(queue)


def business() -> Any:
    return house.ports().businesses.get(BUSINESS_ID)


def path_of(route: Route) -> str:
    place = "email" if "dead-letters" in route.address else BUSINESS_ID
    return f"/console/{route.address.replace('*', place)}"


# --- whose they are ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", OWN, ids=lambda route: f"{route.method} {route.address}")
def test_owners_are_tenants_and_come_to_none_of_them(stack: Stack, route: Route) -> None:
    owner = Desk(stack).sign_in()
    seen = owner.get(path_of(route)) if route.method == "GET" else owner.post(path_of(route))
    assert seen.status == 403
    assert "operations" not in owner.get("/console/customers").text


@pytest.mark.parametrize("address", ["customers", "replies", "settings", "staff", "keys", "segments"])
def test_an_operator_is_of_no_business_and_sees_none_of_its_customers(operator: Desk, address: str) -> None:
    assert operator.get(f"/console/{address}").status == 403


def test_an_operator_comes_to_their_own_pages_first(operator: Desk) -> None:
    for start in ("/console", "/console/"):
        assert operator.go(start, operator.get(start)) == "/console/operations"
    page = operator.get("/console/operations").text
    assert 'href="./reference"' in page
    assert 'href="./customers"' not in page


def test_who_is_an_owner_too_chooses_as_what_they_look(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = MemoryReboundMail()
    house.stand_in(monkeypatch, rebound_mail=mail)
    monkeypatch.setattr("rebound.staff.application.sign_in.ASKING_TAKES", timedelta())
    behind = use_cases()
    behind.invite(None, "both@example.com", Role.OPERATOR, console_url="https://console.example.com/console")
    behind.invite(BUSINESS_ID, "both@example.com", Role.OWNER, console_url="https://console.example.com/console")
    desk = Desk(stack).sign_in_by_code("both@example.com", mail)
    path = "/console/choose-business"
    assert desk.go(path, desk.post(path, {"business_id": ""})) == "/console/operations"
    assert (desk.get("/console/operations").status, desk.get("/console/customers").status) == (200, 403)
    assert desk.go(path, desk.post(path, {"business_id": BUSINESS_ID})) == "/console/customers"
    assert (desk.get("/console/operations").status, desk.get("/console/customers").status) == (403, 200)


@pytest.mark.parametrize("path", ["operations", "operations/dead-letters", "operations/businesses"])
def test_the_function_of_tenants_has_none_of_them_whatever_the_gateway_does(stack: Stack, path: str) -> None:
    desk = Desk(stack).sign_in(OPERATOR, Role.OPERATOR)
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in desk.jar.items())}
    for function, asked in (("serve_console", path), ("serve_operations", "customers")):
        answer = stack.invoke(function, event_of("GET", f"/console/{asked}", headers))
        assert answer["statusCode"] == 404


@pytest.mark.parametrize("address", LOOKED_AT)
def test_a_page_needs_few_requests(operator: Desk, stack: Stack, address: str) -> None:
    give_up(stack, number=12)
    path = path_of(next(route for route in OWN if route.address == address and route.method == "GET"))
    operator.get(path)
    with counted_requests() as names:
        assert operator.get(path).status == 200
    assert len(names) + IN_MEMORY.get(address, 0) <= MOST_REQUESTS, names


# --- alarms and costs -------------------------------------------------------------------------------------------------


def test_alarms_that_have_gone_off_stand_first_and_their_words_are_text(operator: Desk) -> None:
    page = operator.get("/console/operations").text
    assert "1 alarm has gone off." in page
    places = [page.index(name) for name in ("EmailDeadLetters", "BounceRate", "ApiErrors")]
    assert places == sorted(places)
    assert "&lt;b&gt;well" in page
    assert './operations/dead-letters/email">EmailDeadLetters' in page


def test_costs_are_those_of_this_month_or_the_one_before(operator: Desk, watched: MemoryUsages) -> None:
    page = operator.get("/console/operations/costs").text
    # 1.25 and 0.40, and SES's fee for 12,000 emails.
    assert "US$2.85" in page
    assert [page.index(part) for part in ("DynamoDB, writes", "SES, emails", "SQS")] == sorted(
        page.index(part) for part in ("DynamoDB, writes", "SES, emails", "SQS")
    )
    operator.get("/console/operations/costs?month=before")
    (start, end), (start_before, end_before) = watched.asked
    assert (start.day, start.hour, start.minute, start.second, start.microsecond) == (1, 0, 0, 0, 0)
    assert start <= end <= datetime.now(UTC)
    assert (start_before.day, end_before) == (1, start)
    assert timedelta(days=28) <= end_before - start_before <= timedelta(days=31)


def test_where_nothing_is_measured_nothing_is_claimed(operator: Desk, watched: MemoryUsages) -> None:
    watched.usage = Usage({CostPart.SQS: 0.0}, emails=0, texts=0, is_measured=False)
    page = operator.get("/console/operations/costs").text
    assert "nothing can be estimated" in page
    assert "US$" not in page


# --- dead letters -----------------------------------------------------------------------------------------------------


def test_a_dead_letter_shows_ids_and_why_and_nothing_personal(operator: Desk, stack: Stack) -> None:
    give_up(stack)
    assert "About 1 message" in operator.get("/console/operations/dead-letters").text
    page = operator.get("/console/operations/dead-letters/email").text
    assert "c-1" in page
    assert "No function has said why" in page
    assert PERSONAL not in page
    assert "Amara" not in page


@pytest.mark.parametrize("typed", ["", "2", "12", "x", "01", "-1", "9" * 5000])
def test_nothing_goes_back_without_the_right_number(operator: Desk, stack: Stack, typed: str) -> None:
    give_up(stack)
    seen = operator.post("/console/operations/dead-letters/email", {"number": typed})
    assert seen.status == 422
    assert 'id="number-wrong"' in seen.text
    assert waiting() == 1


def test_messages_go_back_on_their_queue_when_the_number_is_typed(operator: Desk, stack: Stack) -> None:
    give_up(stack, number=12)
    path = "/console/operations/dead-letters/email"
    seen = operator.post(path, {"number": "12"})
    assert (seen.status, waiting(), len(stack.received("EMAIL_QUEUE_URL"))) == (303, 0, 12)
    assert "12 messages are back on their queue." in operator.get(operator.go(path, seen)).text


def test_what_there_is_no_time_for_is_left_for_the_next_form(
    operator: Desk, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up(stack, number=2)
    path = "/console/operations/dead-letters/email"
    monkeypatch.setattr(letters, "REDRIVING", timedelta())
    page = operator.get(operator.go(path, operator.post(path, {"number": "2"}))).text
    assert "0 messages are back" in page
    assert "There are more" in page
    assert waiting() == 2


def test_what_an_operator_did_is_written_down_by_ids_alone(
    operator: Desk, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = StringIO()
    log = Logger(service="serve_operations", level="INFO", stream=written, logger_handler=None)
    monkeypatch.setattr(entries, "logger", lambda: log)
    give_up(stack)
    operator.post("/console/operations/dead-letters/email", {"number": "1"})
    operator.post(f"/console/operations/businesses/{BUSINESS_ID}/senders", {"sender": "desk@salon.example.com"})
    said = [json.loads(line) for line in written.getvalue().splitlines()]
    [member] = use_cases().staff_service.list(None)
    assert [(each["did"], each["ids"], each["member_id"]) for each in said] == [
        ("dead_letters.put_back", ["email"], member.member_id),
        ("business.sender_granted", [BUSINESS_ID], member.member_id),
    ]
    assert "@" not in written.getvalue()


# --- businesses -------------------------------------------------------------------------------------------------------


def test_a_business_is_made_and_found_and_what_it_is_called_stands_in_no_address(operator: Desk) -> None:
    given = {"name": "<i>Elm</i>", "country": "us", "time_zone": "America/New_York", "bundles": "premium"}
    given |= {"email_from": "elm@salon.example.com", "owner_email": "", "text_provider": "", "text_from": ""}
    seen = operator.post("/console/operations/businesses/new", given)
    path = operator.go("/console/operations/businesses/new", seen)
    made = house.ports().businesses.get(path.rpartition("/")[2].partition("?")[0])
    assert (made.name, made.country, sorted(made.bundles), made.email_from) == (
        "<i>Elm</i>",
        "US",
        ["premium"],
        "elm@salon.example.com",
    )
    page = operator.get(path).text
    assert "&lt;i&gt;Elm" in page
    assert "<i>Elm" not in page
    found = operator.post("/console/operations/businesses", {"q": "elm"}).text
    assert made.business_id in found
    assert business().name not in found


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("country", "Rome"),
        ("time_zone", "Mars"),
        ("owner_email", "nobody"),
        ("email_from", "elm@elsewhere.example.org"),
        ("text_from", "!"),
        ("text_provider", "pigeon"),
        ("bundles", "gold"),
    ],
)
def test_a_business_that_cannot_be_is_not_made_and_nothing_typed_is_lost(
    operator: Desk, field: str, typed: str
) -> None:
    given = {"name": "Elm", "country": "US", "time_zone": "America/New_York", field: typed}
    seen = operator.post("/console/operations/businesses/new", given)
    assert seen.status == 422
    assert 'class="wrong"' in seen.text
    assert 'value="America/New_York"' in seen.text or field == "time_zone"
    assert [each.business_id for each in house.ports().businesses.page(10, None).items] == [BUSINESS_ID]


def test_what_a_business_has_booked_its_plan_and_its_senders_are_set(operator: Desk) -> None:
    path = f"/console/operations/businesses/{BUSINESS_ID}"
    assert (
        operator.post(
            f"{path}/booked",
            {"bundles": "premium", "was_bundles": "marketing premium", "text_rate": "2.5", "was_text_rate": ""},
        ).status
        == 303
    )
    assert (
        operator.post(f"{path}/text-plan", {"included": "500", "tier": "Studio", "inbound_texts": "on"}).status == 303
    )
    assert operator.post(f"{path}/senders", {"sender": "desk@salon.example.com"}).status == 303
    now = business()
    assert (now.bundles, now.text_rate, now.text_plan.included, now.text_plan.tier, now.text_plan.inbound_texts) == (
        {"premium"},
        2.5,
        500,
        "Studio",
        True,
    )
    assert "desk@salon.example.com" in now.senders.email
    # What the page did not change stays as somebody else has set it meanwhile.
    assert (
        operator.post(f"{path}/booked", {"text_rate": "2.5", "was_text_rate": "2.5", "was_bundles": "premium"}).status
        == 303
    )
    assert operator.post(f"{path}/senders/remove", {"sender": "desk@salon.example.com"}).status == 303
    assert operator.post(f"{path}/text-plan", {"off": "1"}).status == 303
    now = business()
    assert (now.bundles, now.text_rate, now.text_plan, "desk@salon.example.com" in now.senders.email) == (
        frozenset(),
        2.5,
        None,
        False,
    )


@pytest.mark.parametrize(
    ("form", "given", "beside"),
    [
        ("booked", {"text_rate": "quick"}, "text_rate"),
        ("booked", {"text_rate": "0"}, "text_rate"),
        ("booked", {"text_rate": "nan"}, "text_rate"),
        ("text-plan", {"included": ""}, "included"),
        ("text-plan", {"included": "9" * 12}, "included"),
        ("text-plan", {"included": "5", "upgrade_url": "javascript:alert(1)"}, "upgrade_url"),
        ("senders", {"sender": "elm@elsewhere.example.org"}, "sender"),
        ("senders/remove", {"sender": "elm@elsewhere.example.org"}, "sender"),
        ("lift-hold", {"reason": ""}, None),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_changes_nothing(
    operator: Desk, form: str, given: dict[str, str], beside: str | None
) -> None:
    before = business()
    seen = operator.post(f"/console/operations/businesses/{BUSINESS_ID}/{form}", given)
    assert seen.status == 422
    assert beside is None or f'id="{beside}-wrong"' in seen.text
    assert business() == before


def test_a_hold_is_lifted_with_its_reason(operator: Desk) -> None:
    held = replace(business(), hold=AccountHold(NOON, bulk=9000, single=10, contact="desk"))
    house.ports().businesses.replace(held)
    path = f"/console/operations/businesses/{BUSINESS_ID}"
    assert "9,000 recipients were of bulk" in operator.get(path).text
    assert operator.post(f"{path}/lift-hold", {"reason": "Spoke to <them>"}).status == 303
    assert (business().hold, business().lifted_holds[0].reason) == (None, "Spoke to <them>")
    assert "Spoke to &lt;them&gt;" in operator.get(path).text


# --- senders and plans ------------------------------------------------------------------------------------------------


def test_senders_say_what_ses_lets_the_account_send_from(operator: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    identities = MemoryEmailIdentities(**{"salon.example.com": True})
    identities.allowed = EmailAccount(may_send=False, in_sandbox=True, sent=150, limit=200, a_second=1.0)
    house.stand_in(monkeypatch, email_identities=identities)
    for sender in ("desk@salon.example.com", "desk@example.com", "+14155550177"):
        house.use_cases().sender_grants.add(BUSINESS_ID, sender)
    page = operator.get("/console/operations/senders").text
    row = page.partition("desk@salon.example.com")[2].partition("</tr>")[0]
    good, _, bad = row.partition("desk@example.com")
    assert "SES does not let" not in good
    assert "SES does not let" in bad
    assert "Phone number" in row
    assert "150 of 200 emails" in page
    assert "paused the account" in page
    assert "sandbox" in page


def test_holds_and_prices_are_set_and_taken_away(operator: Desk) -> None:
    holds, prices = house.use_cases().account_holds, house.use_cases().text_price_table
    path = "/console/operations/plans"
    assert operator.post(f"{path}/holds", {"share": "0.9", "volume": "1000", "contact": "desk"}).status == 303
    policy = holds.policy()
    assert policy is not None
    assert (policy.share, policy.volume, policy.contact) == (0.9, 1000, "desk")
    given = {"country": "us", "provider": "twilio", "price": "0.0083", "currency": "USD"}
    assert operator.post(f"{path}/prices", given).status == 303
    assert "0.0083 USD" in operator.get(path).text
    assert operator.post(f"{path}/prices/remove", {"country": "US", "provider": "twilio"}).status == 303
    assert operator.post(f"{path}/holds", {"off": "1"}).status == 303
    assert (holds.policy(), list(prices.page(10, None).items)) == (None, [])


@pytest.mark.parametrize(
    ("form", "wrong", "beside"),
    [
        ("holds", {"share": "0.1"}, "share"),
        ("holds", {"share": "1e999"}, "share"),
        ("holds", {"volume": "few"}, "volume"),
        ("holds", {"contact": ""}, "contact"),
        ("prices", {"country": "Rome"}, "country"),
        ("prices", {"price": "-1"}, "price"),
        ("prices", {"currency": "XXXX"}, "currency"),
    ],
)
def test_a_plan_that_cannot_be_is_said_beside_its_field(
    operator: Desk, form: str, wrong: dict[str, str], beside: str
) -> None:
    right = {"share": "0.9", "volume": "1000", "contact": "desk"}
    right |= {"country": "us", "provider": "twilio", "price": "0.0083", "currency": "USD"}
    seen = operator.post(f"/console/operations/plans/{form}", {**right, **wrong})
    assert (seen.status, f'id="{beside}-wrong"' in seen.text) == (422, True)
    assert house.use_cases().account_holds.policy() is None
    assert list(house.use_cases().text_price_table.page(10, None).items) == []


# --- in a browser -----------------------------------------------------------------------------------------------------


def sign_in(page: Page, console: str) -> None:
    behind = use_cases()
    behind.invite(None, OPERATOR, Role.OPERATOR, console_url=console)
    page.goto(f"{console}/sign-in/{behind.make_link(OPERATOR, None)}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/operations")


def test_every_page_is_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    give_up(stack)
    house.use_cases().sender_grants.add(BUSINESS_ID, "desk@example.com")
    house.use_cases().text_price_table.set(country="US", provider="twilio", price="0.0083", currency="USD")
    sign_in(at_width, console)
    for address in LOOKED_AT:
        at_width.goto(f"{console}/{address.replace('*', 'email' if 'dead-letters' in address else BUSINESS_ID)}")
        check(at_width, f"{address.replace('/', '-').replace('*', 'one')}-{width}")


def test_dead_letters_go_back_also_without_scripts(console: str, stack: Stack, without_scripts: Page) -> None:
    give_up(stack, number=2)
    sign_in(without_scripts, console)
    without_scripts.get_by_role("link", name="Dead letters").click()
    without_scripts.get_by_role("link", name="email", exact=True).click()
    without_scripts.get_by_label("How many").fill("2")
    without_scripts.get_by_role("button", name="Put them back").click()
    expect(without_scripts.get_by_role("status")).to_have_text("2 messages are back on their queue.")
    assert waiting() == 0


def test_a_business_is_found_as_one_types(console: str, stack: Stack, page: Page) -> None:
    house.ports().businesses.add(replace(business(), business_id="cedar", name="Cedar"))
    sign_in(page, console)
    page.get_by_role("link", name="Businesses").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Part of a name").type("ced")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "ced" not in page.url
    page.get_by_role("link", name="Cedar").click()
    page.get_by_label("Texts a second").fill("3")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    assert house.ports().businesses.get("cedar").text_rate == 3.0


def test_two_operators_at_once_do_not_undo_what_the_other_has_booked(operator: Desk) -> None:
    path = f"/console/operations/businesses/{BUSINESS_ID}"
    for number, bundle in enumerate(("premium", "marketing")):
        if bundle not in business().bundles:
            assert operator.post(f"{path}/booked", {"bundles": bundle}).status == 303, number
    shown = re.search(r'name="was_bundles" value="([^"]*)"', operator.get(path).text)
    assert shown is not None
    assert shown[1].split() == ["marketing", "premium"]
    page = [("csrf", operator.csrf), ("was_bundles", shown[1])]
    # Each clears one of the two, from a page that shows both.
    for kept in ("premium", "marketing"):
        assert operator.send(f"{path}/booked", urlencode([*page, ("bundles", kept)])).status == 303
    assert business().bundles == frozenset()
    both = [("bundles", "premium"), ("bundles", "marketing"), ("text_rate", "3"), ("was_text_rate", "")]
    assert operator.send(f"{path}/booked", urlencode([*page, *both])).status == 303
    assert (business().bundles, business().text_rate) == (frozenset(), 3)
