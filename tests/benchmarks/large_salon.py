"""A salon with as many customers as one likes, each of whom has been there: profiles, addresses and summaries."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from rebound.activity.domain.summary import Offer, Summary, Visits
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel
from tests.benchmarks.deployment import START, Deployment
from tests.benchmarks.made_rows import MadeTable, Pattern, contact_row, customer_row, number_of, put_customers
from tests.benchmarks.tables import Row
from tests.fakes import house
from tests.fakes.making import id_of

KINDS: Final = 1_009
"""Different stories of what somebody did; a prime, so that they are not those of certain names or birthdays."""
LOST_ONE_IN: Final = 5
LONGEST_AGO: Final = 120
_SAMPLE: Final = 987_654_321
_EMAIL: Final = "email#alexandra.silva."


def customer(business_id: str, number: int) -> Customer:
    """The customer with a number."""
    return Customer(
        business_id=business_id,
        customer_id=id_of(number),
        first_name=f"Alexandra{number % 97}",
        last_name="Silva-Costa",
        created_at=START - timedelta(days=500),
        updated_at=START - timedelta(days=500),
        external_id=f"customer-{number}",
        email=f"alexandra.silva.{number}@example.com",
        mobile_phone=f"+1415{number % 10_000_000:07d}",
        birthday=birthday(number),
        general_tags=("vip", "colour"),
    )


def birthday(number: int) -> date:
    """Each day of the year is as many people's."""
    return date(1960 + number % 40, 1, 1) + timedelta(days=number * 7 % 365)


def _texts(number: int) -> Sequence[str]:
    return (
        id_of(number),
        f"alexandra.silva.{number}@",
        f"+1415{number % 10_000_000:07d}",
        f"customer-{number}",
        f"Alexandra{number % 97}",
        str(birthday(number)),
    )


def doings(number: int) -> Summary:
    """What the customer with a number did: up to a dozen visits in the last 30 days, or none for a month or more."""
    kind = number % KINDS
    today = START.date()
    last = 31 + kind % LONGEST_AGO if kind % LOST_ONE_IN == 0 else kind % 3
    recent = 0 if kind % LOST_ONE_IN == 0 else kind % 13
    ago = {last, *(last + 2 * turn for turn in range(recent)), *(last + 40 * turn for turn in range(1 + kind % 8))}
    days = sorted(today - timedelta(days=each) for each in ago)
    visited = tuple(Visits(day, day, Offer("yoga", "stretching"), 1) for day in days)
    rating = 5 if kind % 4 else None
    return Summary(
        zone="UTC", written_on=today, visited=visited, first_visit=days[0], last_visit=days[-1], rating=rating
    )


def furnish(deployed: Deployment, count: int, story: Callable[[int], Summary] = doings, kinds: int = KINDS) -> None:
    """Let the business that was opened have so many customers, with contacts and summaries.

    ``story`` is what each did, the same for every ``kinds``-th customer.
    """
    business_id, tables = deployed.business_id, deployed.cloud.tables
    sample = customer(business_id, _SAMPLE)
    by_channel = {key.channel: Pattern(contact_row(key, sample), _texts(_SAMPLE)) for key in sample.contact_keys}
    profile = Pattern(customer_row(sample), _texts(_SAMPLE))

    def contact(place: str) -> Row | None:
        address = place.removeprefix(f"{business_id}#")
        channel = Channel.EMAIL if address.startswith(_EMAIL) else Channel.SMS
        number = int(address.removeprefix(_EMAIL).partition("@")[0]) if channel is Channel.EMAIL else int(address[-7:])
        return by_channel[channel].filled(_texts(number)) if number < count else None

    put_customers(tables, business_id, range(count), lambda number: profile.filled(_texts(number)), contact)
    summaries = [_summary(deployed, kind, story(kind)) for kind in range(min(kinds, count))]

    def summary(key: tuple[str, str]) -> Row | None:
        number = number_of(key[0].removeprefix(f"{business_id}#"))
        return summaries[number % kinds].filled((id_of(number),)) if number < count else None

    tables.by_name["ActivityTable"] = MadeTable(tables.by_name["ActivityTable"], summary)


def _summary(deployed: Deployment, kind: int, story: Summary) -> Pattern:
    """The row as the product writes it for one customer."""
    customer_id = id_of(kind)
    house.ports().activity.save_summary(deployed.business_id, customer_id, story, read=0)
    row = deployed.cloud.tables.by_name["ActivityTable"].get((f"{deployed.business_id}#{customer_id}", "!"))
    assert row is not None
    return Pattern(row, (customer_id,))
