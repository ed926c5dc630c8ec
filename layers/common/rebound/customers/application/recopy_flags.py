"""After a change of policy: every copy of a flag on every customer of a business, from the evidence already kept.

Verdicts themselves need no work: whoever decides or shows something computes them from the contact's evidence and the
policy. Only the copies on customers, which lists and filters read, have to follow.

Why the copies end with the flags of the policy in force, whatever races, dies or comes twice:

* The settings are written before the copying is enqueued, and only as they were read, so that no other change of
  settings can bring an older policy back unseen. Naming a policy enqueues a copying even when it is the same as
  before: a client that got no answer, because the API died between write and queue, asks again and so repairs that.
* A page is copied under the policy read for that page, and what it wrote is checked against policy and contacts read
  after its writes (``CopyFlags``). So a copying under an older policy, however slow, either has written all of a page
  before the newer policy was there, and then the newer policy's own copying, which began later, comes after it; or
  it sees the newer policy in its check and writes the page again under that.
* Receipts meanwhile change contacts. ``ProjectContacts`` copies every change after it is on the stream and checks the
  policy after its writes as well; a contact that changes between our reading and our writing differs at our check.
* Edits meanwhile change customers. A copy is only written to a customer who still has the address, and moves the
  customer's version, so that an edit that was decided before it starts again; edits and imports check the policy
  after their own writes and copy again when it has changed. One window is left to chance: when the policy changes
  *while* an edit or a batch of an import is being saved *and* that process dies before its check, the copies of those
  customers wait for the next change of their contacts, their profiles or the policy.
* A worker that dies leaves its message, which comes again and repeats the pages from its cursor on: a flag that is
  right already is not written.

No domain events are published. ``ContactInvalidated`` and ``ContactRestored`` tell that *evidence* arrived, each with
the contact's version, by which a repetition is known. A change of policy changes no contact and has no such name: a
copying may run twice, or side by side with another one, and could only repeat itself or leave somebody out. Whoever
wants to know reads the list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.recopying import Recopying
from rebound.kernel.errors import NotFoundError

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory, RecopyQueue
    from rebound.customers.application.copy_flags import CopyFlags
    from rebound.customers.ports import CustomerBook

PAGE: Final = 100
"""Customers held at a time."""


class RecopyFlags(Struct, frozen=True, kw_only=True):
    """Pages through the customers of a business, and writes only flags that differ."""

    customers: CustomerBook
    businesses: BusinessDirectory
    queue: RecopyQueue
    copy_flags: CopyFlags

    def __call__(self, work: Recopying, may_go_on: Callable[[], bool]) -> None:
        """Copy while there is time, at least one page; what is left is enqueued with its cursor.

        At the end everything is enqueued again when the policy is not the one that the first page was copied under.
        """
        try:
            began_under = work.began_under or self.businesses.get(work.business_id).policy
            cursor = work.cursor
            while True:
                page = self.customers.page(work.business_id, limit=PAGE, cursor=cursor)
                policy = self.copy_flags(work.business_id, page.items)
                cursor = page.next_cursor
                if cursor is None:
                    break
                if not may_go_on():
                    self.queue.put(Recopying(work.business_id, cursor, began_under))
                    return
        except NotFoundError:
            # The business is gone, and nobody reads its lists.
            return
        if policy != began_under:
            self.queue.put(Recopying(work.business_id))
