"""Has this very model been judged, and do its waivers still hold?"""

from importlib import import_module
from pathlib import Path

PACKAGE = next((Path(__file__).parents[1]).glob("src/*/contract.py")).parent.name
bless = import_module(f"{PACKAGE}.bless")


def test_waivers_are_owned_and_have_not_expired():
    bless.judge()


def test_the_model_is_blessed():
    verdict = bless.blessing()
    assert verdict.model
