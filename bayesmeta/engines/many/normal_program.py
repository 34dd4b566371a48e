"""The normal-normal posterior of one data set in JAX, and a program that fits many.

The same integral as in ``exact.normal``, written apart: Chebyshev nodes of tau in a map centred per
data set, closed forms given tau. A loop over blocks of data sets keeps every intermediate array in
the processor's cache, and runs as often as there are data sets, so that one program serves any
number of them. What decides a program is the padded number of studies, the families of the priors
and whether quantiles are wanted; estimates and the priors' numbers are inputs.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import gammaln

from ...priors import LOG_2PI
from ..compiled.priors import Density, Numbers
from ..compiled.quantiles import mixture_quantiles, normal, series_quantiles
from ..exact.tau_nodes import fejer

BLOCK = 32  # data sets side by side
PRE = 16  # nodes that find where tau is
GROUP = 8  # variances multiplied before one logarithm is taken of them
UNROLLED = 8  # studies summed in one fused loop; twice as many are twice as slow
UNSETTLED = 1e4  # times the square of a quantile's last step: what it may still be wrong by

MOMENTS = ("log_marginal_likelihood", "mu_mean", "mu_sd", "prob_below_null", "tau_mean", "error")
QUANTILES = (
    *("mu_lower", "mu_median", "mu_upper"),
    *("new_lower", "new_upper"),
    *("tau_lower", "tau_median", "tau_upper"),
)


class Shape(NamedTuple):
    """What decides a compiled program: everything else is an input."""

    k: int
    nodes: int
    components: int  # of mu's prior: 1 for a normal
    tau: Density
    numbers: tuple[str, ...]  # of tau's prior
    steps: int  # Newton's, to a quantile; 0 if none is wanted

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers that each data set gives."""
        return MOMENTS + (QUANTILES if self.steps else ())


class Rule(NamedTuple):
    """Fejér's rule: nodes, weights, weights without the highest third of the series, and more.

    ``cumulative`` takes a density at the nodes to its integral up to them, ``barycentric`` are
    the weights of the interpolation between them, ``tail`` gives what the last sixth of the
    density's series adds to the distribution function.
    """

    x: Array
    weight: Array
    rough: Array
    cumulative: Array
    barycentric: Array
    tail: Array


@lru_cache(maxsize=16)
def rule(count: int) -> Rule:
    """Return the rule with `count` nodes."""
    x, weight, to_series = fejer(count)
    chebyshev = np.polynomial.chebyshev
    integral = np.array([chebyshev.chebint(one, lbnd=-1) for one in np.eye(count)]).T
    at_nodes = chebyshev.chebvander(x, count)
    kept = 2 * count // 3
    rough = chebyshev.chebval(1.0, integral[:, :kept]) @ to_series[:kept]
    order = np.arange(count)
    barycentric = (-1.0) ** order * np.sin(np.pi * (order + 0.5) / count)
    last = 5 * count // 6
    tail = to_series[last:] / order[last:, None]
    return Rule(x, weight, rough, at_nodes @ integral @ to_series, barycentric, tail)  # pyright: ignore[reportArgumentType]


class Sums(NamedTuple):
    """Over the studies, at each node: of w, w y, w y² and log(1/w), with w = 1/(se² + tau²)."""

    w: Array
    wy: Array
    wyy: Array
    log_variance: Array


def _sums(y: Array, v: Array, tau: Array) -> Sums:
    """`y`, `v` have shape (k,), an absent study infinite `v`; `tau` has shape (t,)."""
    t2 = tau**2
    zero = Sums(*(jnp.zeros_like(t2),) * 4)
    if y.size <= UNROLLED:
        return _add(zero, y, v, t2)
    parts = y.reshape(-1, UNROLLED), v.reshape(-1, UNROLLED)
    return lax.scan(lambda sums, part: (_add(sums, *part, t2), None), zero, parts)[0]


def _add(sums: Sums, y: Array, v: Array, t2: Array) -> Sums:
    w, wy, wyy, log_variance = sums
    for i in range(0, y.size, GROUP):
        product = jnp.ones_like(t2)
        for j in range(i, min(i + GROUP, y.size)):
            total = t2 + v[j]
            one = 1 / total
            w, wy, wyy = w + one, wy + y[j] * one, wyy + y[j] ** 2 * one
            product = product * jnp.where(jnp.isinf(v[j]), 1.0, total)
        log_variance = log_variance + jnp.log(product)
    return Sums(w, wy, wyy, log_variance)


class Mixture(NamedTuple):
    """mu's prior as normals: logs of weights, means, precisions; each of shape (g,)."""

    log_weight: Array
    mean: Array
    precision: Array


def _mu_mixture(numbers: Numbers, components: int, centre: Array, y: Array) -> Mixture:
    """Write the prior of mu - centre as `components` normals; `y` is centred too."""
    mean = jnp.full(components, numbers["mean"] - centre)
    if components == 1:
        return Mixture(jnp.zeros(1), mean, numbers["sd"][None] ** -2.0)
    df, scale = numbers["df"], numbers["scale"]
    reach = 42 / df + 7 / jnp.sqrt(df)
    farthest = jnp.abs(y - mean[0]).max()
    low = -reach - jnp.log1p((farthest / scale) ** 2 / df)
    log_g = jnp.linspace(low, jnp.log1p(reach), components)
    step = log_g[1] - log_g[0]
    shape = df / 2
    weight = shape * (jnp.log(shape) + log_g - jnp.exp(log_g)) - gammaln(shape) + jnp.log(step)
    return Mixture(weight, mean, jnp.exp(log_g) / scale**2)


class Given(NamedTuple):
    """Given tau, shape (t, g): the data's density as ``exp(log_height) factor``; mu's moments."""

    log_height: Array
    factor: Array
    mean: Array
    variance: Array


def _given(y: Array, v: Array, tau: Array, prior: Mixture) -> Given:
    w, wy, wyy, log_variance = (each[:, None] for each in _sums(y, v, tau))
    variance = 1 / (w + prior.precision)
    mean = (wy + prior.precision * prior.mean) * variance
    spread = wyy + prior.precision * prior.mean**2 - mean**2 / variance
    constant = jnp.isfinite(v).sum() * LOG_2PI
    log_height = prior.log_weight - 0.5 * (spread + log_variance + constant)
    return Given(log_height, jnp.sqrt(prior.precision * variance), mean, variance)


class Inputs(NamedTuple):
    """What all data sets share: the priors' numbers, support and median of tau, and levels."""

    mu: Numbers
    tau: Numbers
    low: Array
    high: Array
    median: Array
    probs: Array  # shape (3,)


class Map(NamedTuple):
    """From the rule's variable x to tau, both ends included.

    ``tau = low + scale (1 + u)/(1 - u)`` with ``u = width sinh(a + b x)`` in [-1, end]: nodes
    crowd where the posterior is, within `width` of u = 0, and the map has no singularity.

    References
    ----------
    Tee TW, Trefethen LN (2006). SIAM J Sci Comput 28:1798-1811 (the sinh map).
    """

    low: Array
    scale: Array
    width: Array
    a: Array
    b: Array

    @classmethod
    def of(cls, inputs: "Inputs", scale: Array, width: Array) -> "Map":
        """Map to the support of tau, centred on `scale` and its neighbourhood."""
        whole = inputs.high - inputs.low
        scale = jnp.minimum(scale, 0.9 * whole)
        end = jnp.where(jnp.isinf(whole), 1.0, (whole - scale) / (whole + scale))
        first, last = jnp.arcsinh(-1 / width), jnp.arcsinh(end / width)
        return cls(inputs.low, scale, width, (first + last) / 2, (last - first) / 2)

    def __call__(self, x: Array) -> tuple[Array, Array, Array]:
        """Return u, tau and the derivative of tau."""
        s = self.a + self.b * x
        up = jnp.exp(s)
        down = 1 / up
        u = 0.5 * self.width * (up - down)
        slope = self.scale * self.b * self.width * (up + down) / (1 - u) ** 2
        return u, self.low + self.scale * (1 + u) / (1 - u), slope


def _nodes(shape: Shape, y: Array, v: Array, prior: Mixture, inputs: Inputs) -> Map:
    """Centre the nodes on the posterior of log(tau - low), as seen at a few of them."""

    def mass(tau: Array, log_outer: Array) -> Array:
        given = _given(y, v, tau, prior)
        height = given.log_height + (shape.tau(tau, inputs.tau) + log_outer)[:, None]
        return (jnp.exp(height - height.max()) * given.factor).sum(axis=1)

    return placed(mass, jnp.abs(y).max(), v, inputs)


def placed(mass: Callable[[Array, Array], Array], farthest: Array, v: Array, inputs: Inputs) -> Map:
    """Centre nodes where `mass`, of tau and the log of a factor, has the posterior of tau.

    `farthest` is how far an estimate lies from what is expected of it.
    """
    typical = jnp.sqrt(jnp.isfinite(v).sum() / jnp.sum(1 / v))
    first = 0.03 * jnp.minimum(typical, inputs.median)
    last = 3 * jnp.maximum(jnp.maximum(typical, farthest), inputs.median)
    last = jnp.minimum(last, inputs.high - inputs.low)
    log_step = jnp.linspace(jnp.log(jnp.minimum(first, last / 100)), jnp.log(last), PRE)
    at = mass(inputs.low + jnp.exp(log_step), log_step)
    share = at / at.sum()
    middle = share @ log_step
    spread = jnp.sqrt(share @ (log_step - middle) ** 2) + (log_step[1] - log_step[0]) / 4
    wider = 1 + jnp.minimum(spread, 1.0)  # what reaches down to 0 ends like a normal further up
    return Map.of(inputs, wider * jnp.exp(middle), 1.25 * spread)


class Moments(NamedTuple):
    """What one set of weights of the rule gives."""

    log_z: Array
    mean: Array
    sd: Array
    tau: Array
    tau_sd: Array
    u: Array
    u_sd: Array


class AtNodes(NamedTuple):
    """What is integrated over the nodes, each (t,): density, an effect's moments, tau and u."""

    p: Array
    mu: Array
    variance: Array
    tau: Array
    u: Array


def moments(w: Array, at: AtNodes) -> Moments:
    """Integrate with the weights `w` of the rule."""
    z = w @ at.p
    share = w * at.p / z

    def spread(values: Array) -> tuple[Array, Array]:
        centre = share @ values
        return centre, share @ (values - centre) ** 2

    (m, m_spread), (t, t_spread), (u, u_spread) = map(spread, (at.mu, at.tau, at.u))
    sd = jnp.sqrt(share @ at.variance + m_spread)
    return Moments(jnp.log(z), m, sd, t, jnp.sqrt(t_spread), u, jnp.sqrt(u_spread))


def distance(fine: Moments, rough: Moments) -> Array:
    """Disagreement of two rules in posterior SDs; of tau as far as it has any."""
    gaps = jnp.stack(
        [
            fine.log_z - rough.log_z,
            (fine.mean - rough.mean) / fine.sd,
            rough.sd / fine.sd - 1,
            (fine.tau - rough.tau) / jnp.minimum(fine.tau_sd, fine.tau),
            (fine.u - rough.u) / fine.u_sd,
        ]
    )
    return jnp.abs(gaps).max()


class Fitted(NamedTuple):
    """The posterior of one data set at the nodes of tau, shape (t,), and of mu there, (t, g).

    ``p`` is the posterior density in the rule's variable, times ``exp(-top)``; ``within`` holds
    the shares of the components of mu's prior, ``mu`` and ``variance`` are mu's given the node.
    """

    to_tau: Map
    u: Array
    tau: Array
    top: Array
    p: Array
    within: Array
    given: Given
    mu: Array
    variance: Array


def _fit(shape: Shape, y: Array, v: Array, prior: Mixture, inputs: Inputs) -> Fitted:
    to_tau = _nodes(shape, y, v, prior, inputs)
    u, tau, slope = to_tau(jnp.asarray(rule(shape.nodes).x))
    given = _given(y, v, tau, prior)
    height = given.log_height + shape.tau(tau, inputs.tau)[:, None]
    top = height.max()
    each = jnp.exp(height - top) * given.factor
    if shape.components == 1:
        total, within = each[:, 0], jnp.ones_like(each)
    else:
        total = each.sum(axis=1)
        within = each / jnp.where(total > 0, total, 1.0)[:, None]
    mu = (within * given.mean).sum(axis=1)
    variance = (within * (given.variance + (given.mean - mu[:, None]) ** 2)).sum(axis=1)
    return Fitted(to_tau, u, tau, top, total * slope, within, given, mu, variance)


def _one(shape: Shape, y: Array, se: Array, inputs: Inputs) -> Array:
    """Fit one data set, `y` and `se` of shape (k,); an absent study has infinite `se`."""
    v = se**2
    centre = jnp.sum(y / v) / jnp.sum(1 / v)
    y = jnp.where(jnp.isinf(v), 0.0, y - centre)
    fejer = Rule(*map(jnp.asarray, rule(shape.nodes)))
    fit = _fit(shape, y, v, _mu_mixture(inputs.mu, shape.components, centre, y), inputs)
    at = AtNodes(fit.p, fit.mu, fit.variance, fit.tau, fit.u)
    fine, rough = (moments(w, at) for w in (fejer.weight, fejer.rough))
    p = fit.p / jnp.exp(fine.log_z)
    weights = ((fejer.weight * p)[:, None] * fit.within).ravel()
    means, sds = fit.given.mean.ravel(), jnp.sqrt(fit.given.variance).ravel()
    below = weights @ normal(-(means + centre) / sds)[0]
    error = jnp.maximum(distance(fine, rough), jnp.abs(fejer.tail @ p).sum())
    found = [fit.top + fine.log_z, fine.mean + centre, fine.sd, below, fine.tau]
    if not shape.steps:
        return jnp.stack([*found, error])
    mu, new, left = _effect_quantiles(shape, weights, means, sds, fit, fine, inputs.probs)
    x, last = tau_quantiles(fejer, p, inputs.probs, shape.steps)
    error = jnp.maximum(error, UNSETTLED * jnp.maximum(left, last) ** 2)
    return jnp.concatenate(
        [jnp.stack([*found, error]), mu + centre, new + centre, fit.to_tau(x)[1]]
    )


def tau_quantiles(fejer: Rule, p: Array, probs: Array, steps: int) -> tuple[Array, Array]:
    """Where the rule's variable has a quantile of the density `p`; the largest last step."""
    below = fejer.cumulative @ p
    return series_quantiles(fejer.x, fejer.barycentric, below, p, probs, steps=steps)


def _effect_quantiles(
    shape: Shape,
    weights: Array,
    means: Array,
    sds: Array,
    fit: Fitted,
    fine: Moments,
    probs: Array,
) -> tuple[Array, Array, Array]:
    """Quantiles of mu and, at the outer levels, of a new study's effect; the largest last step."""
    solve = partial(mixture_quantiles, weights, means, steps=shape.steps)
    mu, mu_last = solve(sds, probs, fine.mean, fine.sd)
    wide = jnp.sqrt(sds**2 + jnp.repeat(fit.tau, sds.size // fit.tau.size) ** 2)
    size = (weights @ jnp.sqrt(wide)) ** 2  # exists whatever the tail of tau
    ends = probs[jnp.array([0, 2])]
    new, new_last = solve(wide, ends, fine.mean, size)
    return mu, new, jnp.maximum(mu_last, new_last)


def blocks(shape: Shape, y: Array, se: Array, count: Array, inputs: Inputs) -> Array:
    """Fit the first `count` blocks of `y` and `se`, shape (n, k); one row of numbers each."""
    return in_blocks(partial(_one, shape), len(shape.columns), (y, se), count, inputs)


def in_blocks(
    fit: Callable[..., Array], width: int, tables: Sequence[Array], count: Array, inputs: Inputs
) -> Array:
    """Give `fit` the first `count` blocks of data sets, and make rows of `width` numbers."""
    one = jax.vmap(fit, in_axes=(*(0 for _ in tables), None))

    def body(i: Array, out: Array) -> Array:
        some = (lax.dynamic_slice_in_dim(each, i * BLOCK, BLOCK) for each in tables)
        return lax.dynamic_update_slice_in_dim(out, one(*some, inputs), i * BLOCK, 0)

    return lax.fori_loop(0, count, body, jnp.zeros((tables[0].shape[0], width)))
