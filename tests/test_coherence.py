"""Figures that imply one another: every rule sees its contradiction, sound fits have none."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from random_fits import random_fit
from scipy import stats

import bayesmeta as bm
from bayesmeta import implications
from bayesmeta.analysis import held_to, run
from bayesmeta.cli import main
from bayesmeta.implications import answers, factors, runs, sentences, tables
from bayesmeta.posterior import Check, Coherence, Diagnostics, Marginal, NormalMixture, Pair
from bayesmeta.report import write_results
from bayesmeta.results.display import simulated
from bayesmeta.results.keys import FitKey
from bayesmeta.specification import load_specification

ROOT = Path(__file__).parents[1]
DATA = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
MODEL = bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5))


class Altered(Marginal):
    """A marginal that answers some questions otherwise."""

    def __init__(self, marginal, **others):
        self.marginal, self.others = marginal, others

    def _ask(self, name, *given):
        right = getattr(self.marginal, name)
        return self.others[name](right, *given) if name in self.others else right(*given)

    def mean(self):
        return self._ask("mean")

    def sd(self):
        return self._ask("sd")

    def _quantile(self, q):
        return self._ask("_quantile", q)

    def _cdf(self, x):
        return self._ask("_cdf", x)

    def _pdf(self, x):
        return self._ask("_pdf", x)

    def interval(self, prob=0.95, *, kind="central"):
        return self._ask("interval", prob)


@pytest.fixture(scope="module")
def posterior():
    found = bm.fit(MODEL, DATA)
    found["theta"], found["theta_new"]  # asked for, as a summary does
    return found


def altered(posterior, name, **others):
    marginals = {**posterior.marginals, name: Altered(posterior[name], **others)}
    return replace(posterior, marginals=marginals)


def rules(found):
    return {one.rule for one in found.contradictions}


CONTRADICTIONS = {  # what is planted, and the rule that sees it
    "swapped limits": ("mu", {"interval": lambda f, p: f(p)[::-1]}, "quantiles rise"),
    "limits of another level": (
        "mu",
        {"interval": lambda f, p: f(0.94)},
        "quantiles invert the distribution function",
    ),
    "a distribution function off by a millionth": (
        "theta_new",
        {"_cdf": lambda f, x: f(x) + 1e-6},
        "quantiles invert the distribution function",
    ),
    "a probability of benefit of 99% beside an interval with no effect": (
        "mu",
        {"_cdf": lambda f, x: np.where(x == 0, 0.99, f(x))},
        "interval and probability of benefit",
    ),
    "no density at 0": (
        "mu",
        {"_pdf": lambda f, x: np.where(x == 0, 0.0, f(x))},
        "density and distribution function",
    ),
    "a density of tau half a percent too high": (
        "tau",
        {"_pdf": lambda f, x: 1.005 * f(x)},
        "density and distribution function",
    ),
    "a mean 1% of an SD off": (
        "tau",
        {"mean": lambda f: f() + 0.002},
        "mean and distribution function",
    ),
    "an SD 5% too large": ("mu", {"sd": lambda f: 1.05 * f()}, "SD and distribution function"),
    "an SD ten times too small": ("mu", {"sd": lambda f: 0.1 * f()}, "quantiles and moments"),
    "a new effect with another mean": (
        "theta_new",
        {"mean": lambda f: f() + 1e-4},
        "mean of a new effect",
    ),
    "a new effect that forgot tau": (
        "theta_new",
        {"sd": lambda f: 0.999 * f()},
        "variance of a new effect",
    ),
    "a negative tau": ("tau", {"_cdf": lambda f, x: np.maximum(f(x), 1e-9)}, "no negative SD"),
}


@pytest.mark.parametrize("planted", CONTRADICTIONS)
def test_a_planted_contradiction_of_a_fit_is_seen(posterior, planted):
    name, others, rule = CONTRADICTIONS[planted]
    assert rule in rules(bm.coherence(altered(posterior, name, **others)))
    assert bm.coherence(posterior).passed


def test_a_marginal_likelihood_that_is_no_number_is_seen(posterior):
    found = bm.coherence(replace(posterior, log_marginal_likelihood=np.nan))
    assert rules(found) == {"evidence is a number"}


def test_nodes_that_hold_another_mean_or_more_than_everything_are_seen():
    studies = bm.BinaryStudies(
        study=("A", "B"), events_treatment=[3, 9], n_treatment=[40, 60],
        events_control=[6, 15], n_control=[41, 58],
    )  # fmt: skip
    fit = bm.fit(bm.BinomialNormal(measure="OR", mu=MODEL.mu, tau=MODEL.tau), studies)
    assert bm.coherence(fit).passed
    right = fit.nodes()
    elsewhere = {**right.values, "mu": right.values["mu"] + 1e-4}
    for nodes in (replace(right, values=elsewhere), replace(right, mass=1.001 * right.mass)):
        found = bm.coherence(replace(fit, nodes=lambda nodes=nodes: nodes))
        assert "nodes and marginals" in rules(found)


def test_draws_are_held_to_their_own_monte_carlo_error(posterior):
    exact = {name: posterior[name].quantile((np.arange(4000) + 0.5) / 4000) for name in ("mu",)}
    values = np.random.default_rng(1).permutation(exact["mu"]).reshape(4, 1000)
    from bayesmeta.posterior import Draws

    drawn = replace(
        posterior,
        marginals={"mu": Draws(values)},
        sample_stats={"diverging": np.zeros((4, 1000))},
        log_marginal_likelihood=None,
    )
    assert bm.coherence(drawn).passed
    wrong = altered(drawn, "mu", interval=lambda f, p: f(0.94))
    assert "quantiles invert the distribution function" in rules(bm.coherence(wrong))


def test_the_effect_in_a_new_study_is_not_computed_to_be_checked():
    fit = bm.fit(MODEL, DATA)
    bm.coherence(fit)
    assert set(fit.marginals.computed()) == {"mu", "tau"}


def with_factor(found, which, shift):
    factors = list(found.factors)
    factors[which] = replace(factors[which], log_bf01=factors[which].log_bf01 + shift)
    return replace(found, factors=tuple(factors))


@pytest.mark.parametrize(
    ("which", "shift", "seen"),
    [
        (0, 0.01, {"Bayes factor and posterior"}),
        (0, -20.0, {"Bayes factor and posterior", "Bayes factor and interval"}),
        (1, 0.1, {"Bayes factor and posterior", "Bayes factor by scale"}),
    ],
)
def test_a_bayes_factor_is_held_to_densities_interval_and_its_other_table(
    posterior, which, shift, seen
):
    right = bm.bayes_factors(posterior)
    assert bm.coherence(posterior, factors=right).passed
    wrong = with_factor(right, which, shift)
    assert rules(bm.coherence(posterior, factors=wrong)) == seen


def test_no_factor_for_0_can_be_larger_than_an_interval_that_excludes_it_allows():
    data = replace(DATA, y=DATA.y - 3)
    fit = bm.fit(MODEL, data)
    right = bm.bayes_factors(fit)
    assert bm.coherence(fit, factors=right).passed
    found = bm.coherence(fit, factors=with_factor(right, 0, 8.0))
    assert "Bayes factor and interval" in rules(found)


def test_the_most_a_factor_can_be_is_read_from_the_tail_beyond_the_end_next_to_0():
    """Within (0, 1), where a bound taken from the other side would be a looser one."""
    data = bm.EffectSizes.from_arrays(["A", "B", "C"], [0.5, 0.6, 0.55], [0.1, 0.12, 0.11])
    for side in (1, -1):
        fit = bm.fit(MODEL, replace(data, y=side * data.y))
        (pair,) = [one for one in bm.coherence(fit, factors=bm.bayes_factors(fit)).pairs
                   if one.rule.endswith("and interval") and one.where == "mu = 0"]  # fmt: skip
        below, (lower, upper) = fit["mu"].cdf(0.0), fit["mu"].interval(0.95)
        assert 0 < min(side * lower, side * upper) < max(side * lower, side * upper) < 1
        within = (0.025 - below) / lower if side > 0 else (below - 0.975) / -upper
        expected = np.log(within) - stats.norm.logpdf(0, 0, 2)
        np.testing.assert_allclose(pair.other, expected, atol=1e-5)


TABLE = bm.BinaryStudies(
    study=("A", "B"), events_treatment=[3, 9], n_treatment=[40, 60],
    events_control=[6, 15], n_control=[41, 58],
)  # fmt: skip
FAR_PRIORS = (
    bm.Normal(0.5, 0.01),
    bm.Normal(0.5, 1e-4),
    bm.Normal(-3, 0.001),
    bm.Mixture(0.5, bm.Normal(-0.5, 1e-3), bm.Normal(0.5, 1e-3)),
)


def of_mu(fit, factors):
    """Pairs of the factor for mu = 0 and the posterior beside it."""
    found = bm.coherence(fit, factors=factors).pairs
    return [one for one in found if one.rule.startswith("Bayes factor and ")
            and one.where == "mu = 0"]  # fmt: skip


@pytest.mark.parametrize("prior", FAR_PRIORS, ids=repr)
@pytest.mark.parametrize("data", [DATA, TABLE], ids=["estimates", "counts"])
def test_a_prior_whose_density_at_0_no_float_holds_is_no_obstacle(prior, data):
    priors = {"mu": prior, "tau": bm.HalfNormal(0.5)}
    counts = data is TABLE
    model = bm.BinomialNormal(measure="OR", **priors) if counts else bm.NormalNormal(**priors)
    fit = bm.fit(model, data)
    right = bm.bayes_factors(fit)
    assert np.exp(bm.priors.log_density(prior, np.array(0.0))) == 0
    pairs = of_mu(fit, right)
    assert pairs
    assert all(one.agrees for one in pairs)
    assert all(np.isfinite([one.one, one.other]).all() for one in pairs)
    most = min(one.other for one in pairs) - right.factors[0].log_bf01
    wrong = of_mu(fit, with_factor(right, 0, 1.01 * most))
    assert not all(one.agrees for one in wrong)


def test_a_factor_is_held_to_a_density_far_in_the_tail_of_its_prior():
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0.5, 0.1), tau=bm.HalfNormal(0.5)), DATA)
    right = bm.bayes_factors(fit)
    for shift, agrees in ((0.0, True), (0.05, False), (-0.05, False)):
        slope, _ = of_mu(fit, with_factor(right, 0, shift))
        assert (slope.agrees, slope.at_most) == (agrees, False)


def test_a_density_too_low_to_be_resolved_still_bounds_the_factor():
    fit = bm.fit(MODEL, replace(DATA, y=DATA.y - 8, se=DATA.se / 4))
    right = bm.bayes_factors(fit)
    slope, _ = of_mu(fit, right)
    assert (slope.agrees, slope.at_most) == (True, True)
    # no density there is above 4e-7 of one over the width: its log, less that of the prior's
    width = np.diff(fit["mu"].quantile([0.25, 0.75]))[0]
    most = np.log(4e-7 / width) + np.log(2 * np.sqrt(2 * np.pi))
    assert slope.other == pytest.approx(most, abs=0.5)
    beyond = with_factor(right, 0, most + 1 - right.factors[0].log_bf01)
    assert not of_mu(fit, beyond)[0].agrees


def test_an_infinite_figure_keeps_no_bound():
    assert not factors.at_most("", np.inf, "", 1.0).agrees
    assert not factors.at_most("", 1.0, "", -np.inf).agrees
    assert factors.at_most("", -np.inf, "", 1.0).agrees


def test_the_probability_of_0_is_that_of_the_factor():
    one = SimpleNamespace(
        hypothesis="mu = 0", prior=bm.Normal(0, 1), log_bf01=np.log(3), bf01=3.0, bf10=1 / 3
    )
    right = factors.factors_are_one(SimpleNamespace(**vars(one), prob_null=0.75))
    wrong = factors.factors_are_one(SimpleNamespace(**vars(one), prob_null=0.25))
    assert [pair.agrees for pair in right] == [True, True]
    assert [pair.agrees for pair in wrong] == [True, False]


def test_a_contradiction_is_one_sentence_with_both_figures(posterior):
    found = bm.coherence(altered(posterior, "mu", _pdf=lambda f, x: np.where(x == 0, 0.0, f(x))))
    (only,) = found.contradictions
    slope = f"{posterior['mu'].pdf(0.0):.4g}"
    assert str(only) == (
        "mu: the density at 0, 0, contradicts the slope of the distribution function there, "
        f"{slope}"
    )
    assert found.in_short.endswith("held against one another: 1 contradicts.")
    assert found.table()["agrees"].value_counts()[False] == 1


def test_figures_that_differ_late_are_told_apart_and_missing_ones_agree():
    settings = {"rule": "", "where": "x", "first": "a", "second": "b", "tolerance": 0.0, "why": ""}
    said = str(Pair(one=1.0000001, other=1.0, **settings))
    assert said == "x: a, 1.0000001, contradicts b, 1"
    assert Pair(one=np.nan, other=np.nan, **settings).agrees
    assert not Pair(one=np.nan, other=1.0, **settings).agrees
    assert Pair(one=0.5, other=1.0, at_most=True, **settings).agrees
    assert Pair(one=np.inf, other=np.inf, **settings).agrees
    assert not Pair(one=-np.inf, other=np.inf, **settings).agrees


def held_together(case):
    """Contradictions of a random fit whose own gates passed."""
    model, data, new = random_fit(case)
    fit = bm.fit(model, data)
    if not fit.diagnostics.passed:
        return ()
    if new:
        fit["theta_new"]
    return bm.coherence(fit, factors=bm.bayes_factors(fit)).contradictions


@pytest.mark.deep("two hundred fits: two minutes", but=["[0-57-9]", "1[0-3]", "22"])
@pytest.mark.parametrize("case", range(200))
def test_a_random_fit_contradicts_itself_nowhere(case):
    found = held_together(case)
    assert not found, str(Coherence(found))


@pytest.fixture(scope="module")
def bcg():
    return run(load_specification(ROOT / "models" / "bcg.toml"))


@pytest.mark.deep("integrates three outcomes and samples each: 15 s")
def test_no_figure_of_hba1c_contradicts_another():  # the real case is held in its own file
    found = run(load_specification(ROOT / "models" / "hba1c.toml"))
    assert found.coherence.passed, str(found.coherence)
    assert len(found.coherence.pairs) > 1000


def of_tables(results, outcome):
    return Coherence(tuple(runs.of_outcome(outcome, results.prob)))


def with_cell(outcome, name, row, column, change):
    table = outcome.tables[name].copy()
    at = table.columns.get_loc(column)
    table.iloc[row, at] = change(table.iloc[row, at])
    return replace(outcome, tables={**outcome.tables, name: table})


def more(value):
    return 1.001 * value


ROWS = [  # a cell that is altered, and the rule that sees it
    ("comparison", 0, "estimate_natural", "one answer"),
    ("comparison", 0, "estimate_natural", "sentence and row"),
    ("comparison", 0, "prob_benefit", "one probability"),
    ("comparison", 2, "lower_natural", "natural scale"),
    ("comparison", -1, "upper_natural", "sentence and row"),
    ("scenarios", 0, "upper", "one answer"),
    ("scenarios", 1, "lower_natural", "one answer"),
    ("scenarios", 0, "mh_lower_natural", "one answer"),
    ("scenarios", 1, "prob_benefit", "one probability"),
    ("studies", 1, "estimate_natural", "one answer"),
    ("studies", 0, "weight", "weights"),
    ("parameters", 0, "median", "one answer"),
    ("parameters", 0, "prob_below_null", "one probability"),
    ("weights", 0, "weight", "weights"),
    ("bayes-factors", 1, "bf01", "Bayes factors as printed"),
    ("bayes-factors", 1, "prob_null", "Bayes factors as printed"),
    ("deviance", 0, "residual", "totals"),
    ("loo", 0, "elpd", "totals"),
    ("trust", 0, "value", "gates in two tables"),
    ("heterogeneity", 0, "q_p", "Q, its p and I²"),
    ("heterogeneity", 0, "i2_q_percent", "Q, its p and I²"),
]


@pytest.mark.parametrize(("table", "row", "column", "rule"), ROWS)
def test_an_altered_cell_of_a_run_contradicts_another(bcg, table, row, column, rule):
    (outcome,) = bcg.outcomes
    change = (lambda x: 1.05 * x) if rule == "sentence and row" else more
    found = of_tables(bcg, with_cell(outcome, table, row, column, change))
    assert rule in rules(found)
    assert of_tables(bcg, outcome).passed


def test_events_per_1000_follow_from_ratio_and_control_risk(bcg):
    (outcome,) = bcg.outcomes
    first, second = outcome.absolute.rows
    wrong = replace(second, treatment=tuple(map(more, second.treatment)))
    rows = replace(outcome.absolute, rows=(first, wrong))
    assert "per 1,000" in rules(of_tables(bcg, replace(outcome, absolute=rows)))


def swapped(ends):
    low, high = ends.split(" and ")
    return f"{high} and {low}"


def test_a_headline_is_held_to_its_rows(bcg, monkeypatch):
    (outcome,) = bcg.outcomes
    right = sentences.headline(outcome, prob=0.95)
    pairs = [one for one in sentences.of_sentences(outcome, 0.95) if one.where == "first sentence"]
    assert len(pairs) == 9  # two ends, median, benefit, includes; two ends in a new setting; form
    (ends,) = re.findall(r"the risk ratio lies between (\S+ and \S+) with", right)
    (setting,) = re.findall(r"it lies between (\S+ and \S+)\.$", right)
    for old, new in (
        ("excludes", "includes"),
        ("median 0.", "median 1."),
        ("median 0.", "median −0."),
        ("between 0", "between 1"),
        (ends, swapped(ends)),
        (setting, swapped(setting)),
        ("benefit is > 99.9%", "benefit is 99.9%"),
        ("benefit is > 99.9%", "benefit is < 0.1%"),
        ("benefit is", "benefit was"),
        ("In a new setting", "Elsewhere"),
    ):
        assert right.count(old) >= 1
        text = right.replace(old, new)
        monkeypatch.setattr(sentences, "headline", lambda _, prob, text=text: text)
        assert rules(of_tables(bcg, outcome)) == {"sentence and row"}


def test_an_effect_may_be_called_what_a_sentence_says(bcg):
    (outcome,) = bcg.outcomes
    named = replace(outcome, label="ratio (1+1) that lies between {0} and 1 with 5% probability")
    pairs = list(sentences.of_sentences(named, 0.95))
    assert sum(one.where == "first sentence" for one in pairs) == 9
    assert all(one.agrees for one in pairs)


@pytest.mark.parametrize(
    ("said", "row", "agree"),
    [
        ("0.40", "0.40", True),
        ("−0.40", "−0.40", True),
        ("–", "–", True),
        ("> 99.9%", "> 99.9%", True),
        ("−0.40", "0.40", False),
        ("0.40", "−0.40", False),
        ("95.0%", "5.0%", False),
        ("5.0%", "95.0%", False),
        ("> 99.9%", "99.9%", False),
        ("0.4", "0.40", False),
        ("–", "0.40", False),
        ("0.40", "–", False),
    ],
)
def test_a_sentence_and_a_row_are_compared_letter_by_letter(said, row, agree):
    assert sentences.as_printed("the median", said, row).agrees is agree


def published_alone(tmp_path, labels):
    """A run of figures that were only published, each with its own numbers."""
    figures = "".join(
        f"""
[[outcome.published]]
label = {json.dumps(label, ensure_ascii=False)}
measure = "MD"
estimate = "-{one + 1}.4"
lower = "-{one + 2}.4"
upper = "-{one}.4"
citation = "a paper"
alone = true
prior = "Normal(0, 4)"
why = "weak"
"""
        for one, label in enumerate(labels)
    )
    path = tmp_path / "published.toml"
    path.write_text(
        """title = "Published"
question = "Does it?"
arms = ["drug", "none"]
seed = 1

[[outcome]]
name = "crp"
title = "CRP"
better = "lower"
"""
        + figures
    )
    return run(load_specification(path))


LABELS = (
    ("CRP high", "CRP"),
    ("CRP", "CRP high"),
    ("CRP; day 7", "CRP"),
    ("CRP − day 7", "CRP [−1, 2] day"),
    ("a, 95% interval): CRP", "interval): a 0.5 (probability of benefit 5.0%)"),
)


@pytest.mark.parametrize("labels", LABELS)
def test_a_label_may_hold_whatever_a_sentence_holds(labels, tmp_path):
    found = published_alone(tmp_path, labels)
    (outcome,) = found.outcomes
    pairs = [one for one in found.coherence.pairs if one.where.startswith("first sentence")]
    assert found.coherence.passed, str(found.coherence)
    assert len(pairs) == 4 * 2 + 1  # estimate, both ends and benefit of two; and their order
    for column in ("estimate_natural", "lower_natural", "upper_natural", "prob_benefit"):
        wrong = with_cell(outcome, "published", 1, column, lambda x: 1 - x)
        (seen,) = of_tables(found, wrong).contradictions
        assert seen.where == f"first sentence, {labels[1]}"


def test_figures_swapped_in_a_sentence_of_published_ones_are_seen(tmp_path, monkeypatch):
    found = published_alone(tmp_path, ("CRP high", "CRP"))
    (outcome,) = found.outcomes
    right = sentences.headline(outcome, prob=0.95)
    numbers = re.findall(r"\[(\S+), (\S+)\] \(probability of benefit (.+?)\)", right)
    (low, high, benefit), (other, *_) = numbers
    for old, new in (
        (f"[{low}, {high}]", f"[{high}, {low}]"),
        (low, low.replace("−", "")),
        (low, other),
        (f"benefit {benefit}", "benefit 5.0%"),
    ):
        assert old in right
        text = right.replace(old, new, 1)
        monkeypatch.setattr(sentences, "headline", lambda _, prob, text=text: text)
        assert rules(of_tables(found, outcome)) == {"sentence and row"}


def test_a_second_source_is_held_to_the_answer(bcg):
    (outcome,) = bcg.outcomes
    main = outcome.main
    second = main.fits[FitKey.SECOND_SOURCE]
    apart = 5 * second.convergence["mu"]["mcse_mean"]
    wrong = altered(second, "mu", mean=lambda f: main.answer["mu"].mean() + apart)
    fits = {**main.fits, FitKey.SECOND_SOURCE: wrong}
    scenarios = (replace(main, fits=fits), *outcome.scenarios[1:])
    assert "two engines" in rules(of_tables(bcg, replace(outcome, scenarios=scenarios)))


def test_holding_a_sample_to_the_answer_leaves_its_later_checks_for_later():
    fit = bm.fit(MODEL, DATA)
    first, later = (Check(name, "mu", 0.0, 1.0, at_most=True) for name in ("first", "later"))
    drawn = replace(
        fit,
        diagnostics=Diagnostics((first,), later=lambda: (later,)),
        convergence={"mu": {"mcse_mean": 0.01}},
    )
    names = [one.name for one in held_to(fit, drawn).diagnostics.checks]
    assert names == ["first", "apart from exact, in MCSE", "later"]


def test_a_figure_is_mapped_however_far_it_lies():
    far = (-1e4, 800.0, np.inf)
    assert tuple(map(answers.FORTH["log"], far)) == (0.0, np.inf, np.inf)
    assert tuple(map(answers.FORTH["logit"], far)) == (0.0, 1.0, 1.0)
    assert answers.FORTH["log"](np.log(3)) == pytest.approx(3, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [(-0.001, 0.01, "0.00"), (-0.04, 0.2, "0.0"), (0.04, 0.2, "0.0"), (-0.06, 0.02, "−0.06")],
)
def test_no_minus_stands_before_a_simulated_zero(value, error, shown):
    assert simulated(value, error) == shown


def test_what_is_called_nearest_is_nearest(bcg):
    (outcome,) = bcg.outcomes
    (one,) = outcome.published
    candidates = [replace(c, reproduces=False) for c in one.explanation.candidates]
    candidates[0] = replace(candidates[0], miss=max(c.miss for c in candidates) + 1)
    wrong = replace(one, explanation=replace(one.explanation, candidates=tuple(candidates)))
    assert "nearest convention" in rules(of_tables(bcg, replace(outcome, published=(wrong,))))


def test_numbers_are_written_as_they_stand_in_the_tables():
    rows = [{"a": 1.5, "b": "text", "c": np.nan}, {"a": 2.5, "b": "text", "c": 3}]
    written = [{"a": 1.5, "b": "text", "c": None}, {"a": 2.5, "b": "text", "c": 3}]
    assert tables.differing_cells("one", written, rows).agrees
    assert not tables.differing_cells("one", written[:1], rows).agrees
    written[1]["c"] = 3.0001
    found = tables.differing_cells("one", written, rows)
    assert (found.one, found.agrees) == (1.0, False)


def test_every_rule_is_at_work_in_a_run(bcg):
    asked = {rule for *_, rule in ROWS} | {rule for *_, rule in CONTRADICTIONS.values()}
    others = {"two engines", "per 1,000", "results.json", "Bayes factor and posterior"}
    assert asked | others <= {one.rule for one in bcg.coherence.pairs}
    assert bcg.coherence.passed


def contradicting(results):
    """The run with another number where its first scenario stands."""
    (outcome,) = results.outcomes
    main = outcome.main
    wrong = altered(main.answer, "mu", _pdf=lambda f, x: np.where(x == 0, 0.0, f(x)))
    fits = {**main.fits, main.answering: wrong}
    scenarios = (replace(main, fits=fits), *outcome.scenarios[1:])
    return replace(results, outcomes=(replace(outcome, scenarios=scenarios),))


def test_a_contradiction_fails_the_run_and_marks_answer_tables_and_first_screen(bcg, tmp_path):
    found = implications.hold(contradicting(bcg))
    (outcome,) = found.outcomes
    assert not found.passed
    assert "the density at 0, 0, contradicts" in " ".join(sum(outcome.failures.values(), ()))
    for table in ("comparison", "scenarios"):
        assert not outcome.tables[table]["sound"].iloc[0]
        assert outcome.tables[table]["sound"].iloc[1:].all()
    assert "FAILED" in set(outcome.tables["trust"]["verdict"])
    assert not outcome.tables["diagnostics"]["passed"].all()
    assert of_tables(found, outcome).passed or "density" in str(of_tables(found, outcome))
    write_results(found, tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text()
    assert "A numerical gate failed" in text
    assert "contradicts the slope of the distribution function" in text


@pytest.mark.deep("a whole run from the command line: 2 s")
def test_a_sound_run_says_in_one_line_that_nothing_contradicts(bcg, tmp_path):
    write_results(bcg, tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text()
    assert "held against one another: none contradicts." in text
    assert implications.hold(bcg).coherence.pairs == bcg.coherence.pairs


def test_fit_on_the_command_line_ends_with_status_1_where_figures_contradict(tmp_path, monkeypatch):
    table = tmp_path / "trials.csv"
    table.write_text("study,y,se\nShu,-0.4,0.2\nZhu,0.1,0.3\nLanzoni,-0.3,0.4\n")
    asked = ["fit", str(table), "--measure", "MD", "--tau", "HalfNormal(0.5)", "--evidence", "--mu"]
    for mu in ("Normal(0.5, 0.01)", "Normal(0, 2)"):
        sound = CliRunner().invoke(main, [*asked, mu], catch_exceptions=False)
        assert sound.exit_code == 0, sound.output
        assert "held against one another: none contradicts." in sound.output
    right = NormalMixture._pdf
    monkeypatch.setattr(
        NormalMixture, "_pdf", lambda self, x: np.where(x == 0, 0.0, right(self, x))
    )
    found = CliRunner().invoke(main, [*asked, "Normal(0, 2)"], catch_exceptions=False)
    assert found.exit_code == 1
    assert "Not sound: mu: the density at 0, 0, contradicts the slope" in found.output
