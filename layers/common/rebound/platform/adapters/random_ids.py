"""Random ids, in a module of their own because most functions make none."""

import secrets
from datetime import datetime


class RandomIds:
    """Implements ``Ids``."""

    def ulid(self, at: datetime) -> str:
        from ulid import ULID  # noqa: PLC0415 - a request that only reads makes none

        return str(ULID.from_datetime(at))

    def customer_id(self) -> str:
        return secrets.token_hex(16)

    def secret(self) -> str:
        return secrets.token_urlsafe(32)
