"""When a campaign's results came in."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from rebound.messages.domain.labels import read_span
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.spans import WHEN, bounds_of


class SpanResults(Struct, frozen=True):
    """How many of the messages have their status since some time from ``since`` until before ``until``.

    ``until`` is ``None`` for all that comes later than a campaign is followed closely.
    """

    since: datetime
    until: datetime | None
    results: Mapping[MessageStatus, int]


def results_over_time(counts: Mapping[str, int], run_id: str | None) -> Sequence[SpanResults] | None:
    """The results of a run by spans, without those in which there are none; of each status they add up to its count.

    ``None`` when some were counted by a version that did not keep the time.
    """
    by_span: defaultdict[int, dict[MessageStatus, int]] = defaultdict(dict)
    known: Counter[str] = Counter()
    for label, count in counts.items():
        place = read_span(label)
        if place is not None:
            status, span = place
            by_span[span][MessageStatus(status)] = count
            known[status] += count
    if any(known[status] != counts.get(status, 0) for status in WHEN):
        return None
    if run_id is None:
        return ()
    return [SpanResults(*bounds_of(span, run_id), results) for span, results in sorted(by_span.items())]


def added(several: Iterable[Sequence[SpanResults] | None]) -> Sequence[SpanResults] | None:
    """Those of several campaigns together; ``None`` when those of one are not known."""
    found: dict[tuple[datetime, datetime | None], Counter[MessageStatus]] = {}
    for each in several:
        if each is None:
            return None
        for span in each:
            found.setdefault((span.since, span.until), Counter()).update(span.results)
    return [SpanResults(since, until, found[since, until]) for since, until in sorted(found, key=lambda key: key[0])]
