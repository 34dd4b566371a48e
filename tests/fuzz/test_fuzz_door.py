"""Random tables through the whole door: what is read is what was meant."""

import numpy as np
import pytest
from random_tables import Table

import bayesmeta as bm

TABLES = 200


def read(table: Table, path):
    path.write_text(table.text, "utf-8")
    measure = {"ratio": "HR", "y": "GEN", "variance": "GEN"}.get(table.kind)
    return bm.read_studies(path, measure=measure)


def test_tables_under_any_names_are_read_as_they_are_meant(tmp_path):
    for case in range(TABLES):
        table = Table(case)
        data = read(table, tmp_path / "t.csv")
        assert data.study == tuple(table.study), table.text
        for name, meant in table.means.items():
            np.testing.assert_allclose(getattr(data, name), meant, rtol=1e-12, err_msg=table.text)


def test_a_figure_that_is_none_is_refused_by_its_row(tmp_path):
    for case in range(TABLES // 4):
        table = Table(case, spoil=True)
        with pytest.raises(bm.DataError) as refusal:
            read(table, tmp_path / "t.csv")
        assert f"{table.spoiled} (row {table.study.index(table.spoiled) + 1})" in str(refusal.value)
