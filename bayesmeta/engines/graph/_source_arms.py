"""Models of continuous outcomes per arm as a person reads them."""

from ...model import Arms
from ...priors import Prior

_ARMS_HEAD = """\
# rows of what follows: treatment arms, control arms
n = np.stack([n_treatment, n_control])
mean = np.stack([mean_treatment, mean_control])
sd = np.stack([sd_treatment, sd_control])
"""
_OF_LOGS = """\
# logs of the outcome are normal: their means and SDs, as the reported ones imply them
log_variance = np.log1p((sd / mean) ** 2)
mean, sd = np.log(mean) - log_variance / 2, np.sqrt(log_variance)
"""
_HALVES = "location = pt.stack([baseline + theta / 2, baseline - theta / 2])\n"
_LOCATIONS = {
    ("MD", "normal"): _HALVES,
    ("SMD", "normal"): """\
location = pt.stack([baseline + theta * sigma / 2, baseline - theta * sigma / 2])
""",
    ("ROM", "normal"): """\
location = pt.exp(pt.stack([baseline + theta / 2, baseline - theta / 2]))
""",
    ("ROM", "lognormal"): """\
location = pt.stack([baseline + theta / 2, baseline - theta / 2]) - sigma**2 / 2
""",
    ("RGM", "lognormal"): _HALVES,
}
_OBSERVED = """\
pm.Normal("mean_observed", location, sigma / np.sqrt(n), observed=mean, dims=("arm", "study"))
# (n - 1) sd² / sigma² is chi-square with n - 1 degrees of freedom
pm.Gamma("variance_observed", alpha=(n - 1) / 2, beta=(n - 1) / (2 * sigma**2), observed=sd**2,
         dims=("arm", "study"))
# An arm that reports quantiles enters instead by the probability that they lie where they were
# printed, give or take half a unit of the last digit. They are order statistics of n normal
# values; bayesmeta has its own PyTensor operation for it, QuantileLogProbability.
"""


_UNKNOWN = """\
# changes whose SD is not printed (sd_before above 0): by the correlation of the two values
before = np.stack([sd_before_treatment, sd_before_control])
after = np.stack([sd_after_treatment, sd_after_control])
of_both = pt.sqrt(pt.maximum(before**2 + after**2 - 2 * correlation * before * after, 1e-300))
sd = pt.switch(before > 0, of_both, sd)
"""
_PARTLY_OBSERVED = """\
pm.Normal("mean_observed", location, sigma / np.sqrt(n), observed=mean, dims=("arm", "study"))
# (n - 1) sd² / sigma² is chi-square with n - 1 degrees of freedom; as a density of log sd
variance = pm.Gamma.dist(alpha=(n - 1) / 2, beta=(n - 1) / (2 * sigma**2))
pm.Potential("variance_observed", (pm.logp(variance, sd**2) + pt.log(sd**2)).sum())
"""


def per_arm(of: Arms) -> str:
    """Dimensions of the SDs, as source."""
    return '"study"' if of.measure == "SMD" else '("arm", "study")'


def body(of: Arms, effects: str) -> str:
    """Source below the priors; `effects` defines theta."""
    flat = ""
    if of.baseline is None:
        flat += 'baseline = pm.Flat("baseline", dims="study")\n'
        if of.pair == ("ROM", "normal"):
            flat += 'pm.Potential("flat_on_exp_baseline", baseline.sum())\n'
    if of.log_sd is None:
        flat += f'log_sd = pm.Flat("log_sd", dims={per_arm(of)})\n'
    figures = _ARMS_HEAD + (_OF_LOGS if of.arms == "lognormal" else "")
    observed = _OBSERVED if of.correlation is None else _UNKNOWN + _PARTLY_OBSERVED
    return effects + flat + "sigma = pt.exp(log_sd)\n" + _LOCATIONS[of.pair] + figures + observed


_HALF_LINE = "μᵢ₁ = βᵢ + θᵢ/2,   μᵢ₀ = βᵢ − θᵢ/2"
_LINK_LINES = {
    ("MD", "normal"): _HALF_LINE,
    ("SMD", "normal"): "μᵢ₁ = βᵢ + θᵢσᵢ/2,   μᵢ₀ = βᵢ − θᵢσᵢ/2,   σᵢ₁ = σᵢ₀ = σᵢ",
    ("ROM", "normal"): "log μᵢ₁ = βᵢ + θᵢ/2,   log μᵢ₀ = βᵢ − θᵢ/2",
    ("ROM", "lognormal"): "μᵢ₁ + σᵢ₁²/2 = βᵢ + θᵢ/2,   μᵢ₀ + σᵢ₀²/2 = βᵢ − θᵢ/2",
    ("RGM", "lognormal"): _HALF_LINE,
}


def lines(of: Arms) -> tuple[str, ...]:
    """Patients, figures of the arms and the link."""
    of_logs = of.arms == "lognormal"
    patient = "log xᵢⱼ" if of_logs else "xᵢⱼ"
    figures = "of logs, as those reported imply them" if of_logs else "as reported"
    return (
        f"{patient} ~ Normal(μᵢⱼ, σᵢⱼ)   (patients of arm j; mean, standard deviation)",
        "meanᵢⱼ ~ Normal(μᵢⱼ, σᵢⱼ/√nᵢⱼ),   (nᵢⱼ − 1) sdᵢⱼ²/σᵢⱼ² ~ χ²(nᵢⱼ − 1)"
        f"   (means and SDs {figures})",
        "quantilesᵢⱼ: order statistics of nᵢⱼ patients, within half a unit of the last digit",
        _LINK_LINES[of.pair],
    )


def flat_lines(of: Arms) -> tuple[str, ...]:
    """What has no prior."""
    middle = "exp βᵢ" if of.pair == ("ROM", "normal") else "βᵢ"
    sds = "log σᵢ" if of.measure == "SMD" else "log σᵢⱼ"
    flat: list[tuple[Prior | None, str]] = [(of.baseline, middle), (of.log_sd, sds)]
    return tuple(f"{name} flat" for prior, name in flat if prior is None)
