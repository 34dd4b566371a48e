"""Conventions of pooling as values, those of programs, and pooling by them."""
