"""Marking customers with what they were sent an occurrence for, and listing them as its members."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.chunks import MembersPart
from rebound.jobs.domain import JobProgress

MOST_MARKED: Final = 90
"""How many customers are marked together: each is a row of a transaction, which has 100 at most."""


class Marking(Struct, frozen=True):
    """Somebody who is sent to: for what they were marked before (``None`` for never), and are from now on.

    ``campaign_id`` is the occurrence that they belong to.
    """

    customer_id: str
    known: date | None
    mark: date
    campaign_id: str


def parts_of(progress: JobProgress, marked: Sequence[Marking]) -> Sequence[tuple[MembersPart, str]]:
    """The parts in which those marked are listed, each with the campaign whose members they are.

    A part is named after the progress with which it is written, and so written once.
    """
    by_campaign = sorted(marked, key=lambda one: one.campaign_id)
    name = f"{progress.index:03d}#{progress.version:07d}"
    return [
        (MembersPart(name, tuple(one.customer_id for one in some)), campaign_id)
        for campaign_id, some in groupby(by_campaign, lambda one: one.campaign_id)
    ]
