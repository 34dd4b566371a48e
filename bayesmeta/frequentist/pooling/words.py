"""What other programs call the settings of a pooled estimate."""

from collections.abc import Collection, Mapping

from ...arguments import as_text
from ...errors import ModelError
from ...ways import shown, way
from ..arrays.tau2 import ESTIMATORS, Tau2
from ..fit import INTERVALS, IntervalName
from .one import among

type Words = Mapping[str, str]

# Without marks and in small letters; on the right the word that is one's own.
_OTHERS: Mapping[str, Words] = {
    "tau2": {
        "restrictedmaximumlikelihood": "REML",
        "maximumlikelihood": "ML",
        "dersimonianlaird": "DL",
        "paulemandel": "PM",
        "mandelpaule": "PM",
        "mp": "PM",
        "hunterschmidt": "HS",
        "hedges": "HE",
        "hedgesolkin": "HE",
        "ca": "HE",
        "sidikjonkman": "SJ",
        "empiricalbayes": "EB",
    },
    "interval": {
        "knha": "HKSJ",
        "knapphartung": "HKSJ",
        "hartungknapp": "HKSJ",
        "hk": "HKSJ",
        "kh": "HKSJ",
        "hartungknappsidikjonkman": "HKSJ",
        "adhoc": "HKSJ truncated",
        "modifiedknapphartung": "HKSJ truncated",
        "mkh": "HKSJ truncated",
        "z": "Wald",
        "normal": "Wald",
        "classic": "Wald",
        "kenwardroger": "KR",
    },
    "weights": {
        "inversevariance": "IV",
        "inverse": "IV",
        "mantelhaenszel": "MH",
    },
}
_COMMON = ("fe", "ee", "ce", "fixed", "common", "fixedeffect", "commoneffect", "equaleffects")


def named(setting: str, value: object, choices: Collection[str]) -> str:
    """One's own word for what was asked; another program's, or another case, is taken for it.

    Raises
    ------
    ModelError
        If it is no word for any of `choices`, with what it may be.
    """
    if isinstance(value, str) and value in choices:
        return value
    word = _plain(value)
    own = {_plain(one): one for one in choices if one}
    meant = own.get(word) or _OTHERS.get(setting, {}).get(word)
    if meant in choices:
        return str(meant)
    _explain(setting, value, word)
    among(setting, value, choices)
    raise AssertionError(setting)


def estimator_named(value: object) -> Tau2:
    """The estimator of tau² that was asked for."""
    return named("tau2", value, ESTIMATORS)  # pyright: ignore[reportReturnType]


def interval_named(value: object) -> IntervalName:
    """The interval that was asked for."""
    return named("interval", value, INTERVALS)  # pyright: ignore[reportReturnType]


def renamed(asked: Mapping[str, object], taken: Mapping[str, str]) -> tuple[str, ...]:
    """Say which settings were asked for in another program's words."""
    return tuple(
        f"{setting}={shown(value)} is called {shown(taken[setting])} here."
        for setting, value in asked.items()
        if _plain(value) != _plain(taken[setting])
    )


def _explain(setting: str, value: object, word: str) -> None:
    """Refuse words that mean something which is asked for otherwise."""
    if setting == "tau2" and word in _COMMON:
        raise ModelError(
            f"tau2={shown(value)} asks for a common effect, which has no tau²: use "
            f"{way('common')}, or "
            "tau2=None where that is a choice."
        )
    if setting == "interval" and word == "t":
        raise ModelError(
            "interval='t' would be Wald's standard error with Student's t, which is not offered: "
            "take 'HKSJ', a t with a standard error of its own, or 'Wald'."
        )
    for other, words in _OTHERS.items():
        meant = words.get(word) or next((w for w in words.values() if _plain(w) == word), None)
        if other != setting and meant is not None:
            raise ModelError(f"{setting}={shown(value)} is asked for by {other}={shown(meant)}.")


def _plain(value: object) -> str:
    return "".join(filter(str.isalnum, as_text(value))).casefold()
