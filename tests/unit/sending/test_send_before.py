"""How long before an appointment a message may be sent."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from rebound.sending.http import MAX_HOURS, MIN_HOURS, SendBefore


@pytest.mark.parametrize("hours", [MIN_HOURS, 0.5, 24, MAX_HOURS])
def test_a_message_is_sent_hours_before_or_a_fraction_of_one(hours: float) -> None:
    assert SendBefore.model_validate({"hours": hours}).lead == timedelta(seconds=round(hours * 3600))


@pytest.mark.parametrize("hours", [-1, 0, 0.0001, MAX_HOURS + 1])
def test_one_that_could_never_go_out_is_refused(hours: float) -> None:
    """At the moment at which the appointment begins, the message has expired."""
    with pytest.raises(ValidationError) as refused:
        SendBefore.model_validate({"hours": hours})

    [problem] = refused.value.errors()
    assert problem["loc"] == ("hours",)
    assert problem["msg"].endswith(f"equal to {MIN_HOURS if hours < 1 else MAX_HOURS}")
