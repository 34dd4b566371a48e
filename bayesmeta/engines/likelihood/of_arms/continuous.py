"""What studies with a continuous outcome say of their effects: means, SDs and baselines gone.

Arms with an SD each: the two arms' likelihoods of their own locations, SDs integrated out, are
multiplied and integrated over the baseline. Arms that share one SD, for SMD: over baseline and SD.
Every study is tabulated once, at points that crowd at its estimate and reach far, and read off by a
spline. Each is scaled to the integral 1 over the effect: a density of its estimate.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.special import logsumexp

from ....effects import arm_estimates
from ....model import Arms
from ....priors import Normal, Prior, log_density
from ....studies import ContinuousStudies
from ._common_sd import standardised, standardised_arms
from ._shape import Shape, peaks_of
from .arms import Arm, arms_of, log_marginal

type Array = NDArray[np.float64]
NEAR = 2.0  # standard errors about an estimate within which the points lie evenly, nearly
SPACING = 0.1  # of the rules for what all studies have by themselves
WIDEST = 0.08  # distance of the points, in that map
LEAST_REACH, BY = 512.0, 5  # of tables, in standard errors; the next reach 2⁵ times as far
EDGES = np.array([0.0, 1.0, 2.5, 5.0, 10.0])  # of panels about a peak, in its standard errors
CORRELATIONS = 48  # nodes of an unknown correlation of baseline and final values
GOLDEN = (5**0.5 - 1) / 2
DEAD, TINY = 55.0, 1e-300  # log of a panel's mass below the largest: nothing; in place of zero
AT_ONCE = 2**14  # values that are computed together
PANEL = np.polynomial.legendre.leggauss(10)


class Table(NamedTuple):
    """Log likelihood of one study, and of the effect being larger, as splines in the map."""

    y: float
    se: float
    log_density: BSpline
    log_above: BSpline

    def v(self, theta: Array) -> Array:
        """The variable of the splines at theta."""
        return np.clip(
            np.arcsinh((theta - self.y) / (NEAR * self.se)),
            self.log_density.t[0],
            self.log_density.t[-1],
        )


def rough_continuous(model: Arms, data: ContinuousStudies) -> tuple[Array, Array]:
    """Rough estimates and standard errors of all studies, each (k,)."""
    pairs = arms_of(model, data)
    sides = (np.array([pair[j][:3] for pair in pairs]).T for j in (0, 1))
    return arm_estimates(*model.pair, *(tuple(side) for side in sides))


def tables_of(model: Arms, data: ContinuousStudies, farthest: float, spacing: float) -> list[Table]:
    """Tabulate every study as far as |theta| = `farthest`, which is rounded up: tables are kept."""
    shape = Shape(
        model.measure,
        model.arms == "lognormal",
        model.log_sd,
        model.baseline,
        float(spacing),
        model.correlation,
    )
    made = []
    for arms, y, se in zip(arms_of(model, data), *rough_continuous(model, data), strict=True):
        decades = np.ceil(np.log2(((farthest + abs(y)) / se + 100.0) / LEAST_REACH) / BY)
        reach = LEAST_REACH * 2.0 ** (BY * max(decades, 0.0))
        made.append(_table(*arms, shape, float(y), float(se), float(reach)))
    return made


@lru_cache(maxsize=1024)
def _table(treatment: Arm, control: Arm, shape: Shape, y: float, se: float, reach: float) -> Table:
    step = min(WIDEST, 0.8 * shape.spacing)
    last = np.arcsinh(reach / NEAR)
    v = step * np.arange(-np.ceil(last / step), np.ceil(last / step) + 1)
    theta = y + NEAR * se * np.sinh(v)
    log_l = log_likelihood(treatment, control, shape, theta)
    mass = log_l + np.log(NEAR * se * np.cosh(v) * step)
    log_l = log_l - logsumexp([*mass, *_beyond(log_l, theta - y)])
    above = np.logaddexp.accumulate((mass - logsumexp(mass))[::-1])[::-1]
    above = np.logaddexp(above[1:], above[:-1]) - np.log(2)  # by the trapezoidal rule
    above = np.append(above, above[-1] - 1.0)
    pair = (make_interp_spline(v, one, k=5) for one in (log_l, np.minimum(above, 0.0)))
    return Table(y, se, *pair)


def _beyond(log_l: Array, away: Array) -> list[float]:
    """Logs of the masses beyond both ends of a table, where likelihoods fall like powers.

    With them the scale of a likelihood does not hang on how far it was tabulated.
    """
    found = []
    for end, next_to_it in ((0, 1), (-1, -2)):
        size, inner = abs(away[end]), abs(away[next_to_it])
        power = (log_l[next_to_it] - log_l[end]) / np.log(size / inner)
        found.append(log_l[end] + np.log(size / max(power - 1, 0.05)))
    return found


def log_likelihood(treatment: Arm, control: Arm, shape: Shape, theta: Array) -> Array:
    """Log likelihood of one study at theta, (n,), but for a constant."""
    if treatment.before or control.before:
        return _over_correlation(treatment, control, shape, theta)
    if shape.measure == "SMD":
        moments = not (treatment.probs or control.probs)
        if moments and (shape.baseline is None or isinstance(shape.baseline, Normal)):
            return standardised(treatment, control, shape, theta)
        return standardised_arms(treatment, control, shape, theta)
    if _plain(treatment, control, shape):
        return _behrens_fisher(treatment, control, theta)
    return _two_locations(treatment, control, shape, theta)


def _over_correlation(treatment: Arm, control: Arm, shape: Shape, theta: Array) -> Array:
    """A change whose SD is unknown: integrated over the prior of the correlation.

    Likelihoods are densities of the log SD here, so that their sizes compare.
    """
    assert shape.correlation is not None
    values, log_weight = _correlations(shape.correlation)
    each = []
    for r, log_w in zip(values, log_weight, strict=True):
        arms = treatment.given(float(r)), control.given(float(r))
        log_l = log_likelihood(*arms, shape, theta)
        if not _plain(*arms, shape):
            log_l = log_l + sum((arm.n - 1) * np.log(arm.sd) for arm in arms if not arm.probs)
        each.append(log_l + log_w)
    return np.asarray(logsumexp(each, axis=0))


def _correlations(prior: Prior) -> tuple[Array, Array]:
    """Nodes and log weights over where a prior has its mass, however narrow that is."""
    fine = np.linspace(*prior.support, 20_001)
    with np.errstate(divide="ignore"):
        log_p = log_density(prior, fine)
        alive = fine[log_p > log_p[np.isfinite(log_p)].max() - 30]
        low, high = (float(np.clip(end, -1, 1)) for end in (alive[0], alive[-1]))
        x, weight = np.polynomial.legendre.leggauss(CORRELATIONS)
        values = (low + high) / 2 + max(high - low, 1e-9) / 2 * x
        return values, np.log(weight) + log_density(prior, values)


def _plain(treatment: Arm, control: Arm, shape: Shape) -> bool:
    """Whether two Student-t distributions say all, and they are scaled to 1."""
    flat = not (treatment.probs or control.probs or shape.log_sd or shape.baseline)
    return flat and shape.measure in ("MD", "RGM")


def _behrens_fisher(treatment: Arm, control: Arm, theta: Array) -> Array:
    """Two means with SDs of their own: Student's t, mixed over how the variances share.

    With B the share of one chi-square in the sum of both, B ~ Beta(df1/2, df0/2), and given B the
    difference is Student-t with df1 + df0 degrees of freedom; integrated over logit B.
    """
    df1, df0 = treatment.n - 1, control.n - 1
    df = df1 + df0
    centre, width = np.log(df1 / df0), (2 / df1 + 2 / df0) ** 0.5
    w = np.linspace(-6.0, 6.0, 161)
    logit = centre + width * np.sinh(w)
    log_b, log_rest = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    log_weight = df1 / 2 * log_b + df0 / 2 * log_rest + np.log(np.cosh(w))
    variance = df1 * treatment.sd**2 / treatment.n * np.exp(-log_b)
    variance = variance + df0 * control.sd**2 / control.n * np.exp(-log_rest)
    gap = (theta[:, None] - (treatment.mean - control.mean)) ** 2
    each = log_weight - 0.5 * np.log(variance) - (df + 1) / 2 * np.log1p(gap / variance)
    return np.asarray(logsumexp(each, axis=1))


def _two_locations(treatment: Arm, control: Arm, shape: Shape, theta: Array) -> Array:
    """Product of the arms' likelihoods of their own locations, integrated over the baseline."""
    log_scale = shape.measure == "ROM" and not shape.lognormal
    far = 4 * np.abs(theta).max() + 100.0
    sides = [_location(arm, shape, far, log_scale=log_scale) for arm in (treatment, control)]
    half = theta[:, None] / 2

    def joint(rows: slice | NDArray[np.intp], b: Array) -> Array:
        each = sides[0].at(b + half[rows]) + sides[1].at(b - half[rows])
        return each + _log_prior_of_baseline(shape, b, log_scale=log_scale)

    peaks = [(sides[0].peak - half, sides[0].scale), (sides[1].peak + half, sides[1].scale)]
    peaks += [(0 * half + at, scale) for at, scale in peaks_of(shape.baseline)]
    coarse, every = _edges(peaks, far), slice(None)
    at_coarse = np.concatenate([joint(some, coarse[some]) for some in _blocks(coarse)])
    fine = _about_highest(partial(joint, every), coarse, at_coarse)
    return _over_panels(joint, *_together(coarse, at_coarse, fine, joint(every, fine)))


def _together(coarse: Array, at_coarse: Array, fine: Array, at_fine: Array) -> tuple[Array, Array]:
    """Edges of panels in order, (n, m), and the function there."""
    edges = np.concatenate([coarse, fine], axis=1)
    order = edges.argsort(axis=1)
    values = np.concatenate([at_coarse, at_fine], axis=1)
    return np.take_along_axis(edges, order, 1), np.take_along_axis(values, order, 1)


def _over_panels(joint: Callable[..., Array], edges: Array, values: Array) -> Array:
    """Log of the integral of each row, (n,), over the panels at whose ends anything is seen."""
    mass = np.maximum(values[:, 1:], values[:, :-1]) + np.log(np.diff(edges, axis=1) + TINY)
    row, panel = np.nonzero(mass > np.fmax.reduce(mass, axis=1)[:, None] - DEAD)
    low, high = edges[row, panel], edges[row, panel + 1]
    x, weight = PANEL
    each = np.empty((row.size, x.size))
    for some in _blocks(each):
        middle, span = (low[some] + high[some]) / 2, (high[some] - low[some]) / 2
        each[some] = joint(row[some], middle[:, None] + span[:, None] * x)
        each[some] += np.log(span[:, None] * weight + TINY)
    found, top = np.full((2, len(edges)), -np.inf)
    seen, first = np.unique(row, return_index=True)
    top[seen] = np.maximum.reduceat(each.max(axis=1), first)
    found[seen] = np.log(np.add.reduceat(np.exp(each - top[row, None]).sum(axis=1), first))
    return top + found


def _blocks(of: Array) -> list[slice]:
    """Rows that a processor's cache holds."""
    size = max(1, AT_ONCE // of.shape[1])
    return [slice(first, first + size) for first in range(0, len(of), size)]


def _log_prior_of_baseline(shape: Shape, b: Array, *, log_scale: bool) -> Array:
    if shape.baseline is None:
        return b if log_scale else np.zeros_like(b)
    return log_density(shape.baseline, b)


class Location(NamedTuple):
    """An arm's log likelihood of its location, as a spline, and where its peak is.

    Beyond its ends the spline goes on with its `slopes`: powers of the distance. With `log_scale`
    it is tabulated in the mean and asked for at its logarithm.
    """

    spline: BSpline
    slopes: Array
    mean: float
    unit: float
    peak: float
    scale: float
    log_scale: bool

    def at(self, x: Array) -> Array:
        """Log likelihood at locations x."""
        if self.log_scale:
            near = np.minimum(x, 300.0)
            v = np.arcsinh((np.exp(near) - self.mean) / self.unit) + (x - near)
        else:
            v = np.arcsinh((x - self.mean) / self.unit)
        last = self.spline.t[-1]
        inside = np.clip(v, -last, last)
        return self.spline(inside) + self.slopes[(v > 0).astype(int)] * (v - inside)


def _location(arm: Arm, shape: Shape, far: float, *, log_scale: bool) -> Location:
    of_mean = shape.measure == "ROM" and shape.lognormal
    mean, se = arm.mean, arm.sd / arm.n**0.5
    if of_mean:
        mean, se = mean + arm.sd**2 / 2, se * (1 + arm.sd**2 / 2) ** 0.5
    unit = NEAR * se
    step = min(WIDEST, 0.8 * shape.spacing)
    last = np.arcsinh(1e8 if log_scale else (2 * far + 10 * abs(mean)) / unit)
    v = step * np.arange(-np.ceil(last / step), np.ceil(last / step) + 1)
    x = mean + unit * np.sinh(v)
    log_a = log_marginal(arm, shape.log_sd, x, shape.spacing, of_mean=of_mean)
    peak, scale = (np.log(mean), se / mean) if log_scale else (mean, se)
    spline = make_interp_spline(v, log_a, k=5)
    slopes = np.diff(log_a)[[0, -1]] / step
    return Location(spline, slopes, mean, unit, peak, min(scale, 1.0), log_scale)


def _about_highest(joint: Callable[[Array], Array], b: Array, values: Array) -> Array:
    """Edges of panels about the highest peak of each row, (n, m), which lies between others.

    The peak is found by golden sections between the neighbours of the highest edge, its width by
    how far from it the log falls by a half.
    """
    row, i = np.arange(len(b)), np.clip(values.argmax(axis=1), 1, b.shape[1] - 2)
    low, high = b[row, i - 1][:, None], b[row, i + 1][:, None]
    widest = high - low
    for _ in range(30):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        rising = joint(left) < joint(right)
        low, high = np.where(rising, left, low), np.where(rising, high, right)
    at, width = (low + high) / 2, 0.1 * widest
    for _ in range(8):
        fall = joint(at) - (joint(at - width) + joint(at + width)) / 2
        width = width * np.clip((0.5 / np.maximum(fall, 1e-12)) ** 0.5, 0.02, 5.0)
        width = np.clip(width, 1e-6 * widest, widest)
    return at + width * np.concatenate([-EDGES[:0:-1], EDGES])


def _edges(peaks: list[tuple[Array, float]], far: float) -> Array:
    """Edges of panels that crowd at peaks (n, 1), each with a scale, and reach far, (n, m)."""
    ends = []
    for peak, scale in peaks:
        last = 20.0 * 3.0 ** np.arange(max(2, np.ceil(np.log(far / scale) / np.log(3))))
        out = scale * np.concatenate([EDGES, last])
        ends += [peak + out, peak - out[1:]]
    return np.sort(np.concatenate(ends, axis=1), axis=1)


def log_densities(model: Arms, data: ContinuousStudies, theta: Array, spacing: float) -> Array:
    """Log likelihoods of all studies at theta, (k, n)."""
    found = tables_of(model, data, float(np.abs(theta).max()), spacing)
    return np.array([one.log_density(one.v(theta)) for one in found])


def log_above(model: Arms, data: ContinuousStudies, theta: Array, spacing: float) -> Array:
    """Log probability of a lower estimate at theta, (k, n), were the density only shifted."""
    found = tables_of(model, data, float(np.abs(theta).max()), spacing)
    return np.array([np.minimum(one.log_above(one.v(theta)), 0.0) for one in found])


def at_effects(model: Arms, data: ContinuousStudies, theta: Array) -> Array:
    """Log likelihood of each study at effects of its own, (n, k)."""
    found = tables_of(model, data, float(np.abs(theta).max()), SPACING)
    return np.stack([one.log_density(one.v(at)) for one, at in zip(found, theta.T, strict=True)], 1)
