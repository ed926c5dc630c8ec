"""A request loads the area that it is for, which is the one that has its route, and no other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import rebound.http.areas
from rebound.http.app import AREAS, api, areas_of

FOLDER = Path(rebound.http.areas.__path__[0])


def addresses(area: str) -> list[str]:
    resolver = api(area)
    routes = [*resolver._static_routes, *resolver._dynamic_routes]
    return [re.sub("<[a-z_]+>", "x", route.path) for route in routes if route.path != "/v1/openapi.json"]


def test_every_module_of_the_folder_is_an_area() -> None:
    assert set(AREAS) == {path.stem for path in FOLDER.glob("[a-z]*.py")}


@pytest.mark.parametrize("area", AREAS)
def test_a_request_is_sent_to_the_area_that_has_its_route(area: str) -> None:
    paths = addresses(area)

    assert paths
    assert {path: areas_of(path) for path in paths} == dict.fromkeys(paths, (area,))
    assert {path: areas_of(f"/{path}/") for path in paths} == dict.fromkeys(paths, (area,))


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/openapi.json", "/v1/nothing", "/customers", "//"])
def test_an_address_of_no_area_loads_none(path: str) -> None:
    assert areas_of(path) == ()


def test_no_address_has_routes_in_two_areas() -> None:
    found = [(address, area) for area in AREAS for address in set(addresses(area))]

    assert len(dict(found)) == len(found)


def test_an_area_loads_no_other() -> None:
    program = "import sys; from rebound.http.app import api; api('messages'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in done.stdout.split() if name.startswith("rebound.http.areas.")}

    assert loaded == {"messages"}
