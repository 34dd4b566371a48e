"""Which figures of a fit, and of a whole run, imply one another; and whether they do agree.

It reads what a fit hands out and what a run prints, and nothing reads it but those that start a
run: so it lies above all that prints. Each rule is a function that yields pairs of figures, with
the tolerance and its reason.
"""

from typing import TYPE_CHECKING

from ..errors import ModelError
from ..posterior import Coherence, Posterior, check_posterior
from ..studies import check_prob
from ..ways import shown
from .factors import of_factors
from .fits import AGREE, engines_agree, of_fit

if TYPE_CHECKING:
    from ..evidence import BayesFactors
    from ..results import Results

__all__ = ["AGREE", "coherence", "engines_agree", "hold"]


def coherence(
    posterior: Posterior, *, factors: "BayesFactors | None" = None, prob: float = 0.95
) -> Coherence:
    """Hold the figures of a fit against one another.

    Quantiles, intervals, probabilities, densities and moments of one parameter imply one another;
    so do those of mu, tau and the effect in a new study, and a Bayes factor and the posterior it
    stands beside. Whatever contradicts is a numerical failure, whatever the gates of the engine
    say. Study effects and the effect in a new study are looked at if they have been asked for
    before, and are not computed for it: a fit alone takes some ten milliseconds, one with the
    effects of fifty studies a tenth of a second, and what makes the factors is not counted here.

    Parameters
    ----------
    posterior : Posterior
    factors : BayesFactors, optional
        Of this posterior.
    prob : float
        Probability of the interval.

    Returns
    -------
    Coherence
        ``.passed``, ``.contradictions`` in sentences, and ``.table()`` with every pair.

    Examples
    --------
    >>> import bayesmeta as bm
    >>> data = bm.EffectSizes.from_arrays(["A", "B", "C"], [-0.4, 0.1, -0.3], [0.2, 0.3, 0.4])
    >>> posterior = bm.fit(bm.NormalNormal(mu=bm.Normal(0, 2), tau=bm.HalfNormal(0.5)), data)
    >>> found = bm.coherence(posterior, factors=bm.bayes_factors(posterior))
    >>> found.passed, found.contradictions
    (True, ())
    """
    check_posterior(posterior)
    check_prob(prob)
    pairs = list(of_fit(posterior, prob))
    if factors is not None:
        if not hasattr(factors, "by_scale"):
            raise ModelError(f"factors are those of bayes_factors; got {shown(factors)}.")
        pairs += of_factors(posterior, factors, prob)
    return Coherence(tuple(pairs))


def hold(results: "Results") -> "Results":
    """Hold every figure of a run against those that imply it.

    Parameters
    ----------
    results : Results

    Returns
    -------
    Results
        The same with the coherence of each outcome; a fit or an answer that contradicts itself
        has failed a gate, and its tables say so.
    """
    from .runs import hold as hold_all  # what a run prints is read here alone

    return hold_all(results)
