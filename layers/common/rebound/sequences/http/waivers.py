"""Waivers: shapes and routes."""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, Request, Time, text_of
from rebound.sequences import wiring
from rebound.sequences.application.waiver_service import WaiverView
from rebound.sequences.domain.waivers import (
    MAX_NOTE,
    MAX_URL,
    MAX_VERSION,
    WAIVER_ID,
    Posting,
    Waiver,
    WaiverVersion,
)

WaiverInPath = Annotated[
    str, text_of(pattern=WAIVER_ID), Field(pattern=WAIVER_ID), Path(description="A name of your own.")
]


class WaiverVersionRequest(Request):
    """A version that everybody with a coming booking is asked to sign."""

    version: Annotated[str, text_of(minLength=1, maxLength=MAX_VERSION)] = Field(
        description="Your own name for it, as the event of the kind waiver has it once somebody has signed."
    )
    note: Annotated[str, text_of(maxLength=MAX_NOTE)] | None = Field(
        default=None, description="What the message says besides: what is new, and why."
    )
    url: Annotated[str, text_of(format="uri", maxLength=MAX_URL, pattern="^https://")] = Field(
        description="Where it is signed; best an address that always leads to the newest version.",
        examples=["https://studio.example.com/waiver"],
    )


class WaiverVersionAnswer(Answer):
    """A version."""

    version: str
    note: str | None
    url: str
    posted_at: Time

    @classmethod
    def of(cls, version: WaiverVersion) -> Self:
        """The answer for a version."""
        return cls.filled(version)


class CountedVersionAnswer(WaiverVersionAnswer):
    """A version, and how many were asked to sign it."""

    asked: int = Field(description="Whom a message asks.")
    signed: int = Field(description="How many of them have signed it.")
    open: int = Field(description="How many of them have not.")
    unreached: int = Field(description="Who has a coming booking, and can be written to by no channel.")


class WaiverAnswer(Answer):
    """A waiver, as of its newest version."""

    waiver_id: str
    current: WaiverVersionAnswer

    @classmethod
    def of(cls, waiver: Waiver) -> Self:
        """The answer for a waiver."""
        return cls(waiver_id=waiver.waiver_id, current=WaiverVersionAnswer.of(waiver.current))


class WaiverList(Answer):
    """The waivers of a business."""

    items: list[WaiverAnswer]


class CountedWaiverAnswer(Answer):
    """A waiver with all its versions, and how many were asked to sign them."""

    waiver_id: str
    versions: list[CountedVersionAnswer] = Field(description="The newest first; it is the one that counts.")

    @classmethod
    def of_view(cls, view: WaiverView) -> Self:
        """The answer for a waiver with its counts."""
        versions = [
            CountedVersionAnswer.filled(
                each,
                asked=view.counts[each.number].asked,
                signed=view.counts[each.number].signed,
                open=view.counts[each.number].open,
                unreached=view.counts[each.number].unreached,
            )
            for each in reversed(view.waiver.versions)
        ]
        return cls(waiver_id=view.waiver.waiver_id, versions=versions)


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Waivers"]
    path = "/v1/waivers/<waiver_id>"

    @app.get("/v1/waivers", summary="List the waivers, by id", tags=tags, responses=responses(WaiverList))
    def list_waivers() -> Response[str]:
        found = wiring.use_cases().waiver_service.all(business_of(app))
        return json_answer(WaiverList(items=[WaiverAnswer.of(each) for each in found]))

    @app.get(
        path,
        summary="The versions of a waiver, and how many were asked, have signed, and have not",
        tags=tags,
        responses=responses(CountedWaiverAnswer),
    )
    def get_waiver(waiver_id: WaiverInPath) -> Response[str]:
        return json_answer(
            CountedWaiverAnswer.of_view(wiring.use_cases().waiver_service.get(business_of(app), waiver_id))
        )

    @app.post(
        f"{path}/versions",
        summary="Post a version, and ask everybody with a coming booking to sign it",
        tags=tags,
        responses=responses(WaiverAnswer),
    )
    def post_version(waiver_id: WaiverInPath, request: Annotated[WaiverVersionRequest, Body()]) -> Response[str]:
        posting = Posting.read(request.version, request.note, request.url)
        return json_answer(
            WaiverAnswer.of(wiring.use_cases().waiver_service.post(business_of(app), waiver_id, posting))
        )
