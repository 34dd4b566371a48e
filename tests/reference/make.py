"""Cut the reference numbers that the tests use out of a folder of full reference results.

    python tests/reference/make.py FOLDER

FOLDER holds ``data/*.csv`` with ``data/index.json``, ``results/metafor/*.json``,
``results/meta/*.json``, ``results/bayesmeta/*.json``, ``results/bayesmeta_extra.json``,
``results/priors_*.csv`` and ``results/nnhm_quadrature.json``, as the R
and Python scripts of that collection write them. Numbers keep all their digits (15 significant
ones); a number that the program did not give is null. Every file written names the program and its
version; ``cells`` lists all cells of the full files, cut or not.
"""

import csv
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent

ARMS = {
    "events_treatment": "ai",
    "n_treatment": "n1i",
    "events_control": "ci",
    "n_control": "n2i",
}
RATIOS = ("OR", "RR")
RULES = {"if_needed": "", "none": "_none", "all": "_add_all", "excluded": "_drop00"}
MEASURES = {"hart1999": "IRR", "pritz1997": "PLO", "baeten2013": "PLO"}  # of single counts
SINGLE = {  # counts that are not of two binomial arms, by the names of their columns
    "hart1999": {
        "events_treatment": "x1i",
        "time_treatment": "t1i",
        "events_control": "x2i",
        "time_control": "t2i",
    },
    "pritz1997": {"events": "xi", "n": "ni"},
    "baeten2013": {"events": "xi", "n": "ni"},
}
CONTINUOUS = {  # means of two arms, by the names of their columns
    "mean_treatment": "m1i",
    "sd_treatment": "sd1i",
    "n_treatment": "n1i",
    "mean_control": "m2i",
    "sd_control": "sd2i",
    "n_control": "n2i",
}
OF_MEANS = {"MD": "MD", "SMD": "SMD", "ROM": "ROM_nocorrect", "ROM corrected": "ROM"}
GLMM = ("UM.FS_EE", "UM.FS_ML", "CM.EL_EE", "CM.EL_ML")
OF_GLMM = ("estimate", "se", "ci_lb", "ci_ub", "k", "tau2", "Q_lrt", "df_Q", "loglik")
PRIORS = {  # tables of published priors, by the heads of their numbers
    "turner2015": ("mu_tau2", "sigma_tau2"),
    "rhodes2015": ("location_tau2", "scale_tau2"),
}
EMPIRICAL = {  # fits with them: of which data, with which prior of ours
    "crins2014_OR_turner_surgical_pharm_placebo": (
        "crins2014",
        "turner2015/surgical/drug-v-placebo",
    ),
    "crins2014_OR_turner_any": ("crins2014", "turner2015/any"),
    "peto1980_OR_turner_acm_pharm_placebo": ("peto1980", "turner2015/mortality/drug-v-placebo"),
    "normand1999_SMD_rhodes_resource_nonpharm": (
        "normand1999",
        "rhodes2015/resource-use/other-v-any/other",
    ),
}
ESTIMATORS = ("REML", "DL", "PM", "ML", "HS", "HE", "SJ", "EB")
ESTIMATE = ("estimate", "se", "p", "ci_lb", "ci_ub", "k", "tau2", "I2", "Q", "Q_p", "stat", "H2")
TOPS = {"EE": "ML", "ML": "ML", "REML": "REML"}  # the likelihood at whose top each estimator is
CRITERIA = ("ll", "AIC", "AICc", "BIC")
PREDICTIONS = ("default", "riley", "t")  # each with a lower and an upper end, after ESTIMATE
POOLED = ("estimate", "se", "p", "ci_lb", "ci_ub", "k", "k_yi", "Q", "Q_p", "I2", "stat", "H2")
POOLINGS = tuple(f"MH_{m}{half}" for m in (*RATIOS, "RD") for half in ("", "_add_half"))
SETTINGS = (
    "default",
    "inverse",
    "MH_exact",
    "inverse_DL_HK",
    "inverse_PM_HK_adhocse",
    "revman5like",
    "treatment_arm_cc",
    "allstudies",
)
OF_META = {  # cells of the datasets that are not counts of two arms and not estimates
    "normand1999": tuple(
        f"{measure}{end}" for measure in ("MD", "SMD", "ROM") for end in ("", "_HK")
    ),
    "pritz1997": ("PLOGIT",),
    "hart1999": ("IRR_Inverse", "IRR_MH"),
    "mcdaniel1994": ("ZCOR", "COR"),
}
ONE_NUMBER = ("k", "k_all", "Q", "Q_df", "Q_p", "I2", "tau2", "tau2_lb", "tau2_ub")
PARTS = {
    "common": ("TE", "se", "lb", "ub", "p"),
    "random": ("TE", "se", "lb", "ub", "p", "df"),
    "predict": ("lb", "ub"),
}
TAU_PRIORS = ("halfnormal_0.5", "halfnormal_1.0", "halfcauchy_0.5", "uniform_0_4")
PROPER = tuple(f"{tau}__normal_0_4" for tau in TAU_PRIORS)
IMPROPER = tuple(
    f"{tau}__{mu}" for tau in ("improper_uniform", "jeffreys") for mu in ("flat", "normal_0_4")
)
COLUMNS = ("trial", "outcome", "yi", "vi", "v1i", "v2i")  # of berkey1998
META = ("bcg", "crins2014", "egger2001", "nielweise2007", "nissen2007")  # tests on counts
EGGER = ("stat", "p", "df", "limit", "limit_lb", "limit_ub")
FILLED = ("k0", "se_k0", "side", "estimate", "se", "ci_lb", "ci_ub", "tau2", "I2", "filled_yi")
LINES = {  # regressions on one number, by the column of the data
    "bcg": "ablat",
    "raudenbush1985": "weeks",
}
REGRESSIONS = {  # by data and cell: our formula, and what each coefficient of metafor's is there
    "bcg": {
        "ablat": ("ablat", ("", "ablat")),
        "ablat_year": ("ablat + year", ("", "ablat", "year")),
        "ablat_c": ("ablat_c", ("", "ablat_c")),
        "alloc": ("alloc", ("", "alloc=random", "alloc=systematic")),
    },
    "crins2014": {"IL2RA": ("IL2RA", ("", "IL2RA=daclizumab"))},
    "curtis1998": {
        "fungrp": ("fungrp", ("", "fungrp=GYMNO", "fungrp=N2FIX")),
        "time": ("time", ("", "time")),
    },
    "hackshaw1998": {"design": ("design", ("", "design=cohort"))},
    "linde2005": {
        "group": ("C(group)", ("", "group=2", "group=3", "group=4")),
        "baseline": ("baseline", ("", "baseline")),
    },
    "mcdaniel1994": {"struct": ("struct", ("", "struct=u"))},
    "raudenbush1985": {
        "weeks": ("weeks", ("", "weeks")),
        "weeks_trunc": ("trunc", ("", "trunc")),
        "weeks_setting": ("weeks + setting", ("", "weeks", "setting=indiv")),
    },
}
DERIVED = {  # covariates that metafor's formulas make of columns
    "bcg": ("ablat_c", lambda row: float(row["ablat"]) - 33.46),
    "raudenbush1985": ("trunc", lambda row: min(float(row["weeks"]), 3.0)),
}
REGRESSION = (
    *("estimate", "se", "stat", "p", "ci_lb", "ci_ub", "tau2", "I2", "H2", "Q", "Q_p"),
    *("QM", "QM_p", "R2", "k"),
)
LINE = ("estimate", "se", "p", "ci_lb", "ci_ub", "tau2")
DELETED = {  # what the other fits say as well is left out
    "EE_z": ("estimate", "se", "p", "ci_lb", "ci_ub", "Q", "Q_p", "I2"),
    "DL_z": ("estimate", "se", "p", "ci_lb", "ci_ub", "tau2", "I2"),
    "REML_z": ("estimate", "se", "p", "ci_lb", "ci_ub", "tau2", "I2"),
    "REML_knha": ("se", "p", "ci_lb", "ci_ub"),
}
INFLUENCE = (
    "rstudent",
    "dffits",
    "cook",
    "cov_ratio",
    "tau2_del",
    "QE_del",
    "hat",
    "dfbs",
    "influential",
)
BLUP = ("pred", "se", "pi_lb", "pi_ub")
ADDED = ("estimate", "se", "ci_lb", "ci_ub", "tau2")
MOST_STUDIES = 60  # of the analyses that pool as many times as there are studies
IMPROPER_OF = ("bcg", "crins2014", "hinks2010", "rubin1981")


def main(folder: Path) -> None:
    """Write every file of reference numbers beside this script."""
    index = json.loads((folder / "data/index.json").read_text())
    metafor = {name: _read(folder / f"results/metafor/{name}.json") for name in index}
    binary = [name for name, entry in index.items() if entry["type"] == "binary"]
    program = {"program": "metafor", **_versions(metafor.values())}
    _write(
        "counts", {name: _counts(folder, name, index[name]) for name in binary}, source="metadat"
    )
    _write("effect_sizes", {n: _effect_sizes(metafor[n]) for n in binary}, **program)
    _write("risk_differences", {n: _risk_differences(metafor[n]) for n in binary}, **program)
    everything = {
        program: {path.stem: _groups(_read(path)) for path in _files(folder, program)}
        for program in ("metafor", "meta")
    }
    numbers = {program: _numbers(everything[program]) for program in everything}
    _write("cells", _names(everything), source="names of all cells, cut or not", numbers=numbers)
    means = {n: _means(folder, metafor[n]) for n in ("normand1999", "curtis1998")}
    _write("means", means, source="metadat", **program)
    single = {n: _single(folder, metafor[n], names) for n, names in SINGLE.items()}
    _write("rates_and_proportions", single, source="metadat", **program)
    columns = (*ESTIMATE, *(f"{name}_{end}" for name in PREDICTIONS for end in ("lb", "ub")))
    models = {n: _models(metafor[n]) for n in index}
    _write("random_effects", models, columns=columns, **program)
    counted = (*binary, "hart1999")
    _write("mantel_haenszel", {n: _mantel_haenszel(metafor[n]) for n in counted}, **program)
    meta = {path.stem: _read(path) for path in _files(folder, "meta")}
    of_meta = {name: _meta(full) for name, full in meta.items()}
    columns = [*ONE_NUMBER, *(f"{part}_{name}" for part in PARTS for name in PARTS[part])]
    versions = {name: meta["bcg"]["versions"][name] for name in ("R", "meta", "metafor")}
    _write("meta", of_meta, program="meta", columns=columns, versions=versions)
    _write("glmm", {n: _glmm(metafor[n]) for n in binary}, **program)
    exact = _read(folder / "results/nnhm_quadrature.json")
    full = {name: _read(folder / f"results/bayesmeta/{name}.json") for name in exact["fits"]}
    _write(
        "quadrature",
        {name: _exact(full[name], fits) for name, fits in exact["fits"].items()},
        program="nnhm_quadrature.py (NumPy and SciPy, composite Gauss-Legendre over tau)",
        versions={"python": "3.12.1"},
        probs=exact["probs"],
    )
    _write(
        "bayesmeta",
        {name: _bayesmeta(fits) for name, fits in full.items()},
        program="bayesmeta",
        **_versions(full.values()),
        probs=exact["probs"],
    )
    _write(
        "improper",
        {name: _improper(full[name], exact["fits"][name]) for name in IMPROPER_OF},
        program="nnhm_quadrature.py and bayesmeta",
        **_versions(full.values()),
        probs=exact["probs"],
    )
    meta = {n: _read(folder / f"results/meta/{n}.json") for n in META}
    _write(
        "small_study",
        {n: {**_small_study(metafor[n], meta.get(n)), **_line(folder, metafor[n])} for n in index},
        program="metafor and meta",
        **_versions(meta.values()),
    )
    few = [n for n in index if len(metafor[n]["primary_used"]) <= MOST_STUDIES]
    _write("influence", {n: _influence(metafor[n]) for n in few}, **program)
    baujat = {n: _only(metafor[n]["sensitivity"]["baujat_EE"], ("x", "y")) for n in index}
    _write("baujat", baujat, **program)
    extra = _read(folder / "results/bayesmeta_extra.json")
    _write(
        "published_priors",
        _published_priors(folder, extra, full),
        program="bayesmeta",
        versions=extra["versions"],
    )
    regressions = {n: _regressions(folder, metafor[n]) for n in REGRESSIONS}
    _write("regression", regressions, columns=REGRESSION, **program)
    several = _read(folder / "results/metafor/berkey1998.json")
    _write("berkey1998", _berkey(folder, several), program=several["tool"], **_versions([several]))


def _counts(folder: Path, name: str, entry: dict) -> dict:
    rows = list(csv.DictReader((folder / f"data/{name}.csv").open()))
    counts = {ours: [int(row[theirs]) for row in rows] for ours, theirs in ARMS.items()}
    return {"source": entry["source"], "citation": entry["cite"], **counts}


def _effect_sizes(full: dict) -> dict:
    sizes = full["effect_sizes"]
    return {
        measure: {rule: _only(sizes[measure + end], ("yi", "vi")) for rule, end in RULES.items()}
        for measure in RATIOS
    }


def _risk_differences(full: dict) -> dict:
    """For every rule but one: no study is left out of a risk difference."""
    sizes, kept = full["effect_sizes"], ("if_needed", "none", "all")
    return {rule: _only(sizes[f"RD{RULES[rule]}"], ("yi", "vi")) for rule in kept}


def _single(folder: Path, full: dict, names: dict[str, str]) -> dict:
    measure = MEASURES[full["dataset"]]
    rows = list(csv.DictReader((folder / f"data/{full['dataset']}.csv").open()))
    data = {ours: [float(row[theirs]) for row in rows] for ours, theirs in names.items()}
    return {"measure": measure, "data": data, **_only(full["effect_sizes"][measure], ("yi", "vi"))}


def _means(folder: Path, full: dict) -> dict:
    rows = list(csv.DictReader((folder / f"data/{full['dataset']}.csv").open()))
    data = {ours: [float(row[theirs]) for row in rows] for ours, theirs in CONTINUOUS.items()}
    sizes = full["effect_sizes"]
    return {
        "data": data,
        "measures": {name: _only(sizes[theirs], ("yi", "vi")) for name, theirs in OF_MEANS.items()},
    }


def _models(full: dict) -> dict:
    return {measure: _one_measure(full, measure) for measure in full["models"]}


def _one_measure(full: dict, measure: str) -> dict:
    """Every fit by an estimator the package has: a row of ESTIMATE and the prediction intervals."""
    sizes, models = full["effect_sizes"][measure], full["models"][measure]
    names = ("EE_z", *(f"{tau2}_{t}" for tau2 in ESTIMATORS for t in ("z", "knha", "adhoc")))
    kept = {name: models[name] for name in names if name in models and "error" not in models[name]}
    intervals = {
        f"{kind}_{name.removesuffix('_z')}": entry["tau2"][1:]
        for name, fit in kept.items()
        for kind, entry in fit.get("tau2_ci", {}).items()
        if "error" not in entry
    }
    rows = {name: _row(fit) for name, fit in kept.items()}
    tops = {
        name: [kept[f"{name}_z"]["fit"][kind][criterion] for criterion in CRITERIA]
        for name, kind in TOPS.items()
        if f"{name}_z" in kept
    }
    return {**_only(sizes, ("yi", "vi")), "fits": rows, "tau2_intervals": intervals, "tops": tops}


def _row(fit: dict) -> list:
    ends = [
        fit["prediction"][name][end]
        for name in PREDICTIONS
        if "prediction" in fit
        for end in ("pi_lb", "pi_ub")
    ]
    return [fit[name] for name in ESTIMATE] + ends


def _mantel_haenszel(full: dict) -> dict:
    names = ("MH_IRR",) if full["type"] == "rate" else (*POOLINGS, "PETO")
    return {name: _only(full["mh_peto"][name], POOLED) for name in names}


def _meta(full: dict) -> dict:
    """Rows of numbers of the cells the package has the settings of, and estimates where fed."""
    names = OF_META.get(full["dataset"]) or tuple(filter(_settings_we_have, full["models"]))
    rows = {name: _meta_row(full["models"][name]) for name in names}
    fed = [name for name in names if name.endswith("allstudies") or name == "COR"]
    return {"rows": rows, "estimates": {n: _only(full["models"][n], ("TE", "seTE")) for n in fed}}


def _settings_we_have(name: str) -> bool:
    measure, _, setting = name.partition("_")
    if measure in (*RATIOS, "RD"):
        return setting in SETTINGS or name in ("OR_Peto", "OR_incr_all")
    return measure in ESTIMATORS and not name.endswith("NNF")


def _meta_row(fit: dict) -> list:
    return [fit[name] for name in ONE_NUMBER] + [
        fit[part][name] for part, names in PARTS.items() for name in names
    ]


def _files(folder: Path, program: str) -> list[Path]:
    return sorted((folder / f"results/{program}").glob("*.json"))


def _groups(full: dict) -> dict:
    """Cells by group; models of one measure are a group, as in ``models/OR``."""
    groups = {name: cells for name, cells in full.items() if isinstance(cells, dict) and cells}
    del groups["versions"]
    models = groups.pop("models")
    if not set(models) <= set(groups.get("effect_sizes", ())):
        return {**groups, "models": models}
    return {**groups, **{f"models/{measure}": fits for measure, fits in models.items()}}


def _names(everything: dict) -> dict:
    return {
        program: {
            dataset: {group: list(cells) for group, cells in groups.items()}
            for dataset, groups in files.items()
        }
        for program, files in everything.items()
    }


def _glmm(full: dict) -> dict:
    """Maximum likelihood on counts, with what metafor said while it fitted or refused."""
    fits = {name: full["glmm"][name] for name in GLMM if name in full["glmm"]}
    return {
        name: {key: fit[key] for key in (*OF_GLMM, "error", "warnings") if key in fit}
        for name, fit in fits.items()
    }


def _numbers(files: dict) -> list[str]:
    """Names of the numbers in the cells of pooled models, which are those with an H."""
    cells = (
        cell for groups in files.values() for group in groups.values() for cell in group.values()
    )
    pooled = (cell for cell in cells if isinstance(cell, dict) and {"H", "H2"} & set(cell))
    return sorted({name for cell in pooled for name in cell})


def _exact(full: dict, fits: dict) -> dict:
    chosen = {name: fits[name] for name in PROPER if name in fits}
    return {"y": full["y"], "se": full["sigma"], "fits": chosen}


def _bayesmeta(full: dict) -> dict:
    kept = ("tau", "mu", "theta_new")
    whole = ("log_marginal_likelihood", "bayesfactor_mu0", "bayesfactor_tau0", "weights_mean")
    summary = ("mode", "quantiles", "shortest_lb", "shortest_ub")
    return {
        name: {
            **_only(full["fits"][name], whole),
            "weights_own": _own_weights(full["fits"][name]["weights_theta"]),
            **{part: _only(full["fits"][name][part], summary) for part in kept},
            "shrinkage": _only(full["fits"][name]["shrinkage"], ("mode", *summary[2:])),
        }
        for name in PROPER
        if name in full["fits"]
    }


def _own_weights(of_theta: dict) -> list:
    """Weight of each study's estimate in its own effect; studies are numbered from 1."""
    return [weights[int(study) - 1] for study, weights in of_theta.items()]


def _improper(full: dict, exact: dict) -> dict:
    """Quantiles by both programs where a prior is improper: they have no evidence to compare."""
    fits = {
        name: {
            part: {
                "quadrature": exact[name][part]["quantiles"],
                "bayesmeta": full["fits"][name][part]["quantiles"],
            }
            for part in ("tau", "mu", "theta_new")
        }
        for name in ("halfnormal_0.5__flat", *IMPROPER)
        if name in exact
    }
    return {"y": full["y"], "se": full["sigma"], "fits": fits}


def _small_study(full: dict, meta: dict | None) -> dict:
    """Tests and trim and fill of the primary measure, with its yi and vi; meta's are of the OR."""
    bias = full["bias"]
    return {
        **_primary(full),
        "egger": _only(bias["regtest_lm_sei"], EGGER),
        "regression": {
            tau2: _only(bias[f"regtest_rma_{name}_sei"], EGGER)
            for tau2, name in (("REML", "reml"), ("EE", "fe"))
        },
        "pet": _only(bias["pet_fit"], ("coef", "se", "p")),
        "peese": _only(bias["peese_fit"], ("coef", "se", "p")),
        "trim_and_fill": {
            name.removeprefix("trimfill_"): _filled(entry)
            for name, entry in bias.items()
            if name.startswith("trimfill_")
        },
        "meta": {
            name: _only(meta["models"][f"metabias_{name}"], ("stat", "df", "p", "bias", "se_bias"))
            for name in ("Egger", "Harbord", "Peters")
            if meta
        },
    }


def _line(folder: Path, full: dict) -> dict:
    """Mixed-effects regressions of the primary measure on one number, by estimator and test."""
    name = LINES.get(full["dataset"])
    if name is None:
        return {}
    rows = list(csv.DictReader((folder / f"data/{full['dataset']}.csv").open()))
    used = [rows[row - 1][name] for row in full["primary_used"]]
    fits = {
        cell.removeprefix(f"{name}_"): _only(fit, LINE)
        for cell, fit in full["metareg"].items()
        if fit.get("formula") == f"~{name}" and "error" not in fit
    }
    return {"line": {"x": [float(x) for x in used], "fits": fits}}


def _regressions(folder: Path, full: dict) -> dict:
    """Regressions of the primary measure: covariates, and by cell what metafor says of them."""
    rows = list(csv.DictReader((folder / f"data/{full['dataset']}.csv").open()))
    used = [rows[row - 1] for row in full["primary_used"]]
    if full["dataset"] in DERIVED:
        name, made = DERIVED[full["dataset"]]
        used = [{**row, name: made(row)} for row in used]
    cells = REGRESSIONS[full["dataset"]]
    names = {term.split("=")[0] for _, terms in cells.values() for term in terms} - {""}
    fits = {name: _of_regression(full["metareg"], name) for name in cells}
    return {
        **_primary(full),
        "covariates": {name: [row[name] for row in used] for name in sorted(names)},
        "cells": {
            name: {"formula": formula, "terms": terms, "fits": fits[name]}
            for name, (formula, terms) in cells.items()
        },
        "at": full["metareg"].get("predict_ablat_REML_z"),
    }


def _of_regression(found: dict, name: str) -> dict:
    """By estimator and test, the numbers of `REGRESSION` and the log likelihood at its top."""
    fits = {}
    for tau2 in ("EE", "DL", "ML", "REML", "PM", "EB", "SJ", "HE"):
        for test in ("z", "knha"):
            fit = found[f"{name}_{tau2}_{test}"]
            top = fit["fit"][TOPS[tau2]]["ll"] if tau2 in TOPS else None
            fits[f"{tau2}_{test}"] = [*(fit.get(column) for column in REGRESSION), top]
    return fits


def _filled(entry: dict) -> dict:
    """R writes a vector of one number as a number."""
    if "error" in entry:
        return _only(entry, ("error",))
    filled = entry["filled_yi"]
    values = {"filled_yi": filled if isinstance(filled, list) else [filled]}
    return {**_only(entry, FILLED), "p_k0": entry["p_k0"], **values}


def _influence(full: dict) -> dict:
    sensitivity = full["sensitivity"]
    return {
        "leave_one_out": {
            name: _only(sensitivity["leave1out"][name], columns)
            for name, columns in DELETED.items()
        },
        "influence": {
            tau2: _only(sensitivity[f"influence_{tau2}"], INFLUENCE) for tau2 in ("EE", "REML")
        },
        "blup": {"REML": _only(sensitivity["blup_REML"], BLUP)},
        "cumulative": {
            "REML": _only(sensitivity["cumul"], ADDED),
            "DL": _only(sensitivity["cumul_DL"], ADDED),
        },
    }


def _primary(full: dict) -> dict:
    sizes, rows = full["effect_sizes"][full["primary"]], full["primary_used"]
    columns = {name: [sizes[name][row - 1] for row in rows] for name in ("yi", "vi")}
    return {"measure": full["primary"], **columns}


def _berkey(folder: Path, full: dict) -> dict:
    """Two outcomes of five trials: the data by trial, and metafor's multivariate fits.

    metafor's order of outcomes is that of the alphabet, AL before PD; so are its tau².
    """
    rows = list(csv.DictReader((folder / "data/berkey1998.csv").open()))
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    if any((one["outcome"], two["outcome"]) != ("PD", "AL") for one, two in pairs):
        raise SystemExit("The rows of berkey1998 are not PD and AL of each trial in turn.")
    se = [[float(row["vi"]) ** 0.5 for row in pair] for pair in pairs]
    between = [float(one["v2i"]) / (a * b) for (one, _), (a, b) in zip(pairs, se, strict=True)]
    names = ("terms", "estimate", "se", "tau2", "rho", "loglik_ML", "loglik_REML")
    return {
        "data": {
            "study": [one["trial"] for one, _ in pairs],
            "outcome": ["PD", "AL"],
            "y": [[float(row["yi"]) for row in pair] for pair in pairs],
            "se": se,
            "correlation": [[[1, r], [r, 1]] for r in between],
            "rows": [{name: row[name] for name in COLUMNS} for row in rows],
        },
        "fits": {name: _only(full["models"][name], names) for name in ("UN_REML", "UN_ML")},
    }


def _published_priors(folder: Path, extra: dict, full: dict) -> dict:
    """Posteriors with mu ~ N(0, SD 4), intervals the shortest, and quantiles of every prior."""
    fits = {}
    for name, (data, key) in EMPIRICAL.items():
        of = {"measure": full[data]["measure"], "y": full[data]["y"], "se": full[data]["sigma"]}
        fits[f"{data} {key}"] = {**of, "prior": key, **extra["empirical_prior_fits"][name]}
    tables = {name: _prior_rows(folder, name, *heads) for name, heads in PRIORS.items()}
    return {"fits": fits, **tables, "unit_information_sd": extra["unit_information_sd"]}


def _prior_rows(folder: Path, name: str, place: str, scale: str) -> list:
    rows = csv.DictReader((folder / f"results/priors_{name}.csv").open())
    ends = ("q025_tau", "median_tau", "q975_tau")
    return [
        {"numbers": [row[place], row[scale]], "quantiles": [float(row[end]) for end in ends]}
        for row in rows
    ]


def _only(entry: dict, names: tuple[str, ...]) -> dict:
    return {name: entry[name] for name in names}


def _versions(results: object) -> dict:
    versions = {json.dumps(result["versions"], sort_keys=True) for result in results}
    if len(versions) != 1:
        raise SystemExit(f"The results come from more than one version: {versions}")
    return {"versions": json.loads(versions.pop())}


def _read(path: Path) -> dict:
    return json.loads(path.read_text())


def _write(name: str, cases: dict, **about: object) -> None:
    text = json.dumps({**about, "cases": cases}, ensure_ascii=False, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text.replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
