"""The reference of the API: pages that were written with the OpenAPI document (``make openapi``), in a frame."""

from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit
from rebound.kernel.errors import NotFoundError

PAGES: Final = Path(__file__).parent / "reference_pages"
INDEX: Final = "index"
ERRORS: Final = "errors"


def show(visit: Visit) -> PageAnswer:
    """What there is."""
    return visit.page("reference", area=None, areas=_areas(), content=_content(INDEX))


def show_area(visit: Visit, name: str) -> PageAnswer:
    """One area with all its operations, or the errors."""
    if name == INDEX or name not in (*_areas(), ERRORS):
        raise NotFoundError("page")
    return visit.page("reference", area=name, areas=_areas(), content=_content(name))


@cache
def _areas() -> tuple[str, ...]:
    return tuple(sorted({path.stem for path in PAGES.glob("*.html")} - {INDEX, ERRORS}))


@cache
def _content(name: str) -> Markup:
    return Markup((PAGES / f"{name}.html").read_text(encoding="utf-8"))  # noqa: S704 - escaped when it was written
