"""Campaigns, and in the Chunks table the claim ledger."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import convert
from msgspec.structs import asdict

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns.adapters.rollbacks import read_rollback, write_rollback
from rebound.campaigns.adapters.rows import CampaignRow, ChunkRow, HoldsRow, RunningCampaigns
from rebound.campaigns.adapters.selections import read_selection, read_taken_out, write_selection
from rebound.campaigns.adapters.splits import read_split_beside, write_split
from rebound.campaigns.domain.campaigns import SINGLE, UNDER_WAY, Campaign, CampaignStatus, FinalWords, all_named
from rebound.campaigns.domain.chunks import (
    CHUNK,
    CHUNK_KEYS,
    Chunk,
    ChunkKey,
    ChunkState,
    ClaimOutcome,
    claim_of,
    taking_over,
)
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page, RowChange, first_page, read_cursor, write_cursor
from rebound.messages.domain.goals import Goal
from rebound.messages.domain.vouchers import Voucher, VoucherKind
from rebound.platform.adapters.dynamo import (
    ULID_KEYS,
    as_read,
    bind,
    expiry,
    lost_races,
    newest,
    page_of,
    read_instant,
    write_instant,
)
from rebound.templates.domain.content import TextContent, read_said, written_said

KEPT: Final = timedelta(days=400)
"""As long as messages are kept, because a campaign's messages are found through its chunks."""
MOST_LOOKED_AT: Final = 2_000
"""Campaigns that are read for one page of those that match."""
LOOKED_AT: Final = 100
SINGLE_KEPT: Final = timedelta(days=30)
_HOLDS: Final = "holds"
CHUNKS_A_PAGE: Final = 20


class DynamoCampaignBook:
    """Implements ``CampaignBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(CampaignRow, table_name)

    def get(self, business_id: str, campaign_id: str) -> Campaign:
        try:
            return _campaign(self._row.get(business_id, campaign_id, consistent_read=True))
        except self._row.DoesNotExist:
            raise NotFoundError("campaign") from None

    def get_many(self, business_id: str, campaign_ids: Collection[str]) -> Sequence[Campaign]:
        keys = [(business_id, campaign_id) for campaign_id in campaign_ids]
        return [_campaign(row) for row in self._row.batch_get(keys, consistent_read=True)] if keys else []

    def add(self, campaign: Campaign) -> None:
        with lost_races():
            self._write(campaign, 1).save(condition=CampaignRow.campaign_id.does_not_exist())

    def replace(self, before: Campaign, after: Campaign) -> None:
        # Campaigns that were written before rows had a version have none until they are written again.
        unchanged = as_read(CampaignRow, before.version)
        with lost_races():
            self._write(after, before.version + 1).save(condition=CampaignRow.campaign_id.exists() & unchanged)

    def under_way(self, business_id: str) -> Sequence[Campaign]:
        return [_campaign(row) for row in self._row.query(business_id, index_name=RunningCampaigns.Meta.index_name)]

    def page(
        self, business_id: str, limit: int, cursor: str | None, matching: Callable[[Campaign], bool] | None = None
    ) -> Page[Campaign]:
        before = read_cursor(cursor, ULID_KEYS) or SINGLE
        if matching is None:
            found = newest(self._row, business_id, CampaignRow.campaign_id, before, limit + 1)
            return first_page(map(_campaign, found), limit, lambda campaign: campaign.campaign_id)
        campaigns: list[Campaign] = []
        seen: Campaign | None = None
        looked_at = newest(self._row, business_id, CampaignRow.campaign_id, before, MOST_LOOKED_AT + 1, LOOKED_AT)
        for number, row in enumerate(looked_at):
            if seen is not None and (len(campaigns) == limit or number == MOST_LOOKED_AT):
                return Page(campaigns, write_cursor(seen.campaign_id))
            seen = _campaign(row)
            if matching(seen):
                campaigns.append(seen)
        return Page(campaigns)

    def _write(self, campaign: Campaign, version: int) -> CampaignRow:
        content = written_said(campaign.content)
        return self._row(
            business_id=campaign.business_id,
            campaign_id=campaign.campaign_id,
            name=campaign.name,
            category=campaign.category,
            channel=campaign.channel,
            status=campaign.status,
            selection=write_selection(campaign),
            content=content,
            exclude_failed=campaign.exclude_failed,
            include_customer_ids=set(campaign.include_customer_ids) or None,
            include_external_ids=set(campaign.include_external_ids) or None,
            created_at=campaign.created_at,
            send_at=campaign.send_at,
            local_time=campaign.local_time,
            send_before=campaign.expires_at,
            started_at=campaign.started_at,
            completed_at=campaign.completed_at,
            run_id=campaign.run_id,
            ranges=campaign.ranges,
            failure=campaign.failure,
            single=campaign.single,
            appointment_id=campaign.appointment_id,
            appointment_at=campaign.appointment_at,
            lead_seconds=None if campaign.lead is None else int(campaign.lead.total_seconds()),
            appointment_version=campaign.appointment_version or None,
            asks_confirmation=campaign.asks_confirmation or None,
            asks_consent=campaign.asks_consent or None,
            voucher=None if campaign.voucher is None else asdict(campaign.voucher),
            paused_because=campaign.paused_because,
            window=campaign.window,
            bounce_warning=campaign.bounce_warning and asdict(campaign.bounce_warning),
            rollback=write_rollback(campaign.rollback),
            recalling=campaign.recalling or None,
            names_left_out=campaign.names_left_out or None,
            test_to=campaign.test_to,
            recurring_id=campaign.recurring_id,
            occurrence_date=campaign.occurrence_date,
            contents=campaign.contents and {tier: written_said(said) for tier, said in campaign.contents.items()},
            parent_id=campaign.parent_id,
            tier=campaign.tier,
            copy_of=campaign.copy_of,
            copy_to=campaign.copy_to,
            copy_name=campaign.copy_name,
            relation_id=campaign.relation_id,
            sequence_id=campaign.sequence_id,
            aside=campaign.aside,
            split=write_split(campaign.split, content),
            goal=campaign.goal and asdict(campaign.goal),
            version=version,
            expires_at=expiry(max(campaign.created_at, campaign.send_at or campaign.created_at), SINGLE_KEPT)
            if campaign.single
            else None,
            running=campaign.business_id if campaign.status in UNDER_WAY and not campaign.is_carrier else None,
        )


def _campaign(row: CampaignRow) -> Campaign:
    taken_out, taken_out_external = read_taken_out(row.selection)
    return Campaign(
        business_id=row.business_id,
        campaign_id=row.campaign_id,
        name=row.name,
        category=Category(row.category),
        channel=Channel(row.channel),
        selection=read_selection(row.business_id, row.selection),
        # Only the index leaves it out.
        content=read_said(row.content) if row.content is not None else TextContent(""),
        created_at=row.created_at,
        status=CampaignStatus(row.status),
        exclude_failed=row.exclude_failed,
        include_customer_ids=frozenset(row.include_customer_ids or ()),
        include_external_ids=frozenset(row.include_external_ids or ()),
        exclude_customer_ids=all_named(row.business_id, taken_out, taken_out_external),
        exclude_external_ids=taken_out_external,
        send_at=row.send_at,
        local_time=row.local_time,
        expires_at=row.send_before,
        run_id=row.run_id,
        ranges=int(row.ranges),
        started_at=row.started_at,
        completed_at=row.completed_at,
        failure=row.failure,
        single=row.single,
        appointment_id=row.appointment_id,
        appointment_at=row.appointment_at,
        lead=_read_lead(row.lead_seconds),
        appointment_version=int(row.appointment_version or 0),
        asks_confirmation=bool(row.asks_confirmation),
        asks_consent=bool(row.asks_consent),
        voucher=_read_voucher(row.voucher),
        paused_because=row.paused_because,
        window=int(row.window),
        bounce_warning=None if row.bounce_warning is None else FinalWords(**row.bounce_warning),
        rollback=read_rollback(row.rollback),
        recalling=bool(row.recalling),
        names_left_out=bool(row.names_left_out),
        test_to=row.test_to,
        recurring_id=row.recurring_id,
        occurrence_date=row.occurrence_date,
        contents=row.contents and {tier: read_said(said) for tier, said in row.contents.items()},
        parent_id=row.parent_id,
        tier=row.tier,
        copy_of=row.copy_of,
        copy_to=row.copy_to,
        copy_name=row.copy_name,
        relation_id=row.relation_id,
        sequence_id=row.sequence_id,
        aside=_read_aside(row.aside),
        split=read_split_beside(row.split, row.content),
        goal=row.goal and convert(row.goal, Goal),
        version=int(row.version or 0),
    )


def _read_lead(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=int(seconds))


def _read_aside(version: float | None) -> int | None:
    return None if version is None else int(version)


def _read_voucher(document: Mapping[str, Any] | None) -> Voucher | None:
    return None if document is None else Voucher(**{**document, "kind": VoucherKind(document["kind"])})


class DynamoChunkLedger:
    """Implements ``ChunkLedger``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(ChunkRow, table_name)
        self._holds_row = bind(HoldsRow, table_name)

    def add(self, chunk: Chunk) -> bool:
        try:
            self._update(chunk, ChunkRow.chunk.does_not_exist())
        except ConcurrentChangeError:
            return False
        return True

    def claim(self, key: ChunkKey, owner: str, now: datetime, lease: timedelta) -> tuple[ClaimOutcome, Chunk]:
        try:
            chunk = _chunk(self._row.get(key.campaign_id, key.chunk, consistent_read=True))
        except self._row.DoesNotExist:
            raise NotFoundError("chunk") from None
        outcome = claim_of(chunk, now)
        if outcome in (ClaimOutcome.DONE, ClaimOutcome.HELD):
            return outcome, chunk
        claimed = chunk.claimed(owner, now + lease, outcome)
        try:
            self._update(claimed, self._held_as(chunk))
        except ConcurrentChangeError:
            return ClaimOutcome.HELD, chunk
        return outcome, claimed

    def take_over(self, key: ChunkKey, owner: str, now: datetime, lease: timedelta) -> tuple[ClaimOutcome, Chunk]:
        try:
            chunk = _chunk(self._row.get(key.campaign_id, key.chunk, consistent_read=True))
        except self._row.DoesNotExist:
            raise NotFoundError("chunk") from None
        outcome = taking_over(chunk)
        if outcome is not ClaimOutcome.WORK:
            return outcome, chunk
        taken = chunk.claimed(owner, now + lease, outcome)
        self._update(taken, self._held_as(chunk))
        return outcome, taken

    def mark(self, chunk: Chunk, now: datetime, waiting: Sequence[str] = ()) -> None:
        marked = replace(chunk, state=ChunkState.SENDING, waiting=tuple(waiting))
        self._update(marked, (ChunkRow.owner == chunk.owner) & (ChunkRow.leased_until > now))

    def put_back(self, chunk: Chunk, remaining: Sequence[str], not_before: datetime | None = None) -> None:
        pending = replace(
            chunk,
            state=ChunkState.PENDING,
            remaining=tuple(remaining),
            owner=None,
            leased_until=None,
            waiting=(),
            not_before=not_before,
        )
        self._update(pending, ChunkRow.owner == chunk.owner)

    def finish(self, chunk: Chunk) -> None:
        done = replace(chunk, state=ChunkState.DONE, remaining=(), owner=None, leased_until=None, waiting=())
        try:
            self._update(done, ChunkRow.owner == chunk.owner)
        except ConcurrentChangeError:
            # The lease was over and another worker has taken the chunk: it is theirs to finish.
            return

    def get(self, key: ChunkKey, *, as_of_now: bool = False) -> Chunk | None:
        try:
            return _chunk(self._row.get(key.campaign_id, key.chunk, consistent_read=as_of_now))
        except self._row.DoesNotExist:
            return None

    def reopen(self, key: ChunkKey, customer_ids: Sequence[str], now: datetime) -> Chunk:
        try:
            chunk = _chunk(self._row.get(key.campaign_id, key.chunk, consistent_read=True))
        except self._row.DoesNotExist:
            raise NotFoundError("chunk") from None
        if chunk.state is not ChunkState.DONE:
            return chunk
        opened = replace(
            chunk, state=ChunkState.PENDING, remaining=tuple(customer_ids), not_before=None, reopened_at=now
        )
        self._update(opened, self._held_as(chunk))
        return opened

    def state(self, key: ChunkKey) -> ChunkState | None:
        try:
            return ChunkState(self._row.get(key.campaign_id, key.chunk, attributes_to_get=["state"]).state)
        except self._row.DoesNotExist:
            return None

    def page(self, campaign_id: str, cursor: str | None) -> Page[Chunk]:
        after = read_cursor(cursor, CHUNK_KEYS)
        start = {"campaign_id": {"S": campaign_id}, "chunk": {"S": after}} if after else None
        found = self._row.query(
            campaign_id,
            ChunkRow.chunk.startswith(f"{CHUNK}#"),
            limit=CHUNKS_A_PAGE,
            page_size=CHUNKS_A_PAGE,
            last_evaluated_key=start,
            # A resume must find a chunk that was set aside the moment before: nothing else would bring it back.
            consistent_read=True,
        )
        return page_of(found, _chunk, lambda row: row.chunk)

    def note_holds(self, campaign_id: str, holds: Mapping[datetime, HoldReason]) -> None:
        written = {f"{write_instant(until)} {because}" for until, because in holds.items()}
        expires_at = expiry(datetime.now(UTC), KEPT)
        self._holds_row(campaign_id, _HOLDS).update(
            actions=[HoldsRow.holds.add(written), HoldsRow.expires_at.set(expires_at)]
        )

    def holds(self, campaign_id: str) -> Mapping[datetime, HoldReason]:
        try:
            row = self._holds_row.get(campaign_id, _HOLDS, consistent_read=True)
        except self._holds_row.DoesNotExist:
            return {}
        noted = (text.split(" ") for text in sorted(row.holds or ()))
        return {read_instant(until): HoldReason(because) for until, because in noted}

    @staticmethod
    def _held_as(chunk: Chunk) -> Any:
        """The condition that the chunk's state, attempts and owner are still as they were read."""
        condition = (ChunkRow.state == chunk.state) & (ChunkRow.attempts == chunk.attempts)
        if chunk.owner is not None:
            condition &= ChunkRow.owner == chunk.owner
        return condition

    def _update(self, chunk: Chunk, condition: Any) -> None:
        with lost_races():
            chunk_row(self._row, chunk).save(condition=condition)


def chunk_row(row: type[ChunkRow], chunk: Chunk) -> ChunkRow:
    """The row of a chunk."""
    created_at = chunk.created_at or datetime.now(UTC)
    return row(
        campaign_id=chunk.key.campaign_id,
        chunk=chunk.key.chunk,
        business_id=chunk.key.business_id,
        customer_ids=list(chunk.customer_ids),
        # Stored only if it is a part of ``customer_ids``; otherwise it is read back as all of them, or none once done.
        remaining=None if chunk.remaining in (chunk.customer_ids, ()) else list(chunk.remaining),
        state=chunk.state,
        owner=chunk.owner,
        leased_until=chunk.leased_until,
        attempts=chunk.attempts,
        created_at=created_at,
        waiting=list(chunk.waiting) or None,
        not_before=chunk.not_before,
        sharing=_places_of(chunk.sharing, chunk.customer_ids) or None,
        reopened_at=chunk.reopened_at,
        expires_at=expiry(max(created_at, chunk.not_before or created_at), KEPT),
    )


def _places_of(some: Sequence[str], of_all: Sequence[str]) -> int:
    """Some of a chunk's recipients, as bits: the ids themselves would not fit the kilobyte."""
    chosen = frozenset(some)
    return sum(1 << place for place, customer_id in enumerate(of_all) if customer_id in chosen) if chosen else 0


def _at_places(places: int, of_all: Sequence[str]) -> tuple[str, ...]:
    return tuple(id_ for place, id_ in enumerate(of_all) if places >> place & 1) if places else ()


def _chunk(row: ChunkRow) -> Chunk:
    state = ChunkState(row.state)
    customer_ids = tuple(row.customer_ids)
    remaining = () if state is ChunkState.DONE else tuple(row.remaining) if row.remaining else customer_ids
    return Chunk(
        key=ChunkKey(row.business_id, row.campaign_id, row.chunk),
        customer_ids=customer_ids,
        remaining=remaining,
        state=state,
        owner=row.owner,
        leased_until=row.leased_until,
        attempts=int(row.attempts),
        created_at=row.created_at,
        waiting=tuple(row.waiting or ()),
        not_before=row.not_before,
        sharing=_at_places(int(row.sharing or 0), customer_ids),
        reopened_at=row.reopened_at,
    )


def campaign_change_of(record: Mapping[str, Any]) -> RowChange[Campaign] | None:
    """The change of a record in the Campaigns table's change stream; ``None`` for a removal."""
    change = record["dynamodb"]
    after = change.get("NewImage")
    if after is None:
        return None
    before = change.get("OldImage")
    at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    return RowChange(_of_image(before) if before else None, _of_image(after), record["eventID"], at)


def _of_image(image: Mapping[str, Any]) -> Campaign:
    row = CampaignRow()
    row.deserialize(dict(image))
    return _campaign(row)
