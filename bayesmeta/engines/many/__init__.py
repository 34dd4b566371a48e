"""Many data sets of one model at once.

``batch`` says what fits many data sets of a model, or that nothing does: then ``fit`` takes them
one by one. Programs are compiled for padded k and families of priors, with the number of blocks as
an input, so that they serve any number of data sets; traced ones are stored for the next process.

Normal models (``normal_program``) have 64 Chebyshev nodes of tau, 96 from 128 studies on, in a map
centred on each data set by a coarse look at log tau and crowded there by a sinh. Each fit carries
an error from the same nodes: moments without the highest third of the series, and what the last
sixth of tau's series adds to its distribution function, which sees a narrow peak that two rules
miss alike. Above 1e-7 it is redone with three times the nodes if many are, else by ``Quadrature``.
Normal tails come from a Chebyshev series: XLA's ``erf`` is not vectorised in double precision.
Regressions of numbers (``regression``) share nodes and errors. Counts (``counts``) take the program
of fixed sizes of ``exact``.
"""
