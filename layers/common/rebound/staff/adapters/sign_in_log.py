"""Signing in, counted and logged by ids of ours."""

from collections.abc import Sequence

from rebound.platform.telemetry import count, flush_counts, logger
from rebound.staff.domain import Way


class TelemetrySignInLog:
    """Implements ``SignInLog``. People sign in seldom: each count is written at once."""

    def signed_in(self, member_ids: Sequence[str], way: Way) -> None:
        logger().info("signed in", member_ids=list(member_ids), way=str(way))
        _count("SignIns")

    def refused(self, way: Way) -> None:
        logger().info("sign-in refused", way=str(way))
        _count("SignInsRefused")

    def not_written(self, reason: str) -> None:
        logger().warning("staff not written to", reason=reason)
        _count("StaffNotWrittenTo")


def _count(name: str) -> None:
    count(name)
    flush_counts()
