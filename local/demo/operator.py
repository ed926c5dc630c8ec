"""What only whoever runs the stack can do, by the same command that an operator has."""

import os
from collections.abc import Mapping
from typing import Any

from local.demo.errors import DemoError
from local.demo.single_messages import Operate
from local.stack import StackConfiguration, console_link, status
from rebound.operations import cli


def link_of_this_stack() -> str:
    """An address that signs in to the console of the stack that ``make up`` started."""
    configuration = StackConfiguration.read(os.environ)
    stack = status(configuration)
    if stack is None:
        raise DemoError("The stack was stopped in the meantime. Start one with `make up`.")
    return console_link(configuration, stack)


def operator_of_this_stack() -> Operate:
    """Runs commands of ``rebound`` for the business of the stack that ``make up`` started."""
    stack = status(StackConfiguration.read(os.environ))
    if stack is None:
        raise DemoError("No stack is running here. Start one with `make up`, or run `make demo`, which does both.")
    os.environ.update(
        AWS_ENDPOINT_URL=stack.aws_endpoint_url,
        AWS_DEFAULT_REGION=stack.region,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - opens nothing
    )
    function = cli.function_of(cli.DEFAULT_STACK)

    def operate(command: Mapping[str, Any]) -> None:
        answer = cli.invoke(function, {"business_id": stack.business_id, **command})
        if "errors" in answer:
            raise DemoError(f"The operator's command {command} was refused: {answer['errors']}")

    return operate
