"""What was done, as the methods section of a paper would say it."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from . import OutcomeResult, Results
from .display import likelihoods_in_words
from .keys import FitKey

REFERENCES: Mapping[str, str] = {
    "smith": "Smith TC, Spiegelhalter DJ, Thomas A (1995). Stat Med 14:2685–2699.",
    "higgins": "Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). J R Stat Soc A 172:137–159.",
    "roever": "Röver C, Friede T (2017). J Comput Graph Stat 26:217–222.",
    "nuts": "Hoffman MD, Gelman A (2014). J Mach Learn Res 15:1593–1623.",
    "pymc": "Abril-Pla O et al. (2023). PeerJ Comput Sci 9:e1516.",
    "rhat": "Vehtari A, Gelman A, Simpson D, Carpenter B, Bürkner PC (2021). Bayesian Anal "
    "16:667–718.",
    "reml": "Viechtbauer W (2005). J Educ Behav Stat 30:261–293.",
    "hksj": "Hartung J, Knapp G (2001). Stat Med 20:3875–3889.",
    "mh": "Mantel N, Haenszel W (1959). J Natl Cancer Inst 22:719–748.",
    "loo": "Vehtari A, Gelman A, Gabry J (2017). Stat Comput 27:1413–1432.",
    "prisma": "Page MJ et al. (2021), PRISMA 2020. BMJ 372:n71.",
    "barg": "Kruschke JK (2021), Bayesian Analysis Reporting Guidelines. Nat Hum Behav "
    "5:1282–1291.",
}


class Methods(NamedTuple):
    """A paragraph to paste.

    Attributes
    ----------
    text : str
        With references by number.
    references : tuple of str
        In the order of their numbers.
    """

    text: str
    references: tuple[str, ...]


class _Sentence(NamedTuple):
    """What is said where it holds, with the references it needs."""

    holds: Callable[[Results], bool]
    words: str
    cited: tuple[str, ...] = ()


def methods(run: Results) -> Methods:
    """Say what was done in a run, from what it holds.

    Parameters
    ----------
    run : Results
    """
    numbers: dict[str, int] = {}
    said = []
    for words, cited in _sentences(run):
        for key in cited:
            numbers.setdefault(key, len(numbers) + 1)
        at = ", ".join(str(numbers[key]) for key in cited)
        said.append(f"{words} [{at}]." if at else f"{words}.")
    return Methods(" ".join(said), tuple(REFERENCES[key] for key in numbers))


def _sentences(run: Results) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each sentence with the references it needs."""
    version = run.versions.get("bayesmeta", "")
    yield f"Bayesian meta-analyses were made with bayesmeta {version}".rstrip(), ()
    if counts := likelihoods_in_words(run):
        yield f"Data were modelled from the arms up: {counts}", ("smith",)
    for one in _DONE:
        if one.holds(run):
            yield one.words, one.cited
    yield from ((words, ()) for words in _of_outcomes(run))
    prob = f"{100 * run.prob:g}%"
    yield f"Estimates are posterior medians with central {prob} credible intervals", ()
    if failed := [one.title for one in run.outcomes if one.failures]:
        yield f"Numerical gates failed for {', '.join(failed)}", ()
    if run.unconverged:
        yield f"The sampled posteriors of {', '.join(run.unconverged)} did not converge", ()
    guidelines = (
        "The report was held against PRISMA 2020 and the Bayesian Analysis Reporting Guidelines, "
        "item by item"
    )
    yield guidelines, ("prisma", "barg")


def _any_fit(*, exact: bool) -> Callable[[Results], bool]:
    return lambda run: any(fit.exact is exact for one in run.outcomes for fit in one.fits.values())


def _pooled(key: FitKey) -> Callable[[Results], bool]:
    return lambda run: any(one.main is not None and key in one.main.pooled for one in run.outcomes)


def _random(outcome: OutcomeResult) -> bool:
    return outcome.main is not None and outcome.main.answer.model.between.new is not None


_DONE = (
    _Sentence(
        lambda run: any(
            one.main is not None and one.main.answer.model.likelihood.family == "estimates"
            for one in run.outcomes
        ),
        "Estimates with standard errors were taken to be normal about the studies' effects",
    ),
    _Sentence(
        lambda run: any(
            one.posterior is not None for each in run.outcomes for one in each.published
        ),
        "Published figures were each analysed alone, their estimate and interval as one datum",
    ),
    _Sentence(
        lambda run: any(map(_random, run.outcomes)),
        "Study effects were random, and intervals of the effect in a new setting are told",
        ("higgins",),
    ),
    _Sentence(
        _any_fit(exact=True),
        "Posteriors were integrated numerically, their error held to a limit",
        ("roever",),
    ),
    _Sentence(
        _any_fit(exact=False),
        "Models written in PyMC were sampled by the no-U-turn sampler; R-hat, effective sample "
        "sizes, divergences and energy were checked against limits",
        ("nuts", "pymc", "rhat"),
    ),
    _Sentence(
        lambda run: any(
            place.key is FitKey.SECOND_SOURCE for one in run.outcomes for place in one.fits
        ),
        "Integrated and sampled posteriors were compared",
    ),
    _Sentence(
        _pooled(FitKey.REML),
        "Beside them stand two-stage estimates by restricted maximum likelihood with Wald and "
        "Hartung–Knapp intervals",
        ("reml", "hksj"),
    ),
    _Sentence(
        _pooled(FitKey.MANTEL_HAENSZEL),
        "Mantel–Haenszel estimates are given where arms report counts",
        ("mh",),
    ),
    _Sentence(
        lambda run: run.by_covariates,
        "Beside coefficients stand those of weighted least squares, with tau² by restricted "
        "maximum likelihood",
        ("reml",),
    ),
    _Sentence(
        lambda run: any(one.checks.loo is not None for one in run.outcomes),
        "Each study was predicted from the others",
        ("loo",),
    ),
)


def _of_outcomes(run: Results) -> Iterator[str]:
    """Priors, what has one effect for all, and what was done about what was not published."""
    answered = [one for one in run.outcomes if one.main is not None]
    priors: dict[str, list[str]] = {}
    for outcome in answered:
        model = next(iter(outcome.asked.values()))
        text = ", ".join(f"{name} ~ {prior!r}" for name, prior in model.priors.items())
        priors.setdefault(text, []).append(outcome.title)
    for outcome in answered:
        model = outcome.main.answer.model if outcome.main is not None else None
        if model is not None and (df := getattr(model.between, "df", None)) is not None:
            yield f"Study effects of {outcome.title} followed a t distribution (df {df!r})"
        if model is not None and model.location.variables:
            by = ", ".join(model.location.variables)
            yield f"Effects of {outcome.title} depended on {by}"
    for text, titles in priors.items():
        of = f" for {', '.join(titles)}" if len(priors) > 1 else ""
        yield f"Priors of the answers{of} were {text}"
    tested = [one for one in answered if "small-study" in one.tables]
    said = {
        "One effect was taken for all studies of": [one for one in answered if not _random(one)],
        "Small-study effects were tested for": tested,
        "Reporting bias was neither tested nor modelled for": [
            one for one in answered if all(one is not each for each in tested)
        ],
    }
    for words, outcomes in said.items():
        if outcomes:
            yield f"{words} {', '.join(one.title for one in outcomes)}"
