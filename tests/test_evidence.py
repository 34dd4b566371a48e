"""Bayes factors, weights of the studies, and what studies without events contribute."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import MAIN_TRIALS, binary, cases, counts, estimates
from scipy import integrate, stats
from scipy.special import gammaln, logsumexp
from tolerances import COUNTS_BRUTE, PLAIN, R_TAU

import bayesmeta as bm
from bayesmeta.errors import ModelError
from bayesmeta.evidence import _factors, _zeros
from bayesmeta.evidence._factors import _beyond, _share_under
from bayesmeta.posterior import Check, Diagnostics
from bayesmeta.priors import log_density, rescaled

TAU_PRIORS = {
    "halfnormal_0.5": lambda unit: bm.HalfNormal(0.5 * unit),
    "halfnormal_1.0": lambda unit: bm.HalfNormal(unit),
    "halfcauchy_0.5": lambda unit: bm.HalfCauchy(0.5 * unit),
    "uniform_0_4": lambda unit: bm.Uniform(0, 4 * unit),
}
R_CASES = [(dataset, name) for dataset, fits in cases("bayesmeta").items() for name in fits]
SMALL = {"A": (2, 40, 5, 40), "B": (0, 30, 0, 30), "C": (3, 35, 9, 36), "D": (0, 25, 2, 24)}
THREE = estimates([-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
NORMAL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))


def of_reference(dataset, name):
    unit = 20.0 if dataset == "rubin1981" else 1.0
    entry = cases("quadrature")[dataset]
    tau = TAU_PRIORS[name.removesuffix("__normal_0_4")](unit)
    model = bm.NormalNormal(mu=bm.Normal(0, 4 * unit), tau=tau)
    return bm.fit(model, estimates(entry["y"], entry["se"]))


@pytest.mark.parametrize(("dataset", "name"), R_CASES)
def test_factors_and_weights_are_those_of_r_bayesmeta(dataset, name):
    posterior, reference = of_reference(dataset, name), cases("bayesmeta")[dataset][name]
    ours = [one.log_bf01 for one in bm.bayes_factors(posterior).factors]
    theirs = [reference["bayesfactor_mu0"], reference["bayesfactor_tau0"]]
    assert_allclose(ours, np.log(theirs), **R_TAU)
    weights = bm.mean_weights(posterior)
    assert_allclose(weights["weight"], reference["weights_mean"], **R_TAU)
    assert_allclose(weights["own_weight"][:-1], reference["weights_own"], **R_TAU)


def test_a_common_effect_has_the_factor_of_its_closed_form():
    posterior = bm.fit(bm.CommonEffect(mu=bm.Normal(0.3, 2)), THREE)
    (factor,) = bm.bayes_factors(posterior).factors
    at_zero = stats.norm.logpdf(THREE.y, 0, THREE.se).sum()
    covariance = np.diag(THREE.se**2) + 4
    free = stats.multivariate_normal(np.full(3, 0.3), covariance).logpdf(THREE.y)
    assert_allclose(factor.log_bf01, at_zero - free, **PLAIN)
    assert factor.bf01 * factor.bf10 == pytest.approx(1)
    assert factor.prob_null == pytest.approx(factor.bf01 / (1 + factor.bf01))


def brute_hypergeometric(a, n1, c, n0):
    count = np.arange(max(0, a + c - n0), min(n1, a + c) + 1)
    cells = np.array([count, n1 - count, a + c - count, n0 - a - c + count])
    weight = -gammaln(cells + 1).sum(axis=0)

    def log_likelihood(theta):
        whole = logsumexp(weight + theta[..., None] * count, axis=-1)
        return weight[count == a][0] + theta * a - whole

    return log_likelihood


def brute_evidence(studies, mu, tau, log_density_of_tau):
    """Log marginal likelihood for nodes of mu with log weights, and of tau with its prior."""
    z, gauss = np.polynomial.hermite_e.hermegauss(120)
    log_gauss = np.log(gauss) - 0.5 * np.log(2 * np.pi)
    at_mu, log_mu = mu
    at_tau, log_step = tau
    total = np.zeros((at_mu.size, at_tau.size))
    for study in studies:
        theta = at_mu[:, None, None] + at_tau[:, None] * z
        total += logsumexp(study(theta) + log_gauss, axis=-1)
    return logsumexp(total + log_mu[:, None] + log_density_of_tau(at_tau) + log_step)


def legendre(low, high, count):
    x, weight = np.polynomial.legendre.leggauss(count)
    return (low + (high - low) * (x + 1) / 2, np.log(weight * (high - low) / 2))


@pytest.mark.deep("dense integrals: 2 s a prior")
@pytest.mark.parametrize("tau", [bm.HalfNormal(0.5), bm.LogNormal(-1, 0.8)], ids=repr)
def test_factors_of_counts_equal_a_brute_force_integral(tau):
    studies = [brute_hypergeometric(*row) for row in SMALL.values()]
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=tau)
    found = bm.bayes_factors(bm.fit(model, binary(SMALL)))
    root, step = legendre(0, 12**0.5, 120)  # tau is its square, to be dense at 0
    spread = (root**2, step + np.log(2 * root))

    def prior(at):
        return log_density(tau, at)

    at_mu, step = legendre(-9, 6, 100)
    everywhere = (at_mu, step + stats.norm.logpdf(at_mu, 0, 2))
    none = (np.zeros(1), np.zeros(1))
    whole = brute_evidence(studies, everywhere, spread, prior)
    no_effect = brute_evidence(studies, none, spread, prior)
    no_spread = brute_evidence(studies, everywhere, none, lambda at: 0.0)
    ours = [one.log_bf01 for one in found.factors]
    assert_allclose(ours, [no_effect - whole, no_spread - whole], atol=COUNTS_BRUTE, rtol=0)


@pytest.mark.parametrize("measure", ["OR", "RR"])
def test_the_savage_dickey_ratio_is_a_ratio_of_marginal_likelihoods(measure):
    """A prior of mu ever narrower about 0, extrapolated: its bias falls with the variance."""
    model = bm.BinomialNormal(measure=measure, mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    data = binary(SMALL)
    posterior = bm.fit(model, data)
    narrow = [bm.fit(replace(model, mu=bm.Normal(0, sd)), data) for sd in (0.05, 0.1, 0.2)]
    near, middle, far = (one.log_marginal_likelihood for one in narrow)
    at_zero = (64 * near - 20 * middle + far) / 45
    factor = bm.bayes_factors(posterior).factors[0].log_bf01
    assert factor == pytest.approx(at_zero - posterior.log_marginal_likelihood, abs=1e-4)


@pytest.mark.parametrize(
    "tau",
    [
        bm.HalfNormal(0.5),
        bm.HalfCauchy(0.5),
        bm.HalfT(4, 0.5),
        bm.Exponential(2),
        bm.Gamma(2, 4),
        bm.LogNormal(-1, 0.8),
        bm.priors.LogStudentT(5, -1, 0.8),
        bm.InverseGamma(2, 0.5),
        bm.Uniform(0, 2),
        bm.Mixture(0.7, bm.HalfNormal(0.2), bm.HalfCauchy(0.5)),
    ],
    ids=repr,
)
def test_the_factor_by_scale_is_that_of_the_model_with_that_prior(tau):
    found = bm.bayes_factors(bm.fit(replace(NORMAL, tau=tau), THREE))
    table = found.tau_by_scale
    assert list(table.index) == ["half as wide", "as it is", "twice as wide"]
    assert table.loc["as it is", "bf01"] == pytest.approx(found.factors[1].bf01)
    for one in found.by_scale:
        alone = bm.bayes_factors(bm.fit(replace(NORMAL, tau=one.prior), THREE)).factors[1]
        assert one.log_bf01 == pytest.approx(alone.log_bf01, abs=1e-4)


def test_a_scaled_prior_is_that_of_the_scaled_number():
    x = np.array([0.2, 0.9, 1.7])
    for prior in (bm.HalfT(4, 0.5), bm.Gamma(2, 4), bm.LogNormal(-1, 0.8), bm.InverseGamma(2, 1)):
        wider = rescaled(prior, 2.0)
        assert wider is not None
        assert_allclose(log_density(wider, x), log_density(prior, x / 2) - np.log(2), rtol=1e-12)
    assert rescaled(bm.Beta(1, 2), 2.0) is None
    assert rescaled(bm.Mixture(0.5, bm.Beta(1, 2), bm.HalfNormal(1)), 2.0) is None


def test_what_lies_beyond_the_largest_tau_is_that_of_a_power():
    at = np.geomspace(5, 0.1, 40)
    found = _beyond(at, 3 * at**-2.5, bm.HalfCauchy(0.5))
    law = stats.halfcauchy(0, 0.5)
    true = integrate.quad(lambda x: 3 * x**-2.5 * law.pdf(x), 5, 500)[0]
    assert found == pytest.approx(true, rel=1e-3)


def test_a_prior_that_looks_where_the_old_one_vanished_asks_for_another_fit():
    data = estimates([0.1, 0.12, 0.08, 0.11, 0.09], [0.05] * 5)
    old = bm.LogNormal(0, 0.3)
    tau = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=old), data)["tau"]
    assert _share_under(tau, old, old) == pytest.approx(1, rel=1e-9)
    assert _share_under(tau, old, bm.HalfNormal(0.3)) is None  # near 0, where little was left


def test_a_prior_without_a_scale_leaves_the_table_by_scale_empty():
    found = bm.bayes_factors(bm.fit(replace(NORMAL, tau=bm.Beta(1, 2)), THREE))
    assert found.by_scale == ()
    assert found.tau_by_scale.empty
    assert list(found.table().index) == ["mu = 0", "tau = 0"]


def test_student_t_effects_without_spread_are_a_common_effect():
    posteriors = [bm.fit(replace(NORMAL, df=df), THREE) for df in (None, 4.0)]
    at_zero = [
        bm.bayes_factors(one).factors[1].log_bf01 + (one.log_marginal_likelihood or np.nan)
        for one in posteriors
    ]
    assert at_zero[0] == pytest.approx(at_zero[1], abs=1e-9)


def test_evidence_far_beyond_what_a_density_resolves_keeps_its_digits():
    """Nulls in closed form: normal estimates given mu = 0, or tau = 0."""
    y, se = np.array([9.0, 9.1, 8.9]), np.full(3, 0.1)
    posterior = bm.fit(NORMAL, estimates(y, se))
    at_zero = integrate.quad(
        lambda tau: np.exp(
            stats.norm.logpdf(y, 0, np.hypot(se, tau)).sum()
            + stats.halfnorm.logpdf(tau, 0, 0.5)
            + 400
        ),
        0,
        12,
        points=[2, 3, 4, 5],
    )[0]
    no_spread = stats.multivariate_normal(np.zeros(3), np.diag(se**2) + 4).logpdf(y)
    free = posterior.log_marginal_likelihood
    ours = [one.log_bf01 for one in bm.bayes_factors(posterior).factors]
    assert_allclose(ours, [np.log(at_zero) - 400 - free, no_spread - free], rtol=1e-8)


@pytest.mark.deep("sums over both margins: 1 s")
def test_evidence_of_counts_far_from_the_null_is_that_of_a_sum_over_the_null():
    """BCG: of tau = 0 the two-stage answer is 8e-26, of counts log BF01 is -64.6."""
    model = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    trials = counts("bcg")
    posterior = bm.fit(model, trials)
    found = bm.bayes_factors(posterior)
    mu = np.linspace(-1.0, 0.2, 601)  # of a common effect: SD 0.04
    a, n1, c, n0 = (values[:, None, None] for values in trials.numbers.values())
    centre = 0.5 * np.log((a + 0.5) * (c + 0.5) / (n1 - a + 0.5) / (n0 - c + 0.5))
    beta = centre + 3 * np.sinh(np.linspace(-2, 2, 801)) / np.sqrt(np.minimum(a, c) + 1)
    weight = np.gradient(beta, axis=2)
    up, down = beta + mu[:, None] / 2, beta - mu[:, None] / 2
    log_l = a * up - n1 * np.logaddexp(0, up) + c * down - n0 * np.logaddexp(0, down)
    log_l += gammaln(n1 + 1) - gammaln(a + 1) - gammaln(n1 - a + 1)
    log_l += gammaln(n0 + 1) - gammaln(c + 1) - gammaln(n0 - c + 1)
    log_l += stats.norm.logpdf(beta, 0, 10) + np.log(weight)
    each = logsumexp(log_l, axis=2).sum(axis=0) + stats.norm.logpdf(mu, 0, 2)
    null = logsumexp(each) + np.log(mu[1] - mu[0])
    log_bf01 = found.factors[1].log_bf01
    assert log_bf01 == pytest.approx(null - posterior.log_marginal_likelihood, abs=1e-4)
    assert log_bf01 < -50
    assert [one.bf01 for one in found.by_scale if one.bf01 > 1e-20] == []


@pytest.mark.parametrize("ends", [(-1.06, -0.76), (-1.0, 0.22), (-0.9, 0.62), (-0.31, 0.03)])
def test_the_evidence_without_spread_has_all_of_a_bounded_prior(ends):
    """A product of normals over the prior's ends, which may lie close to any feature."""
    low, high = ends
    weight = THREE.se**-2.0
    pooled, sd = weight @ THREE.y / weight.sum(), weight.sum() ** -0.5
    at_pooled = stats.norm.logpdf(THREE.y, pooled, THREE.se).sum()
    held = stats.norm.cdf(high, pooled, sd) - stats.norm.cdf(low, pooled, sd)
    height = at_pooled + np.log(np.sqrt(2 * np.pi) * sd * held / (high - low))
    posterior = bm.fit(replace(NORMAL, mu=bm.Uniform(low, high)), THREE)
    found = bm.bayes_factors(posterior).factors[-1].log_bf01
    assert found == pytest.approx(height - posterior.log_marginal_likelihood, abs=1e-7)


@pytest.mark.parametrize("tau", [bm.Gamma(0.1, 1), bm.Gamma(0.5, 1), bm.Beta(2, 0.5)], ids=repr)
def test_the_evidence_without_effect_has_all_of_a_pole(tau):
    """By the density of mu at 0, which the exact engine has in closed form given tau."""
    posterior = bm.fit(replace(NORMAL, tau=tau), THREE)
    found = bm.bayes_factors(posterior).factors[0].log_bf01
    by_density = np.log(posterior["mu"].pdf(0.0)) - stats.norm.logpdf(0.0, 0, 2)
    assert found == pytest.approx(by_density, abs=1e-8)


def test_a_factor_that_contradicts_the_density_at_0_is_refused(monkeypatch):
    posterior = bm.fit(NORMAL, THREE)
    right = _factors.log_evidence_without
    monkeypatch.setattr(_factors, "log_evidence_without", lambda *args: right(*args) + 0.01)
    with pytest.raises(ModelError, match=r"differ by a factor of 1\.01"):
        bm.bayes_factors(posterior)


@pytest.mark.parametrize("mu", [bm.HalfNormal(1), bm.Uniform(0.1, 2)], ids=repr)
def test_a_prior_of_mu_that_does_not_surround_0_has_no_factor(mu):
    found = bm.bayes_factors(bm.fit(replace(NORMAL, mu=mu), THREE))
    assert np.isnan(found.factors[0].bf01)
    assert "no alternative surrounds it" in found.factors[0].how
    assert np.isfinite(found.factors[1].bf01)


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"mu": bm.Flat()}, r"mu ~ Flat\(\)"), ({"tau": bm.Jeffreys()}, r"tau ~ Jeffreys\(\)")],
    ids=str,
)
def test_improper_priors_have_no_factor(changes, named):
    with pytest.raises(ModelError, match=named):
        bm.bayes_factors(bm.fit(replace(NORMAL, **changes), THREE))


def test_draws_have_neither_factors_nor_weights():
    exact = bm.fit(NORMAL, THREE)
    sampled = {"diverging": np.zeros((2, 100))}
    drawn = replace(exact, sample_stats=sampled, log_marginal_likelihood=None)
    for refused in (bm.bayes_factors, bm.mean_weights):
        with pytest.raises(ModelError, match="exact posterior"):
            refused(drawn)


def test_weights_sum_to_one_and_follow_the_studies():
    table = bm.mean_weights(bm.fit(NORMAL, THREE))
    assert table["weight"].sum() == pytest.approx(1, abs=1e-12)
    order = [2, 0, 1]
    shuffled = bm.EffectSizes.from_arrays(
        [THREE.study[i] for i in order], THREE.y[order], THREE.se[order]
    )
    again = bm.mean_weights(bm.fit(NORMAL, shuffled)).loc[table.index]
    assert_allclose(again, table, **PLAIN)


def test_weights_give_the_posterior_mean_where_tau_is_known():
    model = bm.CommonEffect(mu=bm.Normal(0.5, 1))
    posterior = bm.fit(model, THREE)
    weight = bm.mean_weights(posterior)["weight"]
    assert weight @ [*THREE.y, 0.5] == pytest.approx(posterior["mu"].mean(), abs=1e-12)
    flat = bm.mean_weights(bm.fit(bm.CommonEffect(mu=bm.Flat()), THREE))
    assert_allclose(flat["weight"], THREE.se**-2 / (THREE.se**-2).sum(), **PLAIN)
    assert list(flat.columns) == ["weight"]


def test_counts_lose_precision_without_a_study_and_none_without_a_silent_one():
    model = bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    lost = bm.mean_weights(bm.fit(model, binary(SMALL)))["precision_lost"]
    assert lost["B"] == pytest.approx(0, abs=COUNTS_BRUTE)
    assert lost["C"] > lost["D"] > 0
    alone = bm.mean_weights(bm.fit(model, binary({"A": SMALL["A"]})))
    assert alone["precision_lost"].isna().all()


def test_of_two_studies_each_loses_what_the_other_alone_lacks():
    model = replace(NORMAL, mu=bm.StudentT(4, 0, 2))
    two = estimates(THREE.y[:2], THREE.se[:2])
    lost = bm.mean_weights(bm.fit(model, two))["precision_lost"]
    both = bm.fit(model, two)["mu"].sd() ** 2
    rest = [
        bm.fit(model, two.keep(keep))["mu"].sd() ** 2 for keep in ([False, True], [True, False])
    ]
    assert_allclose(lost, 1 - both / np.array(rest), **PLAIN)


def test_zero_studies_say_nothing_given_the_totals_and_something_with_baselines():
    tables = [
        bm.zero_studies(bm.fit(model, binary(SMALL)))
        for model in (
            bm.HypergeometricNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)),
            bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)),
        )
    ]
    for table in tables:
        assert table["k"].tolist() == [4, 3, 2]
        assert table["left_out"].tolist() == ["", "B", "B, D"]
        assert table["shift"].iloc[0] == 0
        assert table["sound"].all()
    assert abs(tables[0]["shift"].iloc[1]) < COUNTS_BRUTE
    assert abs(tables[1]["shift"].iloc[1]) > 0.001
    assert tables[0]["shift"].iloc[2] > 0.05  # D favours the treatment


def test_zero_studies_of_single_arms_and_of_nothing_else():
    rates = bm.IncidenceStudies(study=["A", "B"], events=[3, 0], time=[410.0, 92.5])
    model = bm.IncidenceNormal(mu=bm.Normal(-4, 2), tau=bm.HalfNormal(0.5))
    posterior = bm.fit(model, rates)
    assert list(bm.bayes_factors(posterior).table().index) == ["tau = 0"]  # mu = 0 is a rate of 1
    table = bm.zero_studies(posterior)
    assert table["k"].tolist() == [2, 1]
    assert table["prob_below_null"].isna().all()
    silent = binary({"A": (0, 12, 0, 14)})
    counted = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    empty = bm.zero_studies(bm.fit(counted, silent))
    assert empty["k"].tolist() == [1, 0, 0]
    assert empty["mean"].isna().tolist() == [False, True, True]


@pytest.fixture(scope="module")
def shares():
    data = bm.ProportionStudies(study=["A", "B", "C"], events=[3, 0, 5], n=[20, 9, 24])
    model = bm.ProportionNormal(mu=bm.Normal(-1, 2), tau=bm.HalfNormal(0.5))
    return bm.fit(model, data)


def test_each_row_about_zeros_is_its_own_fit_at_the_level_asked_for(shares):
    without = bm.fit(shares.model, shares.data.keep([True, False, True]))
    table = bm.zero_studies(shares, prob=0.8)
    assert_allclose(
        table[["lower", "upper"]], [one["mu"].interval(0.8) for one in (shares, without)], **PLAIN
    )


def test_a_fit_of_all_studies_that_failed_leaves_those_without_zeros_sound(shares):
    failed = Diagnostics((Check("quadrature error", "", 1e-3, 1e-6, at_most=True),))
    table = bm.zero_studies(replace(shares, diagnostics=failed))
    assert table["sound"].tolist() == [False, True]


def test_what_was_drawn_is_drawn_again_without_its_zeros(shares, monkeypatch):
    asked = []

    def fit(model, data, engine):
        asked.append(engine)
        return shares

    monkeypatch.setattr(_zeros, "fit", fit)
    drawn = replace(shares, sample_stats={"diverging": np.zeros((2, 100))})
    for posterior in (drawn, shares):
        bm.zero_studies(posterior)
    bm.zero_studies(drawn, engine=bm.Quadrature())
    assert asked == [bm.NUTS(seed=0), None, bm.Quadrature()]


def test_the_real_case_moves_little_without_its_double_zero_trial():
    model = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    table = bm.zero_studies(bm.fit(model, binary(MAIN_TRIALS)))
    assert table["left_out"].tolist() == ["", "Shi", "Shu, Shi, Zhu"]
    assert abs(table["shift"].iloc[1]) < 0.3


def test_zero_studies_need_counts():
    with pytest.raises(ModelError, match="fit of counts"):
        bm.zero_studies(bm.fit(NORMAL, THREE))


def test_the_shift_is_in_posterior_sds_of_all_studies():
    model = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    table = bm.zero_studies(bm.fit(model, binary(SMALL)))
    moved = table["mean"] - table["mean"].iloc[0]
    np.testing.assert_allclose(table["shift"], moved / table["sd"].iloc[0], rtol=1e-12)
    assert table["sd"].iloc[2] > 1.03 * table["sd"].iloc[0]  # so that the other SD would show
