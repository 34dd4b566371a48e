"""Maximum likelihood on counts against metafor, against brute force, and at its edges."""

from math import comb, log

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import binary, cases, counts, swapped
from scipy import optimize, stats
from tolerances import GLMM, GLMM_BRUTE, INVARIANCE

import bayesmeta as bm
from bayesmeta.errors import DataError, ModelError
from bayesmeta.frequentist.likelihood.glmm import climb, glmm, random_peak, tables_of

LIKELIHOOD = {"UM.FS": "unconditional", "CM.EL": "conditional"}
EFFECTS = {"EE": "common", "ML": "random"}
SEEN = ("estimate", "se", "tau2", "Q_lrt")
HESSIAN = "metafor's standard error is of a numerical Hessian; the exact sum of variances is ours"
NOT_CLAIMED = {  # what of a cell is not compared, and why
    ("yusuf1985", "CM.EL", "ML"): (SEEN, "metafor's optimiser did not converge"),
    ("nielweise2007", "UM.FS", "ML"): (
        ("estimate", "tau2"),
        "lme4 did not converge, says its warning; ours has the higher exact likelihood",
    ),
    ("linde2005", "UM.FS", "ML"): (
        ("tau2",),
        "lme4 integrates with 7 nodes; ours has the higher exact likelihood",
    ),
    ("yusuf1985", "CM.EL", "EE"): (("se",), HESSIAN),
    ("peto1980", "CM.EL", "EE"): (("se",), HESSIAN),
}
# Left out of the reference: metafor's exact likelihood may take very long on large arms.
LARGE = ("bcg", "egger2001", "nissen2007")
NO_CELL = {(dataset, "CM.EL", effects) for dataset in LARGE for effects in EFFECTS}
CELLS = [
    (dataset, *cell.split("_"))
    for dataset, entry in cases("glmm").items()
    for cell in entry
]  # fmt: skip
CLAIMED = [cell for cell in CELLS if NOT_CLAIMED.get(cell, ((), ""))[0] != SEEN]
PAIRS = [(like, effects) for like in LIKELIHOOD.values() for effects in EFFECTS.values()]
SMALL = binary({"A": (2, 15, 6, 14), "B": (0, 20, 5, 22), "C": (9, 30, 8, 28), "D": (1, 12, 8, 13)})


def arms(studies):
    names = ("events_treatment", "n_treatment", "events_control", "n_control")
    return np.column_stack([getattr(studies, name) for name in names]).astype(int)


def informative_arms(studies):
    rows = arms(studies)
    total = rows[:, 0] + rows[:, 2]
    return rows[(total > 0) & (total < rows[:, 1] + rows[:, 3])]


def log_weights(row):
    """Logarithms of the exact numbers of tables with these margins, by events of treatment."""
    a, n1, c, n2 = map(int, row)
    x = np.arange(max(0, a + c - n2), min(n1, a + c) + 1)
    return x, np.array([log(comb(n1, int(i)) * comb(n2, a + c - int(i))) for i in x])


Z = np.linspace(-10, 10, 2001)
PHI = stats.norm.pdf(Z) * (Z[1] - Z[0])


def brute_conditional(studies):
    """The log likelihood on a plain grid of 2,001 study effects."""
    tables = [(row[0], *log_weights(row)) for row in informative_arms(studies)]

    def value(mu, tau):
        theta = (mu + tau * Z)[:, None]
        return sum(
            np.log(
                PHI
                @ np.exp(
                    weights[x == a] + a * theta[:, 0] - np.logaddexp.reduce(weights + x * theta, 1)
                )
            )
            for a, x, weights in tables
        )

    return value


def brute_unconditional(studies):
    """The same with binomial arms, each intercept by a bounded search of its own."""
    rows = informative_arms(studies)

    def one(row, mu, tau):
        a, n1, c, n2 = row
        half = (mu + tau * Z) / 2
        constant = log(comb(int(n1), int(a))) + log(comb(int(n2), int(c)))

        def surprise(alpha):
            up, down = alpha + half, alpha - half
            arm1 = a * up - n1 * np.logaddexp(0, up)
            arm2 = c * down - n2 * np.logaddexp(0, down)
            return -np.logaddexp.reduce(np.log(PHI) + constant + arm1 + arm2)

        found = optimize.minimize_scalar(
            surprise, bounds=(-15, 15), method="bounded", options={"xatol": 1e-9}
        )
        return -found.fun

    return lambda mu, tau: sum(one(row, mu, tau) for row in rows)


BRUTE = {"unconditional": brute_unconditional, "conditional": brute_conditional}


def test_every_stored_cell_is_tested_or_not_claimed_with_a_reason():
    stored = {
        (dataset, *cell.split("_")) for dataset, entry in cases("glmm").items() for cell in entry
    }
    refused = {cell for cell, (what, _) in NOT_CLAIMED.items() if what == SEEN}
    assert stored == set(CLAIMED) | refused
    assert not set(CLAIMED) & refused
    every = {(d, m, e) for d in cases("glmm") for m in LIKELIHOOD for e in EFFECTS}
    assert every == stored | NO_CELL
    assert len(stored) == 30


@pytest.mark.parametrize(("dataset", "model", "effects"), CLAIMED)
def test_fit_equals_metafor(dataset, model, effects):
    reference = cases("glmm")[dataset][f"{model}_{effects}"]
    fit = glmm(counts(dataset), likelihood=LIKELIHOOD[model], effects=EFFECTS[effects])
    found = {"estimate": fit.estimate, "se": fit.se, "tau2": fit.tau2 or 0.0, "Q_lrt": fit.q}
    skipped = NOT_CLAIMED.get((dataset, model, effects), ((), ""))[0]
    for name in set(SEEN) - set(skipped):
        assert_allclose(found[name], reference[name], **GLMM, err_msg=name)
    assert (fit.k, fit.q_df) == (reference["k"], reference["df_Q"])
    assert fit.k + len(fit.excluded) == counts(dataset).k
    assert fit.measure == "OR"
    assert (fit.tau2 is None) == (effects == "EE")
    if not {"estimate", "se"} & set(skipped):
        ends = [reference["ci_lb"], reference["ci_ub"]]
        assert_allclose([fit.lower, fit.upper], ends, atol=3e-4)


# metafor takes the random binomial likelihood from lme4's deviance, which is given the random
# effects where it sums by several nodes: it is up to 25 above what brute force integrates to.
GIVEN_EFFECTS = {(d, "UM.FS", "ML") for d in cases("glmm")} - {
    (d, "UM.FS", "ML")
    for d in ("hine1989", "yusuf1985", "nissen2007")  # tau is 0 there
}


@pytest.mark.parametrize(("dataset", "model", "effects"), sorted(set(CLAIMED) - GIVEN_EFFECTS))
def test_log_likelihood_equals_metafor(dataset, model, effects):
    reference = cases("glmm")[dataset][f"{model}_{effects}"]["loglik"]
    fit = glmm(counts(dataset), likelihood=LIKELIHOOD[model], effects=EFFECTS[effects])
    stopped_short = (dataset, model, effects) == ("hine1989", "CM.EL", "ML")  # at tau² 7e-5
    assert_allclose(fit.log_likelihood, reference, atol=4e-4 if stopped_short else 2e-6)
    assert fit.log_likelihood > reference - 1e-8


@pytest.mark.parametrize(("likelihood", "intercepts"), [("unconditional", 4), ("conditional", 0)])
def test_random_log_likelihood_equals_brute_force_and_aic_counts_intercepts(likelihood, intercepts):
    fit = glmm(SMALL, likelihood=likelihood)
    brute = BRUTE[likelihood](SMALL)(fit.estimate, fit.tau2**0.5)
    assert_allclose(fit.log_likelihood, brute, **GLMM_BRUTE)
    assert fit.aic == pytest.approx(2 * (intercepts + 2) - 2 * brute, abs=1e-5)
    common = glmm(SMALL, likelihood=likelihood, effects="common")
    assert common.aic == pytest.approx(2 * (intercepts + 1) - 2 * common.log_likelihood)
    assert (fit.bic, fit.aicc) == (None, None)


def test_likelihoods_of_counts_have_no_estimates_of_single_studies():
    with pytest.raises(ModelError, match=r"take effect_sizes\(studies, measure='OR'\)"):
        glmm(SMALL).studies()


@pytest.mark.deep("quadrature at two estimates: 1 s")
@pytest.mark.parametrize("dataset", ["nielweise2007", "linde2005"])
def test_exact_likelihood_is_higher_than_at_metafors_estimates(dataset):
    reference = cases("glmm")[dataset]["UM.FS_ML"]
    fit = glmm(counts(dataset))
    value = brute_unconditional(counts(dataset))
    ours = value(fit.estimate, fit.tau2**0.5)
    assert ours > value(reference["estimate"], reference["tau2"] ** 0.5)
    for mu, tau in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)):
        assert ours > value(fit.estimate + mu, fit.tau2**0.5 + tau)


@pytest.mark.parametrize("dataset", ["yusuf1985", "peto1980", "hine1989"])
def test_conditional_common_effect_has_the_exact_information(dataset):
    fit = glmm(counts(dataset), likelihood="conditional", effects="common")
    score = information = 0.0
    for row in informative_arms(counts(dataset)):
        x, weights = log_weights(row)
        p = np.exp(weights + x * fit.estimate - np.logaddexp.reduce(weights + x * fit.estimate))
        mean = p @ x
        score += row[0] - mean
        information += p @ (x - mean) ** 2
    assert_allclose(fit.se, information**-0.5, rtol=1e-7)
    assert abs(score) * fit.se < 1e-7


@pytest.mark.deep("a general optimiser on all of CRINS: 1 to 2 s", but=["small-conditional"])
@pytest.mark.parametrize("likelihood", BRUTE)
@pytest.mark.parametrize("studies", [SMALL, counts("crins2014")], ids=["small", "crins2014"])
def test_fit_equals_brute_force_maximisation(studies, likelihood):
    fit = glmm(studies, likelihood=likelihood)
    value = BRUTE[likelihood](studies)
    found = optimize.minimize(
        lambda point: -value(*point), [-0.5, 0.5], method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-13},
    )  # fmt: skip
    mu, tau = found.x
    assert_allclose([fit.estimate, fit.tau2], [mu, tau**2], **GLMM_BRUTE)
    h = 1e-3
    hessian = np.empty((2, 2))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        di, dj = h * np.eye(2)[i], h * np.eye(2)[j]
        corners = [value(*(found.x + s * di + t * dj)) for s in (1, -1) for t in (1, -1)]
        hessian[i, j] = hessian[j, i] = (np.array([1, -1, -1, 1]) @ corners) / (4 * h**2)
    assert_allclose(fit.se, np.linalg.inv(-hessian)[0, 0] ** 0.5, rtol=1e-5)


@pytest.mark.parametrize("dataset", ["bcg", "linde2005", "egger2001"])
@pytest.mark.parametrize("likelihood", LIKELIHOOD.values())
def test_no_other_tau_is_better(dataset, likelihood):
    tables = tables_of(counts(dataset), likelihood)
    best = random_peak(tables)
    for tau in (0.0, 0.05, 0.2, 0.4, 0.5, 0.6, 0.7, 0.9, 1.2, 2.0, 5.0):
        assert climb(tables, tau, 0.3, tables.start()).value <= best.value
    assert abs(best.slope[1].sum()) < 1e-8


@pytest.mark.parametrize(("likelihood", "effects"), PAIRS)
def test_exchanging_arms_or_outcomes_turns_the_sign(likelihood, effects):
    settings = {"likelihood": likelihood, "effects": effects}
    fit = glmm(SMALL, **settings)
    others = bm.BinaryStudies(
        study=SMALL.study,
        events_treatment=SMALL.n_treatment - SMALL.events_treatment,
        n_treatment=SMALL.n_treatment,
        events_control=SMALL.n_control - SMALL.events_control,
        n_control=SMALL.n_control,
    )
    for turned in (glmm(swapped(SMALL), **settings), glmm(others, **settings)):
        assert_allclose(-turned.estimate, fit.estimate, **INVARIANCE)
        assert_allclose([turned.se, turned.q], [fit.se, fit.q], **INVARIANCE)
        assert_allclose(turned.tau2 or 0, fit.tau2 or 0, **INVARIANCE)


@pytest.mark.parametrize(("likelihood", "effects"), PAIRS)
def test_studies_that_say_nothing_are_left_out_by_name(likelihood, effects):
    rows = dict(zip(SMALL.study, arms(SMALL), strict=True))
    more = binary({"none": (0, 30, 0, 31), **rows, "all": (7, 7, 9, 9)})
    fit = glmm(more, likelihood=likelihood, effects=effects)
    assert fit.excluded == ("none", "all")
    assert fit.k == 4
    alone = glmm(SMALL, likelihood=likelihood, effects=effects)
    assert (fit.estimate, fit.se, fit.tau2, fit.q) == (
        alone.estimate, alone.se, alone.tau2, alone.q,
    )  # fmt: skip


def test_one_study_gives_its_own_odds_ratio():
    fit = glmm(binary({"A": (4, 20, 9, 22)}), effects="common")
    assert_allclose(fit.estimate, np.log(4 * 13 / (16 * 9)), rtol=1e-12)
    assert_allclose(fit.se, np.sqrt(1 / 4 + 1 / 16 + 1 / 9 + 1 / 13), rtol=1e-10)
    assert_allclose(fit.q, 0, atol=1e-12)
    assert (fit.q_df, fit.i2, fit.tau2, fit.prediction) == (0, 0, None, None)


@pytest.mark.parametrize("likelihood", LIKELIHOOD.values())
def test_without_heterogeneity_random_effects_are_common(likelihood):
    studies = counts("hine1989")
    random, common = (glmm(studies, likelihood=likelihood, effects=e) for e in ("random", "common"))
    assert random.tau2 == 0
    assert (random.estimate, random.se, random.i2) == (common.estimate, common.se, 0)


def test_large_arms_agree_whatever_is_conditioned_on():
    studies = binary({
        "A": (44_000, 88_000, 44_100, 88_000),
        "B": (30_000, 88_000, 30_900, 88_000),
        "C": (40_000, 80_000, 39_000, 80_000),
    })  # fmt: skip
    one, two = (glmm(studies, likelihood=likelihood) for likelihood in LIKELIHOOD.values())
    assert_allclose([one.estimate, one.se], [two.estimate, two.se], atol=1e-6)
    effects = bm.effect_sizes(studies, measure="OR")

    def normal(point):  # maximum likelihood of the normal model
        return -stats.norm.logpdf(effects.y, point[0], np.hypot(effects.se, point[1])).sum()

    found = optimize.minimize(normal, [0, 0.1], method="Nelder-Mead", options={"xatol": 1e-9})
    assert_allclose([one.estimate, one.tau2**0.5], found.x, atol=1e-4)


def test_the_level_is_of_the_interval_only():
    narrow, wide = (glmm(SMALL, prob=prob) for prob in (0.5, 0.99))
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert_allclose(wide.upper - wide.estimate, stats.norm.ppf(0.995) * wide.se)
    assert "binomial" in wide.method
    assert "hypergeometric" in glmm(SMALL, likelihood="conditional").method


@pytest.mark.parametrize(("likelihood", "effects"), PAIRS)
def test_one_empty_side_has_no_finite_odds_ratio(likelihood, effects):
    settings = {"likelihood": likelihood, "effects": effects}
    none = binary({"A": (0, 10, 3, 9), "B": (0, 12, 5, 10)})
    with pytest.raises(DataError, match="no finite maximum: it grows towards zero"):
        glmm(none, **settings)
    with pytest.raises(DataError, match="no finite maximum: it grows towards infinity"):
        glmm(swapped(none), **settings)
    either = binary({"A": (0, 10, 3, 9), "B": (5, 12, 10, 10)})
    with pytest.raises(DataError, match="no finite maximum: it grows towards zero"):
        glmm(either, **settings)
    with pytest.raises(DataError, match="no finite maximum: it grows towards infinity"):
        glmm(swapped(either), **settings)
    with pytest.raises(DataError, match="there is no OR to pool"):
        glmm(binary({"A": (0, 10, 0, 9), "B": (3, 3, 4, 4)}), **settings)


def test_random_effects_need_two_studies():
    studies = binary({"A": (0, 10, 0, 9), "B": (2, 10, 4, 10)})
    with pytest.raises(DataError, match=r"at least two studies .* only B has"):
        glmm(studies)


def test_a_variance_without_end_is_refused():
    opposite = binary({"A": (0, 10, 5, 10), "B": (5, 10, 0, 10)})
    with pytest.raises(DataError, match="still grows at tau = 10"):
        glmm(opposite, likelihood="conditional")


def test_words_and_data_are_checked():
    for name, wrong in (("likelihood", "exact"), ("effects", "fixed"), ("interval", "HKSJ")):
        with pytest.raises(ModelError, match=f"^{name} is '"):
            glmm(SMALL, **{name: wrong})
    with pytest.raises(DataError, match="prob must lie"):
        glmm(SMALL, prob=95)
    with pytest.raises(ModelError, match="counts of two arms"):
        glmm(bm.EffectSizes.from_arrays(["A", "B"], [0.1, 0.2], [0.1, 0.2]))
