"""Batches from SQS, one message at a time, with only the failed ones coming again."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from rebound.telemetry import logger, place_of

Handle = Callable[[str, str], None]
"""Takes a message's body and a name for this attempt at it."""


def process_queue(event: dict[str, Any], context: Any, handle: Handle) -> Mapping[str, Any]:
    """Handle each message of a batch; the answer names those that failed."""

    def handle_record(record: SQSRecord) -> None:
        owner = f"{context.aws_request_id}:{record.message_id}"
        try:
            handle(record.body, owner)
        except Exception as error:
            # The text of an error may hold personal data.
            logger().warning(
                "message comes again", message_id=record.message_id, error=type(error).__name__, at=place_of(error)
            )
            raise

    # A batch that failed whole is answered like any other: raising would only make Lambda log the errors' texts.
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
