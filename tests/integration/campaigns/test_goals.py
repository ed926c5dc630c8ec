"""Goals over HTTP on the deployed stack in memory: from the campaign to its verdict."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.fakes.deployment import Deployment

PEOPLE: Final = 12
OURS: Final = "+14155550100"
OFFER: Final[dict[str, Any]] = {"name": "Come back", "category": "marketing", "filter": {"all": []}}
SAID: Final = {"email": {"subject": "Hello", "text": "Come and see us."}, "sms": {"body": "Come. Reply STOP to stop."}}


class Studio:
    """A business and its customers."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        command = {"command": "create-business", "name": "Juniper", "country": "US", "time_zone": "America/New_York"}
        command |= {"quiet_hours": "off", "email_from": "hello@example.com", "text_from": OURS}
        self.business_id = deployment.invoke("OperateStackFunction", command)["business_id"]
        self.people = [self._customer(number) for number in range(PEOPLE)]

    def _customer(self, number: int) -> str:
        person = {"first_name": f"Ana{number}", "last_name": "Silva", "email": f"ana{number}@example.com"}
        person["mobile_phone"] = f"+141555670{number:02d}"
        made: str = self.ask("POST", "/v1/customers", person)["customer_id"]
        return made

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return self.deployment.api(method, path, body, business_id=self.business_id, **more)

    def send(self, kind: str, channel: str = "email", **given: Any) -> str:
        said = {} if "variants" in given else {"content": SAID[channel]}
        goal = {"kind": kind, "within_days": 7}
        posted = self.ask("POST", "/v1/campaigns", {**OFFER, **said, "channel": channel, "goal": goal, **given})
        self.deployment.rest()
        campaign_id: str = posted["campaign_id"]
        assert self.ask("GET", f"/v1/campaigns/{campaign_id}")["status"] == "completed"
        return campaign_id

    def results(self, campaign_id: str) -> Any:
        self.deployment.rest()
        return self.ask("GET", f"/v1/campaigns/{campaign_id}")["goal_results"]

    def visit(self, *numbers: int, days: float = 0.1) -> None:
        moment = (self.deployment.clock.now() + timedelta(days=days)).isoformat()
        events = [
            {"event_id": f"v{number}", "kind": "visit", "at": moment, "customer_id": self.people[number]}
            for number in numbers
        ]
        assert self.ask("POST", "/v1/activity", {"events": events})["errors"] == []


@pytest.fixture
def studio() -> Iterator[Studio]:
    with Deployment() as deployment:
        yield Studio(deployment)


def test_visits_are_counted_for_the_campaign_and_judged_when_its_days_are_over(studio: Studio) -> None:
    campaign_id = studio.send("visit")
    studio.visit(0, 1, 2)
    studio.visit(3, days=-1)
    found = studio.results(campaign_id)

    assert (found["reached"], found["of"], found["percent"]) == (3, PEOPLE, 25.0)
    assert (found["held_out"], found["variants"], found["comparisons"], found["is_over"]) == (None, [], [], False)
    studio.ask("DELETE", "/v1/activity/v1")
    assert studio.results(campaign_id)["reached"] == 2
    studio.ask("DELETE", f"/v1/customers/{studio.people[0]}")
    assert studio.results(campaign_id)["reached"] == 2
    studio.deployment.clock.move(timedelta(days=8))
    assert studio.results(campaign_id)["is_over"] is True


def test_variants_are_compared_with_the_first_and_with_those_who_were_held_out(studio: Studio) -> None:
    variants = [{"name": name, "share": 50, "content": SAID["email"]} for name in ("A", "B")]
    campaign_id = studio.send("visit", variants=variants, holdout=30)
    studio.visit(*range(PEOPLE))
    found = studio.results(campaign_id)

    everybody = [*found["variants"], found["held_out"]]
    assert sum(each["of"] for each in everybody) == PEOPLE
    assert all(each["reached"] == each["of"] for each in everybody)
    assert [(each["variant"], each["against"]) for each in found["comparisons"]] == [
        ("B", "A"),
        ("A", None),
        ("B", None),
    ]
    assert all(each["sentence"].startswith("It is too early to judge, with ") for each in found["comparisons"])
    assert all(each["low"] <= 0 == each["difference"] <= each["high"] for each in found["comparisons"])


def test_an_answer_by_text_and_a_redeemed_voucher_are_goals(studio: Studio) -> None:
    texted = studio.send("reply", "sms")
    studio.deployment.text("SM1", "+14155567004", OURS, "When are you open?")
    studio.deployment.text("SM2", "+14155567005", OURS, "Stop")
    says = {"subject": "A gift", "text": "Show ##{{voucher_code}} at the desk."}
    voucher = {"kind": "percent", "value": "10", "valid_days": 30}
    given = studio.send("redemption", content=says, voucher=voucher, category="one_to_one")
    [own] = studio.ask("GET", f"/v1/customers/{studio.people[2]}/vouchers")["items"]
    order = {"customer_id": studio.people[2], "order_id": "o-1", "amount": "50.00"}
    path = f"/v1/vouchers/{own['code']}/redemptions"
    studio.ask("POST", path, order)

    assert [studio.results(each)["reached"] for each in (texted, given)] == [1, 1]
    studio.ask("DELETE", f"{path}/o-1")
    assert studio.results(given)["reached"] == 0
    studio.ask("POST", path, {**order, "order_id": "o-2"})
    assert studio.results(given)["reached"] == 1


TRIED: Final[dict[str, Any]] = {"test_share": 50, "after_hours": 2, "by": "delivered", "least": 1}


def tried(studio: Studio, **rule: Any) -> str:
    """A campaign of which the better of two variants goes to the rest, posted and not at rest."""
    variants = [{"name": name, "share": 50, "content": SAID["email"]} for name in ("A", "B")]
    given = {**OFFER, "channel": "email", "variants": variants, "winner": {**TRIED, **rule}}
    campaign_id: str = studio.ask("POST", "/v1/campaigns", given)["campaign_id"]
    return campaign_id


def test_the_winner_goes_to_the_rest_by_its_rule(studio: Studio) -> None:
    campaign_id = tried(studio)
    posted = studio.ask("GET", f"/v1/campaigns/{campaign_id}")["winner"]
    assert {name: posted[name] for name in TRIED} == TRIED
    assert (posted["chosen"], posted["because"], posted["targeted"]) == (None, None, 0)
    studio.deployment.rest()
    found = studio.ask("GET", f"/v1/campaigns/{campaign_id}")

    winner = found["winner"]
    assert (found["status"], found["results"]["delivered"], found["results"]["queued"]) == ("completed", PEOPLE, 0)
    assert winner["chosen"] in ("A", "B")
    assert winner["because"] in ("same", "too_few")
    assert 0 < winner["targeted"] == winner["results"]["delivered"] < PEOPLE
    assert sum(each["targeted"] for each in found["variants"]) + winner["targeted"] == PEOPLE
    with pytest.raises(AssertionError, match="campaign_ended"):
        studio.ask("POST", f"/v1/campaigns/{campaign_id}/winner", {"variant": "A"})


def test_staff_choose_before_the_time(studio: Studio) -> None:
    campaign_id = tried(studio)
    for _ in range(40):
        studio.deployment.tick()
    answer = studio.ask("POST", f"/v1/campaigns/{campaign_id}/winner", {"variant": "B"})
    assert (answer["winner"]["chosen"], answer["winner"]["because"]) == ("B", "by_hand")
    studio.deployment.rest()

    found = studio.ask("GET", f"/v1/campaigns/{campaign_id}")
    assert (found["status"], found["results"]["delivered"], found["winner"]["chosen"]) == ("completed", PEOPLE, "B")


def test_what_is_wrong_with_a_rule_is_said_of_its_field(studio: Studio) -> None:
    base = {**OFFER, "channel": "email"}
    variants = [{"name": name, "share": 50, "content": SAID["email"]} for name in ("A", "rest")]
    for given, field in (
        ({"content": SAID["email"], "winner": TRIED}, "winner"),
        ({"variants": variants, "winner": TRIED}, "variants.1.name"),
        ({"variants": variants, "winner": {**TRIED, "by": "goal"}}, "winner.by"),
        ({"variants": variants, "winner": {**TRIED, "test_share": 100}}, "winner.test_share"),
        ({"variants": variants, "winner": {**TRIED, "test_share": 33.333}}, "winner.test_share"),
        ({"variants": variants, "holdout": 1e-300}, "holdout"),
        ({"variants": variants, "holdout": 0.004}, "holdout"),
        ({"variants": variants, "winner": {**TRIED, "after_hours": 0}}, "winner.after_hours"),
    ):
        answer = studio.ask("POST", "/v1/campaigns", {**base, **given})
        assert field in [each["field"] for each in answer["errors"]], given
