"""A request loads the modules of the area that it is for, which have its route, and no others."""

import re
import subprocess
import sys

import pytest

from rebound.api.areas import API, AREAS
from rebound.platform.http.app import Area, resolver

WHEN_WRONG = {
    "rebound.kernel.problem_codes",
    "rebound.platform.http.problem_details",
    "rebound.platform.http.unknown_names",
}
"""What only a refusal needs."""
MODULES = sorted({module for area in AREAS for module in area.modules})


def addresses(module: str) -> list[str]:
    routes = resolver(API, module)
    found = [*routes._static_routes, *routes._dynamic_routes]
    return [re.sub("<[a-z_]+>", "x", route.path) for route in found if route.path != "/v1/openapi.json"]


def modules_of(path: str) -> tuple[str, ...]:
    area = API.area_of(path)
    return () if area is None else area.modules


@pytest.mark.parametrize("module", MODULES)
def test_a_request_is_sent_to_an_area_that_has_its_route(module: str) -> None:
    paths = addresses(module)

    assert paths
    assert [path for path in paths if module not in modules_of(path)] == []
    assert [path for path in paths if module not in modules_of(f"/{path}/")] == []


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.address)
def test_an_area_has_routes(area: Area) -> None:
    paths = [path for module in area.modules for path in addresses(module)]

    assert [path for path in paths if API.area_of(path) is area]


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/openapi.json", "/v1/nothing", "/customers", "//"])
def test_an_address_of_no_area_loads_none(path: str) -> None:
    assert API.area_of(path) is None


def test_all_routes_of_an_address_are_in_the_modules_of_one_area() -> None:
    """Or whoever asks with one method would be told that the others are not there."""
    having: dict[str, set[str]] = {}
    for module in MODULES:
        for address in addresses(module):
            having.setdefault(address, set()).add(module)

    assert {address for address, modules in having.items() if not modules <= set(modules_of(address))} == set()


def test_an_area_loads_no_other() -> None:
    program = (
        "import sys; from rebound.api.areas import API; from rebound.platform.http.app import resolver; "
        "resolver(API, *API.area_of('/v1/messages').modules); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert set(MODULES) & set(done.stdout.split()) == {"rebound.sending.http"}
    assert not WHEN_WRONG & set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["rebound.timeline.http", "rebound.preferences.http.consent", "rebound.eligibility.http.reachability"]
)
def test_what_shows_messages_loads_nothing_that_renders_them(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert {"rebound.templates.domain.rendering", "rebound.templates.domain.css_reading"}.isdisjoint(
        done.stdout.split()
    )
