"""Simulated data against what defines them, and against exact probabilities."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary
from scipy import stats
from scipy.special import expit, logit
from tolerances import CLOSED_FORM, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.simulate import replicate, risks

THETA, BETA = (each.ravel() for each in np.meshgrid([-2.1, -0.3, 0.0, 0.8], [-2.2, 0.1, 1.4]))
DRAWN = 20_000


def test_risks_have_the_effect_and_the_baseline_they_were_made_from():
    treatment, control = risks(THETA, BETA, "OR half")
    assert_allclose(logit(treatment) - logit(control), THETA, **CLOSED_FORM)
    assert_allclose(logit(treatment) + logit(control), 2 * BETA, **CLOSED_FORM)
    treatment, control = risks(THETA, BETA, "OR zero_one")
    assert_allclose((logit(treatment), logit(control)), (BETA + THETA, BETA), **CLOSED_FORM)
    treatment, control = risks(THETA, BETA, "RR")
    assert_allclose(np.log(treatment / control), THETA, **CLOSED_FORM)
    assert_allclose(logit(treatment) + logit(control), 2 * BETA, **CLOSED_FORM)
    treatment, control = risks(THETA, BETA, "RD")
    assert_allclose(treatment - control, np.tanh(THETA), **CLOSED_FORM)
    assert_allclose(logit(treatment) + logit(control), 2 * BETA, **CLOSED_FORM)


@pytest.mark.parametrize("link", ["OR half", "OR zero_one", "RR", "RD"])
def test_no_difference_leaves_both_arms_the_baseline(link):
    treatment, control = risks(np.zeros(3), np.array([-3.0, 0.0, 2.0]), link)
    assert_allclose((treatment, control), (expit([-3, 0, 2]),) * 2, **CLOSED_FORM)


def test_far_out_the_risks_stay_risks():
    far = np.array([-400.0, 400.0])
    for link in ("OR half", "OR zero_one", "RR", "RD"):
        for baseline in (far, far[::-1]):
            both = np.array(risks(far / 10, baseline, link))
            assert np.isfinite(both).all()
            assert ((both >= 0) & (both <= 1)).all()


def test_new_counts_have_the_binomial_distribution_of_each_arm():
    studies = binary({"A": (1, 10, 2, 25), "B": (0, 40, 0, 7)})
    theta, baseline = np.array([-0.9, 0.4]), np.array([-0.6, 0.2])
    draws = {"theta": np.tile(theta, (DRAWN, 1)), "baseline": np.tile(baseline, (DRAWN, 1))}
    arms = replicate(draws, studies, "OR zero_one", seed=4)
    sizes = studies.n_treatment, studies.n_control
    for events, n, p in zip(arms, sizes, (expit(baseline + theta), expit(baseline)), strict=True):
        assert events.shape == (DRAWN, 2)
        law = stats.binom(n, p)
        error = law.std() / np.sqrt(DRAWN)
        assert (np.abs(events.mean(axis=0) - law.mean()) < STANDARD_ERRORS * error).all()
        assert_allclose(events.var(axis=0), law.var(), rtol=0.05)
        at_most = events <= law.median()
        share = law.cdf(law.median())
        error = np.sqrt(share * (1 - share) / DRAWN)
        assert (np.abs(at_most.mean(axis=0) - share) < STANDARD_ERRORS * error).all()
    again = replicate(draws, studies, "OR zero_one", seed=4)
    assert (np.array(again) == np.array(arms)).all()


def test_a_link_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(bm.ModelError, match="OR half, OR zero_one, RR, RD, not 'log'"):
        risks(THETA, BETA, "log")
