"""What a thing is stands in one row of one table: nothing else of the package asks which of them it has."""

import ast
from collections.abc import Iterator
from itertools import chain
from typing import Final

import pytest

from rebound.kernel.categories import Category, CategoryTraits
from tests.contract.test_house import modules

ROWS: Final = {"Category": set(Category.__members__)}
"""The tables, by the name of their class."""


def asked_for(tree: ast.AST, table: str) -> Iterator[str]:
    """The rows that are compared with, matched, or keys of another table."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare():
                found = [node.left, *chain.from_iterable(_parts(each) for each in node.comparators)]
            case ast.MatchValue(value=value):
                found = [value]
            case ast.Dict(keys=keys):
                found = [key for key in keys if key is not None]
            case _:
                continue
        for each in found:
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == table:
                yield each.attr


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.Set | ast.List) else [node]


@pytest.mark.parametrize("table", ROWS)
def test_a_row_is_asked_for_its_traits_and_never_which_one_it_is(table: str) -> None:
    found = {
        f"{'.'.join(module)} asks for {table}.{row}"
        for module, tree in modules()
        for row in asked_for(tree, table)
        if row in ROWS[table]
    }

    assert found == set()


@pytest.mark.parametrize(
    "branch",
    [
        "x is Category.LOYALTY",
        "Category.LOYALTY == x",
        "x in (Category.LOYALTY, y)",
        "{Category.LOYALTY: 1}",
        "match x:\n    case Category.LOYALTY | Category.MARKETING: pass",
    ],
)
def test_every_way_to_ask_which_one_it_is_is_seen(branch: str) -> None:
    assert "LOYALTY" in set(asked_for(ast.parse(branch), "Category"))


def test_a_category_without_traits_does_not_load() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        vars(Category)["__new_member__"](Category, "survey")


def test_categories_are_told_apart_by_their_words() -> None:
    traits: list[CategoryTraits] = [category.traits for category in Category]

    assert len({each.plural for each in traits}) == len({each.adjective for each in traits}) == len(traits)
    assert all(each.plural[0].isupper() and each.adjective.islower() for each in traits)
