"""Requests checked against AWS's own service model, as botocore ships it."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import ListShape, OperationModel, Shape, StructureShape


@functools.cache
def _operation(service: str, name: str) -> OperationModel:
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def violations(service: str, operation: str, payload: Any) -> list[str]:
    """What is wrong with a JSON payload: types, required members, lengths, patterns and enumerations.

    botocore checks only the lower bounds before it sends; the service checks all of them. Members the model does not
    know are ignored, as AWS does.
    """
    shape = _operation(service, operation).input_shape
    return [] if shape is None else list(_check(shape, payload, ""))


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "timestamp": (int, float, str),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}


def _is_a(value: Any, types: tuple[type, ...]) -> bool:
    return isinstance(value, types)


def _failed(path: str) -> str:
    return f"Value at '{path}' failed to satisfy constraint: Member must"


def _check(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not _is_a(value, _TYPES[shape.type_name]):
        yield f"{_failed(path)} be of type {shape.type_name}"
        return
    if isinstance(shape, StructureShape):
        yield from _check_structure(shape, value, path)
        return
    if isinstance(value, str | list):
        yield from _check_size(shape, value, path)
    if isinstance(shape, ListShape):
        members: list[Any] = value
        for number, member in enumerate(members, 1):
            yield from _check(shape.member, member, f"{path}.{number}.member")
    elif isinstance(value, str):
        yield from _check_text(shape, value, path)


def _check_structure(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_inside(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _check(member, value[name], _inside(path, name))


def _inside(path: str, name: str) -> str:
    camel = name[0].lower() + name[1:]
    return f"{path}.{camel}" if path else camel


def _check_size(shape: Shape, value: str | list[Any], path: str) -> Iterator[str]:
    constraint = f"{_failed(path)} have length"
    if len(value) < shape.metadata.get("min", 0):
        yield f"{constraint} greater than or equal to {shape.metadata['min']}"
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"{constraint} less than or equal to {shape.metadata['max']}"


def _check_text(shape: Shape, value: str, path: str) -> Iterator[str]:
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield f"{_failed(path)} satisfy regular expression pattern: {pattern}"
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{_failed(path)} satisfy enum value set: [{', '.join(allowed)}]"
