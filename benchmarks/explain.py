"""How long it takes to try every convention on every subset of a table.

    python benchmarks/explain.py

Prints, for tables of 8 to 12 seeded trials with a zero cell among them, the candidates tried and
the seconds, median of three.
"""

import statistics
import time

import numpy as np

import bayesmeta as bm


def table(k: int) -> bm.BinaryStudies:
    """Trials of 20 to 120 patients an arm."""
    rng = np.random.default_rng(k)
    treated, controls = rng.integers(20, 120, size=(2, k)).astype(float)
    deaths = rng.binomial(controls.astype(int), 0.2).astype(float)
    fewer = rng.binomial(treated.astype(int), 0.15).astype(float)
    fewer[0] = 0.0
    return bm.BinaryStudies(
        study=tuple(f"trial {i}" for i in range(k)),
        events_treatment=fewer,
        n_treatment=treated,
        events_control=deaths,
        n_control=controls,
    )


def main() -> None:
    """Time explain on subsets."""
    printed = bm.Published.parse("RR 0.76 [0.60, 0.96]", p_heterogeneity="0.40", i2="5")
    for k in (8, 10, 12):
        studies, seconds = table(k), []
        for _ in range(3):
            start = time.perf_counter()
            found = bm.explain(studies, printed, subsets=True)
            seconds.append(time.perf_counter() - start)
        taken = statistics.median(seconds)
        print(f"k {k}: {found.tried} candidates in {taken:.2f} s")


if __name__ == "__main__":
    main()
