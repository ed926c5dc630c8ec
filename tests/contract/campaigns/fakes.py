"""Campaigns, the claim ledger, the progress of expansions, the tallies and who runs it all, in memory."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.domain.addresses import SharedAddress
from rebound.campaigns.domain.campaigns import UNDER_WAY, Campaign
from rebound.campaigns.domain.chunks import (
    Chunk,
    ChunkKey,
    ChunkState,
    ClaimOutcome,
    LeftOut,
    MembersPart,
    RangeProgress,
    claim_of,
    left_out_name,
    taking_over,
)
from rebound.campaigns.domain.gates import Gate
from rebound.campaigns.domain.loyalty_weeks import LoyaltyWeek
from rebound.campaigns.domain.redemptions import Redemption, Total, Totals
from rebound.campaigns.domain.sent_again import SentAgain
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from rebound.templates.domain.content import TextContent, read_said, written_said
from tests.contract.eligibility.fakes import MemoryEligibilityPorts
from tests.contract.rates.fakes import MemoryRatesPorts
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.streams import ChangeStream

MAX_CHUNKS: Final = 98
CHUNKS_A_PAGE: Final = 20


class MemoryCampaignBook:
    """Implements ``CampaignBook``; has the change stream of the table."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Campaign] = {}
        self.stream: ChangeStream[Campaign] = ChangeStream(1)

    def get(self, business_id: str, campaign_id: str) -> Campaign:
        try:
            return self.rows[business_id, campaign_id]
        except KeyError:
            raise NotFoundError("campaign") from None

    def get_many(self, business_id: str, campaign_ids: Collection[str]) -> Sequence[Campaign]:
        keys = [(business_id, campaign_id) for campaign_id in campaign_ids]
        return [self.rows[key] for key in keys if key in self.rows]

    def add(self, campaign: Campaign) -> None:
        key = (campaign.business_id, campaign.campaign_id)
        if key in self.rows:
            raise ConcurrentChangeError
        self._write(replace(campaign, version=1))

    def replace(self, before: Campaign, after: Campaign) -> None:
        key = (before.business_id, before.campaign_id)
        stored = self.rows.get(key)
        if stored is None or stored.version != before.version:
            raise ConcurrentChangeError
        self._write(replace(after, version=before.version + 1))

    def _write(self, campaign: Campaign) -> None:
        key = (campaign.business_id, campaign.campaign_id)
        # Of what is made from a template, rows keep only from which.
        campaign = replace(campaign, content=read_said(written_said(campaign.content)))
        self.stream.record(campaign.campaign_id, self.rows.get(key), campaign)
        self.rows[key] = campaign

    def under_way(self, business_id: str) -> Sequence[Campaign]:
        return [
            replace(campaign, content=TextContent(""))
            for (owner, _), campaign in sorted(self.rows.items())
            if owner == business_id and campaign.status in UNDER_WAY and not campaign.single
        ]

    def page(
        self, business_id: str, limit: int, cursor: str | None, matching: Callable[[Campaign], bool] | None = None
    ) -> Page[Campaign]:
        before = read_cursor(cursor)
        own = [
            (campaign_id, campaign)
            for (owner, campaign_id), campaign in sorted(self.rows.items(), reverse=True)
            if owner == business_id and not campaign.single and (before is None or campaign_id < before)
            if matching is None or matching(campaign)
        ]
        return page_of(own, limit)


class MemorySequenceGates:
    """Implements ``SequenceGates``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Gate] = {}

    def get(self, business_id: str, sequence_id: str) -> Gate | None:
        return self.rows.get((business_id, sequence_id))

    def write(self, business_id: str, sequence_id: str, gate: Gate | None) -> None:
        if gate is None:
            self.rows.pop((business_id, sequence_id), None)
        else:
            self.rows[business_id, sequence_id] = gate


class MemoryChunkLedger:
    """Implements ``ChunkLedger``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Chunk] = {}
        self._holds: defaultdict[str, dict[datetime, HoldReason]] = defaultdict(dict)

    def add(self, chunk: Chunk) -> bool:
        return self.rows.setdefault((chunk.key.campaign_id, chunk.key.chunk), chunk) is chunk

    def claim(self, key: ChunkKey, owner: str, now: datetime, lease: timedelta) -> tuple[ClaimOutcome, Chunk]:
        chunk = self.rows.get((key.campaign_id, key.chunk))
        if chunk is None:
            raise NotFoundError("chunk")
        outcome = claim_of(chunk, now)
        if outcome in (ClaimOutcome.DONE, ClaimOutcome.HELD):
            return outcome, chunk
        claimed = chunk.claimed(owner, now + lease, outcome)
        self._write(claimed)
        return outcome, claimed

    def take_over(self, key: ChunkKey, owner: str, now: datetime, lease: timedelta) -> tuple[ClaimOutcome, Chunk]:
        chunk = self.rows.get((key.campaign_id, key.chunk))
        if chunk is None:
            raise NotFoundError("chunk")
        outcome = taking_over(chunk)
        if outcome is not ClaimOutcome.WORK:
            return outcome, chunk
        taken = chunk.claimed(owner, now + lease, outcome)
        self._write(taken)
        return outcome, taken

    def mark(self, chunk: Chunk, now: datetime, waiting: Sequence[str] = ()) -> None:
        stored = self._held(chunk)
        if stored is None or stored.leased_until is None or stored.leased_until <= now:
            raise ConcurrentChangeError
        self._write(replace(chunk, state=ChunkState.SENDING, waiting=tuple(waiting)))

    def put_back(self, chunk: Chunk, remaining: Sequence[str], not_before: datetime | None = None) -> None:
        if self._held(chunk) is None:
            raise ConcurrentChangeError
        pending = ChunkState.PENDING
        back = replace(chunk, state=pending, remaining=tuple(remaining), owner=None, leased_until=None)
        self._write(replace(back, waiting=(), not_before=not_before))

    def finish(self, chunk: Chunk) -> None:
        if self._held(chunk) is not None:
            done = replace(chunk, state=ChunkState.DONE, remaining=(), owner=None, leased_until=None)
            self._write(replace(done, waiting=()))

    def get(self, key: ChunkKey, *, as_of_now: bool = False) -> Chunk | None:
        return self.rows.get((key.campaign_id, key.chunk))

    def reopen(self, key: ChunkKey, customer_ids: Sequence[str], now: datetime) -> Chunk:
        chunk = self.rows.get((key.campaign_id, key.chunk))
        if chunk is None:
            raise NotFoundError("chunk")
        if chunk.state is not ChunkState.DONE:
            return chunk
        opened = replace(
            chunk, state=ChunkState.PENDING, remaining=tuple(customer_ids), not_before=None, reopened_at=now
        )
        self._write(opened)
        return opened

    def state(self, key: ChunkKey) -> ChunkState | None:
        chunk = self.rows.get((key.campaign_id, key.chunk))
        return None if chunk is None else chunk.state

    def page(self, campaign_id: str, cursor: str | None) -> Page[Chunk]:
        after = read_cursor(cursor) or ""
        own = [
            (name, chunk) for (owner, name), chunk in sorted(self.rows.items()) if owner == campaign_id and name > after
        ]
        return page_of(own, CHUNKS_A_PAGE)

    def note_holds(self, campaign_id: str, holds: Mapping[datetime, HoldReason]) -> None:
        self._holds[campaign_id].update(holds)

    def holds(self, campaign_id: str) -> Mapping[datetime, HoldReason]:
        return dict(self._holds[campaign_id])

    def _held(self, chunk: Chunk) -> Chunk | None:
        stored = self.rows.get((chunk.key.campaign_id, chunk.key.chunk))
        return stored if stored is not None and stored.owner == chunk.owner else None

    def _write(self, chunk: Chunk) -> None:
        self.rows[chunk.key.campaign_id, chunk.key.chunk] = chunk


class MemoryExpansionLedger:
    """Implements ``ExpansionLedger``; writes a page's chunks with its progress."""

    def __init__(self, chunks: MemoryChunkLedger) -> None:
        self._chunks = chunks
        self.rows: dict[tuple[str, int], RangeProgress] = {}
        self.left_out_rows: dict[tuple[str, str], LeftOut] = {}

    def get(self, campaign_id: str, index: int) -> RangeProgress:
        return self.rows.get((campaign_id, index)) or RangeProgress(campaign_id, index)

    def commit(
        self,
        progress: RangeProgress,
        chunks: Sequence[Chunk] = (),
        left_out: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> RangeProgress:
        if len(chunks) > MAX_CHUNKS:
            raise ValueError(f"at most {MAX_CHUNKS} chunks")
        if self.get(progress.campaign_id, progress.index).version != progress.version:
            raise ConcurrentChangeError
        written = replace(progress, version=progress.version + 1)
        self.rows[progress.campaign_id, progress.index] = written
        for chunk in chunks:
            self._chunks.rows[chunk.key.campaign_id, chunk.key.chunk] = chunk
        if left_out:
            name = left_out_name(progress.index, progress.version)
            kept = LeftOut(name, {reason: tuple(ids) for reason, ids in left_out.items()})
            self.left_out_rows[progress.campaign_id, name] = kept
        return written

    def left_out(self, campaign_id: str, first: str | None = None) -> Iterator[LeftOut]:
        for (owner, name), kept in sorted(self.left_out_rows.items(), key=lambda row: row[0]):
            if owner == campaign_id and name >= (first or ""):
                yield kept

    def list(self, campaign_id: str) -> Sequence[RangeProgress]:
        return [progress for (owner, _), progress in sorted(self.rows.items()) if owner == campaign_id]


class MemorySharedAddressLedger:
    """Implements ``SharedAddressLedger``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], SharedAddress] = {}

    def claim(self, campaign_id: str, digest: str, customer_id: str) -> bool:
        row = self._row(campaign_id, digest)
        if row.winner not in (None, customer_id):
            return False
        self._write(replace(row, winner=customer_id))
        return True

    def make_way(self, chunk: ChunkKey, digest: str, customer_id: str) -> None:
        row = self._row(chunk.campaign_id, digest)
        self._write(replace(row, made_way={**row.made_way, customer_id: chunk.chunk}))

    def contested(self, campaign_id: str) -> Sequence[SharedAddress]:
        return [row for (owner, _), row in sorted(self.rows.items()) if owner == campaign_id and row.made_way]

    def replace(self, before: SharedAddress, after: SharedAddress) -> None:
        row = self._row(before.campaign_id, before.digest)
        if (row.winner, row.recalled) != (before.winner, before.recalled):
            raise ConcurrentChangeError
        gone = before.made_way.keys() - after.made_way.keys()
        left = {id_: chunk for id_, chunk in row.made_way.items() if id_ not in gone}
        self._write(replace(row, winner=after.winner, recalled=after.recalled, made_way=left))

    def _row(self, campaign_id: str, digest: str) -> SharedAddress:
        return self.rows.get((campaign_id, digest)) or SharedAddress(campaign_id, digest)

    def _write(self, row: SharedAddress) -> None:
        self.rows[row.campaign_id, row.digest] = row


class MemoryTallyBook:
    """Implements ``TallyBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[Counter[str], str]] = {}

    def counts(self, campaign_id: str) -> Mapping[str, int]:
        total: Counter[str] = Counter()
        for (owner, _), (counts, _) in self._rows.items():
            if owner == campaign_id:
                total.update(counts)
        return {label: count for label, count in total.items() if count}

    def position(self, campaign_id: str, shard: str) -> str | None:
        row = self._rows.get((campaign_id, shard))
        return row[1] if row else None

    def add(self, campaign_id: str, shard: str, counts: Mapping[str, int], *, after: str | None, position: str) -> None:
        if self.position(campaign_id, shard) != after:
            raise ConcurrentChangeError
        total = Counter(self._rows[campaign_id, shard][0]) if after is not None else Counter()
        total.update(counts)
        self._rows[campaign_id, shard] = (total, position)

    def forget(self, campaign_id: str) -> None:
        """Remove what was counted of one."""
        for key in [key for key in self._rows if key[0] == campaign_id]:
            del self._rows[key]


class RecordingRunner:
    """Implements ``CampaignRunner``; starting twice is starting once."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []
        self.scheduled: defaultdict[tuple[str, str], set[datetime]] = defaultdict(set)
        self.starts: set[str] = set()
        self.requeues: list[tuple[str, str]] = []
        self.rollbacks: list[tuple[str, str, str]] = []
        self._known: set[str] = set()

    def requeue(self, business_id: str, campaign_id: str, name: str) -> None:
        self.requeues.append((business_id, campaign_id))

    def roll_back(self, business_id: str, campaign_id: str, rollback_id: str) -> None:
        if rollback_id not in self._known:
            self._known.add(rollback_id)
            self.rollbacks.append((business_id, campaign_id, rollback_id))

    def start(self, business_id: str, campaign_id: str, name: str | None = None) -> None:
        if (name or campaign_id) not in self.starts:
            self.starts.add(name or campaign_id)
            self.started.append((business_id, campaign_id))

    def schedule(self, business_id: str, campaign_id: str, at: datetime) -> None:
        self.scheduled[business_id, campaign_id].add(at)


def adds_up(view: CampaignView) -> bool:
    """Truth 9: nobody is lost, nobody is counted twice."""
    audience = view.audience
    excluded: Mapping[str, int] = audience.excluded
    return (
        audience.matched == sum(excluded.values()) + audience.targeted
        and audience.targeted == sum(view.results.values())
        and all(count >= 0 for count in [*excluded.values(), *view.results.values()])
    )


class MemorySentAgain:
    """Implements ``SentAgainBook``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], SentAgain] = {}

    def get(self, business_id: str, campaign_id: str) -> SentAgain:
        return self.rows.get((business_id, campaign_id), SentAgain(business_id, campaign_id))

    def replace(self, sent: SentAgain) -> None:
        if self.get(sent.business_id, sent.campaign_id).version != sent.version:
            raise ConcurrentChangeError
        self.rows[sent.business_id, sent.campaign_id] = replace(sent, version=sent.version + 1)


class MemoryLoyaltyWeeks:
    """Implements ``LoyaltyWeeks``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], LoyaltyWeek] = {}

    def get(self, business_id: str, audience: str) -> LoyaltyWeek:
        return self.rows.get((business_id, audience), LoyaltyWeek(business_id, audience))

    def replace(self, week: LoyaltyWeek) -> None:
        if self.get(week.business_id, week.audience).version != week.version:
            raise ConcurrentChangeError
        self.rows[week.business_id, week.audience] = replace(week, version=week.version + 1)


class MemorySingleMessages:
    """Implements ``SingleMessages`` over the carriers among the campaigns."""

    def __init__(self, book: MemoryCampaignBook) -> None:
        self._book = book

    def count_since(self, business_id: str, since: datetime, most: int) -> int:
        found = [
            campaign
            for (owner, _), campaign in self._book.rows.items()
            if owner == business_id and campaign.single and campaign.created_at > since
        ]
        return min(len(found), most)


class MemoryMemberList:
    """Implements ``MemberList``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], MembersPart] = {}

    def add(self, campaign_id: str, part: MembersPart) -> None:
        self.rows[campaign_id, part.name] = part

    def parts(self, campaign_id: str, after: str | None, limit: int) -> Sequence[MembersPart]:
        own = [part for (of, name), part in sorted(self.rows.items()) if of == campaign_id and name > (after or "")]
        return own[:limit]


class MemoryVoucherBook:
    """Implements ``VoucherBook``."""

    def __init__(self) -> None:
        self.numbers: dict[str, list[str]] = defaultdict(list)
        self.rows: dict[tuple[str, str], Redemption] = {}
        self.sums: dict[tuple[str, str], Total] = {}

    def number(self, business_id: str, campaign_id: str) -> int:
        self.numbers[business_id].append(campaign_id)
        return len(self.numbers[business_id])

    def campaign_of(self, business_id: str, number: int) -> str | None:
        given = self.numbers.get(business_id, ())
        return given[number - 1] if 0 < number <= len(given) else None

    def get_many(self, business_id: str, codes: Collection[str]) -> Mapping[str, Redemption]:
        return {code: self.rows[business_id, code] for code in codes if (business_id, code) in self.rows}

    def replace(self, before: Redemption, after: Redemption) -> None:
        key = (before.business_id, before.code)
        stored = self.rows.get(key)
        if (0 if stored is None else stored.version) != before.version:
            raise ConcurrentChangeError
        self.rows[key] = replace(after, version=before.version + 1)
        for sale, sign in ((before.sale, -1), (after.sale, 1)):
            if sale is not None:
                of = (after.campaign_id, sale.currency)
                known = self.sums.get(of, Total())
                self.sums[of] = Total(known.redeemed + sign, known.revenue + sign * sale.revenue)

    def totals(self, business_id: str, campaign_id: str) -> Totals:
        _ = business_id
        return {currency: total for (of, currency), total in self.sums.items() if of == campaign_id}

    def forget(self, business_id: str, codes: Collection[str]) -> None:
        for code, known in self.get_many(business_id, codes).items():
            self.rows[business_id, code] = Redemption(
                business_id, code, known.campaign_id, closed=known.is_used, version=known.version + 1
            )


class MemoryCampaignsPorts(MemoryEligibilityPorts, MemoryRatesPorts):
    """Implements ``CampaignsPorts``."""

    @cached_property
    def members(self) -> MemoryMemberList:
        return MemoryMemberList()

    @cached_property
    def campaigns(self) -> MemoryCampaignBook:
        return MemoryCampaignBook()

    @cached_property
    def sequence_gates(self) -> MemorySequenceGates:
        return MemorySequenceGates()

    @cached_property
    def chunks(self) -> MemoryChunkLedger:
        return MemoryChunkLedger()

    @cached_property
    def single_messages(self) -> MemorySingleMessages:
        return MemorySingleMessages(self.campaigns)

    @cached_property
    def sent_again(self) -> MemorySentAgain:
        return MemorySentAgain()

    @cached_property
    def loyalty_weeks(self) -> MemoryLoyaltyWeeks:
        return MemoryLoyaltyWeeks()

    @cached_property
    def shared_addresses(self) -> MemorySharedAddressLedger:
        return MemorySharedAddressLedger()

    @cached_property
    def expansion(self) -> MemoryExpansionLedger:
        return MemoryExpansionLedger(self.chunks)

    @cached_property
    def tallies(self) -> MemoryTallyBook:
        return MemoryTallyBook()

    @cached_property
    def voucher_book(self) -> MemoryVoucherBook:
        return MemoryVoucherBook()

    @cached_property
    def runner(self) -> RecordingRunner:
        return RecordingRunner()
