"""Models in PyMC: the graph, its functions in JAX, its source and its mathematics."""
