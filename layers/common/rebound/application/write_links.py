"""Writing the links that go into messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.domain.consent import Scope
from rebound.domain.links import Link, write_token

if TYPE_CHECKING:
    from rebound.application.ports import LinkKeyring
    from rebound.domain.channels import ContactKey
    from rebound.domain.links import Purpose
    from rebound.domain.receipts import MessageKey


class LinkWriter:
    """Writes signed links under the public address of the API (``read_links`` reads them)."""

    def __init__(self, keyring: LinkKeyring, public_url: str) -> None:
        self._keyring = keyring
        self._public_url = public_url

    def url(self, purpose: Purpose, contact: ContactKey, message: MessageKey, scope: Scope = Scope.ALL) -> str:
        """The link for ``message``, which goes to ``contact``."""
        token = write_token(Link.to(purpose, contact, message, scope), self._keyring.keys())
        return f"{self._public_url}/v1/{purpose}/{token}"
