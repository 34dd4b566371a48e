"""The default tests of one room: `make quick ROOM=engines`.

uv run benchmarks/quick.py engines [more words for pytest]
"""

import subprocess
import sys
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Where a room is tested, by the names under tests/; its own file of tests comes first.
ROOMS = {
    "analysis": (
        *("test_likelihoods_run", "test_continuous_run", "test_single_arms_run"),
        *("test_real_case", "test_freeze_tables"),
    ),
    "arguments": ("fuzz",),
    "batch": (
        *("test_batch", "test_batch_files", "test_batch_regressions"),
        *("engines/test_counts_fast", "engines/test_hmc"),
    ),
    "checks": (
        *("test_checks", "test_conflict", "test_deviance", "test_loo", "test_widths"),
        "test_power_scaling",
    ),
    "cli": (
        *("test_cli", "test_output", "test_whole_report", "test_likelihoods_run"),
        *("test_continuous_run", "test_coherence", "test_cache"),
    ),
    "comparison": ("test_comparison",),
    "decision": ("test_baseline", "test_decision", "test_people", "test_psa", "test_together"),
    "design": (
        "test_design",
        "test_linear",
        "test_covariates_everywhere",
        "test_tau_by_group",
        "test_untold",
    ),
    "doubts": ("test_doubts",),
    "effects": (
        *("test_effects", "test_continuous", "test_reported", "test_change_unknown"),
        *("test_widths", "test_reference_grid", "fuzz"),
    ),
    "engines": (
        "engines",
        "test_cache",
        "test_concurrency",
        "test_change_unknown",
        "test_loo",
        "test_freeze",
    ),
    "errors": ("test_studies", "test_specification"),
    "variations": ("test_scenarios", "test_scenarios_of_covariates"),
    "evidence": (
        "test_evidence",
        "test_factor_curve",
        "test_widths",
        "test_tipping",
        "test_reverse_bayes",
    ),
    "explanation": ("test_explanation", "test_conventions"),
    "files": ("test_files", "test_text_that_leaves", "test_run_folder"),
    "frequentist": (
        *("test_frequentist", "test_reference_grid", "test_tau2", "test_glmm", "test_influence"),
        *("test_small_study", "test_nnf", "test_conventions", "test_invariances"),
        *("test_regression", "test_subgroups"),
    ),
    "implications": ("test_coherence", "test_single_arms_run"),
    "machine": ("test_machine", "test_concurrency"),
    "model": ("test_model", "test_parts", "test_dispatch"),
    "moderators": ("test_moderators",),
    "multivariate": ("test_multivariate", "engines/test_nuts_multivariate"),
    "notebooks": ("test_posterior",),
    "outcomes": ("test_multivariate",),
    "plots": (
        "test_plots",
        "test_forests",
        "test_figures_of_covariates",
        "test_figures_along_tau",
        "test_figures_of_studies",
        "test_saved_figures",
        "test_faces",
        "test_single_arms_run",
    ),
    "posterior": (
        *("test_posterior", "test_faces", "test_marginals", "engines/test_grid_draws"),
        "test_coherence",
    ),
    "priors": ("test_priors", "test_library"),
    "reading": ("test_cases", "test_risk_of_bias", "test_reading", "test_cli", "test_account"),
    "reml": ("test_frequentist", "test_tau2", "test_multivariate"),
    "report": (
        "test_report_again",
        "test_word",
        *("test_report", "test_likelihoods_run", "test_continuous_run", "test_single_arms_run"),
        *("test_real_case", "test_run_folder", "test_page"),
    ),
    "results": (
        *("test_report", "test_page", "test_cautions", "test_cli", "test_likelihoods_run"),
        *("test_continuous_run", "test_single_arms_run"),
    ),
    "sheets": (
        *("test_sheets", "test_names", "test_cells", "test_cases", "fuzz/test_fuzz_files"),
        "test_files",
    ),
    "simulate": ("test_simulate",),
    "specification": ("test_specification", "fuzz/test_fuzz_specifications"),
    "studies": ("test_studies", "test_table", "test_selections", "test_continuous", "fuzz"),
    "summaries": ("test_summaries", "test_faces", "test_answer"),
    "ways": ("test_ways",),
    "wording": ("test_wording", "test_specification", "test_likelihoods_run", "test_cli"),
}


def paths(room: str) -> list[str]:
    """Files and folders of tests, relative to the project."""
    names = [f"tests/{name}" for name in ROOMS[room]]
    return [name if (ROOT / name).is_dir() else f"{name}.py" for name in names]


def main() -> None:
    rooms = list(takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    if not rooms or set(rooms) - set(ROOMS):
        raise SystemExit(f"ROOM is one or more of {', '.join(ROOMS)}; got {' '.join(rooms)!r}.")
    files = dict.fromkeys(path for room in rooms for path in paths(room))
    words = sys.argv[1 + len(rooms) :]
    command = [sys.executable, "-m", "pytest", "-q", *files, *words]
    raise SystemExit(subprocess.run(command, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
