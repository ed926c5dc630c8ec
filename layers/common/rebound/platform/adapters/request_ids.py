"""Ids that belong to requests, in the Directory table."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import expiry

REQUEST_KEPT: Final = timedelta(days=2)


class DynamoRequestIds(Directory):
    """Implements ``RequestIds``; a request is remembered for longer than its first answer is."""

    kind = "request"

    def id_for(self, business_id: str, request: str, proposed: str) -> str:
        # Hashed, because what a client calls its request may be personal data.
        name = sha256(request.encode()).hexdigest()
        try:
            expires_at = expiry(datetime.now(UTC), REQUEST_KEPT)
            self.put_document(business_id, name, {"id": proposed}, new=True, expires_at=expires_at)
        except ConcurrentChangeError:
            document = self.get_document(business_id, name)
            return proposed if document is None else str(document["id"])
        return proposed
