"""Where a suite of ports runs: in memory, over AWS in memory, and over the tables on which the benchmarks count."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

import pytest

from rebound.platform.wiring import AwsPorts
from tests.benchmarks.cloud import cloud, table_settings
from tests.fakes.aws import empty_tables, fake_aws, fake_aws_with_tables
from tests.fakes.house import EveryPorts
from tests.fakes.house import ports as ports_of_this_process
from tests.fakes.memory_ports import MemoryPorts
from tests.fakes.troubles import busy_dynamodb


@contextmanager
def _process(settings: Mapping[str, str]) -> Iterator[None]:
    """A process with these settings, which has made nothing yet."""
    with patch.dict("os.environ", settings), patch.object(AwsPorts, "made", {}):
        yield


@pytest.fixture(scope="module", params=["memory", "dynamodb", "busy", "benchmarks"])
def tables(request: pytest.FixtureRequest) -> Iterator[Callable[[], EveryPorts]]:
    """Makes the ports over empty tables."""
    if request.param == "memory":
        yield MemoryPorts
    elif request.param in {"dynamodb", "busy"}:
        busy = busy_dynamodb() if request.param == "busy" else nullcontext()
        with fake_aws_with_tables() as names, _process(names), busy:

            def over_dynamodb() -> EveryPorts:
                empty_tables()
                return ports_of_this_process()

            yield over_dynamodb
    else:
        with cloud() as made, _process(table_settings()):

            def over_benchmarks() -> EveryPorts:
                for table in made.tables.by_name.values():
                    table.clear()
                return ports_of_this_process()

            yield over_benchmarks


@pytest.fixture
def ports(tables: Callable[[], EveryPorts]) -> EveryPorts:
    """All ports, over tables in which nothing is."""
    return tables()


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``over_dynamodb`` is one kind of tables; made as the others are, they never meet in whatever order tests run."""
    if "over_dynamodb" in metafunc.fixturenames:
        metafunc.definition.add_marker(pytest.mark.parametrize("tables", ["dynamodb"], indirect=True))


@pytest.fixture
def over_dynamodb(tables: Callable[[], EveryPorts]) -> EveryPorts:
    """All ports over AWS in memory alone: for what no fake can show."""
    return tables()


@pytest.fixture(params=["memory", "aws"])
def on_aws(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the adapter is tried, over AWS in memory, or the fake."""
    if request.param == "memory":
        yield False
        return
    with fake_aws():
        yield True
