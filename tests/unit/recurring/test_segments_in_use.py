"""Segments that recurring campaigns use stay, whoever is first."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.recurring.domain.days import Every
from rebound.recurring.domain.recurring_campaigns import Birthday, RecurringStatus, Regular
from rebound.segments.domain.selections import Selection
from rebound.segments.wiring import SegmentsUseCases
from rebound.sequences.wiring import SequencesUseCases
from tests.fakes.house import EveryUseCase
from tests.fakes.making import BUSINESS_ID, business
from tests.unit.customers.test_forgetting import bringing
from tests.unit.recurring.salon import Salon

DAILY = Every(day_of_month=31)
VIPS = Regular(Selection("vips"), DAILY)
NAMING_VIPS = st.recursive(
    st.just({"segment": "vips"}),
    lambda trees: st.one_of(
        trees.map(lambda tree: {"not": tree}),
        trees.map(lambda tree: {"any": [{"tag": "x"}, tree]}),
        trees.map(lambda tree: {"all": [tree, {"failed": "email"}]}),
    ),
    max_leaves=5,
)
AUDIENCES = st.one_of(st.just(VIPS), NAMING_VIPS.map(lambda tree: Regular(Selection(filter=tree), DAILY)))


def salon() -> Salon:
    world = Salon(business())
    for segment_id in ("vips", "others"):
        world.segment_service.put(BUSINESS_ID, segment_id, segment_id, {"tag": segment_id})
    return world


def delete(world: Salon, segment_id: str = "vips") -> None:
    world.segment_service.delete(BUSINESS_ID, segment_id)


def refused(world: Salon) -> Mapping[str, Any]:
    with pytest.raises(ConflictError) as raised:
        delete(world)
    assert raised.value.code == "segment_in_use"
    return raised.value.members


@given(audience=AUDIENCES, status=st.sampled_from(RecurringStatus))
def test_a_segment_that_a_recurring_campaign_names_anywhere_stays(audience: Regular, status: RecurringStatus) -> None:
    world = salon()
    id_ = world.set_up(audience=audience, status=status)
    assert refused(world) == {"segment_ids": [], "recurring_campaign_ids": [id_]}
    delete(world, "others")
    with pytest.raises(InvalidInputError):
        world.change(id_, audience=Regular(Selection("others"), DAILY))
    assert refused(world)["recurring_campaign_ids"] == [id_]

    world.change(id_, audience=Birthday())
    delete(world)
    assert world.segments.all(BUSINESS_ID).segments == {}


def test_what_is_removed_uses_nothing_any_more() -> None:
    world = salon()
    id_ = world.set_up(audience=VIPS)
    world.segment_service.put(BUSINESS_ID, "naming", "Naming", {"segment": "vips"})
    assert refused(world) == {"segment_ids": ["naming"], "recurring_campaign_ids": [id_]}
    world.recurring_service.delete(BUSINESS_ID, id_, None)
    delete(world, "naming")
    delete(world)

    assert sorted(world.segments.all(BUSINESS_ID).segments) == ["others"]


def once_before(monkeypatch: pytest.MonkeyPatch, port: object, call: str, happens: Callable[[], object]) -> None:
    """Let something happen right before the first call of a port."""
    before = getattr(port, call)
    seen: list[bool] = []

    def called(*given: Any, **named: Any) -> Any:
        if not seen:
            seen.append(True)
            happens()
        return before(*given, **named)

    monkeypatch.setattr(port, call, called)


@pytest.mark.parametrize("begins", ["posted", "changed"])
def test_who_begins_to_use_a_segment_that_is_deleted_at_once_is_told(
    monkeypatch: pytest.MonkeyPatch, begins: str
) -> None:
    world = salon()
    id_ = world.set_up()
    call = {"posted": "add", "changed": "replace"}[begins]
    once_before(monkeypatch, world.recurring, call, lambda: delete(world))
    with pytest.raises(InvalidInputError, match="no such segment"):
        world.set_up(audience=VIPS) if begins == "posted" else world.change(id_, audience=VIPS)

    assert [each.audience for each in world.recurring.page(BUSINESS_ID, 10, None).items] == [Birthday()]
    assert sorted(world.segments.all(BUSINESS_ID).segments) == ["others"]


@pytest.mark.parametrize("begins", ["posted", "changed"])
def test_a_segment_that_somebody_begins_to_use_while_it_is_deleted_stays(
    monkeypatch: pytest.MonkeyPatch, begins: str
) -> None:
    world = salon()
    id_ = world.set_up()
    used: list[str] = []

    def begin() -> None:
        if begins == "posted":
            used.append(world.set_up(audience=VIPS))
        else:
            world.change(id_, audience=VIPS)
            used.append(id_)

    once_before(monkeypatch, world.segments, "delete", begin)
    assert refused(world)["recurring_campaign_ids"] == used
    assert "vips" in world.segments.all(BUSINESS_ID).segments


def test_other_writes_of_segments_meanwhile_only_make_it_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = salon()
    other = lambda: world.segment_service.put(BUSINESS_ID, "third", "Third", {"tag": "x"})  # noqa: E731
    once_before(monkeypatch, world.recurring, "add", other)
    id_ = world.set_up(audience=VIPS)

    assert [each.recurring_id for each in world.recurring.page(BUSINESS_ID, 10, None).items] == [id_]
    assert "third" in world.segments.all(BUSINESS_ID).segments


def test_whoever_removes_segments_knows_all_who_use_them() -> None:
    """It is made of the use cases of sequences: a capability beside or above these would be left out."""
    own = {kind for kind in SequencesUseCases.__mro__ if "segment_users" in vars(kind)}

    assert own == set(bringing(SegmentsUseCases, "segment_users")) | {SegmentsUseCases}
    assert issubclass(EveryUseCase, SequencesUseCases)
