"""Layouts as the OpenAPI document has them, written from the shapes of the domain. Loaded only for the document."""

from pydantic import BaseModel

from rebound.platform.http.struct_shapes import model_of
from rebound.templates.domain.layout import Layout


def layout() -> type[BaseModel]:
    """The shape of a layout."""
    return model_of(Layout)
