"""Published priors: complete, as they were printed, on their own scale, cited wherever they go."""

import copy
import hashlib
import json
import pickle
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose
from references import COUNTS, cases
from scipy import integrate, interpolate, special, stats
from tolerances import (
    PLAIN,
    QUADRATURE,
    R_GRID,
    R_SHORTEST,
    R_SHORTEST_TAU,
    R_TAU,
    STANDARD_ERRORS,
)

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.priors import (
    between_studies,
    differ_less,
    from_library,
    from_quantiles,
    log_density,
    not_held,
    published_prior,
    published_priors,
    search,
    tau_from_ratio,
    unit_information_sd,
)

R = cases("published_priors")
MORTALITY = "turner2015/mortality/drug-v-placebo"
STEP = 0.0201  # two decimals of a sum: each part is rounded, and so is the sum


def estimates(measure, k=4):
    y, se = [-0.4, 0.1, -0.3, 0.2][:k], [0.2, 0.3, 0.4, 0.25][:k]
    return bm.EffectSizes.from_arrays([f"study {i}" for i in range(k)], y, se, measure=measure)


def model(tau, mu=None):
    return bm.NormalNormal(mu=mu or bm.Normal(0, 4), tau=tau)


def of_source(name):
    return [one for one in published_priors().values() if one.key.startswith(f"{name}/")]


# The tables.


def test_the_tables_are_whole_and_not_a_digit_has_changed():
    sources = Counter(key.split("/")[0] for key in published_priors())
    assert sources == {
        "turner2015": 81,
        "turner2012": 9,
        "rhodes2015": 73,
        "rover2021": 2,
        "cochrane": 30,
        "unit-information": 4,
    }
    numbers = "\n".join(f"{one.key} {one.published}" for one in published_priors().values())
    assert hashlib.sha256(numbers.encode()).hexdigest()[:16] == "bb5969f93bb4eccf"


@pytest.mark.parametrize("name", ["turner2015", "rhodes2015"])
def test_numbers_and_quantiles_are_those_of_the_tables_of_r(name):
    ours = sorted(
        [*map(float, one.numbers), *one.law.quantile([0.025, 0.5, 0.975])]
        for one in of_source(name)
    )
    theirs = sorted([*map(float, one["numbers"]), *one["quantiles"]] for one in R[name])
    assert_allclose(ours, theirs, **PLAIN)


def means(name, column):
    """Published locations by outcome and area, of one comparison."""
    rows = [one for one in of_source(name) if one.comparison == column]
    return {(one.outcome, one.area): float(one.numbers[0]) for one in rows}


@pytest.mark.parametrize(
    ("name", "column", "step"),
    [
        ("turner2015", "pharmacological v pharmacological", -0.23),
        ("turner2015", "non-pharmacological v placebo or control", -0.22),
        ("turner2015", "non-pharmacological v pharmacological", 1.03),
        ("turner2015", "non-pharmacological v non-pharmacological", 0.44),
        ("rhodes2015", "pharmacological v pharmacological", -0.275),
        ("rhodes2015", "non-pharmacological v any", 0.14),
    ],
)
def test_each_column_is_the_first_one_shifted_but_for_the_cells_that_are_noted(name, column, step):
    """Both papers fit outcome and comparison as additive: a second source for every mean."""
    first = means(name, "pharmacological v placebo or control")
    off = {
        place
        for place, value in means(name, column).items()
        if abs(value - first[place] - step) > STEP
    }
    noted = {
        (one.outcome, one.area)
        for one in of_source(name)
        if "typing error" in one.note and "scale" not in one.note
    }
    suspicious = {("mental health", ""), ("internal or external structure-related outcomes", "")}
    assert {(outcome, "") for outcome, _ in off} <= suspicious
    assert off <= noted


def test_the_columns_of_rhodes_step_alike_in_every_area_but_for_the_cells_that_are_noted():
    every = {one.key: float(one.numbers[1]) for one in of_source("rhodes2015") if one.outcome}
    off = [
        key
        for key, scale in every.items()
        if key.endswith("/respiratory")
        and abs(scale - every[key.replace("/respiratory", "/other")]) > STEP
    ]
    assert off == ["rhodes2015/obstetric/other-v-any/respiratory"]
    assert "typing error" in published_prior(off[0]).note
    assert sum("typing error" in one.note for one in published_priors().values()) == 3


def test_a_prior_published_for_the_variance_is_one_of_the_standard_deviation():
    prior = from_library(MORTALITY)
    assert prior.by_hand == bm.LogNormal(-3.95 / 2, 1.34 / 2)
    of_variance = stats.lognorm(1.34, 0, np.exp(-3.95))
    assert_allclose(prior.quantile(0.7), np.sqrt(of_variance.ppf(0.7)), **PLAIN)
    rhodes = from_library("rhodes2015/any").by_hand
    assert rhodes == bm.LogStudentT(5, -1.72, 1.295)


def test_what_is_not_held_is_listed_with_the_reason():
    assert "Lilienthal" in repr(search("nothing of the kind"))
    assert all(one.why and one.citation for one in not_held())


# Where a prior comes from goes with it.


def test_a_prior_out_of_the_library_keeps_its_source_through_spelling_copies_and_mixtures():
    prior = from_library(MORTALITY, override="deaths are rare")
    for other in (
        bm.parse_prior(repr(prior)),
        pickle.loads(pickle.dumps(prior)),
        copy.deepcopy(prior),
        bm.parse_prior(repr(bm.Mixture(0.5, prior, bm.HalfNormal(1)))).first,
    ):
        assert other == prior
        assert other.source == prior.source
        assert repr(other) == f"from_library('{MORTALITY}', override='deaths are rare')"


def test_the_source_is_no_part_of_the_law_and_other_numbers_have_none():
    prior = from_library(MORTALITY)
    assert prior == bm.LogNormal(-1.975, 0.67)
    assert len({prior, prior.by_hand}) == 1
    changed = replace(prior, sd=0.9)
    assert changed.source is None
    assert repr(changed) == "LogNormal(-1.975, 0.9)"


@pytest.mark.parametrize("name", [name for name in R["fits"] if "error" not in R["fits"][name]])
def test_posteriors_equal_those_of_r_with_its_own_table(name):
    stored = R["fits"][name]
    studies = [f"study {i}" for i in range(len(stored["y"]))]
    data = bm.EffectSizes.from_arrays(studies, stored["y"], stored["se"], measure=stored["measure"])
    fit = bm.fit(model(from_library(stored["prior"])), data)
    for parameter in ("mu", "tau", "theta_new"):
        ours, theirs = fit[parameter], stored[parameter]
        of_tau = parameter == "tau"
        moments = (ours.quantile(0.5), ours.mean(), ours.sd())
        assert_allclose(
            moments,
            (theirs["median"], theirs["mean"], theirs["sd"]),
            **(R_TAU if of_tau else R_GRID),
        )
        assert_allclose(
            ours.interval(0.95, kind="shortest"),
            (theirs["lb"], theirs["ub"]),
            **(R_SHORTEST_TAU if of_tau else R_SHORTEST),
        )
    assert_allclose(fit.log_marginal_likelihood, stored["log_marginal_likelihood"], **R_TAU)
    factors = np.exp([one.log_bf01 for one in bm.bayes_factors(fit).factors])
    assert_allclose(factors, (stored["bayesfactor_mu0"], stored["bayesfactor_tau0"]), **QUADRATURE)


class ByLogTau:
    """The posterior by the trapezoidal rule in log tau, the estimates one multivariate normal."""

    def __init__(self, y, se, prior, mu_sd=4.0):
        self.u = np.arange(-290.0, 60.0, 0.02)
        tau = np.exp(np.maximum(self.u, -14.0))  # below, no likelihood tells it from zero
        where, back = np.unique(tau, return_inverse=True)
        covariance = [np.diag(np.square(se) + one**2) + mu_sd**2 for one in where]
        given = [stats.multivariate_normal(np.zeros(len(y)), one).logpdf(y) for one in covariance]
        z = (self.u - prior.mean) / prior.scale
        log_p = np.array(given)[back] + stats.t(prior.df).logpdf(z) - np.log(prior.scale)
        mass = np.exp(log_p - log_p.max())
        self.log_z = float(np.log(mass.sum() * 0.02) + log_p.max())
        self.mass = mass / mass.sum()
        density = interpolate.make_interp_spline(self.u, self.mass / 0.02, k=7)
        self.below_log = density.antiderivative()

    def mean(self):
        return float(self.mass @ np.exp(self.u))

    def below(self, tau):
        return float(self.below_log(np.log(tau)) - self.below_log(self.u[0]))


@pytest.mark.parametrize(("k", "mean"), [(9, True), (3, True), (2, True), (1, False)])
def test_the_posterior_that_r_could_not_make_equals_brute_force(k, mean):
    stored = R["fits"]["normand1999 rhodes2015/resource-use/other-v-any/other"]
    assert "divergent" in stored["error"]
    y, se = stored["y"][:k], stored["se"][:k]
    prior = from_library(stored["prior"])
    fit = bm.fit(
        model(prior), bm.EffectSizes.from_arrays([f"{i}" for i in range(k)], y, se, measure="SMD")
    )
    force = ByLogTau(y, se, prior)
    assert fit.diagnostics.passed
    assert_allclose(fit.log_marginal_likelihood, force.log_z, **QUADRATURE)
    at = fit["tau"].quantile([0.01, 0.25, 0.5, 0.9])
    assert_allclose([force.below(one) for one in at], [0.01, 0.25, 0.5, 0.9], **QUADRATURE)
    if mean:
        assert_allclose(fit["tau"].mean(), force.mean(), **QUADRATURE)


def test_a_prior_at_every_power_of_ten_serves_counts_and_student_t_effects_too():
    prior = from_library("rhodes2015/any", override="a test of engines")
    of_counts = bm.BinomialNormal(measure="OR", mu=bm.Normal(0, 2), tau=prior)
    wide = bm.fit(of_counts, COUNTS)
    assert wide.diagnostics.passed
    near = replace(of_counts, tau=bm.LogStudentT(1e6, -1.72, 1.295))
    normal = bm.fit(replace(of_counts, tau=bm.LogNormal(-1.72, 1.295)), COUNTS)
    limit = bm.fit(near, COUNTS)
    assert_allclose(limit["tau"].quantile(0.5), normal["tau"].quantile(0.5), atol=1e-5)
    assert_allclose(limit["mu"].mean(), normal["mu"].mean(), atol=1e-5)
    heavy = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 4), tau=prior, df=1e6), estimates("OR"))
    closed = bm.fit(model(prior), estimates("OR"))
    assert_allclose(heavy["tau"].quantile([0.1, 0.5, 0.9]), closed["tau"].quantile([0.1, 0.5, 0.9]),
                    atol=1e-5)  # fmt: skip


def test_degrees_of_freedom_that_leave_mass_where_no_float_is_are_refused():
    with pytest.raises(bm.ModelError, match=r"LogStudentT\(1, 0, 1\) has a share .*5 say"):
        bm.fit(model(bm.LogStudentT(1, 0, 1)), estimates("SMD"))


@pytest.mark.parametrize("mixed", [False, True])
def test_the_source_of_a_published_prior_runs_in_pymc(mixed):
    import pymc as pm

    tau = from_library("rhodes2015/any")
    if mixed:
        tau = bm.Mixture(0.25, tau, bm.HalfNormal(1))
    data = estimates("SMD")
    names = {"study": list(data.study), "y": data.y, "se": data.se}
    exec(bm.engines.pymc_source(model(tau)), names)
    log_p = pm.logp(names["model"]["tau"], np.array([0.1, 1.0])).eval()
    assert_allclose(log_p, log_density(tau, np.array([0.1, 1.0])), **QUADRATURE)


def test_a_sampler_agrees_with_integration_under_a_prior_at_every_power_of_ten():
    stored = R["fits"]["normand1999 rhodes2015/resource-use/other-v-any/other"]
    studies = [f"study {i}" for i in range(len(stored["y"]))]
    data = bm.EffectSizes.from_arrays(studies, stored["y"], stored["se"], measure="SMD")
    asked = model(from_library(stored["prior"]))
    drawn, exact = bm.fit(asked, data, bm.NUTS(seed=1)), bm.fit(asked, data)
    assert drawn.diagnostics.passed
    for name in ("mu", "tau"):
        at = exact[name].quantile([0.1, 0.5, 0.9])
        error = np.sqrt(0.25 / 400)  # of a share, with the fewest effective draws that pass
        assert np.abs(drawn[name].cdf(at) - [0.1, 0.5, 0.9]).max() < STANDARD_ERRORS * error


# The scale.


@pytest.mark.parametrize(
    ("key", "measure", "words"),
    [
        (MORTALITY, "RR", r"made for log OR, .* are log RR; .*as is common with priors of log OR"),
        (MORTALITY, "GEN", "made for log OR, and the effects here are GEN"),
        ("rhodes2015/any", "MD", "made for SMD, and the effects here are MD"),
        ("rhodes2015/any", "ROM", "made for SMD, and the effects here are log ROM"),
        ("cochrane/all/rd/tau", "RR", "made for RD, and the effects here are log RR"),
    ],
)
def test_a_prior_for_another_scale_is_refused_with_the_ways_out(key, measure, words):
    with pytest.raises(bm.ModelError, match=words) as refused:
        bm.fit(model(from_library(key)), estimates(measure))
    assert str(refused.value).startswith(f"tau has from_library('{key}')")
    assert f"from_library('{key}', override='reason')" in str(refused.value)
    analysed = f"of both arms, analyse measure='{published_prior(key).measure}', "
    assert (analysed in str(refused.value)) == (measure != "GEN")
    search = f"take a prior of log {measure} (see bayesmeta.priors.search('{measure}')) or of your"
    assert (search in str(refused.value)) == (measure == "RR")
    assert "take a prior of" in str(refused.value)


def test_the_ways_out_of_a_scale_lead_out_for_every_measure():
    """Those that a refusal offers are taken: another measure, the library, two stages, a reason."""
    means = bm.ContinuousStudies(
        study=["A", "B", "C"],
        **{f"mean{arm}": [10.1, 11.4, 9.7 + i] for i, arm in enumerate(("_treatment", "_control"))},
        **{f"sd{arm}": [3.2, 2.9, 3.5] for arm in ("_treatment", "_control")},
        **{f"n{arm}": [40, 33, 52] for arm in ("_treatment", "_control")},
    )
    for key, data, measure, wanted in (
        ("rhodes2015/any", means, "MD", "SMD"),
        (MORTALITY, COUNTS, "RD", "OR"),
        ("cochrane/all/rd/tau", COUNTS, "OR", "RD"),
    ):
        with pytest.raises(bm.ModelError, match=f"analyse measure='{wanted}'"):
            bm.fit(model(from_library(key)), bm.effect_sizes(data, measure=measure))
        bm.fit(model(from_library(key)), bm.effect_sizes(data, measure=wanted))
        reason = from_library(key, override="a reason")
        bm.fit(model(reason), bm.effect_sizes(data, measure=measure))
    for measure in ("OR", "RR", "RD", "SMD", "HR"):
        found = bm.priors.search(measure, measure=measure, parameter="tau")
        assert {one.key for one in found.records} <= set(bm.priors.search(measure).table().index)
        assert found.records


def test_a_risk_difference_of_counts_stands_on_another_scale_than_one_of_estimates():
    prior = from_library("cochrane/all/rd/tau")
    assert bm.fit(model(prior), estimates("RD")).diagnostics.passed
    of_counts = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 1), tau=prior)
    said = r"made for RD, and the effects here are atanh RD; analyse the differences themselves "
    said += r"with effect_sizes\(studies, measure='RD'\), take a prior of your own, or say why"
    with pytest.raises(bm.ModelError, match=said):
        bm.fit(of_counts, COUNTS)
    bm.fit(model(prior), bm.effect_sizes(COUNTS, measure="RD"))


def test_every_door_to_a_fit_has_the_guard():
    wrong = model(from_library(MORTALITY))
    data, many = estimates("RR"), pd.DataFrame({"g": [*"aabb"], "y": [0.1, 0.2] * 2, "se": 0.3})
    of_risks = bm.BinomialNormal(measure="RR", mu=bm.Normal(0, 2), tau=wrong.tau)
    counts = {name: np.full((9, 3), 20 if name[0] == "n" else 5) for name in COUNTS.numbers}
    for call in (
        lambda: bm.prior_predictive(wrong, data, seed=1),
        lambda: bm.fit(replace(wrong, tau=bm.Mixture(0.5, wrong.tau, bm.HalfNormal(1))), data),
        lambda: bm.fit(of_risks, COUNTS),
        lambda: bm.fit_many(wrong, many, by="g", measure="RR"),
        lambda: bm.fit_many(wrong, many, by="g"),
        lambda: bm.fit_many(of_risks, counts),
    ):
        with pytest.raises(bm.ModelError, match="made for log OR"):
            call()
    assert (bm.fit_many(wrong, many, by="g", measure="OR").problem == "").all()


def test_each_of_several_outcomes_is_held_to_its_own_scale():
    data = bm.MultivariateEffects(
        study=("A", "B", "C"), outcome=("death", "relapse"), correlation=0.5,
        y=[[-0.4, 0.1], [0.1, 0.2], [-0.3, 0.3]], se=np.full((3, 2), 0.3), measure=("OR", "RR"),
    )  # fmt: skip
    own = {"death": from_library(MORTALITY), "relapse": bm.HalfNormal(0.5)}
    right = bm.MultivariateNormal(mu=bm.Normal(0, 1), tau=own, rho=bm.Uniform(-1, 1))
    right.check_data(data)
    swapped = replace(right, tau={"death": own["relapse"], "relapse": own["death"]})
    with pytest.raises(bm.ModelError, match=r"tau\[relapse\] has .* made for log OR.* log RR"):
        swapped.check_data(data)
    with pytest.raises(bm.ModelError, match=r"a prior of mu; for tau\[death\]"):
        replace(right, tau=own | {"death": from_library("cochrane/all/or/mu")})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mu": from_library(MORTALITY)}, "published as a prior of tau; for mu use Normal"),
        ({"tau": from_library("cochrane/all/or/mu")}, "prior of mu; for tau use HalfNormal"),
        ({"df": from_library(MORTALITY)}, "published as a prior of tau; for df use Gamma"),
    ],
)
def test_a_prior_for_another_parameter_is_refused(fields, words):
    with pytest.raises(bm.ModelError, match=words):
        replace(model(bm.HalfNormal(1)), **fields)


def test_a_reason_opens_another_scale_and_the_fit_prints_it_with_the_citation():
    prior = from_library(MORTALITY, override="deaths are rare")
    fit = bm.fit(model(prior), estimates("RR"))
    plain = bm.fit(model(prior.by_hand), estimates("RR"))
    assert fit["mu"].mean() == plain["mu"].mean()
    last = repr(fit).splitlines()[-1]
    assert last.startswith("Prior of tau: Turner RM, ")
    assert last.endswith("on log OR; taken although made for log OR: deaths are rare.")
    assert "Prior of" not in repr(plain)


def test_an_engine_prints_the_numbers_of_a_published_prior():
    said = bm.engines.mathematics(model(from_library(MORTALITY)))
    assert "τ ~ LogNormal(-1.975, 0.67)" in "\n".join(said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from_library('turner2015/mortality/drug-v-plcebo')", f"nearest is '{MORTALITY}'"),
        ("from_library('')", "The library has no prior ''"),
        (MORTALITY, rf"without quotes; write from_library\('{MORTALITY}'\)\."),
        (f"from_library({MORTALITY})", rf"write from_library\('{MORTALITY}'\)\."),
        (f"from_library({MORTALITY}, override='x')", rf"write from_library\('{MORTALITY}'\)\."),
        ("turner2015/nothing", "is not a prior; write it like"),
        ("from_library(3)", "The library has no prior 3"),
        ("from_library()", "from_library takes a key"),
        ("from_library('turner2015/any', reason='x')", "from_library takes a key"),
        ("from_library('turner2015/any', override=3)", "override is a reason in words"),
        ("from_library('turner2015/any', override='a\\nb')", "one line"),
        ("from_library('turner2015/any', override='  ')", "override is a reason in words"),
        (f"from_library('turner2015/any', override='{'x' * 201}')", "at most 200 characters"),
    ],
)
def test_bad_spellings_of_a_published_prior_are_refused_with_what_would_be_right(text, words):
    with pytest.raises(bm.ModelError, match=words):
        bm.parse_prior(text)


# Finding one.


def test_a_search_takes_beginnings_of_words_in_any_order_and_letters_without_accents():
    assert {one.outcome for one in search("MORTAL").records} == {
        "all-cause mortality",
        "cause-specific mortality, major morbidity event or composite",
    }
    assert [one.key for one in search("placebo mortality 2012").records] == [
        "turner2012/mortality/drug-v-placebo"
    ]
    assert len(search("rover")) == len(search("Röver", parameter="tau")) + 4
    assert {one.measure for one in search("respiratory", measure="RR").records} == {"RR"}
    assert len(search()) == len(published_priors())


def test_the_table_of_a_search_says_what_each_prior_implies():
    table = search("turner2015 any").table()
    row = table.loc["turner2015/any"]
    assert_allclose((row.lower, row.upper), bm.LogNormal(-1.28, 0.87).interval(), **PLAIN)
    assert_allclose((row.between_median, row.between_upper),
                    between_studies(bm.LogNormal(-1.28, 0.87), "OR"), **PLAIN)  # fmt: skip
    of_mu = search("cochrane all", measure="OR", parameter="mu").table()
    assert of_mu.between_upper.isna().tolist() == [True]


@pytest.mark.parametrize(
    "prior",
    [
        bm.HalfNormal(0.5),
        bm.LogNormal(-1.975, 0.67),
        bm.InverseGamma(1.51, 0.23),
        bm.LogStudentT(5, -1.72, 1.295),
        bm.Uniform(0, 1),
    ],
    ids=repr,
)
def test_two_studies_differ_as_the_normal_of_their_difference_says(prior):
    """Second source: the probability of less, given tau, integrated over the prior's quantiles."""
    for difference in (0.05, 0.4, 2.0):
        direct = integrate.quad(
            lambda u, d=difference: special.erf(d / 2 / prior.quantile(u)), 0, 1, limit=400
        )[0]
        assert differ_less(prior, difference) == pytest.approx(direct, abs=1e-6)
    median, upper = between_studies(prior, "MD")
    assert differ_less(prior, median) == pytest.approx(0.5, abs=1e-9)
    assert differ_less(prior, upper) == pytest.approx(0.975, abs=1e-9)
    assert_allclose(between_studies(prior, "RR"), np.exp([median, upper]), **PLAIN)


# What a person can say.


def test_two_trials_rarely_differ_by_more_than_a_factor_of_two():
    """Second source: the product of two normals has the Bessel function K0 as its density."""
    prior = tau_from_ratio(2, probability=0.95)
    at = np.log(2) / 2**0.5 / prior.scale
    within = integrate.quad(lambda x: 2 / np.pi * special.k0(x), 0, at)[0]
    assert within == pytest.approx(0.95, abs=1e-9)
    rng = np.random.default_rng(5)
    tau = np.abs(rng.normal(0, prior.scale, 200_000))
    apart = np.abs(tau * (rng.normal(size=tau.size) - rng.normal(size=tau.size)))
    error = np.sqrt(0.95 * 0.05 / tau.size)
    assert abs((apart < np.log(2)).mean() - 0.95) < STANDARD_ERRORS * error
    assert tau_from_ratio(3).scale > prior.scale > tau_from_ratio(2, probability=0.99).scale


@pytest.mark.parametrize(
    ("family", "quantiles"),
    [
        (bm.HalfNormal, {0.9: 0.4}),
        (bm.HalfCauchy, {0.5: 0.2}),
        (bm.Exponential, {0.95: 1.0}),
        (bm.Normal, {0.95: 0.2, 0.1: -0.5}),
        (bm.LogNormal, {0.5: 0.1, 0.95: 0.4}),
        (bm.Gamma, {0.1: 0.01, 0.9: 2.0}),
        (bm.InverseGamma, {0.25: 0.1, 0.975: 3.0}),
    ],
)
def test_a_prior_from_quantiles_has_them(family, quantiles):
    prior = from_quantiles(family, quantiles)
    assert type(prior) is family
    found = prior.quantile(list(quantiles))
    assert_allclose(found, list(quantiles.values()), rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: from_quantiles(bm.Beta, {0.5: 0.1}), "family is one of HalfNormal"),
        (lambda: from_quantiles("HalfNormal", {0.5: 0.1}), "family is one of HalfNormal"),
        (lambda: from_quantiles(bm.HalfNormal, {0.5: 0.1, 0.9: 1}), "settled by one quantile"),
        (lambda: from_quantiles(bm.LogNormal, {0.5: 0.1}), "settled by two quantiles, got 1"),
        (lambda: from_quantiles(bm.LogNormal, {0.5: 0.4, 0.9: 0.1}), "positive and larger where"),
        (lambda: from_quantiles(bm.LogNormal, {0.5: -1, 0.9: 0.1}), "positive and larger where"),
        (lambda: from_quantiles(bm.Normal, {0.5: 1, 0.9: 1}), "Normal must be larger where"),
        (lambda: from_quantiles(bm.Normal, {0: 1, 0.9: 2}), "strictly between 0 and 1"),
        (lambda: search("x", measure="MD"), "has priors of measure OR, SMD, .*not of 'MD'"),
        (lambda: search("x", parameter="rho"), "has priors of parameter tau, mu, not of 'rho'"),
        (lambda: differ_less(bm.HalfNormal(1), 0), "difference must be positive and finite"),
        (lambda: between_studies(bm.Normal(0, 1), "OR"), "takes a proper prior of tau"),
        (lambda: between_studies(bm.Flat(), "OR"), "takes a proper prior of tau"),
        (lambda: unit_information_sd([10, 20], [0.1]), "one of each per study"),
        (lambda: unit_information_sd([10], [0]), "positive and finite"),
        (lambda: tau_from_ratio(1), "ratio must be above 1, e.g. 2, got 1"),
        (lambda: tau_from_ratio(2, probability=95), "probability must lie strictly between"),
    ],
)
def test_what_makes_no_prior_is_refused_with_what_would(call, words):
    with pytest.raises(bm.ModelError, match=words):
        call()


@pytest.mark.parametrize("name", ["crins2014_OR", "bcg_OR"])
def test_the_unit_information_of_r_is_ours_where_its_patients_are_those_of_the_tables(name):
    """With n patients of standard error s each study weighs n; here one study says it all."""
    stored = R["unit_information_sd"][name]
    assert unit_information_sd([150, 50], [stored / 150**0.5, stored / 50**0.5]) == pytest.approx(
        stored
    )


# The command line.


def run(*args):
    return CliRunner().invoke(main, ["priors", *args])


def test_the_command_finds_priors_in_eighty_columns_and_says_what_is_not_held():
    found = run("search", "cochrane", "infections")
    assert found.exit_code == 0
    assert max(map(len, found.output.splitlines())) <= 80
    assert "cochrane/acute-respiratory-infections/smd/tau" in found.output
    assert "8 found." in found.output
    assert "Not held: Lilienthal 2024" in found.output


def test_the_command_writes_what_it_found_as_json():
    content = json.loads(run("search", "turner2015", "pain", "--json").output)
    assert content["priors"][0]["key"] == "turner2015/pain/drug-v-placebo"
    assert content["priors"][0]["prior"] == "LogNormal(-0.915, 0.76)"
    assert len(content["not_held"]) == len(not_held())


def test_the_command_shows_one_prior_with_its_numbers_citation_and_meaning():
    said = " ".join(run("show", MORTALITY).output.split())
    assert "log-normal on tau²: -3.95, 1.34" in said
    assert "Stat Med 34:984-998. Table IV." in said
    assert "tau between 0.0373 and 0.516 (95%)" in said
    assert "differ by a factor of 1.13 (median), less than by a factor of 2.28 with 97.5%" in said
    noted = run("show", "rhodes2015/mental-health/other-v-any/other").output
    assert "looks like a typing error" in noted


def test_the_command_makes_a_prior_of_what_a_person_says():
    assert run("elicit", "--ratio", "2").output.startswith(f"{tau_from_ratio(2)!r}\n")
    found = run("elicit", "--family", "lognormal", "--quantile", "0.5=0.1", "--quantile", "0.9=1")
    made = from_quantiles(bm.LogNormal, {0.5: 0.1, 0.9: 1})
    assert found.output.startswith(f"{made!r}\n")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("show", "x"), "The library has no prior 'x'; find one by bayesmeta priors search"),
        (("elicit",), "Give --ratio, or --family with --quantile"),
        (("elicit", "--ratio", "2", "--family", "Normal"), "Give --ratio, or --family"),
        (("elicit", "--family", "Normal", "--quantile", "x"), "--quantile is PROBABILITY=VALUE"),
        (("elicit", "--ratio", "2", "--quantile", "0.5=1"), "--quantile belongs to --family"),
        (
            ("elicit", "--family", "HalfNormal", "--quantile", "0.5=1", "--probability", "0.9"),
            "--probability belongs to --ratio",
        ),
        (
            ("elicit", "--family", "gamma", "--quantile", "0.5=0.1", "--quantile", "0.501=50"),
            "no Gamma that can be computed has the quantiles",
        ),
    ],
)
def test_the_command_refuses_in_one_sentence_with_its_own_flags(args, words):
    found = run(*args)
    assert found.exit_code == 2
    assert words in found.output
    assert len(found.output.splitlines()) == 1


@pytest.mark.parametrize("family", [bm.Gamma, bm.InverseGamma])
@pytest.mark.parametrize("upper", [0.41, 0.4000001])
def test_quantiles_that_are_nearly_alike_make_a_prior_of_a_large_shape(family, upper):
    made = from_quantiles(family, {0.5: 0.4, 0.95: upper})
    assert_allclose(made.quantile([0.5, 0.95]), [0.4, upper], rtol=1e-9)
    sd = (upper / 0.4 - 1) / stats.norm.ppf(0.95)  # of a normal distribution, which it nearly is
    assert_allclose(made.shape, sd**-2, rtol=0.05)


SPECIFICATION = """
title = "Published priors"
seed = 1

[[outcome]]
name = "death"
title = "Death"
kind = "estimates"
measure = "RR"
better = "lower"
data = "death.csv"
mu = "Normal(0, 2)"
tau = "from_library('turner2015/mortality/drug-v-placebo'OVERRIDE)"
why = {tau = "as planned."}
"""


@pytest.fixture
def asked(tmp_path):
    def write(override):
        (tmp_path / "death.csv").write_text("study,y,se\nA,-0.4,0.2\nB,0.1,0.3\nC,-0.3,0.4\n")
        path = tmp_path / "question.toml"
        path.write_text(SPECIFICATION.replace("OVERRIDE", override))
        return path

    return write


def test_a_run_refuses_the_scale_and_with_a_reason_every_report_prints_it(asked, tmp_path):
    out = tmp_path / "out"
    refused = CliRunner().invoke(main, ["run", str(asked("")), "-o", str(out)])
    assert refused.exit_code == 2
    assert 'analyse measure = "OR", take a prior of log RR (see bayesmeta priors' in refused.output
    question = asked(", override='deaths are rare'")
    done = CliRunner().invoke(main, ["run", str(question), "-o", str(out)])
    assert done.exit_code == 0, done.output
    page = (out / "report.html").read_text("utf-8")
    said = "taken although made for log OR: deaths are rare"
    assert said in page
    assert "as planned. Turner RM, Jackson D" in page
    assert "= LogNormal(-1.975, 0.67)" in page
    numbers = json.loads((out / "results.json").read_text("utf-8"))["outcomes"]["death"]
    cited = [one["tau"] for one in numbers["published_priors"].values()]
    assert cited
    assert all(said in one for one in cited)
