"""What arms of continuous outcomes say: means and SDs, or quantiles, as they were reported.

``arms`` says what one arm says of its mean and SD, a mean and an SD
in closed form, quantiles (``quantiles``, and the chain behind it) by the exact probability that a
sample's order statistics fall where they were printed, rounding included. ``continuous``
integrates SDs and baseline out and keeps one spline per study, scaled to be a density of the
estimate. Without priors of SDs and baselines these are flat, SDs on the log scale, which no
change of unit alters. They are not listed among the priors, for a study's likelihood of its
effect is proper without them.
"""
