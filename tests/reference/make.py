"""Cut the reference numbers that the tests use out of a folder of full reference results.

    python tests/reference/make.py FOLDER

FOLDER holds ``data/*.csv`` with ``data/index.json``, ``results/metafor/*.json``,
``results/bayesmeta/*.json`` and ``results/nnhm_quadrature.json``, as the R and Python scripts of
that collection write them. Numbers keep all their digits (15 significant ones); a number that the
program did not give is null. Every file written names the program and its version.
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
MEASURES = {  # of the datasets that are not counts in two arms
    "normand1999": ("MD", "SMD", "ROM"),
    "curtis1998": ("ROM",),
    "hart1999": ("IRR",),
    "pritz1997": ("PLO",),
    "baeten2013": ("PLO",),
    "mcdaniel1994": ("ZCOR",),
}
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
FITS = tuple(f"{tau2}_{test}" for tau2 in ("DL", "REML") for test in ("z", "knha", "adhoc"))
GLMM = ("UM.FS_EE", "UM.FS_ML", "CM.EL_EE", "CM.EL_ML")
OF_GLMM = ("estimate", "se", "ci_lb", "ci_ub", "k", "tau2", "Q_lrt", "df_Q", "loglik")
ESTIMATE = ("estimate", "se", "p", "ci_lb", "ci_ub", "k", "tau2", "I2", "Q", "Q_p")
POOLED = ("estimate", "se", "p", "ci_lb", "ci_ub", "k", "k_yi", "Q", "Q_p", "I2")
TAU_PRIORS = ("halfnormal_0.5", "halfnormal_1.0", "halfcauchy_0.5", "uniform_0_4")
PROPER = tuple(f"{tau}__normal_0_4" for tau in TAU_PRIORS)
IMPROPER = tuple(
    f"{tau}__{mu}" for tau in ("improper_uniform", "jeffreys") for mu in ("flat", "normal_0_4")
)
COLUMNS = ("trial", "outcome", "yi", "vi", "v1i", "v2i")  # of berkey1998
META = ("bcg", "crins2014", "egger2001", "nielweise2007", "nissen2007")  # tests on counts
EGGER = ("stat", "p", "df", "limit", "limit_lb", "limit_ub")
FILLED = ("k0", "se_k0", "side", "estimate", "se", "ci_lb", "ci_ub", "tau2", "I2", "filled_yi")
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
    means = {n: _means(folder, metafor[n]) for n in ("normand1999", "curtis1998")}
    _write("means", means, source="metadat", **program)
    single = {n: _single(folder, metafor[n], names) for n, names in SINGLE.items()}
    _write("rates_and_proportions", single, source="metadat", **program)
    _write("random_effects", {n: _models(metafor[n]) for n in index}, **program)
    _write("mantel_haenszel", {n: _mantel_haenszel(metafor[n]) for n in binary}, **program)
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
        {n: _small_study(metafor[n], meta.get(n)) for n in index},
        program="metafor and meta",
        **_versions(meta.values()),
    )
    few = [n for n in index if len(metafor[n]["primary_used"]) <= MOST_STUDIES]
    _write("influence", {n: _influence(metafor[n]) for n in few}, **program)
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
    (measure,) = MEASURES[full["dataset"]]
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
    measures = RATIOS if full["type"] == "binary" else MEASURES.get(full["dataset"], ("GEN",))
    return {measure: _one_measure(full, measure) for measure in measures}


def _one_measure(full: dict, measure: str) -> dict:
    sizes, models = full["effect_sizes"][measure], full["models"][measure]
    fits = {name: _only(models[name], ESTIMATE) for name in ("EE_z", *FITS)}
    for name in FITS:
        if name.endswith("knha"):
            fits[name]["prediction"] = _only(
                models[name]["prediction"]["default"], ("pi_lb", "pi_ub")
            )
    return {"yi": sizes["yi"], "vi": sizes["vi"], "fits": fits}


def _mantel_haenszel(full: dict) -> dict:
    pooled = full["mh_peto"]
    return {
        measure: {
            "none": _only(pooled[f"MH_{measure}"], POOLED),
            "if_needed": _only(pooled[f"MH_{measure}_add_half"], POOLED),
        }
        for measure in RATIOS
    }


def _glmm(full: dict) -> dict:
    """Maximum likelihood on counts, with what metafor said while it fitted or refused."""
    fits = {name: full["glmm"][name] for name in GLMM if name in full["glmm"]}
    return {
        name: {key: fit[key] for key in (*OF_GLMM, "error", "warnings") if key in fit}
        for name, fit in fits.items()
    }


def _exact(full: dict, fits: dict) -> dict:
    chosen = {name: fits[name] for name in PROPER if name in fits}
    return {"y": full["y"], "se": full["sigma"], "fits": chosen}


def _bayesmeta(full: dict) -> dict:
    kept = ("tau", "mu", "theta_new")
    whole = ("log_marginal_likelihood", "bayesfactor_mu0", "bayesfactor_tau0", "weights_mean")
    summary = ("quantiles", "shortest_lb", "shortest_ub")
    return {
        name: {
            **_only(full["fits"][name], whole),
            "weights_own": _own_weights(full["fits"][name]["weights_theta"]),
            **{part: _only(full["fits"][name][part], summary) for part in kept},
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
