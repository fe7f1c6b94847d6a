"""Does broken data do what fragility.yaml wants?"""


def test_gate(found, passes):
    passes(found)
