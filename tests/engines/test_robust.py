"""Robust random effects by NUTS: unknown degrees of freedom, and a share of outliers."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from agreement import PROBS, assert_quantiles
from references import binary, numbered
from scipy import special, stats
from scipy.interpolate import CubicSpline
from tolerances import STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.engines import default_engine, mathematics, pymc_source
from bayesmeta.engines.compiled.precision import float64

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
Y, SE = [0.1, -0.2, 0.3, 0.0, 0.25, -0.1, 2.6], [0.15, 0.2, 0.25, 0.1, 0.3, 0.2, 0.25]
DATA = bm.EffectSizes.from_arrays(numbered(7), Y, SE)
UNKNOWN = bm.NormalNormal(mu=MU, tau=TAU, df=bm.Gamma(2, 0.1))
KNOWN = bm.NormalNormal(mu=MU, tau=TAU, df=4)
MIXTURE = bm.OutlierMixture(mu=MU, tau=TAU, share=bm.Beta(1, 9), spread=bm.HalfNormal(1))


@cache
def fitted(model):
    return bm.fit(model, DATA, bm.NUTS(seed=0))


def apart(posterior, name, mean):
    return abs(posterior[name].mean() - mean) / posterior.convergence[name]["mcse_mean"]


def assert_margins(posterior, at, p):
    """Hold draws to posterior weights on a grid of nodes: mean, and the probabilities below three.

    `at` has nodes and log weights of each axis of `p` by name.
    """
    draws = posterior.draws()["posterior"]
    for i, (name, (x, log_w)) in enumerate(at.items()):
        w = p.sum(axis=tuple(set(range(p.ndim)) - {i}))
        assert apart(posterior, name, w @ x) <= STANDARD_ERRORS, name
        below = CubicSpline(x, w * np.exp(-log_w)).antiderivative()
        ends = np.quantile(draws[name].values, PROBS)
        low = w.sum() - below(x[-1])  # what lies before the first node, but for what is beyond
        assert abs(low) < 1e-3
        assert_quantiles(draws[name].values, ends, name, below(ends) + low)


def nodes(low, high, n, power=1.0):
    """Gauss-Legendre nodes, crowded at `low`, and log weights."""
    x, w = np.polynomial.legendre.leggauss(n)
    u = (x + 1) / 2
    slope = power * u ** (power - 1) * (high - low) / 2
    return low + (high - low) * u**power, np.log(w * slope)


def given_weights(df, mu, tau):
    """Likelihoods of the studies for Student-t effects, and their mean effects, (mu, tau, study).

    A sum over the scale of a normal effect: log weight by the trapezoidal rule.
    """
    a = df / 2
    log_weight = np.linspace(-16, 7, 231) * np.sqrt(1 / a + 1 / a**2)
    w = np.exp(a * (np.log(a) + log_weight - np.exp(log_weight)) - special.gammaln(a))
    w *= log_weight[1] - log_weight[0]
    between = tau[:, None, None] ** 2 * np.exp(-log_weight)  # (tau, 1, weight)
    variance = np.square(SE)[:, None] + between  # (tau, study, weight)
    gap = np.array(Y) - mu[:, None]  # (mu, study)
    density = np.exp(-0.5 * gap[:, None, :, None] ** 2 / variance) * w
    density /= np.sqrt(2 * np.pi * variance)
    likelihood = density.sum(axis=-1)
    own = (density * (between / variance)).sum(axis=-1) / likelihood
    return likelihood, mu[:, None, None] + own * gap[:, None, :]


@cache
def brute_student():
    """Nodes of mu, tau and df, posterior weights (mu, tau, df), and mean effects."""
    (mu, of_mu), (tau, of_tau) = nodes(-1, 1.4, 60), nodes(0, 2.4, 40, 1.5)
    log_df, of_df = nodes(np.log(0.3), np.log(150), 24)
    df = np.exp(log_df)
    of_df = of_df + log_df
    at = {"mu": (mu, of_mu), "tau": (tau, of_tau), "df": (df, of_df)}
    of_mu = of_mu + stats.norm.logpdf(mu, 0, 2)
    of_tau = of_tau + stats.halfnorm.logpdf(tau, 0, 0.5)
    of_df = of_df + stats.gamma.logpdf(df, 2, scale=10)
    log_p, effects = [], []
    for one in df:
        likelihood, theta = given_weights(one, mu, tau)
        log_p.append(np.log(likelihood).sum(axis=-1) + of_mu[:, None] + of_tau)
        effects.append(theta)
    log_p = np.stack(log_p, axis=-1) + of_df
    p = np.exp(log_p - special.logsumexp(log_p))
    theta = np.einsum("mtd,dmts->s", p, np.stack(effects))
    return at, p, theta


@pytest.mark.deep("a dense grid: 2 s")
def test_the_brute_force_at_given_degrees_of_freedom_is_the_exact_engine():
    (mu, of_mu), (tau, of_tau) = nodes(-3, 3.5, 120), nodes(0, 3, 60, 1.5)
    likelihood, theta = given_weights(4.0, mu, tau)
    log_p = np.log(likelihood).sum(axis=-1) + of_tau + stats.halfnorm.logpdf(tau, 0, 0.5)
    log_p += (of_mu + stats.norm.logpdf(mu, 0, 2))[:, None]
    exact = bm.fit(KNOWN, DATA)
    log_z = special.logsumexp(log_p)
    assert log_z == pytest.approx(exact.log_marginal_likelihood, abs=1e-5)
    p = np.exp(log_p - log_z)
    assert mu @ p.sum(axis=1) == pytest.approx(exact["mu"].mean(), abs=1e-5)
    assert exact["mu"].mean() == pytest.approx(0.1252, abs=1e-4)  # what many at once must give
    means = np.einsum("mt,mts->s", p, theta)
    np.testing.assert_allclose(means, exact["theta"].mean(), atol=1e-5)


def test_unknown_degrees_of_freedom_are_those_of_brute_force():
    posterior = fitted(UNKNOWN)
    assert posterior.diagnostics.passed, posterior.diagnostics.failures
    at, p, theta = brute_student()
    assert_margins(posterior, at, p)
    assert apart(posterior, "df", 20) > 5 * STANDARD_ERRORS  # the mean of the prior is another
    errors = [posterior.convergence[f"theta[{one}]"]["mcse_mean"] for one in DATA.study]
    assert (np.abs(posterior["theta"].mean() - theta) <= STANDARD_ERRORS * np.array(errors)).all()
    new = posterior.draws()["posterior"]["theta_new"].values
    ends = np.quantile(new, (0.01, 0.1, 0.5, 0.9, 0.99))
    mu, tau, df = (x for x, _ in at.values())
    z = (ends[:, None, None, None] - mu[:, None, None]) / tau[:, None]
    probs = (p * special.stdtr(df, z)).sum(axis=(1, 2, 3))
    assert_quantiles(new, ends, "theta_new", probs)


def test_a_moment_that_few_degrees_of_freedom_take_away_is_not_printed():
    table = bm.summary(fitted(UNKNOWN))
    assert table.loc["theta_new", ["mean", "sd"]].isna().all()
    assert table.loc["theta_new", ["median", "lower", "upper"]].notna().all()
    assert table.loc[["mu", "tau", "df", "theta[study 7]"], ["mean", "sd"]].notna().all(axis=None)


@pytest.mark.parametrize(
    ("df", "moments"),
    [
        *((None, 2), (1, 0), (1.5, 1), (2, 1), (2.5, 2), (bm.Gamma(2, 1), 0)),
        *((bm.Uniform(1, 9), 0), (bm.Uniform(1.5, 9), 1), (bm.Uniform(3, 9), 2)),
    ],
)
def test_the_moments_of_a_new_effect_are_those_of_the_fewest_degrees_of_freedom(df, moments):
    from bayesmeta.engines.sampling.nuts import _moments

    model = bm.ProportionNormal(mu=MU, tau=TAU, df=df)
    arms = bm.ProportionStudies(study=["a", "b", "c"], events=[0, 3, 5], n=[9, 9, 9])
    found = _moments(model, arms)
    assert found["theta_new"] == found["theta[0]"] == moments
    assert "theta[1]" not in found


def test_the_moments_with_outliers_are_those_of_a_heavy_spread():
    from bayesmeta.engines.sampling.nuts import _moments

    heavy = bm.OutlierMixture(mu=MU, tau=TAU, share=bm.Beta(1, 9), spread=bm.HalfCauchy(1))
    assert (_moments(heavy, DATA)["theta_new"], _moments(heavy, DATA)["spread"]) == (0, 0)
    assert _moments(MIXTURE, DATA)["theta_new"] == 2


@pytest.mark.deep("samples a hard posterior twice: 1 s")
def test_few_and_many_degrees_of_freedom_are_sampled_where_a_study_lies_far_out():
    far = bm.EffectSizes.from_arrays(numbered(7), [*Y[:6], 9.0], SE)
    for data in (far, DATA.keep(np.arange(7) < 6)):
        posterior = bm.fit(UNKNOWN, data, bm.NUTS(seed=3))
        assert posterior.diagnostics.passed, posterior.diagnostics.failures


def mixture_grid():
    """Nodes of mu, tau, share and spread by name, and log weights with the priors in them."""
    mu, of_mu = nodes(-1.1, 1.7, 56)
    tau, of_tau = nodes(0, 2.6, 36, 1.5)
    share, of_share = nodes(0, 1, 30)
    spread, of_spread = nodes(0, 4.5, 36)
    at = {
        "mu": (mu, of_mu),
        "tau": (tau, of_tau),
        "share": (share, of_share),
        "spread": (spread, of_spread),
    }
    of_mu = of_mu + stats.norm.logpdf(mu, 0, 2)
    of_tau = of_tau + stats.halfnorm.logpdf(tau, 0, 0.5)
    of_share = of_share + stats.beta.logpdf(share, 1, 9)
    of_spread = of_spread + stats.halfnorm.logpdf(spread, 0, 1)
    log_w = of_mu[:, None, None, None] + of_tau[:, None, None] + of_share[:, None] + of_spread
    return at, log_w


@pytest.mark.deep("a dense grid in four dimensions: 2 s, 200 MB")
def test_the_mixture_is_that_of_a_dense_grid_in_four_dimensions():
    at, log_p = mixture_grid()
    axes = (x for x, _ in at.values())
    mu, tau, share, spread = np.meshgrid(*axes, indexing="ij", sparse=True)
    parts = []
    for y, se in zip(Y, SE, strict=True):
        usual = (1 - share) * stats.norm.pdf(y, mu, np.sqrt(se**2 + tau**2))
        wide = share * stats.norm.pdf(y, mu, np.sqrt(se**2 + tau**2 + spread**2))
        log_p = log_p + np.log(usual + wide)
        parts.append((usual, wide))
    p = np.exp(log_p - special.logsumexp(log_p))
    expected = [float((p * (wide / (usual + wide))).sum()) for usual, wide in parts]
    posterior = fitted(MIXTURE)
    assert posterior.diagnostics.passed, posterior.diagnostics.failures
    for i, name in enumerate(DATA.study):
        error = posterior.convergence[f"outlier[{name}]"]["mcse_mean"]
        found = posterior["outlier"][i].mean()
        assert abs(found - expected[i]) <= STANDARD_ERRORS * error, name
    assert_margins(posterior, at, p)
    assert_effects(posterior, p, parts, mu, tau, share, spread)


def assert_effects(posterior, p, parts, mu, tau, share, spread):
    """Hold the study effects to their conditional means, and a new effect to its variance."""
    wide_variance = tau**2 + spread**2
    for i, (usual, wide) in enumerate(parts):
        y, variance = Y[i], SE[i] ** 2
        prob = wide / (usual + wide)
        means = [mu + v / (v + variance) * (y - mu) for v in (tau**2, wide_variance)]
        mean = float((p * ((1 - prob) * means[0] + prob * means[1])).sum())
        error = posterior.convergence[f"theta[{DATA.study[i]}]"]["mcse_mean"]
        assert abs(posterior["theta"][i].mean() - mean) <= STANDARD_ERRORS * error
    mean = float((p * mu).sum())
    variance = float((p * (tau**2 + share * spread**2 + (mu - mean) ** 2)).sum())
    row = posterior.convergence["theta_new"]
    assert abs(posterior["theta_new"].mean() - mean) <= STANDARD_ERRORS * row["mcse_mean"]
    assert abs(posterior["theta_new"].sd() - variance**0.5) <= STANDARD_ERRORS * row["mcse_sd"]


def test_without_outliers_the_mixture_is_the_normal_model():
    none = bm.OutlierMixture(mu=MU, tau=TAU, share=bm.Beta(1, 1e5), spread=bm.HalfNormal(1))
    few = DATA.keep(np.arange(7) < 6)
    posterior = bm.fit(none, few, bm.NUTS(seed=3))
    exact = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), few)
    for name in ("mu", "tau", "theta_new"):
        assert apart(posterior, name, exact[name].mean()) <= STANDARD_ERRORS
    assert posterior["outlier"].mean().max() < 1e-3
    assert not any("outlier" in said for said in posterior.cautions)


def test_the_prior_of_an_outlier_is_the_mean_of_a_mixed_share_too():
    fitted_as = fitted(MIXTURE)
    mixed = bm.Mixture(0.25, bm.Beta(1, 9), bm.Uniform(0, 1))  # 0.25 × 0.1 + 0.75 × 0.5
    found = bm.outliers(replace(fitted_as, model=replace(MIXTURE, share=mixed)))
    np.testing.assert_allclose(found["prior"], 0.4, rtol=1e-12)
    odds = found["probability"] / (1 - found["probability"])
    np.testing.assert_allclose(found["bayes_factor"], odds * 0.6 / 0.4, rtol=1e-12)


def test_a_study_planted_eight_sds_away_is_found_and_named_whatever_its_place():
    y = np.array([0.1, -0.2, 0.2, 0.0, 0.15, -0.1, 0.1])
    y[6] += 8 * np.hypot(SE[6], 0.2)
    planted = bm.EffectSizes.from_arrays(numbered(7), y, SE)
    posterior = bm.fit(MIXTURE, planted, bm.NUTS(seed=3))
    found = bm.outliers(posterior)
    assert found["probability"].iloc[6] > 0.95
    assert (found["probability"].iloc[:6] < 0.2).all()
    assert found["outlier"].to_list() == [False] * 6 + [True]
    assert (found["prior"] == 0.1).all()
    odds = found["probability"] / (1 - found["probability"])
    np.testing.assert_allclose(found["bayes_factor"], odds * 9, rtol=1e-12)
    (said,) = [one for one in posterior.cautions if "outlier" in one]
    assert said.startswith("Study study 7 is called an outlier, with probability ")
    order = np.array([6, 3, 0, 5, 1, 4, 2])
    names = [planted.study[i] for i in order]
    moved = bm.EffectSizes.from_arrays(names, y[order], np.array(SE)[order])
    other = bm.fit(MIXTURE, moved, bm.NUTS(seed=4))
    for name in planted.study:
        errors = [one.convergence[f"outlier[{name}]"]["mcse_mean"] for one in (posterior, other)]
        gap = posterior["outlier"][name].mean() - other["outlier"][name].mean()
        assert abs(gap) <= STANDARD_ERRORS * np.hypot(*errors), name


def test_a_probability_that_is_one_to_the_last_digit_fails_no_gate():
    from bayesmeta.engines.sampling.convergence import convergence, gates

    values = {"outlier": np.ones((4, 100, 1))}
    table = convergence(values, ("a",))
    assert table["outlier[a]"]["rhat"] == 1.0
    rng = np.random.default_rng(1)
    stats_ = {"diverging": np.zeros((4, 100)), "energy": rng.normal(size=(4, 100))}
    assert {c.name: c.passed for c in gates(table, stats_, 400)}["R-hat"]


COUNTS = binary({"A": (2, 25, 5, 24), "B": (0, 30, 2, 31), "C": (7, 40, 11, 38)})
TIMES = bm.PersonTimeStudies(
    study=["a", "b"],
    events_treatment=[3, 0],
    time_treatment=[120.5, 40.0],
    events_control=[5, 2],
    time_control=[110.0, 42.5],
)
ARMS = bm.ProportionStudies(study=["a", "b"], events=[3, 0], n=[20, 15])
RATES = bm.IncidenceStudies(study=["a", "b"], events=[3, 0], time=[20.5, 15])
GAMMA = {"mu": MU, "tau": TAU, "df": bm.Gamma(2, 0.1)}
PRINTED = {
    "estimates": (bm.NormalNormal(**GAMMA), DATA),
    "OR": (bm.BinomialNormal(measure="OR", **GAMMA), COUNTS),
    "totals": (bm.HypergeometricNormal(**GAMMA), COUNTS),
    "IRR": (bm.PoissonNormal(**GAMMA), TIMES),
    "PLO": (bm.ProportionNormal(**GAMMA), ARMS),
    "IRLN": (bm.IncidenceNormal(**GAMMA), RATES),
    "outliers": (MIXTURE, DATA),
}


@pytest.mark.deep("two graphs for each model: 3 s in all", but=["estimates", "outliers"])
@pytest.mark.parametrize(("model", "data"), PRINTED.values(), ids=PRINTED)
def test_the_printed_source_runs_and_is_the_model_that_is_sampled(model, data):
    from pytensor.compile.mode import Mode

    from bayesmeta.engines.graph.build import build
    from bayesmeta.engines.sampling.inputs import columns_for

    with float64():
        space = {"study": list(data.study), **data.numbers}
        exec(pymc_source(model), space)
        sampled = build(model, data.study, columns_for(model, data))
        printed, ours = (
            one.compile_logp(jacobian=False, mode=Mode("py", None))
            for one in (space["model"], sampled)
        )
        for shift in (0.0, 0.3):
            start = space["model"].initial_point()
            point = {name: np.asarray(x) + shift for name, x in start.items()}
            at = dict(point)
            if "weight_log__" in at:  # the same weight, on the scale that is sampled
                a = np.exp(at["df_log__"]) / 2
                at["weight_scaled__"] = at.pop("weight_log__") / np.sqrt(1 / a + 1 / a**2)
            assert float(printed(point)) == pytest.approx(float(ours(at)), abs=1e-5)


def test_the_scale_of_the_weights_has_its_jacobian():
    from bayesmeta.engines.graph.parts import Scaled

    with float64():
        import pytensor.tensor as pt

        value, step, scaled = pt.dscalar(), 1e-6, Scaled()
        inputs = (None, None, pt.constant(1.7), pt.constant(0.6))
        back, log_slope = scaled.backward(value, *inputs), scaled.log_jac_det(value, *inputs)
        there = scaled.forward(back, *inputs)
        for x in (-2.0, 0.4):
            slope = (back.eval({value: x + step}) - back.eval({value: x - step})) / (2 * step)
            assert np.log(slope) == pytest.approx(float(log_slope.eval({value: x})), abs=1e-8)
            assert float(there.eval({value: x})) == pytest.approx(x, abs=1e-12)


def test_the_models_say_themselves_in_mathematics():
    lines = "\n".join(mathematics(UNKNOWN))
    assert "θᵢ ~ Student-t(ν, μ, τ)" in lines
    assert "ν ~ Gamma(2, 0.1)" in lines
    lines = "\n".join(mathematics(MIXTURE))
    assert "θᵢ ~ (1 − π) Normal(μ, τ) + π Normal(μ, √(τ² + κ²))" in lines
    assert "π ~ Beta(1, 9)" in lines
    assert "κ ~ HalfNormal(1)" in lines


def test_nuts_fits_what_the_exact_engine_refuses_in_a_sentence():
    for model, words in (
        (UNKNOWN, r"as a number, not df=Gamma\(2, 0.1\)"),
        (MIXTURE, "cannot fit"),
    ):
        assert isinstance(default_engine(model), bm.NUTS)
        with pytest.raises(bm.ModelError, match=rf"{words}.*use NUTS\(seed=...\)"):
            bm.fit(model, DATA, bm.Quadrature())
    with pytest.raises(bm.ModelError, match=r"with unknown df needs proper priors, not tau=Flat"):
        bm.fit(bm.NormalNormal(mu=MU, tau=bm.Flat(), df=bm.Gamma(2, 1)), DATA)
    with pytest.raises(bm.ModelError, match=r"OutlierMixture needs proper priors, not spread=Flat"):
        bm.fit(bm.OutlierMixture(mu=MU, tau=TAU, share=bm.Beta(1, 9), spread=bm.Flat()), DATA)
    with pytest.raises(bm.ModelError, match="needs a fit of OutlierMixture, not of NormalNormal"):
        bm.outliers(bm.fit(bm.NormalNormal(mu=MU, tau=TAU), DATA))


@pytest.mark.deep("a program of its own, run for each table: 5 s")
def test_many_tables_are_fitted_one_by_one():
    arrays = {"y": np.array([Y]), "se": np.array([SE])}
    row = bm.fit_many(UNKNOWN, arrays).iloc[0]
    assert row["engine"].startswith("NUTS")
    assert row["mu_mean"] == fitted(UNKNOWN)["mu"].mean()
    row = bm.fit_many(KNOWN, arrays).iloc[0]  # and not as if the study effects were normal
    normal = bm.fit_many(bm.NormalNormal(mu=MU, tau=TAU), arrays).iloc[0]
    assert row["mu_mean"] == pytest.approx(0.1252, abs=1e-4)
    assert normal["mu_mean"] == pytest.approx(0.3979, abs=1e-4)
