"""Imports at size: rows a second, the memory of the functions' processes, and what the tables charge.

The functions' use cases run in a process of their own, with the real adapters, against DynamoDB and S3 in this process:
lean stand-ins that keep rows and objects in memory. So a process's peak is that of the function alone, and rows a
second are those of one worker without the network; on AWS several parts go in at the same time.
"""

import json
import multiprocessing
import os
import re
import resource
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from time import perf_counter, process_time
from typing import Any, Final

from tests.benchmarks.__main__ import main
from tests.benchmarks.tables import RefusedError, Table, Tables
from tests.fakes.aws import ENVIRONMENT, SETTING_OF, table_definitions
from tests.fakes.making import BUSINESS_ID, business

SIZES: Final = (1_000, 100_000)
QUICK: Final = {"sizes": (1_000, 10_000)}
WRITE_USD, READ_USD = 0.625e-6, 0.125e-6
GROWTH_MEGABYTES: Final = 32
"""What the largest file may take more than the smallest: pieces that are being filled, and what is sent of them."""
BUCKET: Final = "imports"
SHARED_NUMBERS: Final = 5
"""Every so many-th customer has the number of the one before: a family."""


class _Cloud(BaseHTTPRequestHandler):
    """DynamoDB's JSON, and S3's objects by path."""

    protocol_version = "HTTP/1.1"
    # An answer in one piece: a second one would wait 40 ms for the first to be acknowledged.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    tables: Tables
    objects: dict[str, bytes]
    guard: threading.Lock

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"]))
        if "X-Amz-Target" not in self.headers:
            for key in re.findall(rb"<Key>([^<]*)</Key>", question):
                self.objects.pop(f"/{BUCKET}/{key.decode()}", None)
            self._answer(200, b"<DeleteResult/>")
            return
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        try:
            with self.guard:
                answer, status = self.tables.operate(operation, json.loads(question)), 200
        except RefusedError as error:
            refusal = {"__type": f"com.amazonaws#{error.name}", "message": str(error), **error.more}
            answer, status = json.dumps(refusal).encode(), 400
        self._answer(status, answer)

    def do_PUT(self) -> None:
        self.objects[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"", {"ETag": '"1"'})

    def do_GET(self) -> None:
        self._answer(200, self.objects[self.path.partition("?")[0]], {"ETag": '"1"'})

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come, or botocore waits a second for it."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _answer(self, status: int, body: bytes, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""


@contextmanager
def _cloud() -> Iterator[tuple[type[_Cloud], Mapping[str, str]]]:
    """The stand-ins, and the environment of a function that uses them."""
    tables = Tables()
    for name, properties in table_definitions().items():
        tables.by_name[name] = Table(name, [key["AttributeName"] for key in properties["KeySchema"]])
    served = type("Served", (_Cloud,), {"tables": tables, "objects": {}, "guard": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    environment = {
        **ENVIRONMENT,
        **{setting: name for name, setting in SETTING_OF.items()},
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "NO_PROXY": "127.0.0.1",
        "IMPORTS_BUCKET": BUCKET,
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }
    try:
        yield served, environment
    finally:
        server.shutdown()
        server.server_close()


def _file(rows: int) -> bytes:
    lines = ["external_id,first_name,last_name,email,mobile_phone,general_tags"]
    for number in range(rows):
        phone = 4155500000 + number - (number % SHARED_NUMBERS == 0)
        cells = f"c-{number},Ana,Silva {number},ana{number}@example.com,+1{phone},vip;autumn"
        lines.append(cells)
    return "\n".join(lines).encode()


def _step(name: str, import_id: str, environment: Mapping[str, str], answers: Connection) -> None:
    """One function in a process of its own."""
    os.environ.update(environment)
    from tests.fakes import house  # noqa: PLC0415 - nothing of it may be loaded before the environment is there

    house.ports().businesses.get(BUSINESS_ID)
    began, cpu = perf_counter(), process_time()
    if name == "split":
        parts: Sequence[int] = house.use_cases().split_import(BUSINESS_ID, import_id, lambda: True) or ()
    else:
        splitting = house.ports().imports.get(BUSINESS_ID, import_id).splitting
        parts = range(splitting.parts if splitting else 0)
        for part in parts:
            house.use_cases().import_customers(BUSINESS_ID, import_id, part, lambda: True)
    answers.send(
        {
            "parts": len(parts),
            "seconds": perf_counter() - began,
            "cpu_seconds": process_time() - cpu,
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )


def _in_a_process(name: str, import_id: str, environment: Mapping[str, str]) -> Mapping[str, float]:
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_step, args=(name, import_id, environment, sending))
    process.start()
    sending.close()
    found: Mapping[str, float] = receiving.recv()
    process.join()
    return found


def _imported(rows: int) -> dict[str, Any]:
    """One import of so many new customers."""
    import_id = f"01M7W5F8G0QK3D9V2T7N{rows:06d}"
    with _cloud() as (cloud, environment):
        cloud.objects[f"/{BUCKET}/imports/{BUSINESS_ID}/{import_id}"] = _file(rows)
        began = _begun(import_id, environment)
        split = _in_a_process("split", import_id, environment)
        cloud.tables.writes.clear()
        cloud.tables.reads.clear()
        put = _in_a_process("import", import_id, environment)
        written = sum(1 for _ in cloud.tables.by_name["CustomersTable"].everything())
        usd = sum(cloud.tables.writes.values()) * WRITE_USD + sum(cloud.tables.reads.values()) * READ_USD
    return {
        "began": began,
        "customers": written,
        "parts": split["parts"],
        "split_rows_per_second": round(rows / split["seconds"]),
        "split_peak_megabytes": round(split["peak_megabytes"], 1),
        "import_rows_per_second_of_one_worker": round(rows / put["seconds"]),
        "import_cpu_milliseconds_per_row": round(put["cpu_seconds"] / rows * 1000, 2),
        "import_peak_megabytes": round(put["peak_megabytes"], 1),
        "tables_usd_per_100_000_rows": round(usd / rows * 100_000, 3),
    }


def _begun(import_id: str, environment: Mapping[str, str]) -> bool:
    """Write the business and the import, in a process as well, because this one has no AWS."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_begin, args=(import_id, environment))
    process.start()
    process.join()
    return process.exitcode == 0


def _begin(import_id: str, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    from rebound.imports_exports.domain import ImportJob  # noqa: PLC0415
    from tests.fakes import house  # noqa: PLC0415 - as above

    house.ports().businesses.add(business())
    house.ports().imports.save(ImportJob(BUSINESS_ID, import_id, "csv", "queued", house.ports().clock.now()))


def run(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """The figures for each size, and whether memory stays flat."""
    found = {str(rows): _imported(rows) for rows in sizes}
    first, last = found[str(min(sizes))], found[str(max(sizes))]
    growth = {name: round(last[name] - first[name], 1) for name in ("split_peak_megabytes", "import_peak_megabytes")}
    return {
        "imports": found,
        "growth": growth,
        "bars": {
            "every row is a customer": all(one["customers"] == int(rows) for rows, one in found.items()),
            f"memory flat within {GROWTH_MEGABYTES} MB": max(growth.values()) <= GROWTH_MEGABYTES,
        },
        "notes": [
            "rows per second are without the network's latency, and of one worker; ImportConcurrency work at once"
        ],
    }


if __name__ == "__main__":
    sys.exit(main("imports"))
