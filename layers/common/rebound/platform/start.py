"""What a function does while it is initialised, where Lambda gives more CPU than a small function's invocations get."""

import gc
import os
import sys
from collections.abc import Callable
from typing import Final

IN_LAMBDA: Final = "AWS_LAMBDA_FUNCTION_NAME"
"""Set by Lambda, and by what plays it, in every function."""
COLLECTED_AFTER: Final = 10_000
"""Objects that are made before the garbage collector looks: less often than Python's own 2,000, and soon enough for the
garbage of a long-lived sender not to pile up."""


def at_start(make: Callable[[], object]) -> None:
    """Make now what every invocation of this function uses, and the clients of its tables; nobody else asks for it yet.

    ``make`` asks the same lazy factories that an invocation asks, and calls nothing outside. Of what a start makes
    nearly all stays, and for the garbage collector to look through it again and again took a tenth of it: so it waits,
    and sets it aside for good. Whatever imports a handler elsewhere, such as a test, does nothing of all this.
    """
    if IN_LAMBDA not in os.environ:
        return
    gc.disable()
    make()
    # Only where something has tables: to import this for its own sake would take longer than it saves.
    tables = sys.modules.get("rebound.platform.adapters.dynamo")
    if tables is not None:
        tables.connect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    gc.enable()
