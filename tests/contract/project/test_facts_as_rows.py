"""What a thing is stands in one row of one table: nothing else of the package asks which of them it has."""

import ast
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Final

import pytest

from rebound.api.areas import API, AREAS
from rebound.kernel.api_scopes import ALL_SCOPES, OPERATOR_SCOPES, SCOPED, Realm
from rebound.kernel.categories import Category, CategoryTraits
from rebound.kernel.provider_codes import DEFAULT_TEXT_PROVIDER, TEXT_PROVIDERS, FailureClass, Provider, all_codes
from rebound.platform.http.app import respond
from rebound.sending.wiring import AwsSendingPorts
from tests.contract.project.test_house import modules
from tests.contract.project.test_template_laws import TEMPLATE

ROWS: Final = {
    "Category": set(Category.__members__),
    "Provider": {provider.name for provider in TEXT_PROVIDERS},
}
"""The tables, by the name of their class. The one provider of email has codes whose syntax is asked for."""


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


@pytest.mark.parametrize("table", [Category, Provider])
def test_a_row_without_traits_does_not_load(table: type[StrEnum]) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        vars(table)["__new_member__"](table, "new")


def test_categories_are_told_apart_by_their_words() -> None:
    traits: list[CategoryTraits] = [category.traits for category in Category]

    assert len({each.plural for each in traits}) == len({each.adjective for each in traits}) == len(traits)
    assert all(each.plural[0].isupper() and each.adjective.islower() for each in traits)


@pytest.mark.parametrize("provider", list(Provider))
def test_a_provider_has_codes_and_one_of_them_says_that_it_was_too_much(provider: Provider) -> None:
    codes = {row.code: row.failure_class for row in all_codes() if row.provider is provider}

    assert codes[provider.traits.too_fast] is FailureClass.TRANSIENT


@pytest.mark.parametrize("provider", TEXT_PROVIDERS)
def test_a_text_provider_has_a_texter_a_name_for_people_and_a_place_in_the_template(provider: Provider) -> None:
    assert isinstance(vars(AwsSendingPorts)[f"{provider}_texter"], cached_property)
    assert provider.traits.label.lower() == provider
    assert f"{provider.traits.rate:g}" in provider.traits.rates.split()
    assert provider in TEMPLATE["Parameters"]["TextProvider"]["AllowedValues"]


def test_the_default_of_the_template_is_that_of_the_package() -> None:
    assert TEMPLATE["Parameters"]["TextProvider"]["Default"] == DEFAULT_TEXT_PROVIDER
    assert DEFAULT_TEXT_PROVIDER in TEXT_PROVIDERS


def test_every_area_belongs_to_something_that_keys_have_rights_to_and_everything_to_an_area() -> None:
    assert {area.scope for area in AREAS if area.realm is Realm.BUSINESS} - {None} == set(SCOPED)
    for area in AREAS:
        if area.realm is Realm.OPERATOR:
            assert {*area.scopes("GET"), *area.scopes("POST")} == set(OPERATOR_SCOPES)
            assert not area.also
    assert len({area.address for area in AREAS}) == len(AREAS)


def routes() -> list[tuple[str, str]]:
    """Each route of the document that asks for a key, as method and path with ids filled in."""
    paths = json.loads(API.document())["paths"]
    return [
        (method.upper(), re.sub("{[a-z_]+}", "x", path))
        for path, methods in paths.items()
        for method in methods
        if path not in API.elsewhere()
    ]


@pytest.mark.parametrize(("method", "path"), routes())
def test_no_route_is_open_to_a_key_without_the_scope_of_its_area(method: str, path: str) -> None:
    area = API.area_of(path)
    assert area is not None
    if area.scope is None:
        return
    needed = f"{area.scope}:{'read' if area.reads or method == 'GET' else 'write'}"
    every = OPERATOR_SCOPES if area.realm is Realm.OPERATOR else ALL_SCOPES
    known = {"realm": area.realm, "scopes": " ".join(scope for scope in every if scope != needed)}
    event = {"httpMethod": method, "path": path, "requestContext": {"authorizer": known}}
    answer = respond(API, event, None, area.realm)

    assert answer["statusCode"] == 403
    assert needed in answer["body"]


def test_every_kind_of_saved_record_has_a_name_of_its_own() -> None:
    kinds = [
        ast.literal_eval(line.value)
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Directory" for base in node.bases)
        for line in node.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "kind"
    ]

    assert len(kinds) > 5
    assert len(set(kinds)) == len(kinds)
