"""An address that is kept for one purpose after its owner is gone: so that the links in what was sent to it still work.

It is encrypted with the keys that sign the links, which are in no table: an HMAC of the address is the nonce and, when
it is opened, the proof (the construction of RFC 5297, with HMAC-SHA256 in the place of AES).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from rebound.kernel.channels import ContactKey

if TYPE_CHECKING:
    from rebound.messages.domain.links import LinkKeys

_NONCE: Final = 16
_PROOF: Final = b"rebound-sealed-proof"
_STREAM: Final = b"rebound-sealed-stream"
"""What each use of a key is for, so that nothing else that is made with it is taken for one of these."""


def seal(contact: ContactKey, keys: LinkKeys) -> str:
    """The address of a contact as text that nobody reads without the keys; always the same for the same contact."""
    key, text = keys.keys[keys.current], str(contact).encode()
    nonce = hmac.digest(key, _PROOF + text, sha256)[:_NONCE]
    return f"{keys.current}.{urlsafe_b64encode(nonce + _mixed(text, nonce, key)).decode()}"


def unseal(sealed: str, keys: LinkKeys) -> ContactKey | None:
    """The contact that was sealed; ``None`` when its key is not there any more, or the text is not of our making."""
    key_id, _, written = sealed.partition(".")
    key, raw = keys.keys.get(int(key_id)), urlsafe_b64decode(written)
    if key is None:
        return None
    nonce = raw[:_NONCE]
    text = _mixed(raw[_NONCE:], nonce, key)
    if not hmac.compare_digest(nonce, hmac.digest(key, _PROOF + text, sha256)[:_NONCE]):
        return None
    return ContactKey.parse(text.decode())


def sealing_key_of(sealed: str) -> int:
    """The id of the key that opens it."""
    return int(sealed.partition(".")[0])


def _mixed(text: bytes, nonce: bytes, key: bytes) -> bytes:
    size = sha256().digest_size
    stream = b"".join(
        hmac.digest(key, _STREAM + nonce + number.to_bytes(4), sha256) for number in range(-(-len(text) // size))
    )
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))
