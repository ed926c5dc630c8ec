"""Reading the results of a sequence by step; nobody's enrolment is read to answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.results import RESULT_STATUSES
from rebound.kernel.pages import Page, first_page, read_cursor
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.origins import step_of
from rebound.sequences.domain.results import (
    NO_MESSAGES,
    MessageResults,
    SequenceResults,
    as_one,
    inside,
    results_of,
    together,
    versions_in,
)

if TYPE_CHECKING:
    from rebound.campaigns.ports import TallyBook
    from rebound.sequences.domain.results import VersionResults
    from rebound.sequences.domain.sequences import Definition, SavedSequence
    from rebound.sequences.ports import SequenceBook, StepCarriers, StepTallies

_NUMBERS: Final = re.compile(r"[0-9]{1,9}")


class ReadResults(Struct, frozen=True, kw_only=True):
    """Reads the results of a sequence; they are a few seconds behind, and exact once nothing happens."""

    sequences: SequenceBook
    step_tallies: StepTallies
    step_carriers: StepCarriers
    tallies: TallyBook

    def __call__(self, business_id: str, sequence_id: str) -> tuple[SavedSequence, SequenceResults]:
        """A sequence as it is now, and its results. Raises ``NotFoundError``."""
        sequence = self.sequences.get(business_id, sequence_id)
        counts = self.step_tallies.counts(business_id, sequence.uid)
        messages = self._messages(sequence)
        numbers = versions_in(counts) | messages.keys() | {sequence.version}
        said = self.sequences.versions(business_id, sequence.uid, numbers - {sequence.version})
        definitions = {**said, sequence.version: sequence.definition}
        versions = [
            results_of(number, definition.program, counts, messages.get(number, {}))
            for number, definition in sorted(definitions.items(), reverse=True)
        ]
        return sequence, SequenceResults(together(sequence.definition, versions), versions)

    def inside(self, sequence: SavedSequence) -> Mapping[int, int]:
        """How many are inside on which version, the newest first."""
        return inside(self.step_tallies.counts(sequence.business_id, sequence.uid))

    def versions(
        self, business_id: str, sequence_id: str, limit: int, cursor: str | None
    ) -> Page[tuple[int, Definition, int]]:
        """The newest version and those that anybody has gone through, the newest first, with how many are inside.

        Raises ``NotFoundError``, and ``InvalidInputError`` for a cursor of another list.
        """
        before = read_cursor(cursor, _NUMBERS)
        sequence = self.sequences.known(business_id, sequence_id)
        counts = self.step_tallies.counts(business_id, sequence.uid)
        numbers, there = versions_in(counts) | {sequence.version}, inside(counts)
        wanted = (each for each in sorted(numbers, reverse=True) if before is None or each < int(before))
        page = first_page(wanted, limit, str)
        definitions = self.sequences.versions(business_id, sequence.uid, page.items)
        found = [(each, definitions[each], there.get(each, 0)) for each in page.items if each in definitions]
        return Page(found, page.next_cursor)

    def in_short(self, sequence: SavedSequence) -> tuple[VersionResults, Mapping[int, int]]:
        """All versions as one, by the steps of the newest, without what became of messages; and ``inside``.

        One request. Who stands at a step that the newest has no more is in no step of it.
        """
        counts = self.step_tallies.counts(sequence.business_id, sequence.uid)
        return results_of(sequence.version, sequence.definition.program, as_one(counts, sequence.version), {}), inside(
            counts
        )

    def messages_of(self, sequence: SavedSequence, step_id: str, most: int) -> tuple[MessageResults, bool]:
        """What became of the messages of a step, in ``most`` requests and one; and whether those are all.

        Otherwise they are those of the newest versions of the sequence.
        """
        known = self.step_carriers.of(sequence.business_id, sequence.uid)
        own = [
            (step.version, each) for each in known if (step := step_of(each)) is not None and step.step_id == step_id
        ]
        found = NO_MESSAGES
        for _, campaign_id in sorted(own, reverse=True)[:most]:
            found = found.plus(_read(self.tallies.counts(campaign_id)))
        return found, len(own) <= most

    def _messages(self, sequence: SavedSequence) -> Mapping[int, Mapping[str, MessageResults]]:
        """What became of messages, by version and step; a step has a carrier for each version of its template."""
        found: dict[int, dict[str, MessageResults]] = {}
        for campaign_id in self.step_carriers.of(sequence.business_id, sequence.uid):
            step = step_of(campaign_id)
            if step is None:
                continue
            carried = _read(self.tallies.counts(campaign_id))
            of_version = found.setdefault(step.version, {})
            known = of_version.get(step.step_id)
            of_version[step.step_id] = carried if known is None else known.plus(carried)
        return found


def _read(counts: Mapping[str, int]) -> MessageResults:
    excluded = f"{MessageStatus.EXCLUDED}:"
    return MessageResults(
        {status: count for status in RESULT_STATUSES if (count := counts.get(status, 0))},
        {
            label.removeprefix(excluded): count
            for label, count in sorted(counts.items())
            if label.startswith(excluded) and count
        },
    )
