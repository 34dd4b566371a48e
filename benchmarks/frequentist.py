"""Time REML of many tables in one call, beside PyMARE where it is installed.

    uv run benchmarks/frequentist.py [--tables 10000] [--k 10] [--repeats 7] [--wild]

Both are run in turn, so that other work on the machine meets both alike; read the ratio. PyMARE is
no dependency of this project: without it only our own seconds are printed.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

import bayesmeta as bm

SEED = 20240622
LOWER = 1e-6  # a restricted log likelihood that is lower by more than this is not the highest


def simulate(tables: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and standard errors; tau is 0 to 0.5."""
    rng = np.random.default_rng(SEED)
    se = rng.uniform(0.1, 0.6, (tables, k))
    tau = rng.uniform(0, 0.5, (tables, 1))
    return rng.normal(-0.3, np.hypot(se, tau)), se


def simulate_wild(tables: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Variances over six decades and effects with heavy tails: some likelihoods have two peaks."""
    rng = np.random.default_rng(SEED)
    se = 10 ** rng.uniform(-1.5, 1.5, (tables, k))
    theta = rng.choice([0, 0.3, 1], (tables, 1)) * rng.standard_t(1.5, (tables, k))
    return rng.normal(theta, se), se


def ours(y: np.ndarray, se: np.ndarray) -> np.ndarray:
    return bm.random_effects_many(y, se, tau2="REML", interval="HKSJ")["tau2"]


def pymare() -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    try:
        from pymare import meta_regression
    except ImportError:
        return None

    def run(y: np.ndarray, se: np.ndarray) -> np.ndarray:
        design = np.ones((y.shape[1], 1))
        found = meta_regression(
            y=y.T.copy(), v=(se**2).T.copy(), X=design, add_intercept=False, method="REML"
        )
        found.get_fe_stats()
        return np.ravel(found.tau2)

    return run


def log_likelihood(tau2: np.ndarray, y: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Restricted, up to a constant."""
    w = 1 / (se**2 + tau2[:, None])
    total = w.sum(axis=1)
    r = y - ((w * y).sum(axis=1) / total)[:, None]
    return (np.log(w).sum(axis=1) - np.log(total) - (w * r**2).sum(axis=1)) / 2


def timed(work: Callable, *given: np.ndarray) -> float:
    start = time.perf_counter()
    work(*given)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--wild", action="store_true", help="Tables with two peaks among them.")
    given = parser.parse_args()
    y, se = (simulate_wild if given.wild else simulate)(given.tables, given.k)
    theirs = pymare()
    programs = {"bayesmeta": ours} | ({"PyMARE": theirs} if theirs else {})
    found = {name: run(y, se) for name, run in programs.items()}  # first calls import and warm up
    seconds = {name: [] for name in programs}
    for _ in range(given.repeats):
        for name, run in programs.items():
            seconds[name].append(timed(run, y, se))
    print(f"{given.tables} tables of {given.k}, REML with HKSJ, medians of {given.repeats}")
    for name, times in seconds.items():
        print(f"{name:10s} {np.median(times):8.3f} s  ({min(times):.3f} to {max(times):.3f})")
    if not theirs:
        print("PyMARE is not installed: nothing to compare with.")
        return
    print(f"ratio of medians {np.median(seconds['PyMARE']) / np.median(seconds['bayesmeta']):.2f}")
    best, other = found.values()
    lost = log_likelihood(best, y, se) - log_likelihood(other, y, se)
    print(f"largest difference of tau² {np.abs(best - other).max():.2g}")
    print(f"restricted likelihood lower than ours in {(lost > LOWER).sum()} tables,")
    print(f"ours lower in {(lost < -LOWER).sum()}; most lost {lost.max():.2g}, {-lost.min():.2g}")


if __name__ == "__main__":
    main()
