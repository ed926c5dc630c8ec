"""Telling sequences of replies: whose a text is, and whether it is one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.contacts.domain.automatic_replies import is_automatic
from rebound.contacts.domain.replies import Meaning, Reply
from rebound.kernel.channels import Channel
from rebound.sequences.domain.happenings import Happened, Kind
from rebound.sequences.domain.tasks import Told

if TYPE_CHECKING:
    from rebound.contacts.domain.contacts import Contact
    from rebound.customers.ports import CustomerBook
    from rebound.sequences.application.tell import TellSequences


class TellReplies(Struct, frozen=True, kw_only=True):
    """Tells sequences of a text; they know it again by its id.

    STOP, START and HELP are no replies, nor are what a phone says by itself and reactions. Where several have the
    number and nothing says whose the text is, it ends and wakes what waits for any of them, and starts nothing: nobody
    can know who is meant. Nor does one that asks not to be texted.
    """

    tell: TellSequences
    customers: CustomerBook

    def __call__(self, contact: Contact, reply: Reply) -> None:
        """Tell; again changes nothing. One read where no sequence could hear it."""
        if not is_reply(reply):
            return
        business_id = reply.key.business_id
        happened = Happened(kind=Kind.REPLY, key=reply.reply_id, at=reply.at, is_live=True)
        if not self.tell.is_heard(business_id, happened):
            return
        whose = self._whose(contact, reply)
        starts = len(whose) == 1 and reply.meaning is not Meaning.REVOCATION
        self.tell.put(business_id, [Told(each, replace(happened, starts=starts)) for each in whose])

    def _whose(self, contact: Contact, reply: Reply) -> Sequence[str]:
        """The customer whose message it answers, else those who have the number now."""
        if reply.customer_id is not None:
            return [reply.customer_id]
        known = self.customers.get_many(reply.key.business_id, sorted(contact.customer_ids))
        return [id_ for id_, each in known.items() if each.contact_key(Channel.SMS) == contact.key]


def is_reply(reply: Reply) -> bool:
    """Whether a person answers with it, in words of their own or as they were asked to."""
    means = reply.meaning not in (Meaning.KEYWORD, Meaning.REACTION)
    return means and not is_automatic(reply.body or "")
