"""Capacity units as AWS counts them, by the rules and examples of the DynamoDB developer guide."""

from datetime import timedelta

import pytest

from rebound.campaigns.adapters.dynamo_campaigns import DynamoChunkLedger
from rebound.campaigns.adapters.dynamo_expansion import DynamoExpansionLedger
from rebound.campaigns.domain.chunks import CHUNK_SIZE, ChunkKey, RangeProgress
from tests.benchmarks.capacity import item_size, query_units, read_units, write_units
from tests.benchmarks.cloud import cloud
from tests.benchmarks.prices import gigabyte_seconds
from tests.benchmarks.usd_per_million import spread
from tests.fakes.aws import make
from tests.fakes.making import CAMPAIGN_ID, at, chunk


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"id": {"S": "abc"}}, 5),
        ({"id": {"S": "añ€"}}, 8),
        ({"n": {"N": "27"}}, 3),
        ({"n": {"N": "-27"}}, 4),
        ({"n": {"N": "1795168805"}}, 7),
        ({"n": {"N": "1000000000"}}, 3),
        ({"yes": {"BOOL": True}}, 4),
        ({"no": {"NULL": True}}, 3),
        ({"tags": {"SS": ["vip", "colour"]}}, 13),
        ({"list": {"L": [{"S": "ab"}, {"S": "c"}]}}, 12),
        ({"map": {"M": {"a": {"S": "b"}}}}, 9),
    ],
)
def test_an_item_counts_its_names_and_values(item: dict[str, dict[str, object]], size: int) -> None:
    assert item_size(item) == size


@pytest.mark.parametrize(
    ("before", "after", "units"), [(0, 1, 1), (0, 1024, 1), (0, 1025, 2), (3000, 100, 3), (100, 3000, 3), (0, 0, 1)]
)
def test_a_write_counts_each_begun_kilobyte_of_the_larger_image(before: int, after: int, units: int) -> None:
    assert write_units(before, after) == units
    assert write_units(before, after, transaction=True) == 2 * units


def test_reads_by_key_are_rounded_up_one_by_one_and_a_query_as_a_whole() -> None:
    sizes = [100, 4096, 4097, 0]

    assert read_units(sizes, consistent=True) == 5
    assert read_units(sizes, consistent=False) == 2.5
    assert read_units(sizes, consistent=True, transaction=True) == 10
    assert query_units(sum(sizes), consistent=True) == 3
    assert query_units(sum(sizes), consistent=False) == 1.5
    assert query_units(0, consistent=False) == 0.5


def test_what_a_client_does_is_counted_by_table() -> None:
    small = {"business_id": {"S": "b"}, "customer_id": {"S": "c"}}
    large = {**small, "note": {"S": "x" * 1500}}
    with cloud() as made:
        client = make("dynamodb")
        client.put_item(TableName="CustomersTable", Item=large)
        client.put_item(TableName="CustomersTable", Item=small)
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.put_item(
                TableName="CustomersTable", Item=small, ConditionExpression="attribute_not_exists(customer_id)"
            )
        put = {"Put": {"TableName": "CustomersTable", "Item": small}}
        client.transact_write_items(TransactItems=[put])
        client.get_item(TableName="CustomersTable", Key=small)
        client.get_item(TableName="CustomersTable", Key=small, ConsistentRead=True)

    assert made.tables.writes == {"CustomersTable": 2 + 2 + 1 + 2}
    assert made.tables.reads == {"CustomersTable": 1.5}
    assert made.calls["dynamodb:PutItem"] == 3


def test_a_function_is_charged_for_cpu_stretched_to_its_part_of_one_and_for_waiting() -> None:
    assert gigabyte_seconds(1.0, 0.0, 1769) == pytest.approx(1769 / 1024)
    assert gigabyte_seconds(1.0, 0.0, 512) == pytest.approx(1769 / 1024)
    assert gigabyte_seconds(0.0, 2.0, 512) == pytest.approx(1.0)


def test_the_spread_is_measured_from_the_middle() -> None:
    assert spread([2.0, 2.2, 3.0]) == pytest.approx(0.2)
    assert spread([2.5]) == 0


def test_a_full_chunk_costs_one_unit_for_each_write_and_two_where_it_is_made() -> None:
    table, business_id, charged = "ChunksTable", CAMPAIGN_ID.lower(), list[int]()
    key = ChunkKey(business_id, CAMPAIGN_ID, "chunk#007#0000099")
    new = chunk(recipients=CHUNK_SIZE, key=key, created_at=at(0.123456), attempts=98)
    ledger, expansion = DynamoChunkLedger(table), DynamoExpansionLedger(table)
    with cloud() as made:
        writes = made.tables.writes
        expansion.commit(RangeProgress(CAMPAIGN_ID, 7), [new])
        charged.append(writes.pop(table))
        _, mine = ledger.claim(key, "0123456789abcdef" * 2, at(1.123456), timedelta(seconds=90))
        charged.append(writes.pop(table))
        ledger.mark(mine, at(2))
        charged.append(writes.pop(table))
        ledger.finish(mine)
        charged.append(writes.pop(table))

    # In a transaction with the progress of its range, which costs as much.
    assert charged == [2 + 2, 1, 1, 1]
