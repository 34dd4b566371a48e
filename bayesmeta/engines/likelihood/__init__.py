"""What each study says of its own effect, its baseline and its SDs integrated out.

- Counts: ``laws`` has each law once, in NumPy or JAX; ``study`` evaluates it wherever it is asked
  for, ``counts`` at nodes of fixed number; ``tables`` integrates the baseline of two arms out and
  keeps the result, for scenarios share their studies.
- Corners: where few patients have the event (RD) or go without it (RD, RR), the baseline is nearly
  free to one side and the likelihood has a corner at no effect, with features of every size: on a
  uniform grid the error would fall like the step squared. ``corners`` tabulates such studies in the
  logarithm of the absolute effect, where each side is smooth. Where the data leave a tail to the
  priors, every study is tabulated so, a million times as far.
- Arms of continuous outcomes have a room of their own, ``of_arms``.
- Studies by themselves: ``held_out`` evaluates each study's density at values of what all studies
  share: of all its data, of what its result is predicted from (the control arm), and the
  probability of a lower result. ``checks.loo`` divides a study out of an exact posterior with it,
  without Monte Carlo error.
"""
