"""What is kept of texts that people send, beside the replies themselves."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from rebound.kernel.channels import ContactKey


class FirstReceipt(Struct, frozen=True):
    """When a text was received for the first time, and which contacts, under their hashes, it came from then."""

    at: datetime
    keys: tuple[ContactKey, ...]
