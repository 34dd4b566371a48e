# Maintenance only: users need nothing of this.

.PHONY: pin check covered mutants mistakes

pin: ## write the exact versions of a fresh resolution into pyproject.toml
	uv run --no-project --python 3.13 benchmarks/pin.py

check: ## what CI runs
	.ci/run

covered: ## measure which lines of each room the default and the deep tests run
	uv run benchmarks/covered.py

mutants: ## change operators and numbers of the pure rooms one by one; half an hour
	uv run --with cosmic-ray==8.7.0 benchmarks/mutants.py

mistakes: ## make each of a list of deliberate errors; some minutes
	uv run benchmarks/deliberate_errors.py
