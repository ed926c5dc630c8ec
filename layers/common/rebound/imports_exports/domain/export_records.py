"""What is kept of an export while it runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct


class ExportJob(Struct, frozen=True):
    """An export of customers and how far its file is.

    ``wanted`` are the fields of a ``CustomerFilter``. ``parts`` are the tags of the parts of the ``upload_id`` that are
    written, ``rest`` the name of what is too small for one; ``written`` when all of it is in parts.
    """

    business_id: str
    export_id: str
    format: str
    status: str
    created_at: datetime
    wanted: Mapping[str, Any]
    rows: int = 0
    cursor: str | None = None
    upload_id: str | None = None
    parts: tuple[str, ...] = ()
    rest: int | None = None
    written: bool = False
    failure: str | None = None
