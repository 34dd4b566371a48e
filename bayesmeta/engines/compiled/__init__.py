"""What every compiled program needs: double precision, densities and quantiles in JAX, a store.

``precision`` is the one context manager of double precision; it puts back the user's flag and
``XLA_FLAGS``, which PyTensor and PyMC change. Counts enter as float64, for JAX's log-gamma of
32-bit integers is single precision.
"""
