"""Pooling on arrays, many tables at once: tau², inverse variance, Mantel–Haenszel and Peto."""
