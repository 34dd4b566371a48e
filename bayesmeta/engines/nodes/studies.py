"""What an exact posterior says of each study by itself, as nodes with their probabilities."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...model import DESIGN
from ...posterior import Marginal, Posterior
from ...priors import Prior
from ..likelihood.laws import start_of_baseline
from ..likelihood.points import Row
from ..likelihood.study import rows
from ..likelihood.tables import (
    alive,
    beta_nodes,
    joint_density,
    mode_of_beta,
    reach_of,
)

type Array = NDArray[np.float64]

HALF = (1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.15, 0.3)
EDGES = np.array([*HALF, 0.5, *(1 - q for q in HALF[::-1])])  # of panels, as quantiles
PANEL = np.polynomial.legendre.leggauss(10)
SPACING = 0.1  # of the baseline's nodes, in SDs


class StudyNodes(NamedTuple):
    """The posterior of what one study has to itself, as if it were draws with weights.

    Attributes
    ----------
    columns : mapping of str to ndarray
        ``theta``, and ``baseline`` where the model has one, each (n, 1); ``mu``, (n,), where the
        study's effect is that of all.
    mass : ndarray, shape (n,)
        Sums to 1.
    """

    columns: Mapping[str, Array]
    mass: Array


def nodes_of_studies(posterior: Posterior) -> tuple[StudyNodes, ...]:
    """Integrate an exact posterior over each study's effect, and its baseline given the effect."""
    model, data = posterior.model, posterior.data
    if posterior.linear is not None and "theta" not in posterior.marginals:
        places = model.location.columns(data)[DESIGN].T
        each = [_nodes(posterior.linear(place)) for place in places]
        return tuple(StudyNodes({"theta": theta[:, None]}, mass) for theta, mass in each)
    if "theta" not in posterior.marginals:
        mu, mass = _nodes(posterior["mu"])
        return (StudyNodes({"mu": mu}, mass),) * data.k
    each = [_nodes(marginal) for marginal in posterior["theta"].each]
    paired = model.likelihood.paired
    if paired is not None:
        pairs = zip(rows(data), each, strict=True)
        return tuple(_with_baseline(*paired, *pair) for pair in pairs)
    return tuple(StudyNodes({"theta": theta[:, None]}, mass) for theta, mass in each)


def _nodes(marginal: Marginal) -> tuple[Array, Array]:
    """Gauss–Legendre nodes between quantiles and 0, where a likelihood may have a corner."""
    edges = np.asarray(marginal.quantile(EDGES.tolist()))
    edges = np.unique(np.append(edges, np.clip(0.0, edges[0], edges[-1])))
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half * (1 + PANEL[0])).ravel()
    mass = (half * PANEL[1]).ravel() * np.asarray(marginal.pdf(x))
    return x, mass / mass.sum()


def _with_baseline(link: str, prior: Prior, row: Row, nodes: tuple[Array, Array]) -> StudyNodes:
    theta, mass = nodes
    joint = joint_density(row, link, prior)
    mode, s = mode_of_beta(joint, theta, float(start_of_baseline(np, link, row)))
    u = alive(joint, theta, mode, s, SPACING, reach_of(prior), every=1)
    beta, log_weight = beta_nodes(mode, s, u, SPACING)
    log_p = joint(theta[:, None], beta) + log_weight
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    p *= (mass / p.sum(axis=1))[:, None]
    theta = np.broadcast_to(theta[:, None], beta.shape)
    columns = {"theta": theta.reshape(-1, 1), "baseline": beta.reshape(-1, 1)}
    return StudyNodes(columns, p.ravel())
