"""`python -m local.stack up|down|status`: what `make up` and `make down` run."""

import argparse
import os
import sys
import time

from local.stack import StackConfiguration, StackError, down, status, up


def main() -> int:
    """Runs one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description="Rebound on one machine.")
    parser.add_argument("command", choices=["up", "down", "status"])
    command = parser.parse_args().command
    try:
        configuration = StackConfiguration.read(os.environ)
        match command:
            case "up":
                _up(configuration)
            case "down":
                print("Stopped." if down(configuration) else "Nothing was running.")
            case _:
                return _status(configuration)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. `make down` stops what is left.", file=sys.stderr)
        return 130
    return 0


def _up(configuration: StackConfiguration) -> None:
    began = time.monotonic()
    stack = up(configuration, say=lambda step: print(f"{step} …", flush=True))
    print(f"The stack answers after {time.monotonic() - began:.0f} s at {stack.api_url}/v1")
    print(f"Its key and addresses are in {configuration.directory.name}/stack.json; `make down` stops it.")


def _status(configuration: StackConfiguration) -> int:
    stack = status(configuration)
    print(f"Running at {stack.api_url}/v1" if stack else "Not running.")
    return 0 if stack else 3


if __name__ == "__main__":
    sys.exit(main())
