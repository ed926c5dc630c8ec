"""What the template grants besides what functions ask for, by IAM's own rules; and whom SES may send from."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.senders import is_covered
from tests.fakes.aws import ACCOUNT, REGION, REPOSITORY
from tests.fakes.deployment import Template
from tests.policies.engines import ALLOWED, Asked, Need, Policies
from tests.policies.granted import policies_of

TEMPLATE: Final = Template(SenderIdentity="example.com", TextLogGroups="create")
POLICIES: Final = policies_of(TEMPLATE)
MACHINES: Final = TEMPLATE.of_type("AWS::Serverless::StateMachine")
ANOTHER: Final = "210987654321"
"""Another account."""


def arn(logical: str) -> str:
    return str(TEMPLATE.value({"Fn::GetAtt": [logical, "Arn"]}))


def from_account(account: str = ACCOUNT) -> tuple[str, tuple[str, ...]]:
    return ("aws:SourceAccount", (account,))


def from_arn(source: str) -> tuple[str, tuple[str, ...]]:
    return ("aws:SourceArn", (source,))


def asked_of_machines() -> Iterator[Asked]:
    """Every task of every state machine, and what its log delivery needs."""
    for logical, machine in MACHINES.items():
        definition = (REPOSITORY / machine["DefinitionUri"]).read_text(encoding="utf-8")
        for name, function in machine["DefinitionSubstitutions"].items():
            assert f"${{{name}}}" in definition
            yield Asked(logical, Need("lambda:InvokeFunction", TEMPLATE.value(function)))
        if "states:startExecution" in definition:
            yield Asked(logical, Need("states:StartExecution", TEMPLATE.value({"Ref": logical})))
        for action in ("CreateLogDelivery", "PutResourcePolicy", "DescribeLogGroups"):
            yield Asked(logical, Need(f"logs:{action}", "*"))


def test_nothing_is_granted_twice() -> None:
    """A grant within another is one that nobody can take away and see what breaks."""
    granted = Counter(
        (role, action, resource)
        for role, statements in POLICIES.roles.items()
        for statement in statements
        if "Condition" not in statement
        for action in listed(statement["Action"])
        for resource in listed(statement.get("Resource", []))
    )

    assert len(granted) > len(POLICIES.roles)
    assert [grant for grant, times in granted.items() if times > 1] == []


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_state_machine_may_start_its_tasks_and_write_its_log() -> None:
    asked = list(asked_of_machines())

    assert {each.principal for each in asked} == set(MACHINES)
    assert POLICIES.refused(asked) == []


def test_a_state_machine_may_start_no_other_function() -> None:
    own = {(each.principal, each.need.resource) for each in asked_of_machines()}
    others = [
        Asked(machine, Need("lambda:InvokeFunction", arn(function)))
        for machine, function in product(MACHINES, TEMPLATE.of_type("AWS::Serverless::Function"))
        if (machine, arn(function)) not in own
    ]

    assert len(others) > 100
    assert ALLOWED not in POLICIES.decide(others)


SERVICES: Final = {
    "SES's events": ("ses.amazonaws.com", "sns:Publish", "SesEventsTopic", from_account()),
    "receipts": ("sns.amazonaws.com", "sqs:SendMessage", "ReceiptsQueue", from_arn(arn("SesEventsTopic"))),
    "what SNS gives up": (
        "sns.amazonaws.com",
        "sqs:SendMessage",
        "ReceiptsDeadLetterQueue",
        from_arn(arn("SesEventsTopic")),
    ),
    "uploads": ("s3.amazonaws.com", "sqs:SendMessage", "ImportQueue", from_account()),
}
"""What services do by themselves: who, what, to what, and what they say about who made them."""


@pytest.mark.parametrize("what", SERVICES)
def test_a_service_may_do_what_it_does_for_this_account_only(what: str) -> None:
    service, action, logical, source = SERVICES[what]
    foreign = from_account(ANOTHER) if source == from_account() else from_arn(source[1][0].replace(ACCOUNT, ANOTHER))
    sources: list[tuple[tuple[str, tuple[str, ...]], ...]] = [(source,), (foreign,), ()]
    answers = POLICIES.decide([Asked(service, Need(action, arn(logical), each)) for each in sources])

    assert answers[0] == ALLOWED
    assert ALLOWED not in answers[1:]


def test_a_schedule_may_start_campaigns_and_nothing_else() -> None:
    answers = {
        machine: POLICIES.decide([Asked("SchedulerRole", Need("states:StartExecution", arn(machine)))])[0]
        for machine in MACHINES
    }

    assert {machine for machine, answer in answers.items() if answer == ALLOWED} == {"CampaignStateMachine"}


@pytest.mark.parametrize(("secure", "answer"), [("true", ALLOWED), ("false", "ExplicitlyDenied")])
def test_a_file_goes_up_over_tls_only(secure: str, answer: str) -> None:
    """The engine looks at the bucket's policy for what is in the bucket."""
    bucket, file = arn("ImportsBucket"), f"{arn('ImportsBucket')}/imports/salon/1.csv"
    policies = Policies(POLICIES.roles, {file: POLICIES.resources[f"{bucket}/*"]})
    need = Need("s3:PutObject", file, (("aws:SecureTransport", (secure,)),))

    assert policies.decide([Asked("ServeApiFunction", need)]) == [answer]


# --- SES --------------------------------------------------------------------------------------------------------------


DOMAINS: Final = ("example.com", "mail.example.com", "badexample.com", "example.org")
ADDRESSES: Final = tuple(f"{local}@{domain}" for local, domain in product(("hello", "desk+1"), DOMAINS))
IDENTITIES: Final = (*DOMAINS, *ADDRESSES)


def asked_of_ses(address: str, verified: frozenset[str]) -> str | None:
    """The identity that SES asks IAM for: the most specific one that is verified and covers the address."""
    domain = address.partition("@")[2]
    parents = [domain, *(parent for parent in (domain.partition(".")[2],) if "." in parent)]
    return next((each for each in (address, *parents) if each in verified), None)


@settings(max_examples=10, deadline=None)
@given(
    of_the_stack=st.lists(st.sampled_from(IDENTITIES), min_size=1, max_size=3, unique=True),
    besides=st.frozensets(st.sampled_from(IDENTITIES)),
)
def test_who_may_be_made_a_sender_may_be_sent_from_and_nobody_else(
    of_the_stack: list[str], besides: frozenset[str]
) -> None:
    """However many identities are verified in the account besides those of the stack."""
    policies = policies_of(Template(SenderIdentity=",".join(of_the_stack)))
    verified = besides | set(of_the_stack)
    identities = {address: found for address in ADDRESSES if (found := asked_of_ses(address, verified))}
    asked = [
        Asked("SendEmailFunction", Need("ses:SendBulkEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{identity}"))
        for identity in identities.values()
    ]
    answers = dict(zip(identities, policies.decide(asked), strict=True))

    assert {address for address in identities if answers[address] == ALLOWED} == {
        address for address in identities if is_covered(address, of_the_stack)
    }


# --- faults that must be noticed --------------------------------------------------------------------------------------


def faults(policies: Policies, *asked: Asked) -> list[str]:
    return [answer for answer in policies.decide(asked) if answer != ALLOWED]


def narrowed(role: str, change: Mapping[str, Any]) -> Policies:
    return Policies({role: [{**statement, **change} for statement in POLICIES.roles[role]]})


WRONG: Final[Mapping[str, Mapping[str, Any]]] = {
    "another resource": {"Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Another"},
    "an action with a slip": {"Action": "dynamodb:GetItems"},
    "a condition that is never met": {"Condition": {"StringEquals": {"dynamodb:LeadingKeys": ["nobody"]}}},
    "the other effect": {"Effect": "Deny"},
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_policy_with_a_fault_is_noticed(fault: str) -> None:
    row = Need("dynamodb:GetItem", arn("DirectoryTable"), (("dynamodb:LeadingKeys", ("key#1",)),))
    asked = Asked("AuthorizeRequestFunction", row)

    assert faults(POLICIES, asked) == []
    assert faults(narrowed("AuthorizeRequestFunction", WRONG[fault]), asked)


def test_an_action_that_there_is_not_and_a_resource_that_it_has_not_are_noticed() -> None:
    policies = Policies({"Any": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    slips = [Need("ses:SendBulkEmails", "*"), Need("dynamodb:GetItem", arn("EmailQueue"))]

    assert len(faults(policies, *(Asked("Any", need) for need in slips))) == 2


def test_a_condition_on_leading_keys_is_held_against_the_rows_that_are_asked_for() -> None:
    of_another = Need("dynamodb:PutItem", arn("DirectoryTable"), (("dynamodb:LeadingKeys", ("salon-juniper",)),))
    of_failures = Need("dynamodb:PutItem", arn("DirectoryTable"), (("dynamodb:LeadingKeys", ("failures",)),))
    answers = POLICIES.decide([Asked("SendEmailFunction", of_failures), Asked("SendEmailFunction", of_another)])

    assert answers == [ALLOWED, "ImplicitlyDenied"]
