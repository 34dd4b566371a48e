"""Effects in a new study and of the studies: brute force, identities, and the gate over them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tolerances import COUNTS_BRUTE

import bayesmeta as bm
from bayesmeta.engines.exact import fixed
from bayesmeta.engines.exact import grid as _grid
from bayesmeta.engines.exact.grid import integrate_on_grid
from bayesmeta.engines.likelihood.laws import constants
from bayesmeta.engines.nodes import effects as _effects
from bayesmeta.engines.nodes import fourier
from bayesmeta.posterior import Check

BRUTE = json.loads((Path(__file__).parents[1] / "reference/brute_effects.json").read_text())[
    "cases"
]
PRIORS = {
    "HalfNormal": lambda tau: bm.HalfNormal(tau["scale"]),
    "HalfCauchy": lambda tau: bm.HalfCauchy(tau["scale"]),
    "Gamma": lambda tau: bm.Gamma(tau["shape"], tau["rate"]),
}


def asked(case):
    if "low" in case["mu"]:
        mu = bm.Uniform(case["mu"]["low"], case["mu"]["high"])
    else:
        mu = bm.Normal(case["mu"]["mean"], case["mu"]["sd"])
    if "spike" in case["mu"]:
        mu = bm.Mixture(0.5, bm.Normal(case["mu"]["mean"], case["mu"]["spike"]), mu)
    priors = {"mu": mu, "tau": PRIORS[case["tau"]["family"]](case["tau"])}
    return model_of(case["measure"], **priors, sd=case.get("baseline_sd", 10.0))


def model_of(measure, *, mu, tau, sd=10.0):
    if measure == "hypergeometric":
        return bm.HypergeometricNormal(mu=mu, tau=tau)
    if measure == "IRR":
        return bm.PoissonNormal(mu=mu, tau=tau, baseline=bm.Normal(0, sd))
    return bm.BinomialNormal(measure=measure, mu=mu, tau=tau, baseline=bm.Normal(0, sd))


def table_of(measure, rows):
    kind, size = (bm.PersonTimeStudies, "time") if measure == "IRR" else (bm.BinaryStudies, "n")
    a, n1, c, n0 = map(list, zip(*rows, strict=True))
    names = [f"study {i}" for i in range(len(rows))]
    sizes = {f"{size}_treatment": n1, f"{size}_control": n0}
    return kind(study=names, events_treatment=a, events_control=c, **sizes)


@pytest.mark.deep(
    "28 tables with all their effects: 14 s",
    but=[
        "OR, a bounded prior",
        "OR, a vague baseline",
        "OR, a narrow prior",
        "OR, spike and slab",
        "?R, table 0",
        "RD, table 2",
        "IRR, table 0",
    ],
)
@pytest.mark.parametrize("name", BRUTE)
def test_what_a_fit_says_beyond_mu_and_tau_is_that_of_brute_force(name):
    case, brute = BRUTE[name], BRUTE[name]["result"]
    fit = bm.fit(asked(case), table_of(case["measure"], case["rows"]))
    assert fit.diagnostics.passed
    assert fit.log_marginal_likelihood == pytest.approx(brute["log_z"], abs=COUNTS_BRUTE)
    assert fit["mu"].mean() == pytest.approx(brute["mean_mu"], abs=COUNTS_BRUTE * brute["sd_mu"])
    assert fit["mu"].sd() == pytest.approx(brute["sd_mu"], rel=COUNTS_BRUTE)
    below = fit["theta_new"].cdf(case["at"])
    np.testing.assert_allclose(below, brute["new_below"], atol=COUNTS_BRUTE, rtol=0)
    first = brute["theta of the first study below 0"]
    assert fit["theta"][0].cdf(0.0) == pytest.approx(first, abs=COUNTS_BRUTE)
    factors = {one.hypothesis: one.log_bf01 for one in bm.bayes_factors(fit).factors}
    if math.isfinite(factors["mu = 0"]):
        assert factors["mu = 0"] == pytest.approx(brute["log_bf01_mu"], abs=2 * COUNTS_BRUTE)
    if "log_bf01_tau" in brute:
        assert factors["tau = 0"] == pytest.approx(brute["log_bf01_tau"], abs=2 * COUNTS_BRUTE)


SD = {"OR": (2.0, 0.5), "RR": (2.0, 0.5), "RD": (1.0, 0.3), "IRR": (1.5, 0.5)}


def sparse_tables(measure, count, seed):
    """Few patients, events rare or common, some arms without or full of them."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n1, n0 = rng.integers(5, 60, (2, int(rng.integers(2, 6))))
        risk = rng.choice([0.02, 0.05, 0.1, 0.9, 0.97])
        c = rng.binomial(n0, risk)
        a = rng.binomial(n1, np.clip(risk * np.exp(rng.normal(0, 0.5, n1.size)), 0, 0.99))
        yield table_of(measure, list(zip(a, n1, c, n0, strict=True)))


def mean_of_density(marginal):
    """Not what the marginal says of itself, which is known without its density."""
    inner = getattr(marginal, "inner", marginal)
    x = inner.x if inner is marginal else marginal.support.value(inner.x)
    return float(inner.density @ x / inner.density.sum())


def hold_a_new_effect_to_mu(measure, count, seed):
    mu, tau = SD[measure]
    model = model_of(measure, mu=bm.Normal(0, mu), tau=bm.HalfNormal(tau))
    for data in sparse_tables(measure, count, seed):
        fit = bm.fit(model, data)
        assert fit.diagnostics.passed, (fit.diagnostics.failures, data)
        new = fit["theta_new"]
        for mean in (new.mean(), mean_of_density(new)):
            assert abs(mean - fit["mu"].mean()) < 1e-6 * new.sd(), data
        total = fit["mu"].sd() ** 2 + fit["tau"].sd() ** 2 + fit["tau"].mean() ** 2
        assert new.sd() == pytest.approx(total**0.5, rel=COUNTS_BRUTE), data
        zero = bm.bayes_factors(fit).factors[0].log_bf01
        prior = -0.5 * np.log(2 * np.pi) - np.log(mu)
        assert np.log(fit["mu"].pdf(0.0)) - prior == pytest.approx(zero, abs=1e-4), data


@pytest.mark.deep("tables with corners: 1 to 7 s a measure")
@pytest.mark.parametrize("measure", SD)
def test_a_new_effect_has_the_mean_of_mu_and_savage_and_dickey_the_evidence(measure):
    hold_a_new_effect_to_mu(measure, 6, 20261129)


@pytest.mark.deep("200 sparse tables fitted with all their effects: some minutes")
@pytest.mark.parametrize("measure", SD)
def test_a_new_effect_has_the_mean_of_mu_in_hundreds_of_tables(measure):
    hold_a_new_effect_to_mu(measure, 50, 7)


# --- the gate ------------------------------------------------------------------------------------

RD = model_of("RD", mu=bm.Normal(0, 1), tau=bm.HalfNormal(0.3))
CORNERS = table_of("RD", [(0, 25, 1, 24), (0, 31, 0, 30), (12, 31, 11, 30)])
OR = model_of("OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
THREE = table_of("OR", [(9, 60, 14, 61), (4, 40, 9, 42), (12, 70, 13, 66)])


def bent(found):
    """The same densities, each a hundredth of the way further up."""
    return found * (1 + 0.01 * np.linspace(-1, 1, found.shape[-1]))


@pytest.mark.deep("corners on the grid: 1 s", only=["corners"])
@pytest.mark.parametrize(
    ("fit", "kind"),
    [
        (lambda: bm.fit(OR, THREE), _effects.Integrated),
        (lambda: bm.fit(RD, CORNERS), _effects.Integrated),
        (lambda: integrate_on_grid(OR, THREE), fourier.OnOneGrid),
    ],
    ids=["fast program", "corners", "grid"],
)
def test_effects_that_are_off_fail_the_gate_of_their_fit(monkeypatch, fit, kind):
    assert fit().diagnostics.passed
    if kind is _effects.Integrated:
        smeared = kind._smeared
        monkeypatch.setattr(
            kind, "_smeared", lambda self, *args, **kw: bent(smeared(self, *args, **kw))
        )
    else:
        each = kind._each.func
        spoil = property(lambda self: (bent(each(self)[0]), each(self)[1]))
        monkeypatch.setattr(kind, "_each", spoil)
    spoiled = fit()
    assert spoiled.diagnostics.passed_first
    assert not spoiled.diagnostics.passed
    assert {one.where.split("[")[0] for one in spoiled.diagnostics.failures} <= {
        "theta",
        "theta_new",
    }


@pytest.mark.parametrize("tau", [0.02, 0.5, 5.0])
@pytest.mark.parametrize("data", [THREE, table_of("OR", [(9, 900, 14, 861), (0, 40, 3, 42)])])
def test_a_new_effect_of_nodes_that_say_all_is_that_of_a_denser_look(monkeypatch, tau, data):
    model = model_of("OR", mu=bm.Normal(0, 2), tau=bm.HalfNormal(tau))
    fit = bm.fit(model, data)
    at = fit["theta_new"].quantile([0.001, 0.025, 0.5, 0.975, 0.999])
    monkeypatch.setattr(fixed, "UNSEEN", -1.0)
    denser = bm.fit(model, data)["theta_new"]
    assert denser.quantile([0.001, 0.025, 0.5, 0.975, 0.999]) == pytest.approx(
        at, abs=1e-6 * denser.sd()
    )
    np.testing.assert_allclose(fit["theta_new"].pdf(at), denser.pdf(at), rtol=1e-5)


def test_the_gate_reads_what_the_first_effect_is_made_by(monkeypatch):
    failed = Check("quadrature error", "theta[A]", 1.0, 1e-6, at_most=True)
    for owner in (_effects.Integrated, fourier.OnOneGrid):
        monkeypatch.setattr(owner, "check_of_effects", lambda self, limit: failed)
    for model, data in ((OR, THREE), (RD, CORNERS)):
        fit = bm.fit(model, data)
        fit["theta"].mean()
        assert not fit.diagnostics.passed


OPPOSED = "OR, whole arms that oppose each other"


def off_by_the_fast_program(size):
    """Distance of mean and evidence from brute force, and what the program says of it."""
    case, brute = BRUTE[OPPOSED], BRUTE[OPPOSED]["result"]
    data, model = table_of("OR", case["rows"]), asked(case)
    table = fixed.Integrator.of(model, data)(size)
    mean = float(table.mass.sum(axis=0) @ table.mu)
    log_z = float(table.log_z + constants("OR half", tuple(data.numbers.values())))
    off = abs(mean - brute["mean_mu"]) / brute["sd_mu"], abs(log_z - brute["log_z"])
    return max(off), float(table.error)


def test_the_fast_program_is_that_of_brute_force_where_whole_arms_oppose_each_other():
    off, _ = off_by_the_fast_program(fixed.SPARSE)
    assert off < 1e-7


def test_the_fast_program_knows_what_its_tables_leave_out():
    """Half a likelihood lies beyond any table; narrow ones leave much of it to straight lines."""
    for width in (2.0, 3.0, 4.0, 5.0):
        off, said = off_by_the_fast_program(fixed.SPARSE._replace(width=width))
        assert off < said


@pytest.mark.deep("many draws of baselines: 3 s")
def test_draws_of_an_arm_without_events_fill_its_flat_side():
    """20,000 patients without an event beside a heavy-tailed tau: hundreds of logits, one edge."""
    data = bm.ProportionStudies(study=["A", "B", "C"], events=[3, 10, 0], n=[20, 40, 20000])
    fit = bm.fit(bm.ProportionNormal(mu=bm.Normal(0, 2), tau=bm.HalfCauchy(0.5)), data)
    drawn = fit.sample(2**14, 1)["theta"][0, :, 2]
    q = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
    np.testing.assert_allclose(fit["theta"][2].cdf(np.quantile(drawn, q)), q, atol=2e-3)


@pytest.mark.deep("corners on the grid: 1 s")
def test_the_density_beside_a_corner_is_the_slope_of_its_distribution():
    """Where a map crowds, its density is small: what rang from the peak outweighed it."""
    data = table_of("RR", [(0, 7, 2, 2), (0, 4352, 0, 1), (16, 57, 23, 79)])
    model = model_of("RR", mu=bm.Normal(0.5, 0.001), tau=bm.Gamma(0.5, 1))
    first = bm.fit(model, data)["theta"][0]
    slope = (first.cdf(1e-4) - first.cdf(-1e-4)) / 2e-4
    np.testing.assert_allclose(first.pdf([0.0, 1e-9, -1e-9]), slope, rtol=1e-5)


def test_two_narrow_peaks_of_a_prior_are_both_seen():
    data = table_of("OR", [(3, 40, 6, 41), (9, 60, 15, 58)])
    peaks = bm.Normal(-0.5, 1e-3), bm.Normal(0.5, 1e-3)

    def fit(mu):
        return bm.fit(model_of("OR", mu=mu, tau=bm.HalfNormal(0.5)), data)

    apart = [fit(peak).log_marginal_likelihood for peak in peaks]
    both = fit(bm.Mixture(0.5, *peaks))
    assert both.log_marginal_likelihood == pytest.approx(np.logaddexp(*apart) - np.log(2), abs=1e-8)
    share = 1 / (1 + np.exp(apart[1] - apart[0]))
    assert both["mu"].cdf(0.0) == pytest.approx(share, abs=1e-8)


@pytest.mark.parametrize(
    ("row", "right"), [((69, 70, 7, 64), 0.72366), ((3473, 3473, 72, 73), 0.98445)]
)
def test_the_null_of_tau_has_all_of_a_bounded_prior_on_counts(row, right):
    """By the posterior over the prior density of tau at 0."""
    model = bm.HypergeometricNormal(mu=bm.Uniform(-5, 5), tau=bm.HalfNormal(0.5))
    fit = bm.fit(model, table_of("hypergeometric", [row]))
    found = bm.bayes_factors(fit).factors[1].bf01
    assert found == pytest.approx(right, rel=1e-4)
    assert found == pytest.approx(fit["tau"].pdf(0.0) * 0.5 * np.sqrt(np.pi / 2), rel=1e-4)


@pytest.mark.deep("far tails on the grid: 1 s")
def test_a_bounded_prior_of_tau_ends_the_search_for_its_reach():
    """RD under Uniform(0, 4) once searched for ever: the last node lies short of the end."""
    rows = [(15, 62, 11, 66), (8, 40, 10, 64), (13, 56, 11, 60), (7, 37, 8, 71), (9, 27, 10, 76)]
    model = model_of("RD", mu=bm.Normal(0, 10), tau=bm.Uniform(0, 4))
    assert bm.fit(model, table_of("RD", rows)).diagnostics.passed


@pytest.mark.deep("far tails on the grid: 1 s")
def test_tails_left_to_the_priors_are_followed():
    """Beyond a grid's reach lies a hundredth of tau here."""
    case = BRUTE["hypergeometric, events in one arm"]
    fit = bm.fit(asked(case), table_of(case["measure"], case["rows"]))
    assert 1 - fit["tau"].cdf(_grid.limit_of(fit.model, fit.data).tau) > 0.005
    assert np.isnan(fit["theta_new"].mean())


def test_effects_of_many_studies_are_made_a_few_taus_at_once(monkeypatch):
    """However few values go together, one tau is the least."""
    model = bm.BinomialNormal(measure="RD", mu=bm.Normal(0, 0.5), tau=bm.HalfNormal(0.1))
    data = bm.BinaryStudies(
        study=["A", "B", "C"], events_treatment=[0, 1, 2], n_treatment=[40, 50, 60],
        events_control=[1, 0, 3], n_control=[40, 50, 60],
    )  # fmt: skip
    whole = bm.summary(bm.fit(model, data))
    monkeypatch.setattr(_grid, "AT_ONCE", 1)
    monkeypatch.setattr(_effects, "AT_ONCE", 4000)
    np.testing.assert_allclose(bm.summary(bm.fit(model, data)), whole, rtol=1e-9)


@pytest.mark.parametrize(("measure", "rows"), [("RR", (8, 100, 14, 101)), ("RD", (5, 50, 12, 50))])
def test_a_new_effect_of_one_trial_has_the_variance_of_mu_and_tau_together(measure, rows):
    """Here a curve through the logarithms of the posterior at its own nodes would not do."""
    events, n, events_control, n_control = ([x] for x in rows)
    data = bm.BinaryStudies(
        study=["A"],
        events_treatment=events,
        n_treatment=n,
        events_control=events_control,
        n_control=n_control,
    )
    model = bm.BinomialNormal(measure=measure, mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))
    fit = bm.fit(model, data)
    assert fit.diagnostics.passed_new
    total = fit["mu"].sd() ** 2 + fit["tau"].sd() ** 2 + fit["tau"].mean() ** 2
    assert fit["theta_new"].sd() ** 2 == pytest.approx(total, rel=1e-5)
    assert fit["theta_new"].mean() == pytest.approx(fit["mu"].mean(), abs=1e-5)
