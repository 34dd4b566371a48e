"""Posteriors by draws: NUTS, and HMC of many tables at once; whether chains converged."""
