"""The use cases of timeline (``platform.wiring``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.inbound.wiring import AwsInboundPorts, InboundUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.timeline.application.project_contacts import ProjectContacts
    from rebound.timeline.application.read_timeline import ReadAppointmentLog, ReadTimeline


class TimelineUseCases(InboundUseCases):
    """The use cases of timeline."""

    read_timeline: ReadTimeline = use_case("rebound.timeline.application.read_timeline", history="contact_history")
    read_appointment_log: ReadAppointmentLog = use_case("rebound.timeline.application.read_timeline")
    project_contacts: ProjectContacts = use_case(
        "rebound.timeline.application.project_contacts", events="domain_events", history="contact_history"
    )


use_cases = in_this_process(TimelineUseCases, AwsInboundPorts)
ports = AwsInboundPorts
