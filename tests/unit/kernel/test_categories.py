"""Which consent each kind of message needs."""

from typing import Final

import pytest

from rebound.kernel.categories import Category
from rebound.kernel.consent_words import ADJECTIVES, COVERED_BY, Scope

ALL, MARKETING, LOYALTY, TRANSACTIONAL = Scope.ALL, Scope.MARKETING, Scope.LOYALTY, Scope.TRANSACTIONAL

NEEDED: Final = {
    Category.REMINDER: ((ALL, TRANSACTIONAL), (ALL, TRANSACTIONAL)),
    Category.TRANSACTIONAL: ((ALL, TRANSACTIONAL), (ALL, TRANSACTIONAL)),
    Category.MARKETING: ((ALL, MARKETING), (ALL, MARKETING)),
    Category.DAILY_DEAL: ((ALL, MARKETING), (ALL, MARKETING)),
    Category.LOYALTY: ((ALL, MARKETING, LOYALTY), (ALL, MARKETING, LOYALTY)),
    Category.ONE_TO_ONE: ((ALL,), (ALL, MARKETING)),
}
"""Of one message to one person, and of a campaign."""
PROMOTIONAL: Final = {Category.MARKETING, Category.DAILY_DEAL, Category.LOYALTY}


@pytest.mark.parametrize("category", Category)
def test_a_kind_of_message_needs_the_consent_that_the_guide_says(category: Category) -> None:
    assert (category.scopes(to_many=False), category.scopes(to_many=True)) == NEEDED[category]


@pytest.mark.parametrize("category", Category)
def test_what_sells_is_what_needs_marketing(category: Category) -> None:
    assert category.is_promotional is (category in PROMOTIONAL)
    assert category.is_bulk is (category in PROMOTIONAL | {Category.ONE_TO_ONE})


@pytest.mark.parametrize("scope", Scope)
def test_scopes_form_a_tree(scope: Scope) -> None:
    *wider, own = COVERED_BY[scope]

    assert own is scope
    assert not wider or tuple(wider) == COVERED_BY[wider[-1]]
    assert ADJECTIVES[scope]


def test_neither_of_marketing_and_transactional_covers_the_other() -> None:
    assert MARKETING not in COVERED_BY[TRANSACTIONAL]
    assert TRANSACTIONAL not in {*COVERED_BY[MARKETING], *COVERED_BY[LOYALTY]}
