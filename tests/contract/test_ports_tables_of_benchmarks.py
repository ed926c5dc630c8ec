"""The suite of the ports behind tables once more, against the tables that the benchmarks count capacity on."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.cloud import Cloud, cloud, table_settings
from tests.contract.test_ports_tables import *  # noqa: F403 - every test of the suite
from tests.contract.test_ports_tables import Books, in_dynamodb


@pytest.fixture(scope="module")
def in_benchmarks() -> Iterator[tuple[Cloud, Books]]:
    with cloud() as made:
        yield made, in_dynamodb(table_settings())


@pytest.fixture  # type: ignore[no-redef]
def books(in_benchmarks: tuple[Cloud, Books]) -> Books:
    made, found = in_benchmarks
    for table in made.tables.by_name.values():
        table.clear()
    return found


@pytest.fixture  # type: ignore[no-redef]
def books_in_dynamodb(books: Books) -> Books:
    return books
