"""A model as PyMC source that a person can run."""

import math
from collections.abc import Mapping
from functools import singledispatch

from ...errors import ModelError
from ...model import (
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
    NormalSpread,
    NoSpread,
    OfCounts,
    OutlierSpread,
    Overdispersed,
    Poisson,
    Proportion,
    Spread,
    SpreadByGroup,
    StudentTSpread,
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
    LogStudentT,
    Mixture,
    Normal,
    Prior,
    StudentT,
    Uniform,
)
from ...ways import way
from . import _source_arms as of_arms
from . import _source_places as places
from . import _source_text as text

_PYMC: Mapping[type[Prior], tuple[str, tuple[str, ...]]] = {
    Normal: ("Normal", ("mu", "sigma")),
    StudentT: ("StudentT", ("nu", "mu", "sigma")),
    HalfNormal: ("HalfNormal", ("sigma",)),
    HalfCauchy: ("HalfCauchy", ("beta",)),
    HalfT: ("HalfStudentT", ("nu", "sigma")),
    LogNormal: ("LogNormal", ("mu", "sigma")),
    LogStudentT: ("LogStudentT", ("nu", "mu", "sigma")),
    Exponential: ("Exponential", ("lam",)),
    Gamma: ("Gamma", ("alpha", "beta")),
    InverseGamma: ("InverseGamma", ("alpha", "beta")),
    Uniform: ("Uniform", ("lower", "upper")),
    Beta: ("Beta", ("alpha", "beta")),
}

_SPREADS = (
    NoSpread | NormalSpread | StudentTSpread | SpreadByGroup | OutlierSpread | CorrelatedSpread
)


def source(model: Model, data: Data | None = None) -> str:
    """Return PyMC source for `model` that runs as it stands once the data are defined.

    With `data`, coefficients have the names of the columns of their design, which is written out.
    """
    return _source(model.likelihood, model, data)


@singledispatch
def _source(of: Likelihood, model: Model, data: Data | None) -> str:
    raise ModelError(f"There is no PyMC form of {model.name}.")


@_source.register(Estimates | OfCounts)
def _(of: Estimates | OfCounts, model: Model, data: Data | None) -> str:
    return _indented(_prior_calls(model, data) + _body(of, model))


@_source.register
def _(of: Arms, model: Model, data: Data | None) -> str:
    coords = ', "arm": ["treatment", "control"]'
    return _indented(_prior_calls(model, data) + _body(of, model), coords)


@_source.register
def _(of: CorrelatedEstimates, model: MultivariateNormal, data: Data | None) -> str:
    return _indented(_body(of, model))


def _prior_calls(model: Model, data: Data | None) -> str:
    return places.body(model.location, data, _call) + "".join(
        places.scales(model, data, _call)
        if name == "tau"
        else f"{name} = {_call(name, prior, _dims(model.likelihood, name))}\n"
        for name, prior in model.other_priors.items()
    )


def lacking(model: Model) -> str:
    """Say what of a model has no PyMC form, and what would do; empty where all of it has one."""
    known = _body.dispatch(type(model.likelihood)) is not _body.dispatch(Likelihood)
    if not known or not isinstance(model.between, _SPREADS):
        return f"There is no PyMC form of {model.name}."
    for prior in model.priors.values():
        parts = [part for _, part in prior.parts] if isinstance(prior, Mixture) else [prior]
        for part in parts:
            if type(part) not in _PYMC and not isinstance(part, Flat | LKJ):
                return _no_form(part)
    return ""


def _indented(body: str, more_coords: str = "") -> str:
    head = text.HEAD.replace("study}", f"study{more_coords}}}")
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
        lines += f"within = {_call('within', model.within)}\n" + text.ONE_WITHIN
    return lines + text.SEVERAL


@singledispatch
def _body(of: Likelihood, model: Model) -> str:
    raise ModelError(f"There is no PyMC form of {model.name}.")


@_body.register
def _(of: CorrelatedEstimates, model: MultivariateNormal) -> str:
    return _of_outcomes(model)


@singledispatch
def _effects(between: Spread) -> str:
    raise ModelError(f"There is no PyMC form of {between!r}.")


@_effects.register
def _(_: NoSpread) -> str:
    return "theta = mu\n"


@_effects.register
def _(_: NormalSpread) -> str:
    return 'z = pm.Normal("z", mu=0, sigma=1, dims="study")\n' + text.EFFECTS


@_effects.register
def _(between: SpreadByGroup) -> str:
    return _effects(between.within)


@_effects.register
def _(between: StudentTSpread) -> str:
    if isinstance(between.df, Prior):
        return text.WEIGHTS + text.WEIGHTED_EFFECTS
    return f'z = pm.StudentT("z", nu={between.df!r}, mu=0, sigma=1, dims="study")\n' + text.EFFECTS


@_body.register
def _estimates(of: Estimates, model: Model) -> str:
    return _of_estimates(model.between)


@singledispatch
def _of_estimates(between: Spread) -> str:
    raise ModelError(f"There is no PyMC form of {between!r}.")


@_of_estimates.register(NormalSpread | SpreadByGroup)
def _(between: NormalSpread | SpreadByGroup) -> str:
    return _effects(between) + text.ESTIMATES


@_of_estimates.register
def _(_: NoSpread) -> str:
    return 'pm.Normal("y_observed", mu, se, observed=y, dims="study")\n'


@_of_estimates.register
def _(between: StudentTSpread) -> str:
    if isinstance(between.df, Prior):
        return text.WEIGHTS + text.WEIGHTED_ESTIMATES
    return _effects(between) + text.ESTIMATES


@_of_estimates.register
def _(_: OutlierSpread) -> str:
    return text.OUTLIERS


@_body.register
def _binomial(of: Binomial, model: Model) -> str:
    shared = ""
    if of.shares:
        shared = (
            'baseline_z = pm.Normal("baseline_z", 0, 1, dims="study")\n'
            "baseline = baseline_mean + baseline_sd * baseline_z\n"
        )
    return _effects(model.between) + shared + text.RISKS[of.link] + text.ARMS


@_body.register
def _hypergeometric(of: Hypergeometric, model: Model) -> str:
    return _effects(model.between) + text.FISHER


@_body.register
def _poisson(of: Poisson, model: Model) -> str:
    return _effects(model.between) + text.POISSON


@_body.register
def _proportion(of: Proportion, model: Model) -> str:
    line = 'pm.Binomial("observed", n=n, logit_p=theta, observed=events, dims="study")\n'
    return _effects(model.between) + line


@_body.register
def _incidence(of: Incidence, model: Model) -> str:
    line = 'pm.Poisson("observed", mu=time * pt.exp(theta), observed=events, dims="study")\n'
    return _effects(model.between) + line


@_body.register
def _arms(of: Arms, model: Model) -> str:
    return of_arms.body(of, _effects(model.between))


@_body.register
def _overdispersed(of: Overdispersed, model: Model) -> str:
    return text.BETA_BINOMIAL


def _call(name: str, prior: Prior, dims: Mapping[str, str] | None = None) -> str:
    if isinstance(prior, Mixture):
        call, arguments = "Mixture", _mixture_arguments(prior)
    else:
        call, arguments = pymc_form(name, prior)
    if call == "LogStudentT":
        more = _spelled("", dims or {})
        return text.LOG_STUDENT_T.format(
            **arguments, name=places.quoted(name), more=more and f", {more}"
        )
    return f"pm.{call}({_spelled(places.quoted(name), {**arguments, **(dims or {})})})"


def pymc_form(name: str, prior: Prior) -> tuple[str, dict[str, float]]:
    """Name and arguments of the PyMC distribution that a prior of `name` stands for."""
    if isinstance(prior, Flat):
        return ("HalfFlat" if name in ("tau", "baseline_sd") else "Flat"), {}
    if type(prior) not in _PYMC:
        raise ModelError(_no_form(prior))
    family, arguments = _PYMC[type(prior)]
    return family, dict(zip(arguments, prior.numbers.values(), strict=True))


def _no_form(prior: Prior) -> str:
    return f"There is no PyMC form of {prior!r}; the exact engine takes it: {way('exact')}."


def one_support(prior: Mixture) -> bool:
    """Whether PyMC sees that both have the same support whatever their numbers: it transforms it.

    Of a distribution that it has no name for it sees none.
    """
    parts = (prior.first, prior.second)
    same = prior.first.support == prior.second.support
    return same and not any(isinstance(part, Uniform | LogStudentT) for part in parts)


def _mixture_arguments(prior: Mixture) -> dict[str, object]:
    parts = []
    for _, part in prior.parts:
        family, numbers = pymc_form("", part)
        if family == "LogStudentT":
            parts.append(text.LOG_STUDENT_T_PART.format(**numbers))
            continue
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


@singledispatch
def _dims(of: Likelihood, name: str) -> Mapping[str, str]:
    raise ModelError(f"There is no PyMC form of {of!r}.")


@_dims.register(Estimates | OfCounts)
def _(of: Estimates | OfCounts, name: str) -> Mapping[str, str]:
    return {"dims": '"study"'} if name in of.own else {}


@_dims.register
def _(of: Arms, name: str) -> Mapping[str, str]:
    if name == "log_sd":
        return {"dims": of_arms.per_arm(of)}
    return {"dims": '"study"'} if name in of.own else {}
