"""What SES allows the account: so many messages a second, and in 24 hours; and whether it is out of the sandbox."""

import json
import threading
from collections.abc import Mapping
from typing import Any

from local.twin.exchange import Request, Response

_FULL: Mapping[str, float] = {"Max24HourSend": 5_000_000.0, "MaxSendRate": 5_000.0, "SentLast24Hours": 0.0}
_SANDBOX: Mapping[str, float] = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0}
_ACCESS = "ProductionAccessEnabled"
_NO_LIMIT = -1


class SendingQuota:
    """The figures of GetAccount. The day's quota is kept; the rate is only told, because SES lets short bursts pass.

    Nothing that was sent is forgotten after a day: whoever sets ``SentLast24Hours`` renews the quota. Whoever moves the
    account into the sandbox, or out of it, gets its figures, as far as they are not set as well.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures = dict(_FULL)
        self._production_access = True

    @property
    def production_access(self) -> bool:
        """Whether the account is out of the sandbox."""
        with self._lock:
            return self._production_access

    def take(self, recipients: int) -> bool:
        """Count a message to so many; whether it fits into the day's quota."""
        with self._lock:
            sent, most = self._figures["SentLast24Hours"] + recipients, self._figures["Max24HourSend"]
            if most != _NO_LIMIT and sent > most:
                return False
            self._figures["SentLast24Hours"] = sent
            return True

    def figures(self) -> dict[str, float]:
        """As GetAccount has them."""
        with self._lock:
            return dict(self._figures)

    # Its control

    def tell(self, _: Request) -> Response:
        """The figures now; and that the account is in the sandbox, while it is."""
        return Response.of_json(200, self.figures() | ({} if self.production_access else {_ACCESS: False}))

    def set(self, request: Request) -> Response:
        """Take over some of the figures."""
        try:
            given = json.loads(request.body)
        except ValueError:
            return Response.of_json(400, {"error": "the body must be JSON"})
        if not isinstance(given, dict) or not all(_is_figure(name, value) for name, value in given.items()):
            error = (
                f"the body must be an object of {', '.join(_FULL)}, each a number from 0 (Max24HourSend also -1), "
                f"and {_ACCESS}, true or false"
            )
            return Response.of_json(422, {"error": error})
        with self._lock:
            if (access := given.pop(_ACCESS, self._production_access)) is not self._production_access:
                self._production_access = access
                self._figures = dict(_FULL if access else _SANDBOX)
            self._figures |= {name: float(value) for name, value in given.items()}
        return self.tell(request)

    def reset(self, request: Request) -> Response:
        """As much as in the beginning, with nothing sent."""
        with self._lock:
            self._figures = dict(_FULL)
            self._production_access = True
        return self.tell(request)


def _is_figure(name: str, value: Any) -> bool:
    if name == _ACCESS:
        return isinstance(value, bool)
    least = _NO_LIMIT if name == "Max24HourSend" else 0
    return name in _FULL and isinstance(value, int | float) and not isinstance(value, bool) and value >= least
