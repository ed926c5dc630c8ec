"""What `sam build` makes stands on its own, without what only a developer's virtual environment has."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from local.stack import StackConfiguration
from local.stack.build import BUILT, BUILT_LAYER, build

FUNCTIONS: Final = sorted(path.parent.name for path in (Path(__file__).parents[2] / "functions").glob("*/handler.py"))
SOURCE: Final = Path(__file__).parents[2] / "layers" / "common" / "rebound"
IMPORT_ALL: Final = """
import importlib, pkgutil, rebound
for module in pkgutil.walk_packages(rebound.__path__, "rebound."):
    importlib.import_module(module.name)
"""


@pytest.fixture(scope="module", autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    build(StackConfiguration(directory=tmp_path_factory.mktemp("build")))


def run(code: str, *path: Path) -> None:
    """Runs ``code`` with the standard library and ``path`` only, and without any setting in the environment."""
    extended = f"import sys; sys.path[:0] = {[str(folder) for folder in path]}\n{code}"
    done = subprocess.run(
        # -I and -S: no environment variables, no site-packages.
        [sys.executable, "-I", "-S", "-B", "-c", extended],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_imports_from_the_built_layer_and_its_own_folder_alone(function: str) -> None:
    logical = "".join(part.title() for part in function.split("_")) + "Function"

    run("import handler; assert callable(handler.lambda_handler)", BUILT_LAYER, BUILT / logical)


def test_every_module_imports_from_the_built_layer_alone() -> None:
    run(IMPORT_ALL, BUILT_LAYER)


def test_every_data_file_is_in_the_built_layer() -> None:
    source, built = (
        {path.relative_to(package) for path in package.rglob("*") if path.suffix in {".csv", ".json"}}
        for package in (SOURCE, BUILT_LAYER / "rebound")
    )

    assert built == source != set()


def test_the_layer_is_free_of_bytecode_and_tests() -> None:
    own = BUILT_LAYER / "rebound"

    assert own.is_dir()
    assert not list(own.rglob("__pycache__"))
    assert not [path for path in own.rglob("*") if path.name.startswith("test")]
