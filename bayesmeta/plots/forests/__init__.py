"""Forest plots: lines of text and marks round one axis."""
