"""Proportions and rates of single arms from a specification to the report."""

import html
import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.special import expit, logit
from scipy.stats import binom, norm, poisson, t

import bayesmeta as bm
from bayesmeta import plots
from bayesmeta.analysis import run as analyse
from bayesmeta.cli import main
from bayesmeta.effects import MEASURES
from bayesmeta.engines.likelihood.held_out import study_terms
from bayesmeta.implications import hold
from bayesmeta.plots._scale import logit_ticks, scale_for
from bayesmeta.results.display import natural, natural_interval
from bayesmeta.specification import load_specification, parse_specification
from bayesmeta.summaries import ForestRow

CASE = Path(__file__).parent / "cases" / "c06b-our-names.csv"
RATES = """\
study,events,time
A,3,120.5
B,0,50
C,4,60
D,12,310
E,1,44.5
F,7,205
"""
LOGITS = "study,y,se\nA,2.1,0.5\nB,1.7,0.4\nC,2.6,0.7\n"
SPECIFICATION = """\
title = "Single arms"
seed = 4

[[outcome]]
name = "seroconversion"
title = "Seroconversion"
event = "seroconversions"
measure = "PLO"
data = "arms.csv"
mu = "Normal(0, 2)"
tau = "HalfNormal(1)"

[[outcome.scenario]]
name = "all studies"

[[outcome.scenario]]
name = "a year or more"
where = { follow_up = ["12", "24"] }

[[outcome.published]]
label = "Smith 2024"
measure = "PLO"
estimate = "0.88"
lower = "0.80"
upper = "0.94"
n = 488
alone = true
"""
OTHERS = """
[[outcome]]
name = "infections"
title = "Infections"
event = "infections"
measure = "IRLN"
data = "rates.csv"
mu = "Normal(-3, 2)"
tau = "HalfNormal(1)"

[[outcome]]
name = "given"
title = "Given as logits"
measure = "PLO"
kind = "estimates"
data = "logits.csv"
mu = "Normal(0, 2)"
tau = "HalfNormal(1)"

[[outcome]]
name = "printed"
title = "Printed alone"

[[outcome.published]]
label = "Jones 2025"
measure = "IRLN"
estimate = "0.040"
lower = "0.030"
upper = "0.053"
n = 900
alone = true
"""
OF_COMPARISONS = re.compile(
    r"benefit|treatment|control|no effect|is better|favours|either arm|Mantel|placebo|randomis",
    re.I,
)
SMALL = """\
title = "T"

[[outcome]]
name = "one"
title = "One"
data = "arms.csv"
"""
PRIORS = 'mu = "Normal(0, 2)"\ntau = "HalfNormal(1)"\n'


def text_of(page: str) -> str:
    """What a reader sees of a page; its figures apart."""
    page = re.sub(r"<style.*?</style>|data:image[^\"]*|<pre>.*?</pre>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def written(folder: Path, specification: str) -> Path:
    (folder / "arms.csv").write_text(CASE.read_text())
    (folder / "rates.csv").write_text(RATES)
    (folder / "logits.csv").write_text(LOGITS)
    (folder / "spec.toml").write_text(specification)
    return folder / "spec.toml"


def ran(folder: Path, specification: str) -> tuple[str, dict]:
    asked = ["run", str(written(folder, specification)), "-o", str(folder / "out"), "--verbose"]
    result = CliRunner().invoke(main, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output, json.loads((folder / "out" / "results.json").read_text())["outcomes"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the exact analyses; the second source has a test of its own."""
    folder = tmp_path_factory.mktemp("single")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bayesmeta.analysis.runs.second_source", lambda *_: None)
        output, outcomes = ran(folder, SPECIFICATION + OTHERS)
    return output, folder / "out", outcomes


def row(outcome: dict, table: str, label: str) -> dict:
    rows = outcome["tables"][table]
    key = next(iter(rows[0]))
    return next(each for each in rows if each[key] == label)


def ends(of: dict, suffix: str = "", middle: str = "estimate") -> list[float]:
    return [of[f"{name}{suffix}"] for name in (middle, "lower", "upper")]


def test_proportions_have_the_values_of_a_grid_integrated_by_brute_force(run):
    _, _, outcomes = run
    one = outcomes["seroconversion"]
    mu = row(one, "parameters", "mu")
    assert mu["mean"] == pytest.approx(2.0668, abs=2e-4)
    assert [mu["lower"], mu["upper"]] == pytest.approx([1.4279, 2.8292], abs=1e-3)
    answer = row(one, "comparison", "counts (binomial–normal)")
    assert ends(answer, "_natural") == pytest.approx([0.885, 0.807, 0.944], abs=5e-4)
    new = row(one, "studies", "95% prediction interval")
    theta_new = row(one, "parameters", "theta_new")
    assert ends(new, "_natural") == pytest.approx(expit(ends(theta_new, middle="median")))


def test_rates_have_the_mean_and_sd_of_an_integral_made_here(run):
    _, _, outcomes = run
    table = pd.read_csv(StringIO(RATES))
    mu, tau = np.linspace(-6, -1, 151), (np.arange(150) + 0.5) / 50
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    theta = mu[:, None, None] + tau[:, None] * nodes
    log_density = norm.logpdf(mu, -3, 2)[:, None] + norm.logpdf(tau)
    for events, time in zip(table["events"], table["time"], strict=True):
        law = poisson.pmf(events, time * np.exp(np.minimum(theta, 20)))
        log_density += np.log(law @ weights)
    density = np.exp(log_density - log_density.max()).sum(axis=1)
    density /= density.sum()
    mean = density @ mu
    sd = np.sqrt(density @ (mu - mean) ** 2)
    found = row(outcomes["infections"], "parameters", "mu")
    assert [found["mean"], found["sd"]] == pytest.approx([mean, sd], rel=2e-3)


def test_estimates_are_read_as_logits_and_shown_as_proportions(run):
    _, _, outcomes = run
    data = bm.EffectSizes.from_arrays("ABC", [2.1, 1.7, 2.6], [0.5, 0.4, 0.7], measure="PLO")
    answer = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1)), data)["mu"]
    found = row(outcomes["given"], "comparison", "two-stage (normal–normal)")
    wanted = expit([answer.quantile(0.5), *answer.interval(0.95)])
    assert ends(found, "_natural") == pytest.approx(wanted.tolist())


def test_what_is_read_speaks_of_no_benefit_and_no_second_arm(run):
    output, folder, outcomes = run
    report = text_of((folder / "report.html").read_text())
    said = {"terminal": output, "report": report}
    for name in sorted(folder.rglob("*.csv")):
        said[str(name)] = name.read_text()
    for where, text in said.items():
        found = OF_COMPARISONS.search(text)
        assert found is None, (where, text[max(0, found.start() - 80) : found.end() + 80])
    for outcome in outcomes.values():
        assert outcome["better"] is None
        columns = {key for table in outcome["tables"].values() for key in table[0]}
        assert not columns & {"prob_benefit", "mh_estimate"}
        assert "small-study" not in outcome["tables"]
        assert "absolute" not in outcome["tables"]


def test_report_and_terminal_show_proportions_and_rates_with_their_digits(run):
    output, folder, _ = run
    report = text_of((folder / "report.html").read_text())
    for words in (
        "the proportion lies between 0.807 and 0.944 with 95% probability (median 0.885). In a new "
        "setting like these it lies between 0.4",
        "0.885 [0.807, 0.944]",
        "Measure: proportion (PLO), seroconversions of single arms, analysed as logit proportions; "
        "nothing is compared.",
        "the incidence rate per unit of time lies between 0.0",
        "proportion between 0.019 and 0.981",
        "between-study SD of logits between",
        "proportion 0.88 [0.80, 0.94]",
        "events of single arms by one binomial distribution per study; events of single arms in "
        "person-time by one Poisson distribution per study",
        "B has no event. Without it the mean of mu (log incidence rate) moves",
        "overall proportion",
        "incidence rate in a new study",
        "Jones 2025 incidence rate 0.0",
        "½ is added to both counts for a study's own estimate",
    ):
        assert words in report, words
    assert "0.885 [0.807, 0.944]" in output
    assert "none contradicts" in output


def test_methods_of_two_arms_are_left_out_and_those_of_estimates_kept(run):
    _, _, outcomes = run
    for name in ("seroconversion", "infections"):
        labels = [one["analysis"] for one in outcomes[name]["tables"]["comparison"]]
        assert labels[1:4] == [
            "two-stage (normal–normal)",
            "inverse variance",
            "DerSimonian–Laird, Wald",
        ]
        assert not any("Mantel" in said for said in outcomes[name]["cautions"])
    effects = bm.effect_sizes(bm.ProportionStudies.from_frame(pd.read_csv(CASE)))
    reml = row(outcomes["seroconversion"], "comparison", "REML, Wald")
    assert ends(reml)[0] == pytest.approx(bm.random_effects(effects).estimate)
    factors = [one["hypothesis"] for one in outcomes["seroconversion"]["tables"]["bayes-factors"]]
    assert factors == ["tau = 0"]


def test_a_published_proportion_stands_and_is_analysed_on_the_natural_scale(run):
    _, _, outcomes = run
    beside = row(outcomes["seroconversion"], "comparison", "Smith 2024")
    assert ends(beside, "_natural") == pytest.approx([0.88, 0.80, 0.94])
    assert ends(beside) == pytest.approx(logit([0.88, 0.80, 0.94]).tolist())
    alone = row(outcomes["seroconversion"], "published", "Smith 2024")
    se = (logit(0.94) - logit(0.80)) / (2 * norm.ppf(0.975))
    prior = float(f"{se * np.sqrt(488):.4g}")
    middle = logit(0.88) / (1 + se**2 / prior**2)
    assert alone["estimate_natural"] == pytest.approx(expit(middle), rel=1e-6)


def test_counts_stand_beside_each_study_and_scenarios_are_their_own(run):
    _, folder, outcomes = run
    studies = pd.read_csv(folder / "seroconversion/tables/studies.csv")
    own = studies[studies["kind"] == "study"]
    assert own["note"].tolist()[:3] == ["11/11", "4/4", "4/5"]
    assert own["estimate_natural"].tolist()[:3] == pytest.approx([11.5 / 12, 4.5 / 5, 4 / 5])
    table = pd.read_csv(CASE)
    longer = bm.ProportionStudies.from_frame(table[table["follow_up"].isin([12, 24])])
    model = bm.ProportionNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1))
    wanted = expit(bm.fit(model, longer)["mu"].quantile(0.5))
    found = row(outcomes["seroconversion"], "scenarios", "a year or more")
    assert found["k"] == longer.k
    assert found["estimate_natural"] == pytest.approx(wanted)


@pytest.mark.parametrize("measure", ["PLO", "IRLN"])
def test_the_second_source_agrees_with_the_exact_answer(tmp_path, measure):
    table = {"PLO": "arms.csv", "IRLN": "rates.csv"}[measure]
    one = f"{SMALL.replace('arms.csv', table)}measure = {measure!r}\n{PRIORS}"
    output, outcomes = ran(tmp_path, one)
    assert "the same by NUTS" in output
    found = outcomes["one"]
    gates = [each for each in found["tables"]["diagnostics"] if "apart from exact" in each["check"]]
    assert len(gates) == 1
    assert gates[0]["passed"]
    means = [each["estimate"] for each in found["tables"]["comparison"][:2]]
    assert means[0] == pytest.approx(means[1], abs=0.1)
    assert (tmp_path / "out" / "one/posterior-nuts.nc").exists()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("held")
    source = load_specification(written(folder, SPECIFICATION))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bayesmeta.analysis.runs.second_source", lambda *_: None)
        return analyse(source)


@pytest.mark.parametrize("column", ["estimate_natural", "lower_natural", "upper"])
def test_a_logit_in_the_place_of_a_proportion_is_a_contradiction(results, column):
    assert results.passed
    (outcome,) = results.outcomes
    table = outcome.tables["comparison"].copy()
    first = table.index[0]
    table.loc[first, column] = expit(table.loc[first, "upper"]) + 0.01
    wrong = replace(outcome, tables={**outcome.tables, "comparison": table})
    assert not hold(replace(results, outcomes=(wrong,))).passed


def test_another_number_in_the_first_sentence_is_a_contradiction(results, monkeypatch):
    (outcome,) = results.outcomes
    said = bm.results.display.headline(outcome, prob=0.95)
    module = "bayesmeta.implications.sentences.headline"
    for old, new in (("0.885", "0.886"), ("0.807", "1.430"), ("proportion", "odds")):
        monkeypatch.setattr(module, lambda *_, old=old, new=new, **__: said.replace(old, new))
        assert not hold(results).passed, old
    monkeypatch.setattr(module, lambda *_, **__: said)
    assert hold(results).passed


REFUSED = {
    "a direction": ('better = "lower"\n', "leave out better: PLO is of single arms"),
    "a control risk": ("control_risk = 0.1\n", "leave out control_risk: PLO is of single arms"),
    "several": (
        'better = "lower"\nbaseline = "Normal(0, 3)"\n',
        "leave out better and baseline: PLO",
    ),
    "a coding": ('coding = "zero_one"\n', "coding is for the OR"),
    "another law": ('likelihood = "poisson"\n', "not 'PLO'"),
    "means": ('kind = "continuous"\n', "continuous outcomes have measure"),
    "one effect of counts": ('effects = "common"\n', "effects = 'common' is for estimates"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_belongs_to_comparisons_is_refused_by_its_name(case):
    line, words = REFUSED[case]
    with pytest.raises(bm.SpecError, match=words):
        parse_specification(f'{SMALL}measure = "PLO"\n{PRIORS}{line}')


@pytest.mark.parametrize(("measure", "scale"), [("PLO", "logit"), ("IRLN", "log of a rate")])
def test_priors_must_be_given_and_the_sentence_shows_which(measure, scale):
    with pytest.raises(bm.SpecError, match=rf"no default prior exists for {measure}.*{scale}"):
        parse_specification(f'{SMALL}measure = "{measure}"\n')
    with pytest.raises(
        bm.SpecError, match=r"mu = 'Normal\(0, 2\)' and tau = 'HalfNormal\(1\)'"
    ) as refusal:
        parse_specification(f'{SMALL}measure = "{measure}"\n')
    mu, tau = re.findall(r"= '(\w+\(.*?\))'", str(refusal.value))
    parsed = parse_specification(f'{SMALL}measure = "{measure}"\nmu = "{mu}"\ntau = "{tau}"\n')
    assert parsed.outcome[0].better is None


def test_a_published_proportion_outside_its_scale_is_refused():
    figure = '[[outcome.published]]\nlabel = "R"\nmeasure = "PLO"\n'
    for three in (("88", "80", "94"), ("2.0", "1.4", "2.8"), ("0.98", "0.95", "1.00")):
        names = zip(("estimate", "lower", "upper"), three, strict=True)
        lines = "".join(f'{name} = "{value}"\n' for name, value in names)
        with pytest.raises(bm.SpecError, match="between 0 and 1"):
            parse_specification(f'{SMALL}measure = "PLO"\n{PRIORS}{figure}{lines}')


def test_printed_proportions_become_logits_and_others_are_refused():
    frame = pd.DataFrame({"study": ["A"], "estimate": ["0.88"], "lower": ["0.80"]})
    read = bm.EffectSizes.from_frame(frame.assign(upper=["0.94"]), measure="PLO")
    half = (logit(0.94) - logit(0.80)) / 2
    assert [read.y[0], read.se[0]] == pytest.approx([logit(0.88), half / norm.ppf(0.975)])
    with pytest.raises(bm.DataError, match=r"between 0 and 1.*0\.885 for 88\.5%"):
        bm.EffectSizes.from_frame(frame.assign(upper=["94"]), measure="PLO")
    exact = pd.DataFrame(
        {"study": ["A"], "estimate": ["0.950"], "lower": ["0.751"], "upper": ["0.999"]}
    )
    with pytest.raises(bm.DataError, match=r"not symmetric.*give events and n instead"):
        bm.EffectSizes.from_frame(exact, measure="PLO")


@pytest.mark.parametrize(
    ("measure", "value", "shown"),
    [
        ("PLO", 0.885, "0.885"),
        ("PLO", 0.0213, "0.021"),
        ("PLO", 0.00213, "0.0021"),
        ("PLO", 0.9974, "0.997"),
        ("PLO", 0.99971, "0.99971"),
        ("PLO", 1 - 1e-9, "> 0.999999"),
        ("PLO", 3.2e-8, "3.2e-08"),
        ("IRLN", 0.03741, "0.0374"),
        ("IRLN", 0.0004, "0.000400"),
        ("IRLN", 12.34, "12.3"),
        ("IRLN", 1234.5, "1234"),
        ("IRLN", 0.0000123, "1.23e−05"),
        ("RR", 0.885, "0.89"),
        ("RR", 0.085, "0.085"),
    ],
)
def test_a_value_has_the_digits_its_measure_is_read_with(measure, value, shown):
    assert natural(value, MEASURES[measure]) == shown


def test_an_interval_that_is_missing_is_a_dash():
    assert natural_interval((np.nan,) * 3, MEASURES["PLO"]) == "–"
    assert natural_interval((0.5, 0.25, 0.75), MEASURES["PLO"]) == "0.500 [0.250, 0.750]"


def rows_of(measure: str, estimates: list[float]) -> list[ForestRow]:
    kinds = ["study"] * (len(estimates) - 1) + ["posterior"]
    back = MEASURES[measure].analysed
    return [
        ForestRow(
            label=f"S{i}",
            kind=kind,
            estimate=float(back(one)),
            lower=float(back(one / 2)),
            upper=float(back(one * 1.1)),
            note="3/9",
        )
        for i, (kind, one) in enumerate(zip(kinds, estimates, strict=True))
    ]


def texts(figure) -> str:
    axes = [text for one in figure.axes for text in (*one.texts, *one.get_xticklabels())]
    return " ".join(text.get_text() for text in (*figure.texts, *axes))


@pytest.mark.parametrize(("measure", "given"), [("PLO", [0.4, 0.9, 0.6]), ("IRLN", [0.02, 0.05])])
def test_a_forest_plot_of_single_arms_has_no_line_of_no_effect(measure, given):
    figure = plots.forest_of_rows(rows_of(measure, given), measure=measure, counted="cases / n")
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert "overall" in labels
    assert "no effect" not in labels
    assert "cases / n" in texts(figure)
    assert OF_COMPARISONS.search(texts(figure)) is None
    ratio = plots.forest_of_rows(rows_of("RR", [0.4, 0.9]), measure="RR")
    assert "no effect" in [line.get_label() for line in ratio.axes[0].lines]
    assert "treatment v control" in texts(ratio)


def test_a_forest_plot_of_proportions_draws_them_as_such():
    figure = plots.forest_of_rows(rows_of("PLO", [0.4, 0.9, 0.6]), measure="PLO")
    axes = figure.axes[0]
    drawn = {line.get_label(): line.get_xdata() for line in axes.lines}
    assert drawn["study: S0, estimate"] == pytest.approx([0.4])
    assert drawn["study: S1"] == pytest.approx([0.45, 0.99])
    assert axes.get_xscale() == "linear"
    assert all(0 <= tick <= 1 for tick in axes.get_xticks())
    assert "0.600 [0.300, 0.660]" in texts(figure)


def test_the_axis_of_proportions_holds_every_interval_whole():
    estimates = logit(np.array([0.02, 0.5, np.nan]))
    limits = logit(np.array([[0.0001, 0.9], [0.4, 0.9999], [np.nan, np.nan]]))
    scale = scale_for(MEASURES["PLO"], estimates, limits, width=3.0)
    assert scale.lower < 0.0001
    assert scale.upper > 0.9999
    assert scale.ticks[0] == 0
    assert scale.ticks[-1] == 1
    nothing = np.full(2, np.nan)
    empty = scale_for(MEASURES["PLO"], nothing, np.full((2, 2), np.nan), width=3.0)
    assert (empty.ticks[0], empty.ticks[-1]) == (0, 1)


def test_an_axis_of_rates_does_not_reach_for_a_rate_of_one():
    estimates = np.log(np.array([0.02, 0.03]))
    scale = scale_for(MEASURES["IRLN"], estimates, estimates[:, None] + [-0.2, 0.2], width=3.0)
    assert np.exp(scale.upper) < 0.05
    ratio = scale_for(MEASURES["RR"], estimates, estimates[:, None] + [-0.2, 0.2], width=3.0)
    assert np.exp(ratio.upper) > 1


@pytest.mark.parametrize(
    ("lower", "upper"), [(0.55, 0.99), (0.0001, 0.01), (0.3, 0.7), (0.61, 0.63), (1e-6, 1 - 1e-6)]
)
def test_ticks_of_logits_are_proportions_between_the_ends(lower, upper):
    ticks = np.array(logit_ticks(lower, upper, width=3.95))
    assert ticks.size >= 2
    assert ((ticks >= lower) & (ticks <= upper)).all()
    places = logit(ticks) * 3.95 / (logit(upper) - logit(lower))
    assert (np.diff(places) > 0.2).all()


def test_densities_of_a_proportion_show_it_above_and_its_logit_below(results):
    figure = plots.prior_posterior(results.outcomes[0].main.answer)
    first = figure.axes[0]
    assert "_no effect" not in [line.get_label() for line in first.lines]
    assert first.get_xlabel() == "μ (logit proportion)"
    assert "posterior median proportion 0.885 [0.807, 0.944]" in texts(figure)
    upper = [label.get_text() for label in first.child_axes[0].get_xticklabels()]
    assert {"0.8", "0.9"} <= set(upper)


@pytest.mark.parametrize("df", [None, 4])
def test_events_of_everybody_predict_with_fewer_what_they_lack(df):
    data = bm.ProportionStudies(study=list("ABC"), events=[9, 5, 7], n=[9, 5, 7])
    model = bm.ProportionNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1), df=df)
    found = bm.loo(bm.fit(model, data))
    assert found.pit_lower == pytest.approx(1 - np.exp(found.elpd), rel=1e-5)


def test_fewer_events_have_the_probability_of_a_sum_when_effects_hardly_spread():
    data = bm.ProportionStudies(study=list("AB"), events=[9, 3], n=[9, 5])
    model = bm.ProportionNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1), df=4)
    draws = {"mu": np.array([3.0]), "tau": np.array([0.05])}
    below = np.exp(study_terms(model, data, draws).below[0])
    z = np.sinh(np.linspace(-12, 12, 40001))
    mass = t.pdf(z, 4) * np.gradient(z)
    wanted = [mass @ binom.cdf(e - 1, n, expit(3 + 0.05 * z)) for e, n in ((9, 9), (3, 5))]
    assert below == pytest.approx(wanted, rel=1e-5)
