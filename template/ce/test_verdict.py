"""Has this very model been evaluated, and do its waivers still hold?"""

from mlproduct.evaluation import verdict


def test_waivers_are_owned_and_have_not_expired():
    verdict.judge()


def test_the_model_is_accepted():
    assert verdict.require_accepted().model
