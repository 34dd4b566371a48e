"""Continuous outcomes per arm in PyMC.

Where no prior of the baselines or of the SDs is given these are flat: they are sampled as
standard normal distances from rough values, and the study's likelihood gives the density back. A
study that is only padding then keeps a proper density.
"""

from collections.abc import Mapping
from functools import partial

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from ...model import Arms, Model
from .parts import likelihood, prior, study_effects
from .quantile_op import QuantileLogProbability

type Data = Mapping[str, TensorVariable]


@likelihood.register
def _arms(of: Arms, model: Model, data: Data) -> None:
    theta = study_effects(model, data)
    beta, from_baseline = _baselines(of, data)
    log_sd, from_sds = _log_sds(of, data)
    given_back = from_baseline + from_sds
    means = _means(of, theta, beta, pt.exp(log_sd))  # pyright: ignore[reportArgumentType]
    r = None if of.correlation is None else prior("correlation", of.correlation, dims="study")
    sds = [_sd(data, arm, r) for arm in ("treatment", "control")]
    pm.CustomDist(
        "arms_observed",
        given_back,
        *means,
        *(log_sd[0], log_sd[-1]),
        *sds,
        logp=partial(_logp, data),
        signature="(),(),(),(),(),(),()->()",
        dtype="float64",
        observed=data["mean_treatment"],
        dims="study",
    )


def _logp(
    data: Data,
    value: TensorVariable,
    given_back: TensorVariable,
    mean_treatment: TensorVariable,
    mean_control: TensorVariable,
    log_sd_treatment: TensorVariable,
    log_sd_control: TensorVariable,
    sd_treatment: TensorVariable,
    sd_control: TensorVariable,
) -> TensorVariable:
    """Log likelihood of both arms of each study."""
    arms = (
        ("treatment", value, sd_treatment, mean_treatment, log_sd_treatment),
        ("control", data["mean_control"], sd_control, mean_control, log_sd_control),
    )
    return given_back + sum(_arm(data, *arm) for arm in arms)


def _arm(
    data: Data,
    arm: str,
    mean: TensorVariable,
    sd: TensorVariable,
    mu: TensorVariable,
    log_sd: TensorVariable,
) -> TensorVariable:
    """Density of an arm's mean and log SD, or probability of its quantiles."""
    n = data[f"size_{arm}"]
    squares = n * (mean - mu) ** 2 + (n - 1) * sd**2
    found = data[f"moments_{arm}"] * (
        -0.5 * squares * pt.exp(-2 * log_sd) - n * log_sd + (n - 1) * pt.log(sd)
    )
    if f"quantiles_{arm}" not in data:
        return found
    return found + QuantileLogProbability()(data[f"quantiles_{arm}"], mu, pt.exp(log_sd))


def _sd(data: Data, arm: str, r: TensorVariable | None) -> TensorVariable:
    """SDs of the arms; of a change from both SDs where its own is unknown."""
    if r is None:
        return data[f"sd_{arm}"]
    before, after = data[f"before_{arm}"], data[f"after_{arm}"]
    squared = before**2 + after**2 - 2 * r * before * after
    unknown = before > 0
    return pt.switch(unknown, pt.sqrt(pt.switch(unknown, squared, 1.0)), data[f"sd_{arm}"])  # pyright: ignore[reportReturnType]


def _baselines(of: Arms, data: Data) -> tuple[TensorVariable, TensorVariable]:
    """The middles of the arms, and the log density to be given back where they are flat."""
    if of.baseline is not None:
        return prior("baseline", of.baseline, dims="study"), 0.0 * data["centre"]
    z = pm.Normal("baseline_z", 0.0, 1.0, dims="study")
    beta = pm.Deterministic("baseline", data["centre"] + data["unit"] * z, dims="study")
    on_exponential = beta if of.pair == ("ROM", "normal") else 0.0
    return beta, 0.5 * z**2 + on_exponential  # pyright: ignore[reportOperatorIssue, reportReturnType]


def _log_sds(of: Arms, data: Data) -> tuple[TensorVariable, TensorVariable]:
    """Logs of the SDs, (2, k) or for SMD (1, k), and the log density to be given back."""
    shared = of.measure == "SMD"
    dims = {"dims": "study"} if shared else {"dims": ("arm", "study")}
    if of.log_sd is not None:
        found = prior("log_sd", of.log_sd, **dims)  # pyright: ignore[reportArgumentType]
        found = found[None] if shared else found
        return found, 0.0 * data["centre"]
    z = pm.Normal("log_sd_z", 0.0, 1.0, **dims)
    z = z[None] if shared else z
    rough = pt.stack([data["log_sd_treatment"], data["log_sd_control"]])
    n = pt.stack([data["size_treatment"], data["size_control"]])
    if shared:
        rough, n = rough.mean(axis=0, keepdims=True), n.sum(axis=0, keepdims=True)  # pyright: ignore[reportAttributeAccessIssue]
    return rough + z / pt.sqrt(2 * n), 0.5 * (z**2).sum(axis=0)  # pyright: ignore[reportOperatorIssue]


def _means(
    of: Arms, theta: TensorVariable, beta: TensorVariable, sd: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Means of treatment and control arm on the scale on which patients are normal."""
    if of.measure == "SMD":
        return beta + theta * sd[0] / 2, beta - theta * sd[0] / 2
    up, down = beta + theta / 2, beta - theta / 2
    if of.pair == ("ROM", "normal"):
        return pt.exp(up), pt.exp(down)  # pyright: ignore[reportReturnType]
    if of.pair == ("ROM", "lognormal"):
        return up - sd[0] ** 2 / 2, down - sd[1] ** 2 / 2
    return up, down
