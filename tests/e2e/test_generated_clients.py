"""Clients generated from the OpenAPI document change what their users name, and nothing else."""

import importlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from rebound.kernel.times import write_time
from rebound.platform.http.openapi import operations
from tests.e2e.generated_clients import AttrsClient, PydanticModels
from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Operator
from tests.fakes.partial_updates import (
    DOCUMENT,
    MADE_AFTER,
    MADE_WITH,
    NAMED,
    PATCHES,
    VALUES,
    Place,
    address_of,
    found_in,
    method_of,
    request_of,
)

TIME: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T")

type Client = AttrsClient | PydanticModels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where they are generated, on the path."""
    made = tmp_path_factory.mktemp("generated")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(made)
        yield made


CLIENTS: Final[dict[str, Callable[[Path], Client]]] = {
    "openapi-python-client": AttrsClient.made,
    "datamodel-code-generator, without what is not set": lambda folder: PydanticModels.made(folder, "exclude_unset"),
    "datamodel-code-generator, without nulls": lambda folder: PydanticModels.made(folder, "exclude_none"),
}


@pytest.fixture(scope="module", params=tuple(CLIENTS))
def client(folder: Path, request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param](folder)


def thing(api: ReboundApi, path: str) -> dict[str, str]:
    """The ids in the address of a thing that has the first of all values."""
    request = {**request_of({place: first for place, (first, _) in VALUES[path].items()}), **MADE_WITH.get(path, {})}
    if path == "/v1/business":
        api.patch(path, request)
        return {}
    if method_of(path) == "PUT":
        api.call("PUT", address_of(path, request), request).expecting(201)
        return {"external_id": request["external_id"]}
    if path in NAMED:
        api.call("PUT", address_of(path, NAMED[path]), request).expecting(200)
        return dict(NAMED[path])
    if path in MADE_AFTER:
        address, body = MADE_AFTER[path]
        api.call("PUT", address, body).expecting(200, 201)
    (name,) = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {name: str(api.call("POST", path.rpartition("/")[0], request).expecting(201, 202).json()[name])}


def in_one_form(found: dict[Place, Any]) -> dict[Place, Any]:
    """With times as the API writes them: clients read them, and write them as they like."""
    return {
        place: write_time(datetime.fromisoformat(value)) if TIME.match(str(value)) else value
        for place, value in found.items()
    }


@pytest.mark.parametrize("path", PATCHES)
def test_a_field_is_changed_and_nothing_else(api: ReboundApi, operator: Operator, client: Client, path: str) -> None:
    api = operator.over_http() if path.startswith("/v1/operator/") else api
    settings = request_of(found_in(api.get(path), path)) if path == "/v1/business" else {}
    ids = thing(api, path)
    try:
        stands = found_in(api.get(address_of(path, ids)), path)
        assert stands == {place: first for place, (first, _) in VALUES[path].items()}
        for place, (_, second) in VALUES[path].items():
            if second is None and getattr(client, "leaves_out", None) == "exclude_none":
                continue
            change: dict[Place, Any] = {place: second}
            answered = in_one_form(found_in(client.patch(api, path, ids, request_of(change)), path))
            stands |= change
            assert answered == stands, f"named {'.'.join(place)}"
        assert found_in(api.get(address_of(path, ids)), path) == stands
    finally:
        if "delete" in DOCUMENT["paths"][path]:
            api.delete(address_of(path, ids))
        if settings:
            # Messages of the tests after this one need a sender. The rate is the operator's, above what a business may.
            api.patch(path, {name: value for name, value in settings.items() if name != "text_rate"})


def test_there_is_a_function_for_each_operation(folder: Path) -> None:
    made = AttrsClient(importlib.import_module("attrs_client")).operations()
    assert set(made) == {operation["operationId"] for _, _, operation in operations(DOCUMENT)}
