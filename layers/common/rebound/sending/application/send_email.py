"""Sending one chunk of emails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.sending_accounts import EMAIL_ACCOUNT
from rebound.campaigns.domain.breaker import FAULTS, reason_of_refusal
from rebound.campaigns.domain.campaigns import HALTED
from rebound.contacts.domain.suppressions import rests_on_an_entry
from rebound.customers.domain import language_for
from rebound.eligibility.domain.eligibility import Exclusion, Hold, Send
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.content import EmailContent
from rebound.messages.domain.footers import CONFIRM_URL, UNSUBSCRIBE_URL, VARIABLE_OF, one_click, scope_of
from rebound.messages.domain.links import Purpose
from rebound.messages.domain.rendering import render_email, uses, values_of
from rebound.rates.domain import Throttled
from rebound.sending.application.chunk_lifecycle import AFTER_A_STOP, NO_DELAY
from rebound.sending.domain.handovers import Accepted, OutgoingEmail, Refused, Unknown
from rebound.sending.domain.outcomes import accepted, cannot_render, is_senders_fault, left_out, refused, unknown

if TYPE_CHECKING:
    from rebound.contacts.application import SuppressionDesk
    from rebound.messages.application.write_links import LinkWriter
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.rates.application import MindThrottles
    from rebound.sending.application.admit_chunk import AdmitChunk
    from rebound.sending.application.chunk_lifecycle import ChunkLifecycle
    from rebound.sending.application.decide_recipients import DecideRecipients
    from rebound.sending.domain.handovers import SendResult
    from rebound.sending.domain.outcomes import ClaimedChunk, Recipient
    from rebound.sending.domain.pacing import Ticket
    from rebound.sending.ports import Mailer

CLEARING_BUDGET: Final = timedelta(seconds=15)
"""So long a chunk waits for the suppression list; its function may run for a minute, the call included."""
MAX_SUBJECT: Final = 998
"""RFC 5322 §2.1.1: the longest line."""


class SendEmail(Struct, frozen=True, kw_only=True):
    """Claims a chunk, decides again, hands the emails over in one call and records what became of each.

    Who is sent to in spite of a flag comes off SES's suppression list first, or SES would take the message and not try.
    Recipients for whom there is no time come again later, and the others go out.
    """

    chunks: ChunkLifecycle
    decide: DecideRecipients
    messages: MessageLog
    clock: Clock
    mailer: Mailer
    admit: AdmitChunk
    mind: MindThrottles
    suppressions: SuppressionDesk
    links: LinkWriter

    def __call__(self, ticket: Ticket, owner: str) -> None:
        """Send what is left of a chunk whose turn it is. Raises ``ChunkHeldError`` when another worker has it."""
        admission = self.admit(Channel.EMAIL, ticket, EMAIL_ACCOUNT)
        claimed = self.chunks.claim(ticket.key, owner, admission)
        if claimed is None:
            return
        if claimed.settle:
            self._settle(claimed)
        elif claimed.campaign.status in HALTED:
            self.chunks.halt(claimed, claimed.chunk.remaining)
        else:
            self._send(claimed, ticket.size)

    def _settle(self, claimed: ClaimedChunk) -> None:
        """The call went out or it did not: whoever has no row may have been sent to, and is not sent to again."""
        unrecorded, waiting = self.chunks.unrecorded(claimed), frozenset(claimed.chunk.waiting)
        lost = [customer_id for customer_id in unrecorded if customer_id not in waiting]
        again = [customer_id for customer_id in unrecorded if customer_id in waiting]
        self.chunks.settle(claimed, lost, again, Provider.SES)

    def _send(self, claimed: ClaimedChunk, booked: int) -> None:
        remaining = self.chunks.unrecorded(claimed)
        decided = self.decide(claimed, remaining, booked)
        self.chunks.release_earlier(claimed, [*(m.key.customer_id for m in decided.excluded), *decided.held])
        rendered = [(recipient, self._email(claimed, recipient)) for recipient in decided.recipients]
        sendable = [(recipient, email) for recipient, email in rendered if email is not None]
        unreadable = [recipient for recipient, email in rendered if email is None]
        self.chunks.release_earlier(claimed, [recipient.customer_id for recipient in unreadable])
        known = [*decided.excluded, *(cannot_render(recipient.message) for recipient in unreadable)]
        listed = self._still_listed(claimed, [recipient for recipient, _ in sendable])
        again = [*listed, *decided.beyond]
        sendable = [pair for pair in sendable if pair[0].customer_id not in listed]
        throttles: list[Throttled] = []
        because: str | None = None
        if sendable and self.chunks.is_halted(claimed):
            self.chunks.halt(claimed, remaining)
            return
        held = dict(decided.held)
        # The suppression list may have taken its time.
        timely = [(recipient, email, self.decide.again(claimed, recipient)) for recipient, email in sendable]
        known.extend(left_out(who.message, str(said)) for who, _, said in timely if isinstance(said, Exclusion))
        held.update({who.customer_id: said for who, _, said in timely if isinstance(said, Hold)})
        late = [who.customer_id for who, _, said in timely if not isinstance(said, Send)]
        self.chunks.release_earlier(claimed, late)
        sendable = [(recipient, email) for recipient, email, said in timely if isinstance(said, Send)]
        taken = [(recipient, email, self.decide.reserve(claimed, recipient)) for recipient, email in sendable]
        known.extend(message for _, _, message in taken if message is not None)
        sendable = [(recipient, email) for recipient, email, message in taken if message is None]
        if sendable:
            self.chunks.mark(claimed, [*again, *held])
            results = self.mailer.send(
                claimed.business.email_from or "",
                [email for _, email in sendable],
            )
            now = self.clock.now()
            because = None if claimed.campaign.single else _reason_to_stop(results)
            self.chunks.release(
                claimed,
                [
                    recipient.customer_id
                    for (recipient, _), result in zip(sendable, results, strict=True)
                    if isinstance(result, Refused | Throttled)
                ],
            )
            for (recipient, _), result in zip(sendable, results, strict=True):
                if isinstance(result, Throttled):
                    again.append(recipient.customer_id)
                    throttles.append(result)
                elif because is not None and is_senders_fault(result, Provider.SES):
                    again.append(recipient.customer_id)
                else:
                    known.append(_after(recipient.message, result, now))
        # The row of a single message is there already; those of a campaign nobody but the holder of the lease writes.
        record = self.messages.record if claimed.campaign.single else self.messages.record_new
        record(known)
        self.mind(EMAIL_ACCOUNT, throttles)
        if because is not None:
            self.chunks.pause(claimed, because, [*again, *held])
        else:
            daily = any(throttled.daily for throttled in throttles)
            # For whom nothing was booked there is nothing to wait for but their turn.
            short = NO_DELAY if len(again) == len(decided.beyond) else None
            self.chunks.finish(claimed, again, held, AFTER_A_STOP if daily else short)

    def _still_listed(self, claimed: ClaimedChunk, recipients: Sequence[Recipient]) -> list[str]:
        """Who is sent to in spite of a flag and may still be on the suppression list."""
        overridden = {r.customer_id: r.address for r in recipients if _overrides_the_list(claimed, r)}
        if not overridden:
            return []
        left = self.suppressions.clear(overridden.values(), CLEARING_BUDGET)
        return [customer_id for customer_id, address in overridden.items() if address in left]

    def _email(self, claimed: ClaimedChunk, recipient: Recipient) -> OutgoingEmail | None:
        """The email for one recipient, ``None`` when it would be none; promotional ones offer to be unsubscribed."""
        content, category = claimed.campaign.content, claimed.campaign.category
        key = recipient.customer.contact_key(Channel.EMAIL)
        if not isinstance(content, EmailContent) or key is None:
            return None
        message, scope = recipient.message.key, scope_of(category)
        wanted = {Purpose.PREFERENCES: Scope.ALL}
        if scope is not None:
            wanted[Purpose.UNSUBSCRIBE] = scope
        elif uses(content, CONFIRM_URL):
            wanted[Purpose.CONFIRM] = Scope.MARKETING
        links = {VARIABLE_OF[purpose]: url for purpose, url in self.links.urls(key, message, wanted).items()}
        language = language_for(recipient.customer, claimed.business)
        email = render_email(content, category, language, {**values_of(recipient.customer, claimed.business), **links})
        if not email.subject.strip() or len(email.subject) > MAX_SUBJECT:
            return None
        headers = one_click(links[UNSUBSCRIBE_URL]) if scope is not None else {}
        return OutgoingEmail(message, recipient.address, email, headers)


def _reason_to_stop(results: Sequence[SendResult]) -> str | None:
    """Why nothing more should be tried after these results of one call, ``None`` when nothing speaks against it.

    Sender and setup are the same for the whole call, so a call that is refused whole says enough, however few it was
    for.
    """
    faults = [r for r in results if isinstance(r, Refused) and is_senders_fault(r, Provider.SES)]
    if not faults or not (len(faults) == len(results) or FAULTS.is_passed_by(len(faults), len(results))):
        return None
    return reason_of_refusal(Provider.SES, faults[0].code, len(faults), len(results))


def _overrides_the_list(claimed: ClaimedChunk, recipient: Recipient) -> bool:
    """A promotional send to a flagged address was asked for by hand; others are always tried, listed or not."""
    contact = recipient.contact
    if contact is None or not contact.verdict(claimed.business.policy).invalid:
        return False
    return claimed.campaign.category.is_promotional or rests_on_an_entry(contact.reachability)


def _after(message: Message, result: Accepted | Refused | Unknown, now: datetime) -> Message:
    match result:
        case Accepted(provider_id):
            return accepted(message, Provider.SES, provider_id, now)
        case Refused(code):
            return refused(message, Provider.SES, code, now)
        case Unknown():
            return unknown(message, Provider.SES, now)
