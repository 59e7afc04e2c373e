"""Features as they are named on the command line."""

import click
import pytest

from harken.audio.features import DEFAULT_FEATURES
from harken.client.cli.params import FeatureList


def _named(text: str) -> tuple[str, ...]:
    return tuple(
        feature.value
        for feature in FeatureList().convert(text, None, click.Context(click.Command("x")))
    )


def test_default_stands_for_what_is_computed_where_none_is_named() -> None:
    assert _named("default") == tuple(feature.value for feature in DEFAULT_FEATURES)


def test_default_can_be_added_to_and_each_feature_comes_once() -> None:
    defaults = tuple(feature.value for feature in DEFAULT_FEATURES)
    rest = tuple(name for name in defaults if name != "rhythm")
    assert _named("pitch, Default,rhythm") == ("pitch", *defaults)
    assert _named("rhythm,default") == ("rhythm", *rest)


def test_what_is_no_feature_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        click.BadParameter, match=r"'melody' is no feature\. There are: media,.*, default\."
    ):
        _named("default,melody")
