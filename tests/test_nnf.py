"""The prediction interval of a confidence distribution, by its authors' program and algorithm."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import cases, given
from scipy import stats

from bayesmeta.errors import DataError
from bayesmeta.frequentist.arrays.confidence_distribution import (
    confidence_distribution,
    nnf_interval,
    q_below,
)

# Riley RD, Higgins JPT, Deeks JJ (2011). BMJ 342:d549, ten studies of systolic blood pressure, and
# the intervals that the authors' R package pimeta prints for them, from 25,000 and 50,000 draws.
SBP = np.array([0.0, 0.1, -0.4, -0.8, -0.63, 0.22, -0.34, -0.51, 0.03, -0.81])
SBP_SE = np.array([
    0.42347717, 0.21939179, 0.02551067, 0.19898325, 0.30102594,
    0.30102594, 0.07142988, 0.10204269, 0.12245123, 0.30102594,
])  # fmt: skip
PIMETA = [(-0.8807, 0.2240), (-0.8768976, 0.2248231)]
# Hartung J, Knapp G (2001). Stat Med 20:3875-3889, thirteen trials of cisapride; pimeta's page of
# examples prints the interval of the odds ratio, 25,000 draws, ½ added to all cells.
CISAPRIDE = np.array([
    [15, 12, 29, 42, 14, 44, 14, 29, 10, 17, 38, 19, 21],
    [16, 16, 34, 56, 22, 54, 17, 58, 14, 26, 44, 29, 38],
    [9, 1, 18, 31, 6, 17, 7, 23, 3, 6, 12, 22, 19],
    [16, 16, 34, 56, 22, 55, 15, 58, 15, 27, 45, 30, 38],
])  # fmt: skip
PIMETA_CISAPRIDE = (0.533, 33.692)


def normal_data(dataset):
    entry = cases("random_effects")[dataset]["GEN"]
    return given(entry["yi"]), given(entry["vi"])


def draws(y, v, size, seed):
    """The paper's algorithm. tau² solves Q(tau²; chi-squares) = q: it has the distribution H."""
    rng = np.random.default_rng(seed)
    k, w = y.size, 1 / v
    q = w @ (y - w @ y / w.sum()) ** 2
    form = np.diag(w) - np.outer(w, w) / w.sum()
    grid = np.concatenate(([0], np.geomspace(1e-5 * v.min(), 1e5 * v.max(), 700)))
    half = np.sqrt(v + grid[:, None])
    roots = np.linalg.eigvalsh(half[:, :, None] * form * half[:, None, :])[:, 1:]
    squares = rng.chisquare(1, (size, k - 1))
    tau2 = np.array([np.interp(q, roots @ row, grid) for row in squares])
    weight = 1 / (v + tau2[:, None])
    total = weight.sum(axis=1)
    mean = weight @ y / total
    se = np.sqrt((weight * (y - mean[:, None]) ** 2).sum(axis=1) / total / (k - 1))
    return mean + np.sqrt(tau2) * rng.standard_normal(size) + se * rng.standard_t(k - 1, size)


@pytest.mark.parametrize("printed", PIMETA)
def test_interval_equals_the_authors_program_on_blood_pressure(printed):
    # 25,000 draws have a standard error of 0.007 at either end.
    assert_allclose(nnf_interval(SBP, SBP_SE**2, 0.95), printed, atol=0.005, rtol=0)


def test_interval_equals_the_authors_program_on_cisapride():
    a, n1, c, n2 = CISAPRIDE + np.array([[0.5], [1], [0.5], [1]])
    y = np.log(a * (n2 - c) / (c * (n1 - a)))
    v = 1 / a + 1 / (n1 - a) + 1 / c + 1 / (n2 - c)
    # 25,000 draws have a standard error of 0.023 at either end.
    assert_allclose(nnf_interval(y, v, 0.95), np.log(PIMETA_CISAPRIDE), atol=0.03, rtol=0)


@pytest.mark.parametrize("dataset", ["hackshaw1998", "rubin1981", "raudenbush1985", "hinks2010"])
def test_interval_has_the_share_of_the_papers_draws_that_it_claims(dataset):
    y, v = normal_data(dataset)
    found = draws(y, v, 5_000, seed=20261123)
    for prob in (0.5, 0.95):
        for p, end in zip(((1 - prob) / 2, (1 + prob) / 2), nnf_interval(y, v, prob), strict=True):
            error = np.sqrt(p * (1 - p) / found.size)
            assert abs(np.mean(found < end) - p) < 4 * error


def test_equal_variances_have_a_closed_confidence_distribution():
    y, v, df = np.array([-0.6, 0.1, 0.9, 0.4]), 0.2, 3
    q = np.sum((y - y.mean()) ** 2) / v  # over 1 + tau²/v it is chi-square
    se = np.std(y, ddof=1) / 2
    u = (np.arange(2000) + 0.5) / 2000
    tau = np.sqrt(v * np.maximum(q / stats.chi2.isf(u, df) - 1, 0))[:, None]
    t = stats.t.ppf(u, df)
    low, high = nnf_interval(y, np.full(4, v), 0.9)
    for p, end in ((0.05, low), (0.95, high)):
        with np.errstate(divide="ignore"):
            z = (end - y.mean() - t * se) / tau
        assert_allclose(stats.norm.cdf(z).mean(), p, atol=2e-4)  # of the midpoint rule


@pytest.mark.parametrize("k", [3, 20, 80, 200])
def test_distribution_of_q_equals_chi_square_for_equal_variances(k):
    tau2 = np.concatenate(([0], np.geomspace(1e-4, 1e4, 60)))
    for ratio in (0.05, 0.7, 1, 3, 100):
        q = ratio * (k - 1)
        below, slope = q_below(q, np.ones(k), tau2)
        scaled = q / (1 + tau2)
        assert_allclose(below, stats.chi2.cdf(scaled, k - 1), atol=2e-8)
        density = -stats.chi2.pdf(scaled, k - 1) * scaled / (1 + tau2)
        assert_allclose(slope, density, atol=1e-6)


@pytest.mark.deep("masses on a fine grid: 1 s", only=["200"])
@pytest.mark.parametrize("k", [3, 30, 200])
def test_masses_of_tau2_add_up(k):
    rng = np.random.default_rng(5)
    v = np.exp(2 * rng.normal(size=k))
    y = rng.normal(size=k) * np.sqrt(v + 1)
    _, mass = confidence_distribution(y, v)
    assert_allclose(mass.sum(), 1, atol=1e-8)


def test_interval_moves_and_stretches_with_the_data():
    low, high = nnf_interval(SBP, SBP_SE**2, 0.9)
    assert_allclose(
        nnf_interval(3 - 20 * SBP, (20 * SBP_SE) ** 2, 0.9), (3 - 20 * high, 3 - 20 * low)
    )
    wide, narrow = (nnf_interval(SBP, SBP_SE**2, prob) for prob in (0.9999, 0.01))
    assert wide[0] < low < narrow[0] < narrow[1] < high < wide[1]


def test_equal_estimates_leave_no_width():
    assert nnf_interval(np.full(4, 0.3), np.array([0.1, 0.2, 0.1, 0.3]), 0.95) == (0.3, 0.3)


def test_two_studies_have_no_interval():
    with pytest.raises(DataError, match=r"at least three studies, there are 2\."):
        nnf_interval(np.array([0.1, 0.2]), np.array([0.1, 0.1]), 0.95)
