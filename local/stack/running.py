"""Brings a stack up, tells what runs, and takes it down again."""

import hashlib
import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

from local.stack.build import build
from local.stack.configuration import (
    AWS_PORT_SETTING,
    LOOPBACK,
    REPOSITORY,
    TWIN_PORT_SETTING,
    StackConfiguration,
)
from local.stack.deployment import deploy, operate, outputs
from local.stack.errors import StackError
from local.stack.processes import Process, last_lines, require_free_port, start, stop, wait_until
from local.twin.settings import TwinSettings

_BOOT_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 120.0
_REQUEST_SECONDS: Final = 60.0
_BUSINESS: Final = {
    "command": "create-business",
    "name": "Juniper & Vale",
    "country": "US",
    "time_zone": "America/New_York",
    "owner_email": "owner@salon.example.com",
    "email_from": "hello@salon.example.com",
    "text_provider": "twilio",
    "text_from": "+15005550006",
    # Nobody has to wait for the twin, which takes all that comes.
    "text_rate": 1000,
    # And nobody has to wait for the morning.
    "quiet_hours": "off",
}

_OWNER = "owner@salon.example.com"

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that answers, as `stack.json` holds it; ``api_url`` goes before ``/v1``."""

    api_url: str
    api_key: str = field(repr=False)
    business_id: str
    twin_url: str
    aws_endpoint_url: str
    region: str


@dataclass(frozen=True, slots=True)
class _Record:
    """What one `up` leaves for the next: the processes, their ports, and which sources they run."""

    aws: Process
    twin: Process
    aws_port: int
    twin_port: int
    twin_sources: str
    deployed: str | None = None

    @property
    def alive(self) -> bool:
        return self.aws.runs()


def up(configuration: StackConfiguration, say: Say = lambda _: None) -> Stack:
    """A stack that answers, with the sources as they are now.

    What runs already is kept with its data; it is deployed again only when sources have changed. Raises
    ``StackError``, and then leaves running only what ran before.
    """
    directory = configuration.directory
    before = _read_record(directory)
    if (
        before
        and before.alive
        and (before.aws_port, before.twin_port) != (configuration.aws_port, configuration.twin_port)
    ):
        raise StackError(
            f"A stack runs on the ports {before.aws_port} and {before.twin_port}. Take it down first: make down"
        )
    if before and not before.alive:
        down(configuration)
        before = None

    say("Building")
    sources = build(configuration)
    record = before or _boot(configuration, say)
    try:
        record = _keep_twin(configuration, record, say)
        if record.deployed != sources:
            say("Deploying")
            found = deploy(configuration)
            record = _write_record(directory, record, deployed=sources)
        else:
            found = outputs(configuration)
        kept = _read_stack(directory)
        api_url = configuration.public_url.format(api_id=found["ApiId"])
        # The embedded AWS makes another API, with an id of its own, where the template's routes have changed.
        stack = replace(kept, api_url=api_url) if kept else _first_business(configuration, found, api_url)
        _await_answer(configuration, stack)
        _hand_texts_on(stack)
    except BaseException:
        if before is None:
            _stop(record)
        raise
    _write_json(directory / "stack.json", asdict(stack))
    return stack


def console_link(configuration: StackConfiguration, stack: Stack) -> str:
    """An address that signs in to the console once within a day, as an owner of the first business."""
    function = outputs(configuration)["OperateStackFunction"]
    whom = {"business_id": stack.business_id, "email": _OWNER}
    operate(configuration, function, {"command": "invite", "role": "owner", **whom})
    return operate(configuration, function, {"command": "sign-in-link", "valid_minutes": 24 * 60, **whom})["link"]


def status(configuration: StackConfiguration) -> Stack | None:
    """The stack that runs in this directory, or None."""
    record = _read_record(configuration.directory)
    return _read_stack(configuration.directory) if record and record.alive and record.twin.runs() else None


def down(configuration: StackConfiguration) -> bool:
    """Ends the processes of this directory's stack and forgets its data; returns whether any ran. Logs stay."""
    directory = configuration.directory
    record = _read_record(directory)
    ran = bool(record and (record.aws.runs() or record.twin.runs()))
    if record:
        _stop(record)
    (directory / "stack.json").unlink(missing_ok=True)
    (directory / "state.json").unlink(missing_ok=True)
    shutil.rmtree(directory / "tmp", ignore_errors=True)
    return ran


def _boot(configuration: StackConfiguration, say: Say) -> _Record:
    """Both processes, answering, with nothing deployed yet."""
    require_free_port(configuration.aws_port, AWS_PORT_SETTING)
    require_free_port(configuration.twin_port, TWIN_PORT_SETTING)
    directory = configuration.directory
    # An AWS that begins empty knows nothing of an older business.
    (directory / "stack.json").unlink(missing_ok=True)
    say(f"Starting the embedded AWS on port {configuration.aws_port} and the twin on port {configuration.twin_port}")
    aws = _start_aws(configuration)
    twin = _start_twin(configuration)
    record = _write_record(
        directory,
        _Record(aws, twin, configuration.aws_port, configuration.twin_port, _twin_sources()),
    )
    try:
        _await(f"{configuration.aws_endpoint_url}/_ministack/ready", "The embedded AWS", aws, directory / "aws.log")
        _await(f"{configuration.twin_url}/health", "The twin", twin, directory / "twin.log")
    except BaseException:
        _stop(record)
        raise
    return record


def _start_aws(configuration: StackConfiguration) -> Process:
    """MiniStack; the handlers inherit its environment, and so the twin's addresses."""
    temporary = configuration.directory / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    return start(
        [sys.executable, "-m", "ministack"],
        configuration.environment()
        | {
            "GATEWAY_PORT": str(configuration.aws_port),
            "BIND_HOST": LOOPBACK,
            # Both would listen on ports of their own.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PERSIST_STATE": "0",
            # Every copy of a function unpacks its code here, and what bytecode it wrote would be used once.
            "TMPDIR": str(temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_ENDPOINT_URL_SESV2": configuration.twin_url,
            "AWS_ENDPOINT_URL_SNS": configuration.twin_url,
            "TWILIO_BASE_URL": configuration.twin_url,
        },
        configuration.directory / "aws.log",
    )


def _start_twin(configuration: StackConfiguration) -> Process:
    settings = TwinSettings()
    return start(
        [sys.executable, "-m", "local.twin"],
        configuration.environment()
        | {
            TWIN_PORT_SETTING: str(configuration.twin_port),
            "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        },
        configuration.directory / "twin.log",
    )


def _keep_twin(configuration: StackConfiguration, record: _Record, say: Say) -> _Record:
    """The twin that runs, or a new one when it has ended or its code has changed; what it remembered is then gone."""
    sources = _twin_sources()
    if record.twin.runs() and record.twin_sources == sources:
        return record
    say("Starting the twin again")
    stop(record.twin)
    require_free_port(configuration.twin_port, TWIN_PORT_SETTING)
    twin = _start_twin(configuration)
    kept = _write_record(configuration.directory, record, twin=twin, twin_sources=sources)
    _await(f"{configuration.twin_url}/health", "The twin", twin, configuration.directory / "twin.log")
    return kept


def _stop(record: _Record) -> None:
    """The twin first: it would call back to an API that is gone."""
    stop(record.twin)
    stop(record.aws)


def _first_business(configuration: StackConfiguration, found: Mapping[str, str], api_url: str) -> Stack:
    """A salon and a key to it, made the way an operator makes them."""
    function = found["OperateStackFunction"]
    business_id = operate(configuration, function, _BUSINESS)["business_id"]
    key = operate(configuration, function, {"command": "create-key", "business_id": business_id})
    return Stack(
        api_url=api_url,
        api_key=key["api_key"],
        business_id=business_id,
        twin_url=configuration.twin_url,
        aws_endpoint_url=configuration.aws_endpoint_url,
        region=configuration.region,
    )


def _await(url: str, who: str, process: Process, log: Path) -> None:
    """Until ``url`` answers 200; at once an error when ``process`` has ended."""
    came = wait_until(lambda: not process.runs() or _get(url) == HTTPStatus.OK, _BOOT_SECONDS)
    if not process.runs():
        raise StackError(f"{who} ended at once; the end of {log}:\n{last_lines(log)}")
    if not came:
        raise StackError(f"{who} does not answer at {url}; the end of {log}:\n{last_lines(log)}")


def _await_answer(configuration: StackConfiguration, stack: Stack) -> None:
    """Until the deployed API answers its own business, which takes gateway, authorizer, function and table."""
    answers: list[int | None] = []

    def answered() -> bool:
        answers.append(_get(f"{stack.api_url}/v1/business", stack.api_key))
        return answers[-1] == HTTPStatus.OK

    if not wait_until(answered, _ANSWER_SECONDS):
        log = configuration.directory / "aws.log"
        raise StackError(
            f"{stack.api_url}/v1/business answers {answers[-1] or 'nothing'}; the end of {log}:\n{last_lines(log)}"
        )


def _hand_texts_on(stack: Stack) -> None:
    """What one sets in Twilio's console for a number: where the texts to it go."""
    webhook = json.dumps({"webhook": f"{stack.api_url}/v1/webhooks/twilio/inbound"}).encode()
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{stack.twin_url}/inbound", webhook, method="PUT")  # noqa: S310 - our own address
    with direct.open(request, timeout=_REQUEST_SECONDS):
        pass


def _get(url: str, key: str | None = None) -> int | None:
    """The status of a GET, or None when nobody answers."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(urllib.request.Request(url, headers=headers), timeout=_REQUEST_SECONDS) as answer:  # noqa: S310 - our own address
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _twin_sources() -> str:
    """Changes when the twin's code does."""
    digest = hashlib.sha256()
    for file in sorted((REPOSITORY / "local" / "twin").glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read_record(directory: Path) -> _Record | None:
    """What the last `up` left; None when nothing did, or nothing that can be read."""
    try:
        found = json.loads((directory / "state.json").read_text(encoding="utf-8"))
        return _Record(**{**found, "aws": Process(**found["aws"]), "twin": Process(**found["twin"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write_record(directory: Path, record: _Record, **changes: object) -> _Record:
    """Written at once after each step, so that `down` always knows whom to end."""
    values = {name: getattr(record, name) for name in _Record.__slots__} | changes
    changed = _Record(**values)
    _write_json(directory / "state.json", asdict(changed))
    return changed


def _read_stack(directory: Path) -> Stack | None:
    try:
        return Stack(**json.loads((directory / "stack.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    """Whole or not at all, and for this user only: there is a key in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)
