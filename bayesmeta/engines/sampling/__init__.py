"""Posteriors by draws: NUTS, and HMC of many tables at once; whether chains converged.

``nuts`` compiles one chain per shape (model, measure, families of priors, padded k, draws, tuning)
and runs chains in threads on a CPU, half the time of one ``vmap`` on two cores, and in lockstep on
a GPU: in lockstep each chain pays for the longest tree of all. Tables are padded, so that the
outcomes of a run share a program; ``TRACES`` lets a test count them.

A risk ratio with an arm in which everybody has the event has a cliff in its posterior: with the
baseline free upwards, one sign of the study's effect is impossible. The step size tuned to the rest
leaps over it and the sampler diverges, whatever the acceptance target (5 to 90 divergences in 4,000
draws of the real case at targets from 0.9 to 0.995); at a quarter of the adapted step there are 0
or 1. Such tables start with the small step; other fits get it on their second attempt.
"""
