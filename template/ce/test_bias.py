"""Are groups treated alike?"""


def test_gate(found, passes):
    passes(found)
