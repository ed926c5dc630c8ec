"""Doing a step for customers: a message on its way, a tag given or taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.chunks import Chunk, ChunkKey
from rebound.customers.application.tagging import given_by
from rebound.kernel.errors import ConcurrentChangeError, InvalidInputError, NotFoundError
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.sequences.domain.carriers import carrier_for, chunk_of_batch, missing
from rebound.templates.domain.content import TemplateContent

if TYPE_CHECKING:
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.customers.application.customer_service import CustomerService
    from rebound.customers.domain import Customer
    from rebound.messages.domain.origins import StepOf
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.sequences import SavedSequence
    from rebound.sequences.domain.steps import Send, Tag
    from rebound.sequences.ports import StepCarriers
    from rebound.templates.application.template_contents import TemplateContents


class DoSteps(Struct, frozen=True, kw_only=True):
    """Does a step for some customers, once for each task (``batch``), however often it is tried."""

    step_carriers: StepCarriers
    campaigns: CampaignBook
    chunks: ChunkLedger
    queue: ChunkQueue
    template_contents: TemplateContents
    customer_service: CustomerService
    clock: Clock

    def send(self, sequence: SavedSequence, step: StepOf, send: Send, who: Sequence[Enrolment], batch: str) -> None:
        """Put a step's messages on their way; the task may have done it before, for some of them or for all."""
        by_template: dict[int | None, list[str]] = {}
        for each in who:
            by_template.setdefault(each.template_version, []).append(each.key.customer_id)
        for made, ids in by_template.items():
            self._send(sequence, step, send, made, ids, batch)

    def tag(self, tag: Tag, who: Sequence[Enrolment], customers: Mapping[str, Customer]) -> Mapping[str, Customer]:
        """Give or take a tag; the task may have done it before.

        ``customers`` are as they were read when the task began, or as a step has changed them since, by id. Returns
        them as they are with the tag.
        """
        tagged = {each.key.customer_id: self._tag(each, tag, customers[each.key.customer_id]) for each in who}
        return {**customers, **tagged}

    def template_version(self, sequence: SavedSequence, send: Send) -> int | None:
        """The version of a step's template that is published now, for whoever begins the step.

        0 where no message can be made from it, ``None`` where the step has no template.
        """
        if not isinstance(send.content, TemplateContent):
            return None
        with suppress(InvalidInputError):
            return self._made(sequence, send, send.content).made_from.version
        return 0

    def _made(self, sequence: SavedSequence, send: Send, said: TemplateContent) -> TemplateContent:
        return self.template_contents.made(sequence.business_id, said.made_from, send.channel, send.category)

    def _tag(self, who: Enrolment, tag: Tag, customer: Customer) -> Customer:
        """With the tag, but who was deleted meanwhile, or has as many tags as there may be."""
        key = who.key
        with suppress(NotFoundError, InvalidInputError), given_by((*who.caused_by, key.sequence_id)):
            return self.customer_service.retag(
                key.business_id, key.customer_id, add=tag.add, remove=tag.remove, known=customer
            )
        return customer

    def _send(
        self,
        sequence: SavedSequence,
        step: StepOf,
        send: Send,
        made: int | None,
        customer_ids: Sequence[str],
        batch: str,
    ) -> None:
        """Put those who are sent to on their way, as one chunk; who came to it when it was tried again, as another.

        ``made`` is the version of the template with which they began the step, however often it is published since; 0
        where there was none to be had, by which the step is passed over, and the view says so.
        """
        if made == 0:
            return
        try:
            carrier = self._carrier(sequence, step, send, made)
        except InvalidInputError:
            # That version is gone, or says what may not be said: passed over as well.
            return
        left, number = list(customer_ids), 0
        while left:
            key = ChunkKey(sequence.business_id, carrier.campaign_id, chunk_of_batch(batch, number))
            is_new = self.chunks.add(Chunk(key, tuple(left), tuple(left), created_at=self.clock.now()))
            kept = None if is_new else self.chunks.get(key, as_of_now=True)
            members = left if kept is None else kept.customer_ids
            self.queue.put(send.channel, [ChunkTask(key, len(members), lane_of(carrier))])
            left, number = missing(left, members), number + 1

    def _carrier(self, sequence: SavedSequence, step: StepOf, send: Send, made: int | None) -> Campaign:
        """What carries a step's messages: whoever hands them over asks whether the sequence is on."""
        said = send.content
        if isinstance(said, TemplateContent):
            said = self._made(sequence, send, replace(said, made_from=replace(said.made_from, version=made)))
        carrier = carrier_for(sequence, step, send, said, self.clock.now())
        try:
            return self.campaigns.get(carrier.business_id, carrier.campaign_id)
        except NotFoundError:
            # Noted first: who lets the sequence go on finds it with all that is set aside of it.
            self.step_carriers.note(sequence.business_id, sequence.uid, carrier.campaign_id)
            with suppress(ConcurrentChangeError):
                self.campaigns.add(carrier)
            return carrier
