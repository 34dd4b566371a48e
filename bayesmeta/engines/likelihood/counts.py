"""Likelihoods of whole tables of counts at nodes of theta, by rules of fixed size: NumPy or JAX."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from .laws import FARTHEST, GIVEN_EFFECT, Both, Namespace, log_of_arms, start_of_baseline

type Array = Both
type Columns = Mapping[str, Array]
type Found = tuple[Array, Array]

NEWTON = 10


class Rule(NamedTuple):
    """How the baseline is integrated, and how many counts a hypergeometric law sums over.

    `nodes` of the trapezoidal rule about the mode; with `tails` they are stretched to the far tails
    of a vague prior.
    """

    nodes: int
    tails: bool
    support: int = 0


def study_function(
    xp: Namespace, link: str, columns: Columns, rule: Rule, log_beta: Callable | None
) -> Callable[[Array], Found]:
    """What every study of a table says of its effect, at nodes of its own.

    Parameters
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    link : str
    columns : mapping
        Events and patients, or person-time, each (k,).
    rule : Rule
    log_beta : callable or None
        Log density of the baseline's prior, where there is one.

    Returns
    -------
    callable
        theta (k, n) to log likelihoods (k, n) without ``laws.constants``, and errors (k,).
    """
    if log_beta is not None:
        settings = {"tails": rule.tails}
        return partial(with_baseline, xp, link, rule.nodes, columns, log_beta, **settings)
    row = tuple(columns.values())

    def given_effect(theta: Array) -> Found:
        value = GIVEN_EFFECT[link](xp, row, theta, support=rule.support)
        return value, xp.zeros(theta.shape[0])

    return given_effect


def with_baseline(
    xp: Namespace,
    link: str,
    nodes: int,
    columns: Columns,
    log_beta: Callable,
    theta: Array,
    *,
    tails: bool,
) -> Found:
    """Log likelihoods of two arms at theta (k, n), baselines integrated out, and errors (k,).

    Parameters
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    link : {"OR half", "OR zero_one", "RR", "RD", "IRR"}
    nodes : int
        Of the trapezoidal rule for the baseline, about its mode.
    columns : mapping
        Events and patients, or person-time, each (k,).
    log_beta : callable
        Log density of the baseline's prior.
    theta : array, shape (k, n)
    tails : bool
        Whether the nodes are stretched to the far tails of a vague prior.
    """
    row = tuple(columns[name][:, None] for name in columns)
    mode, s = _mode(xp, link, row, log_beta, theta)
    if tails:
        reach = xp.arcsinh(FARTHEST / s)[..., None]
        u = reach * np.linspace(-1, 1, nodes)
        beta = mode[..., None] + s[..., None] * xp.sinh(u)
        log_weight = xp.log(s[..., None] * xp.cosh(u) * 2 * reach / (nodes - 1))
    else:
        u = np.linspace(-6.0, 6.0, nodes)
        beta = mode[..., None] + s[..., None] * u
        log_weight = xp.log(s)[..., None] + np.log(u[1] - u[0])
    cell = tuple(part[..., None] for part in row)
    each = log_of_arms(xp, link, cell, theta[..., None], beta) + log_beta(beta) + log_weight
    top = each.max(axis=-1)
    share = xp.exp(each - top[..., None])
    total = share.sum(axis=-1)
    ends = xp.maximum(share[..., 0], share[..., -1]) / total
    gap = xp.abs(share[..., ::2].sum(axis=-1) - share[..., 1::2].sum(axis=-1)) / total
    at = theta.shape[-1] // 2  # what matters lies about the estimate, in the middle
    middle = slice(at - theta.shape[-1] // 4, at + theta.shape[-1] // 4 + 1)
    error = xp.maximum(ends, gap**2)[..., middle].max(axis=-1)
    return top + xp.log(total), error


def _mode(
    xp: Namespace, link: str, row: tuple[Array, ...], log_beta: Callable, theta: Array
) -> tuple[Array, Array]:
    """Mode of the baseline at each theta, and its scale, both (k, n)."""
    beta = start_of_baseline(xp, link, row) + 0 * theta

    def step(_: int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        slope, curvature = _slopes(xp, link, row, log_beta, theta, state[0])
        curvature = xp.maximum(curvature, 1e-3)
        return state[0] + xp.clip(slope / curvature, -3.0, 3.0), curvature

    state = beta, xp.ones_like(beta)
    if xp is np:
        for i in range(NEWTON):
            state = step(i, state)
    else:
        from jax import lax

        state = lax.fori_loop(0, NEWTON, step, state)
    return state[0], xp.clip(state[1] ** -0.5, 1e-4, 1.5)


def _slopes(
    xp: Namespace, link: str, row: tuple[Array, ...], log_beta: Callable, theta: Array, beta: Array
) -> tuple[Array, Array]:
    """First derivative in beta, and minus the second."""
    a, n1, c, n0 = row
    delta = 1e-3
    if link in ("RR", "RD"):
        below, here, above = (
            log_of_arms(xp, link, row, theta, beta + shift) + log_beta(beta + shift)
            for shift in (-delta, 0.0, delta)
        )
        return (above - below) / (2 * delta), -(above - 2 * here + below) / delta**2
    below, here, above = (log_beta(beta + shift) for shift in (-delta, 0.0, delta))
    slope, curvature = (above - below) / (2 * delta), -(above - 2 * here + below) / delta**2
    part = (0.0, 1.0) if link == "OR zero_one" else (-0.5, 0.5)
    for events, n, share in ((a, n1, part[1]), (c, n0, part[0])):
        at = beta + share * theta
        if link == "IRR":
            mean = spread = n * xp.exp(at)
        else:
            p = 1 / (1 + xp.exp(-at))
            mean, spread = n * p, n * p * (1 - p)
        slope, curvature = slope + events - mean, curvature + spread
    return slope, curvature
