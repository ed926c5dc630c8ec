"""Reading again and deciding again while somebody else writes in between."""

import pytest

from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.retrying import ATTEMPTS, retried, retried_from


class Row:
    """A number that loses so many races before it can be written."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.written: list[int] = []
        self.reads = 0

    def write(self, known: int) -> str:
        self.written.append(known)
        if len(self.written) <= self.losses:
            raise ConcurrentChangeError
        return f"wrote {known}"

    def read(self) -> int:
        self.reads += 1
        return self.reads * 10


@pytest.mark.parametrize("losses", [0, 1, ATTEMPTS - 1])
def test_what_is_known_is_written_first_and_then_what_is_read_after_each_lost_race(losses: int) -> None:
    row = Row(losses)

    assert retried_from(7, row.write, row.read) == f"wrote {losses * 10 or 7}"
    assert row.written == [7, *(number * 10 for number in range(1, losses + 1))]
    assert row.reads == losses


def test_who_loses_every_race_gives_up_and_does_not_read_for_nothing() -> None:
    row = Row(ATTEMPTS)
    with pytest.raises(ConcurrentChangeError):
        retried_from(7, row.write, row.read)

    assert len(row.written) == ATTEMPTS
    assert row.reads == ATTEMPTS - 1


def test_a_read_that_finds_the_race_lost_for_good_ends_it() -> None:
    row, reads = Row(ATTEMPTS), 0

    def read() -> int:
        nonlocal reads
        reads += 1
        raise ConcurrentChangeError

    with pytest.raises(ConcurrentChangeError):
        retried_from(7, row.write, read)

    assert (len(row.written), reads) == (1, 1)


def test_the_number_of_attempts_and_what_happens_between_them_may_be_given() -> None:
    row, lost = Row(3), list[int]()
    with pytest.raises(ConcurrentChangeError):
        retried(lambda: row.write(7), attempts=3, lost=lost.append)

    assert (len(row.written), lost) == (3, [1, 2])
