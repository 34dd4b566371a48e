"""Do small studies differ: regressions on precision, and what trimming fills in."""
