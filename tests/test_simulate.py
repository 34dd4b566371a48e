"""Parameters and data drawn in NumPy: held to PyMC's own draws, and to what any data must keep."""

import numpy as np
import pymc as pm
import pytest
from numpy.testing import assert_allclose
from pytensor.compile.mode import Mode
from references import COUNTS, INCIDENCE, RATES, SHARES, binary, numbered
from scipy import stats
from scipy.special import expit, logit
from tolerances import CLOSED_FORM, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.engines.graph import build  # noqa: F401 - which registers the forms of likelihoods
from bayesmeta.engines.graph.parts import likelihood
from bayesmeta.simulate import parameters, replicate, risks

THETA, BETA = (each.ravel() for each in np.meshgrid([-2.1, -0.3, 0.0, 0.8], [-2.2, 0.1, 1.4]))
DRAWN = 20_000
N = 4000
PLAIN = Mode(linker="py", optimizer=None)  # each graph is run once
MU, TAU, BASELINE = bm.Normal(-0.3, 0.4), bm.HalfNormal(0.3), bm.Normal(-1, 0.5)
SHARED = bm.Exchangeable(bm.Normal(-1, 0.4), bm.HalfNormal(0.3))
ESTIMATES = bm.EffectSizes.from_arrays(numbered(3), [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
BINOMIAL = {"mu": MU, "tau": TAU, "baseline": BASELINE}
CASES = {
    "common effect": (bm.CommonEffect(mu=MU), ESTIMATES),
    "normal": (bm.NormalNormal(mu=MU, tau=TAU), ESTIMATES),
    "Student-t": (bm.NormalNormal(mu=MU, tau=TAU, df=5), ESTIMATES),
    "unknown df": (bm.NormalNormal(mu=MU, tau=TAU, df=bm.Uniform(5, 9)), ESTIMATES),
    "outliers": (
        bm.OutlierMixture(mu=MU, tau=TAU, share=bm.Beta(2, 5), spread=bm.HalfNormal(1)),
        ESTIMATES,
    ),
    "OR": (bm.BinomialNormal(measure="OR", **BINOMIAL), COUNTS),
    "OR 0/1": (bm.BinomialNormal(measure="OR", coding="zero_one", **BINOMIAL), COUNTS),
    "RR": (bm.BinomialNormal(measure="RR", **BINOMIAL), COUNTS),
    "RD": (bm.BinomialNormal(measure="RD", **BINOMIAL), COUNTS),
    "shared": (bm.BinomialNormal(measure="OR", mu=MU, tau=TAU, baseline=SHARED), COUNTS),
    "hypergeometric": (bm.HypergeometricNormal(mu=MU, tau=TAU), COUNTS),
    "Poisson": (bm.PoissonNormal(**BINOMIAL), RATES),
    "proportion": (bm.ProportionNormal(mu=MU, tau=TAU), SHARES),
    "incidence": (bm.IncidenceNormal(mu=MU, tau=TAU), INCIDENCE),
    "beta-binomial": (
        bm.BetaBinomial(mu=MU, baseline=BASELINE, rho=bm.Beta(2, 10)),
        COUNTS,
    ),
}
OBSERVED = {  # names in the PyMC model and in ours
    "y_observed": "y",
    "treatment_observed": "events_treatment",
    "control_observed": "events_control",
    "observed": "events",
}


def ours(name, seed=1):
    model, data = CASES[name]
    drawn = parameters(model, data.k, N, seed=seed)
    return drawn, replicate(model, drawn, data, seed=seed + 1)


def assert_same_law(first, second):
    """Means and mean squares about one centre agree within standard errors of both samples."""
    centre = first.mean(axis=0)
    for power in (1, 2):
        each = [(values - centre) ** power for values in (first, second)]
        error = np.sqrt(sum(values.var(axis=0) / len(values) for values in each))
        apart = each[0].mean(axis=0) - each[1].mean(axis=0)
        assert (np.abs(apart) <= STANDARD_ERRORS * error).all(), (apart, error)


def graph(model, data):
    """Build the PyMC model, with sizes of arms that PyMC can draw with: whole numbers."""
    columns = dict(data.numbers)
    if isinstance(model, bm.HypergeometricNormal):
        columns["count"] = np.arange(64.0)
    with pm.Model(coords={"study": list(data.study)}) as made:
        whole = {"n", "n_treatment", "n_control"}
        likelihood(
            model.likelihood,
            model,
            {
                name: pm.Data(name, values.astype(int) if name in whole else values)
                for name, values in columns.items()
            },
        )
    return made


@pytest.mark.deep(
    "a graph that draws for each model: 3 s in all",
    but=[
        "common effect",
        "normal",
        "Student-t",
        "OR",
        "Poisson",
        "proportion",
        "incidence",
        "beta-binomial",
    ],
)
@pytest.mark.parametrize("name", CASES)
def test_prior_predictive_draws_are_those_of_the_pymc_model(name):
    model, data = CASES[name]
    made = graph(model, data)
    wanted = [*(v.name for v in made.observed_RVs), *model.priors]
    theirs = pm.draw([made[one] for one in wanted], draws=N // 5, random_seed=3, mode=PLAIN)
    drawn, columns = ours(name)
    for label, values in zip(wanted, theirs, strict=True):
        mine = columns[OBSERVED[label]] if label in OBSERVED else drawn[label]
        if label == "baseline" and mine.ndim == 2:
            mine, values = mine.ravel(), np.ravel(values)
        assert_same_law(mine, np.asarray(values, dtype=float))


@pytest.mark.parametrize("name", CASES)
def test_counts_stay_within_their_arms_and_margins(name):
    _, data = CASES[name]
    _, made = ours(name)
    for column, values in made.items():
        assert values.shape == (N, data.k)
        if column != "y":
            assert (values >= 0).all()
            assert (values == np.round(values)).all()
            size = column.replace("events", "n")
            if size in data.numbers:
                assert (values <= data.numbers[size]).all()
    if name == "hypergeometric":
        total = data.events_treatment + data.events_control
        assert (made["events_treatment"] + made["events_control"] == total).all()


def test_new_studies_have_effects_of_their_own():
    model, data = CASES["normal"]
    drawn = {"mu": np.full(N, 1.0), "tau": np.full(N, 2.0), "theta": np.full((N, 3), 50.0)}
    same, new = (replicate(model, drawn, data, seed=5, new=value)["y"] for value in (False, True))
    assert abs(same.mean() - 50) < 0.1
    assert np.abs(new.mean(axis=0) - 1).max() < STANDARD_ERRORS * 2.1 / np.sqrt(N)
    np.testing.assert_allclose(new.var(axis=0), 4 + data.se**2, rtol=0.15)


def test_vague_priors_of_rates_do_not_overflow():
    model = bm.PoissonNormal(mu=bm.Normal(0, 20), tau=bm.HalfNormal(10), baseline=bm.Normal(0, 30))
    drawn = parameters(model, 3, 500, seed=1)
    assert np.isfinite(replicate(model, drawn, RATES, seed=2)["events_treatment"]).all()


def test_an_improper_prior_has_nothing_to_draw_from():
    model = bm.NormalNormal(mu=bm.Flat(), tau=TAU)
    with pytest.raises(bm.ModelError, match="improper"):
        parameters(model, 3, 10, seed=1)


def test_the_same_seed_gives_the_same_data():
    for name in ("OR", "beta-binomial"):
        first, again, other = ours(name), ours(name), ours(name, seed=7)
        for column, values in first[1].items():
            np.testing.assert_array_equal(values, again[1][column])
            assert (values != other[1][column]).any()


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
    model = bm.BinomialNormal(measure="OR", coding="zero_one", mu=MU, tau=TAU)
    made = replicate(model, draws, studies, seed=4)
    arms = [made[f"events_{arm}"] for arm in ("treatment", "control")]
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


def test_a_link_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(bm.ModelError, match="OR half, OR zero_one, RR, RD, not 'log'"):
        risks(THETA, BETA, "log")


@pytest.mark.parametrize("k", [1, 2])
def test_what_each_study_has_to_itself_keeps_its_axis(k):
    """With one study too: else one baseline would meet every draw of the effect."""
    priors = {"mu": bm.Normal(0, 1), "tau": bm.HalfNormal(0.5)}
    counts = parameters(bm.BinomialNormal(measure="OR", **priors), k, 7, seed=1)
    assert counts["baseline"].shape == counts["theta"].shape == (7, k)
    arms = bm.ContinuousNormal(
        measure="MD", **priors, log_sd=bm.Normal(0, 1), correlation=bm.Uniform(0, 1)
    )
    drawn = parameters(arms, k, 7, seed=1)
    assert drawn["correlation"].shape == (7, k)
    assert drawn["log_sd"].shape == (2, 7, k)
    one = bm.ContinuousCommonEffect(measure="ROM", mu=bm.Normal(0, 1), baseline=bm.Normal(1, 1))
    assert parameters(one, k, 7, seed=1)["baseline"].shape == (7, k)
