"""Whether covariates that were dealt out at random would explain as much."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial, prod
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ...arguments import check_whole
from ...errors import ModelError
from ...notebooks import Tabled
from .meta_regression import Answer, answer_of, constant_of
from .result import MetaRegression

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

AS_LARGE = 1 - 1e-8  # of a statistic: what is no smaller counts as equal, for tau² is rounded


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest(Tabled):
    """How often covariates dealt out otherwise give as large a statistic.

    Attributes
    ----------
    p : float
        Of QM, all coefficients but the constant together.
    coefficients : dict of str to float
        P of each coefficient that is no mean, two-sided.
    arrangements : int
        How many were looked at, the one observed among them.
    exact : bool
        Whether those are all that differ.
    """

    p: float
    coefficients: dict[str, float]
    arrangements: int
    exact: bool

    def table(self) -> "pd.DataFrame":
        """Return the p of QM and of each coefficient, a row each."""
        import pandas as pd

        found = {"moderators": self.p, **self.coefficients}
        return pd.DataFrame({"p": found}).rename_axis("test")


def permutation_test(
    fit: MetaRegression, *, seed: int, arrangements: int = 1000
) -> PermutationTest:
    """Test a meta-regression against its covariates dealt out to the studies in other ways.

    Rows of covariates change places among the studies, tau² is estimated anew each time, and the
    statistics are those of the fit: QM, and t or z of each coefficient.

    Parameters
    ----------
    fit : MetaRegression
        With a constant: an intercept or a mean per level.
    seed : int
    arrangements : int
        How many to draw, the observed one included, which never makes p zero. Where there are no
        more in all (rows that are alike change nothing), each is taken once and p is exact.

    Returns
    -------
    PermutationTest

    Raises
    ------
    ModelError
        If nothing but a constant was fitted, or no constant.

    References
    ----------
    Higgins JPT, Thompson SG (2004). Stat Med 23:1663-1682. Phipson B, Smyth GK (2010). Stat Appl
    Genet Mol Biol 9:39 (the observed arrangement counts).

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCDE"), [0.1, 0.3, 0.2, 0.6, 0.5], [0.1] * 5, covariates={"dose": range(5)}
    ... )
    >>> fit = bm.frequentist.meta_regression(data, "dose")
    >>> found = bm.frequentist.permutation_test(fit, seed=1)
    >>> found.exact, found.arrangements, round(found.p * 120)
    (True, 120, 14)
    """
    check_whole(seed, "seed", 0)
    check_whole(arrangements, "arrangements", 20, 1_000_000)
    y, v, x = fit.data.y, fit.data.se**2, fit.design.matrix
    if fit.moderators is None or constant_of(x) is None:
        raise ModelError(
            "A permutation test needs a constant and at least one covariate; fit a formula with "
            "an intercept."
        )
    rows = np.unique(x, axis=0, return_inverse=True)[1].ravel()
    exact = ways_to_order(rows) <= arrangements
    orders = all_orders(rows) if exact else _drawn(x.shape[0], seed, arrangements - 1)
    observed = _statistics(answer_of(y, x, v, fit.estimator, fit.chosen))
    hits, count = np.zeros_like(observed), 0
    for order in orders:
        found = _statistics(answer_of(y, x[order], v, fit.estimator, fit.chosen))
        hits += found >= AS_LARGE * observed
        count += 1
    p = hits / count if exact else (1 + hits) / (1 + count)
    tested = zip(fit.names, fit.design.kinds, p[1:].tolist(), strict=True)
    return PermutationTest(
        p=float(p[0]),
        coefficients={name: one for name, kind, one in tested if kind == "slope"},
        arrangements=count if exact else count + 1,
        exact=exact,
    )


def _statistics(answer: Answer) -> Array:
    """QM and the size of each t, (1 + p,)."""
    assert answer.moderators is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.abs(answer.coefficients) / np.sqrt(np.diag(answer.covariance))
    return np.r_[answer.moderators.statistic, np.nan_to_num(each, nan=0.0, posinf=np.inf)]


def _drawn(k: int, seed: int, count: int) -> Iterator[NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    return (rng.permutation(k) for _ in range(count))


def ways_to_order(rows: NDArray[np.intp]) -> int:
    """How many orders of rows differ, where rows of one number are alike."""
    return factorial(rows.size) // prod(map(factorial, np.bincount(rows).tolist()))


def all_orders(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Each of them once: places of the rows, in lexical order of their numbers (Narayana)."""
    places = np.argsort(rows, kind="stable")
    now = rows[places]
    while True:
        yield places.copy()
        rises = np.flatnonzero(now[:-1] < now[1:])
        if not rises.size:
            return
        i = rises[-1]
        j = np.flatnonzero(now > now[i])[-1]
        for one in (places, now):
            one[[i, j]] = one[[j, i]]
            one[i + 1 :] = one[i + 1 :][::-1].copy()
