"""One figure of every kind of the real case's report, computed again by other means.

    uv run bayesmeta run models/msc-covid19.toml -o out
    uv run tests/reference/recompute.py out

Dense quadrature on the raw counts (``brute_counts``, beside this file), closed forms, and SciPy's
optimisers: nothing of the package is imported. Prints every figure beside its second source, with
what it may be off by, and ends with status 1 if one is.
"""

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from brute_counts import STEP, panels, risk_ratio_risks, smoothed
from scipy import interpolate, optimize, stats
from scipy.special import logsumexp, xlogy

ROOT = Path(__file__).parents[2]
REACH, BASELINE = 14.0, 10.0
MU_SD, TAU_SCALE = 2.0, 0.5
EDGES = np.array([0, 0.02, 0.06, 0.15, 0.3, 0.6, 1, 1.5, 2, 2.6, 3.3, 4.2, 5.5])
CLOSED = 1e-8  # sums, quotients, and roots of scores
POSTERIOR = 2e-5  # of an SD: the engine's promise, and the dense grid's own error
DENSITY = 2e-4  # relative: of the dense grid's density and evidences
DEVIANCE = 0.02


@dataclass(frozen=True)
class Figure:
    """A printed figure, its second source, and how far they may be apart."""

    kind: str
    what: str
    printed: float
    again: float
    tolerance: float

    @property
    def agrees(self):
        return abs(self.printed - self.again) <= self.tolerance


@dataclass(frozen=True)
class Terms:
    """Of one study on the grid of effects, its baseline integrated out."""

    log: np.ndarray
    log_deviance: np.ndarray
    log_risks: tuple[np.ndarray, np.ndarray]


@cache
def theta_grid():
    return np.arange(-REACH, REACH + STEP / 2, STEP)


@cache
def terms(table):
    """Log likelihood, mean deviance and mean risks of a study at each effect."""
    x = np.arange(-110, 110, 0.04)
    a, n1, c, n0 = table
    found = []
    best = _best(a, n1) + _best(c, n0)
    for theta in theta_grid():
        p1, q1, p0, q0, beta, jacobian = risk_ratio_risks(theta, x)
        log_p = a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0
        weight = log_p + stats.norm.logpdf(beta, 0, BASELINE) + np.log(jacobian)
        total = logsumexp(weight)
        mass = np.exp(weight - total)
        risks = mass @ np.exp(p1), mass @ np.exp(p0)
        found.append((total, mass @ (2 * (best - log_p)), *risks))
    log, deviance, treated, control = np.array(found).T
    choose = sum(stats.binom.logpmf(e, n, 0.5) + n * np.log(2) for e, n in (table[:2], table[2:]))
    with np.errstate(divide="ignore"):
        return Terms(
            log + np.log(x[1] - x[0]) + choose,
            np.log(deviance),
            (np.log(treated), np.log(control)),
        )


def _best(events, n):
    return float(xlogy(events, events / n) + xlogy(n - events, 1 - events / n)) if n else 0.0


KINDS = ("", "deviance", "treated", "control")


@cache
def smooth_every(scale, kinds):
    """Log of the integral over its effect of every study's likelihood, (tau, mu), by study."""
    keys, rows = [], []
    for table in every_table():
        one = terms(table)
        extra = dict(zip(KINDS, (0.0, one.log_deviance, *one.log_risks), strict=True))
        keys += [(table, kind) for kind in kinds]
        rows += [np.maximum(one.log + extra[kind], -1e4) for kind in kinds]
    logs = np.array(rows)
    splines = [interpolate.CubicSpline(theta_grid(), row) for row in logs]
    tau, _ = taus(scale)
    found = np.array([smoothed(theta_grid(), logs, splines, MU, at) for at in tau])
    return {key: found[:, i] for i, key in enumerate(keys)}


def smooth(table, what, scale):
    """That of one study, or of its likelihood times something."""
    kinds = KINDS if scale == TAU_SCALE else ("",)
    return smooth_every(scale, kinds)[table, what]


@cache
def every_table():
    """The trials as sourced, and what is left of Lanzoni without its treatment arm."""
    data = sourced()[0]
    return (*data.values(), (0, 0, *data["Lanzoni"][2:]))


MU = np.linspace(-6, 6, 961)


def taus(scale):
    return panels(scale * EDGES, order=12)


@dataclass(frozen=True)
class Brute:
    """The posterior of the counts on a dense grid of mu and tau."""

    tables: tuple[tuple[int, int, int, int], ...]
    scale: float = TAU_SCALE

    @cached_property
    def joint(self):
        tau, weight = taus(self.scale)
        logs = sum(smooth(table, "", self.scale) for table in self.tables)
        prior = stats.halfnorm.logpdf(tau, scale=self.scale) + np.log(weight)
        return logs + prior[:, None] + stats.norm.logpdf(MU, 0, MU_SD) + np.log(MU[1] - MU[0])

    @cached_property
    def log_z(self):
        return float(logsumexp(self.joint))

    @cached_property
    def mass(self):
        return np.exp(self.joint - self.log_z)

    @cached_property
    def cdf(self):
        """Distribution function of mu, by a spline of its density."""
        spline = interpolate.CubicSpline(MU, self.mass.sum(axis=0) / (MU[1] - MU[0]))
        return spline.antiderivative()

    def quantile(self, q):
        return float(optimize.brentq(lambda x: self.cdf(x) - q, MU[0], MU[-1], xtol=1e-12))

    def moments(self):
        at = self.mass.sum(axis=0)
        mean = float(at @ MU)
        return mean, float(np.sqrt(at @ (MU - mean) ** 2))

    def new_quantile(self, q):
        """Of mu + tau z: the distribution function of mu at each tau, averaged over z."""
        tau, _ = taus(self.scale)
        each = interpolate.CubicSpline(MU, self.mass / (MU[1] - MU[0]), axis=1).antiderivative()
        z = np.linspace(-7.5, 7.5, 61)
        weight = stats.norm.pdf(z) * (z[1] - z[0])

        def below(x):
            at = np.clip(x - tau[:, None] * z, MU[0], MU[-1])
            found = [each(at[i])[i] @ weight for i in range(tau.size)]
            return float(np.sum(found)) - q

        return float(optimize.brentq(below, -12, 12, xtol=1e-9))

    def mean_of(self, table, what):
        """Posterior mean of something of one study."""
        ratio = smooth(table, what, self.scale) - smooth(table, "", self.scale)
        return float((self.mass * np.exp(ratio)).sum())

    def below_effect(self, table, x):
        """P(theta <= x) of one study: its likelihood cut off at x, over the whole."""
        tau, _ = taus(self.scale)
        step = 0.01
        theta = x - step * (np.arange(1200) + 0.5)
        spline = interpolate.CubicSpline(theta_grid(), terms(table).log)
        likelihood = np.exp(spline(theta))
        share = np.empty((tau.size, MU.size))
        for i, at in enumerate(tau):
            if at < 0.1:
                wide = np.clip((x - MU[:, None]) / at, -8, 8) + 8
                z = wide * (NODES + 1) / 2 - 8
                inside = stats.norm.pdf(z) * np.exp(spline(MU[:, None] + at * z))
                share[i] = inside @ WEIGHTS * wide[:, 0] / 2
            else:
                share[i] = stats.norm.pdf(theta, MU[:, None], at) @ likelihood * step
        return float((self.mass * share / np.exp(smooth(table, "", self.scale))).sum())


NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def log_z0(tables):
    """Evidence with one common effect."""
    logs = np.array([interpolate.CubicSpline(theta_grid(), terms(one).log)(MU) for one in tables])
    prior = stats.norm.logpdf(MU, 0, MU_SD) + np.log(MU[1] - MU[0])
    return float(logsumexp(logs.sum(axis=0) + prior))


def sourced():
    """The main rows of the mortality table, as they stand in the file."""
    with (ROOT / "examples" / "msc-covid19" / "mortality.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["variant"] == "main"]
    names = ("events_treatment", "n_treatment", "events_control", "n_control")
    return {row["study"]: tuple(int(row[name]) for name in names) for row in rows}, rows


def two_stage(tables):
    """Log risk ratios with ½ added to every cell of a study with a zero in any."""
    y, v = [], []
    for table in tables:
        a, n1, c, n0 = map(float, table)
        if a + c == 0:
            continue
        if 0 in (a, c, n1 - a, n0 - c):
            a, c, n1, n0 = a + 0.5, c + 0.5, n1 + 1, n0 + 1
        y.append(np.log(a * n0 / (c * n1)))
        v.append(1 / a - 1 / n1 + 1 / c - 1 / n0)
    return np.array(y), np.array(v)


def mantel_haenszel(tables, half=0.0):
    """Log risk ratio and its standard error (Greenland and Robins)."""
    a, n1, c, n0 = np.array([table for table in tables if table[0] + table[2]], float).T
    zero = (a == 0) | (c == 0) | (a == n1) | (c == n0)
    a, c, n1, n0 = a + half * zero, c + half * zero, n1 + 2 * half * zero, n0 + 2 * half * zero
    n = n1 + n0
    over, under = (a * n0 / n).sum(), (c * n1 / n).sum()
    variance = ((n1 * n0 * (a + c) - a * c * n) / n**2).sum() / (over * under)
    return float(np.log(over / under)), float(np.sqrt(variance))


def generalised_q(tau2, y, v):
    w = 1 / (v + tau2)
    return float((w * (y - w @ y / w.sum()) ** 2).sum())


def reml(y, v):
    """Tau² by a minimiser, and the pooled estimate there."""

    def loss(tau2):
        w = 1 / (v + tau2)
        return 0.5 * (generalised_q(tau2, y, v) - np.log(w).sum() + np.log(w.sum()))

    found = optimize.minimize_scalar(
        loss, bounds=(0, 2), method="bounded", options={"xatol": 1e-12}
    )
    tau2 = float(found.x) if found.fun < loss(0.0) else 0.0
    w = 1 / (v + tau2)
    return tau2, float(w @ y / w.sum()), w


def normal_given_tau(y, v):
    """Mixture over tau of the normal posterior of mu: weights, means, SDs; and of studies."""
    tau, weight = panels(TAU_SCALE * np.linspace(0, 11, 45), order=16)
    w = 1 / (v + tau[:, None] ** 2)
    precision = w.sum(axis=1) + MU_SD**-2.0
    mean = w @ y / precision
    log_l = stats.norm.logpdf(y, 0, w**-0.5).sum(axis=1)
    log_l += 0.5 * precision * mean**2 - 0.5 * np.log(precision) - np.log(MU_SD)
    log_l += stats.halfnorm.logpdf(tau, scale=TAU_SCALE) + np.log(weight)
    return np.exp(log_l - logsumexp(log_l)), mean, precision**-0.5, w


def mixture_quantile(share, mean, sd, q):
    return float(
        optimize.brentq(lambda x: share @ stats.norm.cdf((x - mean) / sd) - q, -9, 9, xtol=1e-13)
    )


class Report:
    """The numbers of a run: its JSON, and one table of it as CSV."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.outcomes = json.loads((self.folder / "results.json").read_text())["outcomes"]

    def cell(self, outcome, table, label, column):
        rows = self.outcomes[outcome]["tables"][table]
        row = next(row for row in rows if label in row.values())
        return float(row[column])

    def written(self, outcome, table, label, column):
        with (self.folder / outcome / "tables" / f"{table}.csv").open() as file:
            row = next(row for row in csv.DictReader(file) if label in row.values())
        return float(row[column])


def figures(folder):
    """Every figure, one kind after the other."""
    report = Report(folder)
    data, _ = sourced()
    for part in (of_posterior, of_evidence, of_studies, of_frequentist, of_scenarios, of_words):
        yield from part(report, data)


COUNTS = "counts (binomial–normal)"


def of_posterior(report, data):
    fit = Brute(tuple(data.values()))
    mean, sd = fit.moments()
    slack = POSTERIOR * sd

    def at(table, label, column):
        return report.cell("mortality", table, label, column)

    for column, q in (("estimate", 0.5), ("lower", 0.025), ("upper", 0.975)):
        again = fit.quantile(q)
        yield Figure("comparison", column, at("comparison", COUNTS, column), again, slack)
        natural = at("comparison", COUNTS, f"{column}_natural")
        yield Figure("natural scale", column, natural, np.exp(again), 2 * slack)
        yield Figure("scenarios", column, at("scenarios", "all sourced", column), again, slack)
        yield Figure("forest plot", column, at("studies", "overall", column), again, slack)
    benefit = float(fit.cdf(0.0))
    yield Figure("benefit", "P", at("comparison", COUNTS, "prob_benefit"), benefit, 1e-5)
    yield Figure("parameters", "mean of mu", at("parameters", "mu", "mean"), mean, slack)
    yield Figure("parameters", "SD of mu", at("parameters", "mu", "sd"), sd, slack)
    written = report.written("mortality", "parameters", "mu", "mean")
    yield Figure("CSV", "mean of mu", written, mean, slack)
    tau, _ = taus(TAU_SCALE)
    yield Figure(
        "parameters", "mean of tau", at("parameters", "tau", "mean"),
        float(fit.mass.sum(axis=1) @ tau), slack,
    )  # fmt: skip
    for column, q in (("median", 0.5), ("lower", 0.025), ("upper", 0.975)):
        printed = at("parameters", "theta_new", column)
        yield Figure("new setting", column, printed, fit.new_quantile(q), 4 * slack)
    drawn, ess = at("comparison", "the same by NUTS", "estimate"), 400
    yield Figure("NUTS", "median", drawn, fit.quantile(0.5), 4 * 1.2533 * sd / np.sqrt(ess))
    for name, risk in (("low", 0.12), ("middle", 0.25), ("high", 0.54)):  # as the run states them
        row = f"average effect, {name} baseline"
        yield Figure("absolute", "control", at("absolute", row, "control"), 1000 * risk, 1e-9)
        treated = 1000 * risk * np.exp(fit.quantile(0.5))
        yield Figure("absolute", "treated", at("absolute", row, "treatment"), treated, 0.01)


def of_evidence(report, data):
    tables = tuple(data.values())
    fit = Brute(tables)

    def at(table, label, column):
        return report.cell("mortality", table, label, column)

    log_z = report.outcomes["mortality"]["log_marginal_likelihood"][f"all sourced: {COUNTS}"]
    yield Figure("evidence", "log Z", log_z, fit.log_z, 1e-5)
    here = float(fit.mass[:, MU.size // 2].sum()) / (MU[1] - MU[0])
    bf01 = here / stats.norm.pdf(0, 0, MU_SD)
    yield Figure(
        "Bayes factor", "mu = 0", at("bayes-factors", "mu = 0", "bf01"), bf01, DENSITY * bf01
    )
    for scale, label in ((0.5, "half as wide"), (1.0, "as it is"), (2.0, "twice as wide")):
        again = float(np.exp(log_z0(tables) - Brute(tables, scale * TAU_SCALE).log_z))
        printed = at("tau-by-scale", label, "bf01")
        yield Figure("tau by scale", label, printed, again, DENSITY * again)
    prob = bf01 / (1 + bf01)
    yield Figure("Bayes factor", "P(0)", at("bayes-factors", "mu = 0", "prob_null"), prob, 1e-4)
    without = {name: one for name, one in data.items() if name != "Shi"}
    mean, sd = Brute(tuple(without.values())).moments()
    label = "without studies that have no event"
    yield Figure("zero studies", "mean", at("zero-studies", label, "mean"), mean, POSTERIOR * sd)
    blank = tuple((0, 0, *one[2:]) if name == "Lanzoni" else one for name, one in data.items())
    elpd = fit.log_z - Brute(blank).log_z
    yield Figure("LOO", "elpd of Lanzoni", at("loo", "Lanzoni", "elpd"), elpd, 1e-4)


def of_studies(report, data):
    fit = Brute(tuple(data.values()))

    def at(table, label, column):
        return report.cell("mortality", table, label, column)

    rows = report.outcomes["mortality"]["tables"]["studies"]
    shrunken = next(r for r in rows if r["label"] == "Bowdish" and r["kind"] == "shrunken")
    for column, q in (("estimate", 0.5), ("lower", 0.025)):
        below = fit.below_effect(data["Bowdish"], float(shrunken[column]))
        yield Figure("study effect", f"P below its {column}", q, below, 1e-4)
    total = {}
    for name, table in data.items():
        residual = fit.mean_of(table, "deviance")
        risks = fit.mean_of(table, "treated"), fit.mean_of(table, "control")
        total[name] = residual, residual - deviance_at(table, risks)
    printed = at("deviance", "Bowdish", "residual")
    yield Figure("deviance", "Bowdish", printed, total["Bowdish"][0], DEVIANCE / 2)
    table = report.outcomes["mortality"]["tables"]["deviance"]
    residual, leverage = (sum(row[name] for row in table) for name in ("residual", "leverage"))
    again = [sum(one[i] for one in total.values()) for i in (0, 1)]
    yield Figure("deviance", "total", residual, again[0], DEVIANCE)
    yield Figure("deviance", "pD", leverage, again[1], DEVIANCE)
    yield Figure("deviance", "DIC", residual + leverage, sum(again), DEVIANCE)
    own = np.log(2 / 12 / (7 / 12))
    yield Figure("studies", "Lanzoni", at("studies", "Lanzoni", "estimate"), own, CLOSED)
    by_symmetry = report.cell("hospital-stay", "studies", "Zhu", "estimate")
    yield Figure("quartiles", "hospital stay", by_symmetry, -4.0, 1e-3)
    penalty = report.cell("hospital-stay", "width-penalty", "Zhu", "width_plug_in")
    sds = [
        (q3 - q1) / (2 * stats.norm.ppf((0.75 * 29 - 0.125) / 29.25))
        for q1, q3 in ((8, 14), (11, 19))
    ]
    plug_in = 2 * stats.norm.ppf(0.975) * np.sqrt(sum(sd**2 for sd in sds) / 29)
    yield Figure("width penalty", "plug-in width", penalty, plug_in, 1e-6)


def deviance_at(table, risks):
    a, n1, c, n0 = table
    fitted = sum(
        xlogy(e, p) + xlogy(n - e, 1 - p) for e, n, p in ((a, n1, risks[0]), (c, n0, risks[1]))
    )
    return 2 * (_best(a, n1) + _best(c, n0) - float(fitted))


def of_frequentist(report, data):
    tables = tuple(data.values())
    y, v = two_stage(tables)
    k = y.size

    def row(label, column):
        return report.cell("mortality", "comparison", label, column)

    for label, half in (("Mantel–Haenszel", 0.0), ("Mantel–Haenszel, ½ added", 0.5)):
        estimate, se = mantel_haenszel(tables, half)
        yield Figure("frequentist", label, row(label, "estimate"), estimate, CLOSED)
        lower = estimate - stats.norm.ppf(0.975) * se
        yield Figure("frequentist", f"{label}, lower", row(label, "lower"), lower, CLOSED)
    w = 1 / v
    fixed = float(w @ y / w.sum())
    yield Figure("frequentist", "IV", row("inverse variance", "estimate"), fixed, CLOSED)
    q = generalised_q(0.0, y, v)
    dl = max(0.0, (q - k + 1) / (w.sum() - (w**2).sum() / w.sum()))
    pooled = float((y / (v + dl)).sum() / (1 / (v + dl)).sum())
    yield Figure("frequentist", "DL", row("DerSimonian–Laird, Wald", "estimate"), pooled, CLOSED)
    tau2, estimate, w = reml(y, v)
    yield Figure("frequentist", "REML", row("REML, Wald", "estimate"), estimate, 1e-6)
    hksj = float(np.sqrt(w @ (y - estimate) ** 2 / (k - 1) / w.sum()))
    for label, se in (("HKSJ", hksj), ("HKSJ truncated", max(hksj, w.sum() ** -0.5))):
        upper = estimate + stats.t.ppf(0.975, k - 1) * se
        yield Figure("frequentist", label, row(f"REML, {label}", "upper"), upper, 1e-5)

    def spread(label, column):
        return report.cell("mortality", "heterogeneity", label, column)

    yield Figure("heterogeneity", "Q", spread("inverse variance", "q"), q, CLOSED)
    p = float(stats.chi2.sf(q, k - 1))
    yield Figure("heterogeneity", "p of Q", spread("inverse variance", "q_p"), p, CLOSED)
    yield Figure("heterogeneity", "tau²", spread("REML", "tau2"), tau2, 1e-6)
    at = stats.chi2.ppf(0.025, k - 1)
    end = optimize.brentq(lambda t: generalised_q(t, y, v) - at, 0, 50, xtol=1e-12)
    yield Figure("heterogeneity", "Q-profile", spread("REML", "tau2_upper"), end, 1e-7)
    yield from of_two_stage(report, y, v, [n for n, t in data.items() if t[0] + t[2]])


def of_two_stage(report, y, v, names):
    """The normal model, its weights, and what a study does to the two-stage estimate."""
    share, mean, sd, w = normal_given_tau(y, v)
    label = "two-stage (normal–normal)"
    for column, q in (("estimate", 0.5), ("upper", 0.975)):
        again = mixture_quantile(share, mean, sd, q)
        printed = report.cell("mortality", "comparison", label, column)
        yield Figure("two-stage", column, printed, again, CLOSED)
    i = names.index("Bowdish")
    weight = float(share @ (w[:, i] / (w.sum(axis=1) + MU_SD**-2.0)))
    printed = report.cell("mortality", "weights", "Bowdish", "weight")
    yield Figure("weights", "Bowdish", printed, weight, CLOSED)
    rest = np.arange(y.size) != i
    without = generalised_q(0.0, y[rest], v[rest])
    printed = report.cell("mortality", "influence", "Bowdish", "q_without")
    yield Figure("influence", "Q without Bowdish", printed, without, CLOSED)


def of_scenarios(report, data):
    rows = sourced()[1]
    verified = [data[row["study"]] for row in rows if row["confidence"] == "verified"]
    printed = report.cell("mortality", "scenarios", "verified rows only", "mh_estimate")
    yield Figure("scenarios", "MH, verified", printed, mantel_haenszel(verified)[0], CLOSED)
    fit = Brute(tuple(verified))
    printed = report.cell("mortality", "scenarios", "verified rows only", "estimate")
    yield Figure("scenarios", "verified", printed, fit.quantile(0.5), POSTERIOR * fit.moments()[1])
    seven = ("Zhu", "Shu", "Shi", "Monsel", "Lanzoni", "Dilogo", "Adas")
    nearest = float(np.exp(mantel_haenszel([data[name] for name in seven], 0.5)[0]))
    label = "2023 UC-MSC review (7 RCTs)"
    printed = report.cell("mortality", "explained", label, "nearest_natural")
    yield Figure("explained", "nearest", printed, nearest, CLOSED)


def of_words(report, data):
    """A published figure analysed alone, priors, and what was observed."""
    y, se = np.log(0.76), (np.log(0.96) - np.log(0.60)) / (2 * stats.norm.ppf(0.975))
    precision = se**-2 + MU_SD**-2.0
    mean = y * se**-2 / precision
    alone = report.cell("mortality", "published", "2024 review (14 RCTs)", "estimate")
    yield Figure("published", "alone", alone, mean, CLOSED)
    benefit = float(stats.norm.cdf(-mean * np.sqrt(precision)))
    printed = report.cell("mortality", "published", "2024 review (14 RCTs)", "prob_benefit")
    yield Figure("published", "benefit", printed, benefit, CLOSED)
    observed = report.cell("mortality", "predictive", "pooled log RR", "observed")
    again = mantel_haenszel(tuple(data.values()))[0]
    yield Figure("predictive", "observed pooled log RR", observed, again, CLOSED)
    tau = report.cell("mortality", "prior-predictive", "tau (analysis scale)", "median")
    yield Figure("prior", "median of tau", tau, stats.halfnorm.ppf(0.5, scale=TAU_SCALE), 0.02)
    effect = report.cell("mortality", "prior-predictive", "overall effect", "upper")
    upper = float(np.exp(stats.norm.ppf(0.975) * MU_SD))
    yield Figure("prior", "upper end of the ratio", effect, upper, 0.2 * upper)


def main(folder, say: Callable[[str], object] = print):
    """Say every figure; True if all agree."""
    good = True
    for one in figures(folder):
        good &= one.agrees
        mark = "" if one.agrees else "  <-- APART"
        say(
            f"{one.kind:14} {one.what:26} {one.printed:.10g} {one.again:.10g} "
            f"(within {one.tolerance:.1e}){mark}"
        )
    return good


if __name__ == "__main__":
    raise SystemExit(0 if main(sys.argv[1]) else 1)
