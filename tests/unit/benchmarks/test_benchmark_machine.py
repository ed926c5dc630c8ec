"""The interpreter that counts what the campaign's state machine costs."""

from collections.abc import Mapping
from typing import Any

from tests.benchmarks.machine import Execution, Spent
from tests.benchmarks.report import missed, table


class _Functions:
    """Answers the tasks of a campaign with two ranges, of which one takes two rounds, and so many looks at its end."""

    def __init__(self, looks: int = 2) -> None:
        self.looks = looks
        self.asked: list[str] = []

    def __call__(self, resource: str, given: Mapping[str, Any]) -> Any:
        name = resource.removeprefix("${").removesuffix("FunctionArn}")
        self.asked.append(name)
        match name:
            case "PlanCampaign":
                return {"expanded": False, "ranges": [0, 1], "polls": 0}
            case "DrainCampaign" if self.asked.count(name) == 1:
                return {"expanded": False, "ranges": [1], "polls": given["polls"]}
            case "DrainCampaign":
                polls = given["polls"] + 1
                told = {"wait_seconds": 7, "polls": polls, "continue": False}
                return {"expanded": True, "ranges": [], "drained": polls == self.looks, **told}
            case _:
                return {}


def test_an_execution_goes_through_the_deployed_definition_and_is_counted() -> None:
    functions, spent = _Functions(), Spent()
    waits = list(Execution("campaign", {"business_id": "b", "campaign_id": "c"}, functions, spent))

    assert waits == [7.0]
    assert functions.asked == [
        "PlanCampaign",
        *["ExpandCampaign"] * 2,
        "DrainCampaign",
        "ExpandCampaign",
        *["DrainCampaign"] * 2,
        "CloseCampaign",
    ]
    # Plan and its choice; map, two ranges, a look; map, a range, a look; a wait and a look; the end.
    assert spent.transitions == 2 + (1 + 2 + 2) + (1 + 1 + 2) + (1 + 2) + 1


def test_each_look_costs_as_many_transitions_and_events() -> None:
    few, many = Spent(), Spent()
    for looks, spent in ((2, few), (12, many)):
        list(Execution("campaign", {"business_id": "b", "campaign_id": "c"}, _Functions(looks), spent))

    assert many.transitions - few.transitions == 10 * 3
    assert many.longest_history - few.longest_history == 10 * 9


def test_a_missed_bar_is_named_and_shown() -> None:
    results = {"part": {"short": {"total": 2.5}, "bars": {"under 3": True, "under 2": False}}}

    assert missed(results) == ["part: under 2"]
    assert [line.split() for line in table(results).splitlines()] == [
        ["part"],
        ["total", "2.5"],
        ["under", "2", "MISSED"],
        ["bars", "that", "are", "met", "1", "of", "2"],
    ]
