"""Several outcomes by NUTS: the density, and the posterior against brute force and closed forms."""

import re
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pymc as pm
import pytest
from agreement import assert_quantiles
from arviz_stats.base import array_stats
from numpy.testing import assert_allclose, assert_array_equal
from pytensor.compile.mode import Mode
from references import cases, document
from scipy import special, stats
from tolerances import CLOSED_FORM, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.engines import pymc_source
from bayesmeta.engines.compiled.precision import float64
from bayesmeta.engines.graph.build import build
from bayesmeta.engines.graph.functions import density
from bayesmeta.engines.sampling import nuts
from bayesmeta.files import to_datatree
from bayesmeta.multivariate import matrices
from bayesmeta.priors import log_density
from bayesmeta.simulate import parameters, replicate
from bayesmeta.summaries import density_rows, forest_rows

ABSENT = np.nan
MU, TAU = bm.Normal(0, 1), bm.HalfNormal(0.5)
PLAIN = Mode(linker="py", optimizer=None)
SUFFIX = re.compile("_(log|interval|logodds)__$")


@cache
def berkey(gaps=()):
    stored = cases("berkey1998")["data"]
    y, se = np.array(stored["y"]), np.array(stored["se"])
    for i, j in gaps:
        y[i, j] = se[i, j] = ABSENT
    return bm.MultivariateEffects(
        study=stored["study"],
        outcome=stored["outcome"],
        y=y,
        se=se,
        correlation=stored["correlation"],
    )


def three():
    """Three outcomes with gaps of every kind, and correlations of their own in each study."""
    rng = np.random.default_rng(5)
    reported = np.array(list(product([True, False], repeat=3))[:-1])
    k = len(reported)
    correlation = matrices(rng.uniform(-0.4, 0.6, (k, 3)), 3)
    return bm.MultivariateEffects(
        study=tuple("ABCDEFG"),
        outcome=("x", "y", "z"),
        y=np.where(reported, rng.normal(0, 1, (k, 3)), ABSENT),
        se=np.where(reported, rng.uniform(0.1, 0.5, (k, 3)), ABSENT),
        correlation=correlation,
    )


def model(**changed):
    return bm.MultivariateNormal(**{"mu": MU, "tau": TAU, "rho": bm.Uniform(-1, 1)} | changed)


NAMED = {"x": bm.Normal(0, 1), "y": bm.StudentT(3, 0, 1), "z": bm.Normal(0.2, 2)}
SPREAD = {"x": TAU, "y": bm.HalfCauchy(0.3), "z": bm.LogNormal(-1, 1)}
THREE = model(mu=NAMED, tau=SPREAD, rho=bm.LKJ(1.7))
FORMS = {
    "known": (THREE, three()),
    "unknown": (replace(THREE, within=bm.Uniform(-0.3, 0.9)), replace(three(), correlation=None)),
    "two": (model(rho=bm.Uniform(-0.2, 1)), berkey()),
}


def made(law, data):
    return density(build(law.numbered(data), data.study, data.numbers))


def position(density, seed=2):
    rng = np.random.default_rng(seed)
    return {name: np.float64(rng.normal(0, 0.7)) for name in density.shapes}


@pytest.mark.deep("a graph of three outcomes, each pattern of gaps: 1.5 s a form", but=["two"])
@pytest.mark.parametrize("form", FORMS)
def test_the_likelihood_is_the_normal_law_of_what_each_study_reports(form):
    law, data = FORMS[form]
    with float64():
        density = made(law, data)
        at = position(density)
        natural = density.parameters(at, density.data)
        found = density.log_likelihood(at, density.data)
    tau, rho = np.array(natural["tau"]), np.atleast_1d(natural["rho"])
    between = matrices(rho, data.p) * tau[:, None] * tau
    sampling = data.sampling(natural.get("within"))
    for i in range(data.k):
        there = np.flatnonzero(data.reported[i])
        total = (sampling[i] + between)[np.ix_(there, there)]
        by_hand = stats.multivariate_normal(np.array(natural["mu"])[there], total)
        assert_allclose(found[i], by_hand.logpdf(data.y[i, there]), rtol=1e-11, atol=1e-11)


def log_lkj(rho, eta):
    """Log density of three correlations (Lewandowski, Kurowicka & Joe 2009, equation 16)."""
    p, total = 3, (eta - 1) * np.linalg.slogdet(matrices(rho, 3))[1]
    for k in range(1, p):
        a = eta + (p - k - 1) / 2
        total -= (p - k) * ((2 * eta - 2 + p - k) * np.log(2) + special.betaln(a, a))
    return total


@pytest.mark.deep("slopes by differences: 1 to 2 s a form", but=["two"])
@pytest.mark.parametrize("form", FORMS)
def test_the_prior_is_the_product_of_the_priors_and_the_jacobian(form):
    asked, data = FORMS[form]
    law, step = asked.numbered(data), 1e-5
    with float64():
        density = made(asked, data)
        at = position(density, seed=3)

        def natural(at):
            found = density.parameters(at, density.data)
            alone = {SUFFIX.sub("", name): found[SUFFIX.sub("", name)] for name in density.shapes}
            return found, alone

        found, alone = natural(at)
        wanted = 0.0
        for name, prior in law.priors.items():
            if not isinstance(prior, bm.LKJ):
                wanted += float(log_density(prior, np.asarray(alone[name])))
        slopes = {}
        for name in density.shapes:
            ends = [natural({**at, name: at[name] + sign * step})[0] for sign in (1, -1)]
            slopes[name] = {
                one: (np.asarray(ends[0][one]) - np.asarray(ends[1][one])) / (2 * step)
                for one in (SUFFIX.sub("", name), "rho")
            }
        vine = [name for name in density.shapes if name.startswith("partial")]
        for name in set(density.shapes) - set(vine):
            wanted += np.log(slopes[name][SUFFIX.sub("", name)])
        if vine:
            wanted += log_lkj(np.asarray(found["rho"]), law.rho.eta)
            wanted += np.linalg.slogdet([slopes[name]["rho"] for name in vine])[1]
        assert float(density.log_prior(at, density.data)) == pytest.approx(wanted, abs=1e-7)


def test_lkj_for_two_outcomes_is_its_beta_form():
    with float64():
        density = made(model(rho=bm.LKJ(2.5)), berkey())
        at = position(density)
        natural = density.parameters(at, density.data)
        half = float(natural["partial[1,2]"])
        rest = sum(
            float(log_density(prior, np.asarray(natural[f"{name}[{i}]"])))
            for name, prior in (("mu", MU), ("tau", TAU))
            for i in (1, 2)
        )
        rest += sum(at[f"tau[{i}]_log__"] for i in (1, 2)) + np.log(half * (1 - half))
        wanted = rest + stats.beta(2.5, 2.5).logpdf(half)
        assert float(density.log_prior(at, density.data)) == pytest.approx(wanted, abs=1e-9)
        assert float(natural["rho"]) == pytest.approx(2 * half - 1, abs=1e-14)


def test_gaps_and_padding_add_exactly_nothing():
    data = three()
    with float64():
        density = made(THREE, data)
        at = position(density)
        table = {**density.data, **nuts.pad(data.numbers, 16)}
        found = np.asarray(density.log_likelihood(at, table))
        assert_array_equal(found[data.k :], np.zeros(16 - data.k))
        assert_allclose(found[: data.k], density.log_likelihood(at, density.data), rtol=1e-14)
        both = data.reported[:, :2].any(axis=1)
        two = bm.MultivariateEffects(
            study=np.array(data.study)[both],
            outcome=("x", "y"),
            y=data.y[both, :2],
            se=data.se[both, :2],
            correlation=data.correlation[both, :2, :2],
        )
        names = {"mu": dict(list(NAMED.items())[:2]), "tau": dict(list(SPREAD.items())[:2])}
        natural = density.parameters(at, density.data)
        smaller = made(model(**names), two)
        rho = float(natural["rho"][0])
        here = {name: at[name] for name in smaller.shapes if name in at}
        here["rho_interval__"] = np.log1p(rho) - np.log1p(-rho)
        without = smaller.log_likelihood(here, smaller.data)
        only_two = np.isnan(data.y[both, 2])
        assert_allclose(found[: data.k][both][only_two], without[only_two], **CLOSED_FORM)


@pytest.mark.deep("two graphs a model: 1 s", but=["known"])
@pytest.mark.parametrize(
    "law",
    [
        model(mu={"PD": MU, "AL": bm.Normal(0, 2)}),
        model(mu={"PD": MU, "AL": MU}, within=bm.Uniform(0, 0.9)),
    ],
    ids=["known", "unknown within"],
)
def test_the_printed_source_is_the_model_that_is_sampled(law):
    data = berkey(((2, 1), (3, 0)))
    space = {"study": list(data.study), "y": data.y, "se": data.se, "within": data.correlation}
    if law.within is not None:
        data = replace(data, correlation=None)
    with float64():
        exec(pymc_source(law), space)
        printed, sampled = space["model"], made(law, data)
        at = position(sampled)
        names = {"[1]": "[PD]", "[2]": "[AL]"}
        same = {re.sub(r"\[\d]", lambda m: names[m[0]], name): one for name, one in at.items()}
        every = printed.logp(vars=printed.observed_RVs, sum=True)
        value = printed.compile_fn(every, mode=PLAIN, point_fn=True)(same)
        wanted = np.asarray(sampled.log_likelihood(at, sampled.data)).sum()
        assert float(value) == pytest.approx(wanted, abs=1e-7)


def test_the_printed_source_has_lkj_for_three_outcomes():
    data = three()
    space = {"study": list(data.study), "y": data.y, "se": data.se, "within": data.correlation}
    exec(pymc_source(THREE), space)
    assert len(space["model"].observed_RVs) == data.k
    assert "rho" in space["model"].named_vars


STORED = document("brute_multivariate")


@cache
def fitted(name):
    case = STORED["cases"][name]
    data = berkey(tuple(map(tuple, case["gaps"])))
    rho = bm.Uniform(-1, 1) if case["eta"] == 1 else bm.LKJ(case["eta"])
    within = bm.Uniform(0, 0.9) if case["unknown_within"] else None
    if within:
        data = replace(data, correlation=None)
    return bm.fit(model(rho=rho, within=within), data, bm.NUTS(seed=4, target_accept=0.95))


@cache
def with_a_third_outcome():
    """Two studies more, of an outcome that no other study reports.

    Under LKJ(1) of three the correlation of any two has the law that LKJ(1.5) of two gives it.
    """
    few = berkey(tuple(map(tuple, STORED["cases"]["gaps"]["gaps"])))
    gap = np.full((5, 1), ABSENT)
    alone = [[ABSENT, ABSENT, 0.3], [ABSENT, ABSENT, -0.2]]
    correlation = np.tile(np.eye(3), (7, 1, 1))
    correlation[:5, :2, :2] = few.correlation
    data = bm.MultivariateEffects(
        study=(*few.study, "6", "7"),
        outcome=(*few.outcome, "X"),
        y=np.r_[np.c_[few.y, gap], alone],
        se=np.r_[np.c_[few.se, gap], np.abs(alone)],
        correlation=correlation,
    )
    return bm.fit(model(rho=bm.LKJ(1)), data, bm.NUTS(seed=6, target_accept=0.95))


def assert_mean(values, wanted, name):
    error = float(array_stats.mcse(values, method="mean"))
    assert abs(values.mean() - wanted) <= STANDARD_ERRORS * error, name


def assert_moments(values, mean, sd, name):
    assert_mean(values, mean, name)
    error = float(array_stats.mcse(values, method="sd"))
    assert abs(values.std() - sd) <= STANDARD_ERRORS * error, name


def assert_brute(posterior, name):
    assert posterior.diagnostics.passed, posterior.diagnostics.failures
    draws, case = posterior.draws()["posterior"], STORED["cases"][name]
    mu, tau, new = (draws[one].values[..., :2] for one in ("mu", "tau", "theta_new"))
    rho = draws["rho"].values if draws["rho"].ndim == 2 else draws["rho"].values[..., 0]
    assert_moments(rho, case["rho"]["mean"], case["rho"]["sd"], "rho")
    assert_quantiles(rho, STORED["at"]["rho"], "rho", case["rho"]["below"])
    mean = np.array(case["mu"]["mean"])
    for j in range(2):
        sd = case["mu"]["covariance"][j][j] ** 0.5
        assert_moments(mu[..., j], mean[j], sd, f"mu {j}")
        assert_quantiles(mu[..., j], STORED["at"]["mu"][j], f"mu {j}", case["mu"]["below"][j])
        assert_moments(tau[..., j], case["tau"]["mean"][j], case["tau"]["sd"][j], f"tau {j}")
        assert_quantiles(tau[..., j], STORED["at"]["tau"], f"tau {j}", case["tau"]["below"][j])
    for which, values in (("mu", mu), ("theta_new", new)):
        both = (values - mean)[..., 0] * (values - mean)[..., 1]
        assert_mean(both, case[which]["covariance"][0][1], which)
        assert_moments(values[..., 1], mean[1], case[which]["covariance"][1][1] ** 0.5, which)
    if case["unknown_within"]:
        within = draws["within"].values
        assert_moments(within, case["within"]["mean"], case["within"]["sd"], "within")


@pytest.mark.deep("a program a case: 1 s, 5 where none is stored", but=["gaps"])
@pytest.mark.parametrize("name", STORED["cases"])
def test_the_posterior_is_that_of_brute_force(name):
    assert STORED["cases"][name]["change"] < 1e-4  # of the last refinement
    assert_brute(fitted(name), name)


@pytest.mark.deep("a program for three outcomes: 1 s, 8 where none is stored")
def test_a_third_outcome_that_nothing_connects_changes_nothing():
    assert_brute(with_a_third_outcome(), "gaps")


def shared(posterior):
    draws = posterior.sample(None, 0)
    p = posterior.data.p
    mu, tau = (draws[name].reshape(-1, p) for name in ("mu", "tau"))
    between = matrices(draws["rho"].reshape(len(mu), -1), p) * tau[:, :, None] * tau[:, None]
    return draws, mu, between


def test_draws_of_the_overall_effects_keep_the_correlation_of_generalised_least_squares():
    """Of mu given tau and rho, in closed form, averaged over the draws of these."""
    _, mu, between = shared(fitted("known"))
    data = berkey()
    weight = np.linalg.inv(data.sampling() + between[:, None])
    covariance = np.linalg.inv(weight.sum(axis=1) + np.eye(2))
    centre = np.einsum("nab,nkbc,kc->na", covariance, weight, data.y)
    whole = covariance.mean(axis=0) + np.cov(centre.T)
    implied = whole[0, 1] / np.sqrt(whole[0, 0] * whole[1, 1])
    found = np.corrcoef(mu.T)[0, 1]
    size = min(row["ess_bulk"] for row in fitted("known").convergence.values())
    assert abs(found - implied) <= STANDARD_ERRORS * (1 - implied**2) / size**0.5
    assert implied > 0.1


@pytest.mark.deep("a program a case: 1 s, 5 where none is stored", but=["gaps"])
@pytest.mark.parametrize("name", ["gaps", "unknown within"])
def test_study_effects_have_their_conditional_law(name):
    """Mean and covariance given the rest, also of what a study does not report."""
    posterior = fitted(name)
    data, (draws, mu, between) = posterior.data, shared(posterior)
    theta = draws["theta"].reshape(-1, 5, 2)
    within = draws["within"].reshape(-1) if "within" in draws else None
    sampling = np.broadcast_to(data.sampling(within), (len(mu), 5, 2, 2))
    for i in range(data.k):
        there = np.flatnonzero(data.reported[i])
        total = (sampling[:, i] + between)[:, there][:, :, there]
        reach = between[:, :, there] @ np.linalg.inv(total)
        centre = mu + (reach @ (data.y[i, there] - mu[:, there])[..., None])[..., 0]
        rest = theta[:, i] - centre
        assert (
            np.abs(rest.mean(axis=0)) <= STANDARD_ERRORS * rest.std(axis=0) / len(mu) ** 0.5
        ).all()
        wanted = between - reach @ between[:, there]
        apart = rest[:, :, None] * rest[:, None] - wanted
        error = apart.std(axis=0) / len(mu) ** 0.5
        assert (np.abs(apart.mean(axis=0)) <= STANDARD_ERRORS * error).all()


@pytest.mark.deep("a program for three outcomes: 1 s, 8 where none is stored")
def test_everything_has_the_names_of_its_outcomes_pairs_and_studies():
    posterior = with_a_third_outcome()
    assert posterior["mu"].study == ("PD", "AL", "X")
    assert posterior["rho"].study == ("PD, AL", "PD, X", "AL, X")
    assert posterior["rho"]["PD, X"].mean() == posterior["rho"].mean()[1]
    assert posterior["theta"].study[:3] == ("1, PD", "1, AL", "1, X")
    draws = posterior.draws()["posterior"]
    assert draws["theta"].dims == ("chain", "draw", "study", "outcome")
    assert draws["rho"].dims == ("chain", "draw", "pair")
    assert_array_equal(
        draws["theta"].sel(study="2", outcome="AL"), posterior["theta"]["2, AL"].values
    )
    rows = bm.summary(posterior).index
    assert {"mu[PD]", "tau[X]", "rho[AL, X]", "theta[7, X]", "theta_new[AL]"} <= set(rows)
    assert set(posterior.convergence) == set(rows)
    some = posterior.sample(50, 1)
    assert some["mu"].shape == (1, 50, 3)
    assert posterior["tau"]["X"].pdf(-0.1) == 0
    with pytest.raises(bm.ModelError, match="'Y' is not an outcome of this fit: PD, AL, X"):
        posterior["mu"]["Y"]


def test_cautions_name_the_outcomes_and_pairs_that_few_studies_report():
    said = with_a_third_outcome().cautions
    assert said[0].startswith(
        "With 4 studies tau of PD rests largely on its prior, HalfNormal(0.5)"
    )
    assert said[-1].startswith(
        "Few studies report both outcomes of PD, AL (3); PD, X (0); AL, X (0)"
    )
    assert len(fitted("known").cautions) == 1


def test_moments_that_do_not_exist_are_not_given():
    law = model(mu=NAMED, tau=SPREAD, rho=bm.LKJ(1))
    found = nuts._moments(law, three())
    assert found["tau[0]"] == 2
    assert found["tau[1]"] == 2
    few = three().keep(np.array([True, *[False] * 6]))
    assert nuts._moments(law, few)["theta_new[1]"] == 1
    assert nuts._moments(law, few)["tau[0]"] == 2


@pytest.mark.deep("builds a program without what is stored: 3 s, 10 where nothing is")
def test_outcomes_of_other_names_and_numbers_share_one_traced_program(monkeypatch):
    monkeypatch.setattr(nuts, "stored_program", lambda *_: None)
    nuts._program.cache_clear()
    nuts.TRACES.clear()
    engine = bm.NUTS(seed=1, draws=100, tune=100, chains=2)
    other = replace(berkey(), outcome=("first", "second")).keep(np.arange(5) < 3)
    bm.fit(model(), berkey(), engine)
    bm.fit(model(mu={"first": bm.Normal(1, 2), "second": bm.Normal(0, 3)}), other, engine)
    assert len(nuts.TRACES) == 1
    nuts._program.cache_clear()


def test_each_outcome_stands_beside_its_own_studies_alone():
    posterior = fitted("known")
    table = bm.compare_outcomes(posterior, prob=0.9)
    for name in ("PD", "AL"):
        alone = bm.fit(bm.NormalNormal(mu=MU, tau=TAU), berkey().effects(name))["mu"]
        row = table.loc[name]
        assert row["mean_alone"] == pytest.approx(alone.mean(), abs=1e-12)
        assert (row["lower_alone"], row["upper_alone"]) == pytest.approx(alone.interval(0.9))
        assert row["sd"] == posterior["mu"][name].sd()
        wide = row["upper"] - row["lower"], row["upper_alone"] - row["lower_alone"]
        assert row["width_ratio"] == pytest.approx(wide[0] / wide[1])
        assert row["borrowed"] == pytest.approx(1 - (row["sd"] / row["sd_alone"]) ** 2)
    correlation = table[["correlation[PD]", "correlation[AL]"]].to_numpy()
    mu = posterior.sample(None, 0)["mu"].reshape(-1, 2)
    assert_allclose(correlation, np.corrcoef(mu.T), **CLOSED_FORM)
    with pytest.raises(bm.ModelError, match="takes a posterior of MultivariateNormal, not of Norm"):
        bm.compare_outcomes(bm.fit(bm.NormalNormal(mu=MU, tau=TAU), berkey().effects("PD")))


@pytest.mark.deep("a program of its own: 1 s, 5 where none is stored")
def test_an_outcome_that_half_the_studies_report_borrows_what_theory_says():
    """With tau and rho all but known: less the share of y that x explains, where x is alone."""
    tau, rho, se, k = 0.4, 0.9, 0.1, 20
    y, there = np.linspace(-1, 1, 2 * k).reshape(k, 2), np.ones((k, 2), bool)
    there[k // 2 :, 1] = False
    data = bm.MultivariateEffects(
        study=tuple(map(str, range(k))),
        outcome=("x", "y"),
        y=np.where(there, y, ABSENT),
        se=np.where(there, se, ABSENT),
        correlation=0.3,
    )
    law = model(tau=bm.LogNormal(np.log(tau), 0.01), rho=bm.Uniform(rho - 0.01, rho + 0.01))
    table = bm.compare_outcomes(bm.fit(law, data, bm.NUTS(seed=2)))
    explained = ((rho * tau**2 + 0.3 * se**2) / (tau**2 + se**2)) ** 2
    assert table.loc["y", "borrowed"] == pytest.approx(explained / 2, abs=0.05)
    assert table.loc["y", "width_ratio"] == pytest.approx((1 - explained / 2) ** 0.5, abs=0.05)
    assert table.loc["x", "borrowed"] == pytest.approx(0, abs=0.08)


def test_the_pymc_model_draws_the_law_that_the_simulator_draws():
    data = three()
    law = replace(THREE, tau=TAU, mu=dict.fromkeys("xyz", MU))
    graph = build(law.numbered(data), data.study, data.numbers)
    theirs = pm.draw(graph["y_observed"], draws=400, random_seed=1, mode=PLAIN)
    drawn = parameters(law, data.k, 4000, seed=2)
    ours = np.nan_to_num(replicate(law, drawn, data, seed=3)["y"])
    for power in (1, 2):
        pairs = [one[:, :, :1] * one if power == 2 else one for one in (theirs, ours)]
        error = np.sqrt(sum(one.var(axis=0) / len(one) for one in pairs))
        assert (np.abs(pairs[0].mean(axis=0) - pairs[1].mean(axis=0)) <= 4 * error + 1e-12).all()


@pytest.mark.deep("programs of its own: 1 s, 10 where none is stored")
def test_the_page_about_several_outcomes_runs_and_says_what_it_finds():
    text = (Path(__file__).parents[2] / "docs" / "multivariate.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found: dict = {}
    exec(compile(code, "multivariate.md", "exec"), found)
    beside, reml = found["beside"], found["reml"]
    assert found["posterior"].diagnostics.passed
    for name in ("PD", "AL"):
        row = beside.loc[name]
        assert f"{row['mean_alone']:.3f} ({row['sd_alone']:.3f})" in text
        j = reml.outcome.index(name)
        assert f"{reml.estimate[j]:.3f} ({reml.se[j]:.3f})" in text
    correlation = reml.covariance[0, 1] / reml.se.prod()
    assert f"| {correlation:.2f} |" in text
    assert found["both"] == pytest.approx(0.33, abs=0.02)
    assert beside.loc["AL", "correlation[PD]"] == pytest.approx(0.22, abs=0.04)


@pytest.mark.parametrize(
    "verb",
    [
        lambda fit: bm.posterior_predictive(fit, seed=1),
        lambda fit: bm.prior_predictive(fit.model, fit.data, seed=1),
        lambda fit: bm.check(fit, seed=1),
        lambda fit: bm.compare({"both": fit}),
        to_datatree,
        forest_rows,
        density_rows,
    ],
)
def test_what_has_room_for_one_outcome_refuses_several_and_says_what_would_do(verb):
    with pytest.raises(bm.ModelError, match=r"one outcome; of several use compare_outcomes"):
        verb(fitted("known"))


def test_what_cannot_be_said_of_several_outcomes_is_refused():
    posterior = fitted("known")
    with pytest.raises(bm.ModelError, match="no density of a study's result by itself"):
        bm.loo(posterior)
    with pytest.raises(bm.ModelError, match="use multivariate_random_effects"):
        bm.random_effects(posterior.data)
    mixed = replace(posterior, data=replace(posterior.data, measure=("OR", "MD")))
    assert "mu[AL]" in bm.summary(mixed).index
    with pytest.raises(bm.ModelError, match="no common scale"):
        bm.summary(mixed, scale="natural")
    ratios = replace(posterior, data=replace(posterior.data, measure=("OR", "OR")))
    natural = bm.summary(ratios, scale="natural")
    assert natural.loc["mu[PD]", "median"] == pytest.approx(
        np.exp(posterior["mu"]["PD"].quantile(0.5))
    )
