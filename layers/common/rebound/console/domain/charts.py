"""Charts that the server draws as SVG, each beside the table of its numbers (``http/templates/charts.html``)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

PLAIN: Final = "plain"
"""What a colour says where it says nothing; else ``good``, ``warning`` or ``bad``."""


class Bar(Struct, frozen=True):
    """A line of a table with a bar: ``width`` is that of the longest in hundredths, ``share`` the part of all."""

    name: str
    count: int
    width: float
    share: float
    kind: str = PLAIN
    link: str | None = None


class Line(Struct, frozen=True):
    """What a bar is made of; ``link`` leads to those who are counted."""

    name: str
    count: int
    kind: str = PLAIN
    link: str | None = None


def bars(lines: Sequence[Line]) -> Sequence[Bar]:
    """The bars of a chart in the order of the lines, without those that count nobody."""
    shown = [line for line in lines if line.count > 0]
    longest, total = max((line.count for line in shown), default=0), sum(line.count for line in shown)
    return [
        Bar(line.name, line.count, round(100 * line.count / longest, 2), line.count / total, line.kind, line.link)
        for line in shown
    ]


class Span(Struct, frozen=True):
    """What came from ``since`` until before ``until``, by name; ``None`` for all that came after ``since``."""

    since: datetime
    until: datetime | None
    counts: Mapping[str, int]


class Column(Struct, frozen=True):
    """What came in one step of a chart's time: ``place`` is which, ``height`` that of the highest in hundredths."""

    place: int
    since: datetime
    count: int
    height: float


class Strip(Struct, frozen=True):
    """The columns of one name; ``count`` is all that there are, also later than is drawn, ``most`` of one column."""

    name: str
    count: int
    most: int
    columns: Sequence[Column]


class OverTime(Struct, frozen=True):
    """What came when: a strip of columns for each name over the same time, and the table of their numbers.

    The time has ``places`` steps, of one of the lengths of ``STEPS``, from ``since`` until before ``until``; ``later``
    came after it.
    """

    step: str
    places: int
    since: datetime
    until: datetime
    strips: Sequence[Strip]
    lines: Sequence[Span]
    later: int


STEPS: Final = {"minutes": timedelta(minutes=5), "hours": timedelta(hours=1), "days": timedelta(days=1)}
LONGEST: Final = "days"
LEAST_PLACES: Final = 12
"""So that what was over in a moment is seen as that."""
LEAST_HEIGHT: Final = 3.0
DRAWN: Final = 0.9
"""The least part of all that is drawn: few that came days later do not squeeze the rest into one column."""


def over_time(spans: Sequence[Span], names: Sequence[str]) -> OverTime | None:
    """The chart of spans that follow each other, in as short steps as they allow; ``None`` where nothing has come."""
    spans = [span for span in spans if any(span.counts.get(name, 0) > 0 for name in names)]
    if not spans:
        return None
    everything = sum(_sum(span, names) for span in spans)
    drawn = ((step, _within(spans, length)) for step, length in STEPS.items())
    enough = (each for each in drawn if sum(_sum(span, names) for span in each[1]) >= DRAWN * everything)
    step, near = next(enough, (LONGEST, _within(spans, STEPS[LONGEST])))
    length = STEPS[step]
    columns: dict[datetime, dict[str, int]] = {}
    for span in near:
        # One step begins with the last of the spans, and all others as far before it as steps are long.
        counts = columns.setdefault(span.since - (span.since - near[-1].since) % length, dict.fromkeys(names, 0))
        for name in names:
            counts[name] += span.counts.get(name, 0)
    first = min(columns, default=spans[0].since)
    places = max([LEAST_PLACES, *((since - first) // length + 1 for since in columns)])
    later = spans[len(near) :]
    lines = [Span(since, since + length, counts) for since, counts in sorted(columns.items())]
    strips = (_strip(name, lines, later, first, length) for name in names)
    return OverTime(
        step,
        places,
        first,
        first + places * length,
        [strip for strip in strips if strip.count],
        [*lines, *later],
        sum(_sum(span, names) for span in later),
    )


def _within(spans: Sequence[Span], length: timedelta) -> Sequence[Span]:
    return [span for span in spans if span.until is not None and span.until - span.since <= length]


def _sum(span: Span, names: Sequence[str]) -> int:
    return sum(span.counts.get(name, 0) for name in names)


def _strip(name: str, lines: Sequence[Span], later: Sequence[Span], first: datetime, length: timedelta) -> Strip:
    drawn = [line for line in lines if line.counts[name] > 0]
    most = max((line.counts[name] for line in drawn), default=0)
    return Strip(
        name,
        sum(span.counts.get(name, 0) for span in (*drawn, *later)),
        most,
        [
            Column(
                (line.since - first) // length,
                line.since,
                line.counts[name],
                round(max(LEAST_HEIGHT, 100 * line.counts[name] / most), 2),
            )
            for line in drawn
        ],
    )
