"""Jobs and their progress: one suite against the fakes and the tables."""

from copy import replace

import pytest

from rebound.jobs.domain import FrozenCustomer, FrozenPage, Job, JobKind, JobProgress, JobStatus, Spared
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    at,
    id_of,
)

JOB = Job(BUSINESS_ID, CAMPAIGN_ID, JobKind.BULK_DELETE, {"wanted": {"q": "Ünï"}, "customer_ids": None}, 8, at(0.5))


def test_a_job_is_kept_whole_and_replaced_as_it_was_read(ports: EveryPorts) -> None:
    ports.jobs.add(JOB)
    with pytest.raises(ConcurrentChangeError):
        ports.jobs.add(JOB)
    first = ports.jobs.get(BUSINESS_ID, CAMPAIGN_ID)
    moved = replace(first, status=JobStatus.REFUSED, phase=1, run=2, reason="why", ended_at=at(9))
    ports.jobs.replace(moved)
    with pytest.raises(ConcurrentChangeError):
        ports.jobs.replace(first)

    assert replace(first, version=0) == JOB
    assert ports.jobs.get(BUSINESS_ID, CAMPAIGN_ID) == replace(moved, version=first.version + 1)
    with pytest.raises(NotFoundError):
        ports.jobs.get("other", CAMPAIGN_ID)
    with pytest.raises(ConcurrentChangeError):
        ports.jobs.replace(replace(first, job_id="unknown"))


def test_jobs_are_listed_newest_first_and_each_business_has_its_own(ports: EveryPorts) -> None:
    ids = [f"{number:026}" for number in range(4)]
    for id_ in ids:
        ports.jobs.add(replace(JOB, job_id=id_, by="owner@example.com"))
    ports.jobs.add(replace(JOB, business_id="other"))

    assert [job.job_id for job in ports.jobs.newest(BUSINESS_ID, 3)] == [ids[3], ids[2], ids[1]]
    assert [job.job_id for job in ports.jobs.newest(BUSINESS_ID, 3, ids[2])] == [ids[1], ids[0]]
    assert list(ports.jobs.newest(BUSINESS_ID, 3, ids[0])) == []
    # As it is read alone.
    assert ports.jobs.newest(BUSINESS_ID, 1) == [ports.jobs.get(BUSINESS_ID, ids[3])]
    assert ports.jobs.get(BUSINESS_ID, ids[3]).by == "owner@example.com"


def test_progress_is_committed_as_it_was_read_and_with_its_page(ports: EveryPorts) -> None:
    beginning = ports.job_ledger.get(CAMPAIGN_ID, 0, 7)
    page = FrozenPage(CAMPAIGN_ID, 7, 0, (FrozenCustomer(id_of(1), at(0.000001)), FrozenCustomer(id_of(2), at(2))))
    spared = (Spared(id_of(1), "changed"),)
    moved = replace(beginning, cursor=id_of(2), counts={"looked_at": 2}, spared=spared, done=True)
    committed = ports.job_ledger.commit(moved, frozen=page)
    with pytest.raises(ConcurrentChangeError):
        ports.job_ledger.commit(beginning, frozen=replace(page, number=1))

    assert beginning == JobProgress(CAMPAIGN_ID, 0, 7)
    assert committed == replace(moved, version=1) == ports.job_ledger.get(CAMPAIGN_ID, 0, 7)
    assert ports.job_ledger.frozen(CAMPAIGN_ID, 7, 0) == page
    assert ports.job_ledger.frozen(CAMPAIGN_ID, 7, 1) is None
    assert ports.job_ledger.frozen(CAMPAIGN_ID, 6, 0) is None
    other = ports.job_ledger.commit(JobProgress(CAMPAIGN_ID, 0, 3))
    ports.job_ledger.commit(JobProgress(CAMPAIGN_ID, 1, 3))
    assert list(ports.job_ledger.list(CAMPAIGN_ID, 0)) == [other, committed]
    assert list(ports.job_ledger.list("another", 0)) == []
