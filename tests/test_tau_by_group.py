"""A tau for each group: the product of the groups' posteriors, read as one."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import integrate

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.engines import groups, pymc_source
from bayesmeta.files import to_datatree
from bayesmeta.simulate import parameters
from bayesmeta.specification import load_specification

ROOT = Path(__file__).parents[1]
BCG = bm.BinaryStudies.from_frame(pd.read_csv(ROOT / "examples" / "bcg" / "bcg.csv"))
LOG_OR = bm.effect_sizes(BCG, measure="OR")
MU = bm.ByGroup("allocation", bm.Normal(0, 2))
TAU = bm.ByGroup("allocation", bm.HalfNormal(0.5))
LEVELS = ("alternate", "random", "systematic")
ON_ESTIMATES = bm.NormalNormal(mu=MU, tau=TAU)
MODELS = {
    "estimates": (ON_ESTIMATES, LOG_OR),
    "Student-t": (bm.NormalNormal(mu=MU, tau=TAU, df=4), LOG_OR),
    "counts": (bm.BinomialNormal(measure="OR", mu=MU, tau=TAU), BCG),
}


def by_hand(model, data, level):
    """The fit of one group, as if there were no other."""
    rows = np.array(data.covariates["allocation"]) == level
    kind = {"measure": "OR"} if isinstance(model, bm.BinomialNormal) else {"df": model.df}
    one = type(model)(mu=MU.prior, tau=TAU.prior, **kind)
    return bm.fit(one, data.keep(rows))


@pytest.mark.parametrize("name", MODELS)
def test_groups_with_their_own_tau_are_fitted_as_if_alone(name):
    model, data = MODELS[name]
    fit = bm.fit(model, data)
    assert fit.exact
    assert fit.diagnostics.passed
    alone = {level: by_hand(model, data, level) for level in LEVELS}
    table = bm.summary(fit)
    for level, own in alone.items():
        there = bm.summary(own)
        for ours, its in ((f"coefficient[allocation[{level}]]", "mu"), (f"tau[{level}]", "tau")):
            assert table.loc[ours].to_numpy() == pytest.approx(
                there.loc[its].to_numpy(), nan_ok=True
            )
        new = fit.at(allocation=level, new=True)
        assert new.quantile([0.1, 0.9]) == pytest.approx(own["theta_new"].quantile([0.1, 0.9]))
        for study in own.data.study[:1]:
            assert fit["theta"][study].mean() == pytest.approx(own["theta"][study].mean())
    total = sum(own.log_marginal_likelihood for own in alone.values())
    assert fit.log_marginal_likelihood == pytest.approx(total, abs=1e-10)


def test_a_difference_of_groups_is_one_of_independent_numbers():
    fit = bm.fit(ON_ESTIMATES, LOG_OR)
    found = fit.contrast({"allocation[random]": 1, "allocation[systematic]": -1})
    one, other = fit.at(allocation="random"), fit.at(allocation="systematic")
    assert found.mean() == pytest.approx(one.mean() - other.mean(), abs=1e-8)
    assert found.sd() == pytest.approx(np.hypot(one.sd(), other.sd()), rel=1e-7)
    for x in (-1.5, 0.0, 0.4):
        below = integrate.quad(
            lambda at, x=x: other.pdf(at) * one.cdf(x + at), -6, 6, epsabs=1e-12, limit=400
        )
        assert found.cdf(x) == pytest.approx(below[0], abs=1e-8)
    halves = fit.contrast({"allocation[random]": 0.5, "allocation[systematic]": -0.5})
    assert halves.quantile(0.9) == pytest.approx(found.quantile(0.9) / 2, abs=1e-7)


@pytest.mark.parametrize("name", ["Student-t", "counts"])
def test_a_difference_has_the_moments_of_a_sum(name):
    fit = bm.fit(*MODELS[name])
    found = fit.contrast({"allocation[random]": 1, "allocation[alternate]": -1})
    one, other = fit.at(allocation="random"), fit.at(allocation="alternate")
    assert found.mean() == pytest.approx(one.mean() - other.mean(), abs=1e-6)
    assert found.sd() == pytest.approx(np.hypot(one.sd(), other.sd()), rel=1e-5)


def test_a_difference_under_heavy_tails_is_had_in_little_room():
    mu, tau = bm.ByGroup("g", bm.StudentT(2, 0, 1)), bm.ByGroup("g", bm.HalfCauchy(1))
    data = bm.EffectSizes.from_arrays(
        list("abcd"), [0.1, 0.4, 0.3, 0.9], [0.2] * 4, covariates={"g": ["x", "x", "x", "y"]}
    )
    fit = bm.fit(bm.NormalNormal(mu=mu, tau=tau), data)
    found, one, other = fit.contrast({"g[y]": 1, "g[x]": -1}), fit.at(g="y"), fit.at(g="x")
    for x in (-2.0, 0.5, 3.0):
        edges = other.quantile([1e-9, 0.01, 0.2, 0.5, 0.8, 0.99, 1 - 1e-9])
        parts = [
            integrate.quad(lambda at, x=x: other.pdf(at) * one.cdf(x + at), low, high, limit=200)[0]
            for low, high in pairwise(edges)
        ]
        assert found.cdf(x) == pytest.approx(sum(parts), abs=1e-5)


def test_the_forest_weighs_studies_by_the_tau_of_their_group():
    fit = bm.fit(ON_ESTIMATES, LOG_OR)
    rows = bm.plots.forest(fit, rows=True)
    weights = rows.loc[rows["kind"] == "study", "weight"]
    probs = ((np.arange(200) + 0.5) / 200).tolist()
    own = dict(zip(LEVELS, fit["tau"].quantile(probs), strict=True))
    level = dict(zip(LOG_OR.study, LOG_OR.covariates["allocation"], strict=True))
    se = dict(zip(LOG_OR.study, LOG_OR.se, strict=True))
    each = np.array([1 / (se[name] ** 2 + own[level[name]] ** 2) for name in weights.index])
    assert weights.to_numpy() == pytest.approx((each / each.sum(axis=0)).mean(axis=1), abs=2e-3)
    assert "tau[random]" in rows.index


def test_draws_keep_groups_apart_and_studies_in_order():
    fit = bm.fit(ON_ESTIMATES, LOG_OR)
    drawn = fit.draws(20_000, seed=1)["posterior"]
    assert drawn["tau"].dims == ("chain", "draw", "group")
    assert tuple(drawn["group"].to_numpy()) == LEVELS
    assert drawn["theta"].mean(("chain", "draw")).to_numpy() == pytest.approx(
        fit["theta"].mean(), abs=0.03
    )
    flat = drawn["tau"].to_numpy().reshape(-1, 3)
    assert flat.mean(axis=0) == pytest.approx(fit["tau"].mean(), abs=0.01)
    off = np.corrcoef(flat.T)[np.triu_indices(3, 1)]
    assert np.abs(off).max() < 4 / np.sqrt(20_000)
    shared = fit.shared_draws(100, seed=2)
    assert shared["tau"].shape == shared["coefficient"].shape == (100, 3)


def density_of(model, data, values):
    """Log density of the printed source at values by name, without jacobians."""
    space = {"study": list(data.study), **data.numbers, "covariates": data.covariates}
    exec(pymc_source(model, data), space)
    graph = space["model"]
    inner = {
        value.name: np.log(values[rv.name]) if value.name.endswith("_log__") else values[rv.name]
        for rv, value in graph.rvs_to_values.items()
        if rv not in graph.observed_RVs
    }
    return float(graph.compile_logp(jacobian=False)(inner))


@pytest.mark.deep("four compiled graphs, 20 s")
def test_the_source_multiplies_the_groups_densities():
    rng = np.random.default_rng(1)
    z, expected, values = rng.normal(size=LOG_OR.k), 0.0, {}
    values["z"] = z
    for part in groups(ON_ESTIMATES, LOG_OR):
        own = {"mu": rng.normal(), "tau": rng.uniform(), "z": z[part.of]}
        values[f"coefficient[{part.name}]"] = own["mu"]
        values[f"tau[{part.level}]"] = own["tau"]
        expected += density_of(part.model, part.data, own)
    found = density_of(ON_ESTIMATES, LOG_OR, values)
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_source_without_data_has_as_many_taus_as_groups():
    assert 'shape=design["allocation"].shape[1]' in pymc_source(ON_ESTIMATES).splitlines()[-4]


def test_predictions_of_studies_are_those_within_their_group():
    found = bm.loo(bm.fit(ON_ESTIMATES, LOG_OR))
    alone = bm.loo(by_hand(ON_ESTIMATES, LOG_OR, "random"))
    rows = [found.study.index(name) for name in alone.study]
    assert found.elpd[rows] == pytest.approx(alone.elpd)


def test_a_group_of_one_study_has_its_prior_and_no_prediction():
    alternate = [
        n
        for n, g in zip(LOG_OR.study, LOG_OR.covariates["allocation"], strict=True)
        if g == "alternate"
    ]
    data = LOG_OR.keep([name for name in LOG_OR.study if name != alternate[0]])
    fit = bm.fit(ON_ESTIMATES, data)
    said = [one for one in fit.cautions if one.startswith("alternate")]
    assert said == [
        "alternate: One study says next to nothing about tau: its posterior is its prior, "
        "HalfNormal(0.5)."
    ]
    found = bm.loo(fit)
    assert found.how[found.study.index(alternate[1])] == "no other study of its group"
    assert found.missing == (alternate[1],)


def test_checks_and_files_take_it():
    fit = bm.fit(ON_ESTIMATES, LOG_OR)
    assert bm.posterior_predictive(fit, seed=1).study == LOG_OR.study
    tree = to_datatree(fit)
    assert tree["posterior"]["tau"].dims == ("chain", "draw", "group")
    assert tree["prior"]["tau"].shape == (1, *tree["prior"]["coefficient"].shape[1:])
    drawn = parameters(ON_ESTIMATES, LOG_OR.k, 5, seed=1, data=LOG_OR)
    assert drawn["tau"].shape == (5, 3)
    assert drawn["theta"].shape == (5, LOG_OR.k)
    table = bm.prior_posterior(fit)
    assert table.loc["tau[random]", "prior"] == "HalfNormal(0.5)"
    assert "tau[random] 0." in repr(fit).replace("…", "tau[random] 0.")


def test_simulated_studies_scatter_by_their_own_tau():
    wide = bm.NormalNormal(mu=MU, tau=bm.ByGroup("allocation", bm.Uniform(0, 5)))
    drawn = parameters(wide, LOG_OR.k, 4000, seed=3, data=LOG_OR)
    design = np.array([[g == level for level in LEVELS] for g in LOG_OR.covariates["allocation"]])
    z = (drawn["theta"] - drawn["coefficient"] @ design.T) / (drawn["tau"] @ design.T)
    assert z.std() == pytest.approx(1, abs=0.02)
    assert np.abs(z).max() < 6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mu": bm.Normal(0, 1)}, "goes with an effect for each"),
        ({"mu": bm.ByGroup("source", bm.Normal(0, 1))}, "goes with an effect for each"),
        ({"tau": bm.ByGroup("allocation", bm.Normal(0, 1))}, "cannot be negative"),
        ({"mu": bm.ByGroup("allocation", bm.Jeffreys())}, "is a prior of tau"),
    ],
)
def test_a_tau_for_each_group_needs_an_effect_for_each(given, said):
    with pytest.raises(bm.ModelError, match=said):
        bm.NormalNormal(**{"mu": MU, "tau": TAU, **given})


def test_what_ties_groups_together_is_refused():
    tied = bm.BinomialNormal(
        measure="OR", mu=MU, tau=TAU, baseline=bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1))
    )
    with pytest.raises(bm.ModelError, match="would tie groups together"):
        bm.fit(tied, BCG)


def test_its_bayes_factors_are_those_of_each_group():
    with pytest.raises(bm.ModelError, match="share nothing, and their Bayes factors"):
        bm.bayes_factors(bm.fit(ON_ESTIMATES, LOG_OR))


@pytest.mark.deep("a compiled sampler for three groups, 30 s")
def test_sampling_agrees_with_integration():
    exact = bm.fit(ON_ESTIMATES, LOG_OR)
    drawn = bm.fit(ON_ESTIMATES, LOG_OR, bm.NUTS(seed=5))
    assert not drawn.exact
    assert drawn.diagnostics.passed
    for name in ("coefficient[allocation[random]]", "tau[systematic]"):
        error = drawn.convergence[name]["mcse_mean"]
        ours, its = (bm.summary(one).loc[name, "mean"] for one in (drawn, exact))
        assert abs(ours - its) < 4 * error
    coefficients = drawn.sample(None, 0)["coefficient"].reshape(-1, 3)
    off = np.corrcoef(coefficients.T)[np.triu_indices(3, 1)]
    assert np.abs(off).max() < 0.1
    gap = {"allocation[random]": 1, "allocation[systematic]": -1}
    assert drawn.contrast(gap).sd() == pytest.approx(exact.contrast(gap).sd(), rel=0.1)
    assert drawn.contrast(gap).mean() == pytest.approx(exact.contrast(gap).mean(), abs=0.05)


SPEC = """
title = "BCG"

[[outcome]]
name = "tb"
title = "Tuberculosis"
data = "bcg.csv"
measure = "OR"
better = "lower"
mu = { by = "allocation", prior = "Normal(0, 2)" }
tau = { by = "allocation", prior = "HalfNormal(0.5)" }
"""


def specified(folder, old="", new=""):
    (folder / "bcg.csv").write_bytes((ROOT / "examples" / "bcg" / "bcg.csv").read_bytes())
    (folder / "spec.toml").write_text(SPEC.replace(old, new))
    return load_specification(folder / "spec.toml").specification


def test_a_specification_says_it(tmp_path):
    outcome = specified(tmp_path).outcome[0]
    assert outcome.words.tau == TAU
    with pytest.raises(bm.SpecError, match="a tau for each 'source' goes with an effect for each"):
        specified(tmp_path, 'tau = { by = "allocation"', 'tau = { by = "source"')
    with pytest.raises(bm.SpecError, match=r"key 'prior' is missing in \[\[outcome.tau\]\]"):
        specified(tmp_path, ', prior = "HalfNormal(0.5)"', "")


def test_the_command_line_says_it():
    table = str(ROOT / "examples" / "bcg" / "bcg.csv")
    asked = ["fit", table, "--measure", "OR", "--own-tau", "--json"]
    shown = CliRunner().invoke(main, [*asked, "--by", "allocation"])
    assert shown.exit_code == 0, shown.output
    rows = json.loads(shown.stdout)["moderators"]["tau-explained"]
    fit = bm.fit(ON_ESTIMATES, LOG_OR)
    for row, level in zip(rows, LEVELS, strict=False):
        assert row["tau"] == f"tau[{level}], with covariates"
        assert row["estimate"] == pytest.approx(fit["tau"][level].quantile(0.5))
    assert rows[-1]["tau"] == "tau, without, of the same studies"
    refused = CliRunner().invoke(main, asked)
    assert "--own-tau gives each group a tau: name their column with --by" in refused.output


@pytest.mark.deep("a compiled sampler, 15 s")
def test_groups_of_the_same_numbers_are_not_drawn_alike():
    """Drawn with one seed they would be, and their difference would be nothing."""
    y = [0.1, 0.1, 0.4, 0.4, 0.3, 0.3, 0.6, 0.6]
    same = bm.EffectSizes.from_arrays(
        list("abcdefgh"), y, [0.2] * 8, covariates={"g": ["x", "y"] * 4}
    )
    mu, tau = bm.ByGroup("g", bm.Normal(0, 1)), bm.ByGroup("g", bm.HalfNormal(0.5))
    model, gap = bm.NormalNormal(mu=mu, tau=tau), {"g[y]": 1, "g[x]": -1}
    drawn, exact = bm.fit(model, same, bm.NUTS(seed=1)), bm.fit(model, same)
    assert drawn.contrast(gap).sd() == pytest.approx(exact.contrast(gap).sd(), rel=0.1)
    assert drawn.sample(None, 0)["theta"].shape[-1] == 8
    assert bm.loo(drawn).study == same.study
    stats = to_datatree(drawn)["sample_stats"]
    assert stats["diverging"].shape == drawn.sample(None, 0)["tau"].shape[:2]
    assert bm.check(drawn, seed=1).predictive.study == same.study
