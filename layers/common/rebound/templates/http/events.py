"""The events that businesses write about: the route that lists them."""

from typing import Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import Field

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.platform.http.routes import json_answer, responses
from rebound.platform.http.shapes import Answer
from rebound.templates.domain.template_events import about_variables, default_id, template_events, variables_of
from rebound.templates.http.variable_shapes import VariableAnswer


class EventVariableAnswer(VariableAnswer):
    """A variable of an event."""

    description: str


class TemplateEventAnswer(Answer):
    """An event, and the variables that templates of it may use besides those of the customer and the business."""

    event: str = Field(examples=["class_cancelled"])
    name: str = Field(description="For people.", examples=["Class cancelled"])
    description: str
    category: Category = Field(description="Of its default templates.")
    default_templates: dict[Channel, str] = Field(
        description="Their ids, by channel.",
        examples=[{"email": "class_cancelled.email", "sms": "class_cancelled.sms"}],
    )
    variables: dict[str, EventVariableAnswer] = Field(description="What is required, a message needs if it is used.")
    must_use: list[str] = Field(description="Variables that every template of the event must have where they are read.")

    @classmethod
    def of(cls, event: str) -> Self:
        """The answer for an event."""
        about, known = template_events()[event], about_variables()
        return cls(
            event=event,
            name=about.name,
            description=about.description,
            category=about.category,
            default_templates={channel: default_id(event, channel) for channel in Channel},
            variables={
                name: EventVariableAnswer.filled(variable, description=known[name].description)
                for name, variable in variables_of(event).items()
            },
            must_use=list(about.must_use),
        )


class TemplateEvents(Answer):
    """All of them."""

    items: list[TemplateEventAnswer]
    next_cursor: None = Field(default=None, description="There is one page.")


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.get(
        "/v1/template-events",
        summary="List the events that templates are about, with their variables",
        tags=["Templates"],
        responses=responses(TemplateEvents),
    )
    def list_template_events() -> Response[str]:
        return json_answer(TemplateEvents(items=[TemplateEventAnswer.of(event) for event in template_events()]))
