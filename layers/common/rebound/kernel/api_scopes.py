"""What an API key may do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ApiScope(StrEnum):
    """What a key may do."""

    BUSINESS_READ = "business:read"
    BUSINESS_WRITE = "business:write"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    SEGMENTS_READ = "segments:read"
    SEGMENTS_WRITE = "segments:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    MESSAGES_READ = "messages:read"
    MESSAGES_WRITE = "messages:write"


ALL_SCOPES: Final = tuple(ApiScope)
