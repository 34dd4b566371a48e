"""Every likelihood, kernel and prior by brute force: dense grids, and nothing clever.

A second source for the exact engine. Each study's likelihood is tabulated over theta with its
baseline summed out; theta is summed against a Normal or Student-t kernel for each pair of mu and
tau; mu and tau are summed against their priors. Every sum is a trapezoid on an even grid of t,
where the variable is a fixed function of t:

- the whole line: centre + scale * sinh(t), dense at the centre and reaching far;
- the half line: scale * exp(t - exp(-t));
- an interval: low + (high - low) * expit(pi * sinh(t)).

A risk difference has a likelihood with a kink at theta = 0 where both arms are without events,
so its grids are dense there. Its baseline is summed over the logit of the smaller risk within its
bounds, so the odds product is never inverted. Each case is computed twice, the second time with
all steps halved and all reaches extended; the second is stored, and the largest change in a
posterior SD as `error`. Nothing of the package is imported here.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from scipy import interpolate, optimize, stats
from scipy.special import expit, gammaln, log_expit, logsumexp

BASELINE_SD = 10.0
BINOMIAL = ("events_treatment", "n_treatment", "events_control", "n_control")
POISSON = ("events_treatment", "time_treatment", "events_control", "time_control")
ONE_ARM = ("proportion", "incidence", "normal")
COLUMNS = {
    "binomial OR half": BINOMIAL,
    "binomial OR zero_one": BINOMIAL,
    "binomial RD": BINOMIAL,
    "hypergeometric": BINOMIAL,
    "poisson": POISSON,
    "proportion": ("events", "n"),
    "incidence": ("events", "time"),
    "normal": ("y", "se"),
}


@dataclass(frozen=True)
class Case:
    model: str
    rows: tuple
    mu: str = "Normal(0, 2)"
    tau: str = "HalfNormal(0.5)"
    df: float | None = None
    centre: float = 0.0  # of the grid of mu, where that is the whole line


@dataclass(frozen=True)
class Prior:
    log_density: Callable
    low: float = 0.0
    high: float = np.inf


@dataclass(frozen=True)
class Axis:
    """Points x(t) on an even grid of t, and the logs of their trapezoid weights."""

    t: np.ndarray
    x: np.ndarray
    log_weight: np.ndarray
    spread: float = 0.0

    @property
    def step(self):
        return self.t[1] - self.t[0]


# Axes ---------------------------------------------------------------------------------------


def even(low, high, step):
    """Even grid through nought that covers low to high."""
    return step * np.arange(np.floor(low / step), np.ceil(high / step) + 1)


def whole_line(scale, reach, step, centre=0.0):
    t = even(-np.arcsinh(reach / scale), np.arcsinh(reach / scale), step)
    return Axis(t, centre + scale * np.sinh(t), np.log(scale * np.cosh(t) * step), scale)


def half_line(scale, reach, step, start):
    t = even(start, np.log(reach / scale), step)
    log_x = np.log(scale) + t - np.exp(-t)
    return Axis(t, np.exp(log_x), log_x + np.log1p(np.exp(-t)) + np.log(step))


def interval(low, high, step, reach):
    t = even(-reach, reach, step)
    u = np.pi * np.sinh(t)
    log_slope = np.log((high - low) * np.pi * np.cosh(t) * step) + log_expit(u) + log_expit(-u)
    return Axis(t, low + (high - low) * expit(u), log_slope)


def axes(case, mu, tau, fine):
    """Grids for theta, mu and tau; `fine` halves each step and extends each reach."""
    half = 0.5 if fine else 1.0
    far = 2.0 if fine else 1.0
    difference = case.model == "binomial RD"
    scale, reach, step = {
        "binomial RD": (1e-6, 5, 0.02), "normal": (0.3, 15, 0.035)
    }.get(case.model, (0.3, 200, 0.014))  # fmt: skip
    theta = whole_line(scale, reach * far, step * half)
    start, edge = (-2.9, 3.2) if fine else (-2.7, 2.9)
    if np.isfinite(mu.high):
        mu_axis = interval(mu.low, mu.high, 0.02 * half, edge)
    elif mu.low == 0:
        mu_axis = half_line(0.5, 16 * far, 0.03 * half, start)
    else:
        reach = {"Flat()": 1e9, "Normal(-2, 3)": 28}.get(case.mu, 16)
        mu_axis = whole_line(0.001 if difference else 0.3, reach * far, 0.045 * half, case.centre)
    if np.isfinite(tau.high):
        return theta, mu_axis, interval(tau.low, tau.high, 0.04 * half, edge)
    reach = {"HalfNormal(0.5)": 6, "Exponential(2)": 20, "Gamma(2, 4)": 12, "Flat()": 1e9}
    far *= reach.get(case.tau, 1e6)
    return theta, mu_axis, half_line(0.05 if difference else 0.3, far, 0.08 * half, start)


# Priors -------------------------------------------------------------------------------------


def prior(text, se=()):
    """Read a prior as it is spelled in the JSON."""
    names = {
        "Normal": lambda m, s: Prior(stats.norm(m, s).logpdf, -np.inf),
        "StudentT": lambda df, m, s: Prior(stats.t(df, m, s).logpdf, -np.inf),
        "HalfNormal": lambda s: Prior(stats.halfnorm(scale=s).logpdf),
        "HalfCauchy": lambda s: Prior(stats.halfcauchy(scale=s).logpdf),
        "HalfT": lambda df, s: Prior(lambda x: np.log(2) + stats.t(df, 0, s).logpdf(x)),
        "Exponential": lambda rate: Prior(lambda x: np.log(rate) - rate * x),
        "Gamma": lambda shape, rate: Prior(stats.gamma(shape, scale=1 / rate).logpdf),
        "InverseGamma": inverse_gamma,
        "LogNormal": lambda m, s: Prior(stats.lognorm(s, scale=np.exp(m)).logpdf),
        "Uniform": lambda low, high: Prior(
            lambda x: np.full_like(x, -np.log(high - low)), low, high
        ),
        "Beta": lambda a, b: Prior(stats.beta(a, b).logpdf, 0.0, 1.0),
        "Mixture": mixture,
        "Flat": lambda: Prior(np.zeros_like, -np.inf),
        "Jeffreys": lambda: Prior(lambda x: jeffreys(x, np.asarray(se))),
    }
    return eval(text, names)


def inverse_gamma(shape, scale):
    """Density in logs by hand: at a tau near nought the exponent is beyond every float."""

    def log_density(x):
        return shape * np.log(scale) - gammaln(shape) - (shape + 1) * np.log(x) - scale / x

    return Prior(log_density)


def mixture(weight, one, other):
    def log_density(x):
        parts = np.log(weight) + one.log_density(x), np.log1p(-weight) + other.log_density(x)
        return np.logaddexp(*parts)

    return Prior(log_density, -np.inf)


def jeffreys(tau, se):
    return 0.5 * np.log(((tau[:, None] / (se**2 + tau[:, None] ** 2)) ** 2).sum(axis=1))


# Likelihoods --------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def tabulated(model, row, scale, reach, step, fine):
    """Log likelihood of one study at each theta of the axis."""
    theta = whole_line(scale, reach, step).x
    if model in ONE_ARM:
        return one_arm(model, row, theta)
    if model == "hypergeometric":
        return hypergeometric(row, theta)
    return np.concatenate([two_arms(model, row, part, fine) for part in np.array_split(theta, 40)])


def one_arm(model, row, theta):
    if model == "normal":
        y, se = row
        return -0.5 * ((y - theta) / se) ** 2 - np.log(se * np.sqrt(2 * np.pi))
    r, size = row
    if model == "proportion":
        return log_choose(size, r) + r * log_expit(theta) + (size - r) * log_expit(-theta)
    return poisson(r, np.log(size) + theta)


def hypergeometric(row, theta):
    """Log share of the observed table among all with its margins, by summing over them."""
    a, n1, c, n0 = row
    j = np.arange(max(0, a + c - n0), min(n1, a + c) + 1)
    ways = log_choose(n1, j) + log_choose(n0, a + c - j)
    terms = ways + theta[:, None] * (j - a)
    return ways[j == a] - logsumexp(terms, axis=1)


def two_arms(model, row, theta, fine):
    """Log of the sum over the baseline, on an even grid of r where x = 2 sinh(r)."""
    reach = (200 if fine else 170) if model == "binomial RD" else (100 if fine else 80)
    axis = whole_line(2.0, reach, 0.007 if fine else 0.014)
    x, theta = axis.x, theta[:, None]
    a, n1, c, n0 = row
    if model == "binomial RD":
        p1, q1, p0, q0, beta, log_slope = difference_risks(theta, x)
        log_l = log_choose(n1, a) + log_choose(n0, c) + log_slope
        log_l += a * p1 + (n1 - a) * q1 + c * p0 + (n0 - c) * q0
    elif model == "poisson":
        beta = x
        log_l = poisson(a, np.log(n1) + x + theta / 2) + poisson(c, np.log(n0) + x - theta / 2)
    else:
        beta = x
        shift = theta / 2 if model == "binomial OR half" else 0.0
        down, up = x - shift, x + theta - shift
        log_l = log_choose(n1, a) + log_choose(n0, c) + n1 * log_expit(-up) + n0 * log_expit(-down)
        log_l += a * up + c * down
    log_l += -0.5 * (beta / BASELINE_SD) ** 2 - np.log(BASELINE_SD * np.sqrt(2 * np.pi))
    log_l += axis.log_weight
    top = log_l.max(axis=1)
    return top + np.log(np.exp(log_l - top[:, None]).sum(axis=1))


def difference_risks(theta, x):
    """Logs of the risks and of their complements, the baseline, and the log of its slope in x.

    With d = |tanh(theta)|, the smaller risk is (1 - d) expit(x) and the larger is d more.
    """
    size = np.abs(theta)
    with np.errstate(divide="ignore"):
        log_d = np.log(np.tanh(size))
    log_rest = np.log(2) + log_expit(-2 * size)
    log_up, log_down = log_expit(x), log_expit(-x)
    small, not_large = log_rest + log_up, log_rest + log_down
    large, not_small = np.logaddexp(log_d, small), np.logaddexp(log_d, not_large)
    beta = 0.5 * (large - not_large + small - not_small)
    move = log_rest + log_up + log_down
    slope = np.exp(log_up) + np.exp(log_down) + np.exp(move - large) + np.exp(move - not_small)
    treatment_larger = theta > 0
    return (
        np.where(treatment_larger, large, small),
        np.where(treatment_larger, not_large, not_small),
        np.where(treatment_larger, small, large),
        np.where(treatment_larger, not_small, not_large),
        beta,
        np.log(0.5 * slope),
    )


def poisson(count, log_mean):
    return count * log_mean - np.exp(log_mean) - gammaln(count + 1)


def log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


# Sums ---------------------------------------------------------------------------------------


def posterior(case, fine):
    """Sum everything out: the entry `result` of the JSON, without its errors."""
    se = [row[1] for row in case.rows] if case.model == "normal" else ()
    mu_prior, tau_prior = prior(case.mu), prior(case.tau, se)
    if case.tau == "Flat()":
        tau_prior = Prior(tau_prior.log_density)
    theta, mu, tau = axes(case, mu_prior, tau_prior, fine)
    reach = theta.x[-1] * (1 - 1e-9)
    logs = np.array(
        [tabulated(case.model, row, theta.spread, reach, theta.step, fine) for row in case.rows]
    )
    curve = log_likelihoods(case, theta, logs)
    at = np.array([smoothed(theta, logs, curve, mu.x, s, case.df, fine) for s in tau.x])
    with np.errstate(divide="ignore"):
        log_mu = mu_prior.log_density(mu.x) + mu.log_weight
        log_tau = tau_prior.log_density(tau.x) + tau.log_weight
    joint = at + log_mu + log_tau[:, None]
    log_z = float(logsumexp(joint))
    share = np.exp(joint - log_z)
    return {
        "mu": summary(mu, share.sum(axis=0)),
        "tau": summary(tau, share.sum(axis=1)),
        "log_marginal_likelihood": log_z,
    }


def log_likelihoods(case, theta, logs):
    """All studies' log likelihoods at any points of theta, studies last: a spline of a table."""
    if case.model in ONE_ARM:
        columns = np.array(case.rows).T
        return lambda points: one_arm(case.model, columns, points[..., None])
    spline = interpolate.make_interp_spline(theta.t, logs.T, k=5)
    return lambda points: spline(
        np.clip(np.arcsinh(points / theta.spread), theta.t[0], theta.t[-1])
    )


def smoothed(theta, logs, curve, mu, tau, df, fine):
    """Log likelihood of all studies at each mu for this tau, each theta summed out.

    The sum runs over the table of theta where its steps are well below tau, else over
    z = (theta - mu) / tau.
    """
    found = np.empty(mu.size)
    near = tau < 2 * theta.step * np.hypot(theta.spread, mu)
    if near.any():
        found[near] = over_z(theta, curve, mu[near], tau, df, fine)
    if not near.all():
        found[~near] = over_theta(theta, logs, mu[~near], tau, df)
    return found


def over_theta(theta, logs, mu, tau, df):
    kernel = log_kernel((theta.x - mu[:, None]) / tau, df) - np.log(tau)
    top = kernel.max(axis=1)
    peak = (logs + theta.log_weight).max(axis=1)
    inner = np.exp(kernel - top[:, None]) @ np.exp(logs + theta.log_weight - peak[:, None]).T
    with np.errstate(divide="ignore"):
        return (np.log(inner) + peak).sum(axis=1) + len(logs) * top


def over_z(theta, curve, mu, tau, df, fine):
    if df is None:
        z = np.linspace(-11, 11, 177) if fine else np.linspace(-8.5, 8.5, 69)
        log_weight = log_kernel(z, df) + np.log(z[1] - z[0])
    else:
        axis = whole_line(2.0, 1e5 if fine else 1e4, 0.04 if fine else 0.08)
        z, log_weight = axis.x, axis.log_weight + log_kernel(axis.x, df)
    points = np.clip(mu[:, None] + tau * z, theta.x[0], theta.x[-1])
    terms = curve(points) + log_weight[:, None]
    top = terms.max(axis=1)
    return (top + np.log(np.exp(terms - top[:, None]).sum(axis=1))).sum(axis=1)


def log_kernel(z, df):
    if df is None:
        return -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return constant - (df + 1) / 2 * np.log1p(z**2 / df)


def summary(axis, share):
    """Mean, SD and quantiles: the quantiles from a spline of the density in t."""
    mean = float(share @ axis.x)
    below = interpolate.make_interp_spline(axis.t, share / axis.step, k=5).antiderivative()
    place = interpolate.make_interp_spline(axis.t, axis.x, k=5)
    whole = below(axis.t[-1])
    found = [
        optimize.brentq(lambda t, q=q: below(t) - q * whole, axis.t[0], axis.t[-1], xtol=1e-13)
        for q in (0.025, 0.5, 0.975)
    ]
    return {
        "mean": mean,
        "sd": float(np.sqrt(share @ (axis.x - mean) ** 2)),
        "quantiles": [float(place(t)) for t in found],
    }


def change(one, other):
    """Largest difference of two summaries of one parameter, in posterior SDs."""
    first, second = ([s["mean"], s["sd"], *s["quantiles"]] for s in (one, other))
    return float(np.max(np.abs(np.subtract(first, second))) / other["sd"])


def answer(case):
    rough, fine = posterior(case, fine=False), posterior(case, fine=True)
    moved = max(change(rough[one], fine[one]) for one in ("mu", "tau"))
    shift = abs(rough["log_marginal_likelihood"] - fine["log_marginal_likelihood"])
    return {**fine, "error": moved, "log_marginal_likelihood_error": shift}


# Cases --------------------------------------------------------------------------------------

DENSE = (
    (42, 210, 55, 205), (31, 180, 40, 176), (64, 320, 70, 310), (25, 150, 38, 155),
    (88, 400, 97, 390), (20, 120, 22, 118), (51, 260, 49, 250),
)  # fmt: skip
SPARSE = ((0, 40, 3, 42), (1, 55, 2, 50), (0, 30, 0, 31), (2, 80, 0, 78), (1, 25, 4, 27))
SMALL = ((7, 52, 12, 49), (4, 33, 9, 36), (15, 101, 18, 98))
DOUBLE_ZERO = ((0, 30, 0, 28), (0, 55, 0, 60), (0, 12, 0, 24))
OUTLYING = ((30, 150, 32, 148), (41, 200, 45, 204), (22, 110, 25, 112), (70, 120, 20, 118),
            (52, 240, 55, 238), (36, 170, 40, 171))  # fmt: skip
TWO = ((35, 140, 48, 138), (60, 250, 71, 246))
NO_CONTROL_EVENTS = ((2, 40, 0, 41), (1, 33, 0, 30), (3, 60, 0, 62), (0, 25, 0, 25), (5, 90, 0, 45))
MANY = (
    *DENSE, *SPARSE, *SMALL, *DOUBLE_ZERO[:2], *OUTLYING[:3], *TWO,
    (1, 60, 3, 61), (0, 20, 1, 21), (6, 75, 8, 70), (12, 90, 15, 92), (3, 48, 3, 50),
    (27, 130, 35, 128), (0, 45, 2, 44), (9, 66, 7, 64), (14, 105, 22, 108), (2, 35, 5, 36),
    (45, 190, 58, 195), (1, 15, 0, 16), (5, 41, 9, 40), (19, 84, 24, 86), (33, 160, 39, 158),
    (4, 100, 6, 98), (8, 30, 12, 31), (0, 70, 1, 68),
)  # fmt: skip
TIMES_DENSE = (
    (35, 120.5, 48, 118.25), (22, 80.25, 30, 85.75), (61, 310.4, 77, 305.1),
    (40, 95.6, 41, 92.3), (28, 60.75, 33, 58.5), (90, 402.2, 118, 399.9),
)  # fmt: skip
TIMES_SPARSE = ((0, 55.5, 2, 54.25), (1, 80.25, 3, 78.5), (0, 30.1, 0, 29.8), (2, 120.5, 0, 118.6))
TIMES_SMALL = ((5, 41.3, 9, 39.7), (3, 22.6, 4, 25.15), (11, 140.8, 16, 133.4))
EFFECTS = {
    "four": ((0.12, 0.21), (-0.35, 0.30), (0.48, 0.26), (0.05, 0.18)),
    "five": ((0.12, 0.21), (-0.35, 0.30), (0.48, 0.26), (0.05, 0.18), (0.71, 0.35)),
    "positive": ((0.42, 0.15), (0.25, 0.22), (0.61, 0.30), (0.33, 0.19)),
    "even": ((-0.20, 0.15), (0.05, 0.22), (-0.41, 0.31), (-0.12, 0.19), (0.17, 0.27)),
    "outlier": ((0.10, 0.15), (0.02, 0.20), (0.21, 0.18), (-0.08, 0.25), (2.60, 0.22)),
}  # fmt: skip
SETS = {
    "binomial RD": {"dense": DENSE, "sparse": SPARSE, "small": SMALL},
    "binomial OR zero_one": {"dense": DENSE, "sparse": SPARSE, "small": SMALL},
    "hypergeometric": {
        "dense": DENSE, "sparse": SPARSE, "small": SMALL, "only double zeros": DOUBLE_ZERO,
    },
    "poisson": {"dense": TIMES_DENSE, "sparse": TIMES_SPARSE, "small": TIMES_SMALL},
    "proportion": {
        "dense": tuple(row[:2] for row in DENSE),
        "nearly no events": ((0, 20), (0, 35), (1, 60), (0, 12), (0, 48)),
        "small": ((18, 40), (33, 51), (9, 27)),
    },
    "incidence": {
        "dense": tuple(row[:2] for row in TIMES_DENSE),
        "nearly no events": ((0, 20.5), (1, 80.25), (0, 44.6), (0, 12.75)),
        "small": ((5, 41.3), (3, 22.6), (11, 140.8)),
    },
    "binomial OR half": {"two": TWO, "forty": MANY, "no control events": NO_CONTROL_EVENTS},
}  # fmt: skip


CENTRES = {
    "proportion, dense": -1.4, "proportion, nearly no events": -4.6,
    "incidence, dense": -1.1, "incidence, nearly no events": -4.5, "incidence, small": -2.2,
    "binomial OR half, forty": -0.27, "binomial OR half, no control events": 2.7,
    "binomial OR half, two": -0.3,
}  # fmt: skip


def cases():
    found = {}
    for model, sets in SETS.items():
        mu = "Normal(-2, 3)" if model == "incidence" else "Normal(0, 2)"
        for name, rows in sets.items():
            case = f"{model}, {name}"
            found[case] = Case(model, rows, mu=mu, centre=CENTRES.get(case, 0.0))
    return found | student_cases() | mu_cases() | tau_cases()


def student_cases():
    odds = {"small": SMALL, "outlier": OUTLYING}
    found = {
        f"t4, binomial OR half, {name}": Case("binomial OR half", rows, df=4)
        for name, rows in odds.items()
    }
    for df in (3, 5):
        for name in ("even", "outlier"):
            found[f"t{df}, normal, {name}"] = Case("normal", EFFECTS[name], df=df)
    return found


def mu_cases():
    odds = ("HalfNormal(1)", "Uniform(-1, 0.5)", "Exponential(1)",
            "Mixture(0.5, Normal(0, 1), Normal(0, 0.1))")  # fmt: skip
    effects = ("Gamma(3, 2)", "Beta(2, 3)", "LogNormal(-1, 0.5)", "StudentT(3, 0, 1)")
    return {
        f"mu ~ {mu}, binomial OR half": Case("binomial OR half", SMALL, mu=mu) for mu in odds
    } | {f"mu ~ {mu}, normal": Case("normal", EFFECTS["positive"], mu=mu) for mu in effects}


def tau_cases():
    proper = (
        "HalfCauchy(0.5)", "HalfT(3, 0.5)", "Exponential(2)", "Gamma(2, 4)",
        "InverseGamma(1.77, 0.55)", "LogNormal(-1.975, 0.67)", "Uniform(0, 2)", "Beta(2, 5)",
    )  # fmt: skip
    found = {
        f"tau ~ {tau}, normal": Case("normal", EFFECTS["four"], tau=tau)
        for tau in (*proper, "Flat()")
    }
    for tau in ("Flat()", "Jeffreys()"):
        found[f"mu ~ Flat(), tau ~ {tau}, normal"] = Case(
            "normal", EFFECTS["five"], mu="Flat()", tau=tau
        )
    for tau in ("HalfCauchy(0.5)", "InverseGamma(1.77, 0.55)"):
        found[f"tau ~ {tau}, binomial OR half"] = Case("binomial OR half", SMALL, tau=tau)
    return found


def entry(case):
    columns = zip(COLUMNS[case.model], zip(*case.rows, strict=True), strict=True)
    return {
        "model": case.model,
        "data": {name: list(column) for name, column in columns},
        "mu": case.mu,
        "tau": case.tau,
        "df": case.df,
        "result": answer(case),
    }


def main():
    """Write brute_likelihoods.json beside this file: six to eight minutes."""
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    found = {name: entry(case) for name, case in cases().items()}
    document = {"program": "brute_likelihoods.py", "versions": versions, "cases": found}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
