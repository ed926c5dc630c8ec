"""Where a message comes from, where that is no campaign and nobody's request: a step of a sequence."""

from typing import Final

from msgspec import Struct

STEP: Final = "step"
"""Prefix of the id of what carries the messages of a step: it sorts behind every ULID."""
MARK: Final = 10
"""How many digits of a sequence's ULID its carriers have: ids of sequences are the clients' own, and may come again."""


class StepOf(Struct, frozen=True):
    """Which step of which version of a sequence."""

    sequence_id: str
    version: int
    step_id: str


def carrier_id(step: StepOf, uid: str, template_version: int) -> str:
    """The carrier of a step, as its template is in a version; no other business has one of this name."""
    named = (STEP, step.sequence_id, uid[-MARK:], str(step.version), step.step_id, str(template_version))
    return ":".join(named)


def is_of_sequence(campaign_id: str, uid: str) -> bool:
    """Whether a carrier is of the sequence with this uid."""
    return campaign_id.split(":")[2] == uid[-MARK:]


def step_of(campaign_id: str | None) -> StepOf | None:
    """The step that a campaign carries messages of; ``None`` for any other campaign, and for none."""
    if campaign_id is None or not campaign_id.startswith(f"{STEP}:"):
        return None
    _, sequence_id, _, version, step_id, _ = campaign_id.split(":")
    return StepOf(sequence_id, int(version), step_id)
