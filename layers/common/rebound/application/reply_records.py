"""What is kept of texts that people send, beside the replies themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rebound.domain.channels import ContactKey


@dataclass(frozen=True, slots=True)
class FirstReceipt:
    """When a text was received for the first time, and which contacts, under their hashes, it came from then."""

    at: datetime
    keys: tuple[ContactKey, ...]
