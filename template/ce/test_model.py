"""Is it known how the model stands beside what is simpler, set otherwise or older? None of it stops a model."""


def test_parameters_have_been_searched(named, passes):
    passes(named("alternatives.searched"))


def test_a_simpler_model_is_not_better(named, passes):
    passes(named("alternatives.simpler"))


def test_what_an_old_model_costs_is_known(named, passes):
    passes(named("alternatives.older"))
