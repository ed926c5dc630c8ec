"""The state machines, read by a program for the Amazon States Language that is not the one of ``cfn-lint``."""

import json
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Final

from tests.fakes.aws import REPOSITORY
from tests.fakes.deployment import Template
from tests.policies.engines import wrong_with

TEMPLATE: Final = Template()
PATHS: Final = sorted((REPOSITORY / "statemachines").glob("*.asl.json"))


def definition_of(path: Path) -> dict[str, Any]:
    """As it is deployed."""
    text = path.read_text(encoding="utf-8")
    for machine in TEMPLATE.of_type("AWS::Serverless::StateMachine").values():
        if machine["DefinitionUri"] == f"statemachines/{path.name}":
            for name, function in machine["DefinitionSubstitutions"].items():
                text = text.replace(f"${{{name}}}", TEMPLATE.value(function))
    assert "${" not in text
    definition: dict[str, Any] = json.loads(text)
    return definition


def test_the_state_machines_are_in_the_language_of_step_functions() -> None:
    assert dict(zip([path.name for path in PATHS], wrong_with([*map(definition_of, PATHS)]), strict=True)) == {
        path.name: [] for path in PATHS
    }


def states_of(definition: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [state for state in definition["States"].values() if state["Type"] == kind]


FAULTS: Final[Mapping[str, Callable[[dict[str, Any]], object]]] = {
    "a state that nothing leads to": lambda d: d["States"].update(Lost={"Type": "Succeed"}),
    "a way to nowhere": lambda d: d["States"][d["StartAt"]].update(Next="Nowhere"),
    "a task that is no ARN": lambda d: states_of(d, "Task")[0].update(Resource="PlanCampaign"),
    "a type with a slip": lambda d: d["States"][d["StartAt"]].update(Type="Tsak"),
    "both a next state and an end": lambda d: states_of(d, "Task")[0].update(End=True, Next=d["StartAt"]),
    "a path with a slip": lambda d: states_of(d, "Task")[0].update(ResultPath="$..["),
    "a beginning that there is not": lambda d: d.update(StartAt="Nowhere"),
    "a retry without errors": lambda d: states_of(d, "Task")[0].update(Retry=[{"MaxAttempts": 2}]),
}


def test_a_state_machine_with_a_fault_is_noticed() -> None:
    wrong = {(path.name, fault): definition_of(path) for path, fault in product(PATHS, FAULTS)}
    for (_, fault), definition in wrong.items():
        FAULTS[fault](definition)
    answers = dict(zip(wrong, wrong_with([*wrong.values()]), strict=True))

    assert [which for which, answer in answers.items() if not answer] == []
