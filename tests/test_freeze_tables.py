"""What tables and whole runs say today, held fast: a change of the house must not change it."""

import pytest
from reference import freeze


@pytest.mark.deep("every public table, and three specifications: 70 s")
@pytest.mark.parametrize("case", freeze.TABLES, ids=str)
def test_a_table_says_what_it_said(case):
    if said := freeze.moved(case):
        pytest.fail(said, pytrace=False)
