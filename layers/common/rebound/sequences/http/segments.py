"""Removing saved segments, which recurring campaigns may use: the other routes of segments are theirs."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from rebound.platform.http.routes import business_of, no_content, nothing
from rebound.segments.http.segments import SegmentInPath
from rebound.sequences import wiring


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""

    @app.delete(
        "/v1/segments/<segment_id>",
        summary="Remove a segment that neither other segments nor recurring campaigns use",
        tags=["Segments"],
        responses=no_content(),
    )
    def delete_segment(segment_id: SegmentInPath) -> Response[str]:
        wiring.use_cases().segment_service.delete(business_of(app), segment_id)
        return nothing()
