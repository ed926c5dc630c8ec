"""The ports of sequences over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.platform.wiring import in_this_process, use_case
from rebound.recurring.wiring import AwsRecurringPorts, RecurringUseCases

if TYPE_CHECKING:
    from rebound.activity.domain.words import Told
    from rebound.activity.ports import Listener, Watcher
    from rebound.businesses.domain.business import Business
    from rebound.customers.ports import Eraser
    from rebound.jobs.application.run_job import JobWork
    from rebound.jobs.domain import JobKind
    from rebound.segments.ports import SegmentUser
    from rebound.sequences.application.advance import AdvanceEnrolments, AskFilter
    from rebound.sequences.application.ask_to_sign import AskToSign
    from rebound.sequences.application.check_definition import CheckDefinition
    from rebound.sequences.application.count_steps import CountSteps
    from rebound.sequences.application.do_steps import DoSteps
    from rebound.sequences.application.enrol import HearHappenings, PlanAhead
    from rebound.sequences.application.follow_customers import HearTags, TellOfNewcomers
    from rebound.sequences.application.forget import ForgetEnrolments
    from rebound.sequences.application.go_on import GoOn
    from rebound.sequences.application.hear_activity import HearActivity, HearOfNewcomers, LookBack
    from rebound.sequences.application.move import MoveEnrolments, MovePage
    from rebound.sequences.application.notice_entering import BeginLooks, FindLook, NoticeEntering, ScheduleLooks
    from rebound.sequences.application.offer_ready_made import OfferReadyMade
    from rebound.sequences.application.read_enrolments import ReadEnrolments
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.application.sequence_results import ReadResults
    from rebound.sequences.application.sequence_service import SequenceService
    from rebound.sequences.application.switch import SwitchCarriers
    from rebound.sequences.application.tell import HearTold, TellSequences
    from rebound.sequences.application.tell_custom import TellCustom
    from rebound.sequences.application.waiver_service import ForgetAsked, LookAtSigner, WaiverService
    from rebound.sequences.application.wake import WakeEnrolments
    from rebound.sequences.application.warn import WarnOfSteps
    from rebound.sequences.domain.results import CountedChange
    from rebound.sequences.domain.tasks import QueuedTask
    from rebound.sequences.ports import (
        AskBook,
        EnrolmentBook,
        MemberBook,
        SequenceBook,
        SequencesPorts,
        StepCarriers,
        StepQueue,
        StepTallies,
        WaiverBook,
    )
    from rebound.timers.domain import Timer
    from rebound.timers.ports import Waker


class AwsSequencesPorts(AwsRecurringPorts):
    """The ports of sequences over AWS."""

    @cached_property
    def sequences(self) -> SequenceBook:
        from rebound.sequences.adapters.dynamo_sequences import DynamoSequenceBook

        return DynamoSequenceBook(self.settings["DIRECTORY_TABLE"], self.dynamo_segments, self.dynamo_gates)

    @cached_property
    def enrolments(self) -> EnrolmentBook:
        from rebound.sequences.adapters.dynamo_enrolments import DynamoEnrolmentBook

        return DynamoEnrolmentBook(self.settings["SEQUENCES_TABLE"])

    @cached_property
    def step_carriers(self) -> StepCarriers:
        from rebound.sequences.adapters.dynamo_enrolments import DynamoStepCarriers

        return DynamoStepCarriers(self.settings["SEQUENCES_TABLE"])

    @cached_property
    def step_tallies(self) -> StepTallies:
        from rebound.sequences.adapters.dynamo_step_tallies import DynamoStepTallies

        return DynamoStepTallies(self.settings["SEQUENCES_TABLE"])

    @staticmethod
    def counted_change_of(record: Mapping[str, Any]) -> CountedChange | None:
        """What a record of the table's stream adds to the counts; ``None`` where that is nothing."""
        from rebound.sequences.adapters.dynamo_enrolments import enrolment_change_of
        from rebound.sequences.adapters.dynamo_waivers import ask_change_of

        return enrolment_change_of(record) or ask_change_of(record)

    @cached_property
    def members_of_sequences(self) -> MemberBook:
        from rebound.sequences.adapters.dynamo_members import DynamoMemberBook

        return DynamoMemberBook(self.settings["SEQUENCES_TABLE"])

    @cached_property
    def step_queue(self) -> StepQueue:
        from rebound.sequences.adapters.step_queue import SqsStepQueue

        return SqsStepQueue(self.aws("sqs"), self.settings["STEPS_QUEUE_URL"])

    @cached_property
    def waivers(self) -> WaiverBook:
        from rebound.sequences.adapters.dynamo_waivers import DynamoWaiverBook

        return DynamoWaiverBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def asks(self) -> AskBook:
        from rebound.sequences.adapters.dynamo_waivers import DynamoAskBook

        return DynamoAskBook(self.settings["SEQUENCES_TABLE"])

    def decode_steps(self, body: str) -> QueuedTask:
        """The task of a message of the queue."""
        from rebound.sequences.adapters.step_queue import decode_steps

        return decode_steps(body)


class SequencesUseCases(RecurringUseCases):
    """The use cases of sequences."""

    ports: SequencesPorts

    ask_filter: AskFilter = use_case("rebound.sequences.application.advance", pin="pin_filters")
    switch_carriers: SwitchCarriers = use_case("rebound.sequences.application.switch")
    do_steps: DoSteps = use_case("rebound.sequences.application.do_steps", queue="chunk_queue")
    schedule_steps: ScheduleSteps = use_case("rebound.sequences.application.schedule")
    look_back: LookBack = use_case("rebound.sequences.application.hear_activity")
    plan_ahead: PlanAhead = use_case("rebound.sequences.application.enrol", schedule="schedule_steps")
    advance_enrolments: AdvanceEnrolments = use_case(
        "rebound.sequences.application.advance",
        ask="ask_filter",
        plan="plan_ahead",
        do="do_steps",
        schedule="schedule_steps",
    )
    hear_happenings: HearHappenings = use_case(
        "rebound.sequences.application.enrol", ask="ask_filter", plan="plan_ahead", schedule="schedule_steps"
    )
    tell_sequences: TellSequences = use_case("rebound.sequences.application.tell")
    hear_told: HearTold = use_case(
        "rebound.sequences.application.tell", hear="hear_happenings", notice="notice_entering"
    )
    tell_of_newcomers: TellOfNewcomers = use_case("rebound.sequences.application.follow_customers")
    hear_of_newcomers: HearOfNewcomers = use_case(
        "rebound.sequences.application.hear_activity",
        hear="hear_happenings",
        notice="notice_entering",
        look_at="look_at_need",
    )
    go_on: GoOn = use_case(
        "rebound.sequences.application.go_on",
        advance="advance_enrolments",
        hear="hear_told",
        hear_new="hear_of_newcomers",
        ask="ask_at_need",
    )
    tell_custom: TellCustom = use_case("rebound.sequences.application.tell_custom", tell="tell_sequences")
    hear_tags: HearTags = use_case("rebound.sequences.application.follow_customers", tell="tell_sequences")
    hear_activity: HearActivity = use_case(
        "rebound.sequences.application.hear_activity", hear="hear_happenings", notice="notice_entering"
    )
    notice_entering: NoticeEntering = use_case(
        "rebound.sequences.application.notice_entering",
        members="members_of_sequences",
        find="find_look",
        ask="ask_filter",
        hear="hear_happenings",
    )
    find_look: FindLook = use_case(
        "rebound.sequences.application.notice_entering", pin="pin_filters", members="members_of_sequences"
    )
    schedule_looks: ScheduleLooks = use_case("rebound.sequences.application.notice_entering")
    begin_looks: BeginLooks = use_case(
        "rebound.sequences.application.notice_entering", find="find_look", schedule="schedule_looks"
    )
    check_definition: CheckDefinition = use_case("rebound.sequences.application.check_definition", pin="pin_filters")
    sequence_service: SequenceService = use_case(
        "rebound.sequences.application.sequence_service",
        check="check_definition",
        carriers="switch_carriers",
        looks="begin_looks",
        hear="hear_happenings",
    )
    ready_made: OfferReadyMade = use_case("rebound.sequences.application.offer_ready_made")
    count_steps: CountSteps = use_case("rebound.sequences.application.count_steps")
    move_enrolments: MoveEnrolments = use_case("rebound.sequences.application.move")
    move_page: MovePage = use_case("rebound.sequences.application.move", schedule="schedule_steps")
    sequence_results: ReadResults = use_case("rebound.sequences.application.sequence_results")
    read_enrolments: ReadEnrolments = use_case("rebound.sequences.application.read_enrolments", pin="pin_filters")
    warn_of_steps: WarnOfSteps = use_case("rebound.sequences.application.warn", pin="pin_filters")
    forget_enrolments: ForgetEnrolments = use_case(
        "rebound.sequences.application.forget", members="members_of_sequences"
    )
    wake_enrolments: WakeEnrolments = use_case("rebound.sequences.application.wake")
    ask_to_sign: AskToSign = use_case(
        "rebound.sequences.application.ask_to_sign",
        post="post_message",
        steer="steer_message",
        hear="hear_happenings",
        schedule="schedule_steps",
    )
    waiver_service: WaiverService = use_case("rebound.sequences.application.waiver_service")
    forget_asked: ForgetAsked = use_case("rebound.sequences.application.waiver_service")
    look_at_signer: LookAtSigner = use_case("rebound.sequences.application.waiver_service", schedule="schedule_steps")

    def ask_at_need(self) -> AskToSign:
        """Few have waivers."""
        return self.ask_to_sign

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer."""

        def wake(timers: Sequence[Timer]) -> None:
            self.wake_enrolments(timers)

        def look(timers: Sequence[Timer]) -> None:
            self.schedule_looks(timers)

        # As ``tasks`` and ``notice_entering`` have them, which the sweep of businesses without any does not load.
        return {**super().wakers, "sequence": wake, "sequence_look": look}

    @cached_property
    def listeners(self) -> Sequence[Listener]:
        """Sequences hear what customers did."""

        def hear(business: Business, events: Mapping[str, Sequence[Told]]) -> None:
            self.hear_activity(business, events)

        return (*super().listeners, hear)

    @cached_property
    def watchers(self) -> Sequence[Watcher]:
        """Who books, cancels or signs may have to be asked to sign a waiver, or not any more."""
        return (*super().watchers, self.look_at_need)

    def look_at_need(self, business: Business, customer_id: str) -> None:
        """Of businesses that have waivers; it is not made for others."""
        if business.has_waivers:
            self.look_at_signer(business, customer_id)

    @cached_property
    def segment_users(self) -> Sequence[SegmentUser]:
        """Sequences, on or off."""
        return (*super().segment_users, self.ports.sequences.using)

    @cached_property
    def erasers(self) -> Sequence[Eraser]:
        """What goes with a customer: where they stand, and what they were asked to sign."""
        return (*super().erasers, self.forget_enrolments, self.forget_asked)

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        from rebound.jobs.domain import JobKind
        from rebound.sequences.application.waiver_service import WaiverWork
        from rebound.sequences.application.wake import SequenceWork

        ask = self.made(WaiverWork, schedule=self.schedule_steps)
        members = self.ports.members_of_sequences
        work = self.made(SequenceWork, members=members, notice=self.notice_entering, plan=self.plan_ahead)
        return {**super().job_works, JobKind.SEQUENCE: work, JobKind.WAIVER: ask}


use_cases = in_this_process(SequencesUseCases, AwsSequencesPorts)
ports = AwsSequencesPorts
