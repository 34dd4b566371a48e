"""Parameters and data drawn from a model, in NumPy alone."""

# SciPy types its results as unions with a second return value:
# pyright: reportArgumentType=false

from collections.abc import Callable, Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln

from .effects import arm_estimates
from .errors import ModelError
from .model import (
    Arms,
    Binomial,
    CorrelatedEstimates,
    CorrelatedSpread,
    Data,
    Estimates,
    Hypergeometric,
    Incidence,
    Likelihood,
    Model,
    MultivariateNormal,
    OfCounts,
    OutlierSpread,
    Overdispersed,
    Poisson,
    Proportion,
    Scatter,
    Spread,
)
from .multivariate import MultivariateEffects, matrices, pairs, root
from .priors import (
    LKJ,
    Beta,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    LogNormal,
    Mixture,
    Normal,
    Prior,
    StudentT,
    Uniform,
)
from .studies import ContinuousStudies, rough_arms

type Array = NDArray[np.float64]
type Draws = Mapping[str, Array]

LARGEST_RATE = 1e15  # of events in an arm: where a vague prior leads, NumPy cannot draw


def risks(theta: Array, baseline: Array, link: str) -> tuple[Array, Array]:
    """Risks of treatment and control from the study effects and baselines.

    Written apart from the PyMC form: the odds product is solved as a quadratic for the risk, here
    in its other root form, so that the two check each other.

    Parameters
    ----------
    theta, baseline : ndarray, any shape
        Log OR, log RR or atanh(RD), and the midpoint logit (in 0/1 coding the control arm's, for
        RR and RD half the log odds product).
    link : {"OR half", "OR zero_one", "RR", "RD"}

    Returns
    -------
    tuple of ndarray
        Treatment and control risks, between 0 and 1.

    References
    ----------
    Richardson TS, Robins JM, Wang L (2017). JASA 112:1121-1130.
    """
    if link not in _RISKS:
        raise ModelError(f"risks are defined for {', '.join(_RISKS)}, not {link!r}.")
    return _RISKS[link](theta, baseline)


def _ratio_risks(theta: Array, baseline: Array) -> tuple[Array, Array]:
    ratio = np.exp(-np.abs(theta))  # of the smaller to the larger risk
    product = np.exp(-2 * np.maximum(baseline, -350.0))
    root = np.sqrt((1 - ratio) ** 2 + 4 * ratio * product)
    larger = 2 / (1 + ratio + root)
    smaller = ratio * larger
    return np.where(theta < 0, smaller, larger), np.where(theta < 0, larger, smaller)


def _difference_risks(theta: Array, baseline: Array) -> tuple[Array, Array]:
    """From the mean m of the two risks: with c = coth(2 beta), m solves a quadratic in 2m - 1.

    p1 p0 / ((1-p1)(1-p0)) = exp(2 beta), p1 - p0 = d: t = 2m - 1 satisfies
    t² - 2 c t + 1 - d² = 0, whose root within ±1 is (1 - d²) / (c ± √(c² - 1 + d²)).
    """
    difference = np.tanh(theta)
    tanh = np.tanh(baseline)
    rest = 1 - difference**2
    t = rest * tanh / (1 + np.sqrt(np.maximum(1 - rest * tanh**2, 0.0)))
    return (1 + t + difference) / 2, (1 + t - difference) / 2


_RISKS: Mapping[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "OR half": lambda theta, beta: (expit(beta + theta / 2), expit(beta - theta / 2)),
    "OR zero_one": lambda theta, beta: (expit(beta + theta), expit(beta)),
    "RR": _ratio_risks,
    "RD": _difference_risks,
}


def parameters(model: Model, k: int, n: int, *, seed: int) -> Draws:
    """Draw parameters of a model from its priors, study effects and baselines from their laws.

    Parameters
    ----------
    model : Model
    k : int
        Number of studies.
    n : int
        Number of draws.
    seed : int

    Returns
    -------
    mapping of str to ndarray
        Every parameter of the model by name, (n,), with random effects also ``theta`` (n, k) and
        ``theta_new`` (n,); ``baseline`` is (n, k) where each study has its own, ``log_sd``
        (2, n, k), of treatment and control, or (1, n, k) where the arms share it. Of several
        outcomes all but ``within`` have a last axis for them, or for their pairs.

    Raises
    ------
    ModelError
        If a prior is improper: there is nothing to draw from; or of several outcomes, if the model
        does not say which.
    """
    rng = np.random.default_rng(seed)
    return _parameters(model.likelihood, model, (n, k), rng)


@singledispatch
def _parameters(
    of: Likelihood, model: Model, size: tuple[int, int], rng: np.random.Generator
) -> Draws:
    raise ModelError(f"There is no simulator for {model.name}.")


@_parameters.register(Estimates | OfCounts | Arms)
def _(of: Likelihood, model: Model, size: tuple[int, int], rng: np.random.Generator) -> Draws:
    n, k = size
    drawn: dict[str, Array] = {}
    for name, prior in model.priors.items():
        shape = (n, k) if name in of.own else (n,)
        if name == "log_sd":
            shape = (1 if of.measure == "SMD" else 2, n, k)
        drawn[name] = prior_draws(prior, int(np.prod(shape)), rng).reshape(shape)
    if "baseline_mean" in drawn:
        mean, sd = drawn["baseline_mean"][:, None], drawn["baseline_sd"][:, None]
        drawn["baseline"] = mean + sd * rng.standard_normal((n, k))
    if "tau" in drawn:
        drawn["theta"] = new_effects(model, drawn, k, rng)
        drawn["theta_new"] = new_effects(model, drawn, 1, rng)[:, 0]
    return drawn


def new_effects(model: Model, draws: Draws, k: int, rng: np.random.Generator) -> Array:
    """Draw effects of `k` new studies for every draw of the shared parameters, (n, k)."""
    return _new_effects(model.between, draws, k, rng)


@singledispatch
def _new_effects(between: Spread, draws: Draws, k: int, rng: np.random.Generator) -> Array:
    raise ModelError(f"There is no simulator for {between!r}.")


@_new_effects.register
def _(between: Scatter, draws: Draws, k: int, rng: np.random.Generator) -> Array:
    mu, tau = draws["mu"][:, None], draws["tau"][:, None]
    shape, df = (mu.size, k), between.df
    if "df" in draws:
        df = draws["df"][:, None]
    return mu + tau * (rng.standard_normal(shape) if df is None else rng.standard_t(df, shape))  # pyright: ignore[reportCallIssue, reportArgumentType]


@_new_effects.register
def _(between: OutlierSpread, draws: Draws, k: int, rng: np.random.Generator) -> Array:
    mu, tau = draws["mu"][:, None], draws["tau"][:, None]
    outlying = rng.uniform(size=(mu.size, k)) < draws["share"][:, None]
    tau = np.where(outlying, np.hypot(tau, draws["spread"][:, None]), tau)
    return mu + tau * rng.standard_normal((mu.size, k))


@_new_effects.register
def _(between: CorrelatedSpread, draws: Draws, k: int, rng: np.random.Generator) -> Array:
    return _correlated_effects(draws, k, rng)


@_parameters.register
def _(
    of: CorrelatedEstimates,
    model: MultivariateNormal,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Draws:
    (n, k), outcomes = size, model.outcomes
    if outcomes is None and isinstance(model.rho, LKJ):
        raise ModelError(
            "The model does not say how many outcomes there are; give each its prior, e.g. "
            "mu={'PD': Normal(0, 1), 'AL': Normal(0, 1)}."
        )
    outcomes = outcomes or ("first", "second")
    drawn = {
        name: np.stack([prior_draws(model.of(name, one), n, rng) for one in outcomes], axis=1)
        for name in ("mu", "tau")
    }
    drawn["rho"] = _correlations(model.rho, len(outcomes), n, rng)
    if model.within is not None:
        drawn["within"] = prior_draws(model.within, n, rng)
    drawn["theta"] = _correlated_effects(drawn, k, rng)
    drawn["theta_new"] = _correlated_effects(drawn, 1, rng)[:, 0]
    return drawn


def _correlations(prior: Prior, p: int, n: int, rng: np.random.Generator) -> Array:
    """Correlations of pairs, (n, pairs), or (n,) for two outcomes.

    LKJ by the onion of Lewandowski, Kurowicka & Joe (2009), one outcome after another: the engine
    has the vine of partial correlations, so that the two check each other.
    """
    if not isinstance(prior, LKJ):
        return prior_draws(prior, n, rng)
    factor = np.zeros((n, p, p))
    factor[:, 0, 0] = 1.0
    for m in range(1, p):
        share = rng.beta(m / 2, prior.eta + (p - 1 - m) / 2, n)
        towards = rng.standard_normal((n, m))
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        factor[:, m, :m] = np.sqrt(share)[:, None] * towards
        factor[:, m, m] = np.sqrt(1 - share)
    first, second = pairs(p)
    rho = (factor @ factor.transpose(0, 2, 1))[:, first, second]
    return rho[:, 0] if p == 2 else rho


def _correlated_effects(draws: Draws, k: int, rng: np.random.Generator) -> Array:
    """Effects of `k` studies on all outcomes, (n, k, p)."""
    mu, tau, rho = draws["mu"], draws["tau"], draws["rho"]
    p = mu.shape[1]
    between = matrices(rho.reshape(len(mu), -1), p) * tau[:, :, None] * tau[:, None, :]
    return mu[:, None] + rng.standard_normal((len(mu), k, p)) @ root(between)


def replicate(
    model: Model, draws: Draws, data: Data, *, seed: int, new: bool = False
) -> Mapping[str, Array]:
    """Draw data of the same designs, one table per draw of the parameters.

    Parameters
    ----------
    model : Model
    draws : mapping of str to ndarray
        Parameters by name, of shape (n,) or (n, k).
    data : EffectSizes or table of counts
        For standard errors, sizes of arms, person-time, margins, what is reported.
    seed : int
    new : bool
        New studies: their effects are drawn from mu and tau, designs and baselines stay.

    Returns
    -------
    mapping of str to ndarray, each (n, k)
        The observed columns by name: ``y``, or events. Of several outcomes (n, k, p), with NaN
        where a study does not report one.

    Raises
    ------
    ModelError
        If the model has no way to make data.
    """
    rng = np.random.default_rng(seed)
    if new and "tau" in draws:
        draws = {**draws, "theta": new_effects(model, draws, data.k, rng)}
    if "theta" not in draws and "rho" not in draws:  # one effect for all
        effect = draws["mu"][:, None]
        draws = {**draws, "theta": np.broadcast_to(effect, (len(effect), data.k))}
    return _observe(model.likelihood, draws, data, rng)


@singledispatch
def _observe(
    of: Likelihood, draws: Draws, data: Data, rng: np.random.Generator
) -> Mapping[str, Array]:
    raise ModelError(f"There is no simulator for {of!r}.")


@_observe.register
def _(of: Estimates, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"y": rng.normal(draws["theta"], data.numbers["se"])}


@_observe.register
def _(of: Arms, draws: Draws, data: ContinuousStudies, rng: np.random.Generator) -> Draws:
    nuisance = _reference_arms(of, draws["theta"], data, rng)
    found = arm_figures(of, {**nuisance, **draws}, data.n_treatment, data.n_control, rng)
    n = np.broadcast_arrays(draws["theta"], data.n_treatment, data.n_control)[1:]
    sides = [(*figures, size) for figures, size in zip(found, n, strict=True)]
    return {"y": arm_estimates(*of.pair, *sides)[0]}


def _reference_arms(
    of: Arms, theta: Array, data: ContinuousStudies, rng: np.random.Generator
) -> Draws:
    """SDs as the reported ones leave them open, and baselines as reported."""
    figures = [rough_arms(data, arm, of.arms) for arm in data.arms]
    scales = [(sd, n - 1) for _, sd, n in figures]
    if of.measure == "SMD":
        df = scales[0][1] + scales[1][1]
        scales = [(np.sqrt(sum(sd**2 * each for sd, each in scales) / df), df)]
    log_sd = [np.log(sd * np.sqrt(df / rng.chisquare(df, theta.shape))) for sd, df in scales]
    means = []
    for mean, sd, _ in figures:
        of_mean = sd**2 / 2 if of.pair == ("ROM", "lognormal") else 0.0
        log = of.pair == ("ROM", "normal")
        means.append(np.log(np.maximum(mean, 0.1 * sd)) if log else mean + of_mean)
    baseline = np.broadcast_to((means[0] + means[1]) / 2, theta.shape)
    return {"log_sd": np.stack(log_sd), "baseline": baseline}


def arm_figures(
    of: Arms,
    draws: Draws,
    n_treatment: Array,
    n_control: Array,
    rng: np.random.Generator,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Draw means and SDs of both arms, on the scale on which patients are normal.

    Parameters
    ----------
    of : Arms
    draws : mapping of str to ndarray
        ``theta`` and ``baseline``, (n, k); ``log_sd``, (2, n, k), or for SMD (1, n, k).
    n_treatment, n_control : ndarray, shape (k,)
    rng : Generator

    Returns
    -------
    tuple
        Mean and SD of the treatment arm, then of the control arm, each (n, k).
    """
    sds = np.exp(draws["log_sd"])
    sides = zip((0.5, -0.5), (sds[0], sds[-1]), (n_treatment, n_control), strict=True)
    found = []
    for side, sd, n in sides:
        unit = sds[0] if of.measure == "SMD" else 1.0
        mean = draws["baseline"] + side * draws["theta"] * unit
        if of.pair == ("ROM", "normal"):
            mean = np.exp(mean)
        elif of.measure == "ROM":
            mean = mean - sd**2 / 2
        drawn_sd = sd * np.sqrt(rng.chisquare(n - 1, sd.shape) / (n - 1))
        found.append((rng.normal(mean, sd / np.sqrt(n)), drawn_sd))
    return found[0], found[1]


@_observe.register
def _(
    of: CorrelatedEstimates, draws: Draws, data: MultivariateEffects, rng: np.random.Generator
) -> Draws:
    noise = rng.standard_normal((*draws["theta"].shape, 1))
    error = (root(data.sampling(draws.get("within"))) @ noise)[..., 0]
    return {"y": np.where(data.reported, draws["theta"] + error, np.nan)}


@_observe.register
def _(of: Binomial, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    both = risks(draws["theta"], draws["baseline"], of.link)
    return {
        f"events_{arm}": _binomial(data.numbers[f"n_{arm}"], p, rng)
        for arm, p in zip(("treatment", "control"), both, strict=True)
    }


@_observe.register
def _(of: Hypergeometric, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    a, n1, c, n0 = (data.numbers[name] for name in data.columns())
    columns = zip(draws["theta"].T, n1, n0, a + c, strict=True)
    treatment = np.stack([_fisher(*one, rng) for one in columns], axis=1)
    return {"events_treatment": treatment, "events_control": a + c - treatment}


@_observe.register
def _(of: Poisson, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    sides = {"treatment": 0.5, "control": -0.5}
    return {
        f"events_{arm}": _poisson(
            data.numbers[f"time_{arm}"], draws["baseline"] + side * draws["theta"], rng
        )
        for arm, side in sides.items()
    }


@_observe.register
def _(of: Proportion, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"events": _binomial(data.numbers["n"], expit(draws["theta"]), rng)}


@_observe.register
def _(of: Incidence, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    return {"events": _poisson(data.numbers["time"], draws["theta"], rng)}


@_observe.register
def _(of: Overdispersed, draws: Draws, data: Data, rng: np.random.Generator) -> Draws:
    beta, mu, rho = (draws[name][:, None] for name in ("baseline", "mu", "rho"))
    total = (1 - rho) / np.maximum(rho, 1e-12)
    found = {}
    for arm, side in (("treatment", 0.5), ("control", -0.5)):
        logit = np.clip(beta + side * mu, -700, 700)
        shape = (mu.size, data.k)
        first = rng.gamma(total * expit(logit), size=shape)
        second = rng.gamma(total * expit(-logit), size=shape)
        none = first + second == 0  # both underflow: nearly all or none have the event
        risk = np.where(none, rng.uniform(size=shape) < expit(logit), first)
        risk = risk / np.where(none, 1.0, first + second)
        found[f"events_{arm}"] = _binomial(data.numbers[f"n_{arm}"], risk, rng)
    return found


def _binomial(n: Array, risk: Array, rng: np.random.Generator) -> Array:
    return rng.binomial(n.astype(np.int64), np.clip(risk, 0.0, 1.0)).astype(np.float64)


def _poisson(time: Array, log_rate: Array, rng: np.random.Generator) -> Array:
    with np.errstate(over="ignore"):
        mean = np.minimum(time * np.exp(log_rate), LARGEST_RATE)
    return rng.poisson(mean).astype(np.float64)


def _fisher(
    theta: Array, n_treatment: float, n_control: float, events: float, rng: np.random.Generator
) -> Array:
    """Draw once for each theta, (n,), from the non-central hypergeometric distribution."""
    count = np.arange(max(0.0, events - n_control), min(n_treatment, events) + 1)
    rest = (count, n_treatment - count, events - count, n_control - events + count)
    weight = -sum(gammaln(one + 1) for one in rest)
    found = np.empty(theta.size)
    for part in np.array_split(np.arange(theta.size), max(1, theta.size * count.size // 2**20)):
        log_p = weight + theta[part, None] * count
        cumulative = np.cumsum(np.exp(log_p - log_p.max(axis=1, keepdims=True)), axis=1)
        target = rng.uniform(size=part.size) * cumulative[:, -1]
        found[part] = count[(cumulative < target[:, None]).sum(axis=1)]
    return found


def prior_draws(prior: Prior, n: int, rng: np.random.Generator) -> Array:
    """Draw `n` values from a prior.

    Raises
    ------
    ModelError
        If the prior is improper: there is nothing to draw from.
    """
    if not prior.proper:
        raise ModelError(f"Nothing can be drawn from {prior!r}: it is improper.")
    if isinstance(prior, Mixture):
        first = rng.uniform(size=n) < prior.weight
        return np.where(first, *(prior_draws(part, n, rng) for _, part in prior.parts))
    if type(prior) not in _SAMPLERS:
        raise ModelError(f"There is no sampler for {prior!r}.")
    return _SAMPLERS[type(prior)](rng, n, *prior.numbers.values())


_SAMPLERS: Mapping[type[Prior], Callable[..., Array]] = {
    Normal: lambda rng, n, mean, sd: rng.normal(mean, sd, n),
    StudentT: lambda rng, n, df, mean, scale: mean + scale * rng.standard_t(df, n),
    HalfNormal: lambda rng, n, scale: np.abs(rng.normal(0, scale, n)),
    HalfCauchy: lambda rng, n, scale: np.abs(scale * rng.standard_cauchy(n)),
    HalfT: lambda rng, n, df, scale: np.abs(scale * rng.standard_t(df, n)),
    LogNormal: lambda rng, n, mean, sd: rng.lognormal(mean, sd, n),
    Exponential: lambda rng, n, rate: rng.exponential(1 / rate, n),
    Gamma: lambda rng, n, shape, rate: rng.gamma(shape, 1 / rate, n),
    InverseGamma: lambda rng, n, shape, scale: scale / rng.gamma(shape, 1.0, n),
    Uniform: lambda rng, n, low, high: rng.uniform(low, high, n),
    Beta: lambda rng, n, a, b: rng.beta(a, b, n),
}
