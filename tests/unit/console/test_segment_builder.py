"""The builder of segments: every condition can be shown, and comes back from the form as it was."""

from typing import Any

import pytest

from rebound.console.http.requests import Form
from rebound.console.http.segments import Node, done, node_of, read_node
from rebound.console.http.words import LANGUAGES, Words
from rebound.segments.domain.filters import CONDITIONS, LEAVES, compile_filter

TREES: tuple[dict[str, Any], ...] = (
    {"tag": "vip"},
    {"failed": "both"},
    {"consent": {"channel": "sms", "scope": "marketing", "is": "confirmed"}},
    {"birthday": {"within_days": 0}},
    {"visits": {"at_most": 0, "within_days": 30, "class_type": ["box", "yoga"]}},
    {"visits": {"at_least": 1, "series_id": {"any": ["a", "b"]}}},
    {"visits": {"at_least": 1, "class_id": "yoga", "location_id": {"any": ["soho", "east"]}}},
    {"last_visit": {"before_days": 30}},
    {"bookings": {"upcoming": False, "class_id": "yoga", "location_id": "soho"}},
    {"purchases": {"amount_at_least": "100.00", "currency": "EUR", "product_id": "oil"}},
    {"membership": {"is": "active"}},
    {"tier": "top"},
    {"segment": "other"},
    {"field": "gender", "equals": "f"},
    {"field": "gender", "in": ["f", "m"]},
    {"field": "email", "present": False},
    {"field": "birthday", "after": "1990-01-01", "before": "2000-01-01"},
    {"field": "birthday", "before": "2000-01-01"},
)


def form_of(node: Node, at: str = "n") -> dict[str, list[str]]:
    """What a browser sends of a node."""
    sent = {f"{at}.kind": [node.kind], **({f"{at}.not": ["1"]} if node.negated else {})}
    if node.one_is_enough:
        sent[f"{at}.one"] = node.one_is_enough
    sent |= {f"{at}.{name or 'value'}": [typed] for name, typed in node.typed.items()}
    for index, part in enumerate(node.parts):
        sent |= form_of(part, f"{at}.{index}")
    return sent


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_a_condition_comes_back_from_the_form_as_it_was(tree: dict[str, Any]) -> None:
    whole = {"all": [tree, {"not": {"any": [tree, {"not": tree}]}}]}
    compile_filter(whole, find=lambda _: {"all": []})
    assert read_node(Form(form_of(node_of(whole)))).tree == whole


def test_every_condition_is_tried_above() -> None:
    tried = {"field" if "field" in tree else next(iter(tree)) for tree in TREES}
    assert tried == set(CONDITIONS) - {"all", "any", "not"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_condition_and_what_is_filled_in_has_words(language: str) -> None:
    words = Words(language)
    needed = {f"segments.leaf.{name}" for name in LEAVES}
    for row in LEAVES.values():
        needed |= {f"segments.input.{each.name or 'value'}" for each in row.inputs}
        needed |= {f"segments.choice.{choice}" for each in row.inputs for choice in each.choices}
    assert [name for name in sorted(needed) if not words.has(name)] == []


@pytest.mark.parametrize("kind", ["visits", "bookings", "last_visit", "tag"])
@pytest.mark.parametrize("location_id", ["soho", None])
def test_a_condition_that_is_added_asks_for_the_location_of_whoever_adds_it(kind: str, location_id: str | None) -> None:
    root = Node("all")
    assert done(root, "add:n", Form({"n.new": [kind]}), location_id)
    assert done(root, "group:n", Form({}), location_id)
    typed = {"location_id": location_id} if location_id and kind in ("visits", "bookings") else {}
    assert [part.typed for part in root.parts] == [typed, {}]
