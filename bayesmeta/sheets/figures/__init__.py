"""Printed figures: their marks, their words for none, and where their rows stand."""
