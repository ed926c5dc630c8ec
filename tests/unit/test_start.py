"""What the start of a function leaves to the garbage collector."""

import subprocess
import sys
from typing import Final

PROGRAM: Final = """
import gc
from rebound.platform import collector, wiring
print(gc.get_threshold()[0], gc.get_freeze_count())
gc.collect()
print(gc.get_threshold()[0], gc.get_freeze_count() > 1000, collector._end_start in gc.callbacks)
"""


def test_the_first_look_ends_the_start_and_what_is_there_then_is_looked_at_no_more() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["100000 0", "10000 True False"]
