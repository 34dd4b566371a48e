"""Time NUTS, batched HMC and `fit_many` on what JAX sees beside the CPU, and hold them together.

    uv run benchmarks/gpu.py [--seconds 230]

Each platform is a process of its own. "First" brings the program (traced, compiled or from the
cache), "warm" is the same call again. Answers must agree between platforms, with exact ones, and
where both are by chains within five Monte Carlo errors. Without an accelerator the CPU is measured
alone, and the table says so. Exit status 1 if anything disagrees or does not finish.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
from batch import COUNTS, MODEL, simulate, simulate_counts

import bayesmeta as bm

SAME = 1e-6  # of a posterior SD, between programs that integrate
Z = 5.0
SHARED = bm.BinomialNormal(
    measure="OR",
    mu=bm.Normal(0, 2),
    tau=bm.HalfNormal(0.5),
    baseline=bm.Exchangeable(bm.Normal(0, 10), bm.HalfNormal(1)),
)


def many(model, arrays, **settings):
    def work():
        table = bm.fit_many(model, arrays, **settings)
        error = table["error"].to_numpy()
        return table["mu_mean"].to_numpy(), table["mu_sd"].to_numpy(), error

    return work


def nuts(data):
    def work():
        fit = bm.fit(COUNTS, data, bm.NUTS(seed=1))
        ess = min(c.value for c in fit.diagnostics.checks if "ESS" in c.name)
        return [fit["mu"].mean()], [fit["mu"].sd()], [ess**-0.5]

    return work


def jobs() -> dict:
    counts = simulate_counts(1000, 14, n=(100, 400), logit=-1.0)
    few = {name: each[:32] for name, each in counts.items()}
    one = {name: each[0] for name, each in counts.items()}
    data = bm.BinaryStudies(study=[str(i) for i in range(14)], **one)
    exact = bm.fit(COUNTS, data)["mu"]
    moments, quantiles = simulate(200_000, 14), simulate(50_000, 14)
    return {
        "fit_many, estimates, moments": (200_000, many(MODEL, moments, quantiles=False), None),
        "fit_many, estimates, quantiles": (50_000, many(MODEL, quantiles), None),
        "fit_many, counts, moments": (1000, many(COUNTS, counts, quantiles=False), exact.mean()),
        "batched HMC, counts": (32, many(SHARED, few), None),
        "NUTS, counts": (1, nuts(data), exact.mean()),
    }


def measure() -> None:
    """Print one line of JSON for each job, as it is finished."""
    import jax

    for name, (fits, work, known) in jobs().items():
        walls, answers = [], []
        for _ in range(2):
            before = time.perf_counter()
            answers.append([np.asarray(each, float).tolist() for each in work()])
            walls.append(time.perf_counter() - before)
        where = jax.devices()[0]
        line = {"job": name, "fits": fits, "walls": walls, "known": known, "answer": answers[1]}
        line |= {
            "repeats": answers[0] == answers[1],
            "device": f"{where.platform}: {where.device_kind}",
        }
        print(json.dumps(line), flush=True)


def run(platform: str, seconds: float) -> dict:
    done = subprocess.Popen(
        [sys.executable, __file__, "--measure"],
        env={**os.environ, "JAX_PLATFORMS": platform},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        out, _ = done.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        done.kill()
        out, _ = done.communicate()
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return {line["job"]: line for line in lines}


def gap(one: list, other: list, *, chains: bool) -> float:
    """The largest difference of means in units of what is allowed."""
    (mean, sd, error), (there, _, error_there) = (map(np.array, each) for each in (one, other))
    unit = Z * np.hypot(error, error_there) if chains else SAME
    return float(np.abs((mean - there) / (sd * unit)).max())


def verdicts(found: dict) -> list[str]:
    """What does not agree, in words."""
    wrong = []
    for platform, lines in found.items():
        for name, line in lines.items():
            if not line["repeats"]:
                wrong.append(f"{name} on {platform}: a second call gives other numbers")
            mean, sd, error = (each[0] for each in line["answer"])
            unit = Z * error if "NUTS" in name else SAME
            if line["known"] is not None and abs(mean - line["known"]) > sd * unit:
                wrong.append(f"{name} on {platform}: far from the exact answer")
            cpu = found["cpu"].get(name)
            apart = cpu and gap(cpu["answer"], line["answer"], chains="fit_many" not in name)
            if apart and apart > 1:
                wrong.append(
                    f"{name}: {platform} and cpu are {apart:.1f} times the tolerance apart"
                )
    return wrong


def platforms() -> list[str]:
    """What JAX sees, the CPU first."""
    words = "import jax; print(','.join(sorted({d.platform for d in jax.devices()})))"
    seen = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    others = [one for one in seen.stdout.split()[-1].split(",") if one != "cpu"]
    return ["cpu", *({"gpu": "cuda"}.get(one, one) for one in others)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=230, help="In all.")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure()
        return 0
    end, names, found = time.monotonic() + given.seconds, platforms(), {}
    for i, name in enumerate(names):
        found[name] = run(name, (end - time.monotonic()) / (len(names) - i))
    if len(names) == 1:
        print("JAX sees no accelerator: the CPU alone, held to exact answers and to itself.")
    print(
        f"{'':32s}{'on':>22s}{'fits':>8s}{'first s':>9s}{'warm s':>8s}{'ms/fit':>9s}{'cpu/it':>8s}"
    )
    expected = 5
    for lines in found.values():
        for job, line in lines.items():
            first, warm = line["walls"]
            ratio = found["cpu"][job]["walls"][1] / warm if job in found["cpu"] else np.nan
            print(f"{job:32s}{line['device'][:21]:>22s}{line['fits']:8d}{first:9.2f}{warm:8.2f}"
                  f"{1e3 * warm / line['fits']:9.3f}{ratio:8.1f}")  # fmt: skip
    wrong = verdicts(found)
    wrong += [f"{name}: {expected - len(each)} jobs did not finish in time"
              for name, each in found.items() if len(each) < expected]  # fmt: skip
    print("\n".join(wrong) or "All answers agree.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
