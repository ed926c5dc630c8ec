"""``make mutate``: which faults it plants, that each is what it says, and that the same seed takes the same ones."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.mutation import heart
from tests.mutation.mutants import Mutant, mutants_of, mutated, nodes_of, sampled

SOURCE = '''
"""A module."""
from typing import Final

MOST: Final = 3


def fits(values: list[int], least: int = 1, *, strict: bool) -> bool:
    """Not changed: these words."""
    total = sum(value for value in values if value > 0)
    if strict and total > MOST:
        raise ValueError("Not changed: this text.")
    return least <= total
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "fits.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_the_faults_of_a_module_are_those_that_somebody_could_make(module: Path) -> None:
    found = Counter((mutant.operator, mutant.says) for mutant, _ in mutants_of("fits", module))

    assert found == Counter(
        [
            ("constant", "3  ⟶  4"),
            ("constant", "3  ⟶  2"),
            ("constant", "1  ⟶  2"),
            ("constant", "1  ⟶  0"),
            ("None assigned", "total = sum((value for value in values if value > 0))"),
            ("filter dropped", "value > 0"),
            ("comparison", "value > 0  ⟶  >="),
            ("comparison", "value > 0  ⟶  <="),
            ("constant", "0  ⟶  1"),
            ("operand dropped", "strict"),
            ("operand dropped", "total > MOST"),
            ("and/or", "strict and total > MOST"),
            ("comparison", "total > MOST  ⟶  >="),
            ("comparison", "total > MOST  ⟶  <="),
            ("statement removed", "raise ValueError('Not changed: this text.')"),
            ("None returned", "return least <= total"),
            ("comparison", "least <= total  ⟶  <"),
            ("comparison", "least <= total  ⟶  >"),
        ]
    )


def test_each_fault_is_one_change_and_is_the_one_that_it_says(module: Path) -> None:
    names = [mutant.name for mutant, _ in mutants_of("fits", module)]
    codes = {name: mutated("fits", module, name) for name in names}
    asked: dict[str, Any] = {}
    for name, code in codes.items():
        scope: dict[str, Any] = {}
        exec(code, scope)  # noqa: S102 - our own text
        asked[name] = scope["fits"]
    (at_bound,) = [f for name, f in asked.items() if ":total > MOST  ⟶  >=:" in name]
    (unfiltered,) = [f for name, f in asked.items() if ":filter dropped:" in name]
    (silent,) = [f for name, f in asked.items() if ":raise" in name]

    assert len(set(names)) == len(names)
    with pytest.raises(ValueError, match="this text"):
        at_bound([3], strict=True)
    assert unfiltered([2, -1, 1], strict=True) is True
    assert unfiltered([2, -2], strict=True) is False
    assert silent([9], strict=True) is True


def test_the_faults_of_the_heart_can_all_be_planted_by_name() -> None:
    everything = [mutant for module in heart.HEART for mutant, _ in mutants_of(module, heart.path_of(module))]
    chosen = sampled(everything, 40, seed=1)

    assert len({mutant.name for mutant in everything}) == len(everything) > 5000
    assert chosen == sampled(list(reversed(everything)), 60, seed=1)[:40] != sampled(everything, 40, seed=2)
    for mutant in chosen:
        path = heart.path_of(mutant.module)
        names = [code.co_qualname for code in nodes_of(mutated(mutant.module, path, mutant.name))]
        assert not mutant.function or mutant.function in names


def test_every_module_of_the_heart_is_there() -> None:
    assert all(heart.path_of(module).is_file() for module in heart.HEART)
    assert {type(mutant) for mutant, _ in mutants_of(heart.HEART[0], heart.path_of(heart.HEART[0]))} == {Mutant}
