"""Errors name the fields that the client wrote, for every body that the API takes and whatever is wrong with it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, StringConstraints, ValidationError, create_model

import rebound
from rebound.kernel.errors import InvalidInputError
from rebound.platform.http.error_fields import fields_of
from rebound.platform.http.problems import _sentence
from rebound.platform.http.shapes import Request
from rebound.platform.http.unknown_names import alternatives, below

for found in pkgutil.walk_packages(rebound.__path__, "rebound."):
    if re.search(r"\.http\b", found.name):
        importlib.import_module(found.name)


def _below(shape: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in shape.__subclasses__():
        yield each
        yield from _below(each)


BODIES: Final = sorted(set(_below(Request)), key=lambda each: (each.__module__, each.__qualname__))
ANYTHING: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [None, True, 0, -1.5, "", "x", "1999-01-01", "ab" * 16, [], {}, [1], {"x": 1}, [[]]]
)
NAMES: Final = {
    field.alias or name
    for each in BODIES
    if each.model_rebuild() is not False
    for name, field in each.model_fields.items()
}


def wrong(shape: Any, depth: int = 3) -> st.SearchStrategy[Any]:
    """A JSON value that is like the shape somewhere, and often wrong below."""
    kinds: list[st.SearchStrategy[Any]] = []
    for each in alternatives(shape) if depth else ():
        if isinstance(each, type) and issubclass(each, BaseModel):
            of_each = {
                field.alias or name: wrong(field.annotation, depth - 1) for name, field in each.model_fields.items()
            }
            kinds.append(
                st.fixed_dictionaries({}, optional=of_each)
                | st.fixed_dictionaries(of_each)
                | st.fixed_dictionaries({"what_is_that": ANYTHING}, optional=of_each)
            )
        elif inner := below(each, 0):
            kinds.append(st.lists(wrong(inner[0], depth - 1), max_size=3))
        elif inner := below(each, "any"):
            kinds.append(st.dictionaries(st.sampled_from(["k", "bool", "str"]), wrong(inner[0], depth - 1), max_size=2))
    return st.one_of(ANYTHING, *kinds)


def is_written(field: str, body: Any) -> bool:
    """Whether the body has the field, or has the object in which a field of the API is missing."""
    parts = re.findall(r"[^.\[\]]+|\[[0-9]+\]", field)
    here = body
    for at, part in enumerate(parts):
        is_last = at == len(parts) - 1
        if part.startswith("["):
            number = int(part[1:-1])
            if not isinstance(here, list) or number >= len(here):
                return False
            here = here[number]
        elif not isinstance(here, dict):
            return False
        elif part not in here:
            return is_last and part in NAMES
        else:
            here = here[part]
    return True


@pytest.mark.parametrize("body", BODIES, ids=lambda each: each.__name__)
@given(data=st.data())
def test_each_error_is_about_one_field_as_it_was_written(body: type[BaseModel], data: st.DataObject) -> None:
    sent = data.draw(wrong(body))
    try:
        body.model_validate(sent)
    except ValidationError as error:
        errors = fields_of(error.errors(), [body], _sentence, sent)
    except InvalidInputError as error:
        errors = list(error.errors)
    else:
        return
    fields = [each.field for each in errors]

    assert fields
    assert len(fields) == len(set(fields))
    assert [field for field in fields if field != "body" and not is_written(field, sent)] == []


class _Inner(Request):
    least: int


class _Either(Request):
    """Each kind of union that a body could have."""

    plain: bool | Annotated[str, StringConstraints(max_length=3)] = False
    of_lists: list[int | str] = Field(default=[])
    of_objects: str | list[str] | _Inner | None = None
    of_names: dict[str, int | bool] = Field(default={})


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"plain": 1}, {"plain": "Must be a valid boolean or a valid string."}),
        ({"plain": {}}, {"plain": "Must be a valid boolean or a valid string."}),
        ({"plain": "long"}, {"plain": "Must have at most 3 characters."}),
        ({"plain": None, "of_lists": ["a", 1.5]}, {"plain": None, "of_lists[1]": None}),
        ({"of_objects": [1, "a", 2]}, {"of_objects[0]": None, "of_objects[2]": None}),
        ({"of_objects": {"last": 1}}, {"of_objects.least": "Is required.", "of_objects.last": None}),
        ({"of_objects": {"least": "x"}}, {"of_objects.least": "Must be a valid integer."}),
        ({"of_names": {"bool": "x", "a": 1}}, {"of_names.bool": "Must be a valid integer or a valid boolean."}),
        (7, {"body": None}),
    ],
)
def test_of_several_kinds_the_one_that_was_meant_is_spoken_of(sent: Any, said: dict[str, str | None]) -> None:
    with pytest.raises(ValidationError) as caught:
        _Either.model_validate(sent)
    errors = fields_of(caught.value.errors(), [_Either], _sentence, sent)

    assert {each.field: each.message if said.get(each.field) else None for each in errors} == said


def test_a_place_in_a_list_is_written_as_in_filters_also_below_a_path() -> None:
    shape = create_model("_Listed", __base__=Request, cc=(list[str], ...))
    sent = {"cc": ["x", 1]}
    with pytest.raises(ValidationError) as caught:
        shape.model_validate(sent)

    errors = fields_of(caught.value.errors(), [shape], _sentence, sent, "content")
    assert [each.field for each in errors] == ["content.cc[1]"]
