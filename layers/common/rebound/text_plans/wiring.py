"""The ports of text plans over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import in_this_process, use_case
from rebound.timers.wiring import AwsTimersPorts, TimersUseCases
from rebound.webhooks.wiring import AwsWebhooksPorts, WebhooksUseCases

if TYPE_CHECKING:
    from rebound.text_plans.application.meter_texts import MeterTexts
    from rebound.text_plans.application.read_text_plan import ReadTextPlan
    from rebound.text_plans.application.tell_owner import TellOwner
    from rebound.text_plans.ports import TextLedger, TextPlansPorts
    from rebound.timers.domain import Timer
    from rebound.timers.ports import Waker


class AwsTextPlansPorts(AwsWebhooksPorts, AwsTimersPorts):
    """The ports of text plans, implemented over AWS."""

    @cached_property
    def text_ledger(self) -> TextLedger:
        from rebound.text_plans.adapters import DynamoTextLedger

        return DynamoTextLedger(self.settings["TEXT_PLANS_TABLE"])


class TextPlansUseCases(WebhooksUseCases, TimersUseCases):
    """The use cases of text plans."""

    ports: TextPlansPorts

    meter_texts: MeterTexts = use_case("rebound.text_plans.application.meter_texts", ledger="text_ledger")
    read_text_plan: ReadTextPlan = use_case("rebound.text_plans.application.read_text_plan", ledger="text_ledger")
    tell_owner: TellOwner = use_case(
        "rebound.text_plans.application.tell_owner", ledger="text_ledger", publish="publish_events"
    )

    def meter_at_need(self) -> MeterTexts:
        """Few businesses have a text plan."""
        return self.meter_texts

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer. What tells the owner is made when the first owner is told."""
        from rebound.text_plans.domain import NOTE_DUE

        def tell_owner(timers: Sequence[Timer]) -> None:
            self.tell_owner(timers)

        return {**super().wakers, NOTE_DUE: tell_owner}


use_cases = in_this_process(TextPlansUseCases, AwsTextPlansPorts)
ports = AwsTextPlansPorts
