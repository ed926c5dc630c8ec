"""Who runs campaigns: one suite against the fake, and Step Functions and the scheduler."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rebound.campaigns.adapters.campaign_runner import StepFunctionsCampaignRunner
from rebound.campaigns.ports import CampaignRunner
from tests.contract.campaigns.fakes import RecordingRunner
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID

ROLE = "arn:aws:iam::123456789012:role/rebound"


MACHINE = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


@dataclass(frozen=True)
class Running:
    """A runner, and what it has started and scheduled."""

    runner: CampaignRunner
    started: Callable[[], list[Any]]
    scheduled: Callable[[], list[tuple[str, datetime]]]


def running(on_aws: bool) -> Running:
    if not on_aws:
        fake = RecordingRunner()
        return Running(
            fake,
            lambda: [
                *({"business_id": b, "campaign_id": c} for b, c in fake.started),
                *({"business_id": b, "campaign_id": c, "requeue": {"cursor": None}} for b, c in fake.requeues),
                *(
                    {"business_id": b, "campaign_id": c, "roll_back": {"rollback_id": r, "cursor": None, "bounces": 0}}
                    for b, c, r in fake.rollbacks
                ),
            ],
            lambda: [(campaign_id, at) for (_, campaign_id), times in fake.scheduled.items() for at in sorted(times)],
        )
    steps, scheduler = make("stepfunctions"), make("scheduler")
    campaigns, follow_ups = (
        steps.create_state_machine(name=name, definition=json.dumps(MACHINE), roleArn=ROLE)["stateMachineArn"]
        for name in ("campaigns", "follow_ups")
    )
    scheduler.create_schedule_group(Name="campaigns")

    def started() -> list[Any]:
        found = [e for arn in (campaigns, follow_ups) for e in steps.list_executions(stateMachineArn=arn)["executions"]]
        return [json.loads(steps.describe_execution(executionArn=e["executionArn"])["input"]) for e in found]

    def scheduled() -> list[tuple[str, datetime]]:
        found = scheduler.list_schedules(GroupName="campaigns")["Schedules"]
        expressions = {s["Name"]: scheduler.get_schedule(GroupName="campaigns", Name=s["Name"]) for s in found}
        return [
            (
                json.loads(s["Target"]["Input"])["campaign_id"],
                datetime.strptime(s["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC),
            )
            for _, s in sorted(expressions.items())
        ]

    runner = StepFunctionsCampaignRunner(steps, scheduler, campaigns, follow_ups, "campaigns", ROLE)
    return Running(runner, started, scheduled)


def test_a_campaign_that_is_started_twice_runs_once(on_aws: bool) -> None:
    run = running(on_aws)
    run.runner.start(BUSINESS_ID, CAMPAIGN_ID)
    run.runner.start(BUSINESS_ID, CAMPAIGN_ID)

    assert run.started() == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID}]


def test_a_follow_up_of_a_campaign_runs_beside_it(on_aws: bool) -> None:
    run = running(on_aws)
    run.runner.requeue(BUSINESS_ID, CAMPAIGN_ID, "requeue-1")

    assert run.started() == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID, "requeue": {"cursor": None}}]


def test_a_rollback_that_is_started_twice_runs_once(on_aws: bool) -> None:
    run = running(on_aws)
    run.runner.roll_back(BUSINESS_ID, CAMPAIGN_ID, "rollback-1")
    run.runner.roll_back(BUSINESS_ID, CAMPAIGN_ID, "rollback-1")

    rollback = {"rollback_id": "rollback-1", "cursor": None, "bounces": 0}
    assert run.started() == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID, "roll_back": rollback}]


def test_a_campaign_that_is_scheduled_twice_is_scheduled_once_at_its_time_in_utc(on_aws: bool) -> None:
    run = running(on_aws)
    moment = datetime.fromisoformat("2027-03-28T02:30:00+02:00")
    run.runner.schedule(BUSINESS_ID, CAMPAIGN_ID, moment)
    run.runner.schedule(BUSINESS_ID, CAMPAIGN_ID, moment)

    assert run.scheduled() == [(CAMPAIGN_ID, datetime(2027, 3, 28, 0, 30, tzinfo=UTC))]
    assert run.started() == []


def test_a_campaign_that_is_moved_has_a_schedule_for_each_time(on_aws: bool) -> None:
    run = running(on_aws)
    first, then = datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 3, 29, tzinfo=UTC)
    for moment in (then, first, then):
        run.runner.schedule(BUSINESS_ID, CAMPAIGN_ID, moment)

    assert run.scheduled() == [(CAMPAIGN_ID, first), (CAMPAIGN_ID, then)]


def test_a_start_of_another_name_is_another_start(on_aws: bool) -> None:
    run = running(on_aws)
    for name in (None, f"{CAMPAIGN_ID}-2", f"{CAMPAIGN_ID}-2", None):
        run.runner.start(BUSINESS_ID, CAMPAIGN_ID, name)

    assert run.started() == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID}] * 2
