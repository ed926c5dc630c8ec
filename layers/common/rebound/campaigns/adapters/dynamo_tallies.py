"""In the Chunks table, the tallies of campaigns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rebound.campaigns.adapters.dynamo_campaigns import KEPT
from rebound.campaigns.adapters.rows import TallyRow
from rebound.messages.domain.labels import OPTED_OUT, in_span, in_variant, read_span, read_variant
from rebound.messages.domain.messages import MessageStatus
from rebound.platform.adapters.dynamo import bind, expiry, lost_races

_TALLY: Final = "tally#"
_SHORT: Final = {
    MessageStatus.SENT: "s",
    MessageStatus.DELIVERED: "d",
    MessageStatus.BOUNCED: "b",
    MessageStatus.FAILED: "f",
    MessageStatus.UNCERTAIN: "u",
    MessageStatus.EXCLUDED: "x",
    OPTED_OUT: "o",
}
"""What is counted for most variants, in few bytes."""
_LONG: Final = {short: what for what, short in _SHORT.items()}


class DynamoTallyBook:
    """Implements ``TallyBook``: one row for each shard, written only by that shard's reader."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(TallyRow, table_name)

    def counts(self, campaign_id: str) -> Mapping[str, int]:
        total: Counter[str] = Counter()
        for row in self._row.query(campaign_id, TallyRow.chunk.startswith(_TALLY), consistent_read=True):
            total.update(_counted(row))
        return {label: count for label, count in total.items() if count}

    def position(self, campaign_id: str, shard: str) -> str | None:
        row = self._get(campaign_id, shard)
        return row.position if row else None

    def add(self, campaign_id: str, shard: str, counts: Mapping[str, int], *, after: str | None, position: str) -> None:
        row = self._get(campaign_id, shard)
        total = Counter(_counted(row) if row else {})
        total.update(counts)
        over_time = _by_status(total)
        known = TallyRow.position
        with lost_races():
            self._row(
                campaign_id=campaign_id,
                chunk=f"{_TALLY}{shard}",
                counts={label: count for label, count in total.items() if count and _is_plain(label)},
                over_time=over_time or None,
                by_variant=_by_variant(total) or None,
                position=position,
                expires_at=expiry(datetime.now(UTC), KEPT),
            ).save(condition=known.does_not_exist() if after is None else known == after)

    def _get(self, campaign_id: str, shard: str) -> TallyRow | None:
        try:
            return self._row.get(campaign_id, f"{_TALLY}{shard}", consistent_read=True)
        except self._row.DoesNotExist:
            return None


def _by_status(counts: Mapping[str, int]) -> Mapping[str, Sequence[int]]:
    """The counts by span: for each status a list, without the zeros at its end."""
    found: dict[str, list[int]] = {}
    for label, count in sorted(counts.items()):
        place = read_span(label)
        if place is not None and count:
            status, span = place
            line = found.setdefault(status, [])
            line.extend([0] * (span + 1 - len(line)))
            line[span] = count
    return found


def _by_variant(counts: Mapping[str, int]) -> Mapping[str, Mapping[str, int]]:
    """The counts by variant: for each what is counted."""
    found: dict[str, dict[str, int]] = {}
    for label, count in sorted(counts.items()):
        place = read_variant(label)
        if place is not None and count:
            what, variant = place
            found.setdefault(variant, {})[_SHORT.get(what, what)] = count
    return found


def _is_plain(label: str) -> bool:
    return read_span(label) is None and read_variant(label) is None


def _counted(row: TallyRow) -> Mapping[str, int]:
    """All counts of a row by their labels."""
    counts = {label: int(count) for label, count in row.counts.items()}
    for status, line in (row.over_time or {}).items():
        counts |= {in_span(status, span): int(count) for span, count in enumerate(line)}
    for variant, known in (row.by_variant or {}).items():
        counts |= {in_variant(_LONG.get(short, short), variant): int(count) for short, count in known.items()}
    return counts
