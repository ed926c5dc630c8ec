"""The environment is read when something is asked for, and an absent setting is named."""

import pytest

from rebound.platform.settings import MissingSettingError, Settings


def test_a_setting_is_read_when_it_is_asked_for() -> None:
    environment = {"EVENT_BUS": "one"}
    settings = Settings(environment)
    environment["EVENT_BUS"] = "two"

    assert settings["EVENT_BUS"] == "two"


@pytest.mark.parametrize("environment", [{}, {"EVENT_BUS": ""}])
def test_a_setting_that_is_absent_or_empty_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(MissingSettingError, match="EVENT_BUS"):
        Settings(environment)["EVENT_BUS"]
    assert Settings(environment).get("EVENT_BUS") is None


def test_a_name_that_nobody_declared_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Settings({"SURPRISE": "x"}).get("SURPRISE")


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        (
            "https://{api_id}.execute-api.us-east-1.amazonaws.com/live",
            "https://abc.execute-api.us-east-1.amazonaws.com/live",
        ),
        ("https://api.example.com/", "https://api.example.com"),
    ],
)
def test_the_public_address_is_a_pattern_without_a_slash_at_its_end(pattern: str, url: str) -> None:
    assert Settings({"PUBLIC_URL": pattern}).public_url("abc") == url
