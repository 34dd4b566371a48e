# Maintenance only: users need nothing of this.

.PHONY: pin check covered quick slowest mutants mistakes

pin: ## write the exact versions of a fresh resolution into pyproject.toml
	uv run --no-project --python 3.13 benchmarks/pin.py

check: ## what CI runs
	.ci/run

quick: ## the default tests of one room: make quick ROOM=engines
	uv run benchmarks/quick.py $(ROOM)

slowest: ## the default tests, and the thirty slowest of them
	uv run pytest -q --durations=30

covered: ## measure which lines of each room the default and the deep tests run
	uv run benchmarks/covered.py

mutants: ## change sixty operators and numbers; as long as the deep tests; SEED=7 draws others
	uv run --with cosmic-ray==8.7.0 benchmarks/mutants.py $(if $(SEED),--seed $(SEED)) \
	  $(if $(ROOMS),--rooms $(ROOMS))

mistakes: ## make each of a list of deliberate errors; some minutes
	uv run benchmarks/deliberate_errors.py
