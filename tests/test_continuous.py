"""Means, SDs and quantiles: the door, the units, the effect sizes and the conversions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from references import cases, given, numbered
from tolerances import CLOSED_FORM, PRINTED_3, STANDARD_ERRORS

import bayesmeta as bm

QUANTILES = ("min", "q1", "median", "q3", "max")
NAN = np.nan


def moments(**changes) -> pd.DataFrame:
    columns = {
        "study": ["A", "B"],
        "mean_treatment": [52.0, 41.5],
        "sd_treatment": [11.2, 9.8],
        "n_treatment": [30, 25],
        "mean_control": [60.1, 47.0],
        "sd_control": [12.0, 10.1],
        "n_control": [31, 24],
    }
    return pd.DataFrame({**columns, **changes})


def quantiles(rows, n=20, **changes) -> bm.ContinuousStudies:
    """Quantiles in the treatment arm (min to max, NaN for none), a plain control arm."""
    cells = np.array(rows, dtype=float).T
    k = cells.shape[1]
    columns = {f"{name}_treatment": cell for name, cell in zip(QUANTILES, cells, strict=True)}
    columns |= {"n_treatment": np.full(k, n), "n_control": np.full(k, 20.0)}
    columns |= {"mean_control": np.full(k, 7.0), "sd_control": np.full(k, 4.2)}
    return bm.ContinuousStudies(study=numbered(k), **{**columns, **changes})


# The door.


def test_table_is_read_with_its_gaps_units_and_printed_decimals():
    frame = moments(
        mean_control=[60.1, NAN],
        sd_control=[12.0, NAN],
        median_control=["", "47.0"],
        q1_control=[NAN, "40"],
        q3_control=[NAN, 55.25],
        unit=["points", NAN],
        how=["from the figure", NAN],
        variant=["main", "adjusted"],
    ).replace("", NAN)
    studies = bm.ContinuousStudies.from_frame(frame)
    assert studies.unit == ("points", "")
    assert studies.how == ("from the figure", "")
    assert studies.variant == ("main", "adjusted")
    assert studies.has_moments("_control").tolist() == [True, False]
    assert_allclose(studies.quantiles("_control")[1], [NAN, 40, 47, 55.25, NAN])
    assert_allclose(studies.rounding_control[1], [NAN, 0.5, 0.05, 0.005, NAN])
    assert set(studies.numbers) == set(bm.ContinuousStudies.columns())


def test_other_names_and_excluded_rows_are_understood():
    frame = moments(mean_treatment=[52.0, "?"]).rename(columns={"sd_treatment": "sd1"})
    studies = bm.ContinuousStudies.from_frame(
        frame, columns={"sd_treatment": "sd1"}, exclude={"B": "not randomised"}
    )
    assert studies.study == ("A",)
    assert studies.excluded[0].reason == "not randomised"


def test_kept_rows_keep_all_that_belongs_to_them():
    frame = moments(unit=["mg/L", "mg/dL"], median_treatment=["51", "41.5"])
    studies = bm.ContinuousStudies.from_frame(frame)
    kept = studies.keep(np.array([False, True]))
    assert (kept.study, kept.unit, kept.how) == (("B",), studies.unit[1:], studies.how[1:])
    for name, values in studies.numbers.items():
        assert_allclose(getattr(kept, name), values[1:])
    assert_allclose(kept.rounding_treatment, studies.rounding_treatment[1:])
    with pytest.raises(ValueError, match="read-only"):
        kept.mean_treatment[0] = 0.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"study": ["A", "A"]}, "these repeat: A"),
        (
            {"n_treatment": [30, 1]},
            r"n_treatment must be a whole.*B \(row 2\), or leave it out: exclude",
        ),
        ({"n_control": [30.5, 20]}, r"n_control must be a whole.*A \(row 1\)"),
        ({"n_control": [30, NAN]}, r"n_control must be a whole.*B \(row 2\)"),
        ({"sd_treatment": [11.2, 0]}, r"sd_treatment must be positive; check B \(row 2\)"),
        ({"sd_control": [-1, 3]}, r"sd_control must be positive; check A \(row 1\)"),
        ({"sd_control": [3, NAN]}, r"B \(row 2\) has a mean without its SD.*SE × √n"),
        (
            {"mean_control": [3, NAN], "sd_control": [3, NAN]},
            r"B \(row 2\) has no mean with SD and no two quantiles in the control arm",
        ),
        ({"mean_treatment": [1e60, 3]}, r"mean_treatment is not .* size for A \(row 1\).*unit"),
        ({"mean_treatment": ["a few", 3]}, r"mean_treatment must be a number; check A \(row 1\)"),
        (
            {"q1_control": [50, 50], "q3_control": [55, 45]},
            r"q1_control exceeds q3_control for B \(row 2\); check for swapped",
        ),
        (
            {"min_control": [2, 50], "max_control": [90, 90]},
            r"mean_control lies outside min_control to max_control for B \(row 2\)",
        ),
        (
            {"min_control": [2, 40], "max_control": [90, 50]},
            r"sd_control is larger than any sample.*B \(row 2\); check for a standard error",
        ),
    ],
)
def test_impossible_summaries_are_named_by_row_with_a_remedy(changes, words):
    with pytest.raises(bm.DataError, match=words):
        bm.ContinuousStudies.from_frame(moments(**changes))


def test_a_missing_column_says_which_there_are():
    with pytest.raises(bm.DataError, match="no column 'n_control'"):
        bm.ContinuousStudies.from_frame(moments().drop(columns="n_control"))


def test_columns_of_another_length_are_refused():
    with pytest.raises(bm.DataError, match="unit has 1 entries for 2 studies"):
        bm.ContinuousStudies(
            **{name: column.tolist() for name, column in moments().items()}, unit=["g"]
        )


# Units.


def test_units_in_a_fixed_proportion_become_the_first_of_them():
    frame = pd.DataFrame(
        {
            "study": ["first", "deci", "gram", "micro", "own"],
            "unit": ["mg/L", "mg/dl", " g / L", "µg/mL", "points"],
            "median_treatment": ["5", "0.50", "0.005", "5.0", "7"],
            "q1_treatment": ["4", "0.40", "0.004", "4.0", "6"],
            "q3_treatment": ["9", "0.90", "0.009", "9.0", "8"],
            "n_treatment": [20] * 5,
            "mean_control": [6.0, 0.6, 0.006, 6.0, 6.0],
            "sd_control": [3.0, 0.3, 0.003, 3.0, 3.0],
            "n_control": [21] * 5,
        }
    )
    studies = bm.ContinuousStudies.from_frame(frame)
    assert studies.unit == ("mg/L",) * 4 + ("points",)
    for name in ("mean_control", "sd_control", "median_treatment", "q3_treatment"):
        values = getattr(studies, name)
        assert_allclose(values[:4], values[0], **CLOSED_FORM)
    assert studies.n_treatment.tolist() == [20] * 5
    assert_allclose(studies.rounding_treatment[:, 2], [0.5, 0.05, 0.5, 0.05, 0.5])
    assert studies.how[0] == studies.how[3] == ""
    assert studies.how[1] == "converted from mg/dl to mg/L (× 10)"
    with pytest.raises(bm.DataError, match=r"'mg/L', 'points'.*SMD or ROM"):
        bm.effect_sizes(bm.convert_quantiles(studies), measure="MD")


@pytest.mark.parametrize(
    ("first", "other", "factor"),
    [
        ("hours", "days", 24),
        ("min", "week", 7 * 24 * 60),
        ("days", "h", 1 / 24),
        ("kg", "lb", 0.45359237),
        ("kg", "g", 1e-3),
        ("cm", "m", 100),
        ("mm", "cm", 10),
        ("pg/mL", "ng/mL", 1000),
        ("ng/L", "pg/ml", 1),
        ("ug/L", "μg/mL", 1000),
        ("mg/L", "mcg/mL", 1),
        ("mg/L", "mmol/L", None),
        ("m", "M", None),
        ("h", "points", None),
        ("mg/L", "mg", None),
    ],
)
def test_conversions_of_units(first, other, factor):
    studies = bm.ContinuousStudies.from_frame(moments(unit=[first, other]))
    assert studies.unit[1] == (other if factor is None else first)
    assert studies.mean_treatment[1] == pytest.approx(41.5 * (factor or 1), rel=1e-14)
    assert studies.sd_control[1] == pytest.approx(10.1 * (factor or 1), rel=1e-14)


def test_a_mean_difference_does_not_depend_on_the_units_of_the_rows():
    plain = bm.effect_sizes(bm.ContinuousStudies.from_frame(moments()), measure="MD")
    columns = ["mean_treatment", "sd_treatment", "mean_control", "sd_control"]
    frame = moments(unit=["kg", "g"])
    frame.loc[1, columns] *= 1000
    mixed = bm.effect_sizes(bm.ContinuousStudies.from_frame(frame), measure="MD")
    assert_allclose(mixed.y, plain.y, **CLOSED_FORM)
    assert_allclose(mixed.se, plain.se, **CLOSED_FORM)
    assert mixed.how[1] == "converted from g to kg (× 0.001)"


# Effect sizes.

MEANS = [(name, measure) for name, case in cases("means").items() for measure in case["measures"]]


def test_grid_of_means_is_complete():
    assert set(cases("means")) == {"normand1999", "curtis1998"}
    assert len(MEANS) == 8


@pytest.mark.parametrize(("dataset", "measure"), MEANS)
def test_effect_sizes_of_means_equal_metafor(dataset, measure):
    case = cases("means")[dataset]
    reference = case["measures"][measure]
    studies = bm.ContinuousStudies(study=numbered(len(reference["yi"])), **case["data"])
    name, _, corrected = measure.partition(" ")
    sizes = bm.effect_sizes(studies, measure=name, bias_correction=bool(corrected))
    assert_allclose(sizes.y, given(reference["yi"]), **CLOSED_FORM)
    assert_allclose(sizes.se**2, given(reference["vi"]), **CLOSED_FORM)


def test_ratio_of_geometric_means_is_exact_for_log_normal_moments():
    """Means and SDs of log-normals with known parameters give the parameters back."""
    mu, sigma = np.array([1.2, 0.7]), np.array([0.5, 0.8])
    mean = np.exp(mu + sigma**2 / 2)
    sd = mean * np.sqrt(np.expm1(sigma**2))
    studies = bm.ContinuousStudies(
        study=["A"],
        n_treatment=[30],
        n_control=[25],
        mean_treatment=mean[:1],
        sd_treatment=sd[:1],
        mean_control=mean[1:],
        sd_control=sd[1:],
    )
    sizes = bm.effect_sizes(studies, measure="RGM")
    assert sizes.y[0] == pytest.approx(0.5, rel=1e-12)
    assert sizes.se[0] ** 2 == pytest.approx(0.25 / 30 + 0.64 / 25, rel=1e-12)


def test_ratios_need_positive_means():
    studies = bm.ContinuousStudies.from_frame(moments(mean_control=[-1.0, 3.0]))
    with pytest.raises(bm.DataError, match=r"ROM needs positive means.*A \(row 1\); use MD or SMD"):
        bm.effect_sizes(studies, measure="ROM")


def test_quantiles_are_not_taken_for_means_unasked():
    with pytest.raises(bm.DataError, match=r"study 1 \(row 1\) has quantiles.*convert_quantiles"):
        bm.effect_sizes(quantiles([(NAN, 4, 6, 10, NAN)]), measure="MD")


# Conversions of quantiles. The rows and answers are those of the example on metafor's page of
# conv.fivenum (its repository at 0014f62), printed with seven digits; quantile estimation there is
# by the package estmeansd.

FIVE = [(2, NAN, 6, NAN, 14), (NAN, 4, 6, 10, NAN), (2, 4, 6, 10, 14)]
SKEWED = (2, 4, 6, 14, 20)


def test_formulas_equal_the_printed_example_of_metafor():
    made = bm.convert_quantiles(quantiles(FIVE))
    assert_allclose(made.mean_treatment, [6.594468, 6.719500, 6.938841], rtol=1e-7)
    assert_allclose(made.sd_treatment, [3.211576, 4.787076, 3.679435], rtol=2e-7)
    assert made.mean_control.tolist() == [7.0] * 3
    assert made.how == (
        "treatment: mean by Luo 2018, SD by Wan 2014, from median and range",
        "treatment: mean by Luo 2018, SD by Wan 2014, from median and quartiles",
        "treatment: mean by Luo 2018, SD by Shi 2020, from the five-number summary",
    )


def test_skewness_tests_equal_the_printed_example_of_metafor():
    found = bm.skewness_test(quantiles([*FIVE, SKEWED]))
    assert found["scenario"].tolist() == ["S1", "S2", "S3", "S3"]
    assert_allclose(found["statistic"], [0.333, 0.333, 0.491, 0.818], **PRINTED_3)
    assert_allclose(found["critical_value"], [0.416, 0.578, 0.666, 0.666], **PRINTED_3)
    assert found["skewed"].tolist() == [False, False, False, True]


def test_quantile_estimation_equals_the_printed_examples():
    """Its optimiser stops where ours goes on: seen 2e-5."""
    made = bm.convert_quantiles(quantiles(FIVE), method="QE")
    assert_allclose(made.mean_treatment, [6.762910, 7.922472, 7.043956], rtol=5e-5)
    assert_allclose(made.sd_treatment, [3.803302, 6.337109, 3.852243], rtol=5e-5)
    # README of estmeansd (its repository at 23be96b)
    readme = bm.convert_quantiles(quantiles([(2, NAN, 4, NAN, 9)], n=100), method="QE")
    assert_allclose(readme.mean_treatment, 4.347284, rtol=5e-5)
    assert_allclose(readme.sd_treatment, 1.502171, rtol=5e-5)
    assert readme.how[0].endswith("from median and range, log-normal fits best")


@pytest.mark.parametrize("name", ["normal", "log-normal", "gamma", "Weibull"])
@pytest.mark.parametrize("shown", [(0, 2, 4), (1, 2, 3), (0, 1, 2, 3, 4)])
def test_quantile_estimation_gives_a_distribution_back(name, shown):
    from scipy import stats

    truth = {
        "normal": stats.norm(50, 9),
        "log-normal": stats.lognorm(0.9, scale=4),
        "gamma": stats.gamma(2.5, scale=3),
        "Weibull": stats.weibull_min(1.3, scale=12),
    }[name]
    n = 80
    cells = np.full(5, NAN)
    at = np.array([1 / n, 0.25, 0.5, 0.75, 1 - 1 / n])
    cells[list(shown)] = truth.ppf(at[list(shown)])
    made = bm.convert_quantiles(quantiles([cells], n=n), method="QE")
    assert f"{name} fits best" in made.how[0]
    assert_allclose(made.mean_treatment, truth.mean(), rtol=1e-6)
    assert_allclose(made.sd_treatment, truth.std(), rtol=1e-6)


def test_quantile_estimation_does_not_depend_on_the_unit_and_takes_zeros_and_negatives():
    rows = np.array([(2, NAN, 6, NAN, 14), SKEWED], dtype=float)
    one, thousand = (
        bm.convert_quantiles(quantiles(rows * unit), method="QE").sd_treatment
        for unit in (1.0, 1000.0)
    )
    assert_allclose(thousand, 1000 * one, rtol=1e-7)
    zero = bm.convert_quantiles(quantiles([(0, 0, 1, 3, 20)]), method="QE")
    assert zero.mean_treatment[0] > 1
    negative = bm.convert_quantiles(quantiles([(-4, -1, 1, 3, 20)]), method="QE")
    assert "normal fits best; skewed by Shi's test" in negative.how[0]
    assert_allclose(negative.mean_treatment, np.mean([-4, -1, 1, 3, 20]))


@pytest.mark.parametrize("shown", [(0, 2, 4), (1, 2, 3), (0, 1, 2, 3, 4)])
def test_formulas_are_unbiased_for_normal_samples(shown):
    rng = np.random.default_rng(20260101)
    n, k = 41, 1500
    samples = rng.normal(10.0, 2.0, (k, n))
    cells = np.full((k, 5), NAN)
    cells[:, shown] = np.quantile(samples, [0, 0.25, 0.5, 0.75, 1], axis=1).T[:, shown]
    made = bm.convert_quantiles(quantiles(cells, n=n, mean_control=np.full(k, 7.0)))
    mcse = made.mean_treatment.std() / np.sqrt(k)
    assert abs(made.mean_treatment.mean() - 10.0) < STANDARD_ERRORS * mcse
    assert made.sd_treatment.mean() == pytest.approx(2.0, rel=0.02)  # nearly unbiased, by design
    skewed = bm.skewness_test(quantiles(cells, n=n))["skewed"].mean()
    assert abs(skewed - 0.05) < 0.025  # its level


def test_both_arms_are_converted_each_by_what_it_has():
    studies = quantiles(
        [(NAN, 4, 6, 10, NAN)],
        mean_control=None,
        sd_control=None,
        min_control=[2],
        median_control=[6],
        max_control=[14],
    )
    made = bm.convert_quantiles(studies)
    assert_allclose([made.mean_treatment[0], made.mean_control[0]], [6.7195, 6.594468], rtol=1e-7)
    assert made.how[0].count("by Luo 2018") == 2
    assert "; control: mean by Luo 2018" in made.how[0]
    assert bm.convert_quantiles(made).how == made.how


def test_a_printed_mean_or_sd_is_kept():
    both = quantiles(
        [(2, NAN, NAN, NAN, 14), (NAN, 4, 6, 10, NAN)],
        mean_treatment=[7.7, NAN],
        sd_treatment=[NAN, 5.5],
    )
    made = bm.convert_quantiles(both)
    assert_allclose(made.mean_treatment, [7.7, 6.7195], rtol=1e-7)
    assert_allclose(made.sd_treatment, [3.211576, 5.5], rtol=2e-7)
    assert made.how[0] == "treatment: mean as printed, SD by Wan 2014, from its range"
    assert made.how[1].startswith("treatment: mean by Luo 2018, SD as printed, from median and q")


def test_skewed_arms_are_named_in_how_and_in_the_caution():
    studies = quantiles([FIVE[2], SKEWED])
    made = bm.convert_quantiles(studies)
    assert "skewed" not in made.how[0]
    assert made.how[1].endswith(
        "; skewed by Shi's test (0.82 against 0.67): conversion not advised"
    )
    assert "The quantiles of study 2 (treatment) are" in bm.skewness_caution(studies)
    assert bm.skewness_caution(made) == ""
    assert "Weibull" in bm.convert_quantiles(studies, method="QE").how[1]
    assert "skewed" not in bm.convert_quantiles(studies, method="QE").how[1]


def test_tests_of_skewness_are_sorted_by_row_and_may_be_none():
    plain = bm.skewness_test(bm.ContinuousStudies.from_frame(moments()))
    assert plain.empty
    assert list(plain.columns) == [
        "study", "arm", "scenario", "statistic", "critical_value", "skewed"
    ]  # fmt: skip
    two = quantiles([FIVE[0], FIVE[1]], q1_control=[5, 5], median_control=[7, 7], q3_control=[9, 9])
    assert bm.skewness_test(two)["study"].tolist() == ["study 1"] * 2 + ["study 2"] * 2
    assert bm.skewness_test(two)["statistic"].tolist()[1::2] == [0.0, 0.0]


def test_a_converted_sd_is_one_that_the_sample_can_have():
    made = bm.convert_quantiles(quantiles([(1, 1, 3, 9, 9)], n=5000))
    assert made.sd_treatment[0] == pytest.approx(4 * np.sqrt(5000 / 4999))
    assert "SD by Shi 2020, limited to the largest within the range, from" in made.how[0]


@pytest.mark.parametrize(
    ("studies", "words"),
    [
        (
            quantiles([FIVE[0], (NAN, 4, 6, NAN, NAN)]),
            r"treatment arm of study 2 \(row 2\) has neither median and.*ContinuousNormal",
        ),
        (quantiles([FIVE[2]], n=4), r"study 1 \(row 1\) has fewer than 5 patients"),
        (quantiles([FIVE[0], (NAN, 6, 6, 6, NAN)]), r"quantiles of study 2 \(row 2\) coincide"),
    ],
)
@pytest.mark.parametrize("method", ["formulas", "QE"])
def test_quantiles_that_cannot_be_converted_are_named(studies, words, method):
    with pytest.raises(bm.DataError, match=words):
        bm.convert_quantiles(studies, method=method)


def test_methods_are_named():
    with pytest.raises(bm.DataError, match="method is 'formulas' or 'QE'"):
        bm.convert_quantiles(quantiles(FIVE), method="BC")


@pytest.mark.parametrize(
    ("figures", "beside"),
    [
        ({"min_treatment": [0], "max_treatment": [100], "sd_treatment": [0.01]}, "max_treatment"),
        ({"median_treatment": [90]}, "median_treatment"),
    ],
)
def test_an_sd_too_small_for_what_stands_beside_it_is_named(figures, beside):
    columns = {
        "n_treatment": [30],
        "mean_treatment": [52.0],
        "sd_treatment": [11.2],
        "n_control": [30],
        "mean_control": [60.1],
        "sd_control": [12.0],
    }
    with pytest.raises(bm.DataError, match=rf"sd_treatment is smaller.*{beside}.*A \(row 1\)"):
        bm.ContinuousStudies(study=["A"], **{**columns, **figures})
    assert bm.ContinuousStudies(study=["A"], **columns).k == 1


def test_figures_keep_the_digits_they_are_printed_with():
    frame = pd.DataFrame(
        {
            "study": ["A"],
            "n_treatment": ["20"],
            "q1_treatment": ["1.2e3"],
            "median_treatment": ["1.50e3"],
            "q3_treatment": [" "],
            "n_control": ["21"],
            "q1_control": np.float32([7.1]),
            "median_control": np.float32([8.25]),
        }
    )
    found = bm.ContinuousStudies.from_frame(frame)
    assert found.rounding_treatment[0][[1, 2]].tolist() == [50.0, 5.0]
    assert found.rounding_control[0][[1, 2]].tolist() == [0.05, 0.005]
    assert np.isnan(found.q3_treatment[0])


@pytest.mark.parametrize("kind", ["int64", "int32", "Int64", "object", "float64", "str"])
def test_whole_numbers_are_rounded_to_whole_numbers_whatever_holds_them(kind):
    figures = {"n": 20, "q1": 10, "median": 15, "q3": 22}
    frame = pd.DataFrame({f"{name}{arm}": [value] for name, value in figures.items()
                          for arm in ("_treatment", "_control")}).astype(kind)  # fmt: skip
    found = bm.ContinuousStudies.from_frame(frame.assign(study=["A"]))
    for rounding in (found.rounding_treatment, found.rounding_control):
        assert rounding[0, 1:4].tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("mean", "inside"), [("49.4", False), ("49.6", True), ("52.4", True), ("52.6", False)]
)
def test_a_mean_may_lie_outside_a_range_by_the_rounding_of_its_ends(mean, inside):
    columns = {"sd_treatment": [0.5, 7], "min_treatment": ["50", ""], "max_treatment": ["52", ""]}
    frame = moments(**columns, mean_treatment=[mean, "41"])
    if inside:
        assert bm.ContinuousStudies.from_frame(frame).k == 2
        return
    with pytest.raises(bm.DataError, match=r"lies outside min_treatment to max_treatment for A"):
        bm.ContinuousStudies.from_frame(frame)


def test_a_fit_whose_tail_nothing_holds_falls_back_on_the_formulas():
    studies = bm.ContinuousStudies(
        study=["A"],
        n_treatment=[20],
        q1_treatment=[0],
        median_treatment=[0],
        q3_treatment=[7],
        n_control=[20],
        mean_control=[3.0],
        sd_control=[4.0],
    )
    estimated = bm.convert_quantiles(studies, method="QE")
    assert estimated.sd_treatment == bm.convert_quantiles(studies).sd_treatment
    assert "Wan 2014" in estimated.how[0]
    assert "not advised" in estimated.how[0]
