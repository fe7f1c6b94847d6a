"""Has this very model been judged, and do its waivers still hold?"""


def test_waivers_are_owned_and_have_not_expired(bless):
    bless.judge()


def test_the_model_is_blessed(bless):
    assert bless.blessing().model
