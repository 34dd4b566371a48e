"""The one table of tolerances, each with its reason: keywords for NumPy's ``assert_allclose``.

"Seen" is the largest difference when the table was made, on the scale of the tolerance.
"""

from typing import TypedDict


class Tolerance(TypedDict):
    """An absolute and a relative part; a difference may be their sum."""

    atol: float
    rtol: float


def scaled(tolerance: Tolerance, unit: float) -> Tolerance:
    """Let the absolute part follow the unit of the numbers: rubin1981 is in points, not in logs."""
    return {"atol": tolerance["atol"] * unit, "rtol": tolerance["rtol"]}


# Sums and quotients of the same inputs, printed with 15 digits. Seen 5e-14: the room left is for
# other orders of summation.
CLOSED_FORM: Tolerance = {"atol": 1e-12, "rtol": 1e-10}

# Iterated: metafor's scoring stops at a step of 1e-12, ours at the root of the score. In median
# standard errors, squared for tau². Seen 5.6e-9; maximum likelihood of rate differences (hart1999:
# tau² 1.6e-5, scoring creeps) 2.6e-7.
ITERATED: Tolerance = {"atol": 1e-8, "rtol": 1e-8}
FLAT: Tolerance = {"atol": 1e-6, "rtol": 1e-6}

# meta calls metafor with its defaults: scoring stops at steps of 1e-5 in tau², roots are good to
# 1.2e-4. Seen 3e-5 for tau², 1e-4 for limits of tau².
META_DEFAULTS: Tolerance = {"atol": 1e-4, "rtol": 1e-4}

# Restricted likelihood on a fine grid of tau² and a bounded minimiser: a second source that is
# itself good to the square root of rounding.
REML_GRID: Tolerance = {"atol": 1e-7, "rtol": 1e-6}

# Another quadrature of the same posterior, with other nodes. Seen 8e-12, and 4.5e-9 for the sd of
# theta_new under a half-Cauchy with k = 3, where the reference drops its far tail.
QUADRATURE: Tolerance = {"atol": 1e-8, "rtol": 1e-8}

# The dense two-dimensional grid of reference/brute.py. Seen 3e-12: brentq of the grid's quantiles,
# and Student-t priors of mu, which the engine writes as 200 normals.
BRUTE: Tolerance = {"atol": 1e-10, "rtol": 1e-10}

# R bayesmeta integrates tau adaptively: marginal likelihood and tau carry no grid. Seen 2.1e-11.
R_TAU: Tolerance = {"atol": 1e-10, "rtol": 1e-10}

# R bayesmeta's mixture grid (delta = 0.001, epsilon = 1e-6): about 5e-4 of the prior's unit on
# quantiles of mu and theta_new by its README, more in the 0.5% tails, which it does not rate. Seen
# 5.01e-4 and 1.2e-3, both theta_new of normand1999, whose tau is the largest.
R_GRID: Tolerance = {"atol": 6e-4, "rtol": 0.0}
R_GRID_TAIL: Tolerance = {"atol": 1.5e-3, "rtol": 0.0}

# The same grid, and R's optimiser on a flat optimum: ends of shortest intervals. Seen 5.1e-4 for
# theta_new, 1.5e-4 for mu, 1.9e-5 for tau.
R_SHORTEST: Tolerance = {"atol": 6e-4, "rtol": 0.0}
R_SHORTEST_TAU: Tolerance = {"atol": 3e-5, "rtol": 0.0}

# The same grid and optimiser: modes. Seen 8.3e-5 for theta_new, 2.4e-5 for mu, 2.0e-5 for tau.
R_MODE: Tolerance = {"atol": 1.2e-4, "rtol": 0.0}
R_MODE_TAU: Tolerance = {"atol": 3e-5, "rtol": 0.0}

# scipy.stats against the log densities of the priors: rounding of a dozen operations.
LOG_DENSITY: Tolerance = {"atol": 1e-12, "rtol": 1e-12}

# PyMC's half-Cauchy and half-t hold log 2 in single precision: a constant of 1.9e-9.
LOG_2_IN_SINGLE: Tolerance = {"atol": 2e-9, "rtol": 1e-12}

# scipy.integrate.quad of a one-dimensional density: its own error estimate is 1e-12 or better.
NUMERICAL_INTEGRAL: Tolerance = {"atol": 1e-10, "rtol": 1e-9}

# Plain adaptive integration over tau against the exact engine, whose own gate is 1e-10 in posterior
# SDs.
PLAIN: Tolerance = {"atol": 1e-9, "rtol": 1e-9}

# The same numbers computed from inputs in another order, unit or sign: rounding only, but through
# the root of the score or of the distribution function.
INVARIANCE: Tolerance = {"atol": 1e-9, "rtol": 1e-9}

# tau, and I² per cent, where tau² is rounding about zero: the root of 1e-16, with room.
INVARIANCE_OF_A_ROOT: Tolerance = {"atol": 1e-7, "rtol": 1e-7}

# An answer that only tends to another as a number tends to zero or infinity: one part in a million
# there, or less.
LIMIT: Tolerance = {"atol": 1e-6, "rtol": 1e-6}

# A difference quotient of the distribution function with step 1e-5 against the density.
SLOPE: Tolerance = {"atol": 0.0, "rtol": 1e-6}

# Pooled figures as printed in papers: half a unit of the last decimal.
PRINTED_2: Tolerance = {"atol": 0.005, "rtol": 0.0}
PRINTED_3: Tolerance = {"atol": 0.0005, "rtol": 0.0}

# Monte Carlo: an estimate may lie this many standard errors of its own from the exact number. With
# about 60 comparisons at fixed seeds the chance that a right program fails is 0.4%.
STANDARD_ERRORS = 4.0

# The exact count engine against dense grids, in posterior SDs: what the engine promises. Seen 3e-7;
# the grids' own error is about 1e-7.
COUNTS_BRUTE = 1e-5

# One table's log likelihood against a sum over 1,201 baselines, which is exact to rounding; the
# engines' own rules are good to 1e-10 there. Seen 2e-11.
LIKELIHOOD: Tolerance = {"atol": 1e-8, "rtol": 1e-9}

# Likelihoods with a corner, smoothed: the rule over the effects' own distribution has 25 nodes for
# normal effects.
CORNERS: Tolerance = {"atol": 1e-7, "rtol": 0.0}

# One study of two arms against adaptive or dense integration, logs relative to the centre, up to
# ten standard errors out. Its table is normalised: of two or three patients an arm the power tails
# beyond the table's end are lost, seen 3.5e-6 for three.
ARMS_LIKELIHOOD: Tolerance = {"atol": 1e-6, "rtol": 0.0}
ARMS_TABLE: dict[str, Tolerance] = {
    "uneven": {"atol": 1e-5, "rtol": 0.0},
    "two each": {"atol": 2e-3, "rtol": 0.0},
}

# Whole fits of arms against a dense grid of mu and tau, in posterior SDs: what the engine promises.
ARMS_FIT: Tolerance = {"atol": 1e-5, "rtol": 0.0}

# An arm's quantiles are read off a table that is good to 2e-3 of a log.
QUANTILE_ARMS: Tolerance = {"atol": 2e-3, "rtol": 0.0}

# metafor's trimfill pools the filled data by REML with its own default settings, which stop at a
# step of 1e-5 in tau². Seen 4e-5 of the standard error (raudenbush1985); ours are nearer the top.
REML_AS_IT_COMES: Tolerance = {"atol": 1e-5, "rtol": 2e-4}
# metafor's GLMMs come from general optimisers with numerical Hessians, and adaptive quadrature of
# seven nodes for binomial arms. Seen 7e-5: a tau² that stopped short of zero (hine1989).
GLMM: Tolerance = {"atol": 1e-4, "rtol": 0.0}

# Nelder-Mead on a likelihood summed over 2,001 effects: a second source as good as the square root
# of rounding.
GLMM_BRUTE: Tolerance = {"atol": 2e-6, "rtol": 0.0}

# Deviances of exact posteriors against reference/brute_deviance.py, which leaves out the rounding
# of quartiles between two order statistics: seen 1.5e-3 there (ct-score), 2e-5 elsewhere.
DEVIANCE: Tolerance = {"atol": 3e-3, "rtol": 0.0}

# Spreads of many even draws, relative: what they have too much or too little of. Seen 4e-4 with
# 65,536 draws of heavy tails; cells drawn from uniformly had 2e-3 to 9e-3.
DRAWS: Tolerance = {"atol": 1e-3, "rtol": 0.0}
# The same where each draw is divided by its own conditional standard deviation. Seen 3e-5.
DRAWS_GIVEN: Tolerance = {"atol": 2e-4, "rtol": 0.0}
