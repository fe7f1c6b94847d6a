"""A generated repository's own tests, all of them, as its CI runs them."""

import pytest

from template.conftest import Render, commit
from template.test_generated import Make

pytestmark = [pytest.mark.slow]


def test_every_test_of_a_fresh_repository_passes(render: Render, make: Make) -> None:
    project = render(name="penguins")
    commit(project)
    told = make(project, "test").stdout
    assert " passed" in told
    assert "failed" not in told
