"""What `sam build` makes stands on its own, without what only a developer's virtual environment has."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import babel
import pytest

from local.stack import StackConfiguration
from local.stack.build import BUILT, BUILT_LAYER, build

FUNCTIONS: Final = sorted(path.parent.name for path in (Path(__file__).parents[2] / "functions").glob("*/handler.py"))
SOURCE: Final = Path(__file__).parents[2] / "layers" / "common" / "rebound"
LARGEST_MEGABYTES: Final = 72
IMPORT_ALL: Final = """
import importlib, pkgutil, rebound
for module in pkgutil.walk_packages(rebound.__path__, "rebound."):
    importlib.import_module(module.name)
"""


@pytest.fixture(scope="module", autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    build(StackConfiguration(directory=tmp_path_factory.mktemp("build")))


def run(code: str, *path: Path) -> str:
    """What ``code`` prints with the standard library and ``path`` only, and without any setting in the environment."""
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
    return done.stdout


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


def test_the_layer_brings_its_bytecode_which_python_loads_without_asking_for_times() -> None:
    sources = list(BUILT_LAYER.rglob("*.py"))
    compiled = [Path(importlib.util.cache_from_source(str(path))) for path in sources]

    assert len(sources) > 1000
    assert [path for path in compiled if not path.is_file()] == []
    # The second word of a file: 1 for a hash, and no 2 for one that is compared (PEP 552).
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\x00\x00\x00"}


def test_the_layer_is_free_of_tests() -> None:
    own = BUILT_LAYER / "rebound"

    assert own.is_dir()
    assert not [path for path in own.rglob("*.py") if path.name.startswith("test")]


def test_what_is_compiled_is_there_for_both_architectures() -> None:
    libraries = {str(path.relative_to(BUILT_LAYER)) for path in BUILT_LAYER.rglob("*.so")}

    assert len(libraries) >= 6
    assert {name.replace("aarch64", "x86_64") for name in libraries if "aarch64" in name} == {
        name for name in libraries if "x86_64" in name
    }


EVERY_CLIENT: Final = """
import boto3, botocore.config
for service in %r:
    boto3.client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x",
                 config=botocore.config.Config(retries={"mode": "standard"})).meta.service_model.operation_names
boto3.client("s3", region_name="eu-west-1").get_paginator("list_parts")
"""
A_TEXT: Final = """
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

class Line(TwilioHttpClient):
    def request(self, *_, **__):
        return Response(201, '{"sid": "SM1", "status": "queued"}')

assert Client("AC1", "x", http_client=Line()).messages.create(to="+1", from_="+2", body="x").sid == "SM1"
assert RequestValidator("x").compute_signature("https://x.example", {})
"""


def test_what_functions_ask_of_aws_and_twilio_is_not_left_out() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py") if path.name != "cli.py")
    asked = set(re.findall(r'\b(?:aws|aws_once)\(\s*"(\w+)"', source))

    assert len(asked) > 5
    run(EVERY_CLIENT % sorted(asked | {"dynamodb"}), BUILT_LAYER)
    run(A_TEXT, BUILT_LAYER)


WRITTEN: Final = """
import sys
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.typed_values import Reader, written
countries = {name[3:5] for name in %r}
for language in LANGUAGES:
    for country in ("XX", *sorted(countries)):
        reader = Reader(language, country, "UTC")
        print(language, country, [
            written(kind, value, reader)
            for kind, value in (("number", 1234.5), ("money", "1234.5 CHF"), ("date", "2026-03-05"), ("time", "17:05"))
        ])
"""


def test_values_are_written_from_the_layer_as_by_all_of_babel() -> None:
    names = sorted(path.stem for path in (BUILT_LAYER / "babel" / "locale-data").glob("??_??.dat"))
    everything = Path(babel.__file__).parents[1]
    from_layer, from_all = (
        run(f"{extra}\n{WRITTEN % names}", *paths)
        for extra, paths in (
            ("", (BUILT_LAYER,)),
            (f"sys.path.append({str(everything)!r})", (SOURCE.parent,)),
        )
    )

    assert len(names) > 200
    assert from_layer == from_all
    assert "5. März 2026" in from_layer


def test_the_layer_holds_no_more_than_what_is_imported() -> None:
    megabytes = sum(path.stat().st_size for path in BUILT_LAYER.rglob("*") if path.is_file()) / 2**20

    assert megabytes < LARGEST_MEGABYTES
    assert not (BUILT_LAYER / "aiohttp").exists()
