"""What the template grants: the policies of its functions, state machines, roles and resources, worked out."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.fakes.deployment import Template
from tests.policies.engines import Policies, Statement

_WITH_A_ROLE: Final = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::IAM::Role")
_OF_RESOURCES: Final = {
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::S3::BucketPolicy": "Bucket",
}
"""Policies on resources, and the property that says on which."""


def policies_of(template: Template) -> Policies:
    """Roles by the logical id of whose they are, resource policies by each resource that they name."""
    roles = {
        logical: list(_statements(template.value(properties.get("Policies", []))))
        for kind in _WITH_A_ROLE
        for logical, properties in template.of_type(kind).items()
    }
    resources: defaultdict[str, list[Statement]] = defaultdict(list)
    for kind in _OF_RESOURCES:
        for properties in template.of_type(kind).values():
            for statement in _statements(template.value(properties["PolicyDocument"])):
                named = statement["Resource"]
                for resource in named if isinstance(named, list) else [named]:
                    resources[resource].append(statement)
    return Policies(roles, resources)


def _statements(value: Any) -> Iterator[Statement]:
    if isinstance(value, list):
        for each in value:
            yield from _statements(each)
    elif isinstance(value, Mapping):
        if "Statement" in value:
            yield from value["Statement"]
        elif "PolicyDocument" in value:
            yield from value["PolicyDocument"]["Statement"]
