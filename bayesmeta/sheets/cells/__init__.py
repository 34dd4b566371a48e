"""Cells that hold several figures."""
