"""Effects that depend on covariates: normal models in closed form given tau, and by sampling."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import bayesmeta as bm

ROOT = Path(__file__).parent
STORED = json.loads((ROOT / "reference" / "linear.json").read_text())
BCG = bm.BinaryStudies.from_frame(pd.read_csv(ROOT.parent / "examples" / "bcg" / "bcg.csv"))
WIDE, TAU = bm.Normal(0, 2), bm.HalfNormal(0.5)
R_GRID = 2.5e-3  # of R bayesmeta's mixture grid, in posterior SDs: coefficients, seen 1.9e-3
R_TAU = 2e-4  # tau and evidence carry no grid; its quantiles and ends by R's root finder


@cache
def on_latitude(prior=WIDE, tau=TAU):
    mu = bm.Linear("latitude", intercept=prior, slopes=prior)
    return bm.fit(bm.NormalNormal(mu=mu, tau=tau), bm.effect_sizes(BCG, measure="OR"))


@cache
def by_allocation():
    mu = bm.ByGroup("allocation", WIDE)
    return bm.fit(bm.NormalNormal(mu=mu, tau=TAU), bm.effect_sizes(BCG, measure="RR"))


def hold(marginal, stored, **tolerance):
    assert marginal.mean() == pytest.approx(stored["mean"], **tolerance)
    assert marginal.sd() == pytest.approx(stored["sd"], **tolerance)
    assert marginal.quantile([0.025, 0.5, 0.975]) == pytest.approx(stored["q"], **tolerance)
    assert 1 - marginal.cdf(0.0) == pytest.approx(stored["P_gt0"], **tolerance)


def test_regression_on_latitude_equals_quadrature():
    fit, stored = on_latitude(), STORED["quadrature"]["metareg_bcg_OR_lat"]
    assert fit.log_marginal_likelihood == pytest.approx(stored["log_marginal_likelihood"], abs=1e-9)
    assert fit["tau"].mean() == pytest.approx(stored["tau"]["mean"], abs=1e-8)
    hold(fit["latitude"], stored["slope:mean"], abs=1e-7)
    hold(fit["intercept"], stored["intercept:mean"], abs=1e-7)
    for latitude in (0, 13, 44, 55):
        hold(fit.at(latitude=latitude), stored[f"at_lat_{latitude}:mean"], abs=1e-7)
        hold(fit.at(latitude=latitude, new=True), stored[f"at_lat_{latitude}:new"], abs=1e-7)


def test_groups_with_one_tau_equal_quadrature():
    fit, stored = by_allocation(), STORED["quadrature"]["subgroup_bcg_RR_alloc_common_tau"]
    assert fit.log_marginal_likelihood == pytest.approx(stored["log_marginal_likelihood"], abs=1e-9)
    for group in ("random", "alternate", "systematic"):
        hold(fit.at(allocation=group), stored[f"mean_{group}:mean"], abs=1e-7)
        hold(fit.at(allocation=group, new=True), stored[f"mean_{group}:new"], abs=1e-7)
    difference = fit.contrast({"allocation[random]": 1, "allocation[alternate]": -1})
    hold(difference, stored["random-alternate:mean"], abs=1e-7)


@pytest.mark.parametrize("name", sorted(STORED["bayesmeta"]))
def test_fits_equal_those_of_r_bayesmeta(name):
    stored = STORED["bayesmeta"][name]
    prior = bm.Normal(0, 4) if name.endswith("N04") else bm.Flat()
    fit = on_latitude(prior) if name.startswith("bcg") else crins(name, prior)
    names = ("tau", *(one for one in fit.model.location.entries(fit.data)))
    assert len(names) == len(stored["columns"])
    for i, parameter in enumerate(names):
        marginal = fit[parameter]
        grid = R_TAU if parameter == "tau" else R_GRID
        own = {row: values[i] for row, values in stored["summary"].items()}
        assert marginal.quantile(0.5) == pytest.approx(own["median"], abs=grid * own["sd"])
        assert marginal.mean() == pytest.approx(own["mean"], abs=grid * own["sd"])
        assert marginal.sd() == pytest.approx(own["sd"], rel=grid)
        shortest = marginal.interval(0.95, kind="shortest")
        expected = own["95% lower"], own["95% upper"]
        assert shortest == pytest.approx(expected, abs=2 * grid * own["sd"])
    if stored["marginal_likelihood"] is None:
        assert fit.log_marginal_likelihood is None
    else:
        expected = np.log(stored["marginal_likelihood"])
        assert fit.log_marginal_likelihood == pytest.approx(expected, abs=5e-6)


def crins(name, prior):
    data, treated = STORED["crins2014"], np.array(STORED["crins2014"]["IL2RA"])
    arrays = bm.EffectSizes.from_arrays(
        data["study"],
        data["y"],
        np.sqrt(data["v"]),
        measure="OR",
        covariates={
            "IL2RA": treated,
            "daclizumab": (treated == "daclizumab").astype(float),
        },
    )
    text = "daclizumab" if "intercept" in name else "IL2RA"
    mu = bm.Linear(text, intercept=prior, slopes=prior, centre=False)
    return bm.fit(bm.NormalNormal(mu=mu, tau=TAU), arrays)


def test_units_of_a_covariate_change_nothing():
    fit, frame = on_latitude(), pd.read_csv(ROOT.parent / "examples" / "bcg" / "bcg.csv")
    minutes = bm.BinaryStudies.from_frame(frame.assign(latitude=60 * frame["latitude"]))
    mu = bm.Linear("latitude", intercept=WIDE, slopes=bm.Normal(0, 2 / 60))
    other = bm.fit(bm.NormalNormal(mu=mu, tau=TAU), bm.effect_sizes(minutes, measure="OR"))
    assert other.log_marginal_likelihood == pytest.approx(fit.log_marginal_likelihood, abs=1e-9)
    assert 60 * other["latitude"].sd() == pytest.approx(fit["latitude"].sd(), abs=1e-10)
    assert other.at(latitude=60 * 20).quantile(0.9) == pytest.approx(
        fit.at(latitude=20).quantile(0.9), abs=1e-9
    )


def test_order_of_studies_and_arms_change_nothing():
    fit = on_latitude()
    frame = pd.read_csv(ROOT.parent / "examples" / "bcg" / "bcg.csv")
    swapped = frame.rename(columns=lambda name: SWAPPED.get(name, name)).iloc[::-1]
    data = bm.effect_sizes(bm.BinaryStudies.from_frame(swapped), measure="OR")
    other = bm.fit(fit.model, data)
    assert other.log_marginal_likelihood == pytest.approx(fit.log_marginal_likelihood, abs=1e-9)
    assert other["latitude"].quantile(0.1) == pytest.approx(
        -fit["latitude"].quantile(0.9), abs=1e-9
    )
    assert other["tau"].quantile(0.9) == pytest.approx(fit["tau"].quantile(0.9), abs=1e-9)


SWAPPED = {
    f"{what}_{one}": f"{what}_{other}"
    for what in ("events", "n")
    for one, other in (("treatment", "control"), ("control", "treatment"))
}


@pytest.mark.parametrize(
    "slope", [bm.StudentT(4, 0, 0.05), bm.Mixture(0.5, bm.Normal(0, 0.01), bm.Normal(0, 0.1))]
)
def test_other_priors_of_slopes_equal_integration_by_brute_force(slope):
    data = bm.effect_sizes(BCG, measure="OR")
    model = bm.CommonEffect(mu=bm.Linear("latitude", intercept=WIDE, slopes=slope))
    fit = bm.fit(model, data)
    x = data.covariates["latitude"] - data.covariates["latitude"].mean()
    law = {
        bm.StudentT: lambda b: stats.t(4, 0, 0.05).logpdf(b),
        bm.Mixture: lambda b: (
            np.logaddexp(stats.norm(0, 0.01).logpdf(b), stats.norm(0, 0.1).logpdf(b)) + np.log(0.5)
        ),
    }[type(slope)]

    def inner(b):
        rest, weight = data.y - b * x, 1 / data.se**2
        precision = weight.sum() + 1 / 4
        mean = (weight @ rest) / precision
        log = stats.norm(0, data.se).logpdf(rest - mean).sum() + stats.norm(0, 2).logpdf(mean)
        return log + 0.5 * np.log(2 * np.pi / precision) + law(b)

    top = inner(fit["latitude"].mean())
    mass = [
        integrate.quad(lambda b, m=m: b**m * np.exp(inner(b) - top), -0.08, 0.02, epsabs=1e-14)[0]
        for m in (0, 1, 2)
    ]
    mean = mass[1] / mass[0]
    assert fit.log_marginal_likelihood == pytest.approx(np.log(mass[0]) + top, abs=1e-6)
    assert fit["latitude"].mean() == pytest.approx(mean, abs=1e-8)
    assert fit["latitude"].sd() == pytest.approx(np.sqrt(mass[2] / mass[0] - mean**2), rel=1e-6)


def test_a_study_without_its_covariate_is_left_out_and_named():
    frame = pd.read_csv(ROOT.parent / "examples" / "bcg" / "bcg.csv")
    frame["latitude"] = frame["latitude"].where(frame["study"] != "TPT Madras 1980")
    data = bm.effect_sizes(bm.BinaryStudies.from_frame(frame), measure="OR")
    fit = bm.fit(on_latitude().model, data)
    kept = bm.fit(fit.model, data.keep([one != "TPT Madras 1980" for one in data.study]))
    assert fit.data.k == 12
    assert "TPT Madras 1980" in repr(fit)
    assert "latitude not known" in repr(fit)
    assert fit["latitude"].mean() == kept["latitude"].mean()


def test_draws_are_of_the_posterior():
    fit = on_latitude()
    tree = fit.draws(4000, seed=1).posterior
    slope = tree["coefficient"].sel(term="latitude")
    assert float(slope.mean()) == pytest.approx(fit["latitude"].mean(), abs=0.02 * 0.0076)
    assert float(slope.std()) == pytest.approx(fit["latitude"].sd(), rel=0.03)
    shared = fit.shared_draws(4000, seed=2)
    assert shared["coefficient"].shape == (4000, 2)
    at_zero = shared["coefficient"] @ fit.model.location.row(fit.data, {"latitude": 0})
    assert at_zero.mean() == pytest.approx(fit.at(latitude=0).mean(), abs=0.01)
    assert tree["theta"].mean(("chain", "draw")).to_numpy() == pytest.approx(
        [one.mean() for one in fit["theta"].each], abs=0.02
    )


def test_words_of_a_fit_and_of_its_summary():
    fit = on_latitude()
    assert "latitude 0.9688 [0.955, 0.9851] (OR)" in repr(fit)
    table = bm.summary(fit, scale="natural")
    assert table.loc["coefficient[latitude]", "median"] == pytest.approx(0.96877, abs=1e-5)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: bm.Linear("latitude", intercept=1.0), "intercept must be a prior"),
        (lambda: bm.Linear("np.log(latitude)", intercept=WIDE), "A formula is made of"),
        (lambda: fitted("latitude", None), "The slope of 'latitude' has no prior"),
        (lambda: fitted("latitude", {"year": WIDE}), "slopes has a prior of 'year'"),
        (lambda: fitted("altitude", WIDE), "altitude"),
        (lambda: on_latitude().at(), "latitude"),
        (lambda: on_latitude().at(year=3), "year"),
        (lambda: on_latitude().contrast({"altitude": 1}), "There is no coefficient 'altitude'"),
        (lambda: on_latitude()["mu"], "has no 'mu'"),
        (lambda: bm.ByGroup("", WIDE), "name of a column"),
    ],
)
def test_refusals_name_what_is_wrong(make, said):
    with pytest.raises(bm.ModelError, match=said.replace("[", r"\[")):
        make()


def fitted(text, slopes):
    mu = bm.Linear(text, intercept=WIDE, slopes=slopes)
    return bm.fit(bm.NormalNormal(mu=mu, tau=TAU), bm.effect_sizes(BCG, measure="OR"))


@pytest.mark.deep("a compiled sampler for each of two models, 30 s")
@pytest.mark.parametrize("model", [bm.NormalNormal, bm.CommonEffect])
def test_sampling_agrees_with_integration(model):
    tau = {"tau": TAU} if model is bm.NormalNormal else {}
    slopes = bm.Normal(0, 0.5)
    chosen = model(mu=bm.Linear("latitude + C(allocation)", intercept=WIDE, slopes=slopes), **tau)
    data = bm.effect_sizes(BCG, measure="OR")
    exact, drawn = bm.fit(chosen, data), bm.fit(chosen, data, bm.NUTS(seed=3))
    assert drawn.diagnostics.passed
    table = drawn.convergence
    for name in chosen.location.entries(data):
        error = table[f"coefficient[{name}]"]["mcse_mean"]
        assert abs(drawn[name].mean() - exact[name].mean()) < 4 * error
    place = {"latitude": 20, "allocation": "random"}
    for new in (False, True):
        gap = drawn.at(**place, new=new).mean() - exact.at(**place, new=new).mean()
        assert abs(gap) < 4 * exact.at(**place, new=new).sd() / 20
