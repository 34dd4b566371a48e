"""Models in PyMC: the graph, its functions in JAX, its source and its mathematics.

``source`` holds the PyMC name and arguments of each prior family; the graph is built from the same
table that is printed. What checks it is ``priors.log_density``, written apart. ``functions`` turns
the graph into JAX functions of position and data: a scalar log prior, and log likelihoods by study,
which the sampler multiplies by a mask. Data and the numbers of the priors are inputs.

- Degrees of freedom that are unknown: one Student-t variable per study leaves chains no way into
  the tails of few degrees of freedom, where an outlying study holds them (E-BFMI below 0.2, 600 to
  1,000 steps per draw). A normal variable with a gamma weight does; the log of the weight is
  sampled over its standard deviation, which follows df. Normal models integrate theta out, and
  ``sampling`` draws it again.
- Continuous outcomes: SDs and baselines are standard normal distances from rough values, with the
  density given back in the study's likelihood, so that rows of padding stay proper. Arms with
  quantiles take minutes by NUTS.
- Several outcomes: study effects are integrated out, and each study's covariance is factored as L D
  L' by hand, elementwise over the studies: what is not reported has D = 1 and adds exactly nothing,
  and XLA calls no LAPACK for matrices of two. Columns have the studies last, (p, k), so that
  padding is that of other models. A program is made of the model with numbered outcomes
  (``Model.numbered``); ``Model.labels`` names them afterwards.
"""
