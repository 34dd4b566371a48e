"""What single studies do to a regression: every coefficient, tau² and what is expected of them."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr

from ...errors import DataError, ModelError
from ...ways import shown
from ..arrays.regression import regress
from .meta_regression import answer_of
from .result import MetaRegression

if TYPE_CHECKING:
    import pandas as pd

type Array = NDArray[np.float64]

SINGULAR = 1e-10  # least over largest singular value of columns that can still be told apart


def regression_influence(fit: MetaRegression) -> "pd.DataFrame":
    """Measure how each study pulls the coefficients of a regression.

    The design of all studies is kept, centres included, so that coefficients mean the same with and
    without a study.

    Parameters
    ----------
    fit : MetaRegression

    Returns
    -------
    DataFrame
        One row per study; (-i) is an answer without it, Wald's covariances throughout, b the
        coefficients, V their covariance. A study that alone tells of a coefficient is marked, and
        its row is NaN but for ``hat``.

        - ``rstudent``: (y - x'b(-i)) / √(se² + tau²(-i) + x'V(-i)x);
        - ``dffits``: (x'b - x'b(-i)) / √(hat (se² + tau²(-i)));
        - ``cook``: (b - b(-i))' V⁻¹ (b - b(-i));
        - ``cov_ratio``: det V(-i) / det V;
        - ``tau2_without``, ``qe_without``: tau² (0 for a common effect) and QE;
        - ``hat``: its leverage;
        - ``dfbetas[<coefficient>]``: its change over the standard error of all studies with
          tau²(-i);
        - ``influential``: ``dffits`` beyond ±3 √(p/(k - p)), or the chi-square of p degrees of
          freedom below ``cook`` above 50%, or ``hat`` above 3p/k, or any ``dfbetas`` beyond ±1. The
          limits are conventions for a second look, not tests.

    Raises
    ------
    ModelError
        If it is no meta-regression.
    DataError
        If there are no two studies more than coefficients.

    References
    ----------
    Viechtbauer W, Cheung MWL (2010). Res Synth Methods 1:112-125.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(
    ...     list("ABCDE"), [0.1, 0.3, 0.2, 0.6, 0.5], [0.1] * 5, covariates={"dose": range(1, 6)}
    ... )
    >>> fit = bm.frequentist.meta_regression(data, "dose", tau2=None, interval="Wald")
    >>> round(float(bm.frequentist.regression_influence(fit).loc["E", "dfbetas[dose]"]), 2)
    -0.95
    """
    import pandas as pd

    if not isinstance(fit, MetaRegression):
        raise ModelError(
            f"regression_influence takes what meta_regression returns, not {shown(fit)}; of a "
            "pooled estimate use influence(data)."
        )
    y, v, x = fit.data.y, fit.data.se**2, fit.design.matrix
    k, p = x.shape
    if k < p + 2:
        raise DataError(
            f"Influence on {p} coefficients needs at least {p + 2} studies; there are {k}. Leave "
            "terms out of the formula."
        )
    whole = answer_of(y, x, v, fit.estimator, "Wald")
    hat = np.einsum("ij,jk,ik->i", x, whole.covariance, x) / (v + whole.tau2)
    rows = [_without(i, fit, whole.coefficients, whole.covariance, float(hat[i])) for i in range(k)]
    dfbetas = {
        f"dfbetas[{name}]": [row.dfbetas[j] for row in rows] for j, name in enumerate(fit.names)
    }
    table = pd.DataFrame(
        {
            **{name: [getattr(row, name) for row in rows] for name in _Row._fields[:-1]},
            "hat": hat,
            **dfbetas,
        },
        index=pd.Index(fit.data.study, name="study"),
    )
    table["influential"] = (
        table["cook"].isna()
        | (table["dffits"].abs() > 3 * (p / (k - p)) ** 0.5)
        | (chdtr(p, table["cook"]) > 0.5)
        | (table["hat"] > 3 * p / k)
        | (table[[*dfbetas]].abs() > 1).any(axis=1)
    )
    return table


class _Row(NamedTuple):
    """What leaving one study out does, and the changes of the coefficients, (p,)."""

    rstudent: float
    dffits: float
    cook: float
    cov_ratio: float
    tau2_without: float
    qe_without: float
    dfbetas: Array


def _without(
    i: int, fit: MetaRegression, coefficients: Array, covariance: Array, hat: float
) -> _Row:
    y, v, x = fit.data.y, fit.data.se**2, fit.design.matrix
    rest = np.arange(y.size) != i
    singular = np.linalg.svd(x[rest], compute_uv=False)
    if singular[-1] < SINGULAR * singular[0]:
        nan = float("nan")
        return _Row(nan, nan, nan, nan, nan, nan, np.full(x.shape[1], nan))
    one = answer_of(y[rest], x[rest], v[rest], fit.estimator, "Wald")
    moved, at = coefficients - one.coefficients, x[i]
    own = v[i] + one.tau2
    every = np.linalg.inv((x.T / (v + one.tau2)) @ x)
    return _Row(
        rstudent=float((y[i] - at @ one.coefficients) / np.sqrt(own + at @ one.covariance @ at)),
        dffits=float(at @ moved / np.sqrt(hat * own)),
        cook=float(moved @ np.linalg.solve(covariance, moved)),
        cov_ratio=float(np.linalg.det(one.covariance) / np.linalg.det(covariance)),
        tau2_without=one.tau2,
        qe_without=float(regress(np.zeros(1), y[rest], x[rest], v[rest]).q[0]),
        dfbetas=moved / np.sqrt(np.diag(every)),
    )
