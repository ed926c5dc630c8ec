"""A step of the state machine lets no text of an error into the execution's history."""

from collections.abc import Mapping
from typing import Any

import pytest

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.platform.invocations import TechnicalError, step


@pytest.mark.parametrize(
    "error", [RuntimeError("ana@example.com"), ConcurrentChangeError("x"), NotFoundError("customer")]
)
def test_every_error_becomes_a_technical_one_that_only_names_its_type(error: Exception) -> None:
    @step
    def failing(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        raise error

    with pytest.raises(TechnicalError) as raised:
        failing({}, None)

    assert str(raised.value) == type(error).__name__
    assert raised.value.__suppress_context__


def test_an_answer_passes_as_it_is() -> None:
    @step
    def working(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return {"seen": event["x"]}

    assert working({"x": 1}, None) == {"seen": 1}
