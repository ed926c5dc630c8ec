"""Vouchers: shapes and routes."""

from typing import Annotated, Self
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import AfterValidator, Field, StringConstraints

from rebound.kernel.written_text import readable
from rebound.messages.domain.vouchers import VoucherKind, written_code
from rebound.platform.http.routes import CustomerInPath, business_of, json_answer, no_content, nothing, responses
from rebound.platform.http.shapes import Answer, NamesACustomer, Time
from rebound.vouchers import wiring
from rebound.vouchers.application.redeem_voucher import Order, Redeemed
from rebound.vouchers.domain import Issued

CodeInPath = Annotated[
    Annotated[str, AfterValidator(unquote)],
    Path(description="As the customer reads it: in any case, with or without dashes and spaces.", max_length=100),
]
OrderInPath = Annotated[Annotated[str, AfterValidator(unquote)], Path(max_length=1000)]


def _one_part(order_id: str) -> str:
    if "/" in order_id:
        raise ValueError("Must have no slash.")
    return order_id


OrderId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128),
    AfterValidator(readable),
    AfterValidator(_one_part),
]


class RedemptionRequest(NamesACustomer):
    """The order that a voucher is redeemed with."""

    order_id: OrderId = Field(
        description="Without a slash. The same one again gets the same answer.", examples=["4711"]
    )
    amount: Annotated[str, Field(max_length=30, examples=["80.00"])] = Field(
        description="What the order costs without the voucher, as decimal text."
    )
    currency: Annotated[str, Field(max_length=10, examples=["EUR"])] | None = Field(
        default=None,
        description="ISO 4217. Absent: the voucher's, else that of the business's country.",
    )

    def order(self, business_id: str) -> Order:
        """What is said of the order."""
        return Order(self.customer_of(business_id), self.order_id, self.amount, self.currency)


class RedemptionAnswer(Answer):
    """What a voucher takes off an order."""

    code: str
    campaign_id: str
    customer_id: str
    external_id: str | None
    order_id: str
    amount: str
    discount: str = Field(description="Decimal text, never more than the amount. 0 for free minutes.")
    free_minutes: int | None = Field(description="Minutes that are not to be charged; null for other vouchers.")
    currency: str
    redeemed_at: Time

    @classmethod
    def of(cls, redeemed: Redeemed) -> Self:
        """The answer for a redemption."""
        sale = redeemed.sale
        return cls.filled(
            sale,
            code=written_code(redeemed.issued.code),
            campaign_id=redeemed.issued.campaign.campaign_id,
            customer_id=redeemed.customer.customer_id,
            external_id=redeemed.customer.external_id,
            amount=f"{sale.amount:f}",
            discount=f"{sale.discount:f}",
        )


class IssuedAnswer(Answer):
    """A voucher that applies now."""

    code: str
    campaign_id: str
    campaign_name: str
    kind: VoucherKind
    value: str
    currency: str | None
    valid_from: Time | None
    valid_until: Time = Field(description="From then on it is not valid any more.")
    sent_at: Time

    @classmethod
    def of(cls, issued: Issued) -> Self:
        """The answer for a voucher."""
        return cls.filled(
            issued.voucher,
            code=written_code(issued.code),
            campaign_id=issued.campaign.campaign_id,
            campaign_name=issued.campaign.name,
            valid_from=issued.begins,
            valid_until=issued.ends,
            sent_at=issued.sent_at,
        )


class IssuedList(Answer):
    """The vouchers of a customer that apply now, the one that ends first before the others."""

    items: list[IssuedAnswer]


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Vouchers"]

    @app.post(
        "/v1/vouchers/<code>/redemptions",
        summary="Redeem a customer's voucher with an order; the same order again gets the same answer",
        tags=tags,
        responses=responses(RedemptionAnswer),
    )
    def redeem_voucher(code: CodeInPath, request: Annotated[RedemptionRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        redeemed = wiring.use_cases().redeem_voucher(business_id, code, request.order(business_id))
        return json_answer(RedemptionAnswer.of(redeemed))

    @app.delete(
        "/v1/vouchers/<code>/redemptions/<order_id>",
        summary="Take a redemption back, as when the order is refunded; again is once",
        tags=tags,
        responses=no_content(),
    )
    def take_back_redemption(code: CodeInPath, order_id: OrderInPath) -> Response[str]:
        wiring.use_cases().take_back_redemption(business_of(app), code, order_id)
        return nothing()

    @app.get(
        "/v1/customers/<customer_id>/vouchers",
        summary="Which vouchers apply when a customer comes now",
        tags=tags,
        responses=responses(IssuedList),
    )
    def list_vouchers(customer_id: CustomerInPath) -> Response[str]:
        found = wiring.use_cases().vouchers_of_customer(business_of(app), customer_id)
        return json_answer(IssuedList(items=[IssuedAnswer.of(issued) for issued in found]))
