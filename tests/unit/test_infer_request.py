"""What the user asks of an inference, where the table does not have it."""

from pathlib import Path

import pytest

from mlscaffold.errors import UserError
from mlscaffold.inference.infer import infer
from mlscaffold.tables.table import open_table


def test_a_date_column_of_very_many_texts_is_refused_with_examples(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    rows = [f"customer {number},{number % 2}" for number in range(2000)]
    file.write_text("\n".join(["who,left", *rows]) + "\n")
    with pytest.raises(UserError, match=r"--time: the cells of 'who' are not dates .*'customer 0', 'customer 1'"):
        infer(open_table(file), target="left", time="who")
