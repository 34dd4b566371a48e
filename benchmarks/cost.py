"""What one exact fit costs: by number of studies, size of the arms and events in them.

    uv run benchmarks/cost.py [--only WORD] [--most SECONDS] [--figure docs/cost.svg]

Processor seconds of this process for one `fit`, its mean and an interval of mu and of tau: the
mean over tables drawn afresh, so that nothing is kept from one to the next. Prints a table in
Markdown, draws one figure, and names every step between neighbours that costs more than three times
as much. A fit that takes longer than `--most` is stopped, and the rest of its line left out,
as where it is refused.
"""

import argparse
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

import bayesmeta as bm

K = (3, 5, 10, 20, 30, 60, 100, 200, 300, 500)
ARMS = (100, 1_000, 10_000, 100_000, 1_000_000)
EVENTS = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1)  # expected in an arm of 100 patients
TABLES, SHORT = 5, 2.0  # tables of each cell; how many seconds are enough for one alone
TICKS = 0.05  # seconds that are measured at least: some clocks of processes tick in hundredths
STEP = 3.0  # times: what is reported
WIDE = {"mu": bm.Normal(0, 2), "tau": bm.HalfNormal(0.5)}
NARROW = {"mu": bm.Normal(0, 0.5), "tau": bm.HalfNormal(0.2)}


class Cell(NamedTuple):
    """One table to draw: `n` patients in each arm, of whom `risk` have the event."""

    k: int
    n: int
    risk: float


type Draw = Callable[[np.random.Generator, Cell], object]


def names(k: int) -> list[str]:
    return [f"study {i}" for i in range(1, k + 1)]


def sizes(rng: np.random.Generator, cell: Cell) -> np.ndarray:
    return np.maximum(np.round(cell.n * rng.uniform(0.7, 1.3, cell.k)), 2).astype(int)


def two_arms(rng: np.random.Generator, cell: Cell) -> bm.BinaryStudies:
    n1, n0 = sizes(rng, cell), sizes(rng, cell)
    change = rng.normal(-0.2, 0.2, cell.k)
    return bm.BinaryStudies(
        study=names(cell.k),
        events_treatment=rng.binomial(n1, np.minimum(cell.risk * np.exp(change), 1.0)),
        n_treatment=n1,
        events_control=rng.binomial(n0, cell.risk),
        n_control=n0,
    )


def person_time(rng: np.random.Generator, cell: Cell) -> bm.PersonTimeStudies:
    t1, t0 = sizes(rng, cell), sizes(rng, cell)
    change = rng.normal(-0.2, 0.2, cell.k)
    return bm.PersonTimeStudies(
        study=names(cell.k),
        events_treatment=rng.poisson(t1 * cell.risk * np.exp(change)),
        time_treatment=t1,
        events_control=rng.poisson(t0 * cell.risk),
        time_control=t0,
    )


def one_arm(rng: np.random.Generator, cell: Cell) -> bm.ProportionStudies:
    n = sizes(rng, cell)
    risk = np.minimum(cell.risk * np.exp(rng.normal(0, 0.2, cell.k)), 1.0)
    return bm.ProportionStudies(study=names(cell.k), events=rng.binomial(n, risk), n=n)


def estimates(rng: np.random.Generator, cell: Cell) -> bm.EffectSizes:
    se = (4 / (sizes(rng, cell) * cell.risk)) ** 0.5
    return bm.EffectSizes.from_arrays(names(cell.k), rng.normal(-0.2, (se**2 + 0.04) ** 0.5), se)


LIKELIHOODS: dict[str, tuple[object, Draw]] = {
    "estimates": (bm.NormalNormal(**WIDE), estimates),
    "estimates, Student-t": (bm.NormalNormal(**WIDE, df=4), estimates),
    "binomial OR": (bm.BinomialNormal(measure="OR", **WIDE), two_arms),
    "binomial RR": (bm.BinomialNormal(measure="RR", **WIDE), two_arms),
    "binomial RD": (bm.BinomialNormal(measure="RD", **NARROW), two_arms),
    "hypergeometric": (bm.HypergeometricNormal(**WIDE), two_arms),
    "Poisson IRR": (bm.PoissonNormal(**WIDE), person_time),
    "one arm": (bm.ProportionNormal(mu=bm.Normal(-2, 3), tau=bm.HalfNormal(0.5)), one_arm),
}


class Line(NamedTuple):
    """One line of the figure: cells that differ in one thing alone."""

    likelihood: str
    panel: str
    at: tuple[float, ...]
    cells: tuple[Cell, ...]


def lines() -> Iterator[Line]:
    for one in LIKELIHOODS:
        for word, events in (("20 events an arm", 20.0), ("1 event an arm", 1.0)):
            share = events / 100
            yield Line(one, f"k, {word}", K, tuple(Cell(k, 100, share) for k in K))
            most = ARMS
            cells = tuple(Cell(10, n, events / n if events == 1 else share) for n in most)
            which = "a fifth have the event" if events > 1 else word
            yield Line(one, f"patients an arm, {which}", most, cells)
        cells = tuple(Cell(10, 100, events / 100) for events in EVENTS)
        yield Line(one, "events an arm", EVENTS, cells)


class TooLongError(Exception):
    """A fit took longer than it may."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def cost(likelihood: str, cell: Cell, most: float) -> tuple[float, str]:
    """Seconds, and what the engine said: of a refusal, its first words."""
    model, draw = LIKELIHOODS[likelihood]
    taken, words = [], ""
    while len(taken) < TABLES or sum(taken) < TICKS:
        seed = len(taken)
        data = draw(np.random.default_rng([seed, cell.k, cell.n, int(1e6 * cell.risk)]), cell)
        start = time.process_time()
        try:
            with at_most(most):
                found = bm.fit(model, data)  # pyright: ignore[reportArgumentType]
                found["mu"].interval(0.95), found["mu"].mean(), found["tau"].interval(0.95)
            words = found.engine if found.diagnostics.passed_first else "gate!"
        except TooLongError:
            return np.inf, "stopped"
        except bm.ModelError as error:
            return np.inf, f"refused: {str(error)[:60]}"
        taken.append(time.process_time() - start)
        if taken[-1] > SHORT or len(taken) >= 20 * TABLES:
            break
    return max(statistics.mean(taken), 1e-4), words


def measure(only: str, most: float) -> dict[Line, list[float]]:
    warm = Cell(4, 100, 0.2)
    found = {}
    for line in lines():
        if only not in f"{line.likelihood}: {line.panel}":
            continue
        cost(line.likelihood, warm, most)
        values = []
        for at, cell in zip(line.at, line.cells, strict=True):
            seconds, words = cost(line.likelihood, cell, most)
            values.append(seconds)
            print(line.likelihood, line.panel, at, f"{seconds:.4g}", words, file=sys.stderr)
            if np.isinf(seconds):
                break
        found[line] = values + [np.inf] * (len(line.at) - len(values))
    return found


def table(found: dict[Line, list[float]]) -> Iterator[str]:
    for panel in dict.fromkeys(line.panel for line in found):
        these = {line: values for line, values in found.items() if line.panel == panel}
        at = next(iter(these)).at
        yield f"\n| {panel}, ms | {' | '.join(f'{one:,g}' for one in at)} |"
        yield "| --- |" + " ---: |" * len(at)
        for line, values in these.items():
            cells = ("—" if np.isinf(one) else f"{1e3 * one:,.3g}" for one in values)
            yield f"| {line.likelihood} | {' | '.join(cells)} |"


def steps(found: dict[Line, list[float]]) -> Iterator[str]:
    """Name what costs more than three times its neighbour, or a third of it."""
    for line, values in found.items():
        for i, (one, two) in enumerate(pairwise(values)):
            if np.isfinite(one) and max(one, two) > STEP * min(one, two):
                place = f"{line.at[i]:g} to {line.at[i + 1]:g}"
                yield f"{line.likelihood}: {line.panel}: {place}: {two / one:.3g} times"


def draw(found: dict[Line, list[float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "cost", "svg.fonttype": "none"}
    import matplotlib.pyplot as plt

    panels = list(dict.fromkeys(line.panel for line in found))
    figure, axes = plt.subplots(1, len(panels), figsize=(3.1 * len(panels), 3.6), sharey=True)
    for ax, panel in zip(np.atleast_1d(axes), panels, strict=True):
        for i, likelihood in enumerate(LIKELIHOODS):
            for line, values in found.items():
                if (line.panel, line.likelihood) == (panel, likelihood):
                    ax.loglog(line.at, values, marker=".", color=f"C{i}", label=likelihood)
        ax.set_xlabel(panel, fontsize=8)
        ax.grid(visible=True, alpha=0.3)
    np.atleast_1d(axes)[0].set_ylabel("processor seconds of one fit")
    handles = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.legend(*handles, loc="lower center", ncols=len(LIKELIHOODS), fontsize=7)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="lines whose name has this in it")
    parser.add_argument("--most", type=float, default=20.0, help="seconds that one fit may take")
    parser.add_argument("--figure", type=Path, help="where to draw it")
    asked = parser.parse_args()
    found = measure(asked.only, asked.most)
    print("\n".join(table(found)))
    print("\nSteps of more than three times:\n" + ("\n".join(steps(found)) or "none"))
    if asked.figure:
        draw(found, asked.figure)


if __name__ == "__main__":
    main()
