"""What engines can do with a model, answered once for all of them, in the user's words."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..errors import ModelError
from ..machine.collector import uncollected
from ..model import DESIGN, Data, Model, NormalSpread, NoSpread, Predictor, Scatter, SpreadByGroup
from ..posterior import Posterior
from ..priors import Prior
from ..ways import shown
from .by_group import fit_by_group, of_one_group, seed_of
from .covariates import linear, regress
from .covariates.linear import integrate_linear, not_closed
from .covariates.regress import NotReachedError, integrate_regression, too_many
from .exact.common import integrate_common
from .exact.fixed import integrate_fast
from .exact.grid import integrate_on_grid
from .exact.mu_prior import not_taken, takes_mu
from .exact.mu_rule import has_an_edge, smooth, takes
from .exact.normal import integrate
from .likelihood.study import knows
from .many.batch import BatchFit, batch
from .settings import NUTS, Engine, Quadrature

type Integrator = Callable[[Model, Data, Quadrature], Posterior]


class Capability(NamedTuple):
    """How a model can be fitted.

    Attributes
    ----------
    model : Model
    exact : callable or None
        ``(model, data, settings)`` to the posterior by integration, where that can serve.
    why_not : str
        Why it cannot, and what would; empty where it can.
    """

    model: Model
    exact: Integrator | None
    why_not: str = ""

    @property
    def not_sampled(self) -> str:
        """Why NUTS cannot fit it, and what would; empty where it can."""
        from .graph.source import lacking

        by_group = isinstance(self.model.between, SpreadByGroup)
        return lacking(of_one_group(self.model) if by_group else self.model)

    @property
    def many(self) -> BatchFit | None:
        """What fits many data sets at once; None where they are fitted one by one."""
        return batch(self.model)


def capability(model: Model, data: Data | None = None) -> Capability:
    """Say how a model can be fitted.

    Parameters
    ----------
    model : Model
    data : Data, optional
        If given, data of another kind, or on which the model is not defined, are refused.

    Raises
    ------
    ModelError
        If the data are not for the model.
    """
    if data is not None:
        model.check_data(data)
    if isinstance(model.between, SpreadByGroup):
        one = capability(of_one_group(model))
        return Capability(model, None if one.exact is None else _groups, one.why_not)
    why_not = _beyond(model)
    return Capability(model, None, why_not) if why_not else _integrated(model, data)


def _integrated(model: Model, data: Data | None) -> Capability:
    """How a model can be fitted to which the priors of mu alone may be an obstacle."""
    if isinstance(model.location, Predictor):
        return _of_coefficients(model, data)
    match model.between, model.likelihood.closed:
        case NoSpread(), True:
            taken = takes_mu(_mu(model))
            exact, why_not = _closed_form, "" if taken else not_taken(_mu(model))
        case NoSpread(), False:
            exact, why_not = _common, "" if smooth(_mu(model)) else has_an_edge(_mu(model))
        case NormalSpread(), True if takes_mu(_mu(model)):
            exact, why_not = _closed_form, ""
        case Scatter(), _:
            taken = takes(_mu(model))
            exact = _fixed_or_grid
            why_not = "" if taken else has_an_edge(_mu(model), " inside its support")
        case _:
            exact, why_not = None, _unknown(model)
    return Capability(model, None if why_not else exact, why_not)


def _of_coefficients(model: Model, data: Data | None) -> Capability:
    """How a model can be fitted whose effects depend on covariates."""
    known = model.location if data is None else model.numbered(data).location
    priors, closed = tuple(known.priors.values()), _closed(model)
    told = priors if data is None or closed else _told(model, data, priors)
    each = (not_closed([one]) for one in priors)
    why_not = next(filter(None, each), not_closed(told)) or ("" if closed else too_many(told))
    if not isinstance(model.between, NoSpread | Scatter):
        why_not = _unknown(model)
    return Capability(model, None if why_not else _linear if closed else _regression, why_not)


def _told(model: Model, data: Data, priors: tuple[Prior, ...]) -> list[Prior]:
    """Priors of the coefficients that some study says something of."""
    columns = model.location.columns(data)[DESIGN]
    return [one for one, column in zip(priors, columns, strict=True) if column.any()]


def evidence_at_zero(parameter: str, model: Model, data: Data) -> float:
    """Log marginal likelihood of a model with covariates, a coefficient or tau at zero."""
    of = linear.log_evidence_at_zero if _closed(model) else regress.log_evidence_at_zero
    return of(parameter, model, data)


def _closed(model: Model) -> bool:
    """Whether everything is normal given tau."""
    return model.likelihood.closed and isinstance(model.between, NoSpread | NormalSpread)


def default_engine(model: Model) -> Engine:
    """Return the engine that `fit` takes when none is named: exact where it can serve."""
    return Quadrature() if capability(model).exact is not None else NUTS(seed=0)


def run(engine: Engine | None, model: Model, data: Data) -> Posterior:
    """Return the posterior of `model` given `data` by an engine, or by what serves best.

    Raises
    ------
    ModelError
        If the engine cannot fit the model; with what would.
    """
    if isinstance(engine, NUTS):
        return _sampled(model, data, engine)
    if engine is not None and not isinstance(engine, Quadrature):
        raise ModelError(f"engine is Quadrature() or NUTS(seed=...), not {shown(engine)}.")
    model.check_data(data)
    can = capability(model, data)
    if can.exact is not None:
        try:
            return can.exact(model, data, engine or Quadrature())
        except NotReachedError as error:
            if engine is not None:
                raise
            drawn = _sampled(model, data, NUTS(seed=0))
            return replace(
                drawn, cautions=(*drawn.cautions, f"Sampled, for the exact engine {error.why}.")
            )
    if engine is not None:
        raise ModelError(can.why_not)
    return _sampled(model, data, NUTS(seed=0))


def _sampled(model: Model, data: Data, engine: NUTS) -> Posterior:
    if lacking := Capability(model, None).not_sampled:
        raise ModelError(lacking)
    from .compiled.precision import float64

    if isinstance(model.between, SpreadByGroup):
        return fit_by_group(
            model,
            data,
            lambda one, own, i: _sampled(one, own, replace(engine, seed=seed_of(engine.seed, i))),
        )
    with float64(), uncollected():  # before PyMC is imported: its JAX module rewrites XLA_FLAGS
        from .sampling.nuts import sample

        return sample(model, data, engine)


def _beyond(model: Model) -> str:
    """What of a model is more than integration over mu and tau can do, as a sentence."""
    priors = model.priors
    for name in ("baseline", "log_sd"):
        prior = priors.get(name)
        if prior is not None and prior.support != (-math.inf, math.inf):
            return (
                f"The exact engine takes a prior of {name} on the whole line, not "
                f"{shown(prior)}; use "
                "Normal or StudentT, or NUTS(seed=...)."
            )
    if "df" in priors:
        return (
            "The exact engine takes degrees of freedom as a number, not "
            f"df={shown(priors['df'])}; use NUTS(seed=...)."
        )
    if model.likelihood.shares or model.between.shares:
        return (
            f"The exact engine cannot fit {model.name} with what its studies share beyond mu and "
            "tau; use NUTS(seed=...)."
        )
    return "" if knows(model.likelihood) else _unknown(model)


def _unknown(model: Model) -> str:
    return f"The exact engine cannot fit {model.name}; use NUTS(seed=...)."


def _mu(model: Model) -> Prior:
    return model.overall


def _closed_form(model: Model, data: Data, settings: Quadrature) -> Posterior:
    return integrate(model, data, nodes=settings.nodes, tolerance=settings.tolerance)  # pyright: ignore[reportArgumentType]


def _linear(model: Model, data: Data, settings: Quadrature) -> Posterior:
    return integrate_linear(model, data, nodes=settings.nodes, tolerance=settings.tolerance)  # pyright: ignore[reportArgumentType]


def _regression(model: Model, data: Data, settings: Quadrature) -> Posterior:
    def of_one_effect(plain: Model, data: Data) -> Posterior:
        exact = capability(plain, data).exact
        if exact is None:  # what has covariates knows what has none
            raise ModelError(_unknown(plain))
        return exact(plain, data, settings)

    return integrate_regression(model, data, of_one_effect)


def _groups(model: Model, data: Data, settings: Quadrature) -> Posterior:
    exact = capability(of_one_group(model)).exact
    assert exact is not None
    return fit_by_group(model, data, lambda one, own, _: exact(one, own, settings))


def _common(model: Model, data: Data, settings: Quadrature) -> Posterior:
    return integrate_common(model, data)  # pyright: ignore[reportArgumentType]


def _fixed_or_grid(model: Model, data: Data, settings: Quadrature) -> Posterior:
    return integrate_fast(model, data) or integrate_on_grid(model, data)  # pyright: ignore[reportArgumentType]
