"""What every compiled program needs: double precision, densities and quantiles in JAX, a store."""
