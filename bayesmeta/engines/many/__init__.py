"""Many data sets of one model at once."""
