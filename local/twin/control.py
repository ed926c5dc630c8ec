"""What tests and people ask the twin itself: its log, its faults, what it allows, how it is."""

import json
from collections.abc import Callable, Mapping, Sequence

from local.twin.callbacks import LaneCounts
from local.twin.exchange import Request, Response
from local.twin.faults import ALLOWED, Fault, FaultBoard, FaultRequestError
from local.twin.inbound import InboundApi
from local.twin.ledger import SendLedger
from local.twin.sending_quota import SendingQuota


class ControlApi:
    """``/log``, ``/faults``, ``/quota``, ``/inbound``, ``/pending`` and ``/health``."""

    def __init__(
        self,
        ledger: SendLedger,
        faults: FaultBoard,
        lanes: Mapping[str, Callable[[], LaneCounts]],
        held: Callable[[], int],
        inbound: InboundApi,
        quota: SendingQuota,
    ) -> None:
        self._ledger = ledger
        self._faults = faults
        self._lanes = lanes
        self._held = held
        self._routes: dict[str, dict[str, Callable[[Request], Response]]] = {
            "/log": {"GET": lambda _: Response(200, ledger.stream(), {"Content-Type": "application/jsonl"})},
            "/faults": {"GET": self._list_faults, "POST": self._put_fault, "DELETE": self._clear_faults},
            "/quota": {"GET": quota.tell, "PUT": quota.set, "DELETE": quota.reset},
            "/inbound": {"POST": inbound.text, "PUT": inbound.configure},
            "/pending": {"GET": lambda _: Response.of_json(200, self._pending())},
            "/health": {"GET": lambda _: Response.of_json(200, self._health())},
        }

    def handle(self, request: Request) -> Response:
        """Answer one call; 404 and 405 for what there is not."""
        methods = self._routes.get(request.path)
        if methods is None:
            paths = ", ".join(self._routes)
            return _error(404, f"no such path; there is {paths}, and the paths of SES v2, SNS and Twilio")
        answer = methods.get(request.method)
        if answer is None:
            allowed = ", ".join(methods)
            return Response.of_json(405, {"error": f"use {allowed}"}, {"Allow": allowed})
        return answer(request)

    def _list_faults(self, _: Request) -> Response:
        return Response.of_json(200, {"faults": self._faults.listing()})

    def _put_fault(self, request: Request) -> Response:
        try:
            fault = Fault.parse(json.loads(request.body))
        except FaultRequestError as error:
            return _error(422, str(error), ALLOWED)
        except ValueError:
            return _error(400, "the body must be JSON", ALLOWED)
        self._faults.put(fault)
        return self._list_faults(request)

    def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return self._list_faults(request)

    def _counts(self) -> Sequence[LaneCounts]:
        return [counts() for counts in self._lanes.values()]

    def _pending(self) -> dict[str, int]:
        """``held`` wait for another message to their address, and are not among ``callbacks``."""
        counts = self._counts()
        return {
            "callbacks": sum(count.pending for count in counts),
            "held": self._held(),
            "failed": sum(count.failed for count in counts),
        }

    def _health(self) -> dict[str, object]:
        lanes = {name: counts() for name, counts in self._lanes.items()}
        return {
            "status": "ok",
            "sends": len(self._ledger),
            "callbacks": {
                name: {"pending": count.pending, "delivered": count.delivered, "failed": count.failed}
                for name, count in lanes.items()
            },
        }


def _error(status: int, message: str, allowed: Mapping[str, object] | None = None) -> Response:
    return Response.of_json(status, {"error": message} | ({"allowed": allowed} if allowed else {}))
