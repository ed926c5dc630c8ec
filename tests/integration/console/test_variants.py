"""A campaign with variants in the console: what came of them and of its goal, choosing one, and the composer."""

import re
from copy import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.audiences import Audience
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.labels import REACHED_ANYWAY
from rebound.messages.domain.variants import Split, Variant
from rebound.messages.domain.winners import Because, Choice, ChosenBy, WinnerRule
from rebound.staff.domain import Role
from rebound.templates.domain.content import EmailContent
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, RUN_ID, at, campaign
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk

PATH: Final = f"/console/campaigns/{CAMPAIGN_ID}"
ATTACK: Final = "<b>B</b>"
VARIANTS: Final = (
    Variant("Short", 3_340, EmailContent("Short", None, "Come.")),
    Variant(ATTACK, 6_660, EmailContent("Long", None, "Do come.")),
)
DIVIDED: Final = Split(CAMPAIGN_ID, VARIANTS, 1_000)
GOAL: Final = Goal(GoalKind.VISIT, 7)


@pytest.fixture
def desk(stack: Stack) -> Desk:
    return Desk(stack).sign_in()


def divided(status: CampaignStatus, split: Split = DIVIDED, **given: Any) -> None:
    made = campaign(status=status, content=VARIANTS[0].content, split=split, **given)
    house.ports().campaigns.add(
        made if status is CampaignStatus.DRAFT else replace(made, run_id=RUN_ID, started_at=at(0))
    )


def tried(status: CampaignStatus = CampaignStatus.SENDING, **given: Any) -> None:
    """One of which half of the people wait for the best variant, for an hour from now."""
    rule = WinnerRule(5_000, 24, ChosenBy.GOAL, 30)
    split = Split(CAMPAIGN_ID, VARIANTS, 1_000, rule, house.ports().clock.now() + timedelta(hours=1))
    divided(status, replace(split, **given), goal=GOAL)


def counts(**planned: int) -> None:
    """What came of it: 100 got each variant, 40 the one that was chosen, and 20 were held out."""
    ports = house.ports()
    planned = {"Short": 100, ATTACK: 100, **planned}
    audience = Audience(sum(planned.values()) + 20, {}, variants=planned)
    ports.expansion.commit(replace(ports.expansion.get(CAMPAIGN_ID, 0), audience=audience, done=True), [])
    labels = {f"delivered~{name}": count for name, count in planned.items()} | {"delivered": sum(planned.values())}
    labels |= {"reached": 75, "reached~Short": 20, f"reached~{ATTACK}": 50, REACHED_ANYWAY: 2, "excluded:holdout": 20}
    ports.tallies.add(CAMPAIGN_ID, "shard", labels, after=None, position="1")


def rows(text: str, of: str = "variants") -> list[list[str]]:
    section = text.partition(f'id="{of}"')[2].partition("</section>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)]
    return cells[1:]


def test_the_page_says_what_came_of_each_variant(stack: Stack, desk: Desk) -> None:
    divided(CampaignStatus.COMPLETED)
    ports = house.ports()
    planned = {"Short": 40, ATTACK: 80}
    ports.expansion.commit(
        replace(ports.expansion.get(CAMPAIGN_ID, 0), audience=Audience(130, {}, variants=planned), done=True)
    )
    of_short = {"delivered": 30, "bounced": 4, "failed": 1, "excluded": 5, "opted_out": 2}
    labels = {f"{what}~Short": count for what, count in of_short.items()}
    labels |= {f"delivered~{ATTACK}": 80, "delivered": 110, "bounced": 4, "failed": 1, "excluded:holdout": 10}
    ports.tallies.add(CAMPAIGN_ID, "shard", {**labels, "excluded:opted_out": 5}, after=None, position="1")
    seen = desk.get(PATH)

    assert rows(seen.text) == [
        ["Short", "33.4 %", "35", "30", "4", "2"],
        ["&lt;b&gt;B&lt;/b&gt;", "66.6 %", "80", "80", "0", "0"],
    ]
    assert ("Held out to compare" in seen.text, ATTACK in seen.text) == (True, False)
    compared = seen.text.partition("How the variants compare")[2].partition("</section>")[0]
    told = re.findall("<dt>(.*?)</dt><dd>It is too early to judge, with &lt;b&gt;B&lt;/b&gt; or with Short: ", compared)
    assert told == ["Delivered", "Bounced", "Opted out"]
    assert "Counting ends 7 days after the campaign has" in compared


def test_the_page_says_in_what_the_variants_differ_once_it_may_be_judged(stack: Stack, desk: Desk) -> None:
    divided(CampaignStatus.COMPLETED, completed_at=house.ports().clock.now() - timedelta(days=7, minutes=1))
    counts()
    ports = house.ports()
    ports.tallies.add(CAMPAIGN_ID, "another", {"opted_out~Short": 30}, after=None, position="1")

    compared = desk.get(PATH).text.partition("How the variants compare")[2].partition("</section>")[0]
    assert "Fewer opted out with &lt;b&gt;B&lt;/b&gt; than with Short: between " in compared
    assert "too early" not in compared
    said = desk.get(PATH, accept_language="de").text
    assert "Abgemeldet haben sich mit &lt;b&gt;B&lt;/b&gt; weniger als mit Short: zwischen " in said


def test_the_page_says_who_reached_the_goal_and_whether_a_difference_means_anything(stack: Stack, desk: Desk) -> None:
    divided(CampaignStatus.COMPLETED, goal=GOAL, completed_at=house.ports().clock.now() - timedelta(days=7, minutes=1))
    counts()
    seen = desk.get(PATH).text

    assert "A visit within 7 days." in seen
    assert rows(seen, "goal") == [
        ["Everybody it went to", "75", "200", "37.5%"],
        ["Short", "20", "100", "20%"],
        ["&lt;b&gt;B&lt;/b&gt;", "50", "100", "50%"],
        ["Held out to compare, who did it anyway", "2", "20", "10%"],
    ]
    sentences = re.findall("<li>(.*?)</li>", seen.partition('id="goal"')[2])
    assert [each.partition(": ")[0] for each in sentences] == [
        "More reached the goal with &lt;b&gt;B&lt;/b&gt; than with Short",
        "This says nothing, with Short or without a message",
        "More reached the goal with &lt;b&gt;B&lt;/b&gt; than without a message",
    ]
    assert "The last days ended on" in seen
    assert 'id="winner"' not in seen


def test_while_it_may_still_be_reached_the_page_says_so_in_the_reader_s_language(stack: Stack, desk: Desk) -> None:
    divided(CampaignStatus.COMPLETED, goal=GOAL, completed_at=house.ports().clock.now())
    counts()
    seen = desk.get(PATH, accept_language="de").text

    assert "Gezählt wird bis " in seen
    assert "Für ein Urteil, ob mit &lt;b&gt;B&lt;/b&gt; oder mit Short, ist es zu früh" in seen


def test_who_may_send_chooses_what_goes_to_those_who_wait(stack: Stack, desk: Desk) -> None:
    tried()
    counts(rest=40)
    seen = desk.get(PATH).text
    assert rows(seen)[-1] == ["The others", "", "40", "40", "0", "0"]
    assert re.search("The others wait until <time[^>]*>[^<]*</time>", seen)
    assert "If one of them went out to fewer than 30, it is the first." in seen

    wrong = desk.post(f"{PATH}/winner", {"variant": "Third"})
    assert (wrong.status, 'id="variant-wrong">Is no variant of the campaign.' in wrong.text) == (422, True)
    chosen = desk.post(f"{PATH}/winner", {"variant": ATTACK})
    assert (chosen.status, desk.post(f"{PATH}/winner", {"variant": ATTACK}).status) == (303, 303)
    after = desk.get(desk.go(f"{PATH}/winner", chosen)).text
    assert "&lt;b&gt;B&lt;/b&gt; goes to the others." in after
    assert "Somebody chose it." in after
    assert 'name="variant"' not in after
    late = desk.post(f"{PATH}/winner", {"variant": "Short"})
    assert (late.status, "The winner has been chosen: &lt;b&gt;B&lt;/b&gt;." in late.text) == (409, True)
    history = desk.get(f"{PATH}/history").text
    assert history.count("Variant chosen for the others") == 1
    assert "Variant: &lt;b&gt;B&lt;/b&gt;" in history


def test_the_page_says_how_many_have_not_got_what_is_tried_on_them(stack: Stack, desk: Desk) -> None:
    tried()
    counts(rest=40)
    assert "have not got it yet" not in desk.get(PATH).text
    labels = {"delivered~Short": -7, "delivered": -7}
    house.ports().tallies.add(CAMPAIGN_ID, "other", labels, after=None, position="1")
    seen = desk.get(PATH).text
    assert "7 people on whom they are tried have not got it yet." in seen

    kept = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)
    assert kept.split is not None
    chosen = replace(kept.split, chosen=Choice("Short", Because.MORE, 6))
    house.ports().campaigns.replace(kept, replace(kept, split=chosen))
    seen = desk.get(PATH, accept_language="de").text
    assert "6 Personen hatten bis dahin nicht bekommen, was an ihnen erprobt wird" in seen


@pytest.mark.parametrize(
    ("status", "given", "said"),
    [
        (CampaignStatus.SCHEDULED, {"decides_at": None}, "The campaign has not begun."),
        (CampaignStatus.CANCELLED, {}, "The campaign ended before one was chosen."),
        (CampaignStatus.COMPLETED, {"chosen": Choice("Short", Because.MORE)}, "It had the larger share"),
        (CampaignStatus.COMPLETED, {"chosen": Choice("Short", Because.SAME)}, "Several had the same share"),
        (CampaignStatus.COMPLETED, {"chosen": Choice("Short", Because.TOO_FEW)}, "too few to tell anything"),
    ],
)
def test_where_nothing_is_to_be_chosen_the_page_says_why(
    stack: Stack, desk: Desk, status: CampaignStatus, given: dict[str, Any], said: str
) -> None:
    tried(status, **given)
    seen = desk.get(PATH).text
    assert (said in seen, 'name="variant"' in seen) == (True, False)


def test_a_viewer_sees_what_is_waited_for_and_chooses_nothing(stack: Stack) -> None:
    tried()
    viewer = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    seen = viewer.get(PATH).text
    assert ("The others wait until" in seen, 'name="variant"' in seen) == (True, False)
    assert viewer.post(f"{PATH}/winner", {"variant": "Short"}).status == 403
    kept = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID).split
    assert kept is not None
    assert kept.chosen is None


def test_results_by_variant_are_looked_at(stack: Stack, console: str, at_width: Page, width: str) -> None:
    tried()
    counts(rest=40)
    sign_in(at_width, console)
    at_width.goto(f"{console}/campaigns/{CAMPAIGN_ID}")
    at_width.get_by_text("Choose now…").click()
    check(at_width, f"campaign-variants-{width}")
    at_width.get_by_label("Variant", exact=True).select_option("Short")
    at_width.get_by_role("button", name="Send it to the others").click()
    expect(at_width.get_by_text("Short goes to the others.")).to_be_visible()


def test_a_form_that_does_not_ask_leaves_variants_as_they_are(stack: Stack, desk: Desk) -> None:
    divided(CampaignStatus.DRAFT)
    version = str(house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID).version)
    given = {"do": "save", "say": "own", "subject": "Other", "text": "Other", "version": version}
    saved = desk.post(f"{PATH}/what", given)
    kept = house.ports().campaigns.get(BUSINESS_ID, CAMPAIGN_ID)

    assert saved.status == 303, saved.text
    assert kept.split == DIVIDED
    assert kept.content == VARIANTS[0].content
