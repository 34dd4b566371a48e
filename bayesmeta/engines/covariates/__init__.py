"""Exact posteriors of coefficients: where the studies' effects depend on covariates.

Given tau, ``linear`` has estimates with normal effects in closed form. Counts, arms and Student-t
effects are tabulated study by study (``tables``) and integrated over a ``lattice`` by ``regress``.
"""
