"""How long one machine takes for a whole email campaign on the embedded stack, receipts included.

A stack of its own beside whatever else runs, with the embedded AWS, the provider twin and everything deployed; the
customers are imported before the clock starts, and it stops when every message has its final word.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from local.stack import Stack, StackConfiguration, down, up
from tests.benchmarks.__main__ import main
from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import EmbeddedAws, Operator
from tests.e2e.waiting import until

QUICK: Final = {"recipients": 500}
PATIENCE_SECONDS: Final = 3_600.0
FINAL: Final = ("delivered", "bounced", "failed")
RUNNING: Final = "REBOUND_E2E_STACK"
"""Names the ``stack.json`` of a stack that runs already and is to be used, as for the end-to-end tests."""


def campaign(api: ReboundApi, recipients: int) -> dict[str, Any]:
    """Import customers, then send to them all."""
    rows = [
        {
            "external_id": f"c{number}",
            "first_name": f"Alexandra{number % 97}",
            "last_name": "Silva-Costa",
            "email": f"bounce+{number}@simulator.amazonses.com"
            if number % 33 == 0
            else f"a.silva.{number}@example.com",
        }
        for number in range(recipients)
    ]
    for start in range(0, recipients, 5_000):
        content = "\n".join(map(json.dumps, rows[start : start + 5_000]))
        given = api.call("POST", "/v1/imports", {"format": "jsonl", "content": content}).expecting(202).json()
        done = _until_read(
            api, f"/v1/imports/{given['import_id']}", lambda job: job["status"] in ("completed", "failed")
        )
        if done["status"] != "completed" or done["counts"]["failed"]:
            raise RuntimeError(f"the import did not take everybody: {done}")
    body = {
        "name": "Autumn",
        "category": "marketing",
        "channel": "email",
        "filter": {"all": []},
        "content": {"subject": "Hello ##{{first_name}}", "text": "Autumn is here, ##{{first_name}}."},
    }
    began = time.monotonic()
    posted = api.call("POST", "/v1/campaigns", body).expecting(202).json()
    path = f"/v1/campaigns/{posted['campaign_id']}"

    handed = _until_read(api, path, lambda view: view["results"]["queued"] == 0 and view["status"] != "expanding")
    handed_after = time.monotonic() - began
    view = _until_read(api, path, lambda view: sum(view["results"][status] for status in FINAL) == recipients)
    took = time.monotonic() - began
    return {
        "short": {"seconds": round(took, 1), "recipients a second": round(recipients / took, 1)},
        "recipients": handed["audience"]["targeted"],
        "handed_over_after_seconds": round(handed_after, 1),
        "seconds": round(took, 1),
        "recipients_a_second": round(recipients / took, 1),
        "results": {status: count for status, count in view["results"].items() if count},
    }


def _until_read(api: ReboundApi, path: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What a path answers as soon as it holds."""

    def look() -> dict[str, Any]:
        found: dict[str, Any] = api.call("GET", path).expecting(200).json()
        return found

    return until(path, look, holds, PATIENCE_SECONDS)


def run(recipients: int = 10_000) -> dict[str, Any]:
    """Seconds and recipients a second."""
    if running := os.environ.get(RUNNING):
        return _on(Stack(**json.loads(Path(running).read_text(encoding="utf-8"))), recipients)
    with tempfile.TemporaryDirectory() as directory:
        configuration = StackConfiguration.beside_others(Path(directory))
        try:
            return _on(up(configuration, say=lambda step: print(f"{step} …", file=sys.stderr)), recipients)
        finally:
            down(configuration)


def _on(stack: Stack, recipients: int) -> dict[str, Any]:
    aws = EmbeddedAws(stack.aws_endpoint_url, stack.region)
    return campaign(Operator(aws, stack.api_url).new_business("Ten thousand"), recipients)


if __name__ == "__main__":
    sys.exit(main("one_machine"))
