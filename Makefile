# Maintenance only: users need nothing of this.

.PHONY: pin check

pin: ## write the exact versions of a fresh resolution into pyproject.toml
	uv run --no-project --python 3.13 benchmarks/pin.py

check: ## what CI runs
	.ci/run
