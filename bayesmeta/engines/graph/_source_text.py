"""The pieces of PyMC source that a model is put together from."""

HEAD = """\
import numpy as np
import pymc as pm
import pytensor.tensor as pt

# study: list of k names; the other names below are float arrays of length k
with pm.Model(coords={"study": study}) as model:
"""
_OF_LOG = (
    "lambda nu, mu, sigma, size: pt.exp(pm.StudentT.dist(nu=nu, mu=mu, sigma=sigma, size=size))"
)
LOG_STUDENT_T = (
    "pm.CustomDist({name}, {nu}, {mu}, {sigma}, "
    f"dist={_OF_LOG}, "
    "default_transform=pm.distributions.transforms.log{more})"
)
LOG_STUDENT_T_PART = (
    f'pm.CustomDist.dist({{nu}}, {{mu}}, {{sigma}}, dist={_OF_LOG}, class_name="LogStudentT")'
)
EFFECTS = """\
theta = pm.Deterministic("theta", mu + tau * z, dims="study")
"""
WEIGHTS = """\
# a normal effect over the root of its weight is Student-t; bayesmeta itself samples
# log(weight) / sqrt(2 / df + 4 / df**2), with the same posterior
weight = pm.Gamma("weight", alpha=df / 2, beta=df / 2, dims="study")
"""
WEIGHTED_EFFECTS = """\
z = pm.Normal("z", mu=0, sigma=1, dims="study")
theta = pm.Deterministic("theta", mu + tau / pt.sqrt(weight) * z, dims="study")
"""
WEIGHTED_ESTIMATES = """\
# study effects integrated out
pm.Normal("y_observed", mu, pt.sqrt(se**2 + tau**2 / weight), observed=y, dims="study")
"""
ESTIMATES = 'pm.Normal("y_observed", theta, se, observed=y, dims="study")\n'
ZERO_ONE = """\
logit_treatment = baseline + theta
logit_control = baseline
"""
RD = """\
e, s = pt.abs(pt.tanh(theta)), pt.exp(2 * baseline)
log_rest = np.log(2) - pt.softplus(2 * pt.abs(theta))
root = pt.sqrt(e**2 * (1 - s) ** 2 + 4 * s)
log_small = np.log(2) + 2 * baseline + log_rest - pt.log(s * (2 - e) + e + root)
log_not_large = np.log(2) + log_rest - pt.log(2 - e + e * s + root)
large = pt.log(pt.exp(log_small) + e) - log_not_large
small = log_small - pt.log(pt.exp(log_not_large) + e)
logit_treatment = pt.switch(theta > 0, large, small)
logit_control = pt.switch(theta > 0, small, large)
"""
OR = """\
logit_treatment = baseline + theta / 2
logit_control = baseline - theta / 2
"""
RR = """\
a = pt.exp(theta)
d = pt.abs(1 - a)
s = pt.sqrt(d**2 + 4 * a * pt.exp(-2 * baseline))
large = pt.log(s + d)
small = np.log(4) + theta - 2 * baseline - large
logit_treatment = np.log(2) + theta - pt.switch(a > 1, small, large)
logit_control = np.log(2) - pt.switch(a < 1, small, large)
"""
ARMS = """\
pm.Binomial("treatment_observed", n=n_treatment, logit_p=logit_treatment,
            observed=events_treatment, dims="study")
pm.Binomial("control_observed", n=n_control, logit_p=logit_control,
            observed=events_control, dims="study")
"""
RISKS = {"OR half": OR, "OR zero_one": ZERO_ONE, "RR": RR, "RD": RD}
POISSON = """\
pm.Poisson("treatment_observed", mu=time_treatment * pt.exp(baseline + theta / 2),
           observed=events_treatment, dims="study")
pm.Poisson("control_observed", mu=time_control * pt.exp(baseline - theta / 2),
           observed=events_control, dims="study")
"""
BETA_BINOMIAL = """\
size = (1 - rho) / rho
for arm, logit_p, n, events in (
    ("treatment", baseline + mu / 2, n_treatment, events_treatment),
    ("control", baseline - mu / 2, n_control, events_control),
):
    pm.BetaBinomial(f"{arm}_observed", n=n, alpha=size * pm.math.sigmoid(logit_p),
                    beta=size * pm.math.sigmoid(-logit_p), observed=events, dims="study")
"""
FISHER = """\
n1, n0, events = n_treatment[:, None], n_control[:, None], events_treatment + events_control
at = np.maximum(0, events[:, None] - n0) + np.arange(np.minimum(n_treatment, events).max() + 1)
possible = at <= np.minimum(n1, events[:, None])
x = np.where(possible, at, np.maximum(0, events[:, None] - n0))

def log_weight(x, n1, n0, m):
    return -sum(pt.gammaln(v + 1) for v in (x, n1 - x, m - x, n0 - m + x))

def logp(value, theta):
    terms = log_weight(x, n1, n0, events[:, None]) + theta[:, None] * (x - value[:, None])
    total = pt.logsumexp(pt.switch(possible, terms, -np.inf), axis=1)
    return log_weight(value, n_treatment, n_control, events) - total

pm.CustomDist("treatment_observed", theta, logp=logp, observed=events_treatment, dims="study")
"""
SEVERAL = """\
# here y and se are (k, p), NaN where a study does not report an outcome; within is (k, p, p)
between = tau[:, None] * rho_matrix * tau
for i in range(len(study)):
    there = np.flatnonzero(~np.isnan(y[i]))
    sampling = se[i][:, None] * within[i] * se[i]
    covariance = sampling[np.ix_(there, there)] + between[there][:, there]
    pm.MvNormal(f"y_observed[{study[i]}]", mu[there], cov=covariance, observed=y[i][there])
"""
ONE_WITHIN = """\
within = np.repeat(np.eye(y.shape[1])[None], len(study), axis=0) * (1 - within) + within
"""
OUTLIERS = """\
variance = se**2 + tau**2
usual = pm.Normal.dist(mu, pt.sqrt(variance))
wide = pm.Normal.dist(mu, pt.sqrt(variance + spread**2))
pm.Mixture("y_observed", w=pt.stack([1 - share, share]), comp_dists=[usual, wide],
           observed=y, dims="study")
"""
