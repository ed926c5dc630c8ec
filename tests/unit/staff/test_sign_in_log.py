"""What is logged and counted when somebody signs in."""

import json

import pytest

from rebound.platform import telemetry
from rebound.staff.adapters.sign_in_log import TelemetrySignInLog
from rebound.staff.domain import Way


def test_each_sign_in_is_logged_by_ids_and_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Rebound")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "console")
    for kept in (telemetry.metrics, telemetry.logger, telemetry._counts):
        kept.cache_clear()
    log = TelemetrySignInLog()
    log.signed_in(["member-1", "member-2"], Way.CODE)
    log.refused(Way.LINK)
    log.not_written("no sender")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for kept in (telemetry.metrics, telemetry.logger, telemetry._counts):
        kept.cache_clear()
    counted = [
        {name: line[name] for name in ("SignIns", "SignInsRefused", "StaffNotWrittenTo") if name in line}
        for line in lines
        if "_aws" in line
    ]
    logged = [
        {name: line[name] for name in ("message", "member_ids", "way", "reason") if name in line}
        for line in lines
        if "message" in line
    ]

    assert counted == [{"SignIns": [1.0]}, {"SignInsRefused": [1.0]}, {"StaffNotWrittenTo": [1.0]}]
    assert logged == [
        {"message": "signed in", "member_ids": ["member-1", "member-2"], "way": "code"},
        {"message": "sign-in refused", "way": "link"},
        {"message": "staff not written to", "reason": "no sender"},
    ]
