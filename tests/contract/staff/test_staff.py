"""Who may sign in, sessions, attempts and links: one suite against the fake and the tables."""

from collections import Counter
from collections.abc import Callable, Iterator
from copy import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.access.domain import hash_of
from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.telemetry import metrics
from rebound.staff.domain import (
    CODES_TO_ADDRESS,
    Attempt,
    NewSession,
    Person,
    Recent,
    Role,
    Roster,
    Session,
    SessionKey,
    SignInLink,
    StaffMember,
    WrongCode,
    hash_of_code,
)
from tests.fakes.aws import make
from tests.fakes.house import EveryPorts, EveryUseCase
from tests.fakes.making import BUSINESS_ID, at
from tests.fakes.memory_ports import watched_ports
from tests.fakes.troubles import recorded_requests
from tests.fakes.watching import Turns

ANA: Final = "ana@example.com"
BO: Final = "bo@example.com"


def member(email: str = ANA, business_id: str | None = BUSINESS_ID, **given: Any) -> StaffMember:
    role = Role.OPERATOR if business_id is None else Role.OWNER
    of_one = StaffMember(business_id, email, role, f"id-{business_id}-{email}", at(1), location_id="north")
    return replace(of_one, **given)


def add(ports: EveryPorts, of_one: StaffMember) -> StaffMember:
    roster = ports.staff.roster(of_one.business_id)
    return ports.staff.save(roster.with_role(of_one.email, of_one.role), of_one)


def test_a_person_has_all_memberships_and_a_business_its_people(ports: EveryPorts) -> None:
    here, there, operates = (add(ports, member(business_id=business)) for business in (BUSINESS_ID, "other", None))
    bo = add(ports, member(BO, language="de", invited_by=ANA, last_signed_in_at=at(2.5)))
    person = ports.staff.person(ANA)

    assert {each.business_id: each for each in person.memberships} == {
        BUSINESS_ID: here,
        "other": there,
        None: operates,
    }
    assert ports.staff.roster(BUSINESS_ID).roles == {ANA: Role.OWNER, BO: Role.OWNER}
    assert list(ports.staff.members(ports.staff.roster(BUSINESS_ID))) == [here, bo]
    assert list(ports.staff.members(ports.staff.roster(None))) == [operates]
    assert ports.staff.person("nobody@example.com") == Person("nobody@example.com", [])
    assert ports.staff.roster("nobody") == Roster("nobody", {})
    assert list(ports.staff.members(Roster("nobody", {}))) == []
    # Nor does anybody else's list of things in the same table show them.
    assert list(ports.api_keys.list(BUSINESS_ID)) == []
    assert list(ports.operator_keys.list()) == []


def test_members_are_written_only_as_they_were_read(ports: EveryPorts) -> None:
    first = add(ports, member())
    roster = ports.staff.roster(BUSINESS_ID)
    ports.staff.note_sign_in(first, at(5))

    for write in (
        lambda: ports.staff.save(roster, first),
        lambda: ports.staff.remove(roster.with_role(BO, Role.OWNER), first),
        lambda: ports.staff.note_sign_in(first, at(6)),
        lambda: ports.staff.save(roster, member()),
        lambda: ports.staff.save(Roster(BUSINESS_ID, {}), member(BO)),
    ):
        with pytest.raises(ConcurrentChangeError):
            write()
    assert ports.staff.person(ANA).memberships[0].last_signed_in_at == at(5)
    assert ports.staff.roster(BUSINESS_ID) == roster


def test_who_is_removed_is_on_neither_list(ports: EveryPorts) -> None:
    first = add(ports, member())
    add(ports, member(BO))
    ports.staff.remove(ports.staff.roster(BUSINESS_ID).without(ANA), first)

    assert ports.staff.person(ANA).memberships == []
    assert set(ports.staff.roster(BUSINESS_ID).roles) == {BO}


def test_a_generation_begins_once_for_who_saw_the_one_before(ports: EveryPorts) -> None:
    before = ports.staff.person(ANA)
    ports.staff.begin_generation(before)
    with pytest.raises(ConcurrentChangeError):
        ports.staff.begin_generation(before)
    second = ports.staff.person(ANA)
    ports.staff.begin_generation(second)

    assert before.generation < second.generation < ports.staff.person(ANA).generation


@pytest.mark.parametrize("by_link", [True, False])
def test_sessions_are_kept_changed_and_ended(ports: EveryPorts, by_link: bool) -> None:
    new = Session("hash", ANA, 7, at(0), at(0), at(900), by_link=by_link)
    ports.staff_sessions.add(new)
    kept, person = found(ports, new)
    assert replace(kept, version=0) == new
    assert person == ports.staff.person(ANA)

    looking = replace(kept.looking_at(member()), seen_at=at(4))
    ports.staff_sessions.save(looking)
    with pytest.raises(ConcurrentChangeError):
        ports.staff_sessions.save(kept)
    changed, _ = found(ports, new)
    assert replace(changed, version=kept.version) == looking

    ports.staff_sessions.end(new.key)
    ports.staff_sessions.end(new.key)
    assert ports.staff_sessions.find(new.key) is None
    for ended in (changed, new):
        with pytest.raises(ConcurrentChangeError):
            ports.staff_sessions.save(ended)
    assert ports.staff_sessions.find(new.key) is None
    assert ports.staff.person(ANA) == person


def found(ports: EveryPorts, session: Session) -> tuple[Session, Person]:
    kept = ports.staff_sessions.find(session.key)
    assert kept is not None
    return kept


def test_an_attempt_is_tried_and_used_only_as_it_was_read(ports: EveryPorts) -> None:
    new = Attempt("hash", ANA, "code", at(600))
    ports.sign_ins.add_attempt(new)
    assert ports.sign_ins.attempt("hash") == new
    tried = ports.sign_ins.count_try(new)

    assert tried == replace(new, tries=1) == ports.sign_ins.attempt("hash")
    for write in (ports.sign_ins.count_try, ports.sign_ins.use_attempt):
        with pytest.raises(ConcurrentChangeError):
            write(new)
    ports.sign_ins.use_attempt(tried)
    for write in (ports.sign_ins.count_try, ports.sign_ins.use_attempt):
        with pytest.raises(ConcurrentChangeError):
            write(tried)
    assert ports.sign_ins.attempt("hash") is None


@pytest.mark.parametrize("business_id", [BUSINESS_ID, None])
def test_a_link_is_used_once(ports: EveryPorts, business_id: str | None) -> None:
    new = SignInLink("hash", ANA, business_id, "id", 3, at(600.25))
    ports.sign_ins.add_link(new)

    assert ports.sign_ins.link("hash") == new
    ports.sign_ins.use_link(new)
    with pytest.raises(ConcurrentChangeError):
        ports.sign_ins.use_link(new)
    assert ports.sign_ins.link("hash") is None


def test_what_is_done_often_is_counted_only_as_it_was_read(ports: EveryPorts) -> None:
    none = ports.sign_ins.recent("codes#ana")
    assert none == Recent("codes#ana")
    one = none.with_another(at(1), CODES_TO_ADDRESS)
    assert one is not None
    ports.sign_ins.save_recent(one, at(2))
    with pytest.raises(ConcurrentChangeError):
        ports.sign_ins.save_recent(one, at(2))

    assert list(ports.sign_ins.recent("codes#ana").times) == [at(1)]
    assert ports.sign_ins.recent("codes#bo") == Recent("codes#bo")


def test_a_browser_is_known_by_its_own_hash(ports: EveryPorts) -> None:
    assert not ports.sign_ins.knows_browser("hash")
    ports.sign_ins.add_browser("hash", at(1))

    assert ports.sign_ins.knows_browser("hash")
    assert not ports.sign_ins.knows_browser("other")


def test_what_is_over_ages_out(over_dynamodb: EveryPorts) -> None:
    ports = over_dynamodb
    ports.staff_sessions.add(Session("hash", ANA, 7, at(0), at(0), at(900)))
    ports.sign_ins.add_attempt(Attempt("hash", ANA, "code", at(600)))
    ports.sign_ins.add_link(SignInLink("hash", ANA, None, "id", 3, at(700)))
    ports.sign_ins.save_recent(Recent("codes#ana", [at(1)]), at(3601))
    ports.sign_ins.add_browser("hash", at(800))
    rows = make("dynamodb").scan(TableName="DirectoryTable")["Items"]

    ends = {row["business_id"]["S"].split("#")[1]: int(row["expires_at"]["N"]) for row in rows}
    assert ends == {
        "person": int(at(900).timestamp()),
        "attempt": int(at(600).timestamp()),
        "link": int(at(700).timestamp()),
        "codes": int(at(3601).timestamp()),
        "browser": int(at(800).timestamp()),
    }


@pytest.mark.parametrize(
    "read",
    [
        lambda ports: ports.staff.person(ANA),
        lambda ports: ports.staff.roster(BUSINESS_ID),
        lambda ports: ports.staff.members(Roster(BUSINESS_ID, {ANA: Role.OWNER})),
        lambda ports: ports.staff_sessions.find(SessionKey("person", "hash")),
        lambda ports: ports.sign_ins.attempt("hash"),
        lambda ports: ports.sign_ins.link("hash"),
        lambda ports: ports.sign_ins.recent(ANA),
        lambda ports: ports.sign_ins.knows_browser("hash"),
    ],
)
def test_all_is_read_as_of_now(over_dynamodb: EveryPorts, read: Callable[[EveryPorts], object]) -> None:
    with recorded_requests() as asked:
        read(over_dynamodb)
    [(_, body)] = asked

    [given] = body["RequestItems"].values() if "RequestItems" in body else [body]
    assert given["ConsistentRead"] is True


SEEDS: Final = range(12)


@pytest.fixture
def counts_written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each sign-in is counted in the log at once."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Rebound")
    metrics.cache_clear()
    yield
    metrics.cache_clear()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("counts_written")
def test_of_codes_tried_at_once_one_opens_and_five_are_answered(ports: EveryPorts, seed: int) -> None:
    """The tables themselves decide: four guess wrong and four have the code, in all orders."""
    add(ports, member())
    token = f"token-{seed}"
    now = ports.clock.now()
    ports.sign_ins.add_attempt(
        Attempt(hash_of(token), ANA, hash_of_code(token, "12345678"), now + timedelta(minutes=5))
    )
    turns = Turns(seed)
    use_cases = EveryUseCase(watched_ports(ports, turns.checkpoint))
    answers: list[object] = []

    def guess(code: str) -> Callable[[], None]:
        return lambda: answers.append(use_cases.sign_in.with_code(token, code))

    turns.run([guess(code) for code in ["12345678", "00000000"] * 4])
    kinds = Counter(type(answer) for answer in answers)

    assert kinds[NewSession] == 1
    wrong = [answer.tries_left for answer in answers if isinstance(answer, WrongCode)]
    assert sorted(wrong) == sorted(set(wrong))


@pytest.mark.parametrize("seed", SEEDS)
def test_of_owners_who_remove_and_demote_each_other_at_once_one_stays(ports: EveryPorts, seed: int) -> None:
    for email in (ANA, BO):
        add(ports, member(email))
    turns = Turns(seed)
    use_cases = EveryUseCase(watched_ports(ports, turns.checkpoint))
    service = use_cases.staff_service
    refused: list[str] = []

    def trying(write: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                write()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
                refused.append(getattr(error, "code", type(error).__name__))

        return run

    turns.run(
        [
            trying(lambda: service.remove(BUSINESS_ID, ANA)),
            trying(lambda: service.change(BUSINESS_ID, BO, "viewer")),
        ]
    )

    assert refused == ["last_owner"]
    roster = ports.staff.roster(BUSINESS_ID)
    assert [role for role in roster.roles.values() if role is Role.OWNER] == [Role.OWNER]
    assert {each.email: each.role for each in ports.staff.members(roster)} == roster.roles
