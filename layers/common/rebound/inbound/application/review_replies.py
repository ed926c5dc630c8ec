"""The texts that staff must read, and what follows from their decisions."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.replies import Decision, Meaning, Reply
from rebound.kernel.errors import ConflictError
from rebound.kernel.pages import Page

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook, ReplyBook
    from rebound.messages.application.record_evidence import RecordEvidence
    from rebound.platform.ports import Clock


class ReviewReplies(Struct, frozen=True, kw_only=True):
    """Lists the texts that staff must read, and resolves them.

    A text that reads like a revocation holds marketing back until it is resolved. The hold ends when no such text of
    the contact waits any more. Its end takes nothing else back: a contact who has opted out of marketing, before the
    hold or during it, stays opted out.
    """

    replies: ReplyBook
    contacts: ContactBook
    record_evidence: RecordEvidence
    clock: Clock

    def waiting(self, business_id: str, limit: int, cursor: str | None) -> Page[Reply]:
        """The replies that staff must still read, the oldest first."""
        return self.replies.waiting(business_id, limit, cursor)

    def resolve(self, business_id: str, reply_id: str, decision: Decision, who: str) -> Reply:
        """Store the decision, then act on it; sending the same decision again acts again.

        Raises ``NotFoundError``, ``ConflictError`` and ``ConcurrentChangeError``.
        """
        reply = self.replies.find(business_id, reply_id)
        if not reply.needs_staff:
            raise ConflictError("reply_not_waiting", "Nobody had to read this text: it was understood when it came.")
        if reply.number is None:
            raise ConflictError("reply_forgotten", "No customer has the number any more, and the text is forgotten.")
        if reply.decision is None:
            resolved = replace(reply, resolved_at=self.clock.now(), resolved_by=who, decision=decision)
            self.replies.replace(reply, resolved)
            reply = resolved
        elif reply.decision is not decision:
            raise ConflictError(
                "reply_resolved", f"It was resolved as {reply.decision} before.", decision=reply.decision
            )
        evidence = self._follows_from(reply)
        if evidence:
            self.record_evidence(self.contacts.get_many([reply.contact])[reply.contact], evidence)
        return reply

    def _follows_from(self, reply: Reply) -> list[ConsentEvidence]:
        revocations = [one for one in self.replies.of_contact(reply.key) if one.meaning is Meaning.REVOCATION]
        evidence = [reply.opt_out] if reply.decision is Decision.OPT_OUT else []
        if revocations and not any(one.is_waiting for one in revocations):
            evidence.append(replace(max(revocations, key=lambda one: one.at).release, who=reply.resolved_by))
        return evidence
