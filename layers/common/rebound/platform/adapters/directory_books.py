"""Ids that belong to requests, and the reasons why queue messages failed, in the Directory table."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    expiry,
    read_instant,
    write_instant,
)
from rebound.platform.ports import FailedHandling

REQUEST_KEPT: Final = timedelta(days=2)


class DynamoRequestIds(Directory):
    """Implements ``RequestIds``; a request is remembered for longer than the first answer to it."""

    kind = "request"

    def id_for(self, business_id: str, request: str, proposed: str) -> str:
        # Hashed, because the name that a client gives its request may hold personal data.
        name = sha256(request.encode()).hexdigest()
        try:
            expires_at = expiry(datetime.now(UTC), REQUEST_KEPT)
            self.put_document(business_id, name, {"id": proposed}, new=True, expires_at=expires_at)
        except ConcurrentChangeError:
            document = self.get_document(business_id, name)
            return proposed if document is None else str(document["id"])
        return proposed


FAILURE_KEPT: Final = timedelta(days=15)
"""Longer than a message waits in the dead letters."""
FAILURES: Final = "failures"
"""Partition key in place of a business id: functions that only report failures may write to this partition alone."""


class DynamoFailureLog(Directory):
    """Implements ``FailureLog``."""

    kind = "failure"

    def record(self, failure: FailedHandling) -> None:
        document = {
            "reason": failure.reason,
            "first_tried_at": write_instant(failure.first_tried_at),
            "failed_at": write_instant(failure.failed_at),
            "receives": failure.receives,
        }
        expires_at = expiry(failure.failed_at, FAILURE_KEPT)
        self.put_document(FAILURES, failure.message_id, document, expires_at=expires_at)

    def get_many(self, message_ids: Sequence[str]) -> Mapping[str, FailedHandling]:
        keys = [(FAILURES, self.entry(message_id)) for message_id in dict.fromkeys(message_ids)]
        found = {}
        for row in self.row.batch_get(keys, consistent_read=True):
            message_id, document = row.entry_id.split("#", 1)[1], row.document
            found[message_id] = FailedHandling(
                message_id,
                document["reason"],
                read_instant(document["first_tried_at"]),
                read_instant(document["failed_at"]),
                document["receives"],
            )
        return found
