"""Time typical fits by two checkouts in turn.

    uv run benchmarks/typical_fits.py BEFORE [AFTER]

Each checkout runs in processes of its own, five of each, one after the other; of every fit the
fastest of its runs counts, without the first of a process. The table is in milliseconds.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROCESSES, TIMES = 5, 7


def fits() -> dict[str, Callable[[], object]]:
    import numpy as np

    import bayesmeta as bm

    rng = np.random.default_rng(7)
    k = 13
    names = [f"study {i}" for i in range(k)]
    y, se = rng.normal(-0.3, 0.3, k), rng.uniform(0.1, 0.5, k)
    effects = bm.EffectSizes.from_arrays(names, y, se)
    n = rng.integers(40, 400, k)
    arms = {"n_treatment": n, "n_control": n + 5}
    binary = bm.BinaryStudies(
        study=names,
        events_treatment=rng.binomial(n, 0.2),
        events_control=rng.binomial(n, 0.25),
        covariates={"x": rng.normal(size=k)},
        **arms,
    )
    rare = bm.BinaryStudies(
        study=names,
        events_treatment=rng.binomial(n, 0.01),
        events_control=rng.binomial(n, 0.01),
        **arms,
    )
    rates = bm.PersonTimeStudies(
        study=names,
        events_treatment=rng.poisson(n * 0.1),
        events_control=rng.poisson(n * 0.12),
        time_treatment=n * 1.5,
        time_control=n * 1.4,
    )
    single = bm.ProportionStudies(study=names, events=rng.binomial(n, 0.3), n=n)
    stays = bm.ContinuousStudies(
        study=names,
        mean_treatment=rng.normal(8, 1, k),
        sd_treatment=rng.uniform(2, 3, k),
        mean_control=rng.normal(9, 1, k),
        sd_control=rng.uniform(2, 3, k),
        **arms,
    )
    wide = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
    on_x = bm.Linear("x", intercept=bm.Normal(0, 2), slopes=bm.Normal(0, 1))
    vague = bm.Linear("x", intercept=bm.Normal(0, 10), slopes=bm.Normal(0, 10))
    models = {
        "estimates": (bm.NormalNormal(**wide), effects),
        "estimates, one effect": (bm.CommonEffect(mu=bm.Normal(0, 2)), effects),
        "estimates, Student-t": (bm.NormalNormal(**wide, df=4), effects),
        "odds ratio": (bm.BinomialNormal(measure="OR", **wide), binary),
        "odds ratio, rare": (bm.BinomialNormal(measure="OR", **wide), rare),
        "risk ratio": (bm.BinomialNormal(measure="RR", **wide), binary),
        "given the margins": (bm.HypergeometricNormal(**wide), binary),
        "rate ratio": (bm.PoissonNormal(**wide), rates),
        "proportion": (bm.ProportionNormal(**wide), single),
        "mean difference of arms": (bm.ContinuousNormal(measure="MD", **wide), stays),
    }
    mean = {name: lambda pair=pair: bm.fit(*pair)["mu"].mean() for name, pair in models.items()}
    regressions = {
        "odds ratio on a covariate": bm.BinomialNormal(measure="OR", **wide | {"mu": on_x}),
        "given the margins, on a covariate": bm.HypergeometricNormal(**wide | {"mu": on_x}),
        "odds ratio on a covariate, vague": bm.BinomialNormal(measure="OR", **wide | {"mu": vague}),
    }
    return mean | {name: lambda one=one: bm.fit(one, binary) for name, one in regressions.items()}


def measure() -> dict[str, float]:
    found = {}
    for name, one in fits().items():
        one()
        times = []
        for _ in range(TIMES):
            start = time.perf_counter()
            one()
            times.append(time.perf_counter() - start)
        found[name] = 1e3 * min(times)
    return found


def by(checkout: Path) -> dict[str, float]:
    words = [sys.executable, str(Path(__file__).resolve()), "--measure"]
    settings = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
    done = subprocess.run(words, env=settings, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    before, after = (Path(one) for one in [*sys.argv[1:], ROOT][:2])
    runs = [(by(before), by(after)) for _ in range(PROCESSES)]
    print("| fit | before, ms | after, ms | ratio |\n| --- | ---: | ---: | ---: |")
    for name in runs[0][0]:
        old, new = (min(run[i][name] for run in runs) for i in (0, 1))
        print(f"| {name} | {old:.2f} | {new:.2f} | {new / old:.2f} |")


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(measure()))
    else:
        main()
