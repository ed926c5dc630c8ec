"""The pages about the business itself: texts to read, appointments, the text plan, staff, keys."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from rebound.businesses.domain.text_plan import TextPlan
from rebound.console.wiring import use_cases
from rebound.staff.domain import Role
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, check, sign_in
from tests.integration.console.site import event_of
from tests.integration.inbound.test_received_texts import NUMBER, opted_out, text

PAGES: Final = ("replies", "appointments", "appointments?id=a-1", "text-plan", "staff", "keys", "settings")
HOST: Final = "console.example.com"


@dataclass
class Person:
    """Somebody who is signed in, without a browser."""

    stack: Stack
    cookie: str
    csrf: str

    def get(self, path: str) -> tuple[int, str]:
        answer = self._invoke("GET", path, None)
        return answer["statusCode"], answer["body"]

    def post(self, path: str, **fields: Any) -> tuple[int, str]:
        """The status, and the page or where it leads to."""
        answer = self._invoke("POST", path, urlencode({"csrf": self.csrf, **fields}, doseq=True))
        return answer["statusCode"], answer["headers"].get("Location", answer["body"])

    def _invoke(self, method: str, path: str, body: str | None) -> Any:
        headers = {
            "Host": HOST,
            "Origin": f"https://{HOST}",
            "Cookie": f"rebound_session={self.cookie}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.stack.invoke("serve_console", event_of(method, f"/console/{path}", headers, body))


def person(stack: Stack, role: Role = Role.OWNER, email: str = OWNER) -> Person:
    behind = use_cases()
    behind.invite(BUSINESS_ID, email, role, console_url=f"https://{HOST}/console")
    session = behind.sign_in.with_link(behind.make_link(email, BUSINESS_ID))
    assert session is not None
    signed_in = behind.sessions.find(session.token)
    assert signed_in is not None
    return Person(stack, session.token, signed_in.csrf)


@pytest.fixture
def owner(stack: Stack) -> Person:
    return person(stack)


@pytest.fixture
def ana(stack: Stack) -> str:
    """A customer who has written what somebody must read."""
    given = {"first_name": "<b>Ana</b>", "last_name": "Silva", "mobile_phone": NUMBER}
    customer_id: str = stack.api("POST", "/v1/customers", given).body["customer_id"]
    stack.invoke("receive_text", text(Body="please stop texting me, <i>thanks</i>"))
    return customer_id


def test_every_page_is_for_everybody(console: str, stack: Stack, ana: str, at_width: Page, width: str) -> None:
    sent = {"channel": "email", "category": "reminder", "content": {"subject": "Soon", "text": "See you"}}
    stack.api("PATCH", f"/v1/customers/{ana}", {"email": "ana@example.com"})
    posted = stack.api("POST", "/v1/messages", {**sent, "customer_id": ana, "appointment_id": "a-1"})
    assert posted.status == 202, posted.body
    house.use_cases().set_text_plan(BUSINESS_ID, TextPlan(100, upgrade_url="https://example.com/plans"))
    use_cases().tenant_service.create_key(BUSINESS_ID, label="Till")
    sign_in(at_width, console)
    for name in PAGES:
        at_width.goto(f"{console}/{name}")
        check(at_width, f"{name.partition('?')[0]}-{width}")


@pytest.mark.parametrize("path", ["settings", "staff", "staff/remove", "keys", "keys/x/revoke", "replies/x"])
def test_a_viewer_changes_nothing(stack: Stack, path: str) -> None:
    assert person(stack, Role.VIEWER, "viewer@example.com").post(path)[0] == 403


@pytest.mark.parametrize(("button", "scopes"), [("Wants no more texts", ["all"]), ("Done, keep texting", [])])
def test_a_text_that_waits_is_settled_also_without_scripts(
    console: str, stack: Stack, ana: str, without_scripts: Page, button: str, scopes: list[str]
) -> None:
    sign_in(without_scripts, console)
    without_scripts.goto(f"{console}/replies")
    card = without_scripts.locator("section.card")
    assert card.get_by_role("link", name="<b>Ana</b> Silva").get_attribute("href") == f"./customers/{ana}"
    assert "<i>thanks</i>" in card.inner_text()
    card.get_by_role("button", name=button).click()
    expect(without_scripts.get_by_role("status")).to_be_visible()
    assert opted_out(stack, ana) == scopes
    [reply] = stack.api("GET", "/v1/replies").body["items"]
    assert reply["resolved_by"] == OWNER


def test_a_text_is_not_settled_twice_otherwise(owner: Person, ana: str) -> None:
    assert owner.post("replies/SM1", decision="perhaps")[0] == 422
    assert owner.post("replies/SM1", decision="keep")[0] == 303
    status, page = owner.post("replies/SM1", decision="opt_out")
    assert (status, "resolved as keep" in page) == (409, True)


def test_a_colleague_is_invited_changed_and_removed_and_the_last_owner_stays(owner: Person) -> None:
    assert owner.post("staff", email="Bo@example.com", role="viewer")[0] in (200, 303)
    assert (
        owner.post("staff/change", email="bo@example.com", role="staff", was_role="viewer", location_id="north")[0]
        == 303
    )
    members = use_cases().staff_service.list(BUSINESS_ID)
    assert [(each.email, each.role, each.location_id, each.invited_by) for each in members] == [
        ("bo@example.com", Role.STAFF, "north", OWNER),
        (OWNER, Role.OWNER, None, None),
    ]
    status, said = owner.post("staff/remove", email=OWNER)
    assert (status, "no other owner" in said) == (409, True)
    assert owner.post("staff/remove", email="bo@example.com")[0] == 303
    assert [each.email for each in use_cases().staff_service.list(BUSINESS_ID)] == [OWNER]


def test_what_is_wrong_with_an_invitation_stands_beside_its_field_and_nothing_is_lost(owner: Person) -> None:
    status, page = owner.post("staff", email="bo at home", role="viewer", location_id='"><b>north')
    assert status == 422
    assert 'id="email-wrong"' in page
    assert 'value="bo at home"' in page
    assert "<b>north" not in page


def test_a_key_works_at_once_is_shown_once_and_ends(owner: Person, stack: Stack) -> None:
    status, page = owner.post("keys", label="<i>Till</i>", scope=["customers:read", "messages:read"])
    assert (status, "<i>Till" in page) == (200, False)
    [key] = [key for key in use_cases().tenant_service.list_keys(BUSINESS_ID) if key.label == "<i>Till</i>"]
    token = page.partition(f'value="rb.{BUSINESS_ID}.{key.key_id}.')[2].partition('"')[0]
    assert token
    assert token not in owner.get("keys")[1]
    assert [str(scope) for scope in key.scopes] == ["customers:read", "messages:read"]
    assert owner.post(f"keys/{key.key_id}/rotate")[0] == 200
    assert owner.post(f"keys/{key.key_id}/revoke")[0] == 303
    assert owner.post(f"keys/{key.key_id}/rotate")[0] == 409
    assert owner.post("keys/nothing/revoke")[0] == 404


def test_a_key_that_may_do_nothing_is_none(owner: Person) -> None:
    before = len(use_cases().tenant_service.list_keys(BUSINESS_ID))
    status, page = owner.post("keys", label="Till", scope=["operator:read"])
    assert (status, 'id="scope-wrong"' in page, 'value="Till"' in page) == (422, True, True)
    assert len(use_cases().tenant_service.list_keys(BUSINESS_ID)) == before


def test_a_setting_is_written_and_the_others_stay_also_without_scripts(
    console: str, stack: Stack, without_scripts: Page
) -> None:
    stack.api("PATCH", "/v1/business", {"voucher_reward_percent": 12, "switches": {"text_confirmations": False}})
    sign_in(without_scripts, console)
    without_scripts.goto(f"{console}/settings")
    without_scripts.get_by_label("Reward for vouchers, percent").fill("15")
    without_scripts.get_by_label("Ask before marketing by email").check()
    without_scripts.get_by_label("Texts wait from").fill("20:30")
    without_scripts.get_by_label("Texts wait until").fill("08:00")
    without_scripts.get_by_label("Marketing", exact=True).first.check()
    without_scripts.get_by_text("Another cap").click()
    without_scripts.get_by_label("Name", exact=True).last.fill("Deals")
    without_scripts.get_by_label("At most").fill("2")
    without_scripts.get_by_label("Within days").fill("7")
    without_scripts.get_by_label("Daily deals").last.check()
    before = stack.api("GET", "/v1/business").body
    # Somebody else is at work at the same time.
    stack.api("PATCH", "/v1/business", {"reply_to": "desk@example.com"})
    without_scripts.get_by_role("button", name="Save").click()
    assert without_scripts.get_by_role("status").inner_text() == "Saved."
    cap = {"name": "Deals", "categories": ["daily_deal"], "channel": None, "at_most": 2, "within_days": 7}
    window = {"from": "20:30", "until": "08:00", "categories": ["marketing"]}
    quiet = {**before["quiet_hours"], "sms": window}
    assert stack.api("GET", "/v1/business").body == {
        **before,
        "voucher_reward_percent": 15,
        "double_opt_in": {"email": True, "sms": False},
        "quiet_hours": quiet,
        "frequency_caps": [{**cap, "per_segment": False}],
        "reply_to": "desk@example.com",
    }


@pytest.mark.parametrize(
    ("field", "typed", "beside"),
    [
        ("country", "Rome", "country"),
        ("time_zone", "", "time_zone"),
        ("text_rate", "quick", "text_rate"),
        ("text_answers.confirmation_words", "stop", "text_answers.keywords"),
        ("quiet_hours.email.from", "20:00", "quiet_hours.email.until"),
        ("policy.invalid", "0", "policy.invalid"),
        ("frequency_caps.0.at_most", "99", "frequency_caps"),
        ("test_recipients", "nobody", "test_recipients"),
    ],
)
def test_a_setting_that_cannot_be_is_said_beside_its_field(
    owner: Person, stack: Stack, field: str, typed: str, beside: str
) -> None:
    shown = dict(re.findall(r'name="was_([^"]+)" value="([^"]*)"', owner.get("settings")[1]))
    given = {f"was_{name}": value for name, value in shown.items()} | {k: v for k, v in shown.items() if v}
    given |= {"quiet_hours.sms.categories": shown["quiet_hours.sms.categories"].split(", "), field: typed}
    if field.startswith("frequency_caps"):
        given |= {"frequency_caps.0.name": "Many", "frequency_caps.0.within_days": "7"}
    if field.startswith("policy"):
        given |= {"policy.preset": "custom"}
    before = stack.api("GET", "/v1/business").body
    status, page = owner.post("settings", **given)
    assert (status, re.findall(r'class="wrong" id="([^"]+)-wrong"', page)[0]) == (422, beside)
    assert stack.api("GET", "/v1/business").body == before


def test_caps_that_somebody_else_changed_meanwhile_are_not_written_over_unseen(owner: Person, stack: Stack) -> None:
    def caps(*names: str) -> list[dict[str, object]]:
        return [{"name": each, "at_most": 2, "within_days": 7, "categories": ["marketing"]} for each in names]

    def form_of(page: str) -> dict[str, str]:
        rows = re.findall(r'name="(was_frequency_caps[^"]+)" value="([^"]*)"', page)
        return dict(rows) | {name.removeprefix("was_"): value for name, value in rows if value}

    def names() -> list[str]:
        return [each["name"] for each in stack.api("GET", "/v1/business").body["frequency_caps"]]

    stack.api("PATCH", "/v1/business", {"frequency_caps": caps("Mine", "Other")})
    form = form_of(owner.get("settings")[1]) | {"frequency_caps.1.name": "Renamed"}
    stack.api("PATCH", "/v1/business", {"frequency_caps": caps("<b>Theirs</b>")})
    status, page = owner.post("settings", **form, name="Elm", was_name="x")
    assert (status, "&lt;b&gt;Theirs" in page, 'value="Renamed"' in page) == (409, True, True)
    assert names() == ["<b>Theirs</b>"]
    assert stack.api("GET", "/v1/business").body["name"] != "Elm"
    # What is not about caps is written.
    assert owner.post("settings", **{**form, "frequency_caps.1.name": "Other"}, name="Elm", was_name="x")[0] == 303
    assert (names(), stack.api("GET", "/v1/business").body["name"]) == (["<b>Theirs</b>"], "Elm")
    # Whoever was told and saves again means it.
    told = dict(re.findall(r'name="(was_frequency_caps[^"]+)" value="([^"]*)"', page))
    meant = {**form, **{name: unescape(value) for name, value in told.items()}}
    assert owner.post("settings", **meant)[0] == 303
    assert names() == ["Mine", "Renamed"]


def test_who_is_to_get_tests_is_asked_and_a_policy_is_taken_on(owner: Person, stack: Stack) -> None:
    policy = {"policy.preset": "strict", "was_policy.preset": "standard"}
    assert owner.post("settings", test_recipients="kim@example.com", **policy)[0] == 303
    business = stack.api("GET", "/v1/business").body
    assert (business["test_recipients"], business["confirmed_test_recipients"]) == (["kim@example.com"], [])
    assert business["policy"]["preset"] == "strict"
    assert len(stack.received("PROMPT_EMAIL_QUEUE_URL")) == 1
