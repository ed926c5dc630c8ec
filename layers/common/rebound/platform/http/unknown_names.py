"""Names in a request that are none of the API's, each with the one that may have been meant. Loaded when there are any.

What a route takes is known from the route itself: its function's parameters, and the shape of its body.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, TypeAliasType, Union, get_args, get_origin

from aws_lambda_powertools.event_handler.api_gateway import Route
from pydantic import BaseModel

from rebound.kernel.errors import FieldError
from rebound.platform.http.shapes import Request

_SHOWN: Final = 100
"""Characters of a name that is shown to whoever sent it."""
_NO_FIELD: Final = "Is not a field of this request."


def wrong_parameters(route: Route, given: Mapping[str, Sequence[str]]) -> Iterator[FieldError]:
    """What is wrong with the names of parameters in the address; ``given`` has all values of each."""
    known = sorted(field.alias for field in route.dependant.query_params)
    what = f"This request takes {', '.join(known)}." if known else "This request takes none."
    for name, values in given.items():
        if name not in known:
            yield FieldError.unknown(_shown(name), f"Is not a parameter of this request. {what}", name, known)
        elif len(values) > 1:
            yield FieldError(name, "Must be given once.")


def fields_of_nothing(body: str) -> Iterator[FieldError]:
    """The fields of a body that was sent where none is taken."""
    for name in json.loads(body):
        yield FieldError(_shown(name), f"{_NO_FIELD} It takes none.")


def unknown_field(field: str, place: Sequence[str | int], shapes: Iterable[Any]) -> FieldError:
    """The error for a field that no shape has; ``place`` is where it stands in them, the last part its own name."""
    *way, name = place
    known = {known for shape in shapes for known in _fields_at(shape, way)}
    return FieldError.unknown(field, _NO_FIELD, str(name), sorted(known))


def shapes_of_body(route: Route) -> list[Any]:
    """The shape of a route's body."""
    return [field.field_info.annotation for field in route.dependant.body_params]


def shapes_called(name: str) -> list[Any]:
    """The shapes of that name: all that pydantic's own errors have of one."""
    return [shape for shape in _below(Request) if shape.__name__ == name]


def _below(shape: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in shape.__subclasses__():
        yield each
        yield from _below(each)


def _fields_at(shape: Any, way: Sequence[str | int]) -> set[str]:
    """The names of the fields at a place below a shape."""
    if isinstance(shape, TypeAliasType):
        return _fields_at(shape.__value__, way)
    origin, parts = get_origin(shape), get_args(shape)
    if origin is Annotated:
        return _fields_at(parts[0], way)
    if origin in (Union, UnionType):
        # Pydantic puts the name of the alternative into the place, if there are several to choose from.
        ways = (way, way[1:])
        return {name for part in parts for each in ways[: 1 + bool(way)] for name in _fields_at(part, each)}
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in shape.model_fields.items()}
        if not way:
            return set(fields)
        return _fields_at(fields[way[0]], way[1:]) if way[0] in fields else set()
    # Of a list or a mapping.
    return _fields_at(parts[-1], way[1:]) if parts and way else set()


def _shown(name: str) -> str:
    """The name as it was sent; one that is empty, or no name at all, still has to be called something."""
    return name[:_SHOWN] or "query"
