"""The models that an outcome asks for."""

from collections.abc import Mapping
from typing import Any

from ..errors import SpecError
from ..model import (
    BinomialNormal,
    CommonEffect,
    ContinuousCommonEffect,
    ContinuousNormal,
    HypergeometricNormal,
    Model,
    NormalNormal,
    PoissonNormal,
)
from ..specification import Outcome

COUNTS_LABELS = {
    "binomial": "counts (binomial–normal)",
    "hypergeometric": "counts (hypergeometric–normal)",
    "poisson": "counts (Poisson–normal)",
}
NUTS_LABEL = "the same by NUTS"
ARMS_LABEL = "arms (SDs estimated)"
TWO_STAGE_LABEL = "two-stage (normal–normal)"
COMMON_LABEL = ", one common effect"
FREQUENTIST = (
    "Mantel–Haenszel",
    "Mantel–Haenszel, ½ added",
    "inverse variance",
    "DerSimonian–Laird",
    "REML",
)


def models_of(outcome: Outcome) -> Mapping[str, Model]:
    """The models of an outcome by label; the first is the answer."""
    if outcome.data is None:
        return {}
    if outcome.effects == "common":
        return _with_one_effect(outcome)
    two_stage = NormalNormal(mu=outcome.mu_prior, tau=outcome.tau_prior, df=outcome.df)
    if outcome.kind == "estimates":
        return {TWO_STAGE_LABEL: two_stage}
    if outcome.kind == "continuous":
        arms = ContinuousNormal(
            mu=outcome.mu_prior, tau=outcome.tau_prior, df=outcome.df, **_of_arms(outcome)
        )
        return {ARMS_LABEL: arms, TWO_STAGE_LABEL: two_stage}
    return {COUNTS_LABELS[outcome.of_counts]: of_counts(outcome), TWO_STAGE_LABEL: two_stage}


def _with_one_effect(outcome: Outcome) -> Mapping[str, Model]:
    two_stage = {TWO_STAGE_LABEL + COMMON_LABEL: CommonEffect(mu=outcome.mu_prior)}
    if outcome.kind == "estimates":
        return two_stage
    arms = ContinuousCommonEffect(mu=outcome.mu_prior, **_of_arms(outcome))
    return {ARMS_LABEL + COMMON_LABEL: arms, **two_stage}


def _of_arms(outcome: Outcome) -> dict[str, Any]:
    return {
        "measure": outcome.measure,
        "arms": outcome.distribution,
        "log_sd": outcome.log_sd,
        "baseline": outcome.baseline,
        "quartiles": outcome.quartiles,
    }


def of_counts(outcome: Outcome) -> Model:
    """The model of the counts of an outcome."""
    mu, tau, df = outcome.mu_prior, outcome.tau_prior, outcome.df
    if outcome.of_counts == "hypergeometric":
        return HypergeometricNormal(mu=mu, tau=tau, df=df)
    if outcome.of_counts == "poisson":
        return PoissonNormal(mu=mu, tau=tau, baseline=outcome.baseline_prior, df=df)
    return BinomialNormal(
        measure=outcome.measure,
        mu=mu,
        tau=tau,
        baseline=outcome.baseline_prior,
        coding=outcome.coding,
        df=df,
    )


def check_labels(outcome: Outcome) -> None:
    """A published figure with the label of one of our fits would take its place in the tables."""
    ours = (*COUNTS_LABELS.values(), ARMS_LABEL, NUTS_LABEL, TWO_STAGE_LABEL, *FREQUENTIST)
    for figure in outcome.published:
        if any(figure.label == label or figure.label.startswith(f"{label}, ") for label in ours):
            raise SpecError(
                f"{outcome.name}: published label {figure.label!r} is the name of one of our own "
                "fits; name the paper, e.g. 'Smith 2024'."
            )
