"""What the documents point at is there: files, folders and headings, from every page of the repository."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[3]
PAGES: Final = (*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md")))
README_LINES: Final = 150
"""A newcomer reads it in one go; the rest is in the guide."""

_FENCED: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NAMED: Final = re.compile(r"`((?:docs|events|functions|layers|local|statemachines|tests)/[\w/.-]+)`")
_HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)
_ELSEWHERE: Final = ("https://", "http://", "mailto:")


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """File and heading of each link that stays in the repository; without a heading it is empty."""
    for target in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        if not target.startswith(_ELSEWHERE):
            path, _, heading = target.partition("#")
            yield (page.parent / path if path else page), heading


def headings(page: Path) -> set[str]:
    """The headings as GitHub writes them into addresses: lower case, words with hyphens between them."""
    found = _HEADING.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", [pytest.param(page, id=page.relative_to(REPOSITORY).as_posix()) for page in PAGES])
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target, heading in links(page):
        assert target.exists(), target
        assert not heading or heading in headings(target), f"{target}#{heading}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.stem)
def test_the_files_that_a_page_names_are_there(page: Path) -> None:
    """The changelog names what was there at its time."""
    named = _NAMED.findall(page.read_text(encoding="utf-8"))

    assert not [path for path in named if not (REPOSITORY / path).exists()]


def test_the_readme_is_read_in_one_go() -> None:
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES
