"""Use cases are made by name (``platform.wiring.use_case``): that the names lead to what the fields are typed as."""

import inspect
import re
from collections.abc import Callable, Mapping
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final

import pytest
from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.platform.wiring import PlatformUseCases, UseCase, required, roomy
from tests.fakes.house import EveryPorts, EveryUseCase
from tests.fakes.world import World

USE_CASES: Final = sorted(
    (name, found) for kind in EveryUseCase.__mro__ for name, found in vars(kind).items() if isinstance(found, UseCase)
)


def written(annotation: Any) -> str:
    """A type as it is written, whether or not it was there when its class was made."""
    if isinstance(annotation, str):
        return written(Whereabouts) if annotation == "Whereabouts" else annotation
    return annotation.__name__ if isinstance(annotation, type) else re.sub(r"[\w.]+\.", "", str(annotation))


def annotations(kind: type) -> Mapping[str, str]:
    """The types of all fields as they are written."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        found |= vars(base).get("__annotations__", {})
    return {name: written(annotation) for name, annotation in found.items()}


def type_of(name: str, use_cases: type = EveryUseCase, ports: type = EveryPorts) -> str:
    """The type of the use case, or else of the port, that has a name, as it is written."""
    found = inspect.getattr_static(use_cases, name, None) or inspect.getattr_static(ports, name)
    if isinstance(found, UseCase):
        return found.kind_name
    if inspect.isfunction(found):
        asked = inspect.signature(found)
        given = list(asked.parameters.values())[1:]
        # Nothing says of a callable what it is given by name.
        by_name = any(each.kind is inspect.Parameter.KEYWORD_ONLY for each in given)
        taken = "..." if by_name else f"[{', '.join(written(each.annotation) for each in given)}]"
        return f"Callable[{taken}, {written(asked.return_annotation)}]"
    getter: Any = found.fget if isinstance(found, property) else found.func
    return written(inspect.signature(getter).return_annotation)


def mistakes(made: UseCase, use_cases: type = EveryUseCase, ports: type = EveryPorts) -> list[str]:
    """The fields that would get something of another type than theirs, and names of no field."""
    fields = annotations(made.kind)
    asked = {field: field for field in required(made.kind)} | dict(made.called)
    return [
        f"{field}: {name}"
        for field, name in asked.items()
        if field not in fields or fields[field] != type_of(name, use_cases, ports)
    ]


@pytest.mark.parametrize(("name", "made"), USE_CASES)
def test_what_a_use_case_is_given_by_name_is_of_the_type_of_its_field(name: str, made: UseCase) -> None:
    assert mistakes(made) == []
    assert type(getattr(World(), name)) is made.kind


def test_all_use_cases_are_looked_at() -> None:
    assert len(USE_CASES) > 60


class Needy(Struct, frozen=True, kw_only=True):
    """Needs a clock, and may be given another."""

    clock: "Clock"  # type: ignore[name-defined]  # noqa: F821 - as text, as in the package
    other: "Clock | None" = None  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("called", "wrong"),
    [({}, []), ({"clock": "ids"}, ["clock: ids"]), ({"watch": "clock"}, ["watch: clock"]), ({"clock": "clock"}, [])],
)
def test_a_name_that_leads_to_another_type_or_to_no_field_is_a_mistake(
    called: Mapping[str, str], wrong: list[str]
) -> None:
    made = UseCase(__name__, called)
    made.kind_name = "Needy"

    assert mistakes(made) == wrong


def test_a_field_takes_what_is_given_then_the_use_case_then_the_port_and_a_default_stays() -> None:
    class Some(PlatformUseCases):
        clock = "a use case"

    class Ports:
        clock = "a port"
        other = "another port"

    some = Some(Ports())

    assert some.made(Needy) == Needy(clock="a use case")
    assert some.made(Needy, clock="given") == Needy(clock="given")
    assert some.made(Needy, other="given") == Needy(clock="a use case", other="given")
    assert some.named("other") == "another port"


def test_a_roomy_call_answers_and_raises_as_the_function_itself() -> None:
    def depth(left: int) -> int:
        return 0 if left == 0 else 1 + depth(left - 1)

    def fail() -> None:
        raise LookupError("here")

    assert roomy(depth)(500) == 500
    assert roomy(depth)(left=3) == 3
    assert roomy(depth).__name__ == "depth"
    with pytest.raises(LookupError, match="here"):
        roomy(fail)()


def test_a_roomy_call_maps_no_memory_for_each_call_below_it() -> None:
    """Wherever in a chunk of frames it begins: without it some depth costs a page fault for each call."""

    def leaf(*values: int) -> int:
        return len(values)

    def loop() -> int:
        return sum(leaf(*range(8)) for _ in range(2_000))

    def at(depth: int, function: Callable[[], int]) -> int:
        return at(depth - 1, function) if depth else function()

    def most_faults(function: Callable[[], int]) -> int:
        def faults(depth: int) -> int:
            before = getrusage(RUSAGE_SELF).ru_minflt
            at(depth, function)
            return getrusage(RUSAGE_SELF).ru_minflt - before

        return max(map(faults, range(200)))

    assert most_faults(loop) > 1_500
    assert most_faults(roomy(loop)) < 500
