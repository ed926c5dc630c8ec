"""What carries the messages of a step: a campaign of its own, which is none to clients.

It has no run and no audience: whoever is due together is one of its chunks, and the messages' ids follow from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.campaigns.domain.chunks import CHUNK
from rebound.messages.domain.origins import carrier_id
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import Said, TemplateContent

if TYPE_CHECKING:
    from rebound.messages.domain.origins import StepOf
    from rebound.sequences.domain.sequences import SavedSequence
    from rebound.sequences.domain.steps import Send


def carrier_for(sequence: SavedSequence, step: StepOf, send: Send, said: Said, now: datetime) -> Campaign:
    """The carrier of a step's messages."""
    made = said.made_from.version or 0 if isinstance(said, TemplateContent) else 0
    return Campaign(
        business_id=sequence.business_id,
        campaign_id=carrier_id(step, sequence.uid, made),
        name=sequence.name,
        category=send.category,
        channel=send.channel,
        selection=Selection(customer_ids=()),
        content=said,
        created_at=now,
        status=CampaignStatus.SENDING,
        sequence_id=sequence.sequence_id,
    )


def chunk_of_batch(batch: str, number: int = 0) -> str:
    """The chunk of those of a task who are sent to; a ``number`` for who came to it when it was tried again."""
    return f"{CHUNK}#{batch}#{number}"


def missing(of: Sequence[str], known: Sequence[str]) -> list[str]:
    """Those of some customers who are not among others."""
    there = frozenset(known)
    return [each for each in of if each not in there]
