"""Python's garbage collector, set for functions that start often and live long.

Of the objects that a start makes nearly all stay, and looking through them took a tenth to a quarter of it. So the
first look only sets aside what is there, for good; later ones are cheap, and garbage does not pile up between them.
"""

import gc
from collections.abc import Mapping


def _end_start(phase: str, _: Mapping[str, int]) -> None:
    if phase == "start":
        gc.callbacks.remove(_end_start)
        gc.freeze()
        gc.set_threshold(10_000)


gc.set_threshold(100_000)
gc.callbacks.append(_end_start)
