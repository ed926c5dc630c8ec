"""The ports of messages over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.kernel.pages import RowChange
from rebound.messages.domain.messages import Message, StatusChange
from rebound.platform.wiring import in_this_process, use_case
from rebound.templates.wiring import AwsTemplatesPorts, TemplatesUseCases
from rebound.text_plans.wiring import AwsTextPlansPorts, TextPlansUseCases

if TYPE_CHECKING:
    from rebound.messages.application.note_opt_outs import NoteOptOuts
    from rebound.messages.application.project_messages import ProjectMessages
    from rebound.messages.application.reach_goals import ReachGoals
    from rebound.messages.application.read_client_log import ReadClientLog
    from rebound.messages.application.record_evidence import RecordEvidence
    from rebound.messages.application.write_links import LinkWriter
    from rebound.messages.ports import AppointmentBook, LinkKeyring, MessageLog, MessagesPorts, ShortLinkBook


class AwsMessagesPorts(AwsTemplatesPorts, AwsTextPlansPorts):
    """The ports of messages, implemented over AWS."""

    @cached_property
    def messages(self) -> MessageLog:
        from rebound.messages.adapters.dynamo_messages import DynamoMessageLog

        return DynamoMessageLog(self.settings["MESSAGES_TABLE"])

    @cached_property
    def appointments(self) -> AppointmentBook:
        from rebound.messages.adapters.dynamo_appointments import DynamoAppointmentBook

        return DynamoAppointmentBook(self.settings["MESSAGES_TABLE"])

    @cached_property
    def short_links(self) -> ShortLinkBook:
        from rebound.messages.adapters.dynamo_short_links import DynamoShortLinks

        return DynamoShortLinks(self.settings["MESSAGES_TABLE"])

    @cached_property
    def link_keyring(self) -> LinkKeyring:
        from rebound.messages.adapters.link_secret import SecretLinkKeyring

        return SecretLinkKeyring(self.aws("secretsmanager"), self.settings["LINK_SECRET_ARN"])

    @staticmethod
    def status_change_of(record: Mapping[str, Any]) -> StatusChange | None:
        """The change in a record of the message log's stream, as the campaign's counts need it."""
        from rebound.messages.adapters.dynamo_messages import status_change_of

        return status_change_of(record)

    @staticmethod
    def message_change_of(record: Mapping[str, Any]) -> RowChange[Message] | None:
        """What a record of the same stream says of a single message."""
        from rebound.messages.adapters.dynamo_messages import message_change_of

        return message_change_of(record)


class MessagesUseCases(TemplatesUseCases, TextPlansUseCases):
    """The use cases of messages."""

    ports: MessagesPorts

    link_writer: LinkWriter = use_case("rebound.messages.application.write_links", keyring="link_keyring")
    read_client_log: ReadClientLog = use_case("rebound.messages.application.read_client_log")
    project_messages: ProjectMessages = use_case(
        "rebound.messages.application.project_messages", publish="publish_events"
    )
    note_opt_outs: NoteOptOuts = use_case("rebound.messages.application.note_opt_outs")
    record_evidence: RecordEvidence = use_case("rebound.messages.application.record_evidence")
    reach_goals: ReachGoals = use_case("rebound.messages.application.reach_goals")

    def reach_at_need(self) -> ReachGoals:
        """Few campaigns have a goal."""
        return self.reach_goals


use_cases = in_this_process(MessagesUseCases, AwsMessagesPorts)
ports = AwsMessagesPorts
