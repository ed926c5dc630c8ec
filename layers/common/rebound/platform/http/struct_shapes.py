"""Structs of layouts as shapes, written for the OpenAPI document. Loaded only for it."""

from collections.abc import Mapping
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, Union

from msgspec import Struct, inspect
from pydantic import BaseModel, ConfigDict, Field, create_model

_NAMES: Final[Mapping[str, str]] = {"Layout": "Layout", "TextBlock": "LayoutText", "Html": "LayoutHtml"}
_LIMITS: Final = ("min_length", "max_length", "pattern", "ge", "le")


@cache
def model_of(struct: type[Struct]) -> type[BaseModel]:
    """A struct as a shape."""
    shape = inspect.type_info(struct)
    assert isinstance(shape, inspect.StructType)  # noqa: S101 - for the type checker
    fields: dict[str, Any] = {}
    if shape.tag_field is not None:
        fields[shape.tag_field] = (Literal[shape.tag], ...)
    for field in shape.fields:
        fields[field.encode_name] = (_written(field.type), ... if field.required else None)
    name = _NAMES.get(struct.__name__, f"Layout{struct.__name__}")
    made: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=struct.__doc__, **fields)
    return made


def _written(shape: inspect.Type) -> Any:
    """A type as pydantic writes it."""
    match shape:
        case inspect.Metadata(type=inner):
            return Annotated[_written(inner), Field(**(shape.extra_json_schema or {}))]
        case inspect.UnionType(types=types):
            return Union[tuple(_written(each) for each in types)]  # noqa: UP007 - made at runtime
        case inspect.StructType(cls=cls):
            return model_of(cls)
        case inspect.ListType(item_type=item):
            return _limited(GenericAlias(list, (_written(item),)), shape)
        case inspect.EnumType(cls=cls):
            return cls
        case inspect.StrType():
            return _limited(str, shape)
        case inspect.IntType():
            return _limited(int, shape)
        case inspect.BoolType():
            return bool
        case inspect.NoneType():
            return None
    raise TypeError(shape)


def _limited(kind: Any, shape: inspect.Type) -> Any:
    limits = {name: value for name in _LIMITS if (value := getattr(shape, name, None)) is not None}
    return Annotated[kind, Field(**limits)] if limits else kind
