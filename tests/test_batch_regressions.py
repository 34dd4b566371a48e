"""fit_many with covariates: the answers of `fit`, many at a time, and what is said beside them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayesmeta as bm

MU, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
AGREEMENT = 1e-7  # of a posterior SD, and of probabilities, as in test_batch
LINE = bm.NormalNormal(mu=bm.Linear("latitude", intercept=MU, slopes=bm.Normal(0, 0.2)), tau=TAU)
TWO = bm.NormalNormal(
    mu=bm.Linear("latitude*dose", intercept=MU, slopes=bm.Normal(0, 1), scale=True), tau=TAU
)
BARE = bm.NormalNormal(
    mu=bm.Linear("0 + dose", intercept=MU, slopes=bm.Normal(0.1, 1), centre=False), tau=TAU
)
GROUPS = bm.NormalNormal(mu=bm.ByGroup("place", MU), tau=TAU)


def table(sizes=(9, 14, 6, 14), seed=0):
    """Groups of unlike sizes; effects that fall with latitude."""
    rng = np.random.default_rng(seed)
    k = sum(sizes)
    latitude = rng.normal(40, 12, k)
    se = np.exp(rng.normal(-1.2, 0.5, k))
    spread = rng.normal(0, np.hypot(0.2, se))
    return pd.DataFrame(
        {
            "outcome": np.repeat([f"outcome {i}" for i in range(len(sizes))], sizes),
            "study": np.concatenate([[f"study {i}" for i in range(n)] for n in sizes]),
            "y": 0.3 - 0.03 * (latitude - 40) + spread,
            "se": se,
            "latitude": latitude,
            "dose": rng.integers(1, 5, k) / 2,
            "place": rng.choice(["home", "ward"], k),
        }
    )


FRAME = table()


def alone(model, rows):
    """Numbers that `fit` gives by the columns of the batch, with the unit of each."""
    data = bm.EffectSizes.from_frame(rows.drop(columns="outcome"))
    fit = bm.fit(model, data)
    found = {"log_marginal_likelihood": (fit.log_marginal_likelihood, 1.0)}
    coefficients = fit.marginals["coefficient"]
    each = {name: fit[name] for name in coefficients.study}
    for name, one in {**each, "tau": fit["tau"]}.items():
        lower, upper = one.interval(0.95)
        ends = {"mean": one.mean(), "lower": lower, "median": one.quantile(0.5), "upper": upper}
        found |= {f"{name}_{what}": (value, one.sd()) for what, value in ends.items()}
    for name, one in each.items():
        found[f"{name}_sd"] = one.sd(), one.sd()
        found[f"{name}_below_null"] = one.cdf(0.0), 1.0
    for name, centre in model.location.design(fit.data).centres.items():
        found[f"{name}_centre"] = centre, 1.0
    return found


def assert_agrees(model, frame, found):
    for i, (outcome, own) in enumerate(frame.groupby("outcome", sort=False)):
        assert (found["outcome"][i], found["problem"][i]) == (outcome, "")
        for name, (value, unit) in alone(model, own).items():
            gap = abs(found[name][i] - value) / unit
            assert gap <= AGREEMENT, (outcome, name, gap, found["error"][i])


@pytest.mark.deep(
    "a program for each number of coefficients: 20 s where none is stored", but=["line", "groups"]
)
@pytest.mark.parametrize(
    "model", [LINE, TWO, BARE, GROUPS], ids=["line", "interaction", "no intercept", "groups"]
)
def test_the_answers_are_those_of_fit(model):
    found = bm.fit_many(model, FRAME, by="outcome")
    assert_agrees(model, FRAME, found)
    many = found["engine"] == "Quadrature(), many at once"
    assert many.all() if model is not GROUPS else not many.any()


def test_columns_go_by_the_names_of_coefficients():
    found = bm.fit_many(LINE, FRAME, by="outcome")
    ends = ("lower", "median", "upper")
    each = [
        f"{name}_{what}"
        for name in ("intercept", "latitude")
        for what in ("mean", "sd", "below_null", *ends)
    ]
    counted = ["outcome", "k", "k_left_out", "k_dropped", "k_added", "left_out"]
    of_tau = ["tau_mean", "tau_median", "tau_lower", "tau_upper"]
    of_all = ["log_marginal_likelihood", "error", "engine", "problem"]
    assert list(found) == [*counted, *each, "latitude_centre", *of_tau, *of_all]
    assert found.attrs["model"] == repr(LINE)
    short = bm.fit_many(LINE, FRAME, by="outcome", quantiles=False)
    assert_allclose(short["latitude_mean"], found["latitude_mean"], rtol=1e-12)
    assert "latitude_median" not in short
    assert short["tau_median"].isna().all()
    scaled = bm.fit_many(bm.NormalNormal(mu=bm.Linear("dose", intercept=MU, slopes=MU, scale=True),
        tau=TAU), FRAME, by="outcome")  # fmt: skip
    sd = FRAME.groupby("outcome")["dose"].std(ddof=1)
    assert_allclose(scaled["dose_scale"], sd, rtol=1e-12)


def test_levels_that_a_group_lacks_are_nan_there():
    frame = FRAME.assign(place=np.where(FRAME["outcome"] == "outcome 0", "home", FRAME["place"]))
    frame.loc[0, "place"] = "away"
    found = bm.fit_many(GROUPS, frame, by="outcome")
    assert found["place[ward]_mean"].isna().tolist() == [True, False, False, False]
    assert found["place[away]_mean"].isna().tolist() == [False, True, True, True]
    assert (found["problem"] == "").all()


def numbers_of(found):
    return found.drop(columns=["error", "outcome"]).select_dtypes("number")


def test_order_of_studies_does_not_matter():
    whole = bm.fit_many(LINE, FRAME, by="outcome")
    mixed = FRAME.sample(frac=1, random_state=1)
    found = bm.fit_many(LINE, mixed, by="outcome").set_index("outcome").loc[whole["outcome"]]
    expected = numbers_of(whole)
    assert_allclose(found[expected.columns], expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("factor", [100.0, -0.01])
def test_units_of_a_covariate_do_not_matter(factor):
    whole = bm.fit_many(LINE, FRAME, by="outcome")
    slopes = bm.Normal(0, 0.2 / abs(factor))
    model = bm.NormalNormal(mu=bm.Linear("latitude", intercept=MU, slopes=slopes), tau=TAU)
    found = bm.fit_many(model, FRAME.assign(latitude=factor * FRAME["latitude"]), by="outcome")
    assert_allclose(found["latitude_mean"] * factor, whole["latitude_mean"], rtol=1e-8)
    assert_allclose(found["latitude_sd"] * abs(factor), whole["latitude_sd"], rtol=1e-8)
    for name in ("intercept_median", "tau_upper", "log_marginal_likelihood"):
        assert_allclose(found[name], whole[name], rtol=1e-8, atol=1e-8)
    below = whole["latitude_below_null"]
    assert_allclose(found["latitude_below_null"], below if factor > 0 else 1 - below, atol=1e-8)


def test_a_slope_that_is_all_but_zero_gives_the_model_without_it():
    slopes = bm.Normal(0, 1e-9)
    model = bm.NormalNormal(mu=bm.Linear("latitude", intercept=MU, slopes=slopes), tau=TAU)
    found = bm.fit_many(model, FRAME, by="outcome")
    plain = bm.fit_many(bm.NormalNormal(mu=MU, tau=TAU), FRAME, by="outcome")
    for mine, its in (("intercept", "mu"), ("tau", "tau")):
        for what in ("mean", "median", "lower", "upper"):
            assert_allclose(found[f"{mine}_{what}"], plain[f"{its}_{what}"], atol=1e-7)
    assert_allclose(found["log_marginal_likelihood"], plain["log_marginal_likelihood"], atol=1e-7)


def test_arrays_are_padded_with_studies_that_are_none():
    k = FRAME.groupby("outcome").cumcount()
    row = pd.factorize(FRAME["outcome"])[0]
    arrays = {name: np.full((4, 14), np.nan) for name in ("y", "se", "latitude")}
    for name, values in arrays.items():
        values[row, k] = FRAME[name]
    found = bm.fit_many(LINE, arrays)
    whole = numbers_of(bm.fit_many(LINE, FRAME, by="outcome"))
    assert_allclose(found[whole.columns], whole, rtol=1e-12)
    with pytest.raises(bm.DataError, match="arrays named y, se, latitude"):
        bm.fit_many(LINE, {name: arrays[name] for name in ("y", "se")})


def test_studies_without_a_covariate_are_left_out_and_named():
    frame = FRAME.copy()
    frame.loc[[2, 4, 12], "latitude"] = np.nan
    frame.loc[4, "dose"] = np.nan
    model = bm.NormalNormal(mu=bm.Linear("latitude + dose", intercept=MU, slopes=MU), tau=TAU)
    found = bm.fit_many(model, frame, by="outcome")
    assert found["left_out"].tolist() == [
        "study 2 (latitude); study 4 (latitude, dose)", "study 3 (latitude)", "", "",
    ]  # fmt: skip
    assert found["k"].tolist() == [7, 13, 6, 14]
    fewer = bm.fit_many(model, frame.dropna(), by="outcome")
    assert_allclose(numbers_of(found), numbers_of(fewer), rtol=1e-12)
    words = frame.assign(place=FRAME["place"].where(FRAME.index != 5, "n/a"))
    assert bm.fit_many(GROUPS, words, by="outcome")["left_out"][0] == "study 5 (place)"


PROBLEMS = {
    "none known": ({"latitude": np.nan}, "None of the studies has 'latitude'"),
    "a bad number": ({"se": -1.0}, "se must be"),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_bad_group_is_named_and_stops_nobody(kind):
    changed, said = PROBLEMS[kind]
    frame = FRAME.copy()
    for name, value in changed.items():
        frame.loc[frame["outcome"] == "outcome 2", name] = value
    found = bm.fit_many(LINE, frame, by="outcome")
    assert said in found["problem"][2]
    assert found.loc[2, ["latitude_mean", "tau_mean", "error"]].isna().all()
    good = [0, 1, 3]
    whole = bm.fit_many(LINE, FRAME, by="outcome")
    assert_allclose(numbers_of(found.loc[good]), numbers_of(whole.loc[good]), rtol=1e-12)


@pytest.mark.parametrize("value", [44.0, 0.1])
def test_a_covariate_that_is_alike_in_a_group_gives_the_model_without_it_and_says_so(value):
    frame = FRAME.assign(latitude=FRAME["latitude"].where(FRAME["outcome"] != "outcome 2", value))
    found = bm.fit_many(LINE, frame, by="outcome")
    assert_agrees(LINE, frame, found)
    plain = bm.fit_many(bm.NormalNormal(mu=MU, tau=TAU), frame, by="outcome")
    for own, its in (("intercept_mean", "mu_mean"), ("intercept_upper", "mu_upper")):
        assert found[own][2] == pytest.approx(plain[its][2], abs=1e-8)
    for name in ("tau_mean", "tau_lower", "tau_upper", "log_marginal_likelihood"):
        assert found[name][2] == pytest.approx(plain[name][2], abs=1e-8)
    assert found.loc[2, ["latitude_mean", "latitude_sd"]].tolist() == pytest.approx([0, 0.2])
    assert found["latitude_centre"][2] == value
    said = f"latitude is {value:g} in all studies: the data say nothing of its slope; its posterior"
    assert found["caution"].tolist() == ["", "", f"{said} is its prior.", ""]
    assert "caution" not in bm.fit_many(LINE, FRAME, by="outcome")


def test_columns_that_follow_from_one_another_rest_on_their_priors_and_it_is_said():
    one = FRAME["outcome"] == "outcome 1"
    frame = FRAME.assign(dose=FRAME["dose"].where(~one, 3 - 2 * FRAME["latitude"]))
    model = bm.NormalNormal(mu=bm.Linear("latitude + dose", intercept=MU, slopes=MU), tau=TAU)
    found = bm.fit_many(model, frame, by="outcome")
    assert_agrees(model, frame, found)
    assert found["caution"][1].startswith("The studies do not tell latitude, dose apart: each")
    few = frame.groupby("outcome").head(2).assign(dose=[1, 2] * 4)
    found = bm.fit_many(model, few, by="outcome")
    assert_agrees(model, few, found)
    assert found["caution"].str.contains("latitude, dose apart").all()
    flat = bm.Linear("latitude + dose", intercept=MU, slopes=bm.Flat())
    problems = bm.fit_many(bm.NormalNormal(mu=flat, tau=TAU), frame, by="outcome")["problem"]
    assert "flat priors cannot be told apart in these studies: latitude, dose;" in problems[1]


def test_a_group_read_by_itself_keeps_its_covariates():
    printed = FRAME.assign(
        estimate=FRAME["y"], lower=FRAME["y"] - 1.959964 * FRAME["se"],
        upper=FRAME["y"] + 1.959964 * FRAME["se"],
    ).drop(columns=["y", "se"])  # fmt: skip
    found = bm.fit_many(LINE, printed, by="outcome", measure="MD")
    whole = bm.fit_many(LINE, FRAME, by="outcome")
    assert_allclose(found["latitude_mean"], whole["latitude_mean"], rtol=1e-6)
    odd = FRAME.astype({"se": object})
    odd.loc[3, "se"] = "about 1"
    assert "se must be a number" in bm.fit_many(LINE, odd, by="outcome")["problem"][0]


def test_counts_and_spreads_by_group_are_fitted_one_by_one():
    counts = FRAME.head(9).assign(events_treatment=3, n_treatment=40, events_control=5,
        n_control=41).drop(columns=["y", "se"])  # fmt: skip
    counts["events_treatment"] += np.arange(9) % 3
    model = bm.BinomialNormal(measure="OR", mu=LINE.mu, tau=TAU, baseline=bm.Normal(-1, 2))
    found = bm.fit_many(model, counts, by="outcome")
    expected = bm.fit(model, bm.BinaryStudies.from_frame(counts.drop(columns="outcome")))
    assert found["latitude_median"][0] == pytest.approx(expected["latitude"].quantile(0.5))
    assert found["engine"][0] == expected.engine
    apart = bm.NormalNormal(mu=bm.ByGroup("place", MU), tau=bm.ByGroup("place", TAU))
    found = bm.fit_many(apart, FRAME, by="outcome")
    own = FRAME[(FRAME["place"] == "home") & (FRAME["outcome"] == "outcome 1")]
    plain = bm.fit_many(bm.NormalNormal(mu=MU, tau=TAU), own, by="outcome")
    assert found["tau[home]_mean"][1] == pytest.approx(plain["tau_mean"][0], abs=1e-7)


def test_names_that_the_result_has_are_refused():
    with pytest.raises(bm.DataError, match="no column 'latitude'"):
        bm.fit_many(LINE, FRAME.drop(columns="latitude"), by="outcome")
    with pytest.raises(bm.DataError, match="'latitude' is a column that the model reads"):
        bm.fit_many(LINE, FRAME, by="latitude")
    with pytest.raises(bm.DataError, match="'latitude_mean' may be a column"):
        bm.fit_many(LINE, FRAME.rename(columns={"outcome": "latitude_mean"}), by="latitude_mean")
    model = bm.NormalNormal(mu=bm.Linear("tau", intercept=MU, slopes=MU), tau=TAU)
    with pytest.raises(bm.DataError, match="covariate called 'tau'"):
        bm.fit_many(model, FRAME.rename(columns={"latitude": "tau"}), by="outcome")
