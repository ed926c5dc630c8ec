"""What a function does while it is initialised, where Lambda gives more CPU than a small function's invocations get."""

import os
import sys
from collections.abc import Callable
from typing import Final

IN_LAMBDA: Final = "AWS_LAMBDA_FUNCTION_NAME"
"""Set by Lambda, and by what plays it, in every function."""


def at_start(make: Callable[[], object]) -> None:
    """Make now what every invocation of this function uses, and the clients of its tables; nobody else asks for it yet.

    ``make`` asks the same lazy factories that an invocation asks, and calls nothing outside. Whatever imports a handler
    elsewhere, such as a test, makes nothing.
    """
    if IN_LAMBDA not in os.environ:
        return
    make()
    # Only where something has tables: to import this for its own sake would take longer than it saves.
    tables = sys.modules.get("rebound.platform.adapters.dynamo")
    if tables is not None:
        tables.connect()
