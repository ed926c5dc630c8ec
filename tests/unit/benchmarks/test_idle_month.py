"""What an idle stack costs stays under what the README says, whatever is added to the template."""

import re
from typing import Final

import pytest

from tests.benchmarks.idle_month import BAR, RECEIVES_OF_A_QUEUE, rows_of, run
from tests.fakes.aws import REPOSITORY
from tests.fakes.deployment import Template

FOUND: Final = run()


def test_an_idle_stack_costs_less_than_the_readme_says() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"While nothing is sent it costs less than ([\d.]+) USD a month", readme)

    assert FOUND["paid_without_twilio"] < FOUND["paid"] < BAR == float(said)


@pytest.mark.parametrize("name", [*FOUND["rows"], "paid", "list", "paid_without_twilio"])
def test_the_benchmarks_page_has_the_figures_of_now(name: str) -> None:
    page = (REPOSITORY / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    idle = page.partition("## An idle month")[2].partition("\n## ")[0]
    row = FOUND["rows"].get(name)

    if row:
        assert f"| {name} | {row['list']:.2f} | {row['paid']:.2f} |" in re.sub(r" \([^|]*\) \|", " |", idle)
    else:
        assert f"{FOUND[name]:.2f}" in idle


def test_a_queue_and_an_alarm_more_are_counted() -> None:
    template = Template(SenderIdentity="example.com")
    before = rows_of(template)
    template.of_type("AWS::CloudWatch::Alarm")["One more"] = {"Metrics": ["a", "b", "a / b"]}  # type: ignore[index]
    events = template.of_type("AWS::Serverless::Function")["BeginImportFunction"]["Events"]
    events["Another"] = {"Type": "SQS", "Properties": {}}
    after = rows_of(template)

    assert after["alarms"]["count"] - before["alarms"]["count"] == 3
    assert after["empty receives of the queues"]["count"] - before["empty receives of the queues"]["count"] == (
        RECEIVES_OF_A_QUEUE
    )
