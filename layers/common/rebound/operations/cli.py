"""``rebound``: the operator's command, the same on AWS and on one machine.

It finds the stack's function by the stack's outputs and invokes it, so an operator needs the right to invoke one
function and no rights to the tables. Credentials, region and endpoint come from the AWS environment it is run in.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rebound.kernel.provider_codes import TEXT_PROVIDERS
from rebound.operations.application.run_command import COMMANDS

DEFAULT_STACK: Final = "rebound"
FUNCTION_OUTPUT: Final = "OperateStackFunction"
_BAD_INPUT: Final = 2
_SUMMED: Final = ("looked_at", "joined", "begun")
"""What is counted over the invocations of one command."""
_OF_ONE_BUSINESS: Final = (
    "set-bundle",
    "lift-hold",
    "set-text-plan",
    "set-text-rate",
    "add-sender",
    "remove-sender",
    "create-key",
    "rotate-key",
    "revoke-key",
    "list-keys",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; print its answer as JSON. 0 when done, 2 for input that is not acceptable."""
    given = vars(_parser().parse_args(arguments))
    stack = given.pop("stack")
    command = {name: value for name, value in given.items() if value is not None}
    answer = complete(function_of(stack), command)
    problems = answer.get("errors")
    if problems:
        for problem in problems:
            sys.stderr.write(f"{problem['field']}: {problem['message']}\n")
        return _BAD_INPUT
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    if "link" in answer:
        sys.stderr.write("The link signs in whoever opens it, once; it is shown this once.\n")
    for secret in ("api_key", "operator_key"):
        if secret in answer:
            sys.stderr.write(f"The {secret} is shown this once; only a hash of it is kept.\n")
    return 0


def complete(function_name: str, command: dict[str, Any]) -> dict[str, Any]:
    """Run a command until it is done: some of many messages, or of all contacts, take more than one invocation."""
    answer = invoke(function_name, command)
    redriven: Counter[str] = Counter(answer.get("redriven", {}))
    while answer.get("done") is False:
        answer = invoke(function_name, command)
        redriven.update(answer["redriven"])
    if "redriven" in answer:
        return {**answer, "redriven": dict(redriven)}
    counts = Counter({name: count for name, count in answer.items() if name in _SUMMED})
    while answer.get("cursor"):
        answer = invoke(function_name, {**command, "cursor": answer["cursor"]})
        counts.update({name: answer[name] for name in counts})
    return {**{name: value for name, value in answer.items() if name != "cursor"}, **counts}


def function_of(stack: str) -> str:
    """The name of the stack's function for operators."""
    described = _client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    name: str = outputs[FUNCTION_OUTPUT]
    return name


def invoke(function_name: str, command: dict[str, Any]) -> dict[str, Any]:
    """Run a command in the stack and give its answer. Raises ``RuntimeError`` when the function itself failed."""
    answer = _client("lambda").invoke(FunctionName=function_name, Payload=json.dumps(command).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise RuntimeError(f"{function_name} failed: {payload.get('errorType')}: {payload.get('errorMessage')}")
    return payload


def _client(service: str) -> Any:
    import boto3  # noqa: PLC0415 - so that --help needs nothing

    make: Any = boto3.client
    return make(service)


def _add_planning(planning: argparse.ArgumentParser) -> None:
    planning.add_argument("--included", type=int, help="segments a month, on the calendar of the business")
    planning.add_argument("--inbound", nargs="+", metavar="WHAT", help="what comes in and counts too: texts, calls")
    planning.add_argument("--tier", help="what you call the plan")
    planning.add_argument("--upgrade-url", help="where a larger plan is booked; its owner is shown it")
    planning.add_argument("--off", action="store_true", default=None, help="count its texts no more")


def _add_sharing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--business-id", help="only that one (default: all there are now)")
    parser.add_argument("--off", action="store_true", default=None, help="share them no more")


def _add_staff(parsers: Mapping[str, argparse.ArgumentParser]) -> None:
    for name in ("invite", "sign-in-link", "list-staff", "remove-staff"):
        whose = parsers[name].add_mutually_exclusive_group(required=True)
        whose.add_argument("--business-id", help="whose people")
        whose.add_argument(
            "--operator", action="store_true", default=None, help="those who run the stack, and belong to no business"
        )
        if name != "list-staff":
            parsers[name].add_argument("--email", required=True)
    inviting = parsers["invite"]
    inviting.add_argument("--role", choices=("owner", "staff", "viewer"), help="what they may do in the business")
    inviting.add_argument("--location-id", help="the location where they work, as the business calls it")
    inviting.add_argument("--language", help="of their pages and emails (default: the business's)")
    parsers["sign-in-link"].add_argument("--valid-minutes", type=int, help="10 if left out, at most a day")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rebound", description="Businesses, API keys and dead letters of a Rebound stack."
    )
    parser.add_argument(
        "--stack", default=DEFAULT_STACK, help="name of the CloudFormation stack (default: %(default)s)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    helps = {
        "create-business": "a new business",
        "set-bundle": "all that a business has booked: premium (text confirmations), marketing (bulk email), or basic",
        "set-hold-policy": "hold accounts that mostly send bulk, so that they send no more of it (at first: off)",
        "lift-hold": "let an account that is held send bulk again",
        "set-text-rate": "how many texts a second go out over the sender of a business",
        "set-text-plan": "how many segments of texts a business may use in a month (at first: nobody counts them)",
        "share-customers": "share customers: who visits or buys elsewhere owns their profile (at first: off)",
        "set-text-price": "what a segment of a text costs, which businesses are shown; at first nothing is known of it",
        "remove-text-price": "take such a price away",
        "list-text-prices": "what a segment costs, by country and provider",
        "add-sender": "let a business send from an address, number, short code, service or name; it chooses among them",
        "remove-sender": "take a sender from a business, which sends nothing on that channel if it has chosen it",
        "list-senders": "who may send from where",
        "fill-index": "write the index that finds customers, of one business or of all that lack it, after an update",
        "rewrite-settings": "write all businesses anew, after an update that says so",
        "join-numbers": "join what is kept of one phone under two spellings, after an update that says so",
        "create-key": "a new API key of a business, shown once",
        "rotate-key": "a successor of a key; the old one goes on working for a while",
        "revoke-key": "end a key now",
        "list-keys": "the keys of a business",
        "create-operator-key": "a new key for /v1/operator, with which a program does this without a shell; shown once",
        "revoke-operator-key": "end such a key now",
        "list-operator-keys": "such keys",
        "invite": "let somebody sign in to the console, or change what they may do there; prints a link as well",
        "sign-in-link": "a link that signs somebody in who may, once: for whoever gets no email",
        "list-staff": "who may sign in",
        "remove-staff": "let somebody sign in no more, at once",
        "dead-letters": "what was given up on the queues, and why",
        "redrive": "put dead letters back on their queue, after the cause is gone",
    }
    parsers = {name: commands.add_parser(name, help=helps[name]) for name in COMMANDS}
    _add_sharing(parsers["share-customers"])
    business = parsers["create-business"]
    business.add_argument("--name", required=True)
    business.add_argument("--country", required=True, help="two letters, such as US")
    business.add_argument("--time-zone", required=True, help="such as America/New_York")
    business.add_argument("--owner-email")
    business.add_argument("--email-from", help="an address of a verified SES identity")
    business.add_argument("--email-from-name", help="the name beside it; may have ##{{business_name}}")
    business.add_argument("--text-provider", help=" or ".join(TEXT_PROVIDERS))
    business.add_argument("--text-from", help="a number, a short code, a messaging service (MG…) or a name")
    for name in ("create-business", "add-sender"):
        parsers[name].add_argument(
            "--share-sender",
            action="store_true",
            default=None,
            help="also if another business has it; both read answers",
        )
    business.add_argument("--quiet-hours", help="off: send at any hour; the API sets other hours")
    business.add_argument("--text-rate", type=float, help="texts a second that the sender may send")
    names = "one or both of premium and marketing, or basic for none"
    business.add_argument("--bundle", nargs="+", metavar="NAME", help=f"{names} (default: both)")
    parsers["set-bundle"].add_argument("--bundle", nargs="+", metavar="NAME", required=True, help=names)
    holding = parsers["set-hold-policy"]
    holding.add_argument("--share", type=float, help="of everything in 30 days, from 0.5 to 1")
    holding.add_argument("--volume", type=int, help="recipients of bulk in 30 days, below which no account is held")
    holding.add_argument("--contact", help="whom a business that is held asks: an address, a number or a page")
    holding.add_argument("--off", action="store_true", default=None, help="hold no further account")
    parsers["lift-hold"].add_argument("--reason", required=True, help="why; it is kept with the business")
    for name in ("add-sender", "remove-sender"):
        parsers[name].add_argument(
            "--sender", required=True, help="an email address, a number, a short code, MG… or a name"
        )
    parsers["set-text-rate"].add_argument("--text-rate", type=float, help="without it, what its kind allows at least")
    _add_planning(parsers["set-text-plan"])
    for name in ("set-text-price", "remove-text-price"):
        parsers[name].add_argument("--country", required=True, help="of the business: two letters, such as US")
        parsers[name].add_argument("--provider", required=True, help=" or ".join(TEXT_PROVIDERS))
    parsers["set-text-price"].add_argument("--price", required=True, help="such as 0.0083")
    parsers["set-text-price"].add_argument("--currency", required=True, help="three letters, such as USD")
    for name in ("list-senders", "fill-index"):
        parsers[name].add_argument("--business-id", help="of one business (default: all)")
    for name in _OF_ONE_BUSINESS:
        parsers[name].add_argument("--business-id", required=True)
    _add_staff(parsers)
    for name in ("rotate-key", "revoke-key", "revoke-operator-key"):
        parsers[name].add_argument("--key-id", required=True)
    parsers["create-key"].add_argument("--label", help="what the key is for")
    parsers["create-key"].add_argument(
        "--scopes",
        nargs="+",
        help="default: all but customers:write_as_customer, with which a portal speaks for customers",
    )
    parsers["create-operator-key"].add_argument("--label", help="what the key is for")
    parsers["create-operator-key"].add_argument("--scopes", nargs="+", help="default: all")
    parsers["create-operator-key"].add_argument("--valid-days", type=float, help="default: until it is revoked")
    parsers["rotate-key"].add_argument("--grace-hours", type=float, help="how long the old key goes on (default: 24)")
    parsers["dead-letters"].add_argument("--queue", help="a queue's name, such as email (default: all)")
    parsers["dead-letters"].add_argument("--limit", type=int, help="the most to show of each queue (default: 20)")
    parsers["redrive"].add_argument("--queue", required=True, help="a queue's name, such as email, or all")
    return parser


if __name__ == "__main__":
    sys.exit(main())
