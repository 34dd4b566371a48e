"""Every stored cell of metafor and of meta that the package claims, and a list of all others.

A cell is one fitted model of the full reference files; its name is its path there. What is not
compared stands in NOT_CLAIMED with its reason; disagreements, in docs/differences.md, are compared
all the same, with what we and they do differently put in by hand.
"""

from fnmatch import fnmatchcase

import numpy as np
import pytest
from numpy.testing import assert_allclose
from references import cases, counts, document, estimates, given, numbered
from scipy.special import gammaln
from tolerances import CLOSED_FORM, FLAT, ITERATED, META_DEFAULTS, scaled

import bayesmeta as bm
from bayesmeta.frequentist import MANTEL_HAENSZEL, pool_random
from bayesmeta.frequentist.arrays.tau2 import ESTIMATORS
from bayesmeta.frequentist.pooling.one import one_table

INTERVALS = {"z": "Wald", "knha": "HKSJ", "adhoc": "HKSJ truncated"}
OF_META = {"classic": "Wald", "HK": "HKSJ", "KR": "KR"}
PREDICTIONS = {  # of metafor's kinds default, riley and t
    "z": ("S", "HTS", "V"),
    "knha": ("HK", "HK-PR", "HK"),
    "adhoc": ("HK truncated", "HK-PR truncated", "HK truncated"),
}
TOLERANCES = {"REML": ITERATED, "PM": ITERATED, "EB": ITERATED, "ML": FLAT}
LIMITS = ("estimate", "se", "ci_lb", "ci_ub")
TABLES = [(d, measure) for d, tables in cases("random_effects").items() for measure in tables]
COUNTED = [(d, cell) for d, cells in cases("mantel_haenszel").items() for cell in cells]
META = [(d, cell) for d, entry in cases("meta").items() for cell in entry["rows"]]

SOME = ("bcg", "nielweise2007", "normand1999", "hart1999", "pritz1997", "mcdaniel1994")
WHOLE_GRID = pytest.mark.deep(
    "a thousand cells: 8 s; a dataset of every kind of result stays",
    but=[f"{one}-*" for one in SOME],
)
NOT_CLAIMED = {
    "metafor/*/effect_sizes/*": "estimates of single studies: tests/test_effects.py",
    "metafor/*/glmm/*": "likelihoods of counts: tests/test_glmm.py",
    "metafor/*/bias/*": "small-study effects: tests/test_small_study.py",
    "metafor/*/selmodel/*": "selection models are not offered",
    "metafor/*/sensitivity/*": "influence: tests/test_influence.py",
    "metafor/*/metareg/*": "meta-regression: tests/test_regression.py",
    "metafor/bcg/metareg/location_scale_ablat": "a tau² that depends on covariates is not offered",
    "metafor/assink2016/models/*": "several levels are not offered",
    "metafor/konstantopoulos2011/models/*": "several levels are not offered",
    "metafor/berkey1998/models/*": "several outcomes: tests/test_multivariate.py",
    "metafor/*/models/*/EE_knha": "the common effect has Wald's interval only",
    "metafor/*/models/*/HSk_*": "Hunter–Schmidt with a small-sample correction is not offered",
    "metafor/*/models/*/PMM_*": "the median-unbiased form of Paule–Mandel is not offered",
    "metafor/*/models/*/DLIT_*": "iterated DerSimonian–Laird is not offered",
    "metafor/*/models/*/SJIT_*": "iterated Sidik–Jonkman is not offered",
    "metafor/curtis1998/models/MD/PM_*": "metafor refused: tau² beyond its search",
    "metafor/*/mh_peto/MH_*_nocorrect": "differs in the Cochran–Mantel–Haenszel test only",
    "metafor/hart1999/mh_peto/MH_IRD": "rate differences are not offered",
    "meta/*/models/ASD_*": "arcsine differences are not offered",
    "meta/*/models/RR_incr_all": "½ added to the events alone of every study is not offered",
    "meta/*/models/RD_incr_all": "½ added in the variance alone of every study is not offered",
    "meta/*/models/OR_GLMM_*": "likelihoods of counts: tests/test_glmm.py",
    "meta/*/models/OR_SSW": "weights by sample size are not offered",
    "meta/*/models/OR_LRP": "meta refused: penalised regression needs a package that was missing",
    "meta/*/models/metabias_*": "small-study effects: tests/test_small_study.py",
    "meta/*/models/trimfill_L": "small-study effects: tests/test_small_study.py",
    "meta/normand1999/models/SMD_Cohen": "Cohen's d is not offered",
    "meta/normand1999/models/SMD_Glass": "Glass's delta is not offered",
    "meta/pritz1997/models/P[AFLR]?": "of proportions the package has the logit",
    "meta/pritz1997/models/PRAW": "of proportions the package has the logit",
    "meta/pritz1997/models/*_backtransformed": "back-transformed numbers, not a fit",
    "meta/pritz1997/models/PLOGIT_GLMM": "likelihoods of counts: tests/test_glmm.py",
    "meta/hart1999/models/IR[DS]*": "rate differences are not offered",
    "meta/hart1999/models/IRR_Cochran": "Cochran's weights are not offered",
    "meta/hart1999/models/IRR_GLMM": "likelihoods of counts: tests/test_glmm.py",
    "meta/*/models/REML_classic_NNF": "meta refused: the interval needs a package that was missing",
}
COMPARED_NUMBERS = {
    "metafor": {*LIMITS, "stat", "p", "k", "k_yi", "tau2", "I2", "H2", "Q", "Q_p"}
    | {"fit", "prediction", "tau2_ci"},
    "meta": {"k", "k_all", "Q", "Q_df", "Q_p", "I2", "tau2", "tau2_lb", "tau2_ub"}
    | {"common", "random", "predict"},
}
NUMBERS_NOT_CLAIMED = {
    "metafor": {
        **dict.fromkeys(("df", "df_Q"), "follow from numbers that are compared"),
        "se_tau2": "not given by the package",
        "loglik": "of GLMM, see tests/test_glmm.py, and of several outcomes",
        **dict.fromkeys(("CMH", "CMH_p", "tarone", "tarone_p"), "tests that are not offered"),
        **dict.fromkeys(("breslow_day", "breslow_day_p"), "tests that are not offered"),
        **dict.fromkeys(
            ("QM", "QM_p", "QM_df", "R2", "m_test"), "of meta-regression: tests/test_regression.py"
        ),
        **dict.fromkeys(("formula", "terms", "vcov"), "of meta-regression"),
        **dict.fromkeys(("Q_lrt", "Q_lrt_p", "Q_wald", "Q_wald_p", "sigma2", "rho"), "of GLMM"),
        "warnings": "words",
    },
    "meta": {
        **dict.fromkeys(("TE", "seTE"), "estimates of single studies: tests/test_effects.py"),
        **dict.fromkeys(("weight_common", "weight_random"), "not given by the package"),
        **dict.fromkeys(("H", "H_lb", "H_ub", "Rb", "I2_lb", "I2_ub"), "not given by the package"),
        **dict.fromkeys(("incr", "backtransformed_common", "warnings"), "settings and words"),
        **dict.fromkeys(
            (f"method{end}" for end in ("", "_incr", "_predict", "_random")), "setting"
        ),
        **dict.fromkeys((f"method_{e}" for e in ("random_ci", "tau", "tau_ci")), "setting"),
    },
}


def compared() -> set[str]:
    models = {
        f"metafor/{dataset}/models/{measure}/{fit}"
        for dataset, measure in TABLES
        for fit in cases("random_effects")[dataset][measure]["fits"]
    }
    counted = {f"metafor/{dataset}/mh_peto/{cell}" for dataset, cell in COUNTED}
    return models | counted | {f"meta/{dataset}/models/{cell}" for dataset, cell in META}


def stored() -> set[str]:
    return {
        f"{program}/{dataset}/{group}/{cell}"
        for program, files in cases("cells").items()
        for dataset, groups in files.items()
        for group, cells in groups.items()
        for cell in cells
    }


def test_every_stored_cell_is_compared_or_not_claimed_for_a_reason():
    given_up = {
        cell: [pattern for pattern in NOT_CLAIMED if fnmatchcase(cell, pattern)]
        for cell in stored() - compared()
    }
    assert compared() <= stored()
    assert [cell for cell, patterns in given_up.items() if not patterns] == []
    used = {pattern for patterns in given_up.values() for pattern in patterns}
    assert set(NOT_CLAIMED) == used
    assert [c for c in compared() for p in NOT_CLAIMED if fnmatchcase(c, p)] == []
    assert (len(stored()), len(compared())) == (4453, 2264)


def test_every_number_of_a_cell_is_compared_or_not_claimed_for_a_reason():
    for program, numbers in document("cells")["numbers"].items():
        named = COMPARED_NUMBERS[program] | set(NUMBERS_NOT_CLAIMED[program])
        assert named == set(numbers)


def effects_of(dataset: str, measure: str) -> bm.EffectSizes:
    entry = cases("random_effects")[dataset][measure]
    y, v = given(entry["yi"]), given(entry["vi"])
    known = np.isfinite(y) & np.isfinite(v) & (v > 0)
    return estimates(y[known], np.sqrt(v[known]))


@WHOLE_GRID
@pytest.mark.parametrize(("dataset", "measure"), TABLES)
def test_pooled_estimates_equal_metafor(dataset, measure):
    fits = cases("random_effects")[dataset][measure]["fits"]
    data = effects_of(dataset, measure)
    columns = document("random_effects")["columns"]
    names = {name.partition("_")[0] for name in fits} - {"EE"}
    once = {tau2: pool_random(*one_table(data), tau2=tau2) for tau2 in names}
    for name, row in fits.items():
        reference = dict(zip(columns, given(row), strict=False))
        compare_with_metafor(data, name, reference, once.get(name.partition("_")[0]))


def compare_with_metafor(data, name, reference, pooled):
    tau2, test = name.split("_")
    unit = np.median(data.se)
    tolerance = scaled(TOLERANCES.get(tau2, CLOSED_FORM), unit)
    if tau2 == "EE":
        fit = bm.common_effect(data)
        assert (fit.tau2, fit.prediction) == (None, None)
    else:
        fit = bm.random_effects(
            data, tau2=tau2, interval=INTERVALS[test], prediction=PREDICTIONS[test][0]
        )
        of_tau2 = scaled(TOLERANCES.get(tau2, CLOSED_FORM), unit**2)
        assert_allclose(fit.tau2, reference["tau2"], **of_tau2, err_msg=name)
        others = [pooled.prediction(kind, 0.95) for kind in PREDICTIONS[test][1:]]
        for kind, ends in zip(("default", "riley", "t"), (fit.prediction, *others), strict=True):
            theirs = reference[f"{kind}_lb"], reference[f"{kind}_ub"]
            assert_allclose(np.ravel(ends), theirs, **tolerance, err_msg=f"{name} {kind}")
    ours = (fit.estimate, fit.se, fit.lower, fit.upper)
    assert_allclose(ours, [reference[key] for key in LIMITS], **tolerance, err_msg=name)
    plain = TOLERANCES.get(tau2, CLOSED_FORM)
    assert_allclose((fit.p, fit.i2 / 100), (reference["p"], reference["I2"] / 100), **plain)
    ours = (fit.statistic, fit.h2)
    assert_allclose(ours, (reference["stat"], reference["H2"]), **plain, err_msg=name)
    assert_allclose((fit.q, fit.q_p), (reference["Q"], reference["Q_p"]), **CLOSED_FORM)
    assert fit.k == reference["k"]


@WHOLE_GRID
@pytest.mark.parametrize(("dataset", "measure"), TABLES)
def test_log_likelihoods_and_criteria_equal_metafor_where_there_is_a_top(dataset, measure):
    data = effects_of(dataset, measure)
    tops = cases("random_effects")[dataset][measure]["tops"]
    assert {"EE", "REML"} <= set(tops)
    for name, theirs in tops.items():
        fit = bm.common_effect(data) if name == "EE" else bm.random_effects(data, tau2=name)
        ours = fit.log_likelihood, fit.aic, fit.aicc, fit.bic
        assert_allclose(ours, theirs, **CLOSED_FORM, err_msg=name)


@WHOLE_GRID
@pytest.mark.parametrize(("dataset", "measure"), TABLES)
def test_intervals_for_tau2_equal_metafor(dataset, measure):
    data = effects_of(dataset, measure)
    tolerance = scaled(ITERATED, np.median(data.se) ** 2)
    ours = {
        "QP": bm.tau2_interval(data),
        **{
            f"PL_{kind}": bm.tau2_interval(data, method="profile likelihood", likelihood=kind)
            for kind in ("REML", "ML")
        },
    }
    intervals = cases("random_effects")[dataset][measure]["tau2_intervals"]
    assert {"QP_DL", "QP_ML", "PL_ML", "QP_REML", "PL_REML"} <= set(intervals)
    for name, ends in intervals.items():
        found = ours[name if name.startswith("PL") else "QP"]
        assert_allclose(found, given(ends), **tolerance, err_msg=name)


WITH_DOUBLE_ZEROS = ("nielweise2007", "yusuf1985", "linde2005", "nissen2007")
KEPT_BY_METAFOR = {  # it adds ½ to studies without an event in either arm, too; we leave them out
    (dataset, f"MH_{measure}_add_half") for dataset in WITH_DOUBLE_ZEROS for measure in ("OR", "RR")
}
LEFT_OUT_BY_METAFOR = {(dataset, "MH_RD") for dataset in WITH_DOUBLE_ZEROS}  # of Q alone; we do not


@pytest.mark.deep(
    "seven results of every dataset: half a second",
    but=["bcg-*", "nielweise2007-*", "crins2014-*", "hart1999-*"],
)
@pytest.mark.parametrize(("dataset", "cell"), COUNTED)
def test_counts_pooled_by_mantel_haenszel_and_peto_equal_metafor(dataset, cell):
    reference = cases("mantel_haenszel")[dataset][cell]
    if cell == "MH_IRR":
        fit = bm.common_effect(of_columns(dataset, bm.PersonTimeStudies), weights="MH")
    elif cell == "PETO":
        fit = bm.common_effect(counts(dataset), weights="Peto", measure="OR")
    else:
        fit = mantel_haenszel_as_metafor(counts(dataset), cell)
    if (dataset, cell) in KEPT_BY_METAFOR:
        ours = with_half_in_all_that_has_a_zero(counts(dataset), cell)
        compare(ours, reference, CLOSED_FORM)
        assert 1e-4 < abs(fit.estimate - reference["estimate"]) < 0.15 * reference["se"]
        return
    ours = (fit.estimate, fit.se, fit.lower, fit.upper, fit.p, fit.statistic)
    compare(dict(zip((*LIMITS, "p", "stat"), ours, strict=True)), reference, CLOSED_FORM)
    of_q = {"Q": fit.q, "Q_p": fit.q_p, "I2": fit.i2, "H2": fit.h2, "k_yi": fit.k}
    if (dataset, cell) in LEFT_OUT_BY_METAFOR:
        of_q = {"Q": q_without_double_zeros(counts(dataset), fit.estimate)}
        assert fit.q > reference["Q"]
    compare({**of_q, "k": fit.k + len(fit.excluded)}, reference, CLOSED_FORM)


def q_without_double_zeros(studies, centre):
    effects = bm.effect_sizes(studies, measure="RD")
    return (((effects.y - centre) / effects.se) ** 2)[~studies.double_zero].sum()


def mantel_haenszel_as_metafor(studies, cell):
    measure, rule = cell[3:5], "if_needed" if cell.endswith("half") else "none"
    return bm.common_effect(
        studies, weights="MH", measure=measure, zero_cells=rule, variance="Sato"
    )


def with_half_in_all_that_has_a_zero(studies, cell):
    a, c = studies.events_treatment, studies.events_control
    table = np.array([a, studies.n_treatment - a, c, studies.n_control - c])
    value, variance = MANTEL_HAENSZEL[cell[3:5]](*(table + 0.5 * (table == 0).any(axis=0)))
    return {"estimate": np.log(value), "se": np.sqrt(variance)}


def compare(ours, reference, tolerance, *, missing=()):
    names = [name for name in ours if name not in missing]
    theirs = [reference[name] for name in names]
    assert_allclose([ours[name] for name in names], theirs, **tolerance, err_msg=str(names))


def of_columns(dataset: str, kind: type) -> object:
    """Data that are not counts of two arms."""
    file = "means" if dataset == "normand1999" else "rates_and_proportions"
    columns = cases(file)[dataset]["data"]
    return kind(study=numbered(len(next(iter(columns.values())))), **columns)


# meta ------------------------------------------------------------------------------------------

ZERO_RULES = {"OR": "if_needed", "RR": "events", "RD": "variance"}  # meta's, inverse variance
HALVED = {"weights": "MH", "zero_cells": "if_needed"}
CHANGES = {  # of common and of random effects, from inverse variance, REML, Wald and V
    "default": (HALVED, {}),
    "inverse": ({}, {}),
    "MH_exact": ({"weights": "MH", "zero_cells": "none"}, {}),
    "inverse_DL_HK": ({}, {"tau2": "DL", "interval": "HKSJ"}),
    "inverse_PM_HK_adhocse": ({}, {"tau2": "PM", "interval": "HKSJ truncated"}),
    "revman5like": (HALVED, {"tau2": "DL", "prediction": "HTS", "q": "MH"}),
    "treatment_arm_cc": ({"zero_cells": "treatment_arm"},) * 2,
    "incr_all": ({"zero_cells": "all"},) * 2,
}
NO_P = {("pritz1997", "PLOGIT"): {"common_p", "random_p"}}  # meta tests no proportion


def asked(dataset, cell):
    """Common effect, data and settings of random effects of a cell; no data if common only."""
    if dataset in cases("counts"):
        return asked_of_counts(dataset, cell)
    weights, settings = "IV", {"interval": "Wald", "prediction": "V"}
    if dataset in ("hackshaw1998", "rubin1981", "raudenbush1985"):
        tau2, interval, prediction = cell.split("_")
        settings = {"tau2": tau2, "interval": OF_META[interval], "prediction": prediction}
        data = effects_of(dataset, "GEN")
    elif dataset == "normand1999":
        measure, _, interval = cell.partition("_")
        settings["interval"] = OF_META[interval or "classic"]
        data = effects_of_means(measure)
    elif dataset == "mcdaniel1994":
        data = effects_of(dataset, cell)
    else:
        kind = bm.PersonTimeStudies if dataset == "hart1999" else bm.ProportionStudies
        data, weights = of_columns(dataset, kind), "MH" if "MH" in cell else "IV"
    return bm.common_effect(data, weights=weights), data, settings


def effects_of_means(measure):
    """For the SMD with meta's variance, the unbiased one of White and Thomas (2005)."""
    studies = of_columns("normand1999", bm.ContinuousStudies)
    effects = bm.effect_sizes(studies, measure=measure)
    if measure != "SMD":
        return effects
    df = studies.n_treatment + studies.n_control - 2
    j = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    spread = (1 - (df - 2) / (df * j**2)) * effects.y**2
    return estimates(effects.y, np.sqrt(1 / studies.n_treatment + 1 / studies.n_control + spread))


def asked_of_counts(dataset, cell):
    data = counts(dataset)
    if cell == "OR_Peto":
        return bm.common_effect(data, weights="Peto", measure="OR"), None, {}
    settings = {"interval": "Wald", "prediction": "V"}
    if cell.endswith("allstudies"):  # with double zeros, which we leave out
        fed = cases("meta")[dataset]["estimates"][cell]
        effects = estimates(given(fed["TE"]), given(fed["seTE"]))
        return bm.common_effect(effects), effects, settings
    measure, _, setting = cell.partition("_")
    common, random = CHANGES[setting]
    if measure == "RD" and common == HALVED:
        common = {"weights": "MH", "zero_cells": "variance"}
    rule = {"weights": "IV", "zero_cells": ZERO_RULES[measure]}
    if setting == "revman5like" and measure == "RR":
        random = {**random, "zero_cells": "if_needed"}
    settings = {"measure": measure, "zero_cells": rule["zero_cells"], **settings, **random}
    return bm.common_effect(data, measure=measure, **{**rule, **common}), data, settings


def numbers_of(fit, part):
    values = (fit.estimate, fit.se, fit.lower, fit.upper, fit.p)
    return {f"{part}_{n}": v for n, v in zip(("TE", "se", "lb", "ub", "p"), values, strict=True)}


def heterogeneity_of(fit):
    everyone = fit.k + len(fit.excluded)
    numbers = {"Q": fit.q, "Q_df": fit.q_df, "Q_p": fit.q_p, "I2": fit.i2_q / 100, "k": fit.k}
    return {**numbers, "k_all": everyone}


def reference_of_meta(dataset, cell):
    row = [np.inf if x == "Inf" else x for x in cases("meta")[dataset]["rows"][cell]]
    return dict(zip(document("meta")["columns"], given(row), strict=True))


@WHOLE_GRID
@pytest.mark.parametrize(("dataset", "cell"), META)
def test_common_effects_equal_meta(dataset, cell):
    reference, missing = reference_of_meta(dataset, cell), NO_P.get((dataset, cell), set())
    assert {name for name in missing if np.isnan(reference[name])} == missing
    fit, data, _ = asked(dataset, cell)
    compare(numbers_of(fit, "common"), reference, CLOSED_FORM, missing=missing)
    if data is None:
        compare(heterogeneity_of(fit), reference, CLOSED_FORM)


OF_RANDOM = [one for one in META if one[1] != "OR_Peto"]


@WHOLE_GRID
@pytest.mark.parametrize(("dataset", "cell"), OF_RANDOM)
def test_random_effects_equal_meta(dataset, cell, monkeypatch):
    """tau² to meta's thresholds; all the rest, given meta's tau², to rounding."""
    reference, missing = reference_of_meta(dataset, cell), NO_P.get((dataset, cell), set())
    _, data, settings = asked(dataset, cell)
    name = settings.get("tau2", "REML")
    tau2 = bm.random_effects(data, **settings).tau2
    closed = name in ("DL", "HS", "HE", "SJ")
    compare({"tau2": tau2}, reference, CLOSED_FORM if closed else META_DEFAULTS)
    if settings.get("q") != "MH":
        theirs = np.array([reference["tau2"]])
        monkeypatch.setitem(ESTIMATORS, name, lambda *_: theirs)
    fit = bm.random_effects(data, **settings)
    compare(numbers_of(fit, "random"), reference, CLOSED_FORM, missing=missing)
    compare(heterogeneity_of(fit), reference, CLOSED_FORM)
    lower, upper = fit.prediction
    others = {"random_df": fit.spreads[fit.chosen].df, "predict_lb": lower, "predict_ub": upper}
    compare(others, reference, CLOSED_FORM)


@WHOLE_GRID
@pytest.mark.parametrize(("dataset", "cell"), OF_RANDOM)
def test_intervals_for_tau2_equal_meta(dataset, cell):
    """Q-profile; with DL meta gives Jackson's interval, with RevMan's settings none."""
    reference = reference_of_meta(dataset, cell)
    _, data, settings = asked(dataset, cell)
    if settings.get("tau2") == "DL":
        assert np.isnan(reference["tau2_lb"]) == cell.endswith("revman5like")
        return
    kept = {name: settings[name] for name in ("measure", "zero_cells") if name in settings}
    lower, upper = bm.tau2_interval(data, **kept)
    if dataset == "rubin1981" and settings["tau2"] != "SJ":  # there the search of metafor ends
        assert reference["tau2_ub"] == 100.0 < upper
        upper = 100.0
    compare({"tau2_lb": lower, "tau2_ub": upper}, reference, META_DEFAULTS)
