"""A model in mathematical notation, line by line."""

from functools import singledispatch

from ...errors import ModelError
from ...model import (
    Arms,
    Binomial,
    CorrelatedEstimates,
    Data,
    Estimates,
    Hypergeometric,
    Incidence,
    Likelihood,
    Model,
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
    Prior,
)
from . import _source_arms as of_arms
from . import _source_places as places


def mathematics(model: Model, data: Data | None = None) -> tuple[str, ...]:
    """Return the model line by line in mathematical notation, priors last.

    With `data` it is known which covariates are numbers and which name groups.
    """
    return _lines(model.likelihood, model, data)


@singledispatch
def _lines(of: Likelihood, model: Model, data: Data | None) -> tuple[str, ...]:
    raise ModelError(f"There is no notation for {model.name}.")


@singledispatch
def _effect_lines(between: Spread) -> tuple[str, ...]:
    raise ModelError(f"There is no notation for {between!r}.")


@_effect_lines.register
def _(_: NormalSpread) -> tuple[str, ...]:
    return ("θᵢ ~ Normal(μ, τ),   θ_new ~ Normal(μ, τ)",)


@_effect_lines.register
def _(between: SpreadByGroup) -> tuple[str, ...]:
    own = f"τ[{between.tau.by}ᵢ]"
    return tuple(
        line.partition(",   θ_new")[0].replace("τ", own) for line in _effect_lines(between.within)
    )


@_effect_lines.register
def _(between: StudentTSpread) -> tuple[str, ...]:
    family = f"Student-t({'ν' if isinstance(between.df, Prior) else f'{between.df:g}'}, μ, τ)"
    return (f"θᵢ ~ {family},   θ_new ~ {family}",)


@_effect_lines.register
def _(_: OutlierSpread) -> tuple[str, ...]:
    return ("θᵢ ~ (1 − π) Normal(μ, τ) + π Normal(μ, √(τ² + κ²)),   θ_new likewise",)


@_effect_lines.register
def _(_: NoSpread) -> tuple[str, ...]:
    return ("θᵢ = μ",)


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


@_lines.register
def _(of: Estimates, model: Model, data: Data | None) -> tuple[str, ...]:
    one = "tau" not in model.priors
    effects = () if one else _effects(model)
    where = places.placed(model.location, "μ") if one else "θᵢ"
    estimate = f"yᵢ ~ Normal({where}, seᵢ)   (mean, standard deviation)"
    return (estimate, *effects, *_prior_lines(model, data))


@_lines.register
def _(of: CorrelatedEstimates, model: Model, data: Data | None) -> tuple[str, ...]:
    own = [
        f"{_SYMBOL.get(name.split('[')[0], name)}{name[name.find('[') :] if '[' in name else ''} ~ "
        f"{prior.by_hand!r}"
        for name, prior in model.priors.items()
    ]
    return (
        "yᵢ ~ Normal(θᵢ, Sᵢ),   θᵢ ~ Normal(μ, T),   θ_new ~ Normal(μ, T)   (mean, covariance)",
        "Sᵢ,ab = wᵢ,ab seᵢa seᵢb,   T,ab = ρ,ab τ,a τ,b",
        *own,
    )


@_lines.register
def _(of: OfCounts, model: Model, data: Data | None) -> tuple[str, ...]:
    return (*_count_lines(of), *_effects(model), *_prior_lines(model, data))


@singledispatch
def _count_lines(of: OfCounts) -> tuple[str, ...]:
    raise ModelError(f"There is no notation for {of!r}.")


@_count_lines.register
def _(of: Binomial) -> tuple[str, ...]:
    return (
        "events_treatmentᵢ ~ Binomial(n_treatmentᵢ, pᵢ₁)",
        "events_controlᵢ ~ Binomial(n_controlᵢ, pᵢ₀)",
        *_ARM_LINES[of.link],
        *(("βᵢ ~ Normal(m, s)   (exchangeable)",) if of.shares else ()),
    )


@_count_lines.register
def _(_: Hypergeometric) -> tuple[str, ...]:
    return (
        "events_treatmentᵢ | events_treatmentᵢ + events_controlᵢ ~ "
        "Fisher non-central hypergeometric(n_treatmentᵢ, n_controlᵢ, exp(θᵢ))",
    )


@_count_lines.register
def _(_: Poisson) -> tuple[str, ...]:
    return (
        "events_treatmentᵢ ~ Poisson(time_treatmentᵢ exp(βᵢ + θᵢ/2))",
        "events_controlᵢ ~ Poisson(time_controlᵢ exp(βᵢ − θᵢ/2))",
    )


@_count_lines.register
def _(_: Proportion) -> tuple[str, ...]:
    return ("eventsᵢ ~ Binomial(nᵢ, pᵢ),   logit pᵢ = θᵢ",)


@_count_lines.register
def _(_: Incidence) -> tuple[str, ...]:
    return ("eventsᵢ ~ Poisson(timeᵢ exp(θᵢ))",)


@_lines.register
def _(of: Overdispersed, model: Model, data: Data | None) -> tuple[str, ...]:
    arms = (
        "events_treatmentᵢ ~ BetaBinomial(n_treatmentᵢ, p₁, ρ),   logit p₁ = β + μ/2",
        "events_controlᵢ ~ BetaBinomial(n_controlᵢ, p₀, ρ),   logit p₀ = β − μ/2",
    )
    return (
        *(places.placed(model.location, line) for line in arms),
        "ρ: correlation within an arm; shape parameters p(1 − ρ)/ρ and (1 − p)(1 − ρ)/ρ",
        *_prior_lines(model, data),
    )


@_lines.register
def _(of: Arms, model: Model, data: Data | None) -> tuple[str, ...]:
    lines = (*of_arms.lines(of), *_effects(model), *_prior_lines(model, data))
    return (*lines, *of_arms.flat_lines(of))


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


def _effects(model: Model) -> tuple[str, ...]:
    return tuple(places.placed(model.location, line) for line in _effect_lines(model.between))


def _prior_lines(model: Model, data: Data | None) -> tuple[str, ...]:
    others = (f"{_SYMBOL[name]} ~ {prior.by_hand!r}" for name, prior in model.other_priors.items())
    return (*places.lines(model.location, data), *others)
