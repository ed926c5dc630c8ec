"""Names and words in which rows are kept: what was stored yesterday must be read tomorrow.

A name or word that is taken away, or written otherwise, breaks rows that are there. The list may be added to.
"""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, Final

import pytest
from pynamodb.attributes import Attribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

import rebound
from rebound.messages.domain.messages import NO_RECORD
from rebound.platform.adapters.dynamo import Model
from tests.fakes.aws import table_definitions

KNOWN: Final = Path(__file__).with_name("what_is_stored.json")


@cache
def modules() -> tuple[ModuleType, ...]:
    return tuple(
        import_module(module.name)
        for module in walk_packages(rebound.__path__, "rebound.")
        if any(part in module.name for part in (".domain", ".adapters", "rebound.kernel."))
    )


def named[T](kind: type[T]) -> Iterator[tuple[str, type[T]]]:
    """Every class of a kind that the package defines."""
    for module in modules():
        for name, each in vars(module).items():
            if isinstance(each, type) and issubclass(each, kind) and each.__module__ == module.__name__:
                yield name, each


def stored() -> Mapping[str, Mapping[str, Any]]:
    words: dict[str, Any] = {name: sorted(each) for name, each in named(StrEnum)}
    rows = {name: {a.attr_name: written(a) for a in row.get_attributes().values()} for name, row in named(Model)}
    return {"words": {"NO_RECORD": [NO_RECORD], **words}, "rows": {name: row for name, row in rows.items() if row}}


def written(attribute: Attribute[Any]) -> str:
    """What kind of value an attribute has, and whether it is a key or may be absent."""
    kind = "key" if attribute.is_hash_key else "sort key" if attribute.is_range_key else ""
    return " ".join(filter(None, (kind, "absent or" if attribute.null else "", attribute.attr_type)))


def test_what_rows_hold_is_what_they_held() -> None:
    assert stored() == json.loads(KNOWN.read_text(encoding="utf-8"))


INDEXES: Final = {
    index["IndexName"]: index
    for properties in table_definitions().values()
    for index in properties.get("GlobalSecondaryIndexes", ())
}


def test_every_index_of_the_template_is_known_and_the_other_way_round() -> None:
    assert {each.Meta.index_name for _, each in named(GlobalSecondaryIndex)} == set(INDEXES)


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_has_what_its_table_copies_into_it(name: str) -> None:
    [index] = [each for _, each in named(GlobalSecondaryIndex) if each.Meta.index_name == name]
    said = INDEXES[name]["Projection"]
    projection = index.Meta.projection

    assert projection.projection_type == said["ProjectionType"]
    if isinstance(projection, IncludeProjection):
        keys = {key["AttributeName"] for key in INDEXES[name]["KeySchema"]}
        assert {*projection.non_key_attributes} - keys == {*said["NonKeyAttributes"]} - keys
