"""Leave-one-study-out predictions by brute force: differences of log marginal likelihoods.

What a study adds to the log marginal likelihood of the others, its control arm among them, is the
log predictive density of its result: ``log Z(all) - log Z(without the treatment arm)``. The
probability of fewer events is the sum over smaller counts of the same. Every Z comes from
``brute_likelihoods``, beside this file; nothing of the package is imported.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy
from brute_likelihoods import (
    COLUMNS,
    EFFECTS,
    ONE_ARM,
    OUTLYING,
    SMALL,
    SPARSE,
    TIMES_SPARSE,
    Case,
    posterior,
)
from scipy.special import logsumexp

NO_TIME = 1e-200
CASES = {
    "OR half, sparse": Case("binomial OR half", SPARSE),
    "OR half, small": Case("binomial OR half", SMALL),
    "OR half, outlying": Case("binomial OR half", OUTLYING, tau="HalfNormal(0.1)"),
    "OR half, t4, outlying": Case("binomial OR half", OUTLYING, df=4),
    "OR zero_one, sparse": Case("binomial OR zero_one", SPARSE),
    "RD, sparse": Case("binomial RD", SPARSE),
    "hypergeometric, sparse": Case("hypergeometric", SPARSE),
    "Poisson, sparse": Case("poisson", TIMES_SPARSE),
    "proportion": Case("proportion", ((1, 20), (3, 35), (1, 60), (0, 12), (2, 48)), centre=-3.0),
    "incidence": Case(
        "incidence", ((0, 20.5), (1, 80.25), (2, 44.6)), mu="Normal(-2, 3)", centre=-4.0
    ),
    "normal, outlier": Case("normal", EFFECTS["outlier"]),
    "normal, t3, outlier": Case("normal", EFFECTS["outlier"], df=3),
}


def log_z(case):
    return posterior(case, fine=False)["log_marginal_likelihood"]


def without(case, i):
    """Take away what is predicted of study i."""
    rows = list(case.rows)
    if case.model in ONE_ARM or case.model == "hypergeometric":
        del rows[i]
    else:
        rows[i] = (0, NO_TIME if case.model == "poisson" else 0, *rows[i][2:])
    return replace(case, rows=tuple(rows))


def with_count(case, i, j):
    """Study i with j events in the treatment arm; with fixed margins the others go to control."""
    a, n, *rest = case.rows[i]
    if case.model == "hypergeometric":
        rest = [rest[0] + a - j, rest[1]]
    rows = list(case.rows)
    rows[i] = (j, n, *rest)
    return replace(case, rows=tuple(rows))


def lower(case, i, base):
    """Probability of fewer events; None for estimates, and for counts too many to sum."""
    if case.model == "normal" or case.rows[i][0] > 4:
        return None
    least = 0
    if case.model == "hypergeometric":
        a, _, c, n0 = case.rows[i]
        least = max(0, a + c - n0)
    terms = [log_z(with_count(case, i, j)) - base for j in range(least, case.rows[i][0])]
    return float(np.exp(logsumexp(terms))) if terms else 0.0


def entry(case):
    full = log_z(case)
    bases = [log_z(without(case, i)) for i in range(len(case.rows))]
    columns = zip(COLUMNS[case.model], zip(*case.rows, strict=True), strict=True)
    return {
        "model": case.model,
        "data": {name: list(column) for name, column in columns},
        "mu": case.mu,
        "tau": case.tau,
        "df": case.df,
        "elpd": [full - base for base in bases],
        "lower": [lower(case, i, base) for i, base in enumerate(bases)],
    }


def main():
    """Write brute_loo.json beside this file: some ten minutes."""
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    found = {name: entry(case) for name, case in CASES.items()}
    document = {"program": "brute_loo.py", "versions": versions, "cases": found}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
