"""Clients that others' programs make of the OpenAPI document, used as their users would."""

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import attrs

from rebound.platform.http.openapi import camel_case, operations
from tests.e2e.rebound_api import Json, ReboundApi
from tests.fakes.partial_updates import DOCUMENT, PATCHES, address_of, method_of, name_of

FILE: Final = Path(__file__).parents[2] / "docs" / "openapi.json"


def _make(folder: Path, module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    # It leaves out what it cannot make, and says so.
    assert "WARNING" not in said.upper(), said


@dataclass(frozen=True)
class AttrsClient:
    """A package of openapi-python-client: functions that take and give classes of attrs."""

    package: ModuleType

    @classmethod
    def made(cls, folder: Path) -> "AttrsClient":
        """Generated into a folder that is on the path."""
        configuration = folder / "configuration.json"
        configuration.write_text(json.dumps({"post_hooks": []}), encoding="utf-8")
        arguments = ("--path", str(FILE), "--meta", "none", "--config", str(configuration))
        _make(folder, "openapi_python_client", "generate", *arguments, "--output-path", "attrs_client")
        return cls(importlib.import_module("attrs_client"))

    def operations(self) -> Mapping[str, ModuleType]:
        """Its functions by operation id."""
        names = {operation["operationId"] for _, _, operation in operations(DOCUMENT)}
        found = pkgutil.walk_packages(self.package.__path__, "attrs_client.")
        modules = {each.name: camel_case(each.name.rpartition(".")[2]) for each in found}
        return {name: importlib.import_module(module) for module, name in modules.items() if name in names}

    def patch(self, api: ReboundApi, path: str, ids: Mapping[str, str], request: Json) -> Json:
        """The answer to a PATCH with what the request names."""
        operation = PATCHES[path]
        models = importlib.import_module("attrs_client.models")
        shape = getattr(models, name_of(operation["requestBody"]["content"]["application/json"]["schema"]))
        unset = importlib.import_module("attrs_client.types").UNSET
        client = self.package.AuthenticatedClient(base_url=api.url, token=api.key)
        with client:
            answer = self.operations()[operation["operationId"]].sync_detailed(
                client=client, body=_constructed(shape.from_dict(request), unset), **ids
            )
        assert answer.status_code == 200, answer.content
        answered: Json = answer.parsed.to_dict()
        return answered


def _constructed(value: Any, unset: object) -> Any:
    """The same as its user would write it, ``Class(name=value)``: what is not named gets the class's default."""
    if isinstance(value, list):
        return [_constructed(each, unset) for each in value]
    if not attrs.has(type(value)):
        return value
    given = {field.name: getattr(value, field.name) for field in attrs.fields(type(value)) if field.init}
    made = type(value)(**{name: _constructed(each, unset) for name, each in given.items() if each is not unset})
    # Of a mapping, such as contents by language, entries are set one by one.
    for name, each in getattr(value, "additional_properties", {}).items():
        made[name] = _constructed(each, unset)
    return made


@dataclass(frozen=True)
class PydanticModels:
    """A module of datamodel-code-generator: models of pydantic, which are sent by whatever sends."""

    module: ModuleType
    leaves_out: str
    """Of what its user did not name: ``exclude_unset`` or ``exclude_none``."""

    @classmethod
    def made(cls, folder: Path, leaves_out: str) -> "PydanticModels":
        """Generated into a folder that is on the path."""
        kind = ("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel")
        style = ("--target-python-version", "3.13", "--formatters", "builtin")
        if not (folder / "pydantic_models.py").exists():
            _make(
                folder,
                "datamodel_code_generator",
                "--input",
                str(FILE),
                "--output",
                "pydantic_models.py",
                *kind,
                *style,
            )
        return cls(importlib.import_module("pydantic_models"), leaves_out)

    def patch(self, api: ReboundApi, path: str, ids: Mapping[str, str], request: Json) -> Json:
        """The answer to a PATCH with what the request names, read by the model of the answer."""
        operation = PATCHES[path]
        shape = getattr(self.module, name_of(operation["requestBody"]["content"]["application/json"]["schema"]))
        sent = shape(**request).model_dump(mode="json", by_alias=True, **{self.leaves_out: True})
        answer = api.call(method_of(path), address_of(path, ids), sent).expecting(200).json()
        content = operation["responses"]["200"]["content"]["application/json"]
        read = getattr(self.module, name_of(content["schema"])).model_validate(answer)
        answered: Json = read.model_dump(mode="json", by_alias=True)
        return answered
