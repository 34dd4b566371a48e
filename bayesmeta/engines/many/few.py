"""A few tables of counts: the program of fixed sizes in NumPy, one after the other.

Compiling takes longer than fitting them, and refits of one table share its studies' likelihoods.
"""

from collections.abc import Mapping
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ...errors import DataError, ModelError
from ...model import RandomEffects
from ...posterior.marginals import SQRT_2PI, invert
from ..exact.fixed import fast_table, marginals_of, name_of
from ..exact.program import Table

type Values = NDArray[np.float64]

NARROW = 1.0  # distances of the nodes of mu that tau must span for a sum over them
STEPS, SETTLED = 12, 1e-7  # of a search that begins near, and in standard deviations
NOTHING = 1e-8  # share of a node's mass of which nothing is seen
_ONE = Lock()  # threads that take turns with small arrays cost more than one
Z, SHARE = np.polynomial.hermite_e.hermegauss(7)
SHARE = SHARE / SHARE.sum()


def fit_few(
    model: RandomEffects, columns: Mapping[str, Values], names: tuple[str, ...], prob: float
) -> Mapping[str, Values]:
    """Fit each row; the error of what the program does not know, or cannot fit, stays infinite.

    Parameters
    ----------
    model : RandomEffects
    columns : mapping of str to ndarray, shape (n, k)
    names : tuple of str
        Of the numbers wanted.
    prob : float
        Of the intervals.

    Returns
    -------
    mapping of str to ndarray, shape (n,)
        The numbers, evidence without ``laws.constants``, and ``engine`` in words.
    """
    with _ONE:
        return _one_by_one(model, columns, names, prob)


def _one_by_one(
    model: RandomEffects, columns: Mapping[str, Values], names: tuple[str, ...], prob: float
) -> Mapping[str, Values]:
    n = len(next(iter(columns.values())))
    out = {name: np.full(n, np.nan) for name in names}
    out["error"], engine = np.full(n, np.inf), np.full(n, "", dtype=object)
    for i in range(n):
        present = ~np.isnan(next(iter(columns.values()))[i])
        kept = {name: values[i, present] for name, values in columns.items()}
        study = tuple(map(str, range(1, int(present.sum()) + 1)))
        try:
            data = model.takes(study=study, **kept)  # pyright: ignore[reportArgumentType, reportCallIssue]
            model.check_data(data)
            table = fast_table(model, data)
        except (DataError, ModelError):
            continue  # `fit` says why
        if table is not None:
            engine[i] = name_of(table)
            mu, tau = marginals_of(model, data, table)
            ends = np.array([(1 - prob) / 2, 0.5, (1 + prob) / 2])
            numbers = {
                "log_marginal_likelihood": float(table.log_z),
                "mu_mean": mu.mean(),
                "mu_sd": mu.sd(),
                "prob_below_null": mu.cdf(0.0),
                "tau_mean": tau.mean(),
                "error": float(table.error),
            }
            if "mu_median" in names:
                of_new = new_quantiles(table, ends[[0, 2]])
                numbers |= dict(zip(("new_lower", "new_upper"), of_new, strict=True))
                for name, marginal in (("mu", mu), ("tau", tau)):
                    words = (f"{name}_{what}" for what in ("lower", "median", "upper"))
                    numbers |= dict(zip(words, marginal.quantile(ends), strict=True))
            for name in names:
                out[name][i] = numbers[name]
    return {**out, "engine": engine}  # pyright: ignore[reportReturnType]


def new_quantiles(table: Table, probs: Values) -> Values:
    """Quantiles of the effect in a new study, mu + tau z, from the nodes of mu and tau.

    Where tau is narrower than the nodes of mu are apart, mu given tau is taken as the Fourier
    series that its nodes give, at a few nodes of z.
    """
    v, mass = np.asarray(table.v), np.asarray(table.mass)
    step = v[1] - v[0]
    apart = table.sd * np.cosh(v) * step
    at_tau = mass.sum(axis=1)
    seen = mass > NOTHING * at_tau[:, None]
    wide = table.tau >= NARROW * np.where(seen, apart, 0.0).max(axis=1)
    narrow = ~wide & (at_tau > NOTHING)
    tau, series = table.tau[narrow, None, None], np.fft.rfft(mass[narrow], axis=1)
    omega = 2 * np.pi * np.arange(series.shape[1]) / (v.size * step)
    series = series * np.where(np.arange(series.shape[1]) * 2 == v.size, 1.0, 2.0) / v.size
    first = v[0] - 0.5 * step
    rising = np.zeros_like(series)
    rising[:, 1:] = series[:, 1:] / (1j * omega[1:]) / step
    start = (rising * np.exp(1j * omega * (first - v[0]))).real.sum(axis=1)

    level = series[:, 0].real[:, None, None] / 2 / step
    narrower, share = table.tau[wide, None], mass[wide] / table.tau[wide, None] / SQRT_2PI
    kept: list[tuple[Values, Values, Values, NDArray[np.complex128]]] = []

    def turned(x: Values) -> tuple[Values, Values, NDArray[np.complex128]]:
        if not kept or kept[0][0] is not x:  # both functions are asked for at the same points
            at = np.arcsinh((x[:, None] - tau * Z - table.centre) / table.sd)
            at = np.clip(at, first, v[-1] + 0.5 * step)
            z = (x[:, None, None] - table.mu) / narrower
            kept[:] = [(x, z, at, np.exp(1j * omega * (at[..., None] - v[0])))]
        return kept[0][1:]

    def cdf(x: Values) -> Values:
        z, at, turn = turned(x)
        wave = np.einsum("tf,txzf->txz", rising, turn).real - start[:, None, None]
        below = np.einsum("xtm,tm->x", ndtr(z), mass[wide])
        return below + ((wave + level * (at - first)) @ SHARE).sum(axis=0)

    def pdf(x: Values) -> Values:
        z, at, turn = turned(x)
        height = np.einsum("tf,txzf->txz", series, turn).real / step - level
        dense = height / (table.sd * np.cosh(at))
        return np.einsum("xtm,tm->x", np.exp(-0.5 * z**2), share) + (dense @ SHARE).sum(axis=0)

    mean = float(mass.sum(axis=0) @ table.mu)
    sd = np.sqrt(mass.sum(axis=0) @ (table.mu - mean) ** 2 + at_tau @ table.tau**2)
    x = mean + sd * ndtri(probs)
    for _ in range(STEPS):  # Newton's: each doubles the digits, so the last one need not be tried
        move = (cdf(x) - probs) / pdf(x)
        x = x - np.clip(move, -sd, sd)
        if np.abs(move).max() <= SETTLED * sd:
            return x
    far = np.full(probs.size, 40.0) * sd
    return invert(cdf, pdf, probs, mean - far, mean + far)
