"""The removal of customers with a job's progress: one suite against the fake and the tables."""

from copy import replace

import pytest

from rebound.jobs.domain import JobProgress
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.segments.domain.segments import Removal
from tests.contract.contacts.test_contacts import SAID, known, used
from tests.contract.customers.test_customers import stored
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    CAMPAIGN_ID,
    id_of,
)


@pytest.mark.parametrize("stale", ["progress", "customer", "contact"])
def test_a_removal_and_its_progress_are_all_or_none(ports: EveryPorts, stale: str) -> None:
    stored(ports, 1)
    ports.contacts.save(used(1).with_evidence(SAID[0]))
    progress, before, contact = (
        JobProgress(CAMPAIGN_ID, 1, 0),
        ports.customers.get(BUSINESS_ID, id_of(1)),
        known(ports, 1),
    )
    removal = Removal([before], [contact.without([id_of(1)])])
    match stale:
        case "progress":
            progress = replace(ports.job_ledger.commit(progress), version=0)
        case "customer":
            ports.customers.save([before], [])
        case _:
            ports.contacts.save(contact.with_evidence(SAID[1]))
    with pytest.raises(ConcurrentChangeError):
        ports.removal_ledger.commit(progress, removal)

    assert ports.customers.get(BUSINESS_ID, id_of(1)).customer_id == id_of(1)
    assert known(ports, 1).is_used
    assert ports.job_ledger.get(CAMPAIGN_ID, 1, 0).counts == {}


def test_a_removal_counts_with_its_progress(ports: EveryPorts) -> None:
    stored(ports, 1)
    ports.contacts.save(used(1).with_evidence(SAID[0]))
    removal = Removal([ports.customers.get(BUSINESS_ID, id_of(1))], [known(ports, 1).without([id_of(1)])])
    ports.removal_ledger.commit(JobProgress(CAMPAIGN_ID, 1, 0, counts={"deleted": 1}), removal)

    with pytest.raises(NotFoundError):
        ports.customers.get(BUSINESS_ID, id_of(1))
    assert (known(ports, 1).is_used, known(ports, 1).remembered > 0) == (False, True)
    assert ports.job_ledger.get(CAMPAIGN_ID, 1, 0).counts == {"deleted": 1}
