"""Effects that differ with covariates or between groups: coefficients, tests, places."""
