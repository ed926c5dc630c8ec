"""``python -m local.demo``: the demo on the stack that ``make up`` started; exit code 1 when something is not right."""

import io
import sys
import time

from local.demo.api import HttpApi, Rebound, read_stack
from local.demo.errors import DemoError
from local.demo.operator import link_of_this_stack, operator_of_this_stack
from local.demo.progress import Progress
from local.demo.report import report, what_next
from local.demo.sample import SAMPLE_FILE
from local.demo.story import Story


def main() -> int:
    """Run it and print the report."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names are in many scripts; a terminal that cannot show them is no reason to stop.
            stream.reconfigure(errors="replace")
    try:
        stack = read_stack()
        progress = Progress(sys.stdout, time.monotonic)
        rebound, sample = Rebound(HttpApi(stack)), SAMPLE_FILE.read_text(encoding="utf-8")
        facts = Story(rebound, operator_of_this_stack(), sample, progress).tell()
    except DemoError as error:
        print(f"\nThe demo stopped. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The stack is still up; `make down` stops it.", file=sys.stderr)
        return 130
    print()
    print(report(facts))
    print()
    if facts.failed_checks:
        print("The demo stopped: not everything adds up; see the lines marked WRONG above.", file=sys.stderr)
        return 1
    print(what_next(stack))
    print()
    print(f"Or in the browser, signed in as the salon's owner (once, within a day):\n\n  {link_of_this_stack()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
