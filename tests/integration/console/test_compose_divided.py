"""Dividing a campaign's people in the composer: variants, a group that gets nothing, the goal, and the best variant."""

import re
from datetime import timedelta
from html import unescape
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.kernel.times import write_time
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk, Seen
from tests.integration.console.test_compose import EMAIL, FIRST, MOST_REQUESTS, made
from tests.integration.console.test_customers import counted

ATTACK: Final = '"><script>'
VARIANTS: Final = [
    {"name": "Short", "share": 33.4, "content": {"subject": "Short", "text": "Come."}},
    {"name": ATTACK, "share": 66.6, "content": {"subject": "Long", "text": "Do come.", "html": "<p>Do come.</p>"}},
]
DIVIDED: Final = {
    "variants": VARIANTS,
    "holdout": 12.5,
    "goal": {"kind": "redemption", "within_days": 21},
    "winner": {"test_share": 33.25, "after_hours": 36, "by": "goal", "least": 7},
    "voucher": {"kind": "percent", "value": "10", "valid_days": 30},
}
DRAFT: Final = {"name": "Spring", "status": "draft", "category": "marketing", "filter": {"all": []}}


@pytest.fixture(autouse=True)
def people(stack: Stack) -> None:
    for number in range(12):
        email = f"no{number}@example.com"
        row = {
            "first_name": f"No{number}",
            "last_name": "Osei",
            "email": email,
            "mobile_phone": f"+1415555{1000 + number}",
        }
        assert stack.api("POST", "/v1/customers", {**row, "general_tags": ["spring"]}).status in (200, 201)
    stack.api("PUT", "/v1/segments/spring", {"name": "Spring people", "filter": {"tag": "spring"}})


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack).sign_in()


def posted(stack: Stack, **given: Any) -> str:
    answer = stack.api("POST", "/v1/campaigns", {**DRAFT, "channel": "email", **given})
    assert answer.status in (200, 201, 202), answer.body
    return str(answer.body["campaign_id"])


def fields_of(seen: Seen) -> dict[str, str]:
    """What the form of the page would send, as a browser reads it."""
    form = re.search(r'<form method="post"[^>]*class="says">(.*?)</form>', seen.text, re.DOTALL)
    assert form is not None
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[1]):
        given = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if given.get("type") in ("checkbox", "radio") and not re.search(r"\schecked", tag):
            continue
        found[given["name"]] = unescape(given.get("value", ""))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form[1], re.DOTALL):
        found[name] = unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form[1], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        assert chosen is not None
        found[name] = unescape(chosen[1])
    return found


def kept(campaign_id: str) -> Any:
    return house.ports().campaigns.get(BUSINESS_ID, campaign_id)


TEXTS: Final = [
    {"name": "A", "share": 50, "content": {"body": "Come."}, "email_content": {"subject": "Come", "text": "Come."}},
    {"name": "B", "share": 50, "content": {"body": "Do come."}, "email_content": {"subject": "Do", "text": "Do come."}},
]


@pytest.mark.parametrize(
    "given",
    [
        DIVIDED,
        {"variants": VARIANTS},
        {"content": VARIANTS[0]["content"], "holdout": 0.01, "goal": {"kind": "visit", "within_days": 90}},
        {"channel": "sms", "variants": TEXTS, "goal": {"kind": "reply", "within_days": 1}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_form_that_is_saved_as_it_came_changes_nothing(
    stack: Stack, desk: Desk, given: dict[str, Any], language: str
) -> None:
    campaign_id = posted(stack, **given)
    before = kept(campaign_id)
    seen = desk.get(f"/console/campaigns/{campaign_id}/what", accept_language=language)
    saved = desk.post(
        f"/console/campaigns/{campaign_id}/what", {**fields_of(seen), "do": "save"}, accept_language=language
    )
    assert saved.status == 303, saved.text
    after = kept(campaign_id)
    assert (after.split, after.goal, after.content) == (before.split, before.goal, before.content)


def test_variants_are_made_from_what_is_written(stack: Stack, desk: Desk) -> None:
    campaign_id = made(desk)
    path = f"/console/campaigns/{campaign_id}/what"
    two = desk.post(path, {**fields_of(desk.get(path)), "do": "add"})
    fields = fields_of(two)
    assert (fields["variants"], fields["v0.name"], fields["v1.name"]) == ("2", "A", "B")
    assert (fields["v0.share"], fields["v1.share"]) == ("50", "50")
    assert fields["v0.subject"] == fields["v1.subject"] == EMAIL["subject"]
    three = fields_of(desk.post(path, {**fields, "v1.subject": "Other", "do": "add"}))
    assert [three[f"v{index}.share"] for index in range(3)] == ["33.34", "33.33", "33.33"]
    less = fields_of(desk.post(path, {**three, "do": "remove:0"}))
    assert (less["variants"], less["v0.name"], less["v0.subject"], less["v1.name"]) == ("2", "B", "Other", "C")
    assert kept(campaign_id).split is None
    wanted = {"has_holdout": "1", "goal.kind": "visit", "has_winner": "1", "winner.by": "goal", "do": "on"}
    assert desk.post(path, {**less, **wanted}).status == 303

    said = stack.api("GET", f"/v1/campaigns/{campaign_id}").body
    assert [(each["name"], each["share"], each["content"]["subject"]) for each in said["variants"]] == [
        ("B", 50, "Other"),
        ("C", 50, EMAIL["subject"]),
    ]
    assert (said["holdout"], said["goal"]) == (10, {"kind": "visit", "within_days": 14})
    winner = {name: said["winner"][name] for name in ("test_share", "after_hours", "by", "least")}
    assert winner == {"test_share": 20, "after_hours": 24, "by": "goal", "least": 100}

    one = fields_of(desk.post(path, {**fields_of(desk.get(path)), "do": "remove:1"}))
    assert (one["variants"], one["subject"]) == ("0", "Other")
    assert desk.post(path, {**one, "has_holdout": "", "goal.kind": "", "do": "on"}).status == 303
    alone = kept(campaign_id)
    assert (alone.split, alone.goal, alone.content.subject) == (None, None, "Other")


FIVE: Final = [{**VARIANTS[0], "name": str(number), "share": 20} for number in range(5)]


def test_there_are_at_most_five(stack: Stack, desk: Desk) -> None:
    path = f"/console/campaigns/{posted(stack, variants=FIVE)}/what"
    seen = desk.get(path)
    assert 'value="add"' not in seen.text
    assert fields_of(desk.post(path, {**fields_of(seen), "do": "add"}))["variants"] == "5"


def test_what_a_text_says_by_email_stays_with_its_variant(stack: Stack, desk: Desk) -> None:
    campaign_id = posted(stack, channel="sms", variants=TEXTS)
    path = f"/console/campaigns/{campaign_id}/what"
    one = fields_of(desk.post(path, {**fields_of(desk.get(path)), "do": "remove:0"}))
    assert desk.post(path, {**one, "do": "on"}).status == 303
    assert kept(campaign_id).content.email_content.text == "Do come."


def test_a_text_is_measured_for_each_variant(stack: Stack, desk: Desk) -> None:
    path = f"/console/campaigns/{posted(stack, channel='sms', variants=TEXTS)}/what"
    seen = desk.post(path, {**fields_of(desk.get(path)), "do": "measure:1", "v1.body": "ł"})
    assert 'class="counted"' in seen.text.partition('id="measured-1"')[2]
    assert 'class="counted"' not in seen.text.partition('id="measured-1"')[0]


@pytest.mark.parametrize("typed", ["0.5", "99.999", "x"])
def test_of_a_share_to_try_on_that_is_wrong_it_is_said_what_is_right(stack: Stack, desk: Desk, typed: str) -> None:
    path = f"/console/campaigns/{posted(stack, **DIVIDED)}/what"
    given = {"has_winner": "1", "winner.test_share": typed, "do": "on"}
    seen = desk.post(path, {**fields_of(desk.get(path)), **given})

    assert "Must be from 1 to 99, with at most two decimals." in seen.text


@pytest.mark.parametrize(
    ("changed", "beside"),
    [
        ({"v0.name": " "}, "v0.name"),
        ({"v1.name": "Short"}, "v1.name"),
        ({"v0.share": "0"}, "v0.share"),
        ({"v0.share": "33.333"}, "v0.share"),
        ({"v0.share": "100"}, "v0.share"),
        ({"v0.share": "20"}, "variants"),
        ({"v1.subject": "", "v1.text": "", "v1.html": ""}, "v1.subject"),
        ({"v1.text": "Hello ##{{nick}}"}, "v1.text"),
        ({"v1.say": "template"}, "v1.template_id"),
        ({"v1.say": "template", "v1.template_id": "nowhere"}, "v1.template_id"),
        ({"has_holdout": "1", "holdout": "51"}, "holdout"),
        ({"has_holdout": "1", "holdout": "x"}, "holdout"),
        ({"goal.kind": "visit", "goal.within_days": "91"}, "goal.within_days"),
        ({"voucher.kind": ""}, "goal.kind"),
        ({"has_winner": "1", "winner.test_share": "100"}, "winner.test_share"),
        ({"has_winner": "1", "winner.after_hours": "0"}, "winner.after_hours"),
        ({"has_winner": "1", "winner.least": "9" * 99}, "winner.least"),
        ({"has_winner": "1", "winner.by": "goal", "goal.kind": ""}, "winner.by"),
        ({"has_winner": "1", "v0.name": "rest"}, "v0.name"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(stack: Stack, desk: Desk, changed: dict[str, str], beside: str) -> None:
    campaign_id = posted(stack, **DIVIDED)
    before, path = kept(campaign_id), f"/console/campaigns/{campaign_id}/what"
    seen = desk.post(path, {**fields_of(desk.get(path)), **changed, "do": "on"})
    assert (seen.status, f'id="{beside}-wrong"' in seen.text) == (422, True)
    assert kept(campaign_id) == before
    assert fields_of(seen)["v1.subject"] == changed.get("v1.subject", "Long")


def test_what_somebody_else_changed_is_told_of_each_variant(stack: Stack, desk: Desk) -> None:
    said = {"name": "T", "channel": "email", "category": "marketing", "content": VARIANTS[0]["content"]}
    assert stack.api("PUT", "/v1/templates/t", said).status == 200
    variants = [VARIANTS[0], {"name": "Made", "share": 66.6, "template_id": "t"}]
    path = f"/console/campaigns/{posted(stack, variants=variants)}/what"
    mine = {**fields_of(desk.get(path)), "do": "on", "v0.text": "Mine."}
    assert desk.post(path, {**mine, "v0.text": "Theirs."}).status == 303
    seen = desk.post(path, mine)
    assert (seen.status, fields_of(seen)["v0.text"]) == (409, "Mine.")
    assert "Theirs." in seen.text.partition('role="alert"')[2].partition("</div>")[0]


def test_who_gets_nothing_of_an_announced_campaign_stands(stack: Stack, desk: Desk) -> None:
    at = write_time(house.ports().clock.now() + timedelta(days=2))
    campaign_id = posted(stack, variants=VARIANTS, holdout=10, status=None, send_at=at)
    path = f"/console/campaigns/{campaign_id}/what"
    fields = fields_of(desk.get(path))
    assert desk.post(path, {**fields, "has_holdout": "", "do": "on"}).status == 409
    assert desk.post(path, {**fields, "v0.subject": "Now", "do": "on"}).status == 303
    split = kept(campaign_id).split
    assert (split.holdout, split.variants[0].content.subject) == (1_000, "Now")


def test_the_check_says_who_gets_which_and_shows_each(stack: Stack, desk: Desk) -> None:
    winner = {"test_share": 50, "after_hours": 24, "by": "delivered", "least": 5}
    ids = [each["customer_id"] for each in stack.api("GET", "/v1/customers").body["items"]]
    # Who gets what follows from the campaign's id, so that one in a few has somebody everywhere.
    for _ in range(50):
        goal = {"kind": "visit", "within_days": 14}
        campaign_id = posted(stack, variants=VARIANTS, holdout=30, winner=winner, goal=goal)
        split = kept(campaign_id).split
        held = [each for each in ids if split.holds_out(each)]
        counts = split.counts([each for each in ids if each not in held])
        if min(len(held), *counts.values()) > 0:
            break
    path = f"/console/campaigns/{campaign_id}"

    seen = desk.get(f"{path}/check").text
    table = seen.partition('id="reach"')[2].partition("</table>")[0]
    rows = re.findall(r'<tr><td>(.*?)</td><td class="number">(\d+)</td></tr>', table)
    assert [int(n) for _, n in rows] == list(counts.values())
    assert [name for name, _ in rows] == ["Variant Short", "Variant &#34;&gt;&lt;script&gt;", "The others"]
    assert re.search(rf"Held out to compare</a></td><td class=\"number\">{len(held)}<", seen)
    for said in ("A visit within 14 days.", "30 in a hundred", "Short: 33.4 in a hundred", "They are tried on 50 %"):
        assert said in seen
    for index, said in enumerate(("Short", "Long")):
        assert f"<strong>{said}</strong>" in desk.get(f"{path}/check?variant={index}").text
        assert ("Do come" in desk.get(f"{path}/frame?variant={index}").text) is (said == "Long")
    assert desk.get(f"{path}/check?variant=9").status == 200


@pytest.mark.parametrize("step", ["what", "check", "frame"])
def test_a_step_of_variants_made_from_templates_needs_few_requests(stack: Stack, desk: Desk, step: str) -> None:
    for number in range(5):
        said = {"name": f"T{number}", "channel": "email", "category": "marketing", "content": VARIANTS[0]["content"]}
        assert stack.api("PUT", f"/v1/templates/t{number}", said).status == 200
    variants = [{"name": f"V{number}", "share": 20, "template_id": f"t{number}"} for number in range(5)]
    path = f"/console/campaigns/{posted(stack, variants=variants)}/{step}"
    desk.get(path)
    with counted() as names:
        assert desk.get(path).status == 200
    assert len(names) <= MOST_REQUESTS, names


def test_two_variants_are_tried_without_scripts(console: str, stack: Stack, without_scripts: Page) -> None:
    page = without_scripts
    campaign_id = made(Desk(stack).sign_in("other@salon.example.com"), {**FIRST, "segment_id": "*everybody"})
    sign_in(page, console)
    page.goto(f"{console}/campaigns/{campaign_id}/what")
    page.get_by_role("button", name="Try two variants").click()
    page.get_by_label("Subject").nth(1).fill("Come back")
    page.get_by_label("Some people get nothing").check()
    page.get_by_label("It worked if").select_option("comes")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Save and go on").click()
    assert "A visit within 14 days." in page.locator("dl.facts").first.inner_text()
    page.get_by_role("link", name="Variant B").click()
    assert "Come back" in page.locator("section[aria-labelledby=preview]").inner_text()
    split = kept(campaign_id).split
    assert [(each.name, each.share, each.content.subject) for each in split.variants] == [
        ("A", 5_000, EMAIL["subject"]),
        ("B", 5_000, "Come back"),
    ]
    assert split.holdout == 1_000


def test_variants_are_written_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    campaign_id = made(Desk(stack).sign_in("other@salon.example.com"), {**FIRST, "segment_id": "*everybody"})
    sign_in(at_width, console)
    at_width.goto(f"{console}/campaigns/{campaign_id}/what")
    at_width.get_by_role("button", name="Try two variants").click()
    expect(at_width.get_by_label("Name of the variant")).to_have_count(2)
    at_width.get_by_label("Try them on some people first").check()
    at_width.get_by_label("Some people get nothing").check()
    check(at_width, f"compose-variants-{width}")
    at_width.get_by_label("To so many in a hundred").first.fill("40")
    at_width.get_by_role("button", name="Save and go on").click()
    expect(at_width.get_by_text("The shares must be 100 together; they are 90.")).to_be_visible()
    check(at_width, f"compose-variants-wrong-{width}")
    at_width.get_by_label("To so many in a hundred").first.fill("50")
    at_width.get_by_role("button", name="Save and go on").click()
    at_width.goto(f"{console}/campaigns/{campaign_id}/check")
    check(at_width, f"compose-variants-check-{width}")
