"""Results of a sequence by step: what is counted as enrolments change, and how the counts read.

Each write of an enrolment is counted by what it was before and what it is after. Of a version,

    entered + moved in = inside + left + moved on

and of each of its steps: who came there waits, is in a worker's hands, has passed it, has left there or was moved on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.sequences.domain.enrolments import LeftBecause, Stage
from rebound.sequences.domain.steps import If

if TYPE_CHECKING:
    from rebound.messages.domain.messages import MessageStatus
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.sequences import Definition
    from rebound.sequences.domain.steps import Program, Step

ENTERED: Final = "entered"
MOVED_IN: Final = "moved_in"
"""Moved to this version out of an older one."""
MOVED: Final = "moved"
"""Moved on to a newer version."""
PASSED: Final = "passed"
THEN: Final = "then"
ELSE: Final = "else"
_LEFT: Final = "left:"
_BETWEEN: Final = "|"


class CountedChange(Struct, frozen=True):
    """One write of an enrolment: at which ``position`` of the stream, of which sequence (``uid``), what it adds.

    Or of who was asked to sign a waiver, which has what stands for it in place of a ``uid`` (``waivers.sequence_of``).
    """

    position: str
    business_id: str
    uid: str
    counts: Mapping[str, int]


def counts_of(before: Enrolment | None, after: Enrolment | None) -> Mapping[str, int]:
    """What a write adds to the counts of its sequence, by label; ``None`` where there was no row, or is none any more.

    Who is removed while inside has left, also where somebody who has their id now begins in their place. That one who
    left is forgotten, sooner or later, changes nothing; nor does it when what a sequence has left behind which is gone
    is written over.
    """
    counts: Counter[str] = Counter()
    was, now = _inside(before), _inside(after)
    if was is not None and after is not None and was.uid != after.uid:
        was = None
    if was is not None:
        counts[_place(was)] -= 1
    if was is not None and after is not None and was.became(after):
        counts.update(_onward(was, after))
    else:
        if was is not None:
            counts[_label(was.version, _LEFT + LeftBecause.REMOVED, was.step_id)] += 1
        if now is not None:
            counts[_label(now.version, ENTERED, None)] += 1
            counts[_place(now)] += 1
    return {label: count for label, count in counts.items() if count}


def _onward(was: Enrolment, after: Enrolment) -> Counter[str]:
    """What somebody leaves behind who goes on or leaves, and where they are now."""
    counts: Counter[str] = Counter()
    if after.version != was.version:
        counts[_label(was.version, MOVED, was.step_id)] += 1
        counts[_label(after.version, MOVED_IN, None)] += 1
    elif after.step_id != was.step_id:
        counts[_label(was.version, PASSED, was.step_id)] += 1
        for step_id, way in after.through:
            if way:
                counts[_label(was.version, way, step_id)] += 1
            if step_id != after.step_id:
                counts[_label(was.version, PASSED, step_id)] += 1
    if after.is_over:
        because = after.left_because or LeftBecause.REMOVED
        counts[_label(after.version, _LEFT + because, after.step_id)] += 1
    else:
        counts[_place(after)] += 1
    return counts


def _inside(enrolment: Enrolment | None) -> Enrolment | None:
    return None if enrolment is None or enrolment.is_over else enrolment


def _place(enrolment: Enrolment) -> str:
    return _label(enrolment.version, enrolment.standing, enrolment.step_id)


def _label(version: int, what: str, step_id: str | None) -> str:
    return _BETWEEN.join((str(version), what, step_id or ""))


class MessageResults(Struct, frozen=True):
    """What became of the messages of a step, by status, and who was left out, by reason."""

    results: Mapping[MessageStatus, int]
    excluded: Mapping[str, int]

    def plus(self, other: MessageResults) -> MessageResults:
        """Both together."""
        return MessageResults(
            dict(Counter(self.results) + Counter(other.results)), dict(Counter(self.excluded) + Counter(other.excluded))
        )


NO_MESSAGES: Final = MessageResults({}, {})


class StepResults(Struct, frozen=True, kw_only=True):
    """What became of those who came to a step; of one that asks, ``then`` and ``otherwise`` which way they went."""

    step: Step
    waiting: int = 0
    doing: int = 0
    passed: int = 0
    moved: int = 0
    left: Mapping[LeftBecause, int] = {}
    then: int = 0
    otherwise: int = 0
    messages: MessageResults = NO_MESSAGES

    @property
    def entered(self) -> int:
        """Who came there."""
        return self.waiting + self.doing + self.passed + self.moved + sum(self.left.values())

    @property
    def asks(self) -> bool:
        """Whether it is a condition."""
        return isinstance(self.step.action, If)

    def plus(self, other: StepResults) -> StepResults:
        """Both together, of the step as it is in this one."""
        return StepResults(
            step=self.step,
            waiting=self.waiting + other.waiting,
            doing=self.doing + other.doing,
            passed=self.passed + other.passed,
            moved=self.moved + other.moved,
            left=dict(Counter(self.left) + Counter(other.left)),
            then=self.then + other.then,
            otherwise=self.otherwise + other.otherwise,
            messages=self.messages.plus(other.messages),
        )


class VersionResults(Struct, frozen=True, kw_only=True):
    """What became of those who went through a version; ``beginning`` of them stand before its first step.

    ``version`` is ``None`` of all versions together, in which nobody is moved.
    """

    version: int | None
    entered: int
    moved_in: int
    inside: int
    beginning: int
    moved: int
    left: Mapping[LeftBecause, int]
    steps: Sequence[StepResults]


class SequenceResults(Struct, frozen=True):
    """The results of a sequence: of each version that anybody went through, the newest first, and of all together."""

    total: VersionResults
    versions: Sequence[VersionResults]


def inside(counts: Mapping[str, int]) -> Mapping[int, int]:
    """How many are inside on each version that somebody is on, the newest first."""
    found: Counter[int] = Counter()
    for label, count in counts.items():
        version, what, _ = label.split(_BETWEEN)
        if what in _INSIDE:
            found[int(version)] += count
    return {version: count for version, count in sorted(found.items(), reverse=True) if count}


def as_one(counts: Mapping[str, int], version: int) -> Mapping[str, int]:
    """The counts of all versions as if they were those of one, in which nobody is moved."""
    found: Counter[str] = Counter()
    for label, count in counts.items():
        _, what, step_id = label.split(_BETWEEN)
        if what not in (MOVED, MOVED_IN):
            found[_label(version, what, step_id)] += count
    return found


def versions_in(counts: Mapping[str, int]) -> frozenset[int]:
    """The versions that anybody has gone through."""
    return frozenset(int(label.split(_BETWEEN, 1)[0]) for label, count in counts.items() if count)


def results_of(
    version: int, program: Program, counts: Mapping[str, int], messages: Mapping[str, MessageResults]
) -> VersionResults:
    """The results of a version out of the counts of its sequence; ``messages`` are those of its steps, by id."""
    own: dict[str, Counter[str]] = {}
    for label, count in counts.items():
        owner, what, step_id = label.split(_BETWEEN)
        if int(owner) == version:
            own.setdefault(what, Counter())[step_id] += count

    def of(what: str, step_id: str = "") -> int:
        return own[what][step_id] if what in own else 0

    def left(step_id: str) -> Mapping[LeftBecause, int]:
        return {why: count for why in LeftBecause if (count := of(_LEFT + why, step_id))}

    return VersionResults(
        version=version,
        entered=of(ENTERED),
        moved_in=of(MOVED_IN),
        inside=sum(sum(own[what].values()) for what in _INSIDE if what in own),
        beginning=sum(of(what) for what in _INSIDE),
        moved=sum(own.get(MOVED, Counter()).values()),
        left={why: count for why in LeftBecause if (count := sum(own.get(_LEFT + why, Counter()).values()))},
        steps=[
            StepResults(
                step=step,
                waiting=of(Stage.WAITING, step_id),
                doing=of(Stage.DOING, step_id),
                passed=of(PASSED, step_id),
                moved=of(MOVED, step_id),
                left=left(step_id),
                then=of(THEN, step_id),
                otherwise=of(ELSE, step_id),
                messages=messages.get(step_id, NO_MESSAGES),
            )
            for step_id, step in program.steps.items()
        ],
    )


def together(newest: Definition, versions: Sequence[VersionResults]) -> VersionResults:
    """All versions, the newest first, as one.

    The steps come in the order of the ``newest``, those that it has no more after them; a step of the same id is the
    same.
    """
    steps = {step_id: StepResults(step=step) for step_id, step in newest.program.steps.items()}
    left: Counter[LeftBecause] = Counter()
    for each in versions:
        left.update(each.left)
        for one in each.steps:
            step_id = one.step.step_id
            steps[step_id] = steps[step_id].plus(one) if step_id in steps else one
    return VersionResults(
        version=None,
        entered=sum(each.entered for each in versions),
        moved_in=0,
        inside=sum(each.inside for each in versions),
        beginning=sum(each.beginning for each in versions),
        moved=0,
        left=dict(left),
        steps=list(steps.values()),
    )


_INSIDE: Final = (Stage.WAITING, Stage.DOING)
