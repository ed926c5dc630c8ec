"""Writing the links that go into messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.channels import ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.links import Purpose, ShortLink, short_code_of, write_tokens

if TYPE_CHECKING:
    from rebound.messages.ports import LinkKeyring


class LinkWriter(Struct, frozen=True, kw_only=True):
    """Writes signed links under the public address of the API (``read_links`` reads them)."""

    keyring: LinkKeyring
    public_url: str

    def urls(self, contact: ContactKey, message: MessageKey, wanted: Mapping[Purpose, Scope]) -> Mapping[Purpose, str]:
        """The links for ``message``, which goes to ``contact``: one for each ``wanted`` purpose, with its scope."""
        tokens = write_tokens(contact, message, wanted, self.keyring.keys())
        return {purpose: f"{self.public_url}/v1/{purpose}/{token}" for purpose, token in tokens.items()}

    def voucher_code(self, message: MessageKey, number: int) -> str:
        """The code of the voucher in a message, as people read it; in a test it is one that is not valid."""
        # Few campaigns have one.
        from rebound.kernel.placeholders import SAMPLE_CODE  # noqa: PLC0415
        from rebound.messages.domain.vouchers import code_of, written_code  # noqa: PLC0415

        if message.is_test:
            return SAMPLE_CODE
        keys = self.keyring.keys()
        return written_code(code_of(number, message, keys.keys[keys.current]))

    def stop_link(self, contact: ContactKey, message: MessageKey, scope: Scope) -> ShortLink:
        """The short link for a text, to be kept (``ShortLinkBook``) before the text is handed over."""
        return self._short(contact, message, Purpose.UNSUBSCRIBE, scope, "stop")

    def short_link(self, contact: ContactKey, message: MessageKey, purpose: Purpose) -> ShortLink:
        """Such a link for another purpose."""
        return self._short(contact, message, purpose, Scope.ALL, purpose)

    def _short(self, contact: ContactKey, message: MessageKey, purpose: Purpose, scope: Scope, path: str) -> ShortLink:
        token = write_tokens(contact, message, {purpose: scope}, self.keyring.keys())[purpose]
        code = short_code_of(token)
        return ShortLink(code, f"{self.public_url}/v1/{path}/{code}", token)
