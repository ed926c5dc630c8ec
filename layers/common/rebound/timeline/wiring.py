"""The use cases of timeline (``platform.wiring``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.inbound.wiring import AwsInboundPorts, InboundUseCases
from rebound.platform.wiring import in_this_process, use_case
from rebound.relations.wiring import AwsRelationsPorts, RelationsUseCases
from rebound.sequences.wiring import AwsSequencesPorts, SequencesUseCases

if TYPE_CHECKING:
    from rebound.timeline.application.forget_customers import ForgetCustomers
    from rebound.timeline.application.project_contacts import ProjectContacts
    from rebound.timeline.application.read_timeline import ReadAppointmentLog, ReadTimeline
    from rebound.timeline.ports import TimelinePorts


class AwsTimelinePorts(AwsInboundPorts, AwsSequencesPorts, AwsRelationsPorts):
    """The ports of timeline over AWS."""


class TimelineUseCases(InboundUseCases, SequencesUseCases, RelationsUseCases):
    """The use cases of timeline."""

    ports: TimelinePorts

    read_timeline: ReadTimeline = use_case(
        "rebound.timeline.application.read_timeline", history="contact_history", waiting="find_waiting"
    )
    read_appointment_log: ReadAppointmentLog = use_case("rebound.timeline.application.read_timeline")
    forget_customers: ForgetCustomers = use_case(
        "rebound.timeline.application.forget_customers", keyring="link_keyring"
    )
    project_contacts: ProjectContacts = use_case(
        "rebound.timeline.application.project_contacts",
        publish="publish_events",
        history="contact_history",
        forget="forget_customers",
    )


use_cases = in_this_process(TimelineUseCases, AwsTimelinePorts)
ports = AwsTimelinePorts
