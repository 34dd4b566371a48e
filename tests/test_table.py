"""One base of all tables: what is said of studies besides the numbers goes with them everywhere."""

import copy
import pickle
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import bayesmeta as bm
from bayesmeta.files import read_table, to_datatree, to_netcdf
from bayesmeta.studies import Problems, Table, need

ARMS = ("_treatment", "_control")
NUMBERS = {
    bm.BinaryStudies: {f"{name}{arm}": x for arm in ARMS for name, x in (("events", 3), ("n", 30))},
    bm.PersonTimeStudies: {
        f"{name}{arm}": x for arm in ARMS for name, x in (("events", 3), ("time", 120.5))
    },
    bm.ProportionStudies: {"events": 3, "n": 30},
    bm.IncidenceStudies: {"events": 3, "time": 120.5},
    bm.ContinuousStudies: {
        "n_treatment": 30,
        "q1_treatment": 4,
        "median_treatment": 5,
        "q3_treatment": 8,
        "n_control": 31,
        "mean_control": 6.5,
        "sd_control": 2.2,
        "unit": "d",
        "how": "read off",
    },
    bm.EffectSizes: {"y": -0.3, "se": 0.2},
}
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-99, 2030),
    st.floats(-1e6, 1e6),
    st.sampled_from(["", " ", "north", "south ", "44", "1.5e3", "NA", "none"]),
    st.just(date(2020, 4, 1)),
    st.just((1, 2)),
)


def rows(kind, k=4, **others) -> pd.DataFrame:
    study = [f"S{i}" for i in range(k)]
    return pd.DataFrame({"study": study, **NUMBERS[kind], **others})


def plain(table) -> dict:
    """Everything that a table holds, in values that compare."""
    fields = ("study", *table.texts, *table.arrays(), "covariates")
    found = {name: getattr(table, name) for name in fields}
    return {name: as_lists(value) for name, value in found.items()}


def as_lists(value):
    if isinstance(value, np.ndarray):
        return [repr(one) for one in value.tolist()]
    return (
        {name: as_lists(one) for name, one in value.items()} if hasattr(value, "items") else value
    )


def bcg() -> bm.BinaryStudies:
    return bm.BinaryStudies.from_frame(read_table("examples/bcg/bcg.csv"))


def test_columns_that_are_not_read_are_known_by_name_and_kept():
    studies = bcg()
    assert studies.unread == ("year", "latitude", "allocation", "source")
    assert studies.covariates["latitude"][:3].tolist() == [44, 55, 42]
    assert set(studies.covariates["allocation"]) == {"random", "alternate", "systematic"}
    assert not studies.covariates["latitude"].flags.writeable
    with pytest.raises(TypeError, match="assignment"):
        studies.covariates["latitude"] = ()


def test_a_covariate_goes_with_its_study_from_the_frame_to_the_fit_and_the_file(tmp_path):
    studies = bcg().keep(["Aronson 1948", "Hart & Sutherland 1977", "TPT Madras 1980"])
    effects = bm.effect_sizes(studies, measure="RR")
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), effects)
    assert fit.data.covariates["latitude"].tolist() == [44, 52, 13]
    assert fit.data.covariates["allocation"] == ("random",) * 3
    path = tmp_path / "fit.nc"
    path.write_bytes(to_netcdf(to_datatree(fit, draws=20)))
    constant = read_back(path)["constant_data"]
    assert constant["latitude"].sel(study="TPT Madras 1980") == 13
    assert constant["allocation"].values.tolist() == ["random"] * 3


def read_back(path):
    import xarray as xr

    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


def test_names_that_a_file_cannot_hold_are_made_safe_and_kept_beside(tmp_path):
    said = {"dose (mg/L)": [1, 2], "se": ["a", "b\x00"], "study": [5, 6], " / ": [7, 8]}
    effects = bm.EffectSizes.from_arrays(["A", "B"], [0.1, 0.2], [0.3, 0.4], covariates=said)
    fit = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), effects)
    path = tmp_path / "fit.nc"
    path.write_bytes(to_netcdf(to_datatree(fit, draws=20)))
    constant = read_back(path)["constant_data"]
    own = {one.attrs.get("column"): one.values.tolist() for one in constant.data_vars.values()}
    assert own == {None: [0.3, 0.4], "dose (mg/L)": [1, 2], "se": ["a", "b "], "study": [5, 6],
                   " / ": [7, 8]}  # fmt: skip
    assert set(constant.data_vars) == {"se", "se (2)", "study (2)", "dose (mg L)", "column"}


def test_studies_that_two_stages_leave_out_take_their_covariates_with_them():
    frame = rows(bm.BinaryStudies, region=["N", "S", "S", "N"], latitude=[1, 2, 3, 4])
    frame.loc[1, ["events_treatment", "events_control"]] = 0
    effects = bm.effect_sizes(bm.BinaryStudies.from_frame(frame), measure="RR")
    assert effects.study == ("S0", "S2", "S3")
    assert effects.covariates["region"] == ("N", "S", "N")
    assert effects.covariates["latitude"].tolist() == [1, 3, 4]


def test_converted_quantiles_and_changes_are_of_the_same_studies():
    frame = rows(bm.ContinuousStudies, region=list("NSSN"), variant="alt")
    converted = bm.convert_quantiles(bm.ContinuousStudies.from_frame(frame))
    assert converted.covariates["region"] == tuple("NSSN")
    effects = bm.effect_sizes(converted, measure="MD")
    assert (effects.covariates["region"], effects.variant) == (tuple("NSSN"), ("alt",) * 4)
    figures = {"mean_baseline": 60, "sd_baseline": 10, "mean": 50, "sd": 9, "n": 20}
    before = {
        f"{name}{arm}": x for name, x in figures.items() for arm in ("_treatment", "_control")
    }
    trials = pd.DataFrame({"study": ["A", "B"], **before, "region": ["N", None]})
    change = bm.change_from_baseline(trials, correlation=0.5, exclude={"A": "twice"})
    assert change.covariates["region"].tolist() == pytest.approx([np.nan], nan_ok=True)


def test_a_reported_comparison_keeps_what_is_said_of_it():
    trials = pd.DataFrame({"study": ["A"], "estimate": [0.8], "se": [0.1], "region": ["N"]})
    assert bm.reported_effects(trials, measure="HR").covariates["region"] == ("N",)


def test_combined_arms_keep_what_is_said_of_the_trial_and_not_what_is_said_of_an_arm():
    arms = pd.DataFrame(
        {"study": ["A", "A", "A", "B", "B"], "n": [20, 24, 22, 30, 31], "mean": 8.0, "sd": 3.0,
         "arm": ["treatment", "treatment", "control", "treatment", "control"],
         "region": ["N", None, "N", None, None], "dose": [5, 10, 0, 5, 0]})  # fmt: skip
    trials = bm.ContinuousStudies.from_frame(bm.combine_arms(arms))
    assert dict(trials.covariates) == {"region": ("N", "")}
    split = bm.ContinuousStudies.from_frame(bm.split_control(arms))
    assert split.covariates["region"] == ("N", "N", "")


def test_several_outcomes_keep_what_is_said_of_the_study_and_leave_studies_out():
    long = pd.DataFrame(
        {"study": ["A", "A", "B", "C", "C"], "outcome": ["PD", "AL", "PD", "PD", "AL"],
         "y": 0.1, "se": 0.2, "year": [1990, 1990, 1987, 2001, 2001], "site": list("xyzxy")}
    )  # fmt: skip
    read = bm.MultivariateEffects.from_frame
    data = read(long, correlation=0.3)
    assert data.unread == ("year",)
    assert data.keep(["B", "C"]).covariates["year"].tolist() == [1987, 2001]
    assert data.effects("AL").covariates["year"].tolist() == [1990, 2001]
    fewer = read(long, correlation=0.3, exclude={"A": "another disease"})
    assert plain(fewer) == plain(data.keep(["B", "C"]))
    assert [(one.study, one.reason) for one in fewer.excluded] == [("A", "another disease")]
    with pytest.raises(bm.DataError, match=r"C reports PD twice \(row 5\)"):
        read(long.assign(outcome=["PD", "AL", "PD", "PD", "PD"]), exclude={"A": "gone"})


@given(
    kind=st.sampled_from(list(NUMBERS)),
    columns=st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=3),
    left=st.sets(st.integers(0, 3), max_size=3),
)
def test_reading_some_rows_is_reading_all_and_keeping_some(kind, columns, left):
    others = {f"column {i}": pd.Series(cells, dtype=object) for i, cells in enumerate(columns)}
    frame = rows(kind, variant="alt", **others)
    fewer = kind.from_frame(frame, exclude={f"S{i}": "why not" for i in left})
    kept = kind.from_frame(frame).keep([f"S{i}" for i in range(4) if i not in left])
    assert plain(fewer) == plain(kept)
    assert fewer.unread == kept.unread == tuple(others)
    assert [one.study for one in fewer.excluded] == [f"S{i}" for i in sorted(left)]


@given(cells=st.lists(CELLS, min_size=1, max_size=5))
def test_a_column_is_numbers_or_texts_with_every_cell_in_its_place(cells):
    k = len(cells)
    said = bm.EffectSizes.from_arrays(
        [f"S{i}" for i in range(k)], [0.0] * k, [1.0] * k, covariates={"x": cells}
    ).covariates["x"]
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    if isinstance(said, tuple):
        assert said == tuple(texts)
    else:
        gaps = ("", "NA", "none")  # among numbers
        assert_array_equal(said, [float("nan" if text in gaps else text) for text in texts])


def test_a_table_written_and_read_again_has_the_same_covariates(tmp_path):
    frame = rows(
        bm.BinaryStudies, latitude=[44, None, 3.5, -1], region=["N", "", "S", "N"], rct=True
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    again = bm.BinaryStudies.from_frame(read_table(tmp_path / "table.csv"))
    assert plain(again) == plain(bm.BinaryStudies.from_frame(frame))
    assert again.covariates["rct"] == ("True",) * 4


def test_odd_columns_do_not_stop_a_table_from_being_read():
    odd = [pd.NA, {"a": 1}, np.array([1, 2]), pd.Timestamp("2020-04-01")]
    frame = rows(bm.BinaryStudies, odd=odd, year=1990, when=pd.date_range("2020-04-01", periods=4))
    frame = pd.concat([frame, frame[["year"]] + 1, frame[["n_control"]]], axis=1)
    frame.columns = [*frame.columns[:-1], 7]
    studies = bm.BinaryStudies.from_frame(frame)
    assert studies.unread == ("odd", "year", "when", "year (2)", "7")
    assert studies.covariates["odd"] == ("", "{'a': 1}", "[1 2]", "2020-04-01 00:00:00")
    assert studies.covariates["year (2)"].tolist() == [1991] * 4


def test_a_column_under_another_name_of_ours_is_not_lost():
    frame = rows(bm.BinaryStudies, events=3, land="N")
    studies = bm.BinaryStudies.from_frame(frame, columns={"events_treatment": "events"})
    assert studies.unread == ("events_treatment (2)", "land")
    with pytest.raises(bm.DataError, match="is none of the columns that are read"):
        bm.BinaryStudies.from_frame(frame, columns={"area": "land"})


def test_two_columns_of_readings_are_refused():
    twice = rows(bm.BinaryStudies, variant="a")
    twice = pd.concat([twice, twice[["variant"]]], axis=1)
    with pytest.raises(bm.DataError, match="more than one column 'variant'"):
        bm.BinaryStudies.from_frame(twice)


@pytest.mark.parametrize(
    "said", [{"x": [1]}, {"x": "ab"}, {"x": 3}, {"x": np.ones((2, 2))}, [1, 2]]
)
def test_covariates_have_one_entry_per_study(said):
    with pytest.raises(bm.DataError, match="one entry per study"):
        bm.ProportionStudies(study=["A", "B"], events=[1, 2], n=[3, 4], covariates=said)


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_table_says_the_same_of_itself_with_and_without_covariates(kind):
    bare, told = kind.from_frame(rows(kind)), kind.from_frame(rows(kind, region="N"))
    assert repr(bare) == repr(told)
    assert "covariates" not in repr(told)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda table: pickle.loads(pickle.dumps(table))])
def test_a_table_can_be_copied_with_what_is_said_of_its_studies(again):
    table = bcg()
    assert plain(again(table)) == plain(table)


@pytest.mark.parametrize("kind", [*NUMBERS, bm.MultivariateEffects])
def test_keeping_rows_is_written_once_and_reading_them_only_where_more_is_asked(kind):
    between = [name for each in kind.__mro__[:-2] for name in vars(each)]
    assert kind.__mro__[-2] is Table
    assert not {"keep", "k", "unread", "_rows", "_of"} & set(between)
    more = kind in (bm.EffectSizes, bm.MultivariateEffects)  # measure, prob, covariance
    assert ("from_frame" in between) == more


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (bm.BinaryStudies, "3/30 v 3/30"),
        (bm.PersonTimeStudies, "3/120.5 v 3/120.5"),
        (bm.ProportionStudies, "3/30"),
        (bm.ContinuousStudies, "[4, 5, 8], 30 v 6.5 (2.2), 31"),
        (bm.EffectSizes, ""),
    ],
)
def test_a_table_says_in_words_what_a_study_reports(kind, words):
    assert kind.from_frame(rows(kind)).in_words(2) == words


@pytest.mark.parametrize("kind", NUMBERS)
def test_what_a_table_says_of_its_class_agrees_with_what_it_holds(kind):
    table = kind.from_frame(rows(kind))
    assert table.p == 1
    assert table.discrete == ("events" in table.result)
    assert not table.double_zero.any()
    assert table.provenance == (getattr(table, "how", None) or ("",) * table.k)
    assert {f"{table.size}{arm}" for arm in table.arms} <= set(table.columns())
    for measure in table.measures:
        assert bm.effect_sizes(converted(table), measure=measure).k == table.k
    with pytest.raises(bm.DataError):
        bm.effect_sizes(converted(table), measure="HR")


def converted(table):
    return bm.convert_quantiles(table) if isinstance(table, bm.ContinuousStudies) else table


def test_what_works_on_one_kind_of_table_says_what_to_give_it():
    studies = bcg()
    assert need(studies, bm.BinaryStudies, "Peto's method") is studies
    with pytest.raises(bm.ModelError, match="Peto's method: give it BinaryStudies"):
        need(bm.effect_sizes(studies, measure="OR"), bm.BinaryStudies, "Peto's method")


TWO = {"study": ["A", "B"], "events": [1, 2], "n": [9, 9]}


def test_a_column_that_maps_names_to_values_is_no_column():
    with pytest.raises(bm.DataError, match="'x' must have one entry per study"):
        bm.ProportionStudies(**TWO, covariates={"x": {"A": 1, "B": 2}})


def test_what_is_said_of_studies_is_compared_by_value():
    one, same, other = (
        bm.ProportionStudies(**TWO, covariates={"x": x}).covariates
        for x in ([1, None], [1, None], [1, 2])
    )
    assert one == same
    assert one != other
    assert pickle.loads(pickle.dumps(one)) == one
    assert one != {"x": ("1", "")}


def test_outcomes_keep_what_was_left_out_and_refuse_two_readings_of_a_study():
    rows = {"study": ["A", "A", "B", "B"], "outcome": ["x", "y"] * 2, "y": [0.1, 0.2] * 2}
    frame = pd.DataFrame({**rows, "se": 0.3, "variant": ["main", "main", "late", "late"]})
    data = bm.MultivariateEffects.from_frame(frame, exclude={"B": "too late"})
    assert [one.reason for one in data.effects("x").excluded] == ["too late"]
    both = bm.MultivariateEffects.from_frame(frame)
    assert both.covariates["variant"] == ("main", "late")
    mixed = frame.assign(variant=["main", "late", "main", "main"])
    with pytest.raises(bm.DataError, match="A has rows of more than one variant"):
        bm.MultivariateEffects.from_frame(mixed)


def test_a_column_named_like_a_place_in_a_file_does_not_stop_the_file():
    studies = bm.ProportionStudies(**TWO, covariates={".": [1, 2], "/.": ["a", "b"], "": [3, 4]})
    fit = bm.fit(bm.ProportionNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(1)), studies)
    tree = to_datatree(fit, draws=8)
    assert to_netcdf(tree)
    kept = [one.attrs.get("column") for one in tree["constant_data"].data_vars.values()]
    assert {".", "/.", ""} <= set(kept)


def test_a_table_says_what_it_holds_of_each_study():
    assert repr(bm.ProportionStudies(**TWO, covariates={"x": ["a", "b"]}).covariates) == (
        "{'x': ('a', 'b')}"
    )
    rates = bm.IncidenceStudies(study=["A"], events=[3], time=[9.5])
    assert rates.all_events.tolist() == [False]
    with pytest.raises(bm.DataError, match="must be a positive person-time; check A"):
        bm.IncidenceStudies(study=["A"], events=[3], time=[0.0])
    for ask in (
        Table.columns,
        lambda: Table._check(rates, Problems(rates.study)),
        lambda: Table._arm_in_words(rates, 0, ""),
    ):
        with pytest.raises(NotImplementedError):
            ask()


def test_a_change_whose_sd_is_unknown_is_said_by_both_sds():
    both = {"n_treatment": [30], "n_control": [31], "mean_treatment": [2.0], "mean_control": [1.0]}
    sds = {
        f"sd_{when}_{arm}": [4.0]
        for when in ("before", "after")
        for arm in ("treatment", "control")
    }
    studies = bm.ContinuousStudies(study=["A"], **both, **sds)
    assert studies.in_words(0) == "2 (SDs 4, 4), 30 v 1 (SDs 4, 4), 31"
