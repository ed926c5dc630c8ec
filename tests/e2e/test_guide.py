"""README and guide are true: every block that a reader would paste is pasted, page by page, into a shell.

A page fails when a command fails, or when a request is refused and no comment of its block gives the status.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from local.stack import Stack
from local.stack.configuration import REPOSITORY
from tests.e2e.rebound_api import few_at_once
from tests.e2e.surroundings import RUN, Calm, EmbeddedAws, Operator

GUIDE: Final = REPOSITORY / "docs" / "guide"
PAGES: Final = (REPOSITORY / "README.md", GUIDE / "README.md", *sorted(GUIDE.glob("[a-z]*.md")))
PASTED: Final = "sh"
SHOWN: Final = ("sh no-run", "json", "mermaid", "python", "text")
"""Blocks that nobody pastes here: what needs an account of AWS, answers, and pictures."""
DEADLINE_SECONDS: Final = 180.0

PRELUDE: Final = """
set -eu
curl() { command curl --write-out '%{stderr}\\n[HTTP %{http_code}]\\n' "$@"; }
# The stack runs already.
make() { case "$*" in up) ;; "-s env") cat environment ;; *) echo "make $*: not in a test" >&2; return 1 ;; esac; }
"""
_FENCE: Final = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT: Final = re.compile(r"(?:^|\s)#\s(.*)$", re.MULTILINE)
_ANNOUNCED: Final = re.compile(r"\b[45]\d\d\b")
_ANSWERED: Final = re.compile(r"^\[HTTP (\d+)\]$", re.MULTILINE)
_NOT_REFUSED: Final = re.compile(r"\n?\[HTTP [123]\d\d\]\n")
_MARKER: Final = re.compile(r"^──── line \d+ ────$", re.MULTILINE)
_REMEMBERED: Final = re.compile(r"\b(recovers|throttled|reordered)\+")
"""Addresses whose earlier messages the twin remembers, so that each run has its own."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page; ``line`` is where its text begins."""

    line: int
    info: str
    text: str

    @property
    def announced(self) -> set[str]:
        """The refusals that its comments speak of."""
        return {status for comment in _COMMENT.findall(self.text) for status in _ANNOUNCED.findall(comment)}

    @property
    def script(self) -> str:
        """What is pasted, with a line before its output."""
        return f"printf '%s\\n' '──── line {self.line} ────'\n{_REMEMBERED.sub(rf'\1+{RUN}-', self.text)}"


def blocks_of(page: Path) -> Iterator[Block]:
    """All blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(text.count("\n", 0, found.start("text")) + 1, found["info"].strip(), found["text"])


PASTED_BLOCKS: Final[Mapping[Path, list[Block]]] = {
    page: [block for block in blocks_of(page) if block.info == PASTED] for page in PAGES
}


def named(page: Path) -> str:
    """The page's path from the repository's folder on."""
    return page.relative_to(REPOSITORY).as_posix()


@dataclass(frozen=True, slots=True)
class Pasted:
    """What became of a page's blocks, all run in one shell: exit status, if it ended in time, and what it printed."""

    ended: int | None
    output: str

    @classmethod
    def into(cls, folder: Path, blocks: list[Block]) -> "Pasted":
        """Paste them, standing in that folder."""
        (folder / "page.sh").write_text("\n".join((PRELUDE, *(block.script for block in blocks))), encoding="utf-8")
        with (folder / "output").open("wb") as output:
            try:
                ended = subprocess.run(
                    ["bash", "page.sh"],  # noqa: S607 - as on the reader's own PATH
                    cwd=folder,
                    env={"PATH": os.environ["PATH"], "HOME": str(folder)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=DEADLINE_SECONDS,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                ended = None
        return cls(ended, (folder / "output").read_text(encoding="utf-8", errors="replace"))


@pytest.fixture(scope="module")
def pasted(
    stack: Stack, aws: EmbeddedAws, operator: Operator, calm: Calm, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Path, Pasted]:
    """All pages, several at once because they mostly wait, each for a business as `make up` makes it."""

    def folder_for(page: Path, number: int) -> Path:
        """A folder that looks like the repository's to a page."""
        business = operator.new_business(
            f"Guide, {page.stem}",
            *("--email-from", "hello@salon.example.com", "--owner-email", "owner@salon.example.com"),
            # Every business that sends from a number hears what is texted to it.
            *("--text-from", f"+150055501{number:02d}", "--text-rate", "1000"),
        )
        exported = {
            **aws.environment,
            "API_URL": stack.api_url,
            "API_KEY": business.key or "",
            "BUSINESS_ID": business.business_id,
            "TWIN_URL": stack.twin_url,
        }
        folder = tmp_path_factory.mktemp(page.stem)
        for name in ("docs", ".venv"):
            (folder / name).symlink_to(REPOSITORY / name)
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in exported.items())
        (folder / "environment").write_text("".join(lines), encoding="utf-8")
        return folder

    pages = [(page, blocks) for page, blocks in PASTED_BLOCKS.items() if blocks]
    work = [(folder_for(page, number), blocks) for number, (page, blocks) in enumerate(pages)]
    became = few_at_once(lambda each: Pasted.into(*each), work)
    calm.wait()
    return {page: became for (page, _), became in zip(pages, became, strict=True)}


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=named(page)) for page, blocks in PASTED_BLOCKS.items() if blocks]
)
def test_what_a_page_has_its_reader_paste_works(page: Path, pasted: Mapping[Path, Pasted]) -> None:
    found = pasted[page]
    assert found.ended == 0, f"{named(page)} ended with {found.ended}:\n{_NOT_REFUSED.sub('', found.output)}"
    for block, output in zip(PASTED_BLOCKS[page], _MARKER.split(found.output)[1:], strict=True):
        refused = {status for status in _ANSWERED.findall(output) if status[0] not in "123"}
        assert refused == block.announced, f"{named(page)}:{block.line}\n{block.text}\n{output}"


@pytest.mark.parametrize("page", [pytest.param(page, id=named(page)) for page in PAGES])
def test_each_block_of_a_page_is_pasted_or_says_that_it_is_only_shown(page: Path) -> None:
    assert {block.info for block in blocks_of(page)} <= {PASTED, *SHOWN}
