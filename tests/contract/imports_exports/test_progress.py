"""Imports, exports and their progress: one suite against the fakes and the tables."""

from copy import replace

import pytest

from rebound.imports_exports.domain import (
    BadRow,
    ExportJob,
    FilePosition,
    ImportJob,
    RowCounts,
    Splitting,
)
from rebound.kernel.errors import ConcurrentChangeError, FieldError, NotFoundError
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
    customer,
    id_of,
)


def test_an_import_is_kept_whole_and_overwritten(ports: EveryPorts) -> None:
    job = ImportJob(BUSINESS_ID, "i1", "csv", "queued", created_at=at(0))
    ports.imports.save(job)
    assert ports.imports.get(BUSINESS_ID, "i1") == job
    for place in (FilePosition(), FilePosition(5_000_000_000, 70, ("first_name", "last_name"))):
        done = replace(job, status="failed", splitting=Splitting(3, '"etag"', place, 60, 2, done=True), failure="é")
        ports.imports.save(done)

        assert ports.imports.get(BUSINESS_ID, "i1") == done


def test_an_export_is_kept_whole_and_overwritten(ports: EveryPorts) -> None:
    with pytest.raises(NotFoundError):
        ports.exports.get(BUSINESS_ID, "e1")
    job = ExportJob(BUSINESS_ID, "e1", "csv", "queued", at(0), {"failed": "any", "filter": {"all": []}})
    later = replace(job, rows=7, cursor="c", upload_id="u", parts=("t1", "t2"), rest=7, written=True, failure="é")
    for one in (job, later):
        ports.exports.save(one)

        assert ports.exports.get(BUSINESS_ID, "e1") == one


def test_progress_of_an_import_counts_with_its_customers_and_only_as_it_was_read(ports: EveryPorts) -> None:
    bad = BadRow(2, (FieldError("email", "Must be…"), FieldError("birthday", "Must be…")))
    begun = ports.import_ledger.get("i1", 3)
    counts = RowCounts(3, created=1, failed=2)
    done = ports.import_ledger.commit(
        replace(begun, counts=counts, reported=2), [customer(1)], [], [BadRow(10, bad.errors), bad]
    )

    assert done == ports.import_ledger.get("i1", 3)
    assert done.version == 1
    with pytest.raises(ConcurrentChangeError):
        ports.import_ledger.commit(begun, [customer(2)])
    with pytest.raises(ConcurrentChangeError):
        ports.import_ledger.commit(replace(done, counts=counts + counts), [customer(1)], [], [BadRow(1, bad.errors)])
    assert ports.customers.get_many(BUSINESS_ID, [id_of(1), id_of(2)], as_of_now=True).keys() == {id_of(1)}
    assert ports.import_ledger.get("i1", 3) == done
    assert ports.import_ledger.bad_rows("i1", 9) == [bad, BadRow(10, bad.errors)]
    assert ports.import_ledger.bad_rows("i1", 1) == [bad]


def test_the_counts_of_an_import_are_the_sum_of_its_parts(ports: EveryPorts) -> None:
    assert ports.import_ledger.counts("i1") == RowCounts()
    for part, import_id in ((0, "i1"), (1, "i1"), (0, "i2")):
        ports.import_ledger.commit(replace(ports.import_ledger.get(import_id, part), counts=RowCounts(5, 1, 1, 1, 2)))

    assert ports.import_ledger.counts("i1") == RowCounts(10, 2, 2, 2, 4)
    assert ports.import_ledger.bad_rows("i1", 5) == []
