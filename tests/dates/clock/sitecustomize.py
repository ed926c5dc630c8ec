"""Imported by every Python process before its own program, where this folder is on PYTHONPATH."""

import os
import time

import time_machine

# As a number, since a time that has a zone would set the machine's zone as well.
time_machine.travel(time.time() + float(os.environ["REBOUND_TESTS_LATER"])).start()
