"""What the use cases of campaigns need from outside."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns.domain.addresses import SharedAddress
from rebound.campaigns.domain.campaigns import Campaign
from rebound.campaigns.domain.chunks import (
    Chunk,
    ChunkKey,
    ChunkState,
    ClaimOutcome,
    LeftOut,
    MembersPart,
    RangeProgress,
)
from rebound.campaigns.domain.gates import Gate
from rebound.campaigns.domain.loyalty_weeks import LoyaltyWeek
from rebound.campaigns.domain.redemptions import Redemption, Totals
from rebound.campaigns.domain.sent_again import SentAgain
from rebound.eligibility.ports import EligibilityPorts
from rebound.kernel.pages import Page
from rebound.rates.ports import RatesPorts


class CampaignBook(Protocol):
    """The campaigns of all businesses."""

    def get(self, business_id: str, campaign_id: str) -> Campaign:
        """The campaign, read strongly consistent. Raises ``NotFoundError``."""

    def get_many(self, business_id: str, campaign_ids: Collection[str]) -> Sequence[Campaign]:
        """Those that are there, in any order; strongly consistent."""

    def add(self, campaign: Campaign) -> None:
        """Write a new campaign."""

    def replace(self, before: Campaign, after: Campaign) -> None:
        """Write ``after``. Raises ``ConcurrentChangeError`` when somebody has written since ``before`` was read."""

    def under_way(self, business_id: str) -> Sequence[Campaign]:
        """The campaigns of a business in a status of ``UNDER_WAY``, with empty contents; eventually consistent."""

    def page(
        self, business_id: str, limit: int, cursor: str | None, matching: Callable[[Campaign], bool] | None = None
    ) -> Page[Campaign]:
        """A business's campaigns that match, newest first, without the carriers of single messages.

        A page is full while there is more, unless very many were looked at for it.
        """


class SequenceGates(Protocol):
    """Whether what sequences send may go out; written together with the sequence (``SequenceBook``)."""

    def get(self, business_id: str, sequence_id: str) -> Gate | None:
        """How a sequence stands, read strongly consistent; ``None`` for one that is deleted."""


class GateTransactions(Protocol):
    """Lets the owner of sequences write how they stand in the same transaction."""

    def write_within(self, writes: Any, business_id: str, sequence_id: str, gate: Gate | None) -> None:
        """Write one, or remove it."""


class SingleMessages(Protocol):
    """The single messages of a business, which are kept for as long as accounts are judged by them (30 days)."""

    def count_since(self, business_id: str, since: datetime, most: int) -> int:
        """How many were posted since; counting may end at ``most``."""


class LoyaltyWeeks(Protocol):
    """Which days loyalty campaigns have claimed."""

    def get(self, business_id: str, audience: str) -> LoyaltyWeek:
        """The claims of an audience (strongly consistent); one without claims where none are stored."""

    def replace(self, week: LoyaltyWeek) -> None:
        """Write the claims if they are still as they were read. Raises ``ConcurrentChangeError`` otherwise."""


class SentAgainBook(Protocol):
    """Whom campaigns were sent to again."""

    def get(self, business_id: str, campaign_id: str) -> SentAgain:
        """The copies of a campaign (strongly consistent); one without copies where none are stored."""

    def replace(self, sent: SentAgain) -> None:
        """Write the copies if they are still as they were read. Raises ``ConcurrentChangeError`` otherwise."""


class ExpansionLedger(Protocol):
    """Progress of expansions. A page of customers counts at the moment its progress is committed, and only once."""

    def get(self, campaign_id: str, index: int) -> RangeProgress:
        """The progress of a range; progress at the range's beginning when none is stored."""

    def commit(
        self,
        progress: RangeProgress,
        chunks: Sequence[Chunk] = (),
        left_out: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> RangeProgress:
        """Write progress that is still as it was read, a page's chunks (at most 98), and whom the page left out.

        All or nothing; ``left_out`` has customer ids by reason, and nothing is written for it when it is empty.
        Raises ``ConcurrentChangeError`` when somebody else has gone on with the range.
        """

    def list(self, campaign_id: str) -> Sequence[RangeProgress]:
        """All ranges that have begun."""

    def left_out(self, campaign_id: str, first: str | None = None) -> Iterator[LeftOut]:
        """Whom the pages left out, in their order, from the page of the name ``first`` on; read as it is asked for."""


class ChunkLedger(Protocol):
    """The claim ledger (truth 8)."""

    def add(self, chunk: Chunk) -> bool:
        """Write a new chunk, and say whether it is new; one that is there already stays as it is."""

    def claim(self, key: ChunkKey, owner: str, now: datetime, lease: timedelta) -> tuple[ClaimOutcome, Chunk]:
        """Try to claim a chunk; returns the outcome and the chunk as it is afterwards. Raises ``NotFoundError``."""

    def take_over(self, key: ChunkKey, owner: str, now: datetime, lease: timedelta) -> tuple[ClaimOutcome, Chunk]:
        """Claim a chunk also from a worker who has not marked it, and so cannot any more (``taking_over``).

        Raises ``NotFoundError``, and ``ConcurrentChangeError`` when somebody has written it meanwhile.
        """

    def mark(self, chunk: Chunk, now: datetime, waiting: Sequence[str] = ()) -> None:
        """Mark a claimed chunk as being handed to the provider, except ``waiting``, if the lease is ours and alive.

        Raises ``ConcurrentChangeError`` otherwise: then nothing may be sent.
        """

    def put_back(self, chunk: Chunk, remaining: Sequence[str], not_before: datetime | None = None) -> None:
        """Make a chunk that is still ours pending again for recipients who are known not to have been sent to."""

    def finish(self, chunk: Chunk) -> None:
        """End a chunk of which nothing is left to do; does nothing when it is no longer ours."""

    def get(self, key: ChunkKey, *, as_of_now: bool = False) -> Chunk | None:
        """A chunk; eventually consistent unless ``as_of_now``. ``None`` when it is not there."""

    def reopen(self, key: ChunkKey, customer_ids: Sequence[str], now: datetime) -> Chunk:
        """Make a finished chunk pending again for some of its recipients; the chunk as it is afterwards.

        A chunk that is not finished stays as it is. Raises ``NotFoundError``.
        """

    def state(self, key: ChunkKey) -> ChunkState | None:
        """Where a chunk stood a moment ago (eventually consistent); ``None`` when it is not there."""

    def page(self, campaign_id: str, cursor: str | None) -> Page[Chunk]:
        """The chunks of a campaign in order."""

    def note_holds(self, campaign_id: str, holds: Mapping[datetime, HoldReason]) -> None:
        """Remember until when, and why, some of a campaign's recipients wait."""

    def holds(self, campaign_id: str) -> Mapping[datetime, HoldReason]:
        """All times that were noted, also those that have passed."""


class SharedAddressLedger(Protocol):
    """Who gets a campaign's message at an address that several customers have."""

    def claim(self, campaign_id: str, digest: str, customer_id: str) -> bool:
        """Make the customer the winner if nobody else is; whether they are the winner now."""

    def make_way(self, chunk: ChunkKey, digest: str, customer_id: str) -> None:
        """Remember who was left out for another, and in which chunk; doing it again changes nothing."""

    def contested(self, campaign_id: str) -> Sequence[SharedAddress]:
        """The addresses at which somebody has made way (strongly consistent)."""

    def replace(self, before: SharedAddress, after: SharedAddress) -> None:
        """Write winner and recalled, and take off who has made way no more; others may make way meanwhile.

        Raises ``ConcurrentChangeError`` when winner or recalled are not as they were read.
        """


class TallyBook(Protocol):
    """Exact counts of a campaign's messages by label, kept from the message log's change stream."""

    def counts(self, campaign_id: str) -> Mapping[str, int]:
        """The sum over all shards, by label (``messages.domain.labels``)."""

    def position(self, campaign_id: str, shard: str) -> str | None:
        """The position of a shard's last change that was counted; ``None`` before the first."""

    def add(self, campaign_id: str, shard: str, counts: Mapping[str, int], *, after: str | None, position: str) -> None:
        """Add counts and move the position on. Raises ``ConcurrentChangeError`` when it is not at ``after``."""


class MemberList(Protocol):
    """Whom the occurrences of recurring campaigns go to: all is there before the campaign is."""

    def parts(self, campaign_id: str, after: str | None, limit: int) -> Sequence[MembersPart]:
        """Up to ``limit`` parts in the order of their names, those after a name; strongly consistent."""


class MemberTransactions(Protocol):
    """Lets the owners of other tables list members in the same transaction."""

    def add_within(self, writes: Any, campaign_id: str, part: MembersPart) -> None:
        """Write a part as a piece of a larger transaction."""


class VoucherBook(Protocol):
    """The numbers of campaigns that have vouchers, the vouchers that were redeemed, and what they brought in."""

    def number(self, business_id: str, campaign_id: str) -> int:
        """The next number of the business, which is the campaign's from now on; asking again gives it another."""

    def campaign_of(self, business_id: str, number: int) -> str | None:
        """The campaign that a number was given to; ``None`` when it was given to none."""

    def get_many(self, business_id: str, codes: Collection[str]) -> Mapping[str, Redemption]:
        """What is known of vouchers by their codes (strongly consistent); nothing of those never redeemed."""

    def replace(self, before: Redemption, after: Redemption) -> None:
        """Write ``after`` and what it changes in its campaign's totals, all or nothing.

        Raises ``ConcurrentChangeError`` when somebody has written since ``before`` was read; its version is 0 where
        there was none.
        """

    def totals(self, business_id: str, campaign_id: str) -> Totals:
        """What a campaign's vouchers have brought in (strongly consistent)."""

    def forget(self, business_id: str, codes: Collection[str]) -> None:
        """Keep of vouchers that were redeemed no more than that (``closed``); totals stay. Again changes nothing."""


class CampaignRunner(Protocol):
    """Runs campaigns."""

    def start(self, business_id: str, campaign_id: str, name: str | None = None) -> None:
        """Start a campaign now; a second start of the same ``name``, by default its id, does nothing."""

    def schedule(self, business_id: str, campaign_id: str, at: datetime) -> None:
        """Start a campaign at a time, and at each other time that it was scheduled for: only the right one counts."""

    def requeue(self, business_id: str, campaign_id: str, name: str) -> None:
        """Bring back the chunks that are on no queue; ``name`` tells one such request from another."""

    def roll_back(self, business_id: str, campaign_id: str, rollback_id: str) -> None:
        """Take back the flags that the campaign's bounces raised; a second start does nothing."""


class CampaignsPorts(EligibilityPorts, RatesPorts, Protocol):
    """What the use cases of campaigns need from outside."""

    @property
    def campaigns(self) -> CampaignBook: ...

    @property
    def sequence_gates(self) -> SequenceGates: ...

    @property
    def chunks(self) -> ChunkLedger: ...

    @property
    def shared_addresses(self) -> SharedAddressLedger: ...

    @property
    def expansion(self) -> ExpansionLedger: ...

    @property
    def members(self) -> MemberList: ...

    @property
    def single_messages(self) -> SingleMessages: ...

    @property
    def loyalty_weeks(self) -> LoyaltyWeeks: ...

    @property
    def sent_again(self) -> SentAgainBook: ...

    @property
    def tallies(self) -> TallyBook: ...

    @property
    def voucher_book(self) -> VoucherBook: ...

    @property
    def runner(self) -> CampaignRunner: ...
