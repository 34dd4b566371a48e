"""Joint draws of every outcome for a decision model, one row a draw, and the file of them."""
