"""How AWS answers that a call failed, for the two protocols the twin speaks."""

from http import HTTPStatus
from xml.sax.saxutils import escape

from local.twin.exchange import Response

SNS_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"


class AwsError(Exception):
    """A call that AWS refuses, with the code and status of its service model."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def as_json(self, request_id: str) -> Response:
        """The answer in the REST-JSON protocol of SES v2."""
        return Response.of_json(
            self.status,
            {"message": self.message},
            {"x-amzn-errortype": self.code, "x-amzn-requestid": request_id},
        )

    def as_xml(self, request_id: str) -> Response:
        """The answer in the Query protocol of SNS."""
        fault = "Sender" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
        body = (
            f'<ErrorResponse xmlns="{SNS_NAMESPACE}"><Error><Type>{fault}</Type><Code>{escape(self.code)}</Code>'
            f"<Message>{escape(self.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Response(self.status, body.encode(), {"Content-Type": "text/xml", "x-amzn-requestid": request_id})
