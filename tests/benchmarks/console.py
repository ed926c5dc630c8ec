"""What a page of the console costs: requests to AWS, CPU against ``GET /v1/customers``, and its bytes on the wire.

The function that serves the pages over a business of many customers, a campaign that ran among them. CPU is the least
of some requests, the collector at rest; what the cloud in this process takes is left out on both sides. The API's page
of customers has its default size, and pays for its key by the authorizer, as each page here does for its session.
"""

import gc
import gzip
import json
import sys
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from rebound.kernel.channels import Channel
from rebound.staff.domain import Role
from tests.benchmarks.__main__ import main
from tests.benchmarks.console_pages import PAGES, one_of_each
from tests.benchmarks.deployment import Deployment, deployment
from tests.benchmarks.light_calls import light_calls
from tests.fakes import house
from tests.fakes.aws import REPOSITORY

FUNCTION: Final = "serve_console"
OPERATIONS: Final = "serve_operations"
COMPARED: Final = ("authorize_request", "serve_api")
HOST: Final = "console.example.com"
MOST_REQUESTS: Final = 8
MOST_BYTES: Final = 100_000
"""Of a body as gzip."""
RATIO: Final = 1.5
RECIPIENTS: Final = 500
QUICK: Final = {"customers": 2_000, "repetitions": 3}


def function_of(page: str) -> str:
    """The function that serves a page."""
    return OPERATIONS if page.partition("/")[0] == "operations" else FUNCTION


class Desk:
    """The browser of an owner, or of an operator, who is signed in."""

    def __init__(self, deployed: Deployment, role: Role = Role.OWNER) -> None:
        self._deployed = deployed
        self._cookie = ""
        email, business_id = f"{role}@juniper.example.com", None if role is Role.OPERATOR else deployed.business_id
        behind = house.use_cases()
        behind.invite(business_id, email, role, console_url=f"https://{HOST}/live/console")
        answer = self._ask("POST", "sign-in-link", {"token": behind.make_link(email, business_id)})
        self._cookie = "; ".join(each.partition(";")[0] for each in answer["multiValueHeaders"]["Set-Cookie"])

    def look(self, page: str) -> str:
        """The body of a page."""
        answer = self._ask("GET", page)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{page}: {answer['statusCode']}")
        return str(answer["body"])

    def _ask(self, method: str, page: str, form: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        event = json.loads((REPOSITORY / "events/api_gateway/post_campaign.json").read_text(encoding="utf-8"))
        headers = {"host": HOST, "origin": f"https://{HOST}", "content-type": "application/x-www-form-urlencoded"}
        if self._cookie:
            headers["cookie"] = self._cookie
        path = f"/console/{page}"
        place = "/console/operations" if function_of(page) == OPERATIONS else "/console"
        behind = path.removeprefix(place).removeprefix("/")
        event.update(
            resource=f"{place}/{{proxy+}}" if behind else place,
            path=path,
            pathParameters={"proxy": behind} if behind else None,
            httpMethod=method,
            headers=headers,
            multiValueHeaders={name: [value] for name, value in headers.items()},
            queryStringParameters=None,
            multiValueQueryStringParameters=None,
            body=urlencode(form) if form else None,
        )
        event["requestContext"].pop("authorizer", None)
        answer: Mapping[str, Any] = self._deployed.invoke(function_of(page), event)
        return answer


def least_cpu(deployed: Deployment, functions: tuple[str, ...], ask: Any, repetitions: int) -> float:
    """Seconds of the cheapest of some, after a first one."""
    ask()
    taken: list[float] = []
    for _ in range(repetitions):
        deployed.forget_usage()
        gc.collect()
        ask()
        taken.append(sum(deployed.invoked[function].cpu for function in functions))
    return min(taken)


def run(customers: int = 100_000, repetitions: int = 10) -> dict[str, Any]:
    """Each page's costs, and whether they are within their bars."""
    with deployment() as deployed:
        deployed.open_business()
        with light_calls(deployed.cloud):
            deployed.fill(RECIPIENTS)
            deployed.run(Channel.EMAIL, RECIPIENTS)
            deployed.fill(customers, RECIPIENTS)
            made = one_of_each(deployed)
        owner, operator = Desk(deployed), Desk(deployed, Role.OPERATOR)
        api = least_cpu(deployed, COMPARED, lambda: deployed.api("GET", "/v1/customers"), repetitions)
        found: dict[str, Any] = {}
        for name, address in PAGES.items():
            path = address.format(**made)
            desk = operator if function_of(path) == OPERATIONS else owner
            cpu = least_cpu(deployed, (function_of(path),), lambda desk=desk, path=path: desk.look(path), repetitions)
            found[name] = {
                "requests": deployed.cloud.calls.total(),
                "milliseconds": round(cpu * 1000, 1),
                "ratio": round(cpu / api, 2),
                "gzip_bytes": len(gzip.compress(desk.look(path).encode())),
            }
    return {
        "customers": customers,
        "api_milliseconds": round(api * 1000, 1),
        "pages": found,
        "short": {
            "GET /v1/customers": f"{api * 1000:.1f} ms",
            **{
                name: f"{each['requests']} requests, {each['ratio']}, {each['gzip_bytes'] / 1000:.0f} kB"
                for name, each in found.items()
            },
        },
        "bars": {
            f"at most {MOST_REQUESTS} requests": max(each["requests"] for each in found.values()) <= MOST_REQUESTS,
            f"at most {MOST_BYTES:,} bytes": max(each["gzip_bytes"] for each in found.values()) <= MOST_BYTES,
            **{f"{name}: CPU at most {RATIO} of the API's": each["ratio"] <= RATIO for name, each in found.items()},
        },
    }


if __name__ == "__main__":
    sys.exit(main("console"))
