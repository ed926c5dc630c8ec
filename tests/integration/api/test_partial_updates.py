"""A PATCH changes what it names, at every depth, and nothing else."""

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.senders import Senders
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.partial_updates import (
    MADE_AFTER,
    MADE_WITH,
    NAMED,
    PATCHES,
    VALUES,
    Place,
    address_of,
    found_in,
    method_of,
    places,
    request_of,
)
from tests.integration.conftest import Stack

SUBSETS: Final = {path: st.sets(st.sampled_from(sorted(values)), max_size=5) for path, values in VALUES.items()}


@pytest.mark.parametrize("path", PATCHES)
def test_every_field_of_every_partial_update_is_tried(path: str) -> None:
    assert set(VALUES[path]) == places(path)


def made(stack: Stack, path: str) -> str:
    """The address of a thing with the first of all values."""
    values = {place: first for place, (first, _) in VALUES[path].items()}
    if path == "/v1/business":
        assert stack.api("PATCH", path, request_of(values)).status == 200
        return path
    request = {**request_of(values), **MADE_WITH.get(path, {})}
    if path in MADE_AFTER:
        assert stack.api("PUT", *MADE_AFTER[path]).status in (200, 201)
    if method_of(path) == "PUT":
        new = stack.api("PUT", address_of(path, request), request)
    elif path in NAMED:
        assert stack.api("PUT", address_of(path, NAMED[path]), request).status == 200
        return address_of(path, NAMED[path])
    else:
        new = stack.api("POST", path.rpartition("/")[0], request)
    assert new.status in (201, 202), new.text
    return address_of(path, new.body)


@pytest.fixture
def settings_with_senders(stack: Stack) -> Stack:
    before = house.ports().businesses.get(BUSINESS_ID)
    granted = Senders(("hello@salon.example.com",), ("+15005550006",))
    house.ports().businesses.replace(business(version=before.version, senders=granted, text_rate=None))
    return stack


@pytest.mark.parametrize("path", VALUES)
def test_it_changes_what_it_names_and_nothing_else(settings_with_senders: Stack, path: str) -> None:
    stack = settings_with_senders
    address = made(stack, path)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SUBSETS[path], st.booleans())
    def tried(named: set[Place], forth: bool) -> None:
        before = found_in(stack.api("GET", address).body, path)
        change = {place: VALUES[path][place][forth] for place in named}
        answer = stack.api(method_of(path), address, request_of(change))
        assert answer.status == 200, answer.text
        after: dict[Place, Any] = found_in(answer.body, path)
        assert after == before | change
        assert after == found_in(stack.api("GET", address).body, path)

    tried()
