"""CPU of the functions that every recipient passes, against bare boto3 making the same calls with the same answers.

Each invocation of a real run is followed at once by its own calls once more, made by plain boto3 clients with what the
product gave to its clients, and answered with what it was answered. Both sides sign, serialise and parse; neither pays
for the connection. Twilio's calls are made again with plain requests.
"""

import gc
import sys
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Any, Final

import boto3
import requests
from botocore import xform_name
from botocore.exceptions import ClientError

from rebound.kernel.channels import Channel
from tests.benchmarks.__main__ import main
from tests.benchmarks.cloud import Call
from tests.benchmarks.deployment import Deployment, deployment

BAR: Final = 1.5
QUICK: Final = {"recipients": 4_000, "repetitions": 1}
"""Enough for ranges of their own: what fits into one is expanded by the plan."""
EMAIL_FUNCTIONS: Final = ("expand_campaign", "send_email", "apply_receipts")
TEXT_FUNCTIONS: Final = ("send_text",)


@dataclass
class Compared(Deployment):
    """A deployment that makes the calls of each invocation once more, bare."""

    functions: Sequence[str] = ()
    product: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    bare: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    made: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _clients: dict[str, Any] = field(default_factory=dict)

    def invoke(self, function: str, event: Any) -> Any:
        if function not in self.functions:
            return super().invoke(function, event)
        before, calls = self.invoked[function].cpu, list[Call]()
        self.cloud.recorded = calls
        answer = super().invoke(function, event)
        self.cloud.recorded = None
        self.product[function] += self.invoked[function].cpu - before
        self.bare[function] += self._again(calls)
        self.made[function] += len(calls)
        return answer

    def forget_comparison(self) -> None:
        self.product.clear()
        self.bare.clear()
        self.made.clear()

    def _again(self, calls: Sequence[Call]) -> float:
        """CPU seconds of the calls alone."""
        methods = [self._method(call) for call in calls]
        self.cloud.replayed = deque(calls)
        own, start = self.cloud.own_cpu, process_time()
        for method, call in zip(methods, calls, strict=True):
            try:
                method(**call.parameters)
            except ClientError:
                # A condition that failed for the product fails here.
                continue
        spent = process_time() - start - (self.cloud.own_cpu - own)
        self.cloud.replayed = None
        return spent

    def _method(self, call: Call) -> Any:
        if call.service not in self._clients:
            # Stubs of a hundred services, where some are installed, know each name by a literal type.
            make: Any = boto3.client
            self._clients[call.service] = requests.Session() if call.service == "twilio" else make(call.service)
        client = self._clients[call.service]
        return client.post if call.service == "twilio" else getattr(client, xform_name(call.operation))


def compare(
    channel: Channel, functions: Sequence[str], recipients: int, repetitions: int, text_provider: str = "twilio"
) -> dict[str, Any]:
    """Milliseconds for 1,000 recipients and their ratio by function: the least of some campaigns, after a first one."""
    product: defaultdict[str, list[float]] = defaultdict(list)
    bare: defaultdict[str, list[float]] = defaultdict(list)
    with deployment() as plain:
        deployed = Compared(plain.cloud, functions=functions)
        deployed.open_business(text_provider)
        deployed.fill(recipients)
        for repetition in range(repetitions + 1):
            deployed.forget_comparison()
            # The collector would look through all that the bench holds, 0.13 s, by chance on one of the sides.
            gc.collect()
            gc.freeze()
            deployed.run(channel, recipients)
            if repetition:
                for function in functions:
                    product[function].append(deployed.product[function])
                    bare[function].append(deployed.bare[function])
        calls = {function: deployed.made[function] for function in functions}
    a_thousand = 1_000_000 / recipients
    return {
        function: {
            "ratio": round(min(product[function]) / min(bare[function]), 3),
            "milliseconds": round(min(product[function]) * a_thousand, 1),
            "bare_milliseconds": round(min(bare[function]) * a_thousand, 1),
            "calls": round(calls[function] * 1_000 / recipients, 1),
        }
        for function in functions
    }


def run(recipients: int = 4_000, repetitions: int = 3) -> dict[str, Any]:
    """The ratios, and whether each is within its bar."""
    found = {
        **compare(Channel.EMAIL, EMAIL_FUNCTIONS, recipients, repetitions),
        **compare(Channel.SMS, TEXT_FUNCTIONS, recipients // 4, repetitions, "sns"),
    }
    over_twilio = compare(Channel.SMS, TEXT_FUNCTIONS, recipients // 4, repetitions, "twilio")
    found["send_text_over_twilio"] = over_twilio["send_text"]
    return {
        **found,
        "short": {f"{name}, of bare boto3": figures["ratio"] for name, figures in found.items()},
        "bars": {f"{name} at most {BAR}": figures["ratio"] <= BAR for name, figures in found.items()},
    }


if __name__ == "__main__":
    sys.exit(main("cpu_ratio"))
