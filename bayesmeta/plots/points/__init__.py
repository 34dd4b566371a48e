"""Figures in which each study is a point or a curve."""
