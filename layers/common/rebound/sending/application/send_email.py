"""Sending one chunk of emails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import EMAIL_ACCOUNT
from rebound.campaigns.domain.breaker import FAULTS, reason_of_refusal
from rebound.campaigns.domain.campaigns import HALTED
from rebound.contacts.domain.suppressions import rests_on_an_entry
from rebound.customers.domain import language_for
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.placeholders import NOTHING_MORE
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.links import VARIABLE_OF, Purpose, links_among
from rebound.messages.domain.messages import Message
from rebound.rates.domain import Throttled
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.sending.domain.outcomes import KeptBack, NotTried, Outcome, Outcomes
from rebound.sending.domain.recipients import (
    NOT_OUT,
    Accepted,
    ClaimedChunk,
    OutgoingEmail,
    Recipient,
    Refused,
    SendResult,
    Unknown,
    accepted,
    cannot_render,
    is_senders_fault,
    of_a_single_message,
    refused,
    unknown,
)
from rebound.templates.domain.content import EmailContent, TemplateContent
from rebound.templates.domain.footers import CONFIRM_URL, UNSUBSCRIBE_URL, one_click
from rebound.templates.domain.rendering import uses
from rebound.templates.domain.sendable import email_to_send, for_one

if TYPE_CHECKING:
    from rebound.contacts.application import SuppressionListClient
    from rebound.messages.application.write_links import LinkWriter
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.rates.application import RecordThrottle
    from rebound.sending.application.acquire_send_slot import AcquireSendSlot
    from rebound.sending.application.chunk_lifecycle import ChunkLifecycle
    from rebound.sending.application.decide_recipients import DecideRecipients
    from rebound.sending.application.send_copies import SendCopies
    from rebound.sending.ports import Mailer

CLEARING_BUDGET: Final = timedelta(seconds=15)
"""How long a chunk may wait for the suppression list; its function may run for a minute, including the send call."""


class SendEmail(Struct, frozen=True, kw_only=True):
    """Claims a chunk, decides again, hands the emails over in one call and records what became of each.

    An address that is sent to in spite of a flag is taken off SES's suppression list first; otherwise SES would accept
    the message and not try it. Recipients for whom there is no time come again later, and the others are sent to.
    """

    chunks: ChunkLifecycle
    decide: DecideRecipients
    messages: MessageLog
    clock: Clock
    mailer: Mailer
    acquire_slot: AcquireSendSlot
    record_throttle: RecordThrottle
    suppressions: SuppressionListClient
    links: LinkWriter
    copies: Callable[[], SendCopies]

    def __call__(self, task: ChunkTask, owner: str) -> None:
        """Send what is left of a chunk whose turn it is. Raises ``ChunkHeldError`` when another worker has it."""
        claimed = self.chunks.claim(task.key, owner, self.acquire_slot(Channel.EMAIL, task, EMAIL_ACCOUNT))
        if claimed is None:
            return
        if claimed.settle:
            self._settle(claimed)
        elif claimed.campaign.status in HALTED:
            self.chunks.halt(claimed, claimed.chunk.remaining)
        else:
            self._send(claimed, task.size)

    def _settle(self, claimed: ClaimedChunk) -> None:
        """End an attempt that died: those without an outcome may have been sent to; who surely was not comes again."""
        unrecorded, waiting = self.chunks.unrecorded(claimed), claimed.not_sent_to
        lost = [customer_id for customer_id in unrecorded if customer_id not in waiting]
        again = [customer_id for customer_id in unrecorded if customer_id in waiting]
        if claimed.may_be_copied:
            self.copies().of_earlier(claimed, lost)
        self.chunks.settle(claimed, lost, again, Provider.SES)

    def _send(self, claimed: ClaimedChunk, booked: int) -> None:
        """Read and decide, render, mark, send, record."""
        outcomes = self.decide(claimed, self.chunks.unrecorded(claimed), booked)
        emails = self._render(claimed, outcomes)
        self._clear_suppressions(claimed, outcomes)
        if outcomes.to_send and self.chunks.is_halted(claimed):
            self.chunks.halt(claimed, list(outcomes.by_customer))
            return
        self._decide_again(claimed, outcomes)
        if outcomes.to_send:
            self.chunks.mark(claimed, outcomes.come_again)
            self._hand_over(claimed, outcomes, emails)
        self._record(claimed, outcomes)
        if claimed.may_be_copied:
            self.copies()(claimed, outcomes)
        self.record_throttle(EMAIL_ACCOUNT, outcomes.of(Throttled))
        self.chunks.finish(claimed, outcomes)

    def _render(self, claimed: ClaimedChunk, outcomes: Outcomes) -> Mapping[str, OutgoingEmail]:
        """The emails by customer; a recipient whose email cannot be rendered is left out."""
        emails: dict[str, OutgoingEmail] = {}
        for recipient in outcomes.to_send:
            email = self._email(claimed, recipient)
            if email is None:
                outcomes[recipient] = cannot_render(recipient.message)
            else:
                emails[recipient.customer_id] = email
        return emails

    def _clear_suppressions(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Take addresses sent to in spite of a flag off the list; recipients for whom time runs out come again."""
        overridden = {r.customer_id: r.address for r in outcomes.to_send if _overrides_the_list(claimed, r)}
        if not overridden:
            return
        left = self.suppressions.clear(overridden.values(), CLEARING_BUDGET)
        outcomes.by_customer.update({c: NotTried.LISTED for c, address in overridden.items() if address in left})

    def _decide_again(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Decide a last time, because the suppression list may have taken long; reserve what each message needs."""
        for recipient in outcomes.to_send:
            outcomes[recipient] = self.decide.again(claimed, recipient)
        self.chunks.release_earlier(claimed, outcomes.kept_from_sending)
        for recipient in outcomes.to_send:
            outcomes[recipient] = self.decide.reserve(claimed, recipient)

    def _hand_over(self, claimed: ClaimedChunk, outcomes: Outcomes, emails: Mapping[str, OutgoingEmail]) -> None:
        recipients = outcomes.to_send
        business = claimed.business
        outgoing = [emails[recipient.customer_id] for recipient in recipients]
        results = self.mailer.send(business.email_sender, outgoing, business.reply_to)
        now = self.clock.now()
        if claimed.campaign.single:
            results = [of_a_single_message(result) for result in results]
        else:
            outcomes.pause_because = _reason_to_pause(results)
        pauses = outcomes.pause_because is not None
        answered = list(zip(recipients, results, strict=True))
        self.chunks.release(claimed, [who.customer_id for who, result in answered if isinstance(result, NOT_OUT)])
        for recipient, result in answered:
            outcomes[recipient] = _after(recipient, result, now, pauses=pauses)

    def _record(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Record the messages. A single one has a row already, and so has one that fell back from a text.

        Only the lease's holder writes a campaign's other rows.
        """
        has_rows = claimed.campaign.single or claimed.chunk.key.fell_back is not None
        record = self.messages.record if has_rows else self.messages.record_new
        record(outcomes.of(Message))

    def _voucher(self, claimed: ClaimedChunk, recipient: Recipient) -> Mapping[str, str]:
        """What the recipient's message says of the voucher, if the campaign has one: nobody else pays for it."""
        voucher = claimed.campaign.voucher
        if voucher is None:
            return NOTHING_MORE
        from rebound.messages.application.voucher_values import voucher_values  # noqa: PLC0415

        code = self.links.voucher_code(recipient.message.key, voucher.number)
        return voucher_values(
            voucher, code, recipient.customer, claimed.business, claimed.campaign.channel, self.clock.now()
        )

    def _email(self, claimed: ClaimedChunk, recipient: Recipient) -> OutgoingEmail | None:
        """The email for one recipient, ``None`` when it cannot be sent; it offers to unsubscribe from its scope."""
        category, key = claimed.campaign.category, claimed.decided(recipient.customer).contact_key(Channel.EMAIL)
        said = claimed.said_to(recipient.customer_id)
        found = for_one(said, recipient.customer, claimed.business, self._voucher(claimed, recipient))
        if found is None or not isinstance(found.content, EmailContent) or key is None:
            return None
        language = language_for(recipient.customer, claimed.business)
        content = found.content
        message, scope = recipient.message.key, claimed.campaign.one_click_scope
        wanted = {Purpose.PREFERENCES: Scope.ALL}
        if scope is not None:
            wanted[Purpose.UNSUBSCRIBE] = scope
        if not category.is_promotional and uses(found.content, CONFIRM_URL):
            wanted[Purpose.CONFIRM] = Scope.MARKETING
        if recipient.message.asks_confirmation:
            # Only texts ask for one, and this goes in place of one: nobody can answer it with C.
            from rebound.templates.domain.text_as_email import with_link_to_confirm  # noqa: PLC0415

            wanted[Purpose.APPOINTMENT] = Scope.ALL
            content = with_link_to_confirm(content, language)
        given = links_among(said.made_from.variables) if isinstance(said, TemplateContent) else {}
        urls = self.links.urls(key, message, {**wanted, **dict.fromkeys(given.values(), Scope.ALL)})
        links = {VARIABLE_OF[purpose]: urls[purpose] for purpose in wanted}
        links |= {name: urls[purpose] for name, purpose in given.items()}
        email = email_to_send(content, category, language, {**found.values, **links}, found.addresses)
        if email is None:
            return None
        headers = one_click(links[UNSUBSCRIBE_URL]) if scope is not None else {}
        return OutgoingEmail(message, recipient.address, email, headers)


def _reason_to_pause(results: Sequence[SendResult]) -> str | None:
    """Why the campaign should pause after these results of one call, ``None`` when nothing speaks against going on.

    The sender and its setup are the same for the whole call, so a call of which every email is refused says enough,
    however few emails it had.
    """
    faults = [r for r in results if isinstance(r, Refused) and is_senders_fault(r, Provider.SES)]
    if not faults or not (len(faults) == len(results) or FAULTS.is_passed_by(len(faults), len(results))):
        return None
    return reason_of_refusal(Provider.SES, faults[0].code, len(faults), len(results))


def _overrides_the_list(claimed: ClaimedChunk, recipient: Recipient) -> bool:
    """Whether a flagged address must come off the list first: for promotional emails, or if an entry is evidence."""
    contact = recipient.contact
    if contact is None or not contact.verdict(claimed.business.policy).invalid:
        return False
    return claimed.campaign.category.is_promotional or rests_on_an_entry(contact.reachability)


def _after(recipient: Recipient, result: SendResult, now: datetime, *, pauses: bool) -> Outcome:
    """What becomes of a recipient after the call; ``pauses`` says whether the campaign pauses because of the call."""
    message = recipient.message
    match result:
        case Accepted(provider_id):
            return accepted(message, Provider.SES, provider_id, now)
        case Refused() if pauses and is_senders_fault(result, Provider.SES):
            return KeptBack(recipient, result)
        case Refused(code):
            return refused(message, Provider.SES, code, now)
        case Throttled():
            return result
        case Unknown():
            return unknown(message, Provider.SES, now)
