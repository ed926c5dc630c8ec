"""The keys of links in Secrets Manager: ``{"current": "2", "1": "…", "2": "…"}``."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from rebound.messages.domain.links import LinkKeys

READ_AGAIN_SECONDS: Final = 60.0
"""The secret is read no more often than this, however many forged tokens name key ids that do not exist."""
_CURRENT: Final = "current"


class SecretLinkKeyring:
    """Implements ``LinkKeyring``."""

    def __init__(self, client: Any, secret: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._secret = secret
        self._monotonic = monotonic
        self._keys: LinkKeys | None = None
        self._read_at = 0.0

    def keys(self, needed: int | None = None) -> LinkKeys:
        keys = self._keys
        if keys is not None:
            missed = needed is not None and needed not in keys.keys
            if not missed or self._monotonic() - self._read_at < READ_AGAIN_SECONDS:
                return keys
        stored: dict[str, str] = json.loads(self._client.get_secret_value(SecretId=self._secret)["SecretString"])
        current = int(stored.pop(_CURRENT))
        self._keys = LinkKeys(current, {int(key_id): key.encode() for key_id, key in stored.items()})
        self._read_at = self._monotonic()
        return self._keys
