"""Has the data moved?"""


def test_gate(found, passes):
    passes(found)
