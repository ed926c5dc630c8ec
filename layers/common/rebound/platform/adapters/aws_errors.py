"""What AWS's own errors mean for a call that sends something."""

from typing import Final

NOT_LET_IN: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""The function was not allowed to ask: nothing has gone out, and it will once its role or clock is put right."""

THROTTLES: Final = frozenset(
    {"LimitExceededException", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
"""The account asked too often; nothing has happened."""
