"""What follows from changes of campaigns: domain events, and the count of those that paused themselves."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from rebound import wiring
from rebound.adapters.dynamo_campaigns import campaign_change_of
from rebound.application.project_campaigns import trips
from rebound.telemetry import logger, metrics, place_of


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Follow one batch of the stream, in order; from the first change that fails on, all come again."""
    paused, failed = 0, []
    for record in event["Records"]:
        try:
            change = campaign_change_of(record)
            if change is not None:
                paused += trips(wiring.project_campaigns()(change))
        except Exception as error:  # noqa: BLE001 - reported to the stream, which comes again
            logger().error("change not told", error=type(error).__name__, at=place_of(error))
            failed.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
            break
    if paused:
        metrics().add_metric("CampaignsPausedByBreaker", MetricUnit.Count, paused)
        metrics().flush_metrics()
    return {"batchItemFailures": failed}
