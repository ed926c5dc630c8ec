"""`python -m local.stack up|down|status|env`: what `make up`, `make down` and `make env` run."""

import argparse
import os
import shlex
import sys
import time

from local.stack import StackConfiguration, StackError, console_link, down, status, up


def main() -> int:
    """Runs one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description="Rebound on one machine.")
    parser.add_argument("command", choices=["up", "down", "status", "env"])
    command = parser.parse_args().command
    try:
        configuration = StackConfiguration.read(os.environ)
        match command:
            case "up":
                _up(configuration)
            case "down":
                print("Stopped." if down(configuration) else "Nothing was running.")
            case "env":
                return _env(configuration)
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
    print(f"Its console, signed in as an owner (once, within a day): {console_link(configuration, stack)}")


def _env(configuration: StackConfiguration) -> int:
    """What a shell needs to talk to the stack: the API's address and key, and an AWS environment that ends on it."""
    stack = status(configuration)
    if stack is None:
        print("There is no stack; `make up` starts one.", file=sys.stderr)
        return 1
    variables = {
        "API_URL": stack.api_url,
        "API_KEY": stack.api_key,
        "BUSINESS_ID": stack.business_id,
        "TWIN_URL": stack.twin_url,
        "AWS_ENDPOINT_URL": stack.aws_endpoint_url,
        "AWS_DEFAULT_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _status(configuration: StackConfiguration) -> int:
    stack = status(configuration)
    print(f"Running at {stack.api_url}/v1" if stack else "Not running.")
    return 0 if stack else 3


if __name__ == "__main__":
    sys.exit(main())
