"""Coefficients of counts and arms by integration, against brute force and other programs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from scipy.interpolate import CubicSpline

import bayesmeta as bm
from bayesmeta.engines.covariates.regress import integrate_regression
from bayesmeta.engines.covariates.tables import Smearing
from bayesmeta.engines.exact.grid_size import Resolution
from bayesmeta.engines.likelihood.points import Grid

ROOT = Path(__file__).parents[1]
BCG = bm.BinaryStudies.from_frame(pd.read_csv(ROOT.parent / "examples" / "bcg" / "bcg.csv"))
X = [-1.5, 0.2, 0.4, 0.9]
GROUP = ["a", "b", "a", "b"]
TABLES = {  # events and sizes (or person-time) of treatment, then of control
    "OR": ([3, 8, 0, 12], [40, 35, 25, 60], [6, 9, 4, 20], [41, 33, 27, 58]),
    "IRR": ([3, 8, 0, 12], [40.5, 35, 25, 60], [6, 9, 4, 20], [41, 33.25, 27, 58]),
    "RR": ([3, 8, 5, 12], [40, 35, 25, 60], [6, 9, 7, 20], [41, 33, 27, 58]),
}
NEAR = 1e-5  # of a posterior SD


def studies(measure, p=2):
    columns = dict(zip(("a", "n1", "c", "n0"), map(np.array, TABLES[measure]), strict=True))
    covariates = {"x": X, "group": GROUP}
    names = ["one", "two", "three", "four"]
    if measure == "IRR":
        return bm.PersonTimeStudies(
            study=names,
            events_treatment=columns["a"],
            time_treatment=columns["n1"],
            events_control=columns["c"],
            time_control=columns["n0"],
            covariates=covariates,
        )
    return bm.BinaryStudies(
        study=names,
        events_treatment=columns["a"],
        n_treatment=columns["n1"],
        events_control=columns["c"],
        n_control=columns["n0"],
        covariates=covariates,
    )


def model(measure, formula="x", **more):
    mu = bm.Linear(formula, intercept=bm.Normal(0, 1.5), slopes=bm.Normal(0, 0.8))
    shared = {"mu": mu, "tau": bm.HalfNormal(0.5), "baseline": bm.Normal(0, 3), **more}
    if measure == "IRR":
        return bm.PoissonNormal(**shared)
    return bm.BinomialNormal(measure=measure, **shared)


def log_arms(measure, row, theta, beta):
    """Log probability of both arms at effects and baselines, by the definitions of the docs."""
    a, n1, c, n0 = row
    if measure == "IRR":
        up, down = n1 * np.exp(beta + theta / 2), n0 * np.exp(beta - theta / 2)
        return stats.poisson.logpmf(a, up) + stats.poisson.logpmf(c, down)
    if measure == "OR":
        p1, p0 = special.expit(beta + theta / 2), special.expit(beta - theta / 2)
    else:
        ratio = np.exp(theta)
        root = np.sqrt((1 - ratio) ** 2 + 4 * ratio * np.exp(-2 * beta))
        p0 = 2 / (1 + ratio + root)
        p1 = ratio * p0
    return stats.binom.logpmf(a, n1, p1) + stats.binom.logpmf(c, n0, p0)


def brute(measure, design):
    """Moments of coefficients and of tau on dense grids, baselines and effects one by one."""
    beta = np.linspace(-16, 16, 1601)
    theta = np.linspace(-16, 16, 801)
    prior = stats.norm(0, 3).logpdf(beta)
    node, weight = np.polynomial.legendre.leggauss(48)
    tau = 1.75 * (node + 1)
    z = np.linspace(-7.5, 7.5, 121)
    each = []
    for row in zip(*TABLES[measure], strict=True):
        log_l = special.logsumexp(
            log_arms(measure, row, theta[:, None], beta) + prior, axis=1
        ) + np.log(beta[1] - beta[0])
        each.append(CubicSpline(theta, log_l))
    p = design.shape[1]
    side = np.linspace(-1, 1, 61 if p == 2 else 33)
    centre = np.zeros(p)
    width = np.full(p, 6.0 if p == 2 else 4.5)
    mesh = np.stack(np.meshgrid(*[side] * p, indexing="ij"), axis=-1).reshape(-1, p)
    points = centre + width * mesh
    place = points @ design.T
    sd = np.array([1.5, *[0.8] * (p - 1)])
    log_prior = stats.norm(0, sd).logpdf(points).sum(axis=1)
    joint = np.empty((tau.size, len(points)))
    line = np.linspace(-13, 13, 651)
    for j, one in enumerate(tau):
        total = log_prior.copy()
        for i, spline in enumerate(each):
            smeared = special.logsumexp(
                spline(np.clip(line[:, None] + one * z, -16, 16)) + stats.norm.logpdf(z), axis=1
            ) + np.log(z[1] - z[0])
            total += CubicSpline(line, smeared)(place[:, i])
        joint[j] = total + np.log(weight[j]) + stats.halfnorm(0, 0.5).logpdf(one)
    cell = np.prod(width * (side[1] - side[0])) * 1.75
    log_z = special.logsumexp(joint) + np.log(cell)
    mass = np.exp(joint - special.logsumexp(joint))
    at = mass.sum(axis=0)
    mean = at @ points
    return log_z, mean, np.sqrt(at @ (points - mean) ** 2), mass.sum(axis=1) @ tau


@pytest.mark.parametrize("measure", ["OR", "IRR", "RR"])
def test_two_coefficients_equal_brute_force(measure):
    fit = bm.fit(model(measure), studies(measure))
    assert fit.exact
    assert fit.diagnostics.passed
    x = np.array(X) - np.mean(X)
    log_z, mean, sd, tau = brute(measure, np.column_stack([np.ones(4), x]))
    assert fit.log_marginal_likelihood == pytest.approx(log_z, abs=NEAR)
    assert [one.mean() for one in fit["coefficient"].each] == pytest.approx(
        mean, abs=NEAR * sd.min()
    )
    assert [one.sd() for one in fit["coefficient"].each] == pytest.approx(sd, rel=NEAR)
    assert fit["tau"].mean() == pytest.approx(tau, abs=NEAR * 0.3)


@pytest.mark.deep("three coefficients by brute force: 20 s")
def test_three_coefficients_equal_brute_force():
    fit = bm.fit(model("OR", "x + group"), studies("OR"))
    design = fit.model.location.design(fit.data).matrix
    log_z, mean, sd, tau = brute("OR", design)
    assert fit.log_marginal_likelihood == pytest.approx(log_z, abs=3 * NEAR)
    assert [one.mean() for one in fit["coefficient"].each] == pytest.approx(mean, abs=NEAR)
    assert [one.sd() for one in fit["coefficient"].each] == pytest.approx(sd, rel=NEAR)
    assert fit["tau"].mean() == pytest.approx(tau, abs=NEAR)


@pytest.mark.parametrize(
    "common",
    [pytest.param(False, marks=pytest.mark.deep("effects of 13 studies one by one: 20 s")), True],
)
def test_tables_of_estimates_equal_their_closed_form(common):
    data = bm.effect_sizes(BCG, measure="OR")
    mu = bm.Linear("latitude", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 0.2))
    tau = {} if common else {"tau": bm.HalfNormal(0.5)}
    chosen = (bm.CommonEffect if common else bm.NormalNormal)(mu=mu, **tau)
    closed, fit = bm.fit(chosen, data), integrate_regression(chosen, data, pytest.fail)
    probs = [0.001, 0.025, 0.5, 0.975, 0.999]
    assert fit.log_marginal_likelihood == pytest.approx(closed.log_marginal_likelihood, abs=1e-8)
    for new in (False, True):
        at = fit.at(latitude=20, new=new).quantile(probs)
        assert closed.at(latitude=20, new=new).cdf(at) == pytest.approx(probs, abs=1e-7)
    for name in closed.marginals:
        if name == "tau":
            assert closed["tau"].cdf(fit["tau"].quantile(probs)) == pytest.approx(probs, abs=1e-9)
        else:
            for one, other in zip(closed[name].each, fit[name].each, strict=True):
                assert one.cdf(other.quantile(probs)) == pytest.approx(probs, abs=1e-6)


def many(k=40, p=3):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(k, p - 1))
    se = rng.uniform(0.08, 0.9, k)
    y = 0.3 + x @ np.linspace(0.5, -0.4, p - 1) + rng.normal(0, np.hypot(se, 0.3))
    names = [f"x{i}" for i in range(1, p)]
    covariates = dict(zip(names, x.T, strict=True))
    data = bm.EffectSizes(study=range(k), y=y, se=se, measure="MD", covariates=covariates)
    return data, " + ".join(names)


@pytest.mark.parametrize(
    ("p", "slopes", "tau"),
    [
        (3, bm.Normal(0, 1), bm.HalfNormal(0.5)),
        (2, bm.Normal(4, 0.3), bm.HalfNormal(0.5)),  # in conflict with the data
        (2, bm.Normal(0, 100), bm.HalfNormal(10)),
        (3, bm.Normal(0, 100), bm.HalfCauchy(0.2)),
    ],
    ids=["40 studies", "conflict", "vague", "vague, heavy tail"],
)
def test_dozens_of_studies_equal_their_closed_form_under_any_prior(p, slopes, tau):
    data, formula = many(p=p)
    mu = bm.Linear(formula, intercept=bm.Normal(0, 2), slopes=slopes)
    chosen = bm.NormalNormal(mu=mu, tau=tau)
    closed, fit = bm.fit(chosen, data), integrate_regression(chosen, data, pytest.fail)
    assert fit.log_marginal_likelihood == pytest.approx(closed.log_marginal_likelihood, abs=1e-6)
    for name in ("coefficient", "tau"):
        ones = (closed[name], fit[name]) if name == "tau" else None
        pairs = [ones] if ones else zip(closed[name].each, fit[name].each, strict=True)
        for one, other in pairs:
            probs = [0.01, 0.5, 0.99]
            assert one.cdf(other.quantile(probs)) == pytest.approx(probs, abs=1e-6)


@pytest.mark.parametrize("df", [None, 4.0])
@pytest.mark.parametrize("tau", [0.0, 0.02, 0.2, 2.0])
def test_tables_are_the_integrals_over_study_effects_at_every_level(df, tau):
    grid, finest = Grid(0.0, 0.02, 8192), Resolution(0, 0.32, 0.1, 1e-9)
    peaks, widths = np.array([-0.5, 0.7]), np.array([0.06, 0.4])
    of_effects = np.exp(-0.5 * ((grid.points - peaks[:, None]) / widths[:, None]) ** 2)
    smearing = Smearing(of_effects, grid, df, finest)
    level = int(smearing.level(np.array([tau]))[0])
    tables = smearing.tables(level, np.array([tau]), -1.0, 1.2)
    at = np.linspace(-0.9, 1.1, 23)
    found = tables.at(np.ones((2, 1)), at[None, :, None], np.zeros(1, dtype=int))[0]
    law = stats.norm() if df is None else stats.t(df)
    theta = np.linspace(-4, 4, 40_001)
    expected = np.zeros(at.size)
    for peak, width in zip(peaks, widths, strict=True):
        own = np.exp(-0.5 * ((theta - peak) / width) ** 2)
        if tau == 0:
            expected += -0.5 * ((at - peak) / width) ** 2
        else:
            each = [own @ law.pdf((theta - one) / tau) / tau for one in at]
            expected += np.log(np.array(each) * 2e-4)
    inside = expected > -12  # beyond, the floor of the transform is near
    assert (level > 0) == (tau > (0.1 if df is None else 1.0))
    assert found[inside] == pytest.approx(expected[inside], abs=2e-6)


def test_draws_are_of_the_posterior_and_bring_effects_and_baselines():
    fit = bm.fit(model("OR"), studies("OR"))
    drawn = fit.draws(8000, seed=4).posterior
    assert set(drawn) == {"coefficient", "tau", "theta", "baseline"}
    flat = drawn["coefficient"].stack(n=("chain", "draw")).to_numpy()
    for one, values in zip(fit["coefficient"].each, flat, strict=True):
        uniform = one.cdf(values)
        assert stats.kstest(uniform, "uniform").pvalue > 1e-4
    effects = drawn["theta"].stack(n=("chain", "draw")).to_numpy()
    for one, values in zip(fit["theta"].each, effects, strict=True):
        assert stats.kstest(one.cdf(values), "uniform").pvalue > 1e-4
    tau = drawn["tau"].to_numpy().ravel()
    together = np.corrcoef(tau, flat[0])[0, 1]
    shared = fit.shared_draws(8000, seed=9)
    other = np.corrcoef(shared["tau"], shared["coefficient"][:, 0])[0, 1]
    assert together == pytest.approx(other, abs=0.05)


MULTINMA = bm.BinomialNormal(
    measure="OR",
    mu=bm.Linear("latitude", intercept=bm.Normal(0, 100), slopes=bm.Normal(0, 100)),
    tau=bm.HalfNormal(5),
    baseline=bm.Normal(0, 100),
    coding="zero_one",
)


def test_bcg_on_latitude_equals_what_multinma_prints():
    """Its Monte Carlo error: 0.02 of means and SDs, 0.01 of tail probabilities."""
    fit = bm.fit(MULTINMA, BCG)
    assert fit.exact
    assert fit["latitude"].mean() == pytest.approx(-0.03, abs=0.005)
    assert fit["latitude"].sd() == pytest.approx(0.01, abs=0.005)
    assert fit["intercept"].mean() == pytest.approx(-0.76, abs=0.02)
    assert fit["intercept"].sd() == pytest.approx(0.12, abs=0.02)
    assert fit["tau"].mean() == pytest.approx(0.30, abs=0.02)
    assert fit["tau"].sd() == pytest.approx(0.19, abs=0.02)
    places = [10, 20, 30, 40, 50]
    means = [fit.at(latitude=one).mean() for one in places]
    assert means == pytest.approx([-0.02, -0.33, -0.65, -0.97, -1.29], abs=0.02)
    sds = [fit.at(latitude=one).sd() for one in places]
    assert sds == pytest.approx([0.23, 0.16, 0.13, 0.14, 0.20], abs=0.02)
    above = [1 - fit.at(latitude=one, new=True).cdf(0.0) for one in (0, *places)]
    assert above == pytest.approx([0.798, 0.511, 0.135, 0.042, 0.014, 0.006], abs=0.012)


def test_statins_by_prevention_equal_what_multinma_prints():
    """TSD 3's example: 19 trials, coefficients of two groups from counts."""
    table = pd.read_csv(ROOT / "reference" / "statins.csv")
    arms = {arm: table[table["trtc"] == arm].set_index("studyn") for arm in ("Statin", "Placebo")}
    treated, control = arms["Statin"], arms["Placebo"].loc[arms["Statin"].index]
    data = bm.BinaryStudies(
        study=tuple(treated["studyc"].astype(str)),
        events_treatment=treated["r"].to_numpy(),
        n_treatment=treated["n"].to_numpy(),
        events_control=control["r"].to_numpy(),
        n_control=control["n"].to_numpy(),
        covariates={"secondary": (treated["prevention"] == "Secondary").to_numpy(float)},
    )
    wide = bm.Normal(0, 100)
    mu = bm.Linear("secondary", intercept=wide, slopes=wide, centre=False)
    fit = bm.fit(
        bm.BinomialNormal(
            measure="OR", mu=mu, tau=bm.HalfNormal(5), baseline=wide, coding="zero_one"
        ),
        data,
    )
    assert fit["secondary"].mean() == pytest.approx(-0.31, abs=0.02)
    assert fit["secondary"].sd() == pytest.approx(0.27, abs=0.02)
    assert fit["tau"].mean() == pytest.approx(0.25, abs=0.02)
    assert fit["tau"].sd() == pytest.approx(0.20, abs=0.02)
    assert fit["intercept"].mean() == pytest.approx(-0.06, abs=0.02)
    assert fit["intercept"].sd() == pytest.approx(0.21, abs=0.02)


def test_swapping_arms_changes_signs_alone():
    fit, data = bm.fit(model("OR"), studies("OR")), studies("OR")
    swapped = bm.BinaryStudies(
        study=data.study,
        events_treatment=data.events_control,
        n_treatment=data.n_control,
        events_control=data.events_treatment,
        n_control=data.n_treatment,
        covariates=dict(data.covariates),
    )
    other = bm.fit(fit.model, swapped.keep(["four", "two", "one", "three"]))
    assert other.log_marginal_likelihood == pytest.approx(fit.log_marginal_likelihood, abs=1e-8)
    assert other["x"].quantile(0.1) == pytest.approx(-fit["x"].quantile(0.9), abs=1e-7)


@pytest.mark.parametrize("measure", ["OR", "IRR", "RR"])
def test_bayes_factors_of_counts_are_ratios_of_evidences_of_other_fits(measure):
    """Without the slope it is the model with one mean, by an engine of its own."""
    data = studies(measure)
    fit = bm.fit(model(measure), data)
    table = bm.bayes_factors(fit).table()["log_bf01"]
    shared = {"tau": bm.HalfNormal(0.5), "baseline": bm.Normal(0, 3)}
    if measure == "IRR":
        plain = bm.PoissonNormal(mu=bm.Normal(0, 1.5), **shared)
    else:
        plain = bm.BinomialNormal(measure=measure, mu=bm.Normal(0, 1.5), **shared)
    without = bm.fit(plain, data).log_marginal_likelihood
    assert table["x = 0"] == pytest.approx(without - fit.log_marginal_likelihood, abs=2e-6)
    for name in ("intercept", "x"):  # Savage and Dickey
        sd = 1.5 if name == "intercept" else 0.8
        ratio = np.log(fit[name].pdf(0.0)) - stats.norm(0, sd).logpdf(0)
        assert table[f"{name} = 0"] == pytest.approx(ratio, abs=1e-5)
    at_zero = np.log(fit["tau"].pdf(0.0)) - stats.halfnorm(0, 0.5).logpdf(0)
    assert table["tau = 0"] == pytest.approx(at_zero, abs=1e-4)


def test_a_bayes_factor_of_the_only_coefficient_of_counts_is_by_no_effect_at_all():
    mu = bm.Linear("0 + x", intercept=bm.Normal(0, 1.5), slopes=bm.Normal(0, 0.8))
    fit = bm.fit(bm.HypergeometricNormal(mu=mu, tau=bm.HalfNormal(0.5)), studies("OR"))
    found = bm.bayes_factors(fit).table()["log_bf01"]
    ratio = np.log(fit["x"].pdf(0.0)) - stats.norm(0, 0.8).logpdf(0)
    assert found["x = 0"] == pytest.approx(ratio, abs=1e-5)


EVERYBODY = bm.BinaryStudies(
    study=("one", "two", "three"),
    events_treatment=[3, 6, 4],
    n_treatment=[40, 6, 20],
    events_control=[6, 3, 5],
    n_control=[41, 7, 21],
    covariates={"x": [0.0, 1.0, 3.0]},
)


def test_an_arm_of_a_risk_ratio_in_which_everybody_has_the_event_is_refused_by_name():
    with pytest.raises(bm.ModelError, match=r"as in two \(row 2\), and the effect is a risk ratio"):
        bm.fit(model("RR"), EVERYBODY, bm.Quadrature())


@pytest.mark.deep("a compiled sampler, 20 s")
def test_what_is_sampled_for_want_of_integration_says_why():
    fit = bm.fit(model("RR"), EVERYBODY)
    assert not fit.exact
    assert "Sampled, for the exact engine does not integrate" in fit.cautions[-1]


def test_too_many_coefficients_are_refused_by_the_exact_engine():
    with pytest.raises(bm.ModelError, match="4 coefficients of counts or arms at most"):
        bm.fit(model("OR", "bs(latitude, df=5)"), BCG, bm.Quadrature())


@pytest.mark.deep("a compiled sampler for each of three models, a minute")
@pytest.mark.parametrize(
    "chosen",
    [
        model("OR", "latitude + C(allocation)"),
        model("RR", "latitude"),
        bm.NormalNormal(
            mu=bm.Linear("latitude", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 0.1)),
            tau=bm.HalfNormal(0.5),
            df=4,
        ),
    ],
    ids=["OR", "RR", "Student-t"],
)
def test_sampling_agrees_with_integration(chosen):
    data = BCG if chosen.takes is bm.BinaryStudies else bm.effect_sizes(BCG, measure="OR")
    exact, drawn = bm.fit(chosen, data), bm.fit(chosen, data, bm.NUTS(seed=5))
    assert exact.exact
    for name in chosen.location.entries(data):
        error = drawn.convergence[f"coefficient[{name}]"]["mcse_mean"]
        assert abs(drawn[name].mean() - exact[name].mean()) < 4 * error
    error = drawn.convergence["tau"]["mcse_mean"]
    assert abs(drawn["tau"].mean() - exact["tau"].mean()) < 4 * error


def test_studies_left_out_are_predicted_as_well_as_evidence_says():
    """Given the margins nothing else of a table is known: its density is a ratio of evidences."""
    mu = bm.Linear("x", intercept=bm.Normal(0, 1.5), slopes=bm.Normal(0, 0.8))
    data = studies("OR")
    fit = bm.fit(bm.HypergeometricNormal(mu=mu, tau=bm.HalfNormal(0.5)), data)
    assert fit.exact
    kept = fit.model.kept(data)
    rest = [data.keep([one for one in data.study if one != name]) for name in data.study]
    each = [fit.log_marginal_likelihood - bm.fit(kept, one).log_marginal_likelihood for one in rest]
    found = bm.loo(fit)
    assert found.elpd == pytest.approx(each, abs=1e-5)
    assert set(found.how) <= {"exact", "refit"}


def test_priors_of_coefficients_stand_beside_their_posteriors():
    fit = bm.fit(model("OR"), studies("OR"))
    table = bm.prior_posterior(fit)
    assert table.loc["coefficient[x]", "prior"] == "Normal(0, 0.8)"
    assert table.loc["coefficient[x]", "prior_upper"] == pytest.approx(0.8 * 1.959964, abs=1e-5)
    assert list(table.index) == ["coefficient[intercept]", "coefficient[x]", "tau"]
