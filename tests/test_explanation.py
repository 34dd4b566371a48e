"""Why a published number differs: what reproduces it, what comes near, what chance would give."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose
from references import (
    MAIN_TRIALS,
    SEVEN_TRIALS,
    binary,
    cases,
    counts,
    document,
    estimates,
)
from scipy import stats
from tolerances import CLOSED_FORM, ITERATED, STANDARD_ERRORS

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.explanation.selections import select
from bayesmeta.explanation.walk import FIGURES, walk
from bayesmeta.frequentist import pool_many

SEVEN = binary({name: MAIN_TRIALS[name] for name in SEVEN_TRIALS})
TEN = binary(MAIN_TRIALS)
EARLIER = bm.Published(
    measure="RR", estimate="0.58", lower="0.38", upper="0.87", p_heterogeneity="0.53", i2="0", k=7
)
REVIEW = bm.Published(measure="RR", estimate="0.76", lower="0.60", upper="0.96", k=14)

TIMES = bm.PersonTimeStudies(
    study=("A", "B", "C", "D"),
    events_treatment=np.array([3.0, 0, 9, 5]),
    time_treatment=np.array([40.0, 30, 90, 44]),
    events_control=np.array([6.0, 4, 11, 6]),
    time_control=np.array([42.0, 33, 80, 50]),
)
MEANS = bm.ContinuousStudies(
    study=("A", "B", "C"),
    mean_treatment=np.array([5.0, 6.0, 4.0]),
    sd_treatment=np.array([2.0, 2.5, 1.0]),
    n_treatment=np.array([20.0, 30.0, 12.0]),
    mean_control=np.array([6.0, 6.5, 6.0]),
    sd_control=np.array([2.0, 2.5, 1.5]),
    n_control=np.array([20.0, 30.0, 14.0]),
)
TABLES = {
    "OR": counts("nielweise2007"),
    "RR": SEVEN,
    "RD": counts("crins2014"),
    "IRR": TIMES,
    "MD": MEANS,
    "SMD": MEANS,
    "ROM": MEANS,
    "GEN": estimates([0.1, 0.5, -0.2, 0.9], [0.1, 0.2, 0.3, 0.2]),
}


def by_pool(data, convention, prob=0.95):
    fit = bm.pool(data, convention, prob=prob)
    q_p = np.nan if fit.q_p is None else fit.q_p
    return (fit.estimate, fit.lower, fit.upper, fit.p, q_p, fit.i2 if fit.k > 1 else np.nan)


@pytest.mark.deep(
    "every convention of the walk, one pool each: 2 s", but=["RR", "IRR", "MD", "GEN"]
)
@pytest.mark.parametrize("measure", TABLES)
def test_every_walked_convention_gives_what_pooling_by_it_gives(measure):
    data = TABLES[measure]
    whole = select(data, (), subsets=False, k=None, limit=1)
    walked = list(walk(whole, measure, prob=0.9, heterogeneity=True))
    assert len({one.convention for one in walked}) == len(walked) > 30
    for one in walked:
        ours = [one.figures[name][0] for name in FIGURES]
        tolerance = ITERATED if "GLMM" in one.convention.weights else CLOSED_FORM
        assert_allclose(
            ours, by_pool(data, one.convention, 0.9), **tolerance, err_msg=str(one.convention)
        )


@pytest.mark.deep("sixty pools of each measure: 2 s", but=["RR", "IRR", "SMD", "GEN"])
@pytest.mark.parametrize("measure", TABLES)
def test_pooling_many_selections_is_pooling_each_by_itself(measure):
    rng = np.random.default_rng(3)
    data = TABLES[measure].keep(np.arange(TABLES[measure].k) < 7)
    other = (binary({"Lanzoni": (1, 12, 7, 12)}),) if measure == "RR" else ()
    every = select(data, other, subsets=True, k=None, limit=1000)
    assert every.n == (1 + len(other)) * (2**data.k - data.k - 1)
    tried = [one.convention for one in walk(every, measure, prob=0.95, heterogeneity=True)]
    answered = 0
    for convention in rng.choice(np.array(tried, dtype=object), 20):
        columns = rng.choice(every.n, 3, replace=False)
        answers = pool_many(convention, every.at(columns))
        lower, upper = answers.interval(0.95)
        found = (answers.estimate, lower, upper, answers.p, answers.q_p, answers.i2)
        for i, column in enumerate(columns):
            try:
                theirs = by_pool(every.alone(column), convention)
            except bm.BayesmetaError:
                assert np.isnan([figure[i] for figure in found]).all()
                continue
            ours = [figure[i] for figure in found]
            assert_allclose(ours, theirs, **ITERATED, err_msg=str(convention))
            answered += 1
    assert answered > 50


def test_seven_mortality_trials_are_explained_exactly_and_review_manager_is_named():
    found = bm.explain(SEVEN, EARLIER)
    best = found.candidates[0]
    assert best.reproduces
    assert best.convention == bm.preset("revman5", measure="RR", effects="common")
    assert_allclose(best.figures["estimate"], 0.5765, atol=5e-5)
    assert found.named[0] == "Review Manager 5 (Mantel–Haenszel, common effect)"
    assert not any("metafor" in name for name in found.named)
    assert found.reproducing < 5 < 100 < found.tried
    assert found.chance_of_any < 0.05
    text = str(found)
    assert f"{found.reproducing} of {found.tried} candidates reproduce RR 0.58" in text
    assert "is not thereby the one that was used" in text


def test_2024_review_is_told_how_near_and_that_nothing_identifies_its_trials():
    found = bm.explain(TEN, REVIEW)
    assert found.reproducing == 0
    assert not found.named
    text = str(found)
    assert "None of" in text
    assert "off by 2.2 units of a last digit in its upper limit and by no more" in text
    assert "0.772 [0.607, 0.982]" in text
    assert "pools 14 studies, more than the 10" in text
    assert "nothing here identifies its 14 studies" in text


IMPROVED = binary({"Shu": (11, 12, 20, 29), "Zhu": (26, 29, 23, 29), "Adas": (7, 10, 3, 10)})
IMPROVEMENT = bm.Published(
    measure="RR", estimate="1.28", lower="1.06", upper="1.55", p="0.009", i2="12"
)


def test_the_nearest_is_so_by_every_printed_figure_and_all_of_them_are_said():
    """Distances by hand, in units of last digits: 0.01 of the RR, 0.001 of p, 1 of I²."""
    found = bm.explain(IMPROVED, IMPROVEMENT)
    units = {
        "estimate": (1.28, 0.01),
        "lower": (1.06, 0.01),
        "upper": (1.55, 0.01),
        "p": (0.009, 0.001),
        "i2": (12, 1),
    }
    far = pd.DataFrame(
        {name: abs(found.table()[name] - at) / unit for name, (at, unit) in units.items()}
    )
    assert_allclose(far.max(axis=1), found.table()["miss"], rtol=1e-9)
    assert far.max(axis=1).is_monotonic_increasing
    programs = found.programs_table()
    others = [abs(programs[name] - at) / unit for name, (at, unit) in units.items()]
    assert np.max(others, axis=0).min() >= found.candidates[0].miss - 1e-9
    text, best = str(found), found.candidates[0].figures
    assert "None of" in text
    assert "RR 1.28 [1.06, 1.55], p 0.009, I² 12%." in text
    shown = f"[{best['lower']:.3f}, {best['upper']:.3f}], p {best['p']:.4f}, I² {best['i2']:.1f}%"
    assert shown in text
    name = {"lower": "lower limit", "upper": "upper limit", "i2": "I²"}.get(
        far.iloc[0].idxmax(), far.iloc[0].idxmax()
    )
    assert f"in its {name} and by no more" in text
    assert found.candidates[0].same == 1
    assert "more alike" not in text
    assert "p" in found.choices_table()


@pytest.mark.deep("every subset of ten trials: 1 s")
def test_subsets_that_match_the_2024_review_are_fewer_than_chance_gives():
    found = bm.explain(TEN, REVIEW, subsets=True)
    assert found.tried > 100_000
    assert 0 < found.reproducing < found.chance
    assert "nothing here identifies" in str(found)
    assert found.table()["left_out"].str.len().gt(0).any()


def test_other_reading_is_tried_only_when_given_and_named():
    other = binary({"Lanzoni": (1, 12, 7, 12)})
    printed = bm.Published(measure="RR", estimate="0.550", lower="0.360", upper="0.838")
    assert bm.explain(SEVEN, printed).reproducing == 0
    found = bm.explain(SEVEN, printed, readings=(other,))
    assert found.candidates[0].readings == ("Lanzoni",)
    assert found.candidates[0].reproduces
    assert "with another reading of Lanzoni" in str(found)
    assert any(choice.choice == "reading of Lanzoni" for choice in found.choices)


def test_tables_with_gaps_are_not_other_readings_of_themselves():
    found = bm.explain(MEANS, bm.Published.parse("MD -1 [-2, 0]"))
    assert not any(one.readings for one in found.candidates)


def test_published_k_below_the_table_tries_subsets_of_that_size():
    printed = bm.Published(measure="RR", estimate="0.58", lower="0.38", upper="0.87", k=7)
    table = binary({name: MAIN_TRIALS[name] for name in (*SEVEN_TRIALS, "Bowdish")})
    found = bm.explain(table, printed, subsets=True)
    assert found.reproducing > 0
    assert ("Bowdish",) in {one.left_out for one in found.candidates}
    assert {len(one.left_out) for one in found.candidates} <= {0, 1}


@pytest.mark.deep("the whole search for each measure: 2 s")
def test_figures_of_every_measure_are_found_again_from_their_own_printed_form():
    for measure, data in TABLES.items():
        for effects in ("common", "random"):
            convention = bm.preset("metafor", measure=measure, effects=effects)
            fit = bm.pool(data, convention)
            log = bm.MEASURES[measure].log
            values = np.array([fit.estimate, fit.lower, fit.upper])
            texts = [f"{x:.4f}" for x in (np.exp(values) if log else values)]
            printed = bm.Published(
                measure=measure, estimate=texts[0], lower=texts[1], upper=texts[2]
            )
            found = bm.explain(data, printed)
            assert found.reproducing >= 1, (measure, effects)
            assert any("metafor" in name for name in found.named), (measure, effects)


BINARY = ("crins2014", "nielweise2007", "egger2001", "nissen2007", "bcg")
MENU = {"common": "Mantel–Haenszel, common effect", "random": "Mantel–Haenszel, random effects"}


def printed_by_meta(dataset, cell, part):
    """A figure of package meta, rounded as papers do."""
    row = cases("meta")[dataset]["rows"][cell]
    reference = dict(zip(document("meta")["columns"], row, strict=True))
    log, digits = not cell.startswith("RD"), 2 if not cell.startswith("RD") else 3
    values = [reference[f"{part}_{name}"] for name in ("TE", "lb", "ub")]
    texts = [f"{np.exp(x) if log else x:.{digits}f}" for x in values]
    return bm.Published(
        measure=cell[:2],
        estimate=texts[0],
        lower=texts[1],
        upper=texts[2],
        p_heterogeneity=f"{reference['Q_p']:.2f}",
        i2=f"{100 * reference['I2']:.0f}",
    )


@pytest.mark.deep(
    "the whole search for each of thirty figures: 8 s", but=["crins2014-*-common", "bcg-RR-*"]
)
@pytest.mark.parametrize("part", MENU)
@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@pytest.mark.parametrize(
    "dataset", ["crins2014", "nielweise2007", "egger2001", "nissen2007", "bcg"]
)
def test_figures_in_the_manner_of_review_manager_are_named_unaided(dataset, measure, part):
    printed = printed_by_meta(dataset, f"{measure}_revman5like", part)
    found = bm.explain(counts(dataset), printed)
    assert found.reproducing > 0
    assert f"Review Manager 5 ({MENU[part]})" in found.named
    assert found.candidates[0].reproduces


@pytest.mark.deep("the whole search for each figure: 2 s", but=["crins2014-*", "bcg-*"])
@pytest.mark.parametrize("part", MENU)
@pytest.mark.parametrize("dataset", BINARY)
def test_figures_in_the_manner_of_meta_are_named_unaided(dataset, part):
    found = bm.explain(counts(dataset), printed_by_meta(dataset, "RR_default", part))
    weights = "Mantel–Haenszel" if part == "common" else "inverse variance"
    assert f"meta 8 ({weights}, {MENU[part].partition(', ')[2]})" in found.named


def test_half_a_unit_of_the_last_digit_is_the_border():
    data = estimates([0.1, 0.1], [0.1, 0.1])
    half = 1.959964 * np.sqrt(0.01 / 2)
    printed = bm.Published(measure="GEN", estimate="0.1", lower="-0.04", upper="0.24")
    assert bm.explain(data, printed).reproducing > 0
    assert half == pytest.approx(0.1386, abs=1e-4)
    assert bm.explain(data, replace(printed, estimate="0.11")).reproducing == 0
    assert bm.explain(data, replace(printed, lower="-0.038")).reproducing == 0
    assert bm.explain(data, replace(printed, lower="-0.039")).reproducing > 0
    assert bm.explain(data, replace(printed, p="0.16")).reproducing > 0
    assert bm.explain(data, replace(printed, p="0.15")).reproducing == 0
    assert bm.explain(data, replace(printed, p="<0.2")).reproducing > 0
    assert bm.explain(data, replace(printed, p="<0.1")).reproducing == 0


@pytest.mark.deep("a hundred searches: 1 s")
def test_chance_is_the_mean_number_of_matches_of_figures_made_up_nearby():
    found = bm.explain(TEN, REVIEW, subsets=True)
    every = select(TEN, (), subsets=True, k=None, limit=2000)
    walked = list(walk(every, "RR", prob=0.95, heterogeneity=False))
    ours = np.exp(
        np.concatenate([[one.figures[name] for name in FIGURES[:3]] for one in walked], axis=1)
    )
    rng = np.random.default_rng(11)
    log = np.log([0.76, 0.60, 0.96])
    se = (log[2] - log[1]) / (2 * 1.959964)
    hits = []
    for _ in range(400):
        centre, spread = log[0] + se * rng.uniform(-1, 1), se * 0.8 * (1.25 / 0.8) ** rng.random()
        fake = np.exp(centre + 1.959964 * spread * np.array([0, -1, 1])).round(2)
        hits.append((np.abs(ours - fake[:, None]) <= 0.005).all(axis=0).sum())
    error = np.std(hits) / np.sqrt(len(hits))
    assert abs(np.mean(hits) - found.chance) < 4 * error
    assert abs(np.mean(np.array(hits) > 0) - found.chance_of_any) < 0.1


def test_single_choices_differ_in_one_thing_and_the_largest_move_is_first():
    found = bm.explain(SEVEN, EARLIER)
    moves = [choice.move for choice in found.choices]
    assert moves == sorted(moves, reverse=True)
    table = found.choices_table()
    plain = table[(table["choice"] == "zero cells") & (table["to"] == "counts as they are")]
    fit = bm.common_effect(SEVEN, weights="MH", measure="RR")
    assert_allclose(plain["estimate"], np.exp(fit.estimate), **CLOSED_FORM)
    assert table.loc[0, "choice"] == "pooling"


RATIOS = estimates([0.1, 0.5, -0.2, 0.9], [0.1, 0.2, 0.3, 0.2], measure="RR")


def printed_90(fit):
    estimate, lower, upper = (f"{np.exp(x):.5f}" for x in (fit.estimate, *fit.interval(0.9)))
    return bm.Published(measure="RR", estimate=estimate, lower=lower, upper=upper, prob=0.9)


@pytest.fixture(scope="module")
def by_hksj():
    """A 90% interval of random effects, explained with all subsets of its four studies."""
    return bm.explain(RATIOS, printed_90(bm.random_effects(RATIOS)), subsets=True)


def test_programs_are_tabled_as_they_pool_at_the_printed_level(by_hksj):
    table = by_hksj.programs_table().set_index("program")
    assert set(table.index) == set(by_hksj.programs)
    assert table["p"].nunique() > 2
    for program, fit in by_hksj.programs.items():
        row = table.loc[program]
        assert_allclose(
            row[["estimate", "lower", "upper"]].to_list(),
            np.exp([fit.estimate, *fit.interval(0.9)]),
            **CLOSED_FORM,
        )
        assert (row["p"], row["p_heterogeneity"], row["i2"]) == (fit.p, fit.q_p, fit.i2)


def test_a_choice_about_a_study_says_whether_it_is_in(by_hksj):
    table = by_hksj.choices_table().set_index("choice")
    for i, study in enumerate(RATIOS.study):
        row = table.loc[f"study {study}"]
        assert (row["from"], row["to"]) == ("with it", "without it")
        rest = bm.random_effects(RATIOS.keep(np.arange(RATIOS.k) != i))
        assert_allclose(row["estimate"], np.exp(rest.estimate), **ITERATED)
    fewer = bm.explain(
        RATIOS, printed_90(bm.random_effects(RATIOS.keep([True, True, True, False]))), subsets=True
    )
    row = fewer.choices_table().set_index("choice").loc[f"study {RATIOS.study[3]}"]
    assert (row["from"], row["to"]) == ("without it", "with it")


def test_a_common_effect_is_one_choice_away_though_it_has_an_interval_of_its_own(by_hksj):
    assert by_hksj.candidates[0].convention.interval == "HKSJ"
    table = by_hksj.choices_table().set_index("to")
    row, fit = table.loc["common effect, inverse variance"], bm.common_effect(RATIOS)
    assert row["choice"] == "pooling"
    assert_allclose(row["estimate"], np.exp(fit.estimate), **CLOSED_FORM)


def test_chance_of_one_candidate_is_the_share_of_figures_made_up_at_the_printed_level():
    """Of one study, 0.1 [-0.229, 0.429] at 90%, by a grid of centres and spreads."""
    printed = bm.Published(measure="GEN", estimate="0.1", lower="-0.2", upper="0.4", prob=0.9)
    found = bm.explain(estimates([0.1], [0.2]), printed)
    z = stats.norm.ppf(0.95)
    se, even = 0.6 / (2 * z), (np.arange(1000) + 0.5) / 1000
    centre = 0.1 + se * (2 * even[:, None] - 1)
    spread = z * se * 0.8 * (1.25 / 0.8) ** even
    inside = [
        abs(at - value) < 0.05
        for at, value in ((centre, 0.1), (centre - spread, -0.2), (centre + spread, 0.4))
    ]
    share = np.logical_and.reduce(np.broadcast_arrays(*inside)).mean()
    error = np.sqrt(share * (1 - share) / 20_000)
    assert abs(found.chance_of_any - share) < STANDARD_ERRORS * error


def test_a_figure_at_a_printed_bound_does_not_lie_below_it():
    """Opposite estimates of one precision: p is 1 to the last bit."""
    data = estimates([0.1, -0.1], [0.1, 0.1])
    printed = bm.Published(measure="GEN", estimate="0.0", lower="-0.1", upper="0.1", p="1")
    assert bm.explain(data, printed).candidates[0].figures["p"] == 1
    assert bm.explain(data, printed).reproducing > 0
    assert bm.explain(data, replace(printed, p="<1")).reproducing == 0


def test_one_study_is_pooled_to_itself_and_two_have_random_effects():
    one = bm.explain(
        binary({"A": (3, 12, 8, 20)}),
        bm.Published(measure="RR", estimate="0.62", lower="0.20", upper="1.91"),
    )
    assert (one.reproducing, one.tried) == (2, 4)  # the others add ½ to a table without a zero
    assert not one.table()[["estimate", "lower", "upper", "p"]].isna().any(axis=None)
    two = bm.explain(
        binary({"A": (3, 12, 8, 20), "B": (2, 30, 1, 28)}),
        bm.Published(measure="RR", estimate="0.76", lower="0.29", upper="2.03"),
    )
    assert any(c.convention.effects == "random" for c in two.candidates)


def test_tables_without_any_event_have_only_the_answer_of_conventions_that_keep_them():
    found = bm.explain(binary({"A": (0, 12, 0, 20), "B": (0, 9, 0, 8)}), REVIEW)
    assert {one.convention.double_zero for one in found.candidates} == {"include"}
    assert not found.table()[["estimate", "lower", "upper", "p"]].isna().any(axis=None)
    assert all("metafor" in name for name in found.programs)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: bm.explain(SEVEN, bm.Published(measure="RR", verdict="lower")),
            bm.DataError,
            "with its interval",
        ),
        (lambda: bm.explain([1, 2], REVIEW), bm.DataError, "explain takes BinaryStudies"),
        (
            lambda: bm.explain(SEVEN, REVIEW, readings=(binary({"Nobody": (1, 2, 1, 2)}),)),
            bm.DataError,
            "'Nobody', which is not among the studies",
        ),
        (
            lambda: bm.explain(SEVEN, REVIEW, readings=(TIMES,)),
            bm.DataError,
            "must be BinaryStudies like studies",
        ),
        (
            lambda: bm.explain(TEN, REVIEW, subsets=True, limit=100),
            bm.ModelError,
            "more than 100",
        ),
        (
            lambda: bm.explain(estimates([0.1], [0.2]), REVIEW),
            bm.DataError,
            "The estimates are GEN and the published figure is RR",
        ),
        (lambda: bm.explain(MEANS, REVIEW), bm.DataError, "has the measure MD or SMD"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_a_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("RR 0.58 [0.38, 0.87]", ("RR", "0.58", "0.38", "0.87", 0.95)),
        ("OR 0.76 (95% CI 0.60 to 0.96)", ("OR", "0.76", "0.60", "0.96", 0.95)),
        ("rr: 1.28; 90% CI 1.06–1.55", ("RR", "1.28", "1.06", "1.55", 0.9)),
        ("MD −1.2 (−2.0, −0.4)", ("MD", "-1.2", "-2.0", "-0.4", 0.95)),
        ("RD -0.1 [-0.2 - 0.0]", ("RD", "-0.1", "-0.2", "0.0", 0.95)),
    ],
)
def test_figures_are_read_as_papers_print_them(text, figures):
    found = bm.Published.parse(text)
    assert (found.measure, found.estimate, found.lower, found.upper, found.prob) == figures


@pytest.mark.parametrize("text", ["", "0.58 [0.38, 0.87]", "RR 0.58", "RR 12-3", "RR a [b, c]"])
def test_text_that_is_no_figure_is_refused(text):
    with pytest.raises(bm.DataError, match="a measure, an estimate and an interval"):
        bm.Published.parse(text)


def write(path, rows):
    lines = ["study,variant,events_treatment,n_treatment,events_control,n_control"]
    path.write_text("\n".join(lines + rows) + "\n")
    return str(path)


def rows_of(names):
    return [f"{name},main,{','.join(map(str, MAIN_TRIALS[name]))}" for name in names]


def test_command_explains_a_printed_figure(tmp_path):
    table = write(
        tmp_path / "trials.csv",
        [*rows_of(SEVEN_TRIALS), "Lanzoni,alt,1,12,7,12", "Gorman,not_used,,30,,29"],
    )
    call = ["explain", table, "--published", "RR 0.58 [0.38, 0.87]", "--p-heterogeneity", "0.53"]
    result = CliRunner().invoke(main, call)
    assert result.exit_code == 0, result.output
    assert "7 studies: " in result.output
    printed = "RR 0.58 [0.38, 0.87], heterogeneity p 0.53"
    assert f"candidates reproduce {printed} to the last printed digit" in result.output
    assert "Review Manager 5 (Mantel–Haenszel, common effect)" in result.output
    assert "Other readings, tried with --readings: Lanzoni." in result.output
    assert "nan" not in result.output.lower()
    more = CliRunner().invoke(main, [*call, "--readings", "--subsets"])
    assert more.exit_code == 0, more.output
    assert "Other readings" not in more.output


def test_command_refuses_in_one_sentence(tmp_path):
    table = write(tmp_path / "trials.csv", rows_of(SEVEN_TRIALS))
    result = CliRunner().invoke(main, ["explain", table, "--published", "0.58"])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
