"""In the Chunks table, the progress of expansions, and whom they left out."""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType
from typing import Final

from rebound.campaigns.adapters.dynamo_campaigns import CHUNKS_A_PAGE, KEPT, chunk_row
from rebound.campaigns.adapters.rows import ChunkRow, LeftOutRow, RangeRow
from rebound.campaigns.domain.chunks import LEFT_OUT, Chunk, Held, LeftOut, RangeProgress, left_out_name
from rebound.kernel.audiences import Audience
from rebound.kernel.ids import range_name
from rebound.platform.adapters.dynamo import as_read, bind, expiry, read_instant, transaction, write_instant

_RANGE: Final = "range"


class DynamoExpansionLedger:
    """Implements ``ExpansionLedger``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(RangeRow, table_name)
        self._chunk_row = bind(ChunkRow, table_name)
        self._left_out_row = bind(LeftOutRow, table_name)

    def get(self, campaign_id: str, index: int) -> RangeProgress:
        try:
            return self._progress(self._row.get(campaign_id, range_name(_RANGE, index), consistent_read=True))
        except self._row.DoesNotExist:
            return RangeProgress(campaign_id, index)

    def commit(
        self,
        progress: RangeProgress,
        chunks: Sequence[Chunk] = (),
        left_out: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> RangeProgress:
        row = self._row(
            campaign_id=progress.campaign_id,
            chunk=range_name(_RANGE, progress.index),
            cursor=progress.cursor,
            carry=list(progress.carry) or None,
            chunks=progress.chunks,
            enqueued=progress.enqueued,
            matched=progress.audience.matched,
            excluded=dict(progress.audience.excluded),
            done=progress.done,
            held={n: [write_instant(held.not_before), held.size, held.version] for n, held in progress.held.items()}
            or None,
            sharing=list(progress.sharing) or None,
            variants=dict(progress.audience.variants) or None,
            version=progress.version + 1,
            expires_at=expiry(datetime.now(UTC), KEPT),
        )
        with transaction(self._row) as writes:
            writes.save(row, condition=as_read(RangeRow, progress.version))
            for chunk in chunks:
                writes.save(chunk_row(self._chunk_row, chunk))
            if left_out:
                writes.save(
                    self._left_out_row(
                        campaign_id=progress.campaign_id,
                        chunk=left_out_name(progress.index, progress.version),
                        customer_ids=[customer_id for ids in left_out.values() for customer_id in ids],
                        reasons=[[reason, len(ids)] for reason, ids in left_out.items()],
                        expires_at=row.expires_at,
                    )
                )
        return replace(progress, version=progress.version + 1)

    def list(self, campaign_id: str) -> Sequence[RangeProgress]:
        rows = self._row.query(campaign_id, RangeRow.chunk.startswith(f"{_RANGE}#"), consistent_read=True)
        return [self._progress(row) for row in rows]

    def left_out(self, campaign_id: str, first: str | None = None) -> Iterator[LeftOut]:
        for row in self._left_out_row.query(
            campaign_id,
            LeftOutRow.chunk.between(first or f"{LEFT_OUT}#", f"{LEFT_OUT}$"),
            page_size=CHUNKS_A_PAGE,
            consistent_read=True,
        ):
            ids = iter(row.customer_ids)
            by_reason = {reason: tuple(islice(ids, int(count))) for reason, count in row.reasons}
            yield LeftOut(row.chunk, by_reason)

    @staticmethod
    def _progress(row: RangeRow) -> RangeProgress:
        return RangeProgress(
            campaign_id=row.campaign_id,
            index=int(row.chunk.removeprefix(f"{_RANGE}#")),
            cursor=row.cursor,
            carry=tuple(row.carry or ()),
            chunks=int(row.chunks),
            enqueued=int(row.enqueued),
            audience=Audience(
                int(row.matched),
                MappingProxyType({r: int(n) for r, n in row.excluded.items()}),
                variants=MappingProxyType(row.variants or {}),
            ),
            done=row.done,
            version=int(row.version),
            held=MappingProxyType(
                {int(n): Held(read_instant(at), *more) for n, (at, *more) in (row.held or {}).items()}
            ),
            sharing=tuple(row.sharing or ()),
        )
