"""The salon that most tests of sequences begin with."""

import pytest

from tests.fakes.making import business, customer
from tests.unit.sequences.worlds import SequenceWorld


@pytest.fixture
def world() -> SequenceWorld:
    """With two customers, of whom the second has the tag ``vip``."""
    made = SequenceWorld(business())
    made.add(customer(1), customer(2, general_tags=("vip",)))
    return made
