"""Marginal posteriors against numerical integration, and draws against the exact marginals."""

import html
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, binary, estimates
from scipy import integrate, stats
from tolerances import CLOSED_FORM, NUMERICAL_INTEGRAL, SLOPE, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.posterior import (
    Check,
    Diagnostics,
    Draws,
    Marginals,
    NormalMixture,
    TauDensity,
    TruncatedMixture,
)
from bayesmeta.posterior.inversion import invert
from bayesmeta.posterior.mixtures import bivariate_normal, normal_between

Q = np.array([0.001, 0.025, 0.3, 0.5, 0.9, 0.975, 0.999])


def integral(function, low, high, points=None) -> float:
    return integrate.quad(
        function, low, high, points=points, epsabs=1e-13, epsrel=1e-12, limit=400
    )[0]


# --- mixtures of normals -------------------------------------------------------------------------

MIXTURE = NormalMixture(
    np.array([0.2, 0.5, 0.3]), np.array([-1.0, 0.2, 2.5]), np.array([0.3, 1.1, 0.05])
)


def mixture_pdf(x: float) -> float:
    return float(
        sum(
            w * stats.norm.pdf(x, m, s)
            for w, m, s in zip(MIXTURE.weights, MIXTURE.means, MIXTURE.sds, strict=True)
        )
    )


def test_normal_mixture_equals_numerical_integration():
    marks = [-1.0, 0.2, 2.3, 2.5, 2.7]
    mean = integral(lambda x: x * mixture_pdf(x), -12, 12, marks)
    variance = integral(lambda x: (x - mean) ** 2 * mixture_pdf(x), -12, 12, marks)
    assert_allclose((MIXTURE.mean(), MIXTURE.sd()), (mean, variance**0.5), **NUMERICAL_INTEGRAL)
    at = np.array([-1.5, -0.9, 0.0, 2.4, 2.5, 3.0])
    assert_allclose(MIXTURE.pdf(at), [mixture_pdf(x) for x in at], **CLOSED_FORM)
    below = [integral(mixture_pdf, -12, x, [m for m in marks if m < x] or None) for x in at]
    assert_allclose(MIXTURE.cdf(at), below, **NUMERICAL_INTEGRAL)


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1), st.floats(-5, 5), st.floats(1e-3, 5)), min_size=1, max_size=5
    ),
    st.floats(1e-6, 1 - 1e-6),
)
def test_quantile_is_the_inverse_of_the_distribution_function(parts, q):
    weights, means, sds = np.array(parts).T
    mixture = NormalMixture(weights / weights.sum(), means, sds)
    assert mixture.cdf(mixture.quantile(q)) == pytest.approx(q, abs=1e-12)


def test_one_component_is_the_normal_itself():
    normal = NormalMixture(np.ones(1), np.array([0.7]), np.array([0.2]))
    assert_allclose(normal.quantile(Q), stats.norm(0.7, 0.2).ppf(Q), **CLOSED_FORM)
    assert_allclose(normal.interval(0.9, kind="shortest"), normal.interval(0.9), atol=1e-6)


# --- mixtures with a truncated normal inside -----------------------------------------------------


def truncated(low: float, high: float, noise: float) -> TruncatedMixture:
    return TruncatedMixture(
        weights=np.array([0.6, 0.4]),
        means=np.array([0.2, -0.4]),
        sds=np.array([0.5, 0.3]),
        low=low,
        high=high,
        shift=np.array([0.3, -0.1]) if noise else np.zeros(2),
        slope=np.array([0.4, 0.9]) if noise else np.ones(2),
        noise=np.array([noise, noise / 2]),
    )


def truncated_pdf(mixture: TruncatedMixture, x: float) -> float:
    """Integrate the value's density over m, component by component."""
    total = 0.0
    for i, weight in enumerate(mixture.weights):
        mean, sd = mixture.means[i], mixture.sds[i]
        inside = stats.truncnorm((mixture.low - mean) / sd, (mixture.high - mean) / sd, mean, sd)
        if mixture.noise[i] == 0:
            total += weight * inside.pdf(x)
            continue
        total += weight * integral(
            lambda m, i=i, inside=inside: (
                inside.pdf(m)
                * stats.norm.pdf(x, mixture.shift[i] + mixture.slope[i] * m, mixture.noise[i])
            ),
            max(mixture.low, mean - 9 * sd),
            min(mixture.high, mean + 9 * sd),
        )
    return float(total)


@pytest.mark.parametrize("noise", [0.0, 0.25])
@pytest.mark.parametrize(("low", "high"), [(0.0, np.inf), (-0.5, 0.6), (-np.inf, 0.1)])
def test_truncated_mixture_equals_numerical_integration(low, high, noise):
    mixture = truncated(low, high, noise)
    at = np.array([0.02, 0.09, 0.4]) if noise else np.clip([0.02, 0.05, 0.09], low, high)
    assert_allclose(mixture.pdf(at), [truncated_pdf(mixture, x) for x in at], **NUMERICAL_INTEGRAL)

    moments = [
        stats.truncnorm((low - m) / s, (high - m) / s, m, s).stats("mv")
        for m, s in zip(mixture.means, mixture.sds, strict=True)
    ]
    means = mixture.shift + mixture.slope * np.array([m for m, _ in moments])
    variances = mixture.slope**2 * np.array([v for _, v in moments]) + mixture.noise**2
    mean = mixture.weights @ means
    sd = np.sqrt(mixture.weights @ (variances + (means - mean) ** 2))
    assert_allclose((mixture.mean(), mixture.sd()), (mean, sd), **NUMERICAL_INTEGRAL)

    bottom = -4.0 if noise else max(low, -4.0)
    below = [integral(mixture.pdf, bottom, x) for x in at]  # the density was checked above
    assert_allclose(mixture.cdf(at), below, **NUMERICAL_INTEGRAL)
    assert_allclose(mixture.cdf(mixture.quantile(Q)), Q, rtol=0, atol=1e-12)


def test_truncated_mixture_without_noise_lies_within_its_ends():
    mixture = truncated(-0.5, 0.6, 0.0)
    assert mixture.cdf([-0.5, 0.6]).tolist() == pytest.approx([0.0, 1.0], abs=1e-15)
    assert mixture.pdf([-0.51, 0.61]).tolist() == [0.0, 0.0]
    assert -0.5 < mixture.quantile(1e-9) < mixture.quantile(1 - 1e-9) < 0.6


@pytest.mark.parametrize("mean", [-20.0, -6.0, 6.0, 20.0])
def test_truncation_far_in_a_tail_keeps_its_digits(mean):
    low, high = (0.0, np.inf) if mean < 0 else (-np.inf, 0.0)
    mixture = TruncatedMixture(
        np.ones(1), np.array([mean]), np.ones(1), low, high, np.zeros(1), np.ones(1), np.zeros(1)
    )
    tail = abs(mean)

    def from_end(
        x: float,
    ) -> float:  # what the truncated normal leaves beyond a distance x of the end
        return float(np.exp(stats.norm.logsf(tail + x) - stats.norm.logsf(tail)))

    for q in (0.1, 0.5, 0.9):
        distance = abs(mixture.quantile(q))
        left = from_end(distance)
        assert left == pytest.approx(1 - q if mean < 0 else q, rel=1e-9)


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.5, 0.999])
def test_bivariate_normal_equals_numerical_integration(rho):
    points = np.array([(0.0, 0.0), (0.3, -1.2), (-2.0, 0.5), (1.5, 1.4), (0.0, 2.0), (-1.0, 0.0)])
    ours = bivariate_normal(points[:, 0], points[:, 1], np.full(len(points), rho))
    theirs = [
        integral(
            lambda y, h=h: stats.norm.pdf(y) * stats.norm.cdf((h - rho * y) / np.sqrt(1 - rho**2)),
            -10,
            k,
            [h / rho] if rho and -10 < h / rho < k else None,
        )
        for h, k in points
    ]
    assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_bivariate_normal_has_its_limits():
    h = np.array([-0.7, 0.4])
    infinite = np.full(2, np.inf)
    assert_allclose(bivariate_normal(h, infinite, np.full(2, 0.4)), stats.norm.cdf(h), rtol=1e-14)
    assert bivariate_normal(h, -infinite, np.full(2, 0.4)).tolist() == [0.0, 0.0]
    together = bivariate_normal(h, np.array([0.1, 0.1]), np.ones(2))
    assert_allclose(together, stats.norm.cdf([-0.7, 0.1]), atol=1e-14)


@pytest.mark.parametrize(
    ("low", "high"), [(-1.0, 2.0), (8.0, 9.0), (-9.0, -8.0), (30.0, np.inf), (-np.inf, 0.0)]
)
def test_normal_probability_of_an_interval_is_exact_in_both_tails(low, high):
    ours = float(normal_between(np.array([low]), np.array([high]))[0])
    flipped = (-high, -low) if low > 0 else (low, high)
    assert ours == pytest.approx(stats.norm.cdf(flipped[1]) - stats.norm.cdf(flipped[0]), rel=1e-12)
    assert ours > 0


# --- the Chebyshev density of tau ---------------------------------------------------------------


def chebyshev_tau(law, *, low: float, scale: float, end: float) -> TauDensity:
    """Write a known distribution of tau in the form the engine gives."""

    def in_x(x):
        u = -1 + (end + 1) * (x + 1) / 2
        tau = low + scale * (1 + u) / (1 - u)
        return law.pdf(tau) * (end + 1) * scale / (1 - u) ** 2

    series = np.polynomial.chebyshev.chebinterpolate(in_x, 160)
    return TauDensity(low, scale, end, series, np.array([law.mean(), law.var() + law.mean() ** 2]))


UNBOUNDED = chebyshev_tau(stats.halfnorm(0, 0.5), low=0.0, scale=0.3, end=1.0)
BOUNDED = chebyshev_tau(
    stats.beta(2, 3, 0.1, 0.8), low=0.1, scale=0.3, end=(0.8 - 0.3) / (0.8 + 0.3)
)


@pytest.mark.parametrize(
    ("tau", "law"),
    [(UNBOUNDED, stats.halfnorm(0, 0.5)), (BOUNDED, stats.beta(2, 3, 0.1, 0.8))],
    ids=["unbounded", "bounded"],
)
def test_density_of_tau_equals_the_law_it_was_made_from(tau, law):
    assert_allclose(tau.quantile(Q), law.ppf(Q), **NUMERICAL_INTEGRAL)
    at = law.ppf(Q)
    assert_allclose(tau.cdf(at), Q, **NUMERICAL_INTEGRAL)
    assert_allclose(tau.pdf(at), law.pdf(at), **NUMERICAL_INTEGRAL)
    assert_allclose((tau.mean(), tau.sd()), (law.mean(), law.std()), **CLOSED_FORM)


def test_density_of_tau_is_nothing_outside_its_ends():
    assert UNBOUNDED.cdf(-1.0) == UNBOUNDED.pdf(-1.0) == 0.0
    assert UNBOUNDED.cdf(np.inf) == pytest.approx(1.0)
    assert BOUNDED.pdf([0.05, 0.95]).tolist() == [0.0, 0.0]
    assert BOUNDED.cdf([0.05, 0.95]).tolist() == pytest.approx([0.0, 1.0])


# --- intervals ------------------------------------------------------------------------------------

FIT = bm.fit(
    bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)),
    estimates([0.3, 0.1, 0.5, -0.2, 0.8, 0.0], [0.2, 0.3, 0.4, 0.25, 0.5, 0.35]),
)
FOLDED = bm.fit(bm.NormalNormal(mu=bm.HalfNormal(0.5), tau=bm.Uniform(0, 0.4)), FIT.data)
SHAPES = {
    "mu": FIT["mu"],
    "tau": FIT["tau"],
    "new": FIT["theta_new"],
    "mu > 0": FOLDED["mu"],
    "tau < 0.4": FOLDED["tau"],
    "theta, mu > 0": FOLDED["theta"][0],
    "draws": Draws(np.random.default_rng(4).gamma(2.0, 1.0, (4, 1000))),
}


@pytest.mark.parametrize("prob", [0.5, 0.95])
@pytest.mark.parametrize("name", SHAPES)
def test_intervals_hold_their_probability_and_the_shortest_is_shortest(name, prob):
    marginal = SHAPES[name]
    central, shortest = marginal.interval(prob), marginal.interval(prob, kind="shortest")
    grain = 1 / 4000 + 1e-12 if name == "draws" else 1e-8
    for low, high in (central, shortest):
        assert marginal.cdf(high) - marginal.cdf(low) == pytest.approx(prob, abs=2 * grain)
    assert marginal.cdf(central[0]) == pytest.approx((1 - prob) / 2, abs=grain)
    width = shortest[1] - shortest[0]
    assert width <= central[1] - central[0] + 1e-12
    tails = (1 - prob) * np.linspace(0.001, 0.999, 41)
    others = marginal.quantile(tails + prob) - marginal.quantile(tails)
    assert (
        (width <= others + 1e-3 * width).all()
        if name == "draws"
        else (width <= others + 1e-7).all()
    )


def test_shortest_interval_of_a_falling_density_starts_at_zero():
    spread = bm.fit(
        bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)),
        estimates([0.1, 0.1], [0.3, 0.3]),
    )["tau"]
    low, high = spread.interval(0.95, kind="shortest")
    assert low == 0.0
    assert high == pytest.approx(spread.quantile(0.95), rel=1e-9)


def test_shortest_interval_inside_has_equal_density_at_its_ends():
    low, high = FIT["theta_new"].interval(0.9, kind="shortest")
    ends = FIT["theta_new"].pdf([low, high])
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)


def agreeing(tau: bm.priors.Prior) -> bm.Posterior:
    model = bm.NormalNormal(mu=bm.Normal(0, 2), tau=tau)
    return bm.fit(model, estimates([0.1, 0.1], [0.3, 0.3]))


@pytest.mark.parametrize(
    "tau", [bm.HalfNormal(0.5), bm.Gamma(0.5, 2), bm.HalfCauchy(0.3), bm.Uniform(0, 1)]
)
def test_the_mode_of_a_density_that_falls_from_zero_is_zero_and_so_is_a_pole(tau):
    assert agreeing(tau)["tau"].mode() == 0.0


def test_the_mode_of_a_density_that_grows_to_its_end_is_the_end():
    far = estimates([2.0, 2.1, 1.9], [0.2, 0.2, 0.2])
    fit = bm.fit(bm.NormalNormal(mu=bm.Uniform(-0.5, 0.5), tau=bm.HalfNormal(0.1)), far)
    assert fit["mu"].mode() == 0.5
    growing = bm.fit(
        bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.Uniform(0, 0.2)),
        estimates([-2.0, 2.0], [0.1, 0.1]),
    )
    assert growing["tau"].mode() == pytest.approx(0.2, rel=1e-9)


def test_the_mode_of_normals_is_their_mean_and_of_two_apart_that_of_the_higher():
    one = NormalMixture(np.ones(1), np.array([-0.4]), np.array([0.3]))
    assert one.mode() == pytest.approx(-0.4, abs=1e-9)
    two = NormalMixture(np.array([0.4, 0.6]), np.array([-1.0, 1.0]), np.array([0.1, 0.2]))
    assert two.mode() == pytest.approx(-1.0, abs=1e-6)  # 0.4/0.1 against 0.6/0.2


def test_the_mode_of_the_posterior_is_where_its_slope_is_zero():
    for name in ("mu", "tau", "theta_new"):
        marginal, step = FIT[name], 1e-4
        at = marginal.mode()
        left, right = marginal.pdf([at - step, at + step])
        middle = marginal.pdf(at)
        curved = (left - 2 * middle + right) / step**2
        assert abs((right - left) / (2 * step) / curved) < 1e-6


def test_the_mode_of_draws_is_the_peak_of_their_kernel_density():
    drawn = SHAPES["draws"]  # gamma of shape 2: its mode is 1, its median 1.68
    assert drawn.mode() == pytest.approx(1.0, abs=0.15)
    grid = np.linspace(0.3, 2, 1701)
    assert drawn.mode() == pytest.approx(grid[drawn.pdf(grid).argmax()], abs=1e-3)
    folded = Draws(np.abs(np.random.default_rng(5).normal(0, 1, (2, 2000))), low=0.0)
    assert folded.mode() < 0.3
    assert Draws(np.full((2, 3), 0.7)).mode() == 0.7


@pytest.mark.parametrize("name", ["mu", "tau", "theta_new"])
def test_density_is_the_slope_of_the_distribution_function(name):
    marginal, step = FIT[name], 1e-5
    at = marginal.quantile([0.1, 0.5, 0.9])
    slope = (marginal.cdf(at + step) - marginal.cdf(at - step)) / (2 * step)
    assert_allclose(marginal.pdf(at), slope, **SLOPE)


@pytest.mark.parametrize("mu", [bm.HalfNormal(1), bm.Uniform(-0.1, 0.6)], ids=repr)
def test_density_at_the_end_of_a_support_is_its_limit_and_nothing_beyond(mu):
    """A figure begins there, and the density of the prior beside it is that at the end."""
    tau, names = bm.HalfNormal(0.5), bm.BinaryStudies.columns()
    columns = np.array([[5.0, 6, 7], [20, 30, 40], [3, 4, 7], [20, 30, 40]])
    table = bm.BinaryStudies(study=("A", "B", "C"), **dict(zip(names, columns, strict=True)))
    normal = bm.fit(bm.NormalNormal(mu=mu, tau=tau), estimates([0.1, 0.4, 0.2], [0.2, 0.3, 0.4]))
    counted = bm.fit(bm.BinomialNormal(measure="OR", mu=mu, tau=tau), table)
    for fit in (normal, counted):
        at = fit["mu"].quantile([0.1, 0.5, 0.9])
        assert_allclose(fit["mu"].cdf(at), [0.1, 0.5, 0.9], rtol=1e-9)
        assert fit["mu"].cdf(mu.support[0]) == pytest.approx(0, abs=1e-12)
        for end, inward in zip(mu.support, (1, -1), strict=True):
            if np.isfinite(end):
                at, near, beyond = (
                    fit["mu"].pdf(end + inward * step) for step in (0.0, 1e-6, -1e-6)
                )
                assert at == pytest.approx(near, rel=1e-4)
                assert at > 0 == beyond


def test_answers_take_the_shape_of_the_question():
    mu = FIT["mu"]
    assert isinstance(mu.quantile(0.5), float)
    assert isinstance(mu.cdf(0.0), float)
    assert mu.quantile([0.1, 0.5]).shape == (2,)
    assert mu.pdf(np.zeros((2, 3))).shape == (2, 3)
    assert FIT["theta"].quantile([0.1, 0.5]).shape == (6, 2)
    assert FIT["theta"].interval(0.9).shape == (6, 2)
    assert FIT["theta"].cdf(0.0).shape == FIT["theta"].mean().shape == (6,)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: FIT["mu"].quantile(0.0), bm.ModelError, "between 0 and 1, got 0.0"),
        (lambda: FIT["mu"].quantile([0.5, 1.0]), bm.ModelError, "between 0 and 1"),
        (lambda: FIT["mu"].quantile(np.nan), bm.ModelError, "between 0 and 1"),
        (lambda: FIT["mu"].interval(95), bm.DataError, "between 0 and 1, e.g. 0.95; got 95"),
        (
            lambda: FIT["mu"].interval(kind="hpd"),
            bm.ModelError,
            "'central' or 'shortest', not 'hpd'",
        ),
        (lambda: FIT["beta"], bm.ModelError, "no 'beta'; it has mu, tau, theta, theta_new"),
        (lambda: FIT["theta"]["Wang"], bm.ModelError, "'Wang' is not a study of this fit: study 1"),
    ],
)
def test_questions_without_an_answer_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_study_effects_are_found_by_name_and_by_place():
    theta = FIT["theta"]
    assert len(theta) == 6
    assert theta["study 3"] is theta[2]
    assert isinstance(theta, Marginals)


# --- moments that do not exist -------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3])
def test_moments_of_tau_exist_as_far_as_prior_and_studies_allow(k):
    """With a half-Cauchy the posterior of tau falls like tau^(-2-k): mean from k = 1, sd from 2."""
    data = estimates([0.1, 0.5, -0.2][:k], [0.2, 0.3, 0.4][:k])
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfCauchy(0.5)), data)
    assert np.isfinite(fit["tau"].mean())
    assert np.isnan(fit["tau"].sd()) == (k == 1)
    assert np.isnan(fit["theta_new"].sd()) == (k == 1)
    assert np.isfinite(fit["theta_new"].mean())
    assert np.isfinite(fit["mu"].sd())
    assert np.isfinite(fit["theta"].sd()).all()
    assert np.isfinite(fit["tau"].quantile([0.001, 0.999])).all()


def test_mean_of_heavy_tailed_tau_from_one_study_equals_numerical_integration():
    fit = bm.fit(
        bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfCauchy(0.5)), estimates([0.1], [0.2])
    )

    def joint(tau: float) -> float:
        return stats.norm.pdf(0.1, 0, np.sqrt(4 + 0.04 + tau**2)) * stats.halfcauchy.pdf(
            tau, 0, 0.5
        )

    total = integral(joint, 0, np.inf)
    assert fit["tau"].mean() == pytest.approx(
        integral(lambda t: t * joint(t), 0, np.inf) / total, rel=1e-8
    )


@pytest.mark.parametrize("tau", [bm.HalfNormal(0.5), bm.LogNormal(-1, 1), bm.Uniform(0, 1)])
def test_light_tails_have_all_moments_even_with_one_study(tau):
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=tau), estimates([0.1], [0.2]))
    assert np.isfinite([fit["tau"].sd(), fit["theta_new"].sd(), fit["mu"].sd()]).all()


def test_missing_moments_are_nan_in_every_kind_of_marginal():
    values = np.ones((2, 10))
    assert np.isnan(Draws(values, moments=0).mean())
    assert np.isnan(Draws(values, moments=1).sd())
    assert np.isnan(NormalMixture(np.ones(1), np.zeros(1), np.ones(1), moments=0).mean())
    assert np.isnan(NormalMixture(np.ones(1), np.zeros(1), np.ones(1), moments=1).sd())
    parts = (np.ones(1), np.zeros(1), np.ones(1), 0.0, np.inf, np.zeros(1), np.ones(1), np.zeros(1))
    assert np.isnan(TruncatedMixture(*parts, moments=0).mean())
    assert np.isnan(TruncatedMixture(*parts, moments=1).sd())


# --- draws ---------------------------------------------------------------------------------------

DRAWN = 20_000
PAIRS = {
    "normal": (bm.Normal(0, 2), bm.HalfNormal(0.5)),
    "Student t": (bm.StudentT(3, 0, 1), bm.LogNormal(-1, 1)),
    "uniform": (bm.Uniform(0, 0.3), bm.Uniform(0, 0.4)),
    "half-normal": (bm.HalfNormal(0.5), bm.HalfCauchy(0.5)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_draws_agree_with_the_exact_marginals(name):
    mu, tau = PAIRS[name]
    fit = bm.fit(bm.NormalNormal(mu=mu, tau=tau), FIT.data)
    group = fit.draws(DRAWN, seed=11)["posterior"]
    values = {name: group[name].values.ravel() for name in ("mu", "tau", "theta_new")}
    values |= {i: group["theta"].values[..., i].ravel() for i in (0, 4)}
    for part, drawn in values.items():
        marginal = fit["theta"][part] if isinstance(part, int) else fit[part]
        assert drawn.shape == (DRAWN,)
        at = marginal.quantile([0.025, 0.25, 0.5, 0.75, 0.975])
        q = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
        share = (drawn[:, None] <= at).mean(axis=0)
        assert (np.abs(share - q) <= STANDARD_ERRORS * np.sqrt(q * (1 - q) / DRAWN)).all(), part
        if np.isfinite(marginal.sd()):
            off = abs(drawn.mean() - marginal.mean()) / (marginal.sd() / np.sqrt(DRAWN))
            assert off <= STANDARD_ERRORS, part


def test_draws_are_joint():
    """With tau known, mu and theta are jointly normal with a covariance in closed form."""
    tau, data = 0.3, FIT.data
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.Uniform(tau, tau + 1e-9)), data)
    group = fit.draws(DRAWN, seed=12)["posterior"]
    mu, theta = group["mu"].values.ravel(), group["theta"].values.reshape(DRAWN, data.k)
    variance = 1 / ((1 / (data.se**2 + tau**2)).sum() + 1 / 4)
    share = tau**2 / (tau**2 + data.se**2)
    expected = (
        (1 - share) * np.sqrt(variance) / np.sqrt(share * data.se**2 + (1 - share) ** 2 * variance)
    )
    for i in range(data.k):
        found = np.corrcoef(mu, theta[:, i])[0, 1]
        assert abs(np.arctanh(found) - np.arctanh(expected[i])) < STANDARD_ERRORS / np.sqrt(DRAWN)
    assert np.corrcoef(mu, group["theta_new"].values.ravel())[0, 1] > 0.2


def test_draws_stay_finite_where_the_prior_cuts_off_the_data():
    """Nine standard errors below a prior that starts at zero: no digits in an upper tail."""
    data = estimates([-0.9, -0.92, -0.88], [0.15, 0.18, 0.2])
    fit = bm.fit(bm.NormalNormal(mu=bm.HalfNormal(1), tau=bm.HalfNormal(0.02)), data)
    drawn = fit.draws(4000, seed=3)["posterior"]["mu"].values.ravel()
    assert (drawn >= 0).all()
    assert np.isfinite(drawn).all()
    q = np.array([0.1, 0.5, 0.9])
    share = (drawn[:, None] <= fit["mu"].quantile(q)).mean(axis=0)
    assert (np.abs(share - q) <= STANDARD_ERRORS * np.sqrt(q * (1 - q) / 4000)).all()


def test_common_effect_draws_agree_with_its_marginal():
    fit = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), FIT.data)
    drawn = fit.draws(DRAWN, seed=13)["posterior"]["mu"].values.ravel()
    mu = fit["mu"]
    assert abs(drawn.mean() - mu.mean()) <= STANDARD_ERRORS * mu.sd() / np.sqrt(DRAWN)
    assert abs((drawn <= mu.quantile(0.1)).mean() - 0.1) <= STANDARD_ERRORS * np.sqrt(0.09 / DRAWN)


def test_same_seed_gives_the_same_draws_and_another_seed_others():
    one, two, other = (FIT.draws(50, seed=s)["posterior"]["mu"].values for s in (5, 5, 6))
    assert (one == two).all()
    assert (one != other).any()


def test_draws_come_in_the_layout_of_arviz():
    group = FIT.draws(seed=1)["posterior"]
    assert group["theta"].dims == ("chain", "draw", "study")
    assert group["theta"].shape == (4, 1000, 6)
    assert list(group["study"].values) == list(FIT.data.study)
    common = bm.fit(bm.CommonEffect(mu=bm.Normal(0, 2)), FIT.data).draws(7)["posterior"]
    assert common["mu"].shape == (1, 7)


def test_marginal_of_draws_is_that_of_the_sample():
    values = np.random.default_rng(9).standard_normal((4, 250))
    drawn = Draws(values)
    assert drawn.mean() == pytest.approx(values.mean())
    assert drawn.sd() == pytest.approx(values.std(ddof=1))
    assert drawn.quantile(0.3) == pytest.approx(np.quantile(values, 0.3))
    assert drawn.cdf(0.5) == (values <= 0.5).mean()
    x = np.linspace(-6, 6, 121)
    assert integrate.trapezoid(drawn.pdf(x), x) == pytest.approx(1, abs=1e-4)


# --- what a posterior says of itself --------------------------------------------------------------


def test_exact_posterior_says_so_and_passes_its_gates():
    assert FIT.exact
    assert FIT.diagnostics.passed
    assert FIT.diagnostics.failures == ()
    assert "Quadrature" in FIT.engine
    assert (FIT.model.tau, FIT.data.k) == (bm.HalfNormal(0.5), 6)


def test_check_keeps_its_limit_and_nan_never_does():
    assert Check("R-hat", "mu", 1.005, 1.01, at_most=True).passed
    assert not Check("R-hat", "mu", 1.02, 1.01, at_most=True).passed
    assert Check("ESS", "tau", 500, 400, at_most=False).passed
    assert not Check("ESS", "tau", 300, 400, at_most=False).passed
    assert Check("R-hat", "mu", 1.01, 1.01, at_most=True).passed  # the limit itself is kept
    assert Check("ESS", "tau", 400, 400, at_most=False).passed
    assert not Check("R-hat", "mu", np.nan, 1.01, at_most=True).passed
    assert not Check("ESS", "mu", np.nan, 400, at_most=False).passed
    assert str(Check("R-hat", "mu", 1.02, 1.01, at_most=True)) == "R-hat (mu) 1.02, must be ≤ 1.01"


def test_one_failed_check_fails_the_fit_and_is_named():
    good = Check("R-hat", "mu", 1.0, 1.01, at_most=True)
    bad = Check("ESS", "tau", 10, 400, at_most=False)
    diagnostics = Diagnostics((good, bad))
    assert not diagnostics.passed
    assert diagnostics.failures == (bad,)


def test_inverse_of_a_step_like_function_is_found_by_bisection():
    def steep(x):
        return stats.norm.cdf(x, 0.3, 1e-9)

    def no_slope(x):
        return np.zeros_like(x)

    found = invert(steep, no_slope, np.array([0.5]), np.array([-1.0]), np.array([1.0]))
    assert found[0] == pytest.approx(0.3, abs=1e-12)


def test_counts_are_refused_where_estimates_are_needed():
    with pytest.raises(bm.ModelError, match="needs EffectSizes"):
        bm.fit(FIT.model, binary(MAIN_TRIALS))


def test_a_check_whose_limit_is_of_numpy_is_printed_too():
    check = Check("divergences", "", np.float64(3.0), np.float64(4.0), at_most=True)
    assert str(check) == "divergences 3, must be ≤ 4"


def test_draws_of_what_cannot_be_negative_have_no_density_below_zero():
    drawn = Draws(np.abs(np.random.default_rng(3).normal(size=(4, 500))), low=0.0)
    assert drawn.pdf(np.array([-0.1, -2.0])).tolist() == [0.0, 0.0]
    mass, _ = integrate.quad(lambda x: float(drawn.pdf(np.array([x]))[0]), 0, 9, limit=200)
    assert mass == pytest.approx(1, abs=0.01)


def test_a_notebook_shows_the_figures_of_the_short_form_and_names_as_text():
    data = bm.EffectSizes.from_arrays(["<b>A", "B", "C"], [-0.4, -0.1, -0.3], [0.2, 0.3, 0.25])
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    (short,) = [line for line in repr(fit).splitlines() if line.startswith("mu ")]
    page = fit._repr_html_()
    for figure in re.findall(r"\d\.\d+", short):
        assert f"{figure}<" in page or f">{figure} to" in page or f"-{figure}" in page
    assert page.count("<tr>") == 3  # the heads, mu and tau
    table = bm.scenarios(fit)
    assert "<b>" not in table._repr_html_()
    assert "without &lt;b&gt;A" in table._repr_html_()
    assert table._repr_html_().startswith(f"<p>{table.in_words}</p>")


def shown_in(page):
    """Heads and cells of the table that is read, by its rows."""
    read = page.split("<details>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", read)
    return [
        [html.unescape(one) for one in re.findall(r"<t[hd][^>]*>(.*?)</t", row)] for row in rows
    ]


def test_tables_in_a_notebook_have_columns_to_read_and_fold_the_others():
    data = bm.EffectSizes.from_arrays(
        list("ABC"), [-0.4, -0.1, -0.3], [0.2, 0.3, 0.25], measure="OR"
    )
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    found = bm.scenarios(fit)
    page = found._repr_html_()
    heads, first, *_ = shown_in(page)
    assert heads == [
        "scenario",
        "change",
        "k",
        "estimate",
        "new interval",
        "stands",
        "sound",
        "note",
    ]
    base = found.table().iloc[0]
    ends = [f"{base[f'{one}_natural']:.2f}" for one in ("estimate", "lower", "upper")]
    assert first[3] == "{} [{}, {}]".format(*ends)
    new = [f"{base[f'new_{one}_natural']:.2f}" for one in ("lower", "upper")]
    assert first[4] == "[{}, {}]".format(*new)
    folded = page.split("<summary>Every column</summary>")[1]
    for name in found.table().columns:
        assert f"<th>{name}</th>" in folded
    heads, *_ = shown_in(bm.loo(fit)._repr_html_())
    assert heads == ["study", "elpd", "pit interval", "pit", "how"]  # no Pareto k: exact


def test_frequentist_answers_show_themselves_in_a_notebook():
    data = bm.EffectSizes.from_arrays(
        list("ABCDE"), [-0.4, -0.1, -0.3, 0.2, 0.1], [0.2, 0.3, 0.25, 0.2, 0.3], measure="OR"
    )
    fit = bm.random_effects(data)
    assert re.findall("<p>(.*?)</p>", fit._repr_html_()) == [
        html.escape(line) for line in repr(fit).splitlines()
    ]
    frame = pd.DataFrame({"study": list("ABCDE"), "y": data.y, "se": data.se, "dose": range(5)})
    frame["kind"] = ["<b>", "<b>", "other", "other", "other"]
    table = bm.EffectSizes.from_frame(frame, measure="OR")
    groups = bm.frequentist.subgroups(table, "kind")
    heads, first, *_ = shown_in(groups._repr_html_())
    assert heads == ["kind", "k", "estimate", "se", "p", "tau2"]
    one = groups["<b>"]
    interval = f"{one.estimate:.2f} [{one.lower:.2f}, {one.upper:.2f}]".replace("-", "−")
    assert first[:3] == ["<b>", "2", interval]
    assert "<b>" not in groups._repr_html_()
    line = bm.frequentist.meta_regression(table, "dose")
    assert [row[0] for row in shown_in(line._repr_html_())] == ["coefficient", "intercept", "dose"]
    assert "Analysis scale:" in line._repr_html_()
