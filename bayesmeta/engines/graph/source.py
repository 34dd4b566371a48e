"""A model as a person reads it: in mathematics, and as PyMC source."""

import math
from collections.abc import Mapping
from functools import singledispatch

from ...errors import ModelError
from ...model import (
    BetaBinomial,
    BinomialNormal,
    CommonEffect,
    ContinuousCommonEffect,
    ContinuousNormal,
    Exchangeable,
    HypergeometricNormal,
    IncidenceNormal,
    Model,
    MultivariateNormal,
    NormalNormal,
    OfArms,
    OutlierMixture,
    PoissonNormal,
    ProportionNormal,
    RandomEffects,
)
from ...priors import (
    LKJ,
    Beta,
    Exponential,
    Flat,
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
from . import _source_arms as of_arms

_PYMC: Mapping[type[Prior], tuple[str, tuple[str, ...]]] = {
    Normal: ("Normal", ("mu", "sigma")),
    StudentT: ("StudentT", ("nu", "mu", "sigma")),
    HalfNormal: ("HalfNormal", ("sigma",)),
    HalfCauchy: ("HalfCauchy", ("beta",)),
    HalfT: ("HalfStudentT", ("nu", "sigma")),
    LogNormal: ("LogNormal", ("mu", "sigma")),
    Exponential: ("Exponential", ("lam",)),
    Gamma: ("Gamma", ("alpha", "beta")),
    InverseGamma: ("InverseGamma", ("alpha", "beta")),
    Uniform: ("Uniform", ("lower", "upper")),
    Beta: ("Beta", ("alpha", "beta")),
}

_HEAD = """\
import numpy as np
import pymc as pm
import pytensor.tensor as pt

# study: list of k names; the other names below are float arrays of length k
with pm.Model(coords={"study": study}) as model:
"""
_EFFECTS = """\
theta = pm.Deterministic("theta", mu + tau * z, dims="study")
"""
_WEIGHTS = """\
# a normal effect over the root of its weight is Student-t; bayesmeta itself samples
# log(weight) / sqrt(2 / df + 4 / df**2), with the same posterior
weight = pm.Gamma("weight", alpha=df / 2, beta=df / 2, dims="study")
"""
_WEIGHTED_EFFECTS = """\
z = pm.Normal("z", mu=0, sigma=1, dims="study")
theta = pm.Deterministic("theta", mu + tau / pt.sqrt(weight) * z, dims="study")
"""
_WEIGHTED_ESTIMATES = """\
# study effects integrated out
pm.Normal("y_observed", mu, pt.sqrt(se**2 + tau**2 / weight), observed=y, dims="study")
"""
_ZERO_ONE = """\
logit_treatment = baseline + theta
logit_control = baseline
"""
_RD = """\
e, s = pt.abs(pt.tanh(theta)), pt.exp(2 * baseline)
log_rest = np.log(2) - pt.softplus(2 * pt.abs(theta))
root = pt.sqrt(e**2 * (1 - s) ** 2 + 4 * s)
log_small = np.log(2) + 2 * baseline + log_rest - pt.log(s * (2 - e) + e + root)
log_not_large = np.log(2) + log_rest - pt.log(2 - e + e * s + root)
large = pt.log(pt.exp(log_small) + e) - log_not_large
small = log_small - pt.log(pt.exp(log_not_large) + e)
logit_treatment = pt.switch(theta > 0, large, small)
logit_control = pt.switch(theta > 0, small, large)
"""
_OR = """\
logit_treatment = baseline + theta / 2
logit_control = baseline - theta / 2
"""
_RR = """\
a = pt.exp(theta)
d = pt.abs(1 - a)
s = pt.sqrt(d**2 + 4 * a * pt.exp(-2 * baseline))
large = pt.log(s + d)
small = np.log(4) + theta - 2 * baseline - large
logit_treatment = np.log(2) + theta - pt.switch(a > 1, small, large)
logit_control = np.log(2) - pt.switch(a < 1, small, large)
"""
_ARMS = """\
pm.Binomial("treatment_observed", n=n_treatment, logit_p=logit_treatment,
            observed=events_treatment, dims="study")
pm.Binomial("control_observed", n=n_control, logit_p=logit_control,
            observed=events_control, dims="study")
"""


_RISKS = {"OR half": _OR, "OR zero_one": _ZERO_ONE, "RR": _RR, "RD": _RD}
_POISSON = """\
pm.Poisson("treatment_observed", mu=time_treatment * pt.exp(baseline + theta / 2),
           observed=events_treatment, dims="study")
pm.Poisson("control_observed", mu=time_control * pt.exp(baseline - theta / 2),
           observed=events_control, dims="study")
"""
_BETA_BINOMIAL = """\
size = (1 - rho) / rho
for arm, logit_p, n, events in (
    ("treatment", baseline + mu / 2, n_treatment, events_treatment),
    ("control", baseline - mu / 2, n_control, events_control),
):
    pm.BetaBinomial(f"{arm}_observed", n=n, alpha=size * pm.math.sigmoid(logit_p),
                    beta=size * pm.math.sigmoid(-logit_p), observed=events, dims="study")
"""
_FISHER = """\
n1, n0, events = n_treatment[:, None], n_control[:, None], events_treatment + events_control
at = np.maximum(0, events[:, None] - n0) + np.arange(np.minimum(n_treatment, events).max() + 1)
possible = at <= np.minimum(n1, events[:, None])
x = np.where(possible, at, np.maximum(0, events[:, None] - n0))

def log_weight(x, n1, n0, m):
    return -sum(pt.gammaln(v + 1) for v in (x, n1 - x, m - x, n0 - m + x))

def logp(value, theta):
    terms = log_weight(x, n1, n0, events[:, None]) + theta[:, None] * (x - value[:, None])
    total = pt.logsumexp(pt.switch(possible, terms, -np.inf), axis=1)
    return log_weight(value, n_treatment, n_control, events) - total

pm.CustomDist("treatment_observed", theta, logp=logp, observed=events_treatment, dims="study")
"""


_SEVERAL = """\
# here y and se are (k, p), NaN where a study does not report an outcome; within is (k, p, p)
between = tau[:, None] * rho_matrix * tau
for i in range(len(study)):
    there = np.flatnonzero(~np.isnan(y[i]))
    sampling = se[i][:, None] * within[i] * se[i]
    covariance = sampling[np.ix_(there, there)] + between[there][:, there]
    pm.MvNormal(f"y_observed[{study[i]}]", mu[there], cov=covariance, observed=y[i][there])
"""
_ONE_WITHIN = """\
within = np.repeat(np.eye(y.shape[1])[None], len(study), axis=0) * (1 - within) + within
"""
_OUTLIERS = """\
variance = se**2 + tau**2
usual = pm.Normal.dist(mu, pt.sqrt(variance))
wide = pm.Normal.dist(mu, pt.sqrt(variance + spread**2))
pm.Mixture("y_observed", w=pt.stack([1 - share, share]), comp_dists=[usual, wide],
           observed=y, dims="study")
"""


def source(model: Model) -> str:
    """Return PyMC source for `model` that runs as it stands once the data are defined."""
    if isinstance(model, MultivariateNormal):
        return _indented(_of_outcomes(model))
    body = "".join(
        f"{name} = {_call(name, prior, _dims(model, name))}\n"
        for name, prior in model.priors.items()
    )
    arms = isinstance(model, OfArms)
    return _indented(body + _body(model), ', "arm": ["treatment", "control"]' if arms else "")


def _indented(body: str, more_coords: str = "") -> str:
    head = _HEAD.replace("study}", f"study{more_coords}}}")
    return head + "".join(f"    {line}\n" for line in body.splitlines())


def _of_outcomes(model: MultivariateNormal) -> str:
    outcomes = model.outcomes
    if outcomes is None:
        raise ModelError(
            "The source of several outcomes names each: give the model mu={'PD': Normal(0, 1), "
            "'AL': Normal(0, 1)}, say."
        )
    lines = ""
    for name in ("mu", "tau"):
        each = [_call(f"{name}[{one}]", model.of(name, one)) for one in outcomes]
        lines += f"{name} = pt.stack([{', '.join(each)}])\n"
    if isinstance(model.rho, LKJ):
        lines += f'rho_matrix = pm.LKJCorr("rho", n={len(outcomes)}, eta={model.rho.eta!r})\n'
    else:
        lines += f"rho = {_call('rho', model.rho)}\n"
        lines += "rho_matrix = pt.stack([pt.stack([1.0, rho]), pt.stack([rho, 1.0])])\n"
    if model.within is not None:
        lines += f"within = {_call('within', model.within)}\n" + _ONE_WITHIN
    return lines + _SEVERAL


@singledispatch
def _body(model: Model) -> str:
    raise ModelError(f"There is no PyMC form of {type(model).__name__}.")


@_body.register
def _common_effect(_: CommonEffect) -> str:
    return 'pm.Normal("y_observed", mu, se, observed=y, dims="study")\n'


def _effects(model: RandomEffects) -> str:
    if isinstance(model.df, Prior):
        return _WEIGHTS + _WEIGHTED_EFFECTS
    family = "Normal" if model.df is None else "StudentT"
    nu = {} if model.df is None else {"nu": repr(model.df)}
    arguments = _spelled('"z"', {**nu, "mu": 0, "sigma": 1, "dims": '"study"'})
    return f"z = pm.{family}({arguments})\n" + _EFFECTS


@_body.register
def _normal_normal(model: NormalNormal) -> str:
    if isinstance(model.df, Prior):
        return _WEIGHTS + _WEIGHTED_ESTIMATES
    return _effects(model) + 'pm.Normal("y_observed", theta, se, observed=y, dims="study")\n'


@_body.register
def _outlier_mixture(_: OutlierMixture) -> str:
    return _OUTLIERS


@_body.register
def _binomial_normal(model: BinomialNormal) -> str:
    shared = ""
    if isinstance(model.baseline, Exchangeable):
        shared = (
            'baseline_z = pm.Normal("baseline_z", 0, 1, dims="study")\n'
            "baseline = baseline_mean + baseline_sd * baseline_z\n"
        )
    return _effects(model) + shared + _RISKS[model.link] + _ARMS


@_body.register
def _hypergeometric_normal(model: HypergeometricNormal) -> str:
    return _effects(model) + _FISHER


@_body.register
def _poisson_normal(model: PoissonNormal) -> str:
    return _effects(model) + _POISSON


@_body.register
def _proportion_normal(model: ProportionNormal) -> str:
    line = 'pm.Binomial("observed", n=n, logit_p=theta, observed=events, dims="study")\n'
    return _effects(model) + line


@_body.register
def _incidence_normal(model: IncidenceNormal) -> str:
    line = 'pm.Poisson("observed", mu=time * pt.exp(theta), observed=events, dims="study")\n'
    return _effects(model) + line


@_body.register
def _continuous_normal(model: ContinuousNormal) -> str:
    return of_arms.body(model, _effects(model))


@_body.register
def _continuous_common(model: ContinuousCommonEffect) -> str:
    return of_arms.body(model, "theta = mu\n")


@_body.register
def _beta_binomial(_: BetaBinomial) -> str:
    return _BETA_BINOMIAL


def _call(name: str, prior: Prior, dims: Mapping[str, str] | None = None) -> str:
    if isinstance(prior, Mixture):
        call, arguments = "Mixture", _mixture_arguments(prior)
    else:
        call, arguments = pymc_form(name, prior)
    return f"pm.{call}({_spelled(f'"{name}"', {**arguments, **(dims or {})})})"


def pymc_form(name: str, prior: Prior) -> tuple[str, dict[str, float]]:
    """Name and arguments of the PyMC distribution that a prior of `name` stands for."""
    if isinstance(prior, Flat):
        return ("HalfFlat" if name in ("tau", "baseline_sd") else "Flat"), {}
    if type(prior) not in _PYMC:
        raise ModelError(
            f"There is no PyMC form of {prior!r}; the exact engine takes it: use Quadrature()."
        )
    family, arguments = _PYMC[type(prior)]
    return family, dict(zip(arguments, prior.numbers.values(), strict=True))


def one_support(prior: Mixture) -> bool:
    """Whether both families have the same support whatever their numbers: PyMC transforms it."""
    parts = (prior.first, prior.second)
    same = prior.first.support == prior.second.support
    return same and not any(isinstance(part, Uniform) for part in parts)


def _mixture_arguments(prior: Mixture) -> dict[str, object]:
    parts = []
    for _, part in prior.parts:
        family, numbers = pymc_form("", part)
        parts.append(f"pm.{family}.dist({_spelled('', numbers)})")
    hull = {} if one_support(prior) else {"default_transform": _hull(*prior.support)}
    w = f"[{prior.weight!r}, {1 - prior.weight!r}]"
    return {"w": w, "comp_dists": f"[{', '.join(parts)}]", **hull}


def _hull(low: float, high: float) -> str | None:
    ends = [end if math.isfinite(end) else None for end in (low, high)]
    if ends == [None, None]:
        return None
    return f"pm.distributions.transforms.Interval({ends[0]}, {ends[1]})"


def _spelled(first: str, named: Mapping[str, object]) -> str:
    return ", ".join(filter(None, (first, *(f"{name}={value}" for name, value in named.items()))))


def _dims(model: Model, name: str) -> Mapping[str, str]:
    if name == "correlation":
        return {"dims": '"study"'}
    if name == "log_sd" and isinstance(model, OfArms):
        return {"dims": of_arms.per_arm(model)}
    per_study = name == "baseline" and not isinstance(model, BetaBinomial)
    return {"dims": '"study"'} if per_study else {}


@singledispatch
def mathematics(model: Model) -> tuple[str, ...]:
    """Return the model line by line in mathematical notation, priors last."""
    raise ModelError(f"There is no notation for {type(model).__name__}.")


@mathematics.register
def _common_effect_lines(model: CommonEffect) -> tuple[str, ...]:
    return ("yᵢ ~ Normal(μ, seᵢ)   (mean, standard deviation)", *_prior_lines(model))


def _effect_lines(model: RandomEffects) -> tuple[str, ...]:
    df = "ν" if isinstance(model.df, Prior) else f"{model.df or 0:g}"
    family = "Normal(μ, τ)" if model.df is None else f"Student-t({df}, μ, τ)"
    return (f"θᵢ ~ {family},   θ_new ~ {family}", *_prior_lines(model))


@mathematics.register
def _normal_normal_lines(model: NormalNormal) -> tuple[str, ...]:
    return ("yᵢ ~ Normal(θᵢ, seᵢ)   (mean, standard deviation)", *_effect_lines(model))


@mathematics.register
def _outlier_mixture_lines(model: OutlierMixture) -> tuple[str, ...]:
    mixture = "(1 − π) Normal(μ, τ) + π Normal(μ, √(τ² + κ²))"
    return (
        "yᵢ ~ Normal(θᵢ, seᵢ)   (mean, standard deviation)",
        f"θᵢ ~ {mixture},   θ_new likewise",
        *_prior_lines(model),
    )


_PRODUCT_LINE = "2βᵢ = log[ pᵢ₁ pᵢ₀ / ((1 − pᵢ₁)(1 − pᵢ₀)) ]   (log odds product)"
_ARM_LINES = {
    "OR half": ("logit pᵢ₁ = βᵢ + θᵢ/2,   logit pᵢ₀ = βᵢ − θᵢ/2   (±½ coding)",),
    "OR zero_one": ("logit pᵢ₁ = βᵢ + θᵢ,   logit pᵢ₀ = βᵢ   (0/1 coding)",),
    "RR": (
        "pᵢ₁ = pᵢ₀ exp(θᵢ)",
        _PRODUCT_LINE,
        "pᵢ₀ = 2 / (1 + a + √((1 − a)² + 4a exp(−2βᵢ))),   a = exp(θᵢ)",
    ),
    "RD": (
        "pᵢ₁ = pᵢ₀ + d,   d = tanh(θᵢ)",
        _PRODUCT_LINE,
        "pᵢ₀ = 2s(1 − d) / (s(2 − d) + d + √(d²(1 − s)² + 4s)),   s = exp(2βᵢ)",
    ),
}


@mathematics.register
def _multivariate_lines(model: MultivariateNormal) -> tuple[str, ...]:
    own = [
        f"{_SYMBOL.get(name.split('[')[0], name)}{name[name.find('[') :] if '[' in name else ''} ~ "
        f"{prior!r}"
        for name, prior in model.priors.items()
    ]
    return (
        "yᵢ ~ Normal(θᵢ, Sᵢ),   θᵢ ~ Normal(μ, T),   θ_new ~ Normal(μ, T)   (mean, covariance)",
        "Sᵢ,ab = wᵢ,ab seᵢa seᵢb,   T,ab = ρ,ab τ,a τ,b",
        *own,
    )


@mathematics.register
def _binomial_normal_lines(model: BinomialNormal) -> tuple[str, ...]:
    shared = ()
    if isinstance(model.baseline, Exchangeable):
        shared = ("βᵢ ~ Normal(m, s)   (exchangeable)",)
    return (
        "events_treatmentᵢ ~ Binomial(n_treatmentᵢ, pᵢ₁)",
        "events_controlᵢ ~ Binomial(n_controlᵢ, pᵢ₀)",
        *_ARM_LINES[model.link],
        *shared,
        *_effect_lines(model),
    )


@mathematics.register
def _hypergeometric_normal_lines(model: HypergeometricNormal) -> tuple[str, ...]:
    return (
        "events_treatmentᵢ | events_treatmentᵢ + events_controlᵢ ~ "
        "Fisher non-central hypergeometric(n_treatmentᵢ, n_controlᵢ, exp(θᵢ))",
        *_effect_lines(model),
    )


@mathematics.register
def _poisson_normal_lines(model: PoissonNormal) -> tuple[str, ...]:
    return (
        "events_treatmentᵢ ~ Poisson(time_treatmentᵢ exp(βᵢ + θᵢ/2))",
        "events_controlᵢ ~ Poisson(time_controlᵢ exp(βᵢ − θᵢ/2))",
        *_effect_lines(model),
    )


@mathematics.register
def _proportion_normal_lines(model: ProportionNormal) -> tuple[str, ...]:
    return ("eventsᵢ ~ Binomial(nᵢ, pᵢ),   logit pᵢ = θᵢ", *_effect_lines(model))


@mathematics.register
def _incidence_normal_lines(model: IncidenceNormal) -> tuple[str, ...]:
    return ("eventsᵢ ~ Poisson(timeᵢ exp(θᵢ))", *_effect_lines(model))


@mathematics.register
def _beta_binomial_lines(model: BetaBinomial) -> tuple[str, ...]:
    return (
        "events_treatmentᵢ ~ BetaBinomial(n_treatmentᵢ, p₁, ρ),   logit p₁ = β + μ/2",
        "events_controlᵢ ~ BetaBinomial(n_controlᵢ, p₀, ρ),   logit p₀ = β − μ/2",
        "ρ: correlation within an arm; shape parameters p(1 − ρ)/ρ and (1 − p)(1 − ρ)/ρ",
        *_prior_lines(model),
    )


@mathematics.register
def _continuous_normal_lines(model: ContinuousNormal) -> tuple[str, ...]:
    return (*of_arms.lines(model), *_effect_lines(model), *of_arms.flat_lines(model))


@mathematics.register
def _continuous_common_lines(model: ContinuousCommonEffect) -> tuple[str, ...]:
    own = (*_prior_lines(model), *of_arms.flat_lines(model))
    return (*of_arms.lines(model), "θᵢ = μ", *own)


_SYMBOL = {
    "mu": "μ",
    "tau": "τ",
    "baseline": "βᵢ",
    "baseline_mean": "m",
    "baseline_sd": "s",
    "log_sd": "log σᵢⱼ",
    "rho": "ρ",
    "correlation": "rᵢ",
    "df": "ν",
    "share": "π",
    "spread": "κ",
    "within": "w",
}


def _prior_lines(model: Model) -> tuple[str, ...]:
    return tuple(f"{_SYMBOL[name]} ~ {prior!r}" for name, prior in model.priors.items())
