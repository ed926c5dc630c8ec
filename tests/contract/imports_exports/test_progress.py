"""Imports, exports and their progress: one suite against the fakes and the tables."""

from copy import replace

import pytest

from rebound.imports_exports.domain import (
    BadRow,
    BatchReport,
    ExportJob,
    FilePosition,
    ImportJob,
    ImportOptions,
    Problem,
    RowCounts,
    RowOutcome,
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
    for place in (FilePosition(), FilePosition(5_000_000_000, 70, ("first_name", "last_name"), "\t", "utf-16-le")):
        done = replace(
            job,
            status="failed",
            splitting=Splitting(3, '"etag"', place, 60, 2, done=True),
            failure="é",
            options=ImportOptions({"Névé": None, "Mobile": "mobile_phone"}, True, "DD/MM/YYYY", ("email",), ()),
            files={"result": True, "errors": False},
            by="owner@example.com",
        )
        ports.imports.save(done)

        assert ports.imports.get(BUSINESS_ID, "i1") == done


def test_an_export_is_kept_whole_and_overwritten(ports: EveryPorts) -> None:
    with pytest.raises(NotFoundError):
        ports.exports.get(BUSINESS_ID, "e1")
    job = ExportJob(BUSINESS_ID, "e1", "csv", "queued", at(0), {"failed": "any", "filter": {"all": []}})
    later = replace(
        job, rows=7, cursor="c", upload_id="u", parts=("t1", "t2"), rest=7, written=True, failure="é", by="me@x"
    )
    for one in (job, later):
        ports.exports.save(one)

        assert ports.exports.get(BUSINESS_ID, "e1") == one


def test_imports_and_exports_are_listed_newest_first_and_each_business_has_its_own(ports: EveryPorts) -> None:
    ids = [f"{number:026}" for number in range(5)]
    for owner, some in ((BUSINESS_ID, ids), ("other", ids[:1])):
        for id_ in some:
            ports.imports.save(ImportJob(owner, id_, "csv", "queued", created_at=at(0)))
            ports.exports.save(ExportJob(owner, id_, "csv", "queued", at(0), {}))

    for newest, name in ((ports.imports.newest, "import_id"), (ports.exports.newest, "export_id")):
        assert [getattr(one, name) for one in newest(BUSINESS_ID, 2)] == [ids[4], ids[3]]
        assert [getattr(one, name) for one in newest(BUSINESS_ID, 2, ids[3])] == [ids[2], ids[1]]
        # Also behind an id that is another kind's.
        assert [getattr(one, name) for one in newest(BUSINESS_ID, 9, f"{ids[1]}~")] == [ids[1], ids[0]]
        assert list(newest(BUSINESS_ID, 9, ids[0])) == []
        assert len(newest(BUSINESS_ID, 9)) == len(ids)
        assert newest("other", 9)[0].business_id == "other"


def test_progress_of_an_import_counts_with_its_customers_and_only_as_it_was_read(ports: EveryPorts) -> None:
    wrong = FieldError("email", "Must be\u2026")
    first, refused, odd = BadRow(2, (wrong, wrong)), BadRow(10, (wrong,), (wrong,)), BadRow(4, (), (wrong,))
    begun = ports.import_ledger.get("i1", 3)
    counts = RowCounts(3, created=1, failed=2, incomplete=1)
    problems = {Problem("error", "email", "Must be\u2026"): 3, Problem("warning", "email", "Must be\u2026"): 2}
    report = BatchReport(0, 0, (RowOutcome(4, "created", None, id_of(1)),), (first, odd, refused))
    done = ports.import_ledger.commit(
        replace(begun, counts=counts, reported=2, warned=1, problems=problems),
        [customer(1)],
        [],
        [first, odd, refused],
        report,
    )

    assert done == ports.import_ledger.get("i1", 3)
    assert done.version == 1
    with pytest.raises(ConcurrentChangeError):
        ports.import_ledger.commit(begun, [customer(2)])
    with pytest.raises(ConcurrentChangeError):
        ports.import_ledger.commit(replace(done, counts=counts + counts), [customer(1)], [], [BadRow(1, (wrong,))])
    assert ports.customers.get_many(BUSINESS_ID, [id_of(1), id_of(2)], as_of_now=True).keys() == {id_of(1)}
    assert ports.import_ledger.get("i1", 3) == done
    assert ports.import_ledger.bad_rows("i1", 9, refused=True) == [first, refused]
    assert ports.import_ledger.bad_rows("i1", 1, refused=True) == [first]
    assert ports.import_ledger.bad_rows("i1", 9, refused=False) == [odd]
    assert list(map(list, ports.import_ledger.reports("i1", 4))) == [[]] * 6 + [[report], []]


def test_bad_rows_of_all_parts_come_by_line(ports: EveryPorts) -> None:
    wrong = (FieldError("email", "Must be\u2026"),)
    for part, lines in ((0, (5, 20)), (1, (4, 6)), (2, (30, 31))):
        shown = [BadRow(line, wrong) for line in lines]
        ports.import_ledger.commit(ports.import_ledger.get("i1", part), shown=shown)

    assert [bad.line for bad in ports.import_ledger.bad_rows("i1", 3, refused=True)] == [4, 5, 6]
    assert [bad.line for bad in ports.import_ledger.bad_rows("i1", 9, refused=True)] == [4, 5, 6, 20, 30, 31]


def test_reports_of_a_part_come_in_their_order(ports: EveryPorts) -> None:
    reports = [
        BatchReport(1, first, (RowOutcome(first, "updated", "\u00e9", id_of(first)),))
        for first in (0, 9, 110, 1_000_000)
    ]
    for report in (reports[2], reports[0], reports[3], reports[1]):
        ports.import_ledger.commit(ports.import_ledger.get("i1", 7), report=report)

    assert list(map(list, ports.import_ledger.reports("i1", 8))) == [[]] * 15 + [reports]
    ports.import_ledger.commit(ports.import_ledger.get("i2", 0), report=reports[0])
    for _ in range(2):
        ports.import_ledger.remove_reports("i1")
    assert list(map(list, ports.import_ledger.reports("i1", 8))) == [[]] * 16
    assert list(map(list, ports.import_ledger.reports("i2", 1))) == [[], [reports[0]]]
    assert ports.import_ledger.get("i1", 7).version == len(reports)


def test_the_progress_of_an_import_is_that_of_all_its_parts(ports: EveryPorts) -> None:
    assert ports.import_ledger.parts("i1") == []
    for part, import_id in ((11, "i1"), (2, "i1"), (0, "i2")):
        ports.import_ledger.commit(replace(ports.import_ledger.get(import_id, part), counts=RowCounts(5, 1, 1, 1, 2)))

    assert [(each.part, each.counts) for each in ports.import_ledger.parts("i1")] == [
        (part, RowCounts(5, 1, 1, 1, 2)) for part in (2, 11)
    ]
    assert ports.import_ledger.bad_rows("i1", 5, refused=True) == []
