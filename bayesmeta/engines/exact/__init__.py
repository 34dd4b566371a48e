"""Posteriors by integration: closed forms given tau, one grid for all likelihoods, fixed sizes."""
