"""How far a reconciliation has got: one suite against the fake and the tables."""

from copy import replace

from rebound.contacts.domain.suppressions import Drift
from rebound.receipts.domain import Reconciliation
from tests.fakes.house import EveryPorts


def test_a_reconciliation_is_kept_as_it_is_and_begins_empty(ports: EveryPorts) -> None:
    under_way = Reconciliation("one", "cursor", 1000, {Drift.STALE_ENTRY: 2})
    assert ports.reconciliations.get("one") == Reconciliation("one")
    ports.reconciliations.save(under_way)
    assert ports.reconciliations.get("one") == under_way
    ports.reconciliations.save(replace(under_way, cursor=None, done=True))
    assert ports.reconciliations.get("one").done
    assert ports.reconciliations.get("two") == Reconciliation("two")
