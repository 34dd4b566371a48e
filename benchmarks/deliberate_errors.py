"""Make each of a list of deliberate errors and see that the test named beside it fails.

    uv run benchmarks/deliberate_errors.py            # all: some minutes; table in Markdown
    uv run benchmarks/deliberate_errors.py swap mask  # those whose name holds one of the words

An error is a fragment of a source file and what stands in its place. The package and its tests are
copied to a temporary folder, one error is made there, and the test is run; nothing is edited in
place. The exit status is 1 if a test passes all the same, or a fragment is not there exactly once.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
COPIED = ("bayesmeta", "benchmarks", "tests", "pyproject.toml")


class Mistake(NamedTuple):
    """One deliberate error: `right` in a file of the package becomes `wrong`, and `test` fails."""

    name: str
    file: str
    right: str
    wrong: str
    test: str

    @property
    def row(self) -> str:
        """What the table says of it before its fate."""
        return f"{self.name} | `{self.file}` | `{self.test.split('::')[1]}`"


EFFECTS = "tests/test_effects.py::test_"
TABLES = "tests/engines/test_tables.py::test_"
EXACT = "tests/engines/test_quadrature.py::test_"
GRID = "tests/engines/test_likelihoods.py::test_"
LOO = "tests/test_loo.py::test_"
DRAWS = "tests/engines/test_grid_draws.py::test_"
ARMS = "tests/engines/test_arms.py::test_"
PSA = "tests/test_psa.py::test_"
COHERENCE = "tests/test_coherence.py::test_"
SEVERAL = "tests/engines/test_nuts_multivariate.py::test_"
BCG = "[bcg-halfnormal_0.5__normal_0_4]"

OF_EFFECTS = "tests/engines/test_effects_of_fits.py::test_"
WHOLE = "tests/test_marginals.py::test_"

OF_STUDENT_T = """
    def __post_init__(self) -> None:
        self._check("df", "scale")

    def _law(self) -> Law:
        t = Law("""
MISTAKES = (
    Mistake(
        "take the place in a cell from the cell's own end",
        "posterior/grids.py",
        "return cell.astype(np.intp), place - cell, step",
        "return cell.astype(np.intp), (x - self.x[cell.astype(np.intp)]) / step - 1e-12, step",
        WHOLE + "a_cell_says_how_far_into_it_a_node_lies",
    ),
    Mistake(
        "leave a node outside the density",
        "posterior/grids.py",
        "inside = (x >= self.x[0]) & (x <= self.x[-1])",
        "inside = (place_in_cell := self._cell(x)[1] - 1e-13) >= 0",
        WHOLE + "a_density_on_a_grid_is_whole_at_each_of_its_points",
    ),
    Mistake(
        "forget the Jacobian of nodes of mu in a new effect",
        "engines/nodes/effects.py",
        "inner = GridDensity.of(v, density * support.slope_at(theta), local=True)",
        "inner = GridDensity.of(v, density, local=True)",
        OF_EFFECTS
        + "what_a_fit_says_beyond_mu_and_tau_is_that_of_brute_force[RD, everybody or nobody]",
    ),
    Mistake(
        "leave the effects out of the gate",
        "posterior/diagnostics.py",
        "return self.first + of_new + (self.later() if self.later else ())",
        "return self.first",
        OF_EFFECTS + "effects_that_are_off_fail_the_gate_of_their_fit[corners]",
    ),
    Mistake(
        "let tables of the fast program end level",
        "engines/exact/program.py",
        "found = found + xp.where(place < 0, slopes[0], slopes[1]) * (place - at)",
        "found = found + 0 * xp.where(place < 0, slopes[0], slopes[1]) * (place - at)",
        OF_EFFECTS + "the_fast_program_is_that_of_brute_force_where_whole_arms_oppose_each_other",
    ),
    Mistake(
        "say nothing of what the fast program's tables leave out",
        "engines/exact/program.py",
        "share = size[:, None] * tau[:, None, None] ** 2 * far / beside",
        "share = 0 * size[:, None] * tau[:, None, None] ** 2 * far / beside",
        OF_EFFECTS + "the_fast_program_knows_what_its_tables_leave_out",
    ),
    Mistake(
        "forget the Jacobian of log tau in the evidence without effect",
        "engines/exact/null.py",
        "return given(tau).sum(axis=1) + _log_prior_of_tau(model, data, tau) + log_slope",
        "return given(tau).sum(axis=1) + _log_prior_of_tau(model, data, tau)",
        "tests/test_evidence.py::test_evidence_far_beyond_what_a_density_resolves_keeps_its_digits",
    ),
    Mistake(
        "leave the prior of mu out of the null of tau",
        "engines/exact/null.py",
        "return _without_spread(model, data, mu).sum(axis=1) + log_density(prior, mu)",
        "return _without_spread(model, data, mu).sum(axis=1)",
        "tests/test_evidence.py::test_evidence_of_counts_far_from_the_null_is_that_of_a_sum_over_the_null",
    ),
    Mistake(
        "end a vague baseline where risks end",
        "engines/likelihood/tables.py",
        "u = alive(joint, theta, mode, s, spacing, reach_of(baseline))",
        "u = alive(joint, theta, mode, s, spacing)",
        OF_EFFECTS
        + "what_a_fit_says_beyond_mu_and_tau_is_that_of_brute_force[OR, a vague baseline]",
    ),
    Mistake(
        "put a narrow peak of mu's prior between the nodes",
        "engines/exact/mu_rule.py",
        "crowded |= {centre for centre, width in peaks(prior) if width * fineness < grid.step}",
        "crowded |= {centre for centre, width in peaks(prior) if width * fineness < 0 * grid.step}",
        OF_EFFECTS + "what_a_fit_says_beyond_mu_and_tau_is_that_of_brute_force[OR, spike and slab]",
    ),
    Mistake(
        "leave a pole of tau's prior in its variable",
        "engines/exact/tau_nodes.py",
        "return min(prior.shape, 1.0), 1.0",
        "return 1.0, 1.0",
        EXACT + "a_prior_of_tau_with_a_pole_is_integrated_in_a_variable_that_has_none",
    ),
    Mistake(
        "leave the p out of the nearest convention's distance",
        "explanation/_search.py",
        "miss = np.array([misses(one.figures, target, measure).max(axis=0) for one in walked])",
        "miss = np.array([misses(one.figures, target, measure)[:3].max(axis=0) for one in walked])",
        "tests/test_explanation.py::test_the_nearest_is_so_by_every_printed_figure_and_all_of_them_are_said",
    ),
    Mistake(
        "let a row's note stand for why it is left out",
        "analysis/tables/selection.py",
        'return f"row “{variant}”, not the reading used"',
        'return str(row.get("note"))',
        "tests/test_likelihoods_run.py::test_excluded_rows_say_why_they_are_and_not_what_their_note_says",
    ),
    Mistake(
        "write infinity as nothing",
        "results/records.py",
        "return None if math.isnan(value) else str(value)",
        "return None",
        "tests/test_likelihoods_run.py::test_infinite_numbers_are_texts_in_json_and_missing_ones_null",
    ),
    Mistake(
        "call the tail of an unknown family light",
        "engines/exact/propriety.py",
        "case prior if isinstance(prior, LIGHT):",
        "case prior if isinstance(prior, Prior):",
        "tests/engines/test_quadrature.py::test_the_tail_of_an_unknown_family_is_asked_for",
    ),
    Mistake(
        "let a prior of matrices fall out of a table",
        "priors/composed.py",
        'raise ModelError(\n            f"{shown(self)} is a prior of whole',
        'return ModelError(\n            f"{shown(self)} is a prior of whole',
        "tests/test_summaries.py::test_a_prior_of_matrices_has_no_interval_and_says_so",
    ),
    Mistake(
        "take Student-t priors of any scale for equal",
        "priors/families.py",
        "    scale: float\n" + OF_STUDENT_T,
        "    scale: float = __import__('dataclasses').field(compare=False)\n" + OF_STUDENT_T,
        "tests/test_priors.py::test_priors_that_differ_in_one_number_are_different",
    ),
    Mistake(
        "take a published prior of tau² for one of tau",
        "priors/library/laws.py",
        '2.0 if on == "tau2" else 1.0',
        '1.0 if on == "tau2" else 1.0',
        "tests/test_library.py::"
        "test_a_prior_published_for_the_variance_is_one_of_the_standard_deviation",
    ),
    Mistake(
        "take a prior of log odds ratios for other ratios unasked",
        "model/_priors.py",
        "if measure != MEASURES[source.record.measure] and not source.override:",
        "if measure.link != MEASURES[source.record.measure].link and not source.override:",
        "tests/test_library.py::test_every_door_to_a_fit_has_the_guard",
    ),
    Mistake(
        "end the nodes of a Student-t prior before data far out",
        "engines/exact/mu_prior.py",
        "conflict = np.log1p((farthest / prior.scale) ** 2 / df)",
        "conflict = 0.0",
        "tests/engines/test_quadrature.py::test_a_student_t_prior_far_from_the_data_equals_numerical_integration",
    ),
    Mistake(
        "call the first number that is enough few",
        "checks/_trust.py",
        ", k >= FEW",
        ", k > FEW",
        "tests/test_checks.py::test_five_studies_are_not_few_and_four_are",
    ),
    Mistake(
        "double the tails of predictive intervals",
        "checks/_predictive.py",
        "tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]",
        "tails = [1 - prob, 0.5, prob]",
        "tests/test_checks.py::test_predictive_intervals_of_studies_leave_equal_tails",
    ),
    Mistake(
        "shift by the SD without the studies",
        "evidence/_zeros.py",
        "(mu.mean() - full.at().mean()) / full.at().sd()",
        "(mu.mean() - full.at().mean()) / mu.sd()",
        "tests/test_evidence.py::test_the_shift_is_in_posterior_sds_of_all_studies",
    ),
    Mistake(
        "take the variance of predictions over all their number",
        "checks/_held_out.py",
        "self.elpd.size * self.elpd.var(ddof=1)",
        "self.elpd.size * self.elpd.var()",
        "tests/test_loo.py::test_surprise_is_two_sided_and_the_error_of_the_total_that_of_a_sum",
    ),
    Mistake(
        "look for surprise on one side",
        "checks/_held_out.py",
        "return 2 * np.minimum(self.pit, 1 - self.pit) * self.pit.size",
        "return self.pit * self.pit.size",
        "tests/test_loo.py::test_surprise_is_two_sided_and_the_error_of_the_total_that_of_a_sum",
    ),
    Mistake(
        "leave the interval of a half-t unfolded",
        "priors/families.py",
        "self.scale * special.stdtrit(self.df, (1 + q) / 2)",
        "self.scale * special.stdtrit(self.df, q)",
        "tests/test_summaries.py::test_the_interval_of_a_half_t_is_that_of_an_absolute_value",
    ),
    Mistake(
        "ignore the number of patients in a difference",
        "decision/absolute.py",
        "difference=_times(per, difference)",
        "difference=_times(1000, difference)",
        "tests/test_decision.py::test_per_hundred_by_hand",
    ),
    Mistake(
        "round a value to its gate's limit",
        "posterior/_figures.py",
        "if all(_side",
        "if text or all(_side",
        "tests/test_checks.py::test_a_figure_reads_as_its_gate_judges_it",
    ),
    Mistake(
        "mark an answer whose cross-check did not converge",
        "results/__init__.py",
        "if not posterior.diagnostics.passed and place not in apart",
        "if not posterior.diagnostics.passed",
        "tests/test_likelihoods_run.py::test_a_cross_check_that_did_not_converge_is_a_caution_beside_a_sound_answer",
    ),
    Mistake(
        "draw the middle of a share for the value in the table",
        "plots/_left_out.py",
        "axes.plot(loo.pit[where], y[where]",
        "axes.plot((loo.pit_lower + loo.pit_upper)[where] / 2, y[where]",
        "tests/test_plots.py::test_the_point_of_a_study_left_out_is_the_pit_of_its_table",
    ),
    Mistake(
        "count silent studies among those that say something",
        "engines/_cautions.py",
        "return int(informative(data, measure).sum())",
        "return data.k",
        "tests/test_checks.py::test_few_studies_are_those_that_say_something_of_the_effect",
    ),
    Mistake(
        "take any list for a mask of studies",
        "studies/_selection.py",
        "elif given and _is_mask(rows, given):",
        "elif given:",
        "tests/test_selections.py::test_what_is_neither_names_nor_a_mask_is_refused",
    ),
    Mistake(
        "give the studies that are kept what is said of the first ones",
        "studies/_covariates.py",
        "else column[where]",
        "else column[: where.size]",
        "tests/test_table.py::test_studies_that_two_stages_leave_out_take_their_covariates_with_them",
    ),
    Mistake(
        "flip the sign of a risk difference",
        "effects/_counts.py",
        "return a / (a + b) - c / (c + d), a * b",
        "return c / (c + d) - a / (a + b), a * b",
        EFFECTS + "risk_differences_equal_metafor[bcg-none]",
    ),
    Mistake(
        "swap the arms of a risk ratio",
        "effects/_counts.py",
        "return np.log(a * (c + d) / (c * (a + b)))",
        "return np.log(c * (a + b) / (a * (c + d)))",
        EFFECTS + "effect_sizes_equal_metafor[bcg-RR-none]",
    ),
    Mistake(
        "forget the ½ of the continuity correction",
        "effects/_counts.py",
        "half = 0.5 * where[zero_cells]",
        "half = 1.0 * where[zero_cells]",
        EFFECTS + "half_goes_to_all_four_cells_of_the_study_with_a_zero_and_to_no_other",
    ),
    Mistake(
        "swap the person-time of the arms",
        "effects/_counts.py",
        "np.log(a * studies.time_control / (c * studies.time_treatment))",
        "np.log(a * studies.time_treatment / (c * studies.time_control))",
        EFFECTS + "rate_ratios_and_proportions_equal_metafor[hart1999]",
    ),
    Mistake(
        "forget that a half-normal is folded",
        "priors/densities.py",
        "return np.log(2) + _normal(Normal(0, prior.scale), x)",
        "return _normal(Normal(0, prior.scale), x)",
        "tests/test_priors.py::test_log_densities_equal_scipy[HalfNormal]",
    ),
    Mistake(
        "drop the Jacobian of a log-normal prior",
        "priors/densities.py",
        "value = _normal(Normal(prior.mean, prior.sd), inside) - inside",
        "value = _normal(Normal(prior.mean, prior.sd), inside)",
        "tests/test_priors.py::test_log_densities_equal_scipy[LogNormal]",
    ),
    Mistake(
        "take tau for tau² in Jeffreys' prior",
        "priors/densities.py",
        "(tau[..., None] / (se**2 + tau[..., None] ** 2)) ** 2",
        "(tau[..., None] / (se**2 + tau[..., None])) ** 2",
        "tests/test_priors.py::test_the_density_of_jeffreys_needs_the_standard_errors",
    ),
    Mistake(
        "take tau for tau² in the normal engine",
        "engines/exact/normal.py",
        "variance = se**2 + tau[:, None] ** 2\n    precision",
        "variance = se**2 + tau[:, None]\n    precision",
        EXACT + f"posterior_equals_the_stored_quadrature{BCG}",
    ),
    Mistake(
        "drop the Jacobian of the map of tau",
        "engines/exact/tau_nodes.py",
        "return TauNodes(tau, np.log(weight * slope), x)",
        "return TauNodes(tau, np.log(weight) + 0 * slope, x)",
        EXACT + f"posterior_equals_the_stored_quadrature{BCG}",
    ),
    Mistake(
        "lose a prior's constant where it is written as normals",
        "engines/exact/mu_prior.py",
        "return MuPrior(whole.log_weight + np.log(2),",
        "return MuPrior(whole.log_weight,",
        EXACT + "common_effect_equals_numerical_integration",
    ),
    Mistake(
        "take tau for tau² in many normal fits at once",
        "engines/many/normal_program.py",
        "t2 = tau**2\n    zero",
        "t2 = tau\n    zero",
        "tests/test_batch.py::test_the_answers_are_those_of_fit",
    ),
    Mistake(
        "take tau for tau² in many regressions at once",
        "engines/many/regression_program.py",
        "x.shape[1], v + tau[:, None] ** 2",
        "x.shape[1], v + tau[:, None]",
        "tests/test_batch_regressions.py::test_the_answers_are_those_of_fit",
    ),
    Mistake(
        "take tau² for tau on the grid",
        "engines/nodes/fourier.py",
        "characteristic(tau * frequencies(grid), df))",
        "characteristic(tau**2 * frequencies(grid), df))",
        "tests/engines/test_counts.py::test_the_posterior_is_that_of_brute_force",
    ),
    Mistake(
        "drop the Jacobian of the mapped mu",
        "engines/exact/mu_rule.py",
        "log_weight = np.log(support.slope(u)) + np.log(u[1] - u[0])",
        "log_weight = np.log(u[1] - u[0]) + 0 * u",
        GRID + "the_posterior_is_that_of_brute_force",
    ),
    Mistake(
        "drop the weight exp(v) of a corner",
        "engines/likelihood/corners.py",
        "weight = np.exp(v) * sides[0].step",
        "weight = sides[0].step + 0 * v",
        TABLES + "a_corner_is_integrated_over_the_effects_on_both_its_sides",
    ),
    Mistake(
        "drop the Jacobian of the baseline's nodes",
        "engines/likelihood/tables.py",
        "return beta, np.log(s)[:, None] + np.log(np.cosh(u) * spacing)",
        "return beta, np.log(s)[:, None] + np.log(spacing) + 0 * u",
        TABLES + "a_table_has_the_probability_of_a_dense_sum_over_its_baseline",
    ),
    Mistake(
        "lose the person-time in the Poisson's constant",
        "engines/likelihood/laws.py",
        "return xlogy(e, time) - gammaln(e + 1)",
        "return 0 * xlogy(e, time) - gammaln(e + 1)",
        TABLES + "a_table_has_the_probability_of_a_dense_sum_over_its_baseline",
    ),
    Mistake(
        "flip the sign of the hypergeometric log odds",
        "engines/likelihood/laws.py",
        "each = weight[:, None] + theta[..., None] * count[:, None]",
        "each = weight[:, None] - theta[..., None] * count[:, None]",
        TABLES + "given_the_totals_a_table_has_fishers_probability",
    ),
    Mistake(
        "forget the delta method of a risk difference's standard error",
        "engines/likelihood/rough.py",
        "return np.arctanh(risk), se / (1 - risk**2)",
        "return np.arctanh(risk), se",
        TABLES + "rough_effects_are_the_two_stage_ones_with_half_in_every_cell",
    ),
    Mistake(
        "take tau for tau² in the draws of the study effects",
        "engines/nodes/draws.py",
        "_log_kernel((at - mu[:, None]) / tau[:, None], df)",
        "_log_kernel((at - mu[:, None]) / tau[:, None] ** 0.5, df)",
        "tests/engines/test_counts.py::test_draws_have_the_marginals_of_the_integral",
    ),
    Mistake(
        "draw study effects uniformly within their cells",
        "engines/nodes/inversion.py",
        "return x[row, cell] + step * _within(*ends, *tangents, np.clip(share, 0.0, 1.0))",
        "return x[row, cell] + step * np.clip(share, 0.0, 1.0)",
        DRAWS + "many_draws_spread_as_the_marginals_do[OR]",
    ),
    Mistake(
        "draw baselines uniformly within their cells",
        "engines/nodes/inversion.py",
        "    t = share\n    for _ in range(STEPS):",
        "    return share\n    for _ in range(STEPS):",
        DRAWS + "a_baseline_given_its_effect_spreads_as_quadrature_says",
    ),
    Mistake(
        "draw mu as if tau were at a node next to it",
        "engines/nodes/inversion.py",
        "STENCIL = 6",
        "STENCIL = 1",
        DRAWS + "mu_given_tau_and_effects_given_both_have_their_closed_forms_on_the_grid",
    ),
    Mistake(
        "drop the Jacobian of the baseline's nodes in its draws",
        "engines/nodes/draws.py",
        "return joint(theta[:, None], beta) + log_weight",
        "return joint(theta[:, None], beta) + 0.0 * log_weight",
        DRAWS + "a_baseline_given_its_effect_spreads_as_quadrature_says",
    ),
    Mistake(
        "take the leverage at the median of the fitted values",
        "checks/_deviance.py",
        "of((share @ fitted)[None])[0]",
        "of(np.median(fitted, axis=0)[None])[0]",
        "tests/test_deviance.py::test_leverage_is_taken_at_the_mean_of_the_fitted_values",
    ),
    Mistake(
        "average deviances over nodes that weigh alike",
        "checks/_deviance.py",
        "share = mass / mass.sum()",
        "share = np.full(mass.size, 1 / mass.size)",
        "tests/test_deviance.py::test_the_deviance_of_a_common_effect_needs_no_draws",
    ),
    Mistake(
        "count half a cell too much below an own estimate from quartiles",
        "summaries/_forest.py",
        "GridDensity.of(v, density[:, i])",
        "GridDensity.of(v - 0.5 * (v[1] - v[0]), density[:, i])",
        "tests/test_summaries.py::test_"
        "the_own_row_of_a_trial_with_symmetric_quartiles_is_their_difference",
    ),
    Mistake(
        "drop the mask in many tables of counts at once",
        "engines/exact/program.py",
        "log_post = (log_given * of.mask[:, None]).sum(axis=1)",
        "log_post = log_given.sum(axis=1)",
        "tests/engines/test_counts_fast.py::test_many_tables_at_once_are_as_one_by_one[OR]",
    ),
    Mistake(
        "drop the Jacobian of mu in the program of fixed sizes",
        "engines/exact/program.py",
        "return mu, log_given, log_post + log_mu(mu) + log_step + of.outer[:, None]",
        "return mu, log_given, log_post + log_mu(mu) + of.outer[:, None]",
        "tests/engines/test_counts_fast.py::test_what_it_says_of_its_error_holds",
    ),
    Mistake(
        "forget the ½ of the coding in the program of fixed sizes",
        "engines/likelihood/laws.py",
        "up, down = beta + theta / 2, beta - theta / 2\n    return *_log",
        "up, down = beta + theta, beta - theta\n    return *_log",
        TABLES + "risks_are_those_that_define_the_effect",
    ),
    Mistake(
        "forget the ½ of the coding in PyMC",
        "engines/graph/counts.py",
        '(±½ coding)."""\n    return beta + theta / 2, beta - theta / 2',
        '(±½ coding)."""\n    return beta + theta, beta - theta',
        "tests/engines/test_nuts.py::"
        "test_the_likelihood_in_pymc_is_the_binomial_of_the_simulators_risks[OR]",
    ),
    Mistake(
        "swap the arms of the rates in PyMC",
        "engines/graph/counts.py",
        '(("treatment", beta + theta / 2), ("control", beta - theta / 2))',
        '(("treatment", beta - theta / 2), ("control", beta + theta / 2))',
        "tests/engines/test_nuts_likelihoods.py::"
        "test_the_likelihood_of_each_study_is_that_of_scipy[poisson]",
    ),
    Mistake(
        "take tau² for tau in the study effects of PyMC",
        "engines/graph/parts.py",
        'z = pm.Normal("z", 0.0, 1.0, dims="study")\n'
        '    return pm.Deterministic("theta", mu + tau * z, dims="study")',
        'z = pm.Normal("z", 0.0, 1.0, dims="study")\n'
        '    return pm.Deterministic("theta", mu + tau**2 * z, dims="study")',
        "tests/engines/test_nuts_likelihoods.py::"
        "test_the_likelihood_of_each_study_is_that_of_scipy",
    ),
    Mistake(
        "drop the Jacobian of log tau in PyMC's density",
        "engines/graph/functions.py",
        "free = frozen.logp(vars=frozen.free_RVs, sum=True)",
        "free = frozen.logp(vars=frozen.free_RVs, sum=True, jacobian=False)",
        "tests/engines/test_nuts.py::"
        "test_the_prior_in_pymc_is_the_product_of_the_priors_and_the_jacobian_of_log_tau",
    ),
    Mistake(
        "drop the mask in NUTS",
        "engines/sampling/_chain.py",
        """each = jnp.where(mask > 0, made.log_likelihood(position, data), 0.0)
        return made.log_prior(position, data) + (mask * each).sum()""",
        """each = made.log_likelihood(position, data)
        return made.log_prior(position, data) + each.sum()""",
        "tests/engines/test_nuts.py::test_the_normal_model_by_nuts_agrees_with_the_exact_engine",
    ),
    Mistake(
        "count a flat mu as if it took no study",
        "engines/exact/propriety.py",
        "return _tail(tau) + k - sum(isinstance(one, Flat) for one in priors)",
        "return _tail(tau) + k",
        EXACT + "a_posterior_needs_as_many_studies_as_its_tail",
    ),
    Mistake(
        "take tau for tau² in the prediction interval",
        "frequentist/arrays/inverse_variance.py",
        "half = critical_of(prob, df_of(self.k, df)) * np.sqrt(self.tau2 + se**2)",
        "half = critical_of(prob, df_of(self.k, df)) * np.sqrt(np.sqrt(self.tau2) + se**2)",
        "tests/test_reference_grid.py::test_pooled_estimates_equal_metafor",
    ),
    Mistake(
        "swap the arms in Mantel and Haenszel's risk ratio",
        "frequentist/arrays/counts.py",
        "r, s = (a * n2 / n).sum(axis=-1), (c * n1 / n).sum(axis=-1)",
        "s, r = (a * n2 / n).sum(axis=-1), (c * n1 / n).sum(axis=-1)",
        "tests/test_reference_grid.py::test_counts_pooled_by_mantel_haenszel_and_peto_equal_metafor",
    ),
    Mistake(
        "take the first peak of a likelihood of tau² for the highest",
        "frequentist/arrays/tau2.py",
        "order = np.lexsort((gain, i))",
        "order = np.lexsort((-gain, i))",
        "tests/test_frequentist.py::test_reml_takes_the_higher_of_two_peaks",
    ),
    Mistake(
        "add each arm the share of the other",
        "effects/_counts.py",
        "(share, 1 - share) if zero_cells",
        "(1 - share, share) if zero_cells",
        "tests/test_reference_grid.py::test_random_effects_equal_meta",
    ),
    Mistake(
        "take a whole unit of the last digit for half of it",
        "explanation/_printed.py",
        "HALF = 0.5 + 1e-9",
        "HALF = 1.0 + 1e-9",
        "tests/test_explanation.py::test_half_a_unit_of_the_last_digit_is_the_border",
    ),
    Mistake(
        "count made-up figures within half a standard error",
        "explanation/_chance.py",
        "rng.uniform(-1, 1, FAKES)",
        "rng.uniform(-0.5, 0.5, FAKES)",
        "tests/test_explanation.py::test_chance_is_the_mean_number_of_matches_of_figures_made_up_nearby",
    ),
    Mistake(
        "forget the ½ of the coding in the simulator",
        "simulate/_risks.py",
        "(expit(beta + theta / 2), expit(beta - theta / 2))",
        "(expit(beta + theta), expit(beta - theta))",
        "tests/test_simulate.py::test_risks_have_the_effect_and_the_baseline_they_were_made_from",
    ),
    Mistake(
        "swap the arms of a simulated risk ratio",
        "simulate/_risks.py",
        "np.where(theta < 0, smaller, larger), np.where(theta < 0, larger, smaller)",
        "np.where(theta < 0, larger, smaller), np.where(theta < 0, smaller, larger)",
        "tests/test_simulate.py::test_risks_have_the_effect_and_the_baseline_they_were_made_from",
    ),
    Mistake(
        "give the probability of benefit of the other side",
        "summaries/_numbers.py",
        'return below if better == "lower" else 1 - below',
        'return below if better == "higher" else 1 - below',
        "tests/test_summaries.py::test_probability_of_benefit_is_on_the_better_side",
    ),
    Mistake(
        "forget the delta method of a study's atanh(RD)",
        "summaries/_forest.py",
        "y, se = np.arctanh(inside), found.se / (1 - inside**2)",
        "y, se = np.arctanh(inside), found.se",
        "tests/test_summaries.py::test_own_effects_of_a_risk_difference_of_counts_are_its_atanh",
    ),
    Mistake(
        "turn the Bayes factor of tau round",
        "evidence/_factors.py",
        'without("tau") - log_z',
        'log_z - without("tau")',
        "tests/test_evidence.py::test_factors_and_weights_are_those_of_r_bayesmeta",
    ),
    Mistake(
        "forget the alternative in the Bayes factor of mu",
        "evidence/_factors.py",
        "without(parameter) - log_z\n    _hold",
        "without(parameter)\n    _hold",
        "tests/test_evidence.py::test_factors_and_weights_are_those_of_r_bayesmeta",
    ),
    Mistake(
        "take tau for tau² in the weights",
        "evidence/_weights.py",
        "precision = 1 / (se**2 + tau[:, None] ** 2)",
        "precision = 1 / (se**2 + tau[:, None])",
        "tests/test_evidence.py::test_factors_and_weights_are_those_of_r_bayesmeta",
    ),
    Mistake(
        "raise the priors to powers and leave what the studies say as it is",
        "checks/_powers.py",
        "+ powers.likelihood * self.log_likelihood",
        "+ self.log_likelihood",
        "tests/test_power_scaling.py::test_one_normal_effect_with_a_normal_prior_is_its_closed_form",
    ),
    Mistake(
        "forget the mirror image of a cumulative distance",
        "checks/_distance.py",
        "max(_divergence(first, second, weight), mirrored, 0.0)",
        "max(_divergence(first, second, weight), 0.0 * mirrored)",
        "tests/test_power_scaling.py::test_one_normal_effect_with_a_normal_prior_is_its_closed_form",
    ),
    Mistake(
        "take half the divisor of the sceptical limit",
        "evidence/reverse.py",
        "(4 * np.sqrt(low * high))",
        "(2 * np.sqrt(low * high))",
        "tests/test_reverse_bayes.py::test_the_sceptical_limits_are_those_of_the_closed_form_and_of_refits",
    ),
    Mistake(
        "swap the arms in which events turn a conclusion",
        "evidence/_events.py",
        "up = (column == EVENTS[0]) == (sign > 0)",
        "up = (column == EVENTS[1]) == (sign > 0)",
        "tests/test_tipping.py::test_no_smaller_change_of_one_arm_turns_the_conclusion",
    ),
    Mistake(
        "order outcomes by their effects, whichever way is a benefit",
        "decision/draws/strands.py",
        "[ranks(one.sign * score)]",
        "[ranks(score)]",
        PSA + "what_helps_one_outcome_helps_the_other_where_correlation_is_positive",
    ),
    Mistake(
        "draw a new setting of Student-t effects as a normal one",
        "decision/draws/new_settings.py",
        "score if df is None else stdtrit(df, ndtr(score))",
        "score",
        PSA + "a_new_effect_is_drawn_by_the_law_of_its_model",
    ),
    Mistake(
        "hold a risk that a ratio lifts just below 1, in silence",
        "decision/draws/strands.py",
        'return one.kind == "risk" and one.scale.name in UNBOUND',
        "return False",
        PSA + "where_a_ratio_lifts_a_risk_above_1_an_odds_ratio_of_the_same_counts_takes_its_place",
    ),
    Mistake(
        "round the draws of a file",
        "decision/draws/psa_file.py",
        'index=False, lineterminator="\\n")',
        'index=False, lineterminator="\\n", float_format="%.6g")',
        PSA + "in_the_file_risk_ratio_and_difference_of_a_row_belong_together[or-csv]",
    ),
    Mistake(
        "turn the gap to the published figure round",
        "comparison.py",
        '(table["estimate"] - printed.y[0]) / printed.se[0]',
        '(printed.y[0] - table["estimate"]) / printed.se[0]',
        "tests/test_comparison.py::test_gap_counts_published_standard_errors",
    ),
    Mistake(
        "forget that a prediction rests on the control arm",
        "checks/_loo.py",
        "result = terms.every - terms.given",
        "result = terms.every",
        LOO + "predictions_are_those_of_brute_force[OR half, sparse]",
    ),
    Mistake(
        "weigh a study left out by its likelihood, not by one over it",
        "checks/_loo.py",
        "log_mass[:, None] + terms.given - terms.every",
        "log_mass[:, None] + terms.every - terms.given",
        LOO + "predictions_are_those_of_brute_force[OR half, small]",
    ),
    Mistake(
        "count the observed events among the fewer",
        "engines/likelihood/tables.py",
        "bdtr(events - 1, int(n), expit(x))",
        "bdtr(events, int(n), expit(x))",
        LOO + "probabilities_of_all_counts_sum_to_one",
    ),
    Mistake(
        "take tau² for tau in the spread of new studies",
        "simulate/_parameters.py",
        "return expected + tau * noise",
        "return expected + tau**2 * noise",
        "tests/test_simulate.py::test_new_studies_have_effects_of_their_own",
    ),
    Mistake(
        "swap the sides of a predictive p",
        "checks/_statistics.py",
        "(new > seen).mean()",
        "(new < seen).mean()",
        "tests/test_checks.py::test_a_predictive_p_is_the_share_of_larger_replicates",
    ),
    Mistake(
        "take the deviance without its 2",
        "checks/_deviance.py",
        "return 2 * (xlogy(events, events / n)",
        "return (xlogy(events, events / n)",
        "tests/test_checks.py::test_the_residual_deviance_is_that_of_scipy",
    ),
    Mistake(
        "take tau for tau² of several outcomes",
        "engines/graph/_multivariate.py",
        "variance = se[..., i] ** 2 + there * tau[..., i] ** 2",
        "variance = se[..., i] ** 2 + there * tau[..., i]",
        SEVERAL + "the_likelihood_is_the_normal_law_of_what_each_study_reports[two]",
    ),
    Mistake(
        "forget the mask of a gap in several outcomes",
        "engines/graph/_multivariate.py",
        "residual = there * (value[..., i] - mu[..., i])",
        "residual = 1.0 * (value[..., i] - mu[..., i])",
        SEVERAL + "the_likelihood_is_the_normal_law_of_what_each_study_reports[known]",
    ),
    Mistake(
        "drop X'X from the restricted likelihood of several outcomes",
        "reml.py",
        "counted = np.log(count).sum() if restricted else 0.0",
        "counted = 0.0 * np.log(count).sum()",
        "tests/test_multivariate.py::"
        "test_the_restricted_likelihood_of_metafors_estimates_is_metafors[REML]",
    ),
    Mistake(
        "take n for n - 1 in the likelihood of an SD",
        "engines/likelihood/of_arms/arms.py",
        "(arm.mean - mu) ** 2 + (arm.n - 1) * arm.sd**2",
        "(arm.mean - mu) ** 2 + arm.n * arm.sd**2",
        ARMS + "likelihood_with_a_prior_of_the_sd_is_that_of_brute_force[MD-normal]",
    ),
    Mistake(
        "drop the Jacobian of a flat geometric mean",
        "engines/likelihood/of_arms/continuous.py",
        "return b if log_scale else np.zeros_like(b)",
        "return np.zeros_like(b)",
        ARMS + "likelihood_of_a_study_is_that_of_brute_force[usual-ROM-normal]",
    ),
    Mistake(
        "swap the arms of a standardised difference",
        "engines/likelihood/of_arms/_common_sd.py",
        "y = treatment.mean - control.mean\n    squares",
        "y = control.mean - treatment.mean\n    squares",
        ARMS + "a_standardised_difference_has_the_noncentral_t[usual]",
    ),
    Mistake(
        "count a degree of freedom too many where the arms share an SD",
        "engines/likelihood/of_arms/_common_sd.py",
        "df, share = n1 + n0 - 2, n1 * n0",
        "df, share = n1 + n0 - 1, n1 * n0",
        ARMS + "a_standardised_difference_has_the_noncentral_t[usual]",
    ),
    Mistake(
        "hold no figure against another whatever the distance",
        "posterior/pairs.py",
        "return bool(apart <= self.tolerance)",
        "return bool(apart >= self.tolerance or apart <= self.tolerance)",
        COHERENCE + "a_planted_contradiction_of_a_fit_is_seen[no density at 0]",
    ),
    Mistake(
        "swap the tails of an interval that excludes no effect",
        "implications/marginals.py",
        'side, least, most = "excludes", 1 - tail, 1.0',
        'side, least, most = "excludes", 0.0, tail',
        COHERENCE + "no_factor_for_0_can_be_larger_than_an_interval_that_excludes_it_allows",
    ),
    Mistake(
        "hold a Bayes factor to a density without that of its prior",
        "implications/factors.py",
        "other=float(np.log(slope if resolved else slope + slack)) - height,",
        "other=float(np.log(slope if resolved else slope + slack)),",
        COHERENCE
        + "a_bayes_factor_is_held_to_densities_interval_and_its_other_table[0-0.01-seen0]",
    ),
    Mistake(
        "hold no factor to a density that is not resolved",
        "implications/factors.py",
        "resolved else slope + slack)) - height,",
        "resolved else np.inf)) - height,",
        COHERENCE + "a_density_too_low_to_be_resolved_still_bounds_the_factor",
    ),
    Mistake(
        "take a figure for printed where a sentence holds it within another",
        "implications/sentences.py",
        "if said == wanted or not pair.agrees:\n        return pair",
        "if wanted in said:\n        return same(where, first, 1.0, ROW, 1.0, RULE)",
        COHERENCE + "a_sentence_and_a_row_are_compared_letter_by_letter[95.0%-5.0%-False]",
    ),
    Mistake(
        "swap the ends of a published figure in its sentence",
        "results/display.py",
        "[mu.quantile(0.5), *mu.interval(prob)]))",
        "[mu.quantile(0.5), *mu.interval(prob)[::-1]]))",
        COHERENCE + "a_label_may_hold_whatever_a_sentence_holds[labels0]",
    ),
    Mistake(
        "take tau for tau² in the variance of a new effect",
        "implications/fits.py",
        "factor * (tau.mean() ** 2 + tau.sd() ** 2)",
        "factor * (tau.mean() + tau.sd())",
        COHERENCE + "a_planted_contradiction_of_a_fit_is_seen[a new effect that forgot tau]",
    ),
    Mistake(
        "hold events per 1,000 to the ratio alone",
        "implications/answers.py",
        "at = [min(1.0, risk * one) for one in ratios]",
        "at = [min(1.0, one) for one in ratios]",
        COHERENCE + "every_rule_is_at_work_in_a_run",
    ),
    Mistake(
        "keep the sentences of a contradiction from the failures of an outcome",
        "results/__init__.py",
        "        if self.coherence.passed:\n            return found",
        "        if self.coherence.pairs:\n            return found",
        COHERENCE + "a_contradiction_fails_the_run_and_marks_answer_tables_and_first_screen",
    ),
    Mistake(
        "count the participants of one arm",
        "studies/table.py",
        "total = np.sum(sizes, axis=0)",
        "total = sizes[0]",
        "tests/test_account.py::test_each_entry_stands_in_the_json",
    ),
    Mistake(
        "say that ½ was added where nothing was",
        "effects/_counts.py",
        "    return with_zero(studies)\n",
        "    return ~with_zero(studies)\n",
        "tests/test_account.py::test_what_is_added_is_said_of_the_studies_to_which_it_is",
    ),
    Mistake(
        "take what is dropped for what someone left out",
        "studies/table.py",
        "for one in self.excluded if not one.dropped)",
        "for one in self.excluded if one.dropped)",
        "tests/test_account.py::test_an_answer_in_python_carries_it",
    ),
    Mistake(
        "set our answer on the other side of the published one",
        "results/answer.py",
        '"above" if self.gap > 0 else "below"',
        '"below" if self.gap > 0 else "above"',
        "tests/test_answer.py::test_a_ratio_is_said_as_a_ratio_with_benefit_prediction_and_the_published_figure",
    ),
    Mistake(
        "take harm for benefit in fit",
        "results/answer.py",
        'prob_benefit(one, better or "lower")',
        'prob_benefit(one, "lower")',
        "tests/test_answer.py::test_the_better_side_may_be_the_higher_one",
    ),
    Mistake(
        "print logarithms under the name of ratios",
        "results/answer.py",
        "measure.natural([one.quantile(0.5), *one.interval(prob)]).tolist()",
        "[one.quantile(0.5), *one.interval(prob)]",
        "tests/test_answer.py::test_the_answer_is_that_of_the_marginals",
    ),
    Mistake(
        "see a conflict where studies agree",
        "checks/_conflict.py",
        "if self.p_tau < TAIL:",
        "if self.p_tau > 1 - TAIL:",
        "tests/test_conflict.py::test_studies_that_merely_agree_contradict_no_prior_of_tau",
    ),
    Mistake(
        "take agreement for a misfit",
        "checks/_statistics.py",
        "(self.p > 1 - TAIL and not self.of_scatter)",
        "(self.p > 1 - TAIL)",
        "tests/test_checks.py::test_studies_that_merely_agree_are_no_misfit_and_studies_that_differ_are",
    ),
    Mistake(
        "shrink each study by the share of the others",
        "frequentist/fit.py",
        "return tau2 / (tau2 + se**2)",
        "return se**2 / (tau2 + se**2)",
        "tests/test_frequentist.py::test_predictions_of_single_studies_solve_hendersons_equations",
    ),
    Mistake(
        "leave the design out of the restricted likelihood",
        "frequentist/pooling/one.py",
        'np.log(effects.k) if kind == "REML" else 0.0',
        "0.0",
        "tests/test_reference_grid.py::test_log_likelihoods_and_criteria_equal_metafor_where_there_is_a_top",
    ),
    Mistake(
        "keep the files of an earlier run",
        "files/_publish.py",
        "old.keys() - new.keys()",
        "new.keys() - old.keys()",
        "tests/test_run_folder.py::test_a_second_run_leaves_nothing_of_the_first_and_everything_else",
    ),
    Mistake(
        "call files complete while they move",
        "files/_publish.py",
        "{**old, **new}, complete=False",
        "{**old, **new}, complete=True",
        "tests/test_run_folder.py::test_a_run_killed_before_any_of_its_moves_loses_nothing_and_is_mended_by_the_next",
    ),
    Mistake(
        "trade places with a folder that has other files",
        "files/_publish.py",
        "whole = _only_ours(place, stage) and not",
        "whole = not",
        "tests/test_run_folder.py::test_a_run_killed_before_any_of_its_moves_loses_nothing_and_is_mended_by_the_next",
    ),
    Mistake(
        "leave half a run where a move fails",
        "files/_publish.py",
        "            if os.path.lexists(kept / path):",
        "            if not os.path.lexists(kept / path):",
        "tests/test_run_folder.py::test_a_move_that_fails_leaves_the_folder_as_it_was",
    ),
    Mistake(
        "sweep what another process holds",
        "files/_claim.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        "tests/test_run_folder.py::test_two_commands_do_not_write_into_one_folder_at_once",
    ),
    Mistake(
        "forget that a risk with treatment is odds over one plus odds",
        "decision/carriers.py",
        "slope=lambda treated, base: treated * (1 - treated) + 0 * base",
        "slope=lambda treated, base: treated + 0 * base",
        "tests/test_baseline.py::test_at_a_known_risk_quantiles_and_densities_are_those_of_the_effect_transformed",
    ),
    Mistake(
        "carry a hazard ratio over the risk instead of its hazard",
        "decision/carriers.py",
        "np.log(_hazard(base))",
        "np.log(base)",
        "tests/test_baseline.py::test_at_a_known_risk_quantiles_and_densities_are_those_of_the_effect_transformed",
    ),
    Mistake(
        "leave out baselines at which the risk is held at 1",
        "decision/derived.py",
        "sure = 1 - self.baseline.cdf(self.by.high - x)",
        "sure = 0.0",
        "tests/test_baseline.py::test_steps_and_narrow_effects_are_integrated_as_well_as_the_rest",
    ),
    Mistake(
        "drop the density of what is held",
        "decision/derived.py",
        "found += density * (1 - held if upper else held)",
        "found += 0.0 * (1 - held if upper else held)",
        "tests/test_baseline.py::test_steps_and_narrow_effects_are_integrated_as_well_as_the_rest",
    ),
    Mistake(
        "lay a baseline out without its Jacobian",
        "decision/stated.py",
        '"logit": lambda value: value * (1 - value)',
        '"logit": np.ones_like',
        "tests/test_baseline.py::test_nodes_draws_and_quantiles_are_of_the_stated_distribution",
    ),
    Mistake(
        "count harm as benefit in the number needed",
        "decision/nnt.py",
        '(-1 if better == "lower" else 1)',
        '(1 if better == "lower" else -1)',
        "tests/test_baseline.py::test_number_needed_goes_through_infinity_in_words",
    ),
    Mistake(
        "hold a harm against the threshold of a benefit",
        "decision/findings.py",
        'sign = -1 if effects.better == "lower" else 1',
        'sign = 1 if effects.better == "lower" else -1',
        "tests/test_people.py::test_findings_say_whether_the_interval_crosses_the_threshold",
    ),
    Mistake(
        "carry the other ratio as if it were the first",
        "decision/absolute.py",
        "by=carrier_of(scale_of(other), first, time, None))",
        "by=carrier_of(scale_of(posterior), first, time, None))",
        "tests/test_baseline.py::test_both_ratios_agree_at_the_risk_of_the_trials_and_part_elsewhere"
        "_as_by_hand",
    ),
    Mistake(
        "draw the curve over thresholds of means per 1,000",
        "decision/absolute.py",
        "at_least(row.change, at / self.per, self.better) for row",
        "at_least(row.change, at / 1000, self.better) for row",
        "tests/test_baseline.py::test_probability_of_an_important_benefit_lies_on_the_curve_of_means",
    ),
    Mistake(
        "leave out the wrong trial",
        "variations/_changes.py",
        "np.arange(data.k) != i",
        "np.arange(data.k) != data.k - 1 - i",
        "tests/test_scenarios.py::test_every_row_of_counts_is_the_fit_made_by_hand",
    ),
    Mistake(
        "tell an odds ratio as a risk ratio without a baseline",
        "variations/_told.py",
        "scale.name == self.measure.name",
        "scale.log == self.measure.log",
        "tests/test_scenarios.py::test_every_row_of_counts_is_the_fit_made_by_hand",
    ),
    Mistake(
        "take a control risk that knows nothing of the effect beside it",
        "decision/together.py",
        "            theta = theta_new\n",
        "            theta = np.zeros_like(theta_new)\n",
        "tests/test_together.py::test_the_sentence_has_both_baselines_and_the_correlation_of_effect_and_baseline",
    ),
    Mistake(
        "leave the other ratio the control risk of the first fit",
        "decision/absolute.py",
        "moved(one, posterior, other)",
        "moved(one, other, other)",
        "tests/test_together.py::test_the_other_ratio_beside_has_the_baseline_of_its_own_fit",
    ),
    Mistake(
        "forget the spread of baselines between settings",
        "decision/together.py",
        'beta = beta + drawn["baseline_sd"] * rng.standard_normal(beta.size)',
        'beta = beta + 0.0 * drawn["baseline_sd"] * rng.standard_normal(beta.size)',
        "tests/test_together.py::test_risks_and_differences_have_the_quantiles_of_weighted_draws",
    ),
    Mistake(
        "say a caution once for each outcome",
        "results/__init__.py",
        "found.setdefault(general_of(one),",
        "found.setdefault(one + outcome.name,",
        "tests/test_cautions.py::test_the_weightiest_comes_first_then_what_concerns_the_most_outcomes",
    ),
    Mistake(
        "count groups that failed as analysed",
        "batch/file.py",
        'done = found[found["engine"].fillna("") != ""]',
        "done = found",
        "tests/test_account.py::test_a_batch_counts_what_was_analysed_and_uses_main_rows",
    ),
    Mistake(
        "forget the units of the design in the restricted likelihood",
        "frequentist/regression/meta_regression.py",
        "n, counted = k - p, float(np.linalg.slogdet(x.T @ x)[1])",
        "n, counted = k - p, 0.0",
        "tests/test_regression.py::test_regressions_equal_metafor",
    ),
    Mistake(
        "test means of groups against no effect for against each other",
        "frequentist/regression/meta_regression.py",
        'across = np.linalg.qr(constant[:, None], mode="complete")[0][:, 1:].T',
        "across = np.eye(p)",
        "tests/test_regression.py::test_regressions_equal_metafor",
    ),
    Mistake(
        "weigh groups by the standard errors of Knapp and Hartung",
        "frequentist/regression/subgroups.py",
        "weight = np.array([one.wald_se for one in groups]) ** -2",
        "weight = np.array([one.se for one in groups]) ** -2",
        "tests/test_subgroups.py::test_groups_with_tau2_of_their_own_are_analyses_of_their_own",
    ),
    Mistake(
        "centre nothing",
        "design/_columns.py",
        "centre, scale = middle if centred else 0.0,",
        "centre, scale = 0.0,",
        "tests/test_design.py::test_a_number_is_centred_at_the_mean_of_the_rows_used_and_not_scaled",
    ),
    Mistake(
        "draw permutations without the one observed",
        "frequentist/regression/permutation.py",
        "(1 + hits) / (1 + count)",
        "hits / count",
        "tests/test_regression.py::test_a_drawn_p_counts_the_arrangement_that_was_observed",
    ),
)


def main(words: list[str]) -> int:
    chosen = [one for one in MISTAKES if not words or any(word in one.name for word in words)]
    print("| error | file | test that must fail | |\n| --- | --- | --- | --- |")
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        for one in chosen:
            fate = trial(one, Path(folder))
            missed += fate != "caught"
            print(f"| {one.row} | {fate} |", flush=True)
    return 1 if missed else 0


def copy_to(folder: Path) -> None:
    leave = shutil.ignore_patterns("__pycache__", ".*")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=leave)
        else:
            shutil.copy(ROOT / name, folder / name)


def trial(one: Mistake, folder: Path) -> str:
    """Make one error in the copy, run its test there, and take the error back."""
    path = folder / "bayesmeta" / one.file
    right = path.read_text()
    if right.count(one.right) != 1:
        return f"FRAGMENT FOUND {right.count(one.right)} TIMES"
    path.write_text(right.replace(one.right, one.wrong))
    try:
        status = run(one.test, folder)
    finally:
        path.write_text(right)
    return {0: "NOT CAUGHT", 1: "caught"}.get(status, f"PYTEST ENDED WITH {status}")


def run(test: str, folder: Path) -> int:
    """Exit status of pytest: 0 passed, 1 failed, 4 no such test; stored bytecode may be stale."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "0",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "",
            test,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
