"""What fits say today, held fast: a change of the house must not change a number."""

import pytest
from reference import freeze


def test_the_stored_answers_are_those_of_every_question_and_no_other():
    assert list(freeze.answers()["cases"]) == sorted(freeze.CASES)


def test_a_difference_is_named_and_rounding_or_chance_is_none():
    was = {"figures": {"mu": [1.0, 2e-13], "tau": 3.0}, "errors": {"tau": 0.1}}
    now = {"figures": {"mu": [1.0 + 1e-10, 0.0], "tau": 3.3}}
    assert not list(freeze.differences("case", was, now, same=False))
    assert [one.split()[1] for one in freeze.differences("case", was, now, same=True)] == ["tau"]
    (said,) = freeze.differences("case", was, {"figures": {"mu": [1 + 1e-8, 0.0]}}, same=False)[:1]
    assert said.split() == ["case", "mu", "was", "[1.0,", "2e-13]", "is", "[1.00000001,", "0.0]"]


@pytest.mark.deep("three hundred fits: what a change of the house must not change")
@pytest.mark.parametrize("case", freeze.FITS, ids=str)
def test_a_fit_says_what_it_said(case):
    if said := freeze.moved(case):
        pytest.fail(said, pytrace=False)
