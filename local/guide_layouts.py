"""What the guide's page of layouts says of blocks and colours, from the shapes of the domain."""

from collections.abc import Iterator
from typing import get_args

from msgspec import Struct, inspect

from local.guide_sources import table
from rebound.businesses.domain.layout_style import Style
from rebound.templates.domain.layout import AnyBlock


def layout_blocks() -> str:
    """A row for each kind of block: what it is, and its fields, those that must be there first."""
    return table(("`kind`", "", "fields"), map(_row, get_args(AnyBlock)))


def layout_style() -> str:
    """A row for each field of the style with what it is when it is left out."""
    fields = _shape(Style).fields
    return table(("field of `style`", "what it may be", "left out"), (_style_row(field) for field in fields))


def _shape(struct: type[Struct]) -> inspect.StructType:
    shape = inspect.type_info(struct)
    if not isinstance(shape, inspect.StructType):
        raise TypeError(struct)
    return shape


def _row(block: type[Struct]) -> Iterator[str]:
    shape = _shape(block)
    yield f"`{shape.tag}`"
    yield " ".join((block.__doc__ or "").split()).replace("``", "`")
    needed = [f"`{field.encode_name}`" for field in shape.fields if field.required]
    others = [f"`{field.encode_name}`" for field in shape.fields if not field.required]
    yield "; ".join(filter(None, (", ".join(needed), f"perhaps {', '.join(others)}" if others else "")))


def _style_row(field: inspect.Field) -> Iterator[str]:
    yield f"`{field.encode_name}`"
    yield _allowed(field.type)
    default = field.default
    yield "as `text_color`" if field.encode_name == "heading_color" else "" if default is None else f"`{default}`"


def _allowed(shape: inspect.Type) -> str:
    match shape:
        case inspect.Metadata(type=inner):
            return str((shape.extra_json_schema or {}).get("description") or _allowed(inner))
        case inspect.UnionType(types=types):
            return _allowed(types[0])
        case inspect.EnumType(cls=cls):
            return ", ".join(f"`{each.value}`" for each in cls)
        case inspect.IntType(ge=ge, le=le):
            return f"{ge} to {le} pixels"
        case inspect.StructType(fields=fields):
            return " and ".join(f"`{field.encode_name}`" for field in fields)
    raise TypeError(shape)
