"""Policies and state machines, judged: by IAM's rules, and by the Amazon States Language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.engines.node import run
from tests.fakes.aws import ACCOUNT

type Statement = Mapping[str, Any]

ALLOWED: Final = "Allowed"


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """What IAM is asked for when a request is made: an action on a resource, ``*`` where it has none."""

    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Condition keys and their values."""

    def __str__(self) -> str:
        said = "".join(f", {key}={'/'.join(values)}" for key, values in self.context)
        return f"{self.action} on {self.resource}{said}"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what: a role by its name in ``Policies.roles``, or a service."""

    principal: str
    need: Need


@dataclass(frozen=True)
class Policies:
    """What is allowed and denied, as IAM has it: by role, and by the resource that has a policy of its own."""

    roles: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    resources: Mapping[str, Sequence[Statement]] = field(default_factory=dict)

    def decide(self, asked: Sequence[Asked]) -> list[str]:
        """``Allowed``, ``ImplicitlyDenied``, ``ExplicitlyDenied``, or what is wrong with a request or a policy."""
        given = {
            "policies": {_role(name): list(statements) for name, statements in self.roles.items()},
            "resources": self.resources,
            "requests": [
                {
                    "principal": _role(each.principal) if each.principal in self.roles else each.principal,
                    "action": each.need.action,
                    "resource": each.need.resource,
                    "account": ACCOUNT,
                    "context": {key: list(values) for key, values in each.need.context},
                }
                for each in asked
            ],
        }
        answers: list[str] = run("simulate.cjs", given)
        return answers

    def refused(self, asked: Sequence[Asked]) -> list[str]:
        """Those that are not allowed, in words."""
        answers = self.decide(asked)
        return [
            f"{each.principal}: {each.need}: {answer}"
            for each, answer in zip(asked, answers, strict=True)
            if answer != ALLOWED
        ]


def wrong_with(definitions: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """What is wrong with each of these state machines."""
    answers: list[list[str]] = run("validate_states.cjs", definitions)
    return answers


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"
