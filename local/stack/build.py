"""`sam build` for one machine, done again only when its sources have changed.

What is deployed here is the build with one difference: of the layer only our own package. Handlers see the packages
of the virtual environment, which are the lock's as well, and a copy of a function then starts in half a second of one
core instead of two, without unpacking 60 MB. `tests/e2e/test_built_layer.py` proves the whole layer.
"""

import compileall
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

from local.stack.configuration import REPOSITORY, StackConfiguration
from local.stack.errors import StackError
from local.stack.processes import last_lines

_SOURCES: Final = ("template.yaml", "statemachines", "layers/common", "functions")
# Apart from .aws-sam/build, where an operator builds for AWS.
_DIRECTORY: Final = REPOSITORY / ".aws-sam" / "one-machine"
_DIGEST: Final = _DIRECTORY / "sources.sha256"
_LAYER: Final = Path("CommonLayer", "python")
_OWN_PACKAGE: Final = "rebound"
BUILT: Final = _DIRECTORY / "build"
BUILT_LAYER: Final = BUILT / _LAYER
DEPLOYED: Final = _DIRECTORY / "deploy"


def build(configuration: StackConfiguration) -> str:
    """Builds what has changed since the last time and returns the sources' digest. Raises ``StackError``."""
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    with _alone():
        digest = _digest(configuration.architecture)
        if DEPLOYED.exists() and _DIGEST.exists() and _DIGEST.read_text(encoding="utf-8") == digest:
            return digest
        _DIGEST.unlink(missing_ok=True)
        sam(
            [
                "build",
                "--cached",
                "--parallel",
                "--build-dir",
                str(BUILT),
                "--cache-dir",
                str(_DIRECTORY / "cache"),
                "--parameter-overrides",
                f"Architecture={configuration.architecture}",
            ],
            configuration.environment(),
            configuration.directory / "build.log",
        )
        _thin_out()
        _DIGEST.write_text(digest, encoding="utf-8")
        return digest


def sam(arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
    """Runs AWS SAM CLI without questions, telemetry or samconfig.toml. Raises ``StackError`` with ``log``'s end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    # `sam build` looks for a python3.13 with pip; the virtual environment that runs this has both.
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [sys.executable, "-m", "samcli", *arguments, "--config-env", "one-machine", "--region", "us-east-1"],
            cwd=REPOSITORY,
            env={
                **environment,
                "PATH": path,
                "SAM_CLI_TELEMETRY": "0",
                # The default of five seconds is meant for an AWS that is far away.
                "SAM_CLI_POLL_DELAY": "0.2",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise StackError(f"`sam {arguments[0]}` failed; the end of {log}:\n{last_lines(log)}")


def _thin_out() -> None:
    """The build again, without the layer's third-party packages.

    Every copy of a function unpacks it. The bytecode says where it was made, which is not Lambda's folder here.
    """
    shutil.rmtree(DEPLOYED, ignore_errors=True)
    shutil.copytree(
        BUILT,
        DEPLOYED,
        ignore=lambda folder, names: set(names) - {_OWN_PACKAGE} if Path(folder) == BUILT_LAYER else set(),
    )
    compileall.compile_dir(DEPLOYED / _LAYER, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def _digest(architecture: str) -> str:
    """Changes with the name or content of anything that `sam build` reads."""
    digest = hashlib.sha256(architecture.encode())
    for file in sorted(_files()):
        digest.update(f"\0{file.relative_to(REPOSITORY)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    """The files of the sources, without what Python and editors leave beside them."""
    for source in _SOURCES:
        path = REPOSITORY / source
        if path.is_file():
            yield path
        else:
            yield from (
                file
                for file in path.rglob("*")
                if file.is_file()
                and not any(part == "__pycache__" or part.endswith(".egg-info") for part in file.parts)
            )


@contextmanager
def _alone() -> Iterator[None]:
    """Two stacks that start at the same time share one build."""
    with (_DIRECTORY / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
