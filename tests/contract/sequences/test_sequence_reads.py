"""What is read of sequences, in requests: to hear costs the same whatever they say."""

from collections.abc import Callable
from typing import Any

import pytest

from rebound.sequences.adapters.known_versions import KnownVersions
from rebound.sequences.domain.sequences import Definition
from rebound.templates.domain.content import EmailContent
from tests.contract.sequences.test_sequence_books import SEQUENCE, UID, sequence
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID
from tests.fakes.troubles import recorded_requests
from tests.unit.sequences.worlds import definition_of, send


def large() -> Definition:
    return definition_of(*[send("x", content=EmailContent("Hello", "x" * 60_000, None)) for _ in range(5)])


def asked(act: Callable[[], Any]) -> list[str]:
    """The rows that are asked for by their keys, and the lists."""
    with recorded_requests() as requests:
        act()
    return [
        body["Key"]["entry_id"]["S"].split("#")[0] if operation == "GetItem" else operation
        for operation, body in requests
    ]


def written(act: Callable[[], Any]) -> list[str]:
    with recorded_requests() as requests:
        act()
    [body] = [body for operation, body in requests if operation == "TransactWriteItems"]
    rows = [one["Put"]["Item"] for one in body["TransactItems"]]
    return [row["entry_id"]["S"].split("#")[0] for row in rows if "entry_id" in row]


def test_the_row_that_is_read_to_hear_is_small_whatever_it_says(over_dynamodb: EveryPorts) -> None:
    ports = over_dynamodb
    with recorded_requests() as requests:
        ports.sequences.save(sequence(definition=large()))
    [body] = [body for operation, body in requests if operation == "TransactWriteItems"]
    rows = {one["Put"]["Item"]["entry_id"]["S"]: str(one) for one in body["TransactItems"] if "Put" in one}

    assert len(rows[f"sequence#{SEQUENCE}"]) < 4_000
    assert len(rows[f"sequence-version#{UID}#000001"]) > 300_000
    assert asked(lambda: ports.sequences.all(BUSINESS_ID)) == ["Query"]
    assert asked(lambda: ports.sequences.known(BUSINESS_ID, SEQUENCE)) == ["sequence"]


def test_what_a_version_says_is_read_once_and_whether_it_is_on_each_time(
    over_dynamodb: EveryPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = over_dynamodb
    ports.sequences.save(sequence(definition=large()))
    # Another process.
    monkeypatch.setattr(ports.sequences, "_versions", KnownVersions())

    assert asked(lambda: ports.sequences.get(BUSINESS_ID, SEQUENCE)) == ["sequence", "sequence-version"]
    assert asked(lambda: ports.sequences.get(BUSINESS_ID, SEQUENCE)) == ["sequence"]
    assert asked(lambda: ports.sequences.version(BUSINESS_ID, UID, 1)) == []


def test_who_switches_one_on_or_off_does_not_write_again_what_it_says(over_dynamodb: EveryPorts) -> None:
    ports = over_dynamodb
    assert written(lambda: ports.sequences.save(sequence(definition=large()))) == [
        "sequence",
        "sequence-version",
        "sequence-gate",
    ]
    read = ports.sequences.get(BUSINESS_ID, SEQUENCE)

    assert written(lambda: ports.sequences.save(read)) == ["sequence", "sequence-gate"]
