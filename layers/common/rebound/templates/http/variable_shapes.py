"""Variables of templates and of events in requests and answers."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from rebound.kernel.languages import LANGUAGES
from rebound.platform.http.shapes import Answer, Request, text_of
from rebound.templates.domain.typed_values import MAX_TEXT_VALUE, VariableType
from rebound.templates.domain.variables import MOST_CASES, Variable

_TEXTS: Final = (
    "For text: what stands for a word that is given, by language "
    f"({', '.join(LANGUAGES)}; else English, else the first). Another value of one small word is refused, any other "
    f"stands as it is. At most {MOST_CASES}."
)
_EXAMPLES: Final = [{"card": {"en": "The amount goes back to your card.", "it": "Riaccreditiamo sulla sua carta."}}]
_Text = Annotated[str, text_of(minLength=1, maxLength=MAX_TEXT_VALUE)]
Texts = Annotated[dict[str, dict[str, _Text]] | None, Field(description=_TEXTS, examples=_EXAMPLES)]


class VariableShape(Request):
    """A variable of the template's own, ``##{{name}}``.

    Whoever sends from the template gives its value. One of the customer's or the business's may be declared as well, to
    make it required or to give it a default.
    """

    type: Annotated[VariableType, Field(strict=False)] = VariableType.TEXT
    required: bool = Field(
        default=False,
        description="Whether nothing is sent to whom it says nothing, nor the default: a single message is refused, "
        "and a campaign leaves out who has none.",
    )
    default: Any = Field(default=None, description="Stands where nothing is given: null, nothing, or only spaces.")
    example: Any = Field(default=None, description="Shown in previews.")
    texts: Texts = None

    def read(self) -> Variable:
        """The variable, which ``check_declared`` has yet to pass."""
        return Variable(self.type, self.required, self.default, self.example, self.texts)


class VariableAnswer(Answer):
    """A variable of the template's own."""

    type: VariableType
    required: bool
    default: Any
    example: Any
    texts: Texts


def read_variables(given: Mapping[str, VariableShape]) -> Mapping[str, Variable]:
    """The variables of a request."""
    return {name: each.read() for name, each in given.items()}
