"""What of a sequence cannot be done as things are now, which is said to whoever looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rebound.kernel.errors import InvalidInputError
from rebound.messages.domain.origins import step_of
from rebound.sequences.domain.sequences import Owes
from rebound.sequences.domain.steps import If, Send
from rebound.templates.domain.content import TemplateContent

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.sequences.domain.sequences import SavedSequence
    from rebound.sequences.ports import StepCarriers
    from rebound.templates.application.template_contents import TemplateContents


class WarningKind(StrEnum):
    """What is the matter."""

    TEMPLATE = "template"
    """A message cannot be made from its template: the step is passed over, and nothing is sent."""
    FILTER = "filter"
    """A filter cannot be asked, such as one that names a segment which is gone: nobody matches it."""
    HELD = "held"
    """What the step sends is held, because too much of it went wrong."""
    UNFINISHED = "unfinished"
    """Whoever switched it on, or deletes it, did not come to the end: asked once more, they do."""


class StepWarning(Struct, frozen=True):
    """Something that cannot be done: of a step of the newest version, or, without one, of who begins or of all."""

    kind: WarningKind
    step_id: str | None
    message: str


class WarnOfSteps(Struct, frozen=True, kw_only=True):
    """Says what of a sequence cannot be done as things are now; it changes nothing."""

    step_carriers: StepCarriers
    campaigns: CampaignBook
    template_contents: TemplateContents
    pin: PinFilters

    def __call__(self, sequence: SavedSequence) -> Sequence[StepWarning]:
        """In the order of the steps, those about all and about who begins first."""
        definition = sequence.definition
        return [
            *unfinished(sequence),
            *self._about_filter(sequence, definition.filter, None),
            *(
                warning
                for step_id, step in definition.program.steps.items()
                for warning in self._about(sequence, step_id, step.action)
            ),
            *self._held(sequence),
        ]

    def _about(self, sequence: SavedSequence, step_id: str, action: object) -> Iterator[StepWarning]:
        match action:
            case If():
                yield from self._about_filter(sequence, action.filter, step_id)
            case Send(channel=channel, category=category, content=TemplateContent() as said):
                try:
                    self.template_contents.made(sequence.business_id, said.made_from, channel, category)
                except InvalidInputError as error:
                    for each in error.errors:
                        yield StepWarning(WarningKind.TEMPLATE, step_id, each.message)
            case _:
                pass

    def _about_filter(
        self, sequence: SavedSequence, tree: Mapping[str, Any] | None, step_id: str | None
    ) -> Iterator[StepWarning]:
        if tree is None:
            return
        try:
            self.pin.filter(sequence.business_id, tree, "filter")
        except InvalidInputError as error:
            for each in error.errors:
                yield StepWarning(WarningKind.FILTER, step_id, each.message)

    def _held(self, sequence: SavedSequence) -> Iterator[StepWarning]:
        """What the breaker has paused."""
        carriers = self.step_carriers.of(sequence.business_id, sequence.uid)
        for carrier in self.campaigns.get_many(sequence.business_id, carriers):
            step = step_of(carrier.campaign_id)
            if step is not None and carrier.paused_because is not None:
                yield StepWarning(
                    WarningKind.HELD,
                    step.step_id,
                    "Too many of its messages went wrong, so they are held. Switch the sequence off and on to go on.",
                )


def unfinished(sequence: SavedSequence) -> Iterator[StepWarning]:
    """What was begun with it and is not known to be done, such as while it is being done."""
    match sequence.owes:
        case Owes.GOING_ON:
            yield StepWarning(
                WarningKind.UNFINISHED,
                None,
                "Switching it on did not come to its end, so some may not go on. Switch it on once more.",
            )
        case Owes.DELETION:
            yield StepWarning(
                WarningKind.UNFINISHED,
                None,
                "The sequence is being deleted. Delete it once more to bring that to its end.",
            )
        case None:
            pass
