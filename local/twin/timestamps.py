"""Times as the providers write them, from epoch seconds; all UTC."""

from datetime import UTC, datetime


def iso(at: float) -> str:
    """``2026-11-22T10:00:00.123Z``, as in SES events."""
    return _utc(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sns_log(at: float) -> str:
    """``2026-11-22 10:00:00.123``, as in SNS delivery logs."""
    return _utc(at).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")


def rfc2822(at: float) -> str:
    """``Sun, 22 Nov 2026 10:00:00 +0000``, as in Twilio's resources."""
    return _utc(at).strftime("%a, %d %b %Y %H:%M:%S +0000")


def dlr_done(at: float) -> str:
    """``YYMMDDhhmm``, as in Twilio's RawDlrDoneDate."""
    return _utc(at).strftime("%y%m%d%H%M")


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
