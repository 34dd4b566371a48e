"""Columns under our names, and columns that follow from others."""
