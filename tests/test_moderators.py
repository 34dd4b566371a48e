"""Covariates outside Python: words, the command line, and what is said of a fit with them."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

import bayesmeta as bm
from bayesmeta.cli import main
from bayesmeta.cli.moderators.typed import Moderated
from bayesmeta.engines import pymc_source
from bayesmeta.errors import SpecError
from bayesmeta.moderators import moderators
from bayesmeta.results.moderated import asked_in_words, moderated_sentence, moderator_tables
from bayesmeta.results.sections import of_moderators as sections_of
from bayesmeta.specification import parse_specification
from bayesmeta.wording import Words

ROOT = Path(__file__).parent
BCG = ROOT.parent / "examples" / "bcg" / "bcg.csv"
STORED = json.loads((ROOT / "reference" / "linear.json").read_text())["quadrature"]
METAFOR = json.loads((ROOT / "reference" / "regression.json").read_text())["cases"]["bcg"]
WIDE, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
SPEC = """\
title = "BCG"
[[outcome]]
name = "tuberculosis"
title = "Tuberculosis"
better = "lower"
data = "bcg.csv"
kind = "estimates"
measure = "OR"
tau = "HalfNormal(0.5)"
mu = {}
"""


def fit(*words, status=0):
    done = CliRunner(catch_exceptions=False).invoke(main, ["fit", *map(str, words)])
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else " ".join(done.stderr.split())


def answered(*words):
    return json.loads(fit(*words, "--json"))


def located(text):
    return parse_specification(SPEC.format(text)).outcome[0].words.mu


# ------------------------------------------------------------------------------- specifications


def test_a_table_in_the_place_of_mu_is_the_location_that_python_writes():
    line = located(
        '{ formula = "latitude + C(allocation)", intercept = "Normal(0, 2)", '
        'slopes = { latitude = "Normal(0, 0.1)", allocation = "Normal(0, 1)" }, scale = true }'
    )
    slopes = {"latitude": bm.Normal(0, 0.1), "allocation": bm.Normal(0, 1)}
    same = bm.Linear("latitude + C(allocation)", intercept=WIDE, slopes=slopes, scale=True)
    assert repr(line) == repr(same)
    bare = located('{ formula = "latitude", intercept = "Normal(0, 2)", centre = false }')
    assert repr(bare) == repr(bm.Linear("latitude", intercept=WIDE, centre=False))
    assert located('{ by = "allocation", prior = "Normal(0, 2)" }') == bm.ByGroup(
        "allocation", WIDE
    )
    assert located('"Normal(0, 2)"') == WIDE


@pytest.mark.parametrize(
    ("mu", "said"),
    [
        ('{ formla = "x" }', "line 10: unknown key 'formla' in the table mu of [[outcome]]; did"),
        ("{ }", "it is a prior, or a table: { formula = 'latitude'"),
        ('{ by = "g" }', "or { by = 'severity', prior = 'Normal(0, 2)' }"),
        ('{ formula = "x" }', "a formula needs the prior of its intercept, e.g. intercept"),
        ('{ by = "g", prior = "Normal(0, 1)", centre = true }', "'centre' is for a formula"),
        ('{ formula = "x", intercept = "Normal(0, 1)", by = "g" }', "a formula with intercept and"),
        ('{ formula = "x.y", intercept = "Normal(0, 1)" }', "The formula 'x.y' cannot be read"),
        ('{ formula = "x", intercept = "Norml(0, 1)" }', "line 10: intercept: 'Norml' is not a"),
        ('{ formula = "x", intercept = "Normal(0, 1)", slopes = 3 }', "line 10: slopes: '3' is"),
        ('{ formula = "x", intercept = "Normal(0, 1)", scale = 1 }', "scale must be true or false"),
        ("3", "line 10: mu: '3' is not a prior"),
    ],
)
def test_what_says_no_location_is_refused_in_one_sentence_with_its_line(mu, said):
    with pytest.raises(SpecError) as refused:
        parse_specification(SPEC.format(mu))
    assert said in str(refused.value)


# ---------------------------------------------------------------------------- the command line


def test_a_line_on_latitude_is_that_of_an_independent_integral():
    words = ("--measure", "OR", "--mods", "latitude", "--slopes", "Normal(0, 2)")
    found = answered(
        BCG, *words, "--at", "latitude=13", "--at", "latitude=55", "--at", "latitude=0"
    )
    stored = STORED["metareg_bcg_OR_lat"]
    middle, slope = found["answer"]
    assert middle["coefficient"] == "intercept (at latitude 33.46)"
    for row, name in ((middle, "intercept:mean"), (slope, "slope:mean")):
        one = stored[name]
        assert [row["mean"], row["sd"]] == pytest.approx([one["mean"], one["sd"]], abs=1e-6)
        ends = [row["lower"], row["estimate"], row["upper"]]
        assert ends == pytest.approx(one["q"], abs=1e-6)
        assert row["prob_positive"] == pytest.approx(one["P_gt0"], abs=1e-6)
        ratios = [row[name] for name in ("ratio_lower", "ratio", "ratio_upper")]
        assert ratios == pytest.approx(np.exp(one["q"]), abs=1e-6)
    for row, at in zip(found["moderators"]["places"], (13, 55, 0), strict=True):
        assert row["place"] == f"latitude {at}"
        mean, new = (stored[f"at_lat_{at}:{name}"]["q"] for name in ("mean", "new"))
        ends = [row["lower"], row["estimate"], row["upper"]]
        assert ends == pytest.approx(mean, abs=1e-6)
        assert [row["new_lower"], row["new_upper"]] == pytest.approx(new[::2], abs=1e-6)
        assert row["estimate_natural"] == pytest.approx(np.exp(mean[1]), abs=1e-6)
    spread = found["moderators"]["tau-explained"][0]
    assert spread["mean"] == pytest.approx(stored["tau"]["mean"], abs=1e-6)
    assert found["log_marginal_likelihood"] == pytest.approx(-17.052512, abs=1e-6)
    assert found["asked"] == "log OR per unit of latitude"
    assert "between −0.046 and −0.015 with 95% probability (median −0.0317)" in found["sentence"]
    assert "a factor between 0.955 and 0.985 (median 0.969)" in found["sentence"]


def test_groups_and_their_differences_are_those_of_an_independent_integral():
    found = answered(BCG, "--measure", "RR", "--by", "allocation")
    stored = STORED["subgroup_bcg_RR_alloc_common_tau"]
    for row in found["moderators"]["groups"][:3]:
        mean, new = (stored[f"mean_{row['group']}:{one}"]["q"] for one in ("mean", "new"))
        ends = [row["lower"], row["estimate"], row["upper"]]
        assert ends == pytest.approx(mean, abs=1e-6)
        assert [row["new_lower"], row["new_upper"]] == pytest.approx(new[::2], abs=1e-6)
    difference, apart = found["moderators"]["differences"][0], stored["random-alternate:mean"]
    ends = [difference["lower"], difference["estimate"], difference["upper"]]
    assert ends == pytest.approx(apart["q"], abs=1e-6)
    assert difference["prob_positive"] == pytest.approx(apart["P_gt0"], abs=1e-6)
    *_, every = found["moderators"]["groups"]
    assert (every["group"], every["k"]) == ("all studies, one model without covariates", 13)
    plain = bm.fit(
        bm.NormalNormal(mu=WIDE, tau=TAU), bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    )
    assert every["estimate"] == pytest.approx(plain["mu"].quantile(0.5), abs=1e-9)
    without = found["moderators"]["tau-explained"][1]
    assert without["upper"] == pytest.approx(plain["tau"].interval(0.95)[1], abs=1e-9)
    assert [row["prior"] for row in found["moderators"]["differences"]] == ["Normal(0, 2.828)"] * 3
    names = [row["difference"] for row in found["moderators"]["differences"]]
    assert names[0] == "allocation: random − alternate"


def test_regression_and_both_tests_between_groups_stand_beside_them():
    found = answered(BCG, "--measure", "RR", "--by", "allocation")["moderators"]
    effects = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    own = bm.frequentist.subgroups(effects, "allocation")
    p = {row["test"]: row["p"] for row in found["regression-tests"]}
    assert p["between groups, tau² of each its own (RevMan; meta)"] == own.separate.p
    assert p["between groups, one tau² (metafor; meta with tau.common)"] == own.common.p
    assert own.separate.p != pytest.approx(own.common.p, abs=1e-3)
    line = answered(BCG, "--measure", "RR", "--mods", "latitude", "--slopes", "Normal(0, 2)")
    slope = METAFOR["cells"]["ablat"]["fits"]["REML_knha"]
    row = line["moderators"]["regression"][1]
    assert [row["estimate"], row["se"]] == pytest.approx([slope[0][1], slope[1][1]], abs=1e-6)


def test_the_terminal_says_what_the_tables_hold_and_what_is_not_met():
    said = fit(
        *(BCG, "--measure", "RR", "--mods", "latitude + allocation", "--slopes", "Normal(0, 2)")
    )
    flat = " ".join(said.split())
    assert "effects by latitude + allocation" in flat
    for one in (
        "the log RR changes per unit of latitude by between −0.0467 and −0.00586",
        "intercept (at latitude 33.46)",
        "systematic − random",
        "all studies, one model without covariates",
        "tau, without, of the same studies",
        "R² 53.8%",
        "QM: any covariate (Knapp–Hartung)",
        "Characteristics of trials are no characteristics of patients",
        "There are 13 studies for 2 covariates, fewer than the 10 for each",
        "Coefficients called contrast compare no two levels",
        "Comstock et al 1976",
    ):
        assert one in flat, one


def gaps(folder, column, **cells):
    frame = pd.read_csv(BCG)
    frame[column] = frame[column].astype(object)
    for i, value in cells.items():
        frame.loc[int(i[1:]), column] = value
    path = folder / "gaps.csv"
    frame.to_csv(path, index=False)
    return path


def test_names_with_parentheses_and_levels_with_commas_are_said_in_quotes():
    typed = Moderated(
        mods="`dose (mg)` + site",
        slopes=('"dose (mg)"=Normal(0, 1)', "site = Normal(0, 2)", "year of trial=Normal(0, 3)"),
        places=('"site=Kiel, D", dose (mg)=2', "site=Ulm"),
    )
    words = typed.words(Words(measure="OR", mu=bm.Normal(0, 2)))
    assert words.mu.slopes == {
        "dose (mg)": bm.Normal(0, 1), "site": bm.Normal(0, 2), "year of trial": bm.Normal(0, 3),
    }  # fmt: skip
    assert typed.at() == [{"site": "Kiel, D", "dose (mg)": 2}, {"site": "Ulm"}]
    assert Moderated(mods="`a=b`", places=('"a=b"=3',)).at() == [{"a=b": 3}]


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("poly(latitude, 2)", "the log OR, averaged over the studies' values of latitude, is"),
        ("latitude * allocation", "latitude (on average over the levels of allocation) by between"),
        ("latitude * year", "changes per unit of latitude (at year 1966) by between"),
        ("1", "the log OR is between"),
    ],
)
def test_the_sentence_says_of_what_the_headline_is(formula, said):
    data = bm.effect_sizes(bm.read_studies(BCG), measure="OR")
    mu = bm.Linear(formula, intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 0.1))
    found = moderators(bm.fit(bm.NormalNormal(mu=mu, tau=bm.HalfNormal(0.5)), data))
    assert said in moderated_sentence(found, prob=0.95)


def test_what_hksj_lacks_is_said_once():
    data = bm.EffectSizes.from_arrays(
        list("ABCDEF"), [0.1, 0.12, 0.11, 0.5, 0.52, 0.51], [0.2] * 6,
        covariates={"g": list("uuuvvv")},
    )  # fmt: skip
    fit = bm.fit(bm.NormalNormal(mu=bm.ByGroup("g", bm.Normal(0, 2)), tau=bm.HalfNormal(0.5)), data)
    notes = moderators(fit, effects=data).frequentist.notes
    assert sum("HKSJ" in one for one in notes) == 1


def test_studies_without_a_covariate_are_named_and_left_out_of_both_models(tmp_path):
    path = gaps(tmp_path, "latitude", r2=None)
    words = ("--measure", "RR", "--mods", "latitude", "--slopes", "Normal(0, 2)")
    assert "Rosenthal et al 1960 left out (latitude not known)" in fit(path, *words)
    found = answered(path, *words)
    assert found["k"] == 12
    rows = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    others = rows.keep([name != "Rosenthal et al 1960" for name in rows.study])
    plain = bm.fit(bm.NormalNormal(mu=WIDE, tau=TAU), others)
    without = found["moderators"]["tau-explained"][1]["estimate"]
    assert without == pytest.approx(plain["tau"].quantile(0.5), abs=1e-9)


def test_small_groups_are_told(tmp_path):
    path = tmp_path / "small.csv"
    path.write_text(
        "study,events_treatment,n_treatment,events_control,n_control,severity\n"
        "A,1,4,2,4,mild\nB,1,40,3,41,severe\nC,0,30,1,30,severe\n"
    )
    said = " ".join(fit(path, "--measure", "OR", "--counts", "--by", "severity").split())
    assert "A group of one study has no spread of its own: mild (A) rests on that study" in said
    assert "Fewer than 10 patients in mild of severity" in said
    assert "No group of severity has 10 events" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mods", "latitude"), "give --slopes 'Normal(0, 1)', say, for all of them"),
        (("--mods", "latitude", "--by", "allocation"), "--mods and --by exclude each other"),
        (("--by", "allocation", "--slopes", "Normal(0, 1)"), "--slopes is for --mods"),
        (("--at", "latitude=2"), "--at is for --mods: give a formula"),
        (("--by", "allocation", "--tipping"), "--tipping is for one overall effect"),
        (("--by", "allocation", "--published", "RR 0.5 [0.4, 0.6]"), "--published is for one"),
        (("--by", "allocation", "--baseline", "0.1", "--better", "lower"), "--baseline is for"),
        (("--by", "allocatoin"), "'allocatoin', which is no covariate of the table"),
        (
            ("--mods", "latitude", "--slopes", "Normal(0, 1)", "--at", "latitude"),
            "--at takes NAME=VALUE",
        ),
        (
            ("--mods", "latitude", "--slopes", "Normal(0, 1)", "--slopes", "year=Normal(0, 1)"),
            "--slopes takes one prior for all slopes, or one for each",
        ),
        (
            ("--mods", "latitude", "--slopes", "Normal(0, 1)", "--at", "year=1950"),
            "'year' is no covariate of the formula",
        ),
    ],
)
def test_words_that_do_not_go_together_are_refused_by_their_flag(words, said):
    assert said in fit(BCG, "--measure", "RR", *words, status=2)


def test_evidence_is_given_as_far_as_it_is_of_several_effects():
    words = ("--measure", "RR", "--mods", "latitude", "--slopes", "latitude=Normal(0, 1)")
    found = answered(BCG, *words, "--evidence")
    effects = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    line = bm.NormalNormal(
        mu=bm.Linear("latitude", intercept=WIDE, slopes=bm.Normal(0, 1)), tau=TAU
    )
    flat = bm.NormalNormal(mu=WIDE, tau=TAU)
    against = [bm.fit(one, effects).log_marginal_likelihood for one in (flat, line)]
    row = next(one for one in found["tables"]["bayes-factors"] if "latitude" in one["hypothesis"])
    assert np.log(row["bf01"]) == pytest.approx(against[0] - against[1], abs=1e-8)
    assert any("left out where it depends on covariates" in one for one in found["said"])


# ------------------------------------------------------------------------------------- in Python


def on(formula, data, **how):
    mu = bm.Linear(formula, intercept=WIDE, slopes=bm.Normal(0, 2), **how)
    return bm.fit(bm.NormalNormal(mu=mu, tau=TAU), data)


def test_scaled_covariates_are_told_per_unit_of_the_column():
    """A slope of SD 2 per SD of the covariate is one of SD 2/SD per unit."""
    data = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    sd = np.std(data.covariates["latitude"], ddof=1)
    scaled = moderators(on("latitude", data, scale=True))
    plain = bm.Linear("latitude", intercept=WIDE, slopes=bm.Normal(0, 2 / sd))
    same = moderators(bm.fit(bm.NormalNormal(mu=plain, tau=TAU), data))
    for one, other in zip(scaled.coefficients, same.coefficients, strict=True):
        assert one.ends(0.95) == pytest.approx(other.ends(0.95), abs=1e-8)
        assert one.per == other.per
    assert scaled.asked.prior.sd == pytest.approx(2 / sd, abs=1e-12)


def test_a_difference_of_logits_is_told_as_it_is_analysed():
    rows = {"study": list("ABCD"), "covariates": {"g": ("a", "a", "b", "b")}}
    data = bm.EffectSizes.from_arrays(
        rows["study"],
        [-1.0, -1.2, -0.4, -0.3],
        [0.2] * 4,
        measure="PLO",
        covariates=rows["covariates"],
    )
    fitted = bm.fit(bm.NormalNormal(mu=bm.ByGroup("g", WIDE), tau=TAU), data)
    found = moderators(fitted)
    tables = moderator_tables(found, prob=0.9)
    assert "ratio" not in tables["differences"]
    middle = fitted.contrast({"g[b]": 1, "g[a]": -1})
    row = tables["differences"].iloc[0]
    assert row["estimate"] == pytest.approx(middle.quantile(0.5), abs=1e-9)
    assert row["prob_positive"] == pytest.approx(1 - middle.cdf(0.0), abs=1e-9)
    assert asked_in_words(found) == "logit proportion, g: b − a"
    said = moderated_sentence(found, prob=0.9)
    assert "the logit proportion of g b less that of a is between" in said
    odds = tables["groups"].loc["a", "estimate_natural"]
    assert odds == pytest.approx(1 / (1 + np.exp(-fitted["g[a]"].quantile(0.5))), abs=1e-9)


def test_slopes_of_log_rates_are_ratios_of_rates():
    data = bm.EffectSizes.from_arrays(
        list("ABCD"),
        [-1.0, -1.2, -0.4, -0.3],
        [0.2] * 4,
        measure="IRLN",
        covariates={"x": range(4)},
    )
    fitted = on("x", data)
    said = repr(fitted)
    slope = np.exp(fitted["x"].quantile(0.5))
    assert re.search(rf"; x {slope:.4g} \[\S+, \S+\] \(ratio of incidence rates\)", said)
    assert re.search(r"intercept \S+ \[\S+, \S+\] \(incidence rate\)", said)
    heads = next(sections_of(moderators(fitted), prob=0.95)).heads
    assert "incidence rate, or ratio of incidence rates [95%]" in heads


def test_priors_that_are_not_normal_give_a_difference_no_name():
    data = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    heavy = bm.ByGroup("allocation", bm.StudentT(4, 0, 1))
    found = moderators(bm.fit(bm.NormalNormal(mu=heavy, tau=TAU), data))
    assert {one.prior for one in found.differences} == {None}
    assert set(found.difference_table(0.95)["prior"]) == {"of no name"}


def test_a_common_effect_has_no_spread_to_explain_and_no_new_study():
    data = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    fitted = bm.fit(bm.CommonEffect(mu=bm.ByGroup("allocation", WIDE)), data)
    tables = moderator_tables(moderators(fitted, effects=data), prob=0.95)
    assert "tau-explained" not in tables
    assert tables["groups"]["new_lower"].isna().all()
    members = np.array(data.covariates["allocation"]) == "random"
    precision = (data.se[members] ** -2.0).sum() + 0.25
    mean = (data.y[members] / data.se[members] ** 2).sum() / precision
    ends = stats.norm(mean, precision**-0.5).ppf([0.5, 0.025, 0.975])
    found = tables["groups"].loc["random", ["estimate", "lower", "upper"]].to_numpy(float)
    assert found == pytest.approx(ends, abs=1e-8)


def test_what_has_no_covariates_is_refused():
    data = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    with pytest.raises(bm.BayesmetaError, match="one overall effect and no covariates"):
        moderators(bm.fit(bm.NormalNormal(mu=WIDE, tau=TAU), data))


def test_too_few_studies_for_a_regression_say_so_and_leave_the_posterior():
    data = bm.EffectSizes.from_arrays(
        ["A", "B"], [0.1, 0.4], [0.2, 0.2], measure="OR", covariates={"x": [1.0, 2.0]}
    )
    found = moderators(on("x", data), effects=data)
    assert found.frequentist.regression is None
    assert "Regression, in two stages: A regression with 2" in found.frequentist.refusals[0]
    assert len(found.coefficients) == 2


# ------------------------------------------------------------------------------- a whole run

RUN = """\
title = "BCG"
seed = 3
[[outcome]]
name = "latitude"
title = "By latitude"
better = "lower"
measure = "OR"
kind = "estimates"
data = "bcg.csv"
mu = { formula = "latitude", intercept = "Normal(0, 2)", slopes = "Normal(0, 2)" }
tau = "HalfNormal(0.5)"
why.slopes = "wide"
at = [{ latitude = 13 }, { latitude = 55 }]
[[outcome.scenario]]
name = "all"
[[outcome.scenario]]
name = "not Aronson"
drop = { "Aronson 1948" = "the smallest" }
[[outcome.published]]
label = "Colditz 1994"
measure = "OR"
estimate = "0.49"
lower = "0.34"
upper = "0.70"
[[outcome]]
name = "allocation"
title = "By allocation"
better = "lower"
measure = "RR"
kind = "estimates"
data = "bcg.csv"
mu = { by = "allocation", prior = "Normal(0, 2)" }
tau = "HalfNormal(0.5)"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    (place / "bcg.csv").write_text(BCG.read_text())
    (place / "bcg.toml").write_text(RUN)
    words = ["run", str(place / "bcg.toml"), "-o", str(place / "out"), "--verbose"]
    done = CliRunner(catch_exceptions=False).invoke(main, words)
    assert done.exit_code == 0, done.output
    (place / "said.txt").write_text(done.stdout)
    return place


def test_a_run_writes_what_an_independent_integral_gives(folder):
    written = json.loads((folder / "out" / "results.json").read_text())["outcomes"]
    stored = STORED["metareg_bcg_OR_lat"]
    slope = written["latitude"]["tables"]["coefficients"][1]
    ends = [slope[name] for name in ("lower", "estimate", "upper")]
    assert ends == pytest.approx(stored["slope:mean"]["q"], abs=1e-6)
    low, high = written["latitude"]["tables"]["places"]
    assert low["estimate"] == pytest.approx(stored["at_lat_13:mean"]["q"][1], abs=1e-6)
    assert high["new_upper"] == pytest.approx(stored["at_lat_55:new"]["q"][2], abs=1e-6)
    groups = STORED["subgroup_bcg_RR_alloc_common_tau"]
    first = written["allocation"]["tables"]["differences"][0]
    assert first["estimate"] == pytest.approx(groups["random-alternate:mean"]["q"][1], abs=1e-6)
    assert written["allocation"]["failed_gates"] == {}
    assert "ByGroup(by='allocation', prior=Normal(0, 2))" in str(written["allocation"]["models"])


def test_a_run_goes_to_files_and_back(folder):
    import xarray as xr

    table = pd.read_csv(folder / "out" / "latitude" / "tables" / "coefficients.csv")
    with xr.open_datatree(folder / "out" / "latitude" / "posterior.nc", engine="h5netcdf") as tree:
        drawn = tree["posterior"]["coefficient"].sel(term="latitude")
        assert float(drawn.mean()) == pytest.approx(table["mean"][1], abs=2e-4)
        assert "Linear('latitude', intercept=Normal(0, 2)" in tree["posterior"].attrs["model"]


def test_each_scenario_is_a_fit_of_its_own(folder):
    data = bm.effect_sizes(bm.read_studies(BCG), measure="OR")
    fewer = on("latitude", data.keep([name != "Aronson 1948" for name in data.study]))
    path = folder / "out" / "latitude" / "tables" / "scenarios-asked.csv"
    row = pd.read_csv(path).set_index("scenario").loc["not Aronson"]
    assert row["k"] == 12
    assert row["estimate"] == pytest.approx(fewer["latitude"].quantile(0.5), abs=1e-9)
    assert row["of"] == "log OR per unit of latitude"


def test_the_permutation_test_is_that_of_python(folder):
    data = bm.effect_sizes(bm.read_studies(BCG), measure="OR")
    line = bm.frequentist.meta_regression(data, "latitude")
    own = bm.frequentist.permutation_test(line, seed=3)
    path = folder / "out" / "latitude" / "tables" / "permutation.csv"
    assert pd.read_csv(path)["p"].tolist() == [own.p, *own.coefficients.values()]


def test_the_report_says_all_of_it_and_what_it_left_out(folder):
    page = " ".join((folder / "out" / "report.html").read_text().split())
    for one in (
        "the log OR changes per unit of latitude by between −0.046 and −0.015",
        "Permutation test of the regression",
        "Heterogeneity that the covariates explain",
        "between groups, tau² of each its own (RevMan; meta)",
        "Left out, for they have room for one overall effect",
        "log OR changes per unit by −3.92 to 3.92, a factor of 0.0198 to 50.4",
        "all studies, one model without covariates",
        "effects by groups of allocation",
        "Why the published figures differ from ours",
    ):
        assert one in page, one
    assert "covariates and subgroups, " not in page
    assert "the conclusion (below 0) stands in" in page
    assert (
        "The factor on the OR per unit of latitude if one decision had been made otherwise" in page
    )
    said = " ".join((folder / "said.txt").read_text().split())
    assert "log OR per unit of latitude" in said
    assert "log RR, allocation: random" in said
    assert "none contradicts" in said


def test_check_says_what_a_specification_with_covariates_lacks(folder):
    path = folder / "wrong.toml"
    path.write_text(RUN.replace('formula = "latitude"', 'formula = "lattitude"'))
    done = CliRunner(catch_exceptions=False).invoke(main, ["check", str(path)])
    assert done.exit_code == 2
    assert "'lattitude', which is no covariate of the table" in done.stdout
    path.write_text(RUN.replace(', slopes = "Normal(0, 2)"', ""))
    done = CliRunner(catch_exceptions=False).invoke(main, ["check", str(path)])
    assert 'give slopes = "Normal(0, 1)", say, for all of them' in done.stdout


@pytest.mark.parametrize("asked", ["baseline_risk = 0.1", "control_risk = 0.1"])
def test_a_specification_refuses_people_beside_covariates(asked):
    with pytest.raises(SpecError, match="it is for one overall effect, and mu depends on cov"):
        parse_specification(SPEC.format('{ by = "allocation", prior = "Normal(0, 2)" }') + asked)


def test_places_need_covariates():
    with pytest.raises(SpecError, match="at is for a table mu"):
        parse_specification(SPEC.format('"Normal(0, 2)"') + "at = [{ latitude = 3 }]")


def test_joint_draws_for_a_decision_model_leave_covariates_out_by_name(folder):
    words = ["psa", str(folder / "bcg.toml"), "-o", str(folder / "psa.csv")]
    done = CliRunner(catch_exceptions=False).invoke(main, words)
    assert done.exit_code == 2
    assert "latitude: its effect depends on covariates" in " ".join(done.stderr.split())


def test_the_models_of_a_specification_are_printed_with_their_formula(folder):
    done = CliRunner(catch_exceptions=False).invoke(main, ["model", str(folder / "bcg.toml")])
    assert done.exit_code == 0
    line, groups = done.stdout.split("# By allocation")
    assert "latitude" in line
    assert "allocation" in groups
    made = bm.Linear("latitude", intercept=WIDE, slopes=bm.Normal(0, 2))
    data = bm.effect_sizes(bm.read_studies(BCG), measure="OR")
    assert pymc_source(bm.NormalNormal(mu=made, tau=TAU), data) in line


@pytest.mark.parametrize(
    "words",
    [
        ("--mods", "latitude", "--slopes", "latitude=Normal(0, 0.1)", "--at", "latitude=20"),
        ("--by", "allocation"),
    ],
)
def test_the_specification_in_a_report_of_fit_asks_for_the_same(tmp_path, words):
    table = tmp_path / "bcg.csv"
    table.write_text(BCG.read_text())
    fit(table, "--measure", "RR", *words, "--better", "lower", "--report", tmp_path / "out")
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    outcome = parse_specification(written["specification"]).outcome[0]
    python = {
        "--mods": bm.Linear("latitude", intercept=WIDE, slopes={"latitude": bm.Normal(0, 0.1)}),
        "--by": bm.ByGroup("allocation", WIDE),
    }
    assert repr(outcome.mu) == repr(python[words[0]])
    assert outcome.at == ([{"latitude": 20.0}] if words[0] == "--mods" else [])


@pytest.mark.parametrize("name", ["bcg-covariates", "statins", "msc-covid19-subgroups"])
def test_the_examples_can_be_run(name):
    path = ROOT.parent / "models" / f"{name}.toml"
    done = CliRunner(catch_exceptions=False).invoke(main, ["check", str(path)])
    assert (done.exit_code, "PROBLEM" in done.stdout) == (0, False)
    assert "effects by " in done.stdout


def test_the_page_on_covariates_says_what_the_model_says():
    """Of BCG, by the models of its specification; the model is held to other sources above."""
    page = (ROOT.parent / "docs" / "covariates.md").read_text()
    text = (ROOT.parent / "models" / "bcg-covariates.toml").read_text()
    line, _, groups = parse_specification(text).outcome
    data = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    by_line, by_group = (
        moderators(
            bm.fit(bm.NormalNormal(mu=one.mu, tau=one.tau), data), effects=data, places=one.at
        )
        for one in (line, groups)
    )
    for place in by_line.places:
        middle, low, high = np.exp(place.ends(0.95))
        assert f"| at {place.name} | {middle:.2f} [{low:.2f}, {high:.2f}] |" in page
    middle, low, high = np.exp(by_line.asked.ends(0.95))
    assert f"× {middle:.3f} [{low:.3f}, {high:.3f}]" in page
    middle, low, high = np.exp(by_group.asked.ends(0.95))
    assert f"× {middle:.3f} [{low:.3f}, {high:.2f}]" in page
    assert f"{100 * (1 - by_group.asked.marginal.cdf(0.0)):.1f}%" in page
    spreads = [*by_line.spread_table(0.95).itertuples(), *by_group.spread_table(0.95).itertuples()]
    for row in spreads:
        assert f"{row.estimate:.2f} [{row.lower:.2f}, {row.upper:.2f}]" in page
    two = by_group.frequentist.subgroups
    assert f"p is {two.separate.p:.3f} with separate τ², {two.common.p:.3f} with one" in page


@pytest.mark.deep("nineteen trials of counts with two groups: 20 s")
def test_the_page_says_what_the_counts_of_the_statins_say_and_so_does_the_copy_of_the_table():
    page = (ROOT.parent / "docs" / "covariates.md").read_text()
    (one,) = parse_specification((ROOT.parent / "models" / "statins.toml").read_text()).outcome
    data = bm.read_studies(ROOT.parent / "examples" / "statins" / "statins.csv")
    arms = pd.read_csv(ROOT / "reference" / "statins.csv")
    for treatment, events, n in (
        ("Statin", data.events_treatment, data.n_treatment),
        ("Placebo", data.events_control, data.n_control),
    ):
        own = arms[arms["trtc"] == treatment].set_index("studyc").loc[list(data.study)]
        assert np.array_equal(own[["r", "n"]].to_numpy(), np.column_stack([events, n]))
        assert list(own["prevention"].str.lower()) == list(data.covariates["prevention"])
    fitted = bm.fit(bm.BinomialNormal(measure="OR", mu=one.mu, tau=one.tau), data)
    found = fitted.contrast({"prevention[secondary]": 1, "prevention[primary]": -1})
    middle, low, high = (
        f"{x:.2f}".replace("-", "−") for x in (found.quantile(0.5), *found.interval(0.95))
    )
    assert f"{middle} [{low}, {high}]" in " ".join(page.split())


def test_each_level_has_the_prior_that_its_coefficients_imply():
    """Orthonormal contrasts: their squares sum to 1 − 1/3 at each of three levels."""
    data = bm.effect_sizes(bm.read_studies(BCG), measure="RR")
    mu = bm.Linear("latitude + allocation", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 0.5))
    found = moderators(bm.fit(bm.NormalNormal(mu=mu, tau=TAU), data))
    assert len(found.groups) == 3
    for one in found.groups:
        assert isinstance(one.prior, bm.Normal)
        assert one.prior.numbers["sd"] == pytest.approx(np.sqrt(4 + 0.25 * 2 / 3))
    assert found.group_table(0.95)["prior"].iloc[-1] == "Normal(0, 2)"
