"""Is it good, everywhere, and no worse than the model that runs?"""


def test_gate(found, passes):
    passes(found)


def test_slice(part, passes):
    passes(part)
