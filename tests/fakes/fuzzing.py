"""Requests that schemathesis makes of the OpenAPI document: right ones, wrong ones, and every edge between."""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "openapi.json"
CONFIGURATION: Final = Path(__file__).with_name("schemathesis.toml")
LONGEST_LINE: Final = 400
"""Of what it says of a fault; its requests may be of many thousand characters."""
UNMADE: Final = frozenset({"Schema Error", "Failed Health Check"})
"""Errors of making requests up, by the titles in its summary."""
_ERROR: Final = re.compile("^  \N{NO ENTRY SIGN} (.+): [0-9]+$", re.MULTILINE)


def fuzz(url: str, key: str | None, *arguments: str) -> int:
    """How many requests were made; every one of them must have been answered as the document says."""
    command = ("schemathesis.cli", "--config-file", str(CONFIGURATION), "run", str(DOCUMENT))
    how = ("--url", url, "--header", f"Authorization: Bearer {key}", "--request-timeout", "60", "--no-color")
    everything = ("--continue-on-failure", "--warnings", "off")
    # What it keeps of a run to repeat in the next would make runs differ.
    with TemporaryDirectory() as here:
        done = subprocess.run(
            [sys.executable, "-m", *command, *how, *everything, *arguments],
            cwd=here,
            capture_output=True,
            text=True,
            check=False,
        )
    said = "\n".join(line[:LONGEST_LINE] for line in done.stdout.splitlines())
    # An operation for which it makes up no example, in time or at all, is its own affair: the API has said nothing.
    errors = set(_ERROR.findall(done.stdout))
    unmade = bool(errors) and errors <= UNMADE and "= FAILURES =" not in done.stdout
    assert done.returncode == 0 or unmade, said + done.stderr
    found = re.search(r"(\d+) generated", done.stdout)
    assert found, done.stdout
    return int(found[1])
