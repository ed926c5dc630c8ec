"""Builds the layer: the package, what it imports from the lock for both of Lambda's architectures, and their bytecode.

``sam build`` runs it by the ``Makefile`` beside it. What is never imported is left out (decision 0048):
``tests/e2e/test_built_layer.py`` imports and calls everything from what comes out.
"""

import compileall
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

HERE: Final = Path(__file__).parent
ARCHITECTURES: Final = ("aarch64", "x86_64")
"""Side by side: what is compiled has the architecture in its name, and Python takes its own."""
PLATFORMS: Final = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""What the runtime's system, Amazon Linux 2023, can load."""
NEVER_IMPORTED: Final = frozenset(
    {
        "aiohappyeyeballs",
        "aiohttp",
        "aiohttp-retry",
        "aiosignal",
        "attrs",
        "frozenlist",
        "multidict",
        "propcache",
        "yarl",
    }
)
"""Packages of the lock that only an asynchronous client of Twilio would use."""
SERVICES: Final = frozenset(
    {
        "cloudwatch",
        "dynamodb",
        "events",
        "s3",
        "scheduler",
        "secretsmanager",
        "sesv2",
        "sns",
        "sqs",
        "stepfunctions",
    }
)
"""What functions ask of AWS, by botocore's names; the models of all others are left out."""
LOCALES: Final = re.compile(r"(?:root|(?:de|en|es|fr|it|pt)(?:_(?:[A-Z]{2}|[0-9]{3}))?)\.dat")
"""Babel's data of the languages in which Rebound writes, in every country and region of the world."""
TWILIO_PRODUCTS: Final = frozenset({"api"})
"""Of Twilio's SDK, which loads a product when it is asked for."""


def main(target: Path) -> None:
    """Build into a folder that is empty or not there. Raises ``CalledProcessError`` where pip fails."""
    requirements = {name: text for name, text in _requirements() if name not in NEVER_IMPORTED}
    first, *others = ARCHITECTURES
    _install(requirements.values(), first, target)
    compiled = sorted(_compiled(target))
    for architecture in others:
        with tempfile.TemporaryDirectory() as folder:
            _install((requirements[name] for name in compiled), architecture, Path(folder))
            _add_compiled(Path(folder), target)
    _leave_out(target / "botocore" / "data", SERVICES)
    _leave_out(target / "twilio" / "rest", TWILIO_PRODUCTS)
    for each in (target / "babel" / "locale-data").iterdir():
        if not LOCALES.fullmatch(each.name):
            each.unlink()
    shutil.rmtree(target / "babel" / "messages")
    shutil.rmtree(target / "bin", ignore_errors=True)
    shutil.copytree(HERE / "rebound", target / "rebound", ignore=shutil.ignore_patterns("__pycache__"))
    # Times do not survive a zip; sources that do not change are not compared with their bytecode either.
    done = compileall.compile_dir(
        target,
        quiet=1,
        workers=0,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        # Where Lambda puts a layer, for tracebacks.
        stripdir=str(target),
        prependdir="/opt/python",
    )
    if not done:
        sys.exit("Some modules of the layer do not compile.")


def _name_by_architecture(target: Path, architecture: str) -> None:
    """Let libraries for any Python from some version on have the architecture in their names as others have it.

    Two that are called ``x.abi3.so`` could not stand side by side; a name with Python's own tag is looked for first.
    """
    for library in target.rglob("*.abi3.so"):
        library.rename(library.with_name(library.name.replace(".abi3.", f".cpython-313-{architecture}-linux-gnu.")))


def _requirements() -> Iterator[tuple[str, str]]:
    """Each package of the lock, with its version and hashes."""
    lock = (HERE / "requirements.txt").read_text(encoding="utf-8")
    for found in re.finditer(r"^([A-Za-z0-9._-]+)==(?:.*\\\n)+.*$", lock, re.MULTILINE):
        yield found[1], found[0]


def _install(requirements: Iterable[str], architecture: str, target: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as lock:
        lock.write("\n".join(requirements) + "\n")
        lock.flush()
        subprocess.run(  # noqa: S603 - our own arguments, no shell
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"),
                *("--implementation", "cp", "--python-version", "3.13"),
                *(option for name in PLATFORMS for option in ("--platform", f"{name}_{architecture}")),
                *("--target", str(target), "--requirement", lock.name),
            ],
            check=True,
        )
    _name_by_architecture(target, architecture)


def _compiled(target: Path) -> Iterator[str]:
    """The packages that have something for one architecture only, by their names in the lock."""
    for record in target.glob("*.dist-info/RECORD"):
        if re.search(r"\.so,", record.read_text(encoding="utf-8")):
            yield record.parent.name.partition("-")[0].replace("_", "-").lower()


def _add_compiled(source: Path, target: Path) -> None:
    for library in source.rglob("*.so"):
        added = target / library.relative_to(source)
        if added.exists():
            sys.exit(f"{added.name} is there for another architecture, and its name does not tell them apart.")
        shutil.copy2(library, added)


def _leave_out(folder: Path, but: frozenset[str]) -> None:
    for each in folder.iterdir():
        if each.is_dir() and each.name not in but:
            shutil.rmtree(each)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
