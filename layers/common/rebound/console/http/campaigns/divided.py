"""How a campaign divides its people, as the form has it: variants, who gets nothing, the goal, and the best variant.

The fields of the variant at an index begin with ``v<index>.`` and are else those of what is said to everybody;
``variants`` says how many there are. A form without that field leaves all of this as it is.
"""

import re
from collections.abc import Mapping, Sequence
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import Campaign
from rebound.console.http.campaigns.content import (
    OWN,
    VARIABLE,
    ShownVariable,
    content_of,
    in_form,
    measured_of,
    variables_of,
)
from rebound.console.http.requests import Form
from rebound.console.http.typed import hundredths, whole_number
from rebound.console.http.visits import Visit
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.messages.domain.goals import MOST_DAYS, Goal, GoalKind
from rebound.messages.domain.variants import (
    MAX_HOLDOUT,
    MAX_NAME,
    MOST,
    WHOLE,
    Variant,
    in_percent,
    share_problems,
)
from rebound.messages.domain.winners import MOST_HOURS, ChosenBy, WinnerRule
from rebound.templates.domain.content import UNWRITTEN, Said

if TYPE_CHECKING:
    from rebound.templates.application.measure_text import MeasuredText
    from rebound.templates.domain.template import TemplateVersion

LETTERS: Final = "ABCDEFGHIJ"
"""What variants are called that nobody has named: as many as are there, and as many more."""
_OF_ONE: Final = ("name", "share", "was", "say", *OWN, "template_id")
GIVEN: Final = (
    "variants",
    "was",
    "goal.kind",
    "goal.within_days",
    "has_holdout",
    "holdout",
    "has_winner",
    "winner.test_share",
    "winner.after_hours",
    "winner.by",
    "winner.least",
)
PRESET: Final = {
    "goal.within_days": "14",
    "holdout": "10",
    "winner.test_share": "20",
    "winner.after_hours": "24",
    "winner.by": ChosenBy.DELIVERED.value,
    "winner.least": "100",
}
"""What stands in fields that nobody has filled in yet."""
_MOST_LEAST: Final = 1_000_000


class ShownVariant(Struct, frozen=True):
    """A variant in the form: ``at`` is what its fields begin with."""

    at: str
    typed: Mapping[str, str]
    variables: Sequence[ShownVariable] = ()
    measured: "MeasuredText | None" = None
    flaws: Sequence[str] = ()


def typed_of(campaign: Campaign, said: Mapping[str, Mapping[str, str]], visit: Visit) -> dict[str, str]:
    """How a campaign divides its people, in the form; ``said`` is what its variants say there, by their names."""
    split, goal = campaign.split, campaign.goal
    typed = {**dict.fromkeys(GIVEN, ""), **PRESET}
    typed["variants"] = str(0 if split is None else len(split.variants))
    if goal is not None:
        typed |= {"goal.kind": goal.kind, "goal.within_days": str(goal.within_days)}
    if split is None:
        return typed
    if split.holdout:
        typed |= {"has_holdout": "1", "holdout": _written(visit, split.holdout)}
    if split.winner is not None:
        rule = split.winner
        typed |= {
            "has_winner": "1",
            "winner.test_share": _written(visit, rule.test_share),
            "winner.after_hours": str(rule.after_hours),
            "winner.by": rule.by,
            "winner.least": str(rule.least),
        }
    for index, each in enumerate(split.variants):
        of_it = {**_said_in(said[each.name]), "name": each.name, "share": _written(visit, each.share), "was": each.name}
        typed |= _placed(index, of_it)
    return typed


def typed_in(form: Form) -> dict[str, str]:
    """What somebody has typed of it; nothing of a form that does not ask."""
    if "variants" not in form:
        return {}
    typed = {name: form.one(name, PRESET.get(name, "")) for name in GIVEN}
    for index in range(_count(typed)):
        of_it = {name: form.one(f"v{index}.{name}").replace("\r\n", "\n") for name in _OF_ONE}
        before = f"v{index}."
        of_it |= {
            name.removeprefix(before): form.one(name) for name in form.values if name.startswith(before + VARIABLE)
        }
        typed |= _placed(index, of_it)
    return typed


def is_asked(typed: Mapping[str, str]) -> bool:
    """Whether the form asks how people are divided."""
    return "variants" in typed


def variants_in(typed: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """What is typed of each variant, by the names that what is said to everybody has."""
    found = []
    for index in range(_count(typed)):
        before = f"v{index}."
        found.append({name.removeprefix(before): typed[name] for name in typed if name.startswith(before)})
    return found


def acted(visit: Visit, typed: Mapping[str, str], do: str) -> dict[str, str]:
    """What is typed after a variant was added (``add``), or one taken away (``remove:<index>``)."""
    variants = [dict(each) for each in variants_in(typed)]
    if not is_asked(typed):
        return dict(typed)
    if do == "add" and len(variants) < MOST:
        if not variants:
            variants = [{**_said_in(typed), "name": LETTERS[0]}]
        used = {each["name"] for each in variants}
        letter = next(each for each in LETTERS if each not in used)
        variants.append({**variants[0], "name": letter})
    elif do.startswith("remove:") and do[7:] in map(str, range(len(variants))):
        del variants[int(do[7:])]
    else:
        return dict(typed)
    rest = {name: value for name, value in typed.items() if not re.match(r"v\d\.|variables\.", name)}
    if len(variants) == 1:
        # What is left is for everybody.
        said = {name: value for name, value in variants[0].items() if name not in ("name", "share")}
        return {**rest, **said, "variants": "0"}
    equal, left = divmod(WHOLE, len(variants))
    for index, each in enumerate(variants):
        each["share"] = _written(visit, equal + (1 if index < left else 0))
        rest |= _placed(index, each)
    return rest | {"variants": str(len(variants))}


def shown(
    visit: Visit, typed: Mapping[str, str], published: Mapping[str, int], measured: str
) -> Sequence[ShownVariant]:
    """The variants in the form; the text of the one at the place ``measured`` is measured.

    ``published`` has the numbers of what templates say now, of those whose variables can be filled in.
    """
    variants = variants_in(typed)
    chosen = {each["template_id"] for each in variants if each["say"] == "template"} & published.keys()
    versions: Mapping[str, "TemplateVersion"] = {}
    if chosen:
        versions = visit.behind.ports.templates.versions(visit.business_id, {each: published[each] for each in chosen})
    found = []
    for index, each in enumerate(variants):
        version = versions.get(each["template_id"]) if each["say"] == "template" else None
        # Of a template that is not among those, what was filled in before stays.
        names = [] if version else [name.removeprefix(VARIABLE) for name in each if name.startswith(VARIABLE)]
        variables = variables_of(version) or [ShownVariable(name, required=False, hint="") for name in names]
        size, flaws = measured_of(visit, {**typed, **each}) if measured == str(index) else (None, [])
        found.append(ShownVariant(f"v{index}.", each, variables, size, flaws))
    return found


def change_of(visit: Visit, typed: Mapping[str, str], campaign: Campaign) -> CampaignChange:
    """What is to change in how people are divided, and in what is said to them.

    Raises ``InvalidInputError`` with everything that is wrong, by the names of the form's fields.
    """
    wrong: list[FieldError] = []
    variants = _variants(visit, typed, campaign, wrong)
    said = None
    if not variants and not wrong:
        said = content_of(visit, typed, campaign.channel, campaign.category, _before(typed, campaign))
    holdout, goal = _holdout(visit, typed, wrong), _goal(visit, typed, wrong)
    winner = _winner(visit, typed, wrong) if variants else None
    if wrong:
        raise InvalidInputError(*wrong)
    return CampaignChange(
        content=None if said is None else lambda _: said,
        variants=(lambda _: tuple(variants)) if variants else None,
        holdout=holdout,
        goal=goal,
        winner=winner,
    )


def _variants(visit: Visit, typed: Mapping[str, str], campaign: Campaign, wrong: list[FieldError]) -> list[Variant]:
    found: list[Variant] = []
    for index, each in enumerate(variants_in(typed)):
        at = f"v{index}."
        name, share = " ".join(each["name"].split()), hundredths(each["share"])
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            wrong.append(FieldError(f"{at}name", visit.words("compose.name_wrong", n=MAX_NAME)))
        if share is None or not 0 < share < WHOLE:
            wrong.append(FieldError(f"{at}share", visit.words("compose.percent_wrong", least=0, most=100)))
        try:
            said = content_of(visit, each, campaign.channel, campaign.category, _before(each, campaign))
        except InvalidInputError as error:
            wrong.extend(replace(one, field=at + one.field.removeprefix("content.")) for one in error.errors)
            continue
        if said in UNWRITTEN:
            first = "subject" if said == UNWRITTEN[0] else "body"
            wrong.append(FieldError(at + first, visit.words("compose.write_variant")))
        found.append(Variant(name, share or 0, said))
    if not wrong:
        wrong.extend(map(in_form, share_problems([(each.name, each.share) for each in found])))
    return found


def _before(typed: Mapping[str, str], campaign: Campaign) -> Said:
    """What the variant said that this one was, or was made from."""
    variants = () if campaign.split is None else campaign.split.variants
    found = next((each.content for each in variants if each.name == typed.get("was")), None)
    return found or campaign.content


def _holdout(visit: Visit, typed: Mapping[str, str], wrong: list[FieldError]) -> int:
    if not typed["has_holdout"]:
        return 0
    share = hundredths(typed["holdout"])
    if share is None or not 0 < share <= MAX_HOLDOUT * 100:
        wrong.append(FieldError("holdout", visit.words("compose.most_percent_wrong", most=MAX_HOLDOUT)))
        return 0
    return share


def _goal(visit: Visit, typed: Mapping[str, str], wrong: list[FieldError]) -> Goal | None:
    if typed["goal.kind"] not in list(GoalKind):
        return None
    days = _number(visit, typed, "goal.within_days", MOST_DAYS, wrong)
    return Goal(GoalKind(typed["goal.kind"]), days)


def _winner(visit: Visit, typed: Mapping[str, str], wrong: list[FieldError]) -> WinnerRule | None:
    if not typed["has_winner"]:
        return None
    share = hundredths(typed["winner.test_share"])
    if share is None or not 100 <= share <= WHOLE - 100:  # noqa: PLR2004 - 1 and 99 percent
        wrong.append(FieldError("winner.test_share", visit.words("compose.percents_wrong", least=1, most=99)))
    hours = _number(visit, typed, "winner.after_hours", MOST_HOURS, wrong)
    least = _number(visit, typed, "winner.least", _MOST_LEAST, wrong)
    by = ChosenBy.GOAL if typed["winner.by"] == ChosenBy.GOAL else ChosenBy.DELIVERED
    return WinnerRule(share or 0, hours, by, least)


def _number(visit: Visit, typed: Mapping[str, str], name: str, most: int, wrong: list[FieldError]) -> int:
    number = whole_number(typed[name], most, 1)
    if number is None:
        wrong.append(FieldError(name, visit.words("recurring.number_wrong", least=1, most=most)))
    return number or 0


def _count(typed: Mapping[str, str]) -> int:
    return whole_number(typed.get("variants", ""), MOST) or 0


def _placed(index: int, of_it: Mapping[str, str]) -> dict[str, str]:
    return {f"v{index}.{name}": value for name, value in of_it.items()}


def _said_in(typed: Mapping[str, str]) -> dict[str, str]:
    """What is said, of all that is typed."""
    names = [name for name in typed if name in _OF_ONE or name.startswith(VARIABLE)]
    return {"was": "", **{name: typed[name] for name in names}}


def _written(visit: Visit, share: int) -> str:
    """A share as people there type it."""
    return visit.words.number(in_percent(share))
