"""How long each function takes to import what it uses, against ``import boto3`` alone.

In processes of their own: the handler's module, then all that it asks of its ``wiring``, with the adapters behind it,
and what these import only when it is used, where every invocation uses it. Of the API, the resolver with the routes of
one area and all that the area may ask for. Clients are not made, because that is botocore reading its service models
and not an import. CPU seconds; of each start the median of several, each against a baseline of its own right before it,
because a machine is faster at one minute than at the next.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any, Final

from rebound.api.areas import AREAS
from rebound.console.http.routes import ROUTES
from rebound.kernel.api_scopes import Realm
from rebound.platform.http.app import Area
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import environment, functions
from tests.fakes.aws import ENVIRONMENT, REPOSITORY

BAR: Final = 1.3
API_BAR: Final = 1.15
"""Of the API's own libraries alone: its router, its validation and its tables are theirs (decision 0037)."""
QUICK: Final = {"repetitions": 2}
OF_THE_API: Final = {"serve_api": Realm.BUSINESS, "serve_operator": Realm.OPERATOR}
"""What loads only the area that a request is for."""
OPERATIONS: Final = "serve_operations"
OF_THE_CONSOLE: Final = {"serve_console": 2.0, OPERATIONS: 2.0}
"""What loads only the module that a page is in, and the bar of each: nothing of boto3 is a page's."""
TEXTING: Final = frozenset({"send_text", "receive_callback"})
"""Who may import Twilio's SDK."""
ASKS_AWS: Final = frozenset({"aws", "twilio_secret"})
"""What of the ports is an answer of AWS and not a part of the program."""
NOT_DEPLOYED: Final = ("OpenSSL", "awscrt", "cryptography")
"""Packages of the development environment that botocore would import too, and that the layer does not have."""
ALWAYS_USED: Final = {"import_customers": ("phonenumbers",)}
"""What is imported when it is first used, by the functions whose every invocation uses it.

email-validator is not: an import loads it when one of its addresses is wrong or out of the ordinary (0.2 of boto3).
"""
PACKAGE: Final = REPOSITORY / "layers/common/rebound"

_BOTO3: Final = """
import json, sys, time
for name in sys.argv[1].split(","):
    sys.modules[name] = None
start = time.process_time()
import boto3
"""
_LIBRARIES: Final = """
import json, sys, time
for name in sys.argv[1].split(","):
    sys.modules[name] = None
start = time.process_time()
from botocore.config import Config
from botocore.session import get_session
from pynamodb import attributes, models
from pydantic import BaseModel
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
APIGatewayRestResolver(enable_validation=True)
"""
_FUNCTION: Final = """
import importlib, importlib.util, json, sys, time
for name in sys.argv[1].split(","):
    sys.modules[name] = None
start = time.process_time()
from rebound.platform.wiring import AwsPlatformPorts
def client(self, kind, service, **config):
    from botocore.session import get_session
    from botocore.config import Config
AwsPlatformPorts._client = client
import rebound.platform.invocations, os
os.environ[rebound.platform.invocations.IN_LAMBDA] = "measured"
spec = importlib.util.spec_from_file_location("handler", sys.argv[2])
handler = importlib.util.module_from_spec(spec)
# Clients are not made: so a start knows of no tables.
rebound.platform.invocations.sys = type("sys", (), {"modules": {}})
spec.loader.exec_module(handler)
if sys.argv[4]:
    from rebound.api.areas import API
    from rebound.platform.http.app import resolver
    resolver(API, *next(area for area in API.areas if area.address == sys.argv[4]).modules)
for asked in sys.argv[5:]:
    module, of, name = asked.split(":")
    found = getattr(importlib.import_module(module), of)()
    if name:
        getattr(found, name)
for name in filter(None, sys.argv[3].split(",")):
    importlib.import_module(name)
"""
_REPORT: Final = """
print(json.dumps({"seconds": time.process_time() - start, "twilio": "twilio" in sys.modules}))
"""


def asked_of_wiring(paths: Iterable[Path]) -> list[str]:
    """What some modules ask of their wiring: every ``wiring.use_cases().<name>`` and ``wiring.ports().<name>``."""
    asked = set()
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = [
            f"{node.module}.wiring"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and any(alias.name == "wiring" for alias in node.names)
        ]
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id="wiring"), attr="use_cases" | "ports" as of)),
                    attr=name,
                ) if name not in ASKS_AWS:
                    asked.add(f"{modules[0]}:{of}:{name}")
                case ast.Attribute(value=ast.Name(id="wiring"), attr="load_api" | "load_links" as load):
                    asked.add(f"{modules[0]}:{load}:")
    return sorted(asked)


def beside(area: Area) -> list[Path]:
    """The modules of an area, and those of shapes and routes that they import."""
    own = [PACKAGE.parent / f"{module.replace('.', '/')}.py" for module in area.modules]
    imports = (
        node.module or ""
        for path in own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    )
    found = (PACKAGE.parent / f"{module.replace('.', '/')}.py" for module in imports if ".http" in module)
    return [*own, *sorted({path for path in found if path.exists()})]


def pages_of(function: str) -> dict[str, list[str]]:
    """What the pages of each module of the console ask for, by the module's name."""
    found: dict[str, list[str]] = {}
    for route in ROUTES:
        if route.is_for_operators is (function == OPERATIONS):
            module = f"rebound.console.http.{route.handler.rpartition('.')[0]}"
            source = (PACKAGE.parent / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
            names = set(re.findall(r"\bbehind\.(\w+)", source)) - {"ports"}
            found[module] = [f"rebound.console.wiring:use_cases:{name}" for name in sorted(names)]
    return found


def areas_of(function: str) -> list[Area]:
    """The areas that a function of the API answers."""
    return [area for area in AREAS if area.realm is OF_THE_API[function]]


def measure(program: str, *arguments: str) -> dict[str, Any]:
    """One run in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", program + _REPORT, ",".join(NOT_DEPLOYED), *arguments],
        env={**environment(), **ENVIRONMENT, "PATH": "/usr/bin:/bin"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def run(repetitions: int = 7) -> dict[str, Any]:
    """What each function takes of what boto3 takes."""
    wanted: dict[str, list[str]] = {}
    for function in sorted(functions()):
        handler = REPOSITORY / "functions" / function / "handler.py"
        always = ",".join(ALWAYS_USED.get(function, ()))
        if function in OF_THE_API:
            # The API loads what a request needs by its area: each is a start of its own, and the dearest counts.
            for area in areas_of(function):
                asked = asked_of_wiring([handler, *beside(area)])
                wanted[f"{function}/{area.address}"] = [str(handler), always, area.address, *asked]
        elif function in OF_THE_CONSOLE:
            for module, asked in pages_of(function).items():
                wanted[f"{function}/{module.partition('.http.')[2]}"] = [str(handler), module, "", *asked]
        else:
            wanted[function] = [str(handler), always, "", *asked_of_wiring([handler])]
    boto3: list[float] = []
    ratios: dict[str, float] = {}
    of_libraries: dict[str, float] = {}
    twilio: set[str] = set()
    for start, arguments in wanted.items():
        pairs = [(measure(_BOTO3)["seconds"], measure(_FUNCTION, *arguments)) for _ in range(repetitions)]
        boto3 += [least for least, _ in pairs]
        ratios[start] = median(found["seconds"] / least for least, found in pairs)
        if start.partition("/")[0] in OF_THE_API:
            against = [(measure(_LIBRARIES)["seconds"], measure(_FUNCTION, *arguments)) for _ in range(repetitions)]
            of_libraries[start] = median(found["seconds"] / least for least, found in against)
        if pairs[0][1]["twilio"]:
            twilio.add(start.partition("/")[0])
    dearest: dict[str, float] = {}
    for start, ratio in ratios.items():
        function = start.partition("/")[0]
        dearest[function] = max(ratio, dearest.get(function, 0.0))
    bars = {
        f"{name} at most {OF_THE_CONSOLE.get(name, BAR)} of boto3": ratio <= OF_THE_CONSOLE.get(name, BAR)
        for name, ratio in dearest.items()
        if name not in OF_THE_API
    }
    for function in OF_THE_API:
        dear = max(of_libraries[f"{function}/{area.address}"] for area in areas_of(function))
        bars[f"{function} at most {API_BAR} of its libraries"] = dear <= API_BAR
    return {
        "boto3": round(median(boto3), 4),
        "functions": {name: round(ratio, 3) for name, ratio in dearest.items()},
        "areas_of_libraries": {name.partition("/")[2]: round(ratio, 3) for name, ratio in of_libraries.items()},
        "areas": {
            area.address: round(ratios[f"{function}/{area.address}"], 3)
            for function in OF_THE_API
            for area in areas_of(function)
        },
        "imports_twilio": sorted(twilio),
        "pages": {
            name.partition("/")[2]: round(ratio, 3)
            for name, ratio in ratios.items()
            if name.partition("/")[0] in OF_THE_CONSOLE
        },
        "short": {
            "boto3, s": round(median(boto3), 3),
            **{f"{name}, of boto3": round(ratio, 2) for name, ratio in (dearest | ratios).items()},
        },
        "bars": {**bars, "only who texts imports twilio": twilio <= TEXTING},
    }


if __name__ == "__main__":
    sys.exit(main("import_seconds"))
