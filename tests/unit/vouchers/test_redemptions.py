"""Redeeming vouchers: once for each, tied to customer and order, exact in the sums whatever comes twice or dies."""

import re
from collections import defaultdict
from contextlib import suppress
from copy import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.campaigns.application.campaign_service import CampaignView, NewCampaign
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.redemptions import Sale, Total, reward_on
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.placeholders import SAMPLE_CODE
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.vouchers import Voucher, VoucherKind
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.vouchers.application.redeem_voucher import Order
from rebound.vouchers.domain import discount_of
from tests.fakes.making import BUSINESS_ID, at, business, customer, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import World

SAYS: Final = EmailContent(
    "For ##{{first_name}}", None, "##{{voucher_value}} with ##{{voucher_code}} until ##{{voucher_until}}."
)
TEN_PERCENT: Final = Voucher(kind=VoucherKind.PERCENT, value="10", currency="EUR", valid_days=14)
CODE: Final = re.compile(r"with ([2-9C-Y-]+) until")


class Till:
    """A business whose customers 1 to 3 got a campaign with a voucher."""

    def __init__(self, voucher: Voucher = TEN_PERCENT, *, people: int = 3, **settings: Any) -> None:
        self.world = World(business(**settings))
        self.world.add(*(customer(number) for number in range(1, people + 1)))
        self.campaign_id = self.send(voucher)

    def send(self, voucher: Voucher = TEN_PERCENT) -> str:
        view = self.world.campaign_service.post(BUSINESS_ID, self.new(voucher))
        self.world.run(view.campaign.campaign_id)
        return view.campaign.campaign_id

    def new(self, voucher: Voucher | None, content: Any = SAYS, **given: Any) -> NewCampaign:
        selection = Selection(filter={"all": []})
        made = NewCampaign("Gift", Category.MARKETING, Channel.EMAIL, selection, content, voucher=voucher)
        return replace(made, **given)

    def code(self, number: int = 1) -> str:
        said = [each.content.text for each in self.world.mailer.emails if each.to == f"ana{number}@example.com"]
        return [found[1] for each in said if (found := CODE.search(each)) is not None][-1]

    def redeem(self, order_id: str = "o-1", amount: str = "80.00", number: int = 1, **given: Any) -> Sale:
        code = given.pop("code", None) or self.code(number)
        return self.world.redeem_voucher(BUSINESS_ID, code, Order(id_of(number), order_id, amount, **given)).sale

    def take_back(self, order_id: str = "o-1", number: int = 1) -> None:
        self.world.take_back_redemption(BUSINESS_ID, self.code(number), order_id)

    def view(self) -> CampaignView:
        return self.world.campaign_service.get(BUSINESS_ID, self.campaign_id)

    def applies(self, number: int = 1) -> list[str]:
        return [each.code for each in self.world.vouchers_of_customer(BUSINESS_ID, id_of(number))]


def refused(call: Any, code: str) -> None:
    with pytest.raises(ConflictError) as refusal:
        call()
    assert refusal.value.code == code


# --- what is said -----------------------------------------------------------------------------------------------------


def test_everybody_gets_a_code_of_their_own_in_their_language() -> None:
    world = World(business())
    world.add(customer(1), customer(2, language="de"))
    till = Till.__new__(Till)
    till.world = world
    till.send(Voucher(kind=VoucherKind.AMOUNT, value="10.00", currency="EUR", valid_until="2026-12-31"))
    said = {email.to: email.content.text for email in world.mailer.emails}

    assert re.match(r"€10\.00 with 3-...-...-... until December 31, 2026\.", said["ana1@example.com"])
    assert re.match(r"10,00\s€ with 3-...-...-... until 31\. Dezember 2026\.", said["ana2@example.com"])
    assert till.code(1) != till.code(2)


@pytest.mark.parametrize(
    ("voucher", "value"),
    [
        (replace(TEN_PERCENT, value="12.5"), "12.5%"),
        (Voucher(kind=VoucherKind.FREE_MINUTES, value="30", valid_days=1), "30 minutes"),
        (Voucher(kind=VoucherKind.AMOUNT, value="500", currency="JPY", valid_days=1), "¥500"),
    ],
)
def test_what_a_voucher_is_worth_is_written_out(voucher: Voucher, value: str) -> None:
    till = Till(voucher, people=1)

    assert till.world.mailer.emails[0].content.text.startswith(f"{value} with")


def test_a_text_has_the_code_too() -> None:
    till = Till()
    says = TextContent("##{{voucher_value}} with ##{{voucher_code}} until ##{{voucher_until}}. STOP")
    view = till.world.campaign_service.post(BUSINESS_ID, till.new(TEN_PERCENT, says, channel=Channel.SMS))
    till.world.run(view.campaign.campaign_id)

    found = CODE.search(till.world.twilio_texter.handed[0].body)
    assert found is not None
    assert found[1].startswith("4-")


@pytest.mark.parametrize("name", ["voucher_code", "voucher_value", "voucher_until"])
def test_only_campaigns_with_a_voucher_may_speak_of_one(name: str) -> None:
    till = Till()
    says = EmailContent("Hello", None, f"##{{{{{name}}}}}")
    with pytest.raises(InvalidInputError) as refusal:
        till.world.campaign_service.post(BUSINESS_ID, till.new(None, says))
    assert refusal.value.errors[0].field == "content.text"
    draft = till.world.campaign_service.post(BUSINESS_ID, till.new(TEN_PERCENT, says, is_draft=True)).campaign
    with pytest.raises(InvalidInputError):
        till.world.edit_campaign.change(BUSINESS_ID, draft.campaign_id, CampaignChange(voucher=None))


def test_a_test_shows_a_code_that_is_none() -> None:
    till = Till()
    till.world.post_test(
        BUSINESS_ID,
        channel=Channel.EMAIL,
        address="me@example.com",
        category=Category.MARKETING,
        content=SAYS,
        voucher=replace(TEN_PERCENT, number=1),
    )
    till.world.rest()

    assert SAMPLE_CODE in till.world.mailer.emails[-1].content.text
    with pytest.raises(NotFoundError):
        till.redeem(code=SAMPLE_CODE)


# --- the campaign -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"value": "0"}, "value"),
        ({"value": "101"}, "value"),
        ({"value": "1.234"}, "value"),
        ({"value": "x"}, "value"),
        ({"currency": "XYZ"}, "currency"),
        ({"kind": VoucherKind.AMOUNT, "currency": None}, "currency"),
        ({"kind": VoucherKind.AMOUNT, "value": "1.001"}, "value"),
        ({"kind": VoucherKind.FREE_MINUTES, "value": "1.5"}, "value"),
        ({"valid_days": None}, "valid_until"),
        ({"valid_until": "2026-12-31"}, "valid_until"),
        ({"valid_days": 0}, "valid_days"),
        ({"valid_days": 366}, "valid_days"),
        ({"valid_days": None, "valid_until": "2020-01-01"}, "valid_until"),
        ({"valid_days": None, "valid_until": "2029-01-01"}, "valid_until"),
        ({"valid_days": None, "valid_until": "31.12.2026"}, "valid_until"),
        ({"valid_days": None, "valid_until": "9999-12-31"}, "valid_until"),
        ({"valid_from": "9999-12-31"}, "valid_from"),
        ({"valid_from": "2026-12-01T10:00:00"}, "valid_from"),
        ({"valid_from": "2027-06-01"}, "valid_from"),
    ],
)
def test_a_voucher_that_nobody_could_use_is_refused(given: dict[str, Any], field: str) -> None:
    till = Till()
    with pytest.raises(InvalidInputError) as refusal:
        till.world.campaign_service.post(BUSINESS_ID, till.new(replace(TEN_PERCENT, **given)))
    assert [error.field for error in refusal.value.errors] == [f"voucher.{field}"]


def test_a_number_is_given_once_and_only_to_campaigns_with_a_voucher() -> None:
    till = Till()
    world, given = till.world, till.world.voucher_book.numbers
    world.campaign_service.post(BUSINESS_ID, till.new(None, EmailContent("Hello", None, "Hi")))
    assert len(given[BUSINESS_ID]) == 1
    plain = EmailContent("Hello", None, "Hi")
    draft = world.campaign_service.post(BUSINESS_ID, till.new(None, plain, is_draft=True)).campaign
    edit = world.edit_campaign
    for change in (CampaignChange(voucher=TEN_PERCENT), CampaignChange(voucher=replace(TEN_PERCENT, value="20"))):
        voucher = edit.change(BUSINESS_ID, draft.campaign_id, change).campaign.voucher
        assert voucher is not None
        assert voucher.number == 2
    copied = edit.copy(BUSINESS_ID, draft.campaign_id).campaign
    assert copied.voucher == replace(TEN_PERCENT, value="20", number=3)
    assert len(given[BUSINESS_ID]) == 3


def test_an_old_voucher_may_be_copied_and_not_announced() -> None:
    till = Till(replace(TEN_PERCENT, valid_days=None, valid_until="2026-12-01"))
    till.world.clock.move(timedelta(days=60))
    copied = till.world.edit_campaign.copy(BUSINESS_ID, till.campaign_id).campaign
    with pytest.raises(InvalidInputError, match="over"):
        till.world.edit_campaign.announce(BUSINESS_ID, copied.campaign_id)


# --- redeeming --------------------------------------------------------------------------------------------------------


def test_a_voucher_is_redeemed_once_and_the_same_order_gets_the_same_answer() -> None:
    till = Till()
    first = till.redeem()
    till.world.clock.move(timedelta(days=100))

    assert (first.amount, first.discount, first.currency) == (Decimal("80.00"), Decimal("8.00"), "EUR")
    assert till.redeem(amount="1.00") == till.redeem() == first
    refused(lambda: till.redeem("o-2"), "voucher_used")
    assert till.view().brought_in == {"EUR": Total(1, Decimal("72.00"))}


def test_it_is_the_customers_own() -> None:
    till = Till()
    for code in (
        till.code(2),
        "3-CDF-GHJ-KMN",
        till.code()[:-1] + "2",
        "nonsense",
        till.code(1).replace("3-", "4-", 1),
    ):
        if code != till.code():
            with pytest.raises(NotFoundError):
                till.redeem(code=code)
    with pytest.raises(NotFoundError):
        till.redeem(number=9, code=till.code())
    assert till.view().brought_in == {}


def test_another_business_knows_nothing_of_it() -> None:
    till = Till()
    code = till.code()
    till.world.businesses.add(business(business_id="studio-maple"))
    with pytest.raises(NotFoundError):
        till.world.redeem_voucher("studio-maple", code, Order(id_of(1), "o-1", "10"))


@pytest.mark.parametrize(
    ("status", "redeemable"),
    [
        (MessageStatus.QUEUED, False),
        (MessageStatus.SENDING, False),
        (MessageStatus.SENT, True),
        (MessageStatus.DELIVERED, True),
        (MessageStatus.UNCERTAIN, True),
        (MessageStatus.BOUNCED, False),
        (MessageStatus.FAILED, False),
        (MessageStatus.CANCELLED, False),
        (MessageStatus.EXCLUDED, False),
    ],
)
def test_the_message_must_have_gone_out(status: MessageStatus, redeemable: bool) -> None:
    till = Till()
    log = till.world.messages.rows
    [key] = [each for each in log if each.customer_id == id_of(1)]
    log[key] = replace(log[key], status=status, delivered_at=None)

    assert len(till.applies()) == redeemable
    if redeemable:
        till.redeem()
    else:
        with pytest.raises(NotFoundError):
            till.redeem()


def test_it_is_valid_from_its_first_to_its_last_day_on_the_businesss_calendar() -> None:
    till = Till(
        replace(TEN_PERCENT, valid_days=None, valid_from="2026-11-25", valid_until="2026-11-30"),
        time_zone="Pacific/Auckland",
    )
    for moment, code in (
        ("2026-11-24T10:59:59+00:00", "voucher_not_yet_valid"),
        ("2026-11-30T11:00:00+00:00", "voucher_expired"),
    ):
        till.world.clock.move_to(type(at(0)).fromisoformat(moment))
        refused(till.redeem, code)
        assert till.applies() == []
    other = Till(
        replace(TEN_PERCENT, valid_days=None, valid_from="2026-11-25", valid_until="2026-11-30"),
        time_zone="Pacific/Auckland",
    )
    other.world.clock.move_to(type(at(0)).fromisoformat("2026-11-30T10:59:59+00:00"))
    assert len(other.applies()) == 1
    other.redeem()
    assert other.applies() == []


@pytest.mark.parametrize(
    ("voucher", "amount", "discount"),
    [
        (TEN_PERCENT, "0.05", "0.01"),
        (TEN_PERCENT, "99.99", "10.00"),
        (replace(TEN_PERCENT, value="100"), "12.34", "12.34"),
        (replace(TEN_PERCENT, currency="JPY"), "1005", "101"),
        (Voucher(kind=VoucherKind.AMOUNT, value="10.00", currency="EUR", valid_days=9), "80.00", "10.00"),
        (Voucher(kind=VoucherKind.AMOUNT, value="10.00", currency="EUR", valid_days=9), "4.50", "4.50"),
        (Voucher(kind=VoucherKind.FREE_MINUTES, value="30", valid_days=9), "80.00", "0.00"),
    ],
)
def test_a_discount_is_money_and_never_more_than_the_amount(voucher: Voucher, amount: str, discount: str) -> None:
    till = Till(voucher)
    sale = till.redeem(amount=amount)

    assert f"{sale.discount:f}" == discount
    assert sale.free_minutes == (30 if voucher.kind is VoucherKind.FREE_MINUTES else None)
    assert sale.currency == (voucher.currency or "USD")


@given(
    st.sampled_from(VoucherKind), st.decimals("0.01", 100, places=2), st.decimals(0, 10**6, places=2), st.integers(0, 3)
)
def test_no_discount_is_negative_or_more_than_the_amount(
    kind: VoucherKind, value: Decimal, amount: Decimal, decimals: int
) -> None:
    amount = round(amount, decimals)
    off = discount_of(Voucher(kind=kind, value=f"{value:f}", valid_days=1), amount, decimals)

    assert 0 <= off <= amount
    assert off == round(off, decimals)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"currency": "XYZ"}, "currency"),
    ],
)
def test_bad_orders_are_refused_and_nothing_is_written(given: dict[str, Any], field: str) -> None:
    till = Till()
    with pytest.raises(InvalidInputError) as refusal:
        till.redeem(**given)
    assert [error.field for error in refusal.value.errors] == [field]
    assert till.world.voucher_book.rows == {}


def test_money_off_is_in_the_vouchers_currency() -> None:
    till = Till(Voucher(kind=VoucherKind.AMOUNT, value="10.00", currency="EUR", valid_days=9))
    with pytest.raises(InvalidInputError):
        till.redeem(currency="USD")
    assert till.redeem(currency="eur").currency == "EUR"


def test_what_is_refunded_is_taken_back_once_and_the_voucher_is_free_for_another_order() -> None:
    till = Till()
    till.redeem()
    with pytest.raises(NotFoundError):
        till.take_back("o-2")
    for _ in range(2):
        till.take_back()
        assert till.view().brought_in == {"EUR": Total(0, Decimal(0))}
    # A late repetition of the first request.
    refused(till.redeem, "voucher_taken_back")
    assert len(till.applies()) == 1
    till.redeem("o-2", "100")
    till.take_back()

    assert till.view().brought_in == {"EUR": Total(1, Decimal(90))}


def test_codes_are_good_after_the_key_of_links_has_been_changed() -> None:
    till = Till()
    till.world.link_keyring.rotate(2, b"a newer key")
    till.redeem()
    assert till.applies() == []
    refused(lambda: till.redeem("o-2"), "voucher_used")


def test_what_applies_is_what_the_customer_has_and_has_not_redeemed() -> None:
    till = Till()
    till.send(replace(TEN_PERCENT, value="20", valid_days=3))
    plain = till.world.campaign_service.post(BUSINESS_ID, till.new(None, EmailContent("Hello", None, "Hi"))).campaign
    till.world.run(plain.campaign_id)
    found = till.world.vouchers_of_customer(BUSINESS_ID, id_of(1))
    assert [each.voucher.value for each in found] == ["20", "10"]
    till.redeem()
    assert [each.voucher.value for each in till.world.vouchers_of_customer(BUSINESS_ID, id_of(1))] == ["10"]
    with pytest.raises(NotFoundError):
        till.applies(9)


def test_a_deleted_customer_leaves_the_sum_and_nothing_else() -> None:
    till = Till()
    till.redeem()
    gone = till.world.customers.get(BUSINESS_ID, id_of(1))
    till.world.customer_service.delete(BUSINESS_ID, id_of(1))
    with pytest.raises(NotFoundError):
        till.redeem()
    for _ in range(2):
        till.world.forget_vouchers(gone)

    [left] = till.world.voucher_book.rows.values()
    assert (left.sale, left.taken_back, left.closed) == (None, frozenset(), True)
    assert till.view().brought_in == {"EUR": Total(1, Decimal("72.00"))}
    till.world.add(replace(gone, version=0))
    assert till.applies() == []
    refused(lambda: till.redeem("o-2"), "voucher_used")


def test_the_reward_is_what_the_business_says() -> None:
    assert Till().view().reward_percent == 10
    assert Till(voucher_reward_percent=7).view().reward_percent == 7
    assert reward_on(Decimal("72.05"), 10, 2) == Decimal("7.21")
    assert reward_on(Decimal(1005), 10, 0) == Decimal(101)


# --- in any order -----------------------------------------------------------------------------------------------------

acts = st.lists(
    st.tuples(
        st.sampled_from(["redeem", "take back"]),
        st.integers(1, 2),
        st.sampled_from(["o-1", "o-2", "o-3"]),
        st.sampled_from(["10.00", "25.50"]),
        st.sampled_from([None, "before", "after"]),
    ),
    max_size=14,
)


@settings(max_examples=40)
@given(acts)
def test_sums_are_those_of_what_holds_whatever_is_repeated_and_whoever_dies(
    acts: list[tuple[str, int, str, str, str | None]],
) -> None:
    """The same as a book that is kept by hand, in which each request happens once."""
    till = Till(people=2)
    holds: dict[int, tuple[str, Decimal]] = {}
    taken_back: defaultdict[int, set[str]] = defaultdict(set)
    world = till.world
    for what, number, order_id, amount, dies in acts:
        if dies is not None:
            _die_once(world, dies)
            with suppress(WorkerDiedError, *_refusals()):
                _act(till, what, number, order_id, amount)
            world.checkpoint = lambda _: None
        # The client asks again until it knows.
        refused_so = _act_or_refusal(till, what, number, order_id, amount)
        if what == "redeem":
            if number not in holds and order_id not in taken_back[number]:
                holds[number] = (order_id, Decimal(amount))
            assert (refused_so is None) is (holds.get(number, ("",))[0] == order_id)
        elif holds.get(number, ("",))[0] == order_id:
            del holds[number]
            taken_back[number].add(order_id)
        if what == "take back":
            assert (refused_so is None) is (order_id in taken_back[number])
        total = (till.view().brought_in or {}).get("EUR", Total())
        assert total == Total(len(holds), sum((paid * 9 / 10 for _, paid in holds.values()), Decimal()))


def _refusals() -> tuple[type[BaseException], ...]:
    return (ConflictError, NotFoundError, BrokenCallError)


def _act(till: Till, what: str, number: int, order_id: str, amount: str) -> None:
    if what == "redeem":
        till.redeem(order_id, amount, number)
    else:
        till.take_back(order_id, number)


def _act_or_refusal(till: Till, *act: Any) -> Exception | None:
    try:
        _act(till, *act)
    except (ConflictError, NotFoundError) as error:
        return error
    return None


def _die_once(world: World, side: str) -> None:
    def checkpoint(boundary: Any) -> None:
        if boundary == "voucher_book.replace" and boundary.side == side:
            world.checkpoint = lambda _: None
            raise WorkerDiedError

    world.checkpoint = checkpoint


def test_bounces_that_come_late_leave_a_voucher_that_arrived() -> None:
    world = World(business())
    world.add(customer(1))
    till = Till.__new__(Till)
    till.world = world
    world.outcomes["ana1@example.com"] = ((Outcome.DELIVERED, None, 1), (Outcome.FAILED, "Permanent/General", 60))
    till.campaign_id = till.send()

    assert till.redeem().discount == Decimal("8.00")
