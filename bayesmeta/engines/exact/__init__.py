"""Posteriors by integration: closed forms given tau, one grid for all likelihoods, fixed sizes.

- Normal: given tau everything is normal. A prior of mu that is not is written as a mixture of
  normals, cut where it has ends (``mu_prior``: Student-t over its mixing variable, Uniform as a
  flat density with ends), so that the same closed forms serve. Nodes of tau are Chebyshev in a map
  centred on its posterior median; their number grows by half until two passes agree to 1e-10. A
  prior of tau with a pole is integrated in a power of tau that has none; one with a step inside its
  support fails that gate.
- Grid: the transform of each study's likelihood times the characteristic function of the study
  effects, on one uniform grid of theta; tau at Chebyshev nodes, mu on the grid or in a map of its
  support (``mu_rule``). ``reach`` is doubled until nothing is cut off, the resolution refined
  until two passes agree to 1e-6 of a posterior SD; ``_grid_tail`` adds the moments of a
  heavy-tailed tau. It takes any model whose studies are independent given mu and tau, and inherits
  no error of the PyMC graph, which is why it was built and not a quadrature on that graph.
- Fixed sizes: ``program`` is the same mathematics at sizes known beforehand, in NumPy for one table
  and JAX for many. What it may miss is estimated from the tails of every series; above 1e-5 of an
  SD the next size is tried, then nodes placed by what was found (``placement``), then the grid.
  ``fixed`` takes it first, and tabulates studies of the same counts once. Corners, Student-t
  effects and heavy-tailed priors of mu go to the grid at once.
- Nulls: ``null`` integrates the model with mu = 0, or tau = 0, by itself: a posterior says little
  of a place far from it.
- Existence: ``propriety`` compares the tails of prior and likelihood. ``fit`` asks it whether a
  posterior exists, every engine which moments do.
"""
