"""What campaigns need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.eligibility.ports import EligibilityPorts
from rebound.rates.ports import RatesPorts

if TYPE_CHECKING:
    from rebound.application.ports import CampaignBook, CampaignRunner, ChunkLedger, ExpansionLedger, TallyBook


class CampaignsPorts(EligibilityPorts, RatesPorts, Protocol):
    """What the use cases of campaigns need from outside."""

    @property
    def campaigns(self) -> CampaignBook: ...

    @property
    def chunks(self) -> ChunkLedger: ...

    @property
    def expansion(self) -> ExpansionLedger: ...

    @property
    def tallies(self) -> TallyBook: ...

    @property
    def runner(self) -> CampaignRunner: ...
