"""Times that others read are written by one writer: in the document, in samples of events, and in the package."""

import ast
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.contract.events.test_domain_events import EVENTS, sample_of, schema_of
from tests.contract.project.test_house import modules
from tests.fakes.partial_updates import DOCUMENT
from tests.fakes.written_times import INSTANT, WRITTEN, odd_times

STORED: Final = frozenset(
    {
        "rebound.campaigns.adapters.campaign_runner",
        "rebound.console.http.segments",
        "rebound.contacts.domain.history",
        "rebound.platform.adapters.dynamo",
        "rebound.recurring.adapters",
        "rebound.recurring.application.look_who_is_due",
        "rebound.receipts.adapters.receipts_queue",
        "rebound.sending.adapters.queues",
        "rebound.sending.adapters.sqs_receipt_queue",
        "rebound.sequences.domain.documents",
        "rebound.sequences.domain.members",
        "rebound.sequences.application.follow_customers",
        "rebound.sequences.application.notice_entering",
        "rebound.sequences.application.sequence_service",
        "rebound.sequences.domain.tasks",
        "rebound.webhooks.adapters.sqs_webhook_queue",
    }
)
"""Tables, queues, schedules, jobs' names, and a form's mark of what it rests on, which nobody else reads."""
DAYS_AND_CLOCKS: Final = frozenset(
    {
        "rebound.campaigns.http.campaigns",
        "rebound.console.domain.said",
        "rebound.console.http.typed",
        "rebound.imports_exports.application.customer_files",
        "rebound.imports_exports.application.import_rows",
        "rebound.messages.application.voucher_values",
        "rebound.messages.domain.vouchers",
        "rebound.sending.http",
    }
)
"""These write days, or a time without an offset as it was posted, or read times in sentences."""
WRITER: Final = "rebound.kernel.times"


def examples(node: Any) -> Iterator[Any]:
    """Everything that the document shows as a value."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in {"example", "examples", "default", "const"}:
                yield value
            yield from examples(value)
    elif isinstance(node, list):
        for value in node:
            yield from examples(value)


def test_the_document_shows_times_as_they_are_written() -> None:
    shown = list(examples(DOCUMENT))

    assert any(WRITTEN.search(json.dumps(value)) for value in shown)
    assert list(odd_times(shown)) == []


@pytest.mark.parametrize("name", EVENTS)
def test_a_sample_of_an_event_has_times_as_they_are_written(name: str) -> None:
    assert list(odd_times(sample_of(name)["detail"])) == []
    for field, schema in schema_of(name)["properties"].items():
        if schema.get("format") == "date-time":
            assert schema["pattern"] == r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$", field


def test_nothing_else_writes_times_for_others() -> None:
    found = {".".join(("rebound", *parts)) for parts, tree in modules() if _writes(tree)}

    assert found - {WRITER} == STORED | DAYS_AND_CLOCKS


def _writes(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in {"isoformat", "strftime"})
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and "%dT%H" in node.value)
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    "odd",
    [
        "2026-11-29T17:13:03Z",
        "2026-11-29T17:13:03.123456Z",
        "2026-11-29T17:13:03.123+00:00",
        "2026-11-29 17:13:03.123Z",
    ],
)
def test_another_form_is_seen(odd: str) -> None:
    assert list(odd_times({"items": [{"at": odd}]})) == [odd]
    assert list(odd_times([f"a;{odd};b", "2026-11-29T17:13:03.123Z", "2026-11-29T09:00:00", "2026-11-29"])) == [odd]
    assert INSTANT.fullmatch(odd)
