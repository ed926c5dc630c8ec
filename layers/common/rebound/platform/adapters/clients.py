"""One session of botocore for all clients of a process.

A session keeps what it has read of the services' models, which is most of what making a client takes: 50 ms of CPU for
the first of a session, 3 for each further one of the same service. boto3 would import resources and transfers that
nothing here uses.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.session import Session


@cache
def session() -> Session:
    """The session of this process."""
    from botocore.session import get_session  # noqa: PLC0415 - some functions ask AWS for nothing

    return get_session()
