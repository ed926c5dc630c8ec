"""What timeline need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.inbound.wiring import AwsInboundPorts, InboundUseCases
from rebound.platform.wiring import in_this_process

if TYPE_CHECKING:
    from rebound.timeline.application.project_contacts import ProjectContacts
    from rebound.timeline.application.read_appointment_log import ReadAppointmentLog
    from rebound.timeline.application.read_timeline import ReadTimeline
    from rebound.timeline.ports import TimelinePorts


class AwsTimelinePorts(AwsInboundPorts):
    """The same over AWS."""


class TimelineUseCases(InboundUseCases):
    """The use cases of timeline."""

    ports: TimelinePorts

    @cached_property
    def read_timeline(self) -> ReadTimeline:
        from rebound.timeline.application.read_timeline import ReadTimeline

        return ReadTimeline(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            businesses=self.ports.businesses,
            messages=self.ports.messages,
            history=self.ports.contact_history,
        )

    @cached_property
    def read_appointment_log(self) -> ReadAppointmentLog:
        from rebound.timeline.application.read_appointment_log import ReadAppointmentLog

        return ReadAppointmentLog(appointments=self.ports.appointments, messages=self.ports.messages)

    @cached_property
    def project_contacts(self) -> ProjectContacts:
        from rebound.timeline.application.project_contacts import ProjectContacts

        return ProjectContacts(
            customers=self.ports.customers,
            businesses=self.ports.businesses,
            events=self.ports.domain_events,
            history=self.ports.contact_history,
            replies=self.ports.replies,
        )


def use_cases() -> TimelineUseCases:
    """Those of this process."""
    return in_this_process(TimelineUseCases, ports)


def ports() -> AwsTimelinePorts:
    """Those of this process, over AWS."""
    return AwsTimelinePorts()
