"""The list of problems is whole: each code is raised somewhere, each conflict has its row, and errors bring theirs."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from pynamodb.exceptions import GetError, TransactWriteError

from rebound.kernel.errors import Conflict, ConflictError, FieldError
from rebound.kernel.nearest import nearest
from rebound.kernel.problem_codes import PROBLEMS
from rebound.platform.adapters.aws import is_busy
from rebound.platform.http import problems
from rebound.platform.http.error_fields import fields_of
from rebound.platform.http.problem_details import write_problem
from rebound.platform.http.shapes import Problem, Request
from rebound.platform.http.unknown_names import shapes_called, unknown_field

REPOSITORY: Final = Path(__file__).parents[3]
SOURCES: Final = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (REPOSITORY / "layers/common/rebound").rglob("*.py")
    if path.name != "problem_codes.py"
)


def test_each_conflict_has_a_row_of_that_status() -> None:
    rows = {code for code, kind in PROBLEMS.items() if kind.status == 409}

    assert rows == {*get_args(Conflict.__value__), "concurrent_change"}


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_code_that_is_listed_is_answered_somewhere(code: str) -> None:
    """Beside the list itself: where a conflict is raised, where an error becomes an answer, or by the gateway."""
    named = re.findall(rf'(?:Error|problem)\(\s*"{code}"', SOURCES)
    template = (REPOSITORY / "template.yaml").read_text(encoding="utf-8")

    assert named or f'"code": "{code}"' in template


@pytest.mark.parametrize(("code", "kind"), PROBLEMS.items())
def test_who_waits_is_told_that_it_helps(code: str, kind: Any) -> None:
    assert kind.retryable or kind.wait_seconds is None
    assert kind.meaning.endswith(".")
    assert kind.way_out.endswith(".")
    assert re.fullmatch("[a-z_]+", code)


@given(st.sampled_from(sorted(PROBLEMS)), st.text(), st.text(max_size=9), st.none() | st.text(max_size=9))
def test_a_problem_has_the_shape_of_the_document(code: str, detail: str, field: str, meant: str | None) -> None:
    written = write_problem(code, detail, [FieldError(field, detail, meant)], {"customer_id": "c"})
    problem = Problem.model_validate_json(written)

    assert (problem.type, problem.code, problem.detail) == (f"urn:rebound:problem:{code}", code, detail)
    assert json.loads(written)["customer_id"] == "c"
    assert json.loads(written)["errors"] == [{"field": field, "message": detail}]
    assert problem.did_you_mean == (None if meant is None else {field: meant})


def test_a_conflict_says_its_code_and_its_members() -> None:
    answer = problems.answer_to(ConflictError("external_id_taken", "Taken.", customer_id="c1"))

    assert (answer.status_code, json.loads(str(answer.body))["customer_id"]) == (409, "c1")
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "StartExecution"),
        ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "slow"}}, "SendMessage"),
        GetError("busy", ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "GetItem")),
        TransactWriteError("busy", ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_busy_is_asked_to_be_asked_again(error: Exception) -> None:
    assert is_busy(error)
    answer = problems._unexpected(error)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert json.loads(str(answer.body))["retryable"] is True


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("ana@example.com"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem"),
        GetError("gone", ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetItem")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_all_else_is_a_fault_of_ours(error: Exception) -> None:
    answer = problems._unexpected(error)

    assert answer.status_code == 500
    assert "ana" not in str(answer.body)


# --- names ------------------------------------------------------------------------------------------------------------

NAMES: Final = st.text(st.characters(codec="ascii", categories=["Ll"], include_characters="_"), min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=20), st.data())
def test_a_name_in_another_style_is_known_again(known: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(known))
    meant = nearest(name.upper().replace("_", "-"), known)

    assert (meant or "").replace("_", "") == name.replace("_", "")


@given(st.text(max_size=200), st.lists(NAMES, max_size=20))
def test_what_is_meant_is_one_of_ours(name: str, known: list[str]) -> None:
    assert nearest(name, known) in {None, *known}


class Inner(Request):
    """What stands within others."""

    colour: str = "red"


class Other(Request):
    """Another alternative."""

    flavour: str


class Outer(Request):
    """A shape with all that can stand between a field and the top."""

    inner: Inner | None = None
    either: Inner | Other | None = None
    several: list[Inner] = Field(default_factory=list)
    marked: list[Annotated[Inner, Field()]] = Field(default_factory=list)
    named: dict[str, Inner] = Field(default_factory=dict)


@pytest.mark.parametrize(
    "body",
    [
        {"inner": {"color": "x"}},
        {"either": {"color": "x"}},
        {"several": [{}, {"color": "x"}]},
        {"marked": [{"color": "x"}]},
        {"named": {"any": {"color": "x"}}},
    ],
)
def test_a_field_is_known_again_wherever_it_stands(body: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(body)
    for shapes in ([Outer], shapes_called("Outer")):
        found = fields_of(caught.value.errors(), shapes, str, body)
        assert "colour" in {each.did_you_mean for each in found}
    assert unknown_field("x", ("nowhere", "color"), [Outer]).did_you_mean is None
