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
    here = alternatives(shape)
    for part in way:
        here = [each for one in here for found in below(one, part) for each in alternatives(found)]
    return {name for each in here if _is_model(each) for name in _fields(each)}


def alternatives(shape: Any) -> list[Any]:
    """The kinds of value that a shape takes."""
    if isinstance(shape, TypeAliasType):
        return alternatives(shape.__value__)
    origin, parts = get_origin(shape), get_args(shape)
    if origin is Annotated:
        return alternatives(parts[0])
    return [each for part in parts for each in alternatives(part)] if origin in (Union, UnionType) else [shape]


def below(shape: Any, part: str | int) -> list[Any]:
    """The shape at a field of a model, at a key of a mapping, or at a place in a list; none where there is no such."""
    if _is_model(shape):
        fields = _fields(shape)
        return [fields[str(part)]] if part in fields else []
    parts = get_args(shape)
    is_mapping = get_origin(shape) is dict
    return [parts[-1]] if parts and is_mapping is isinstance(part, str) else []


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _shown(name: str) -> str:
    """The name as it was sent; one that is empty, or no name at all, still has to be called something."""
    return name[:_SHOWN] or "query"
