"""What follows from a posterior at nodes of mu and tau: effects of studies, and draws.

``effects`` makes the densities of a new effect and of the studies' in a map that crowds at corners
and at the ends of mu's prior, ``fourier`` on the grid where that resolves everything. Both hold
what they made to identities (mean, total variance, total probability, the mixture over the nodes),
which are checks of the diagnostics as soon as somebody looks. ``draws`` inverts tau, mu given tau,
each effect and its baseline one after the other at points that lie evenly (``even``); ``studies``
writes each study's posterior as nodes with masses, over which ``checks.deviance`` sums.
"""
