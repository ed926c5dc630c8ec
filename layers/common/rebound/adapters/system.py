"""The machine itself: its clock and its randomness."""

import secrets
from datetime import UTC, datetime

from ulid import ULID


class SystemClock:
    """Implements ``Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomIds:
    """Implements ``Ids``."""

    def ulid(self, at: datetime) -> str:
        return str(ULID.from_datetime(at))

    def customer_id(self) -> str:
        return secrets.token_hex(16)

    def secret(self) -> str:
        return secrets.token_urlsafe(32)
