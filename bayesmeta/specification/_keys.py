"""The specification as a door: what it says names its keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from ..ways import shown
from ..wording import Likelihood, Words

_KINDS = {"counts": "counts", "continuous": "continuous outcomes"}
_UNITS = "whose size depends on the units"
_OF_ONE_ARM = {
    "PLO": "whose mu is the logit of a proportion",
    "IRLN": "whose mu is the log of a rate, in the table's unit of time",
}
_EXAMPLES = {
    "RD": ("0.5", "0.1"),
    "SMD": ("1", "0.3"),
    "PLO": ("2", "1"),
    "IRLN": ("2", "1"),
}


@final
@dataclass(frozen=True, slots=True)
class Keys:
    """What an outcome says to words that do not go together.

    Attributes
    ----------
    kind : str
        What its table holds.
    """

    kind: str

    def no_likelihood(self, known: Sequence[Likelihood], asked: Words) -> Exception:
        """Say that the table has other likelihoods; the specification's own list says it before."""
        return ValueError(f"likelihood is {_either([one.name for one in known])}.")

    def no_measure(self, among: Sequence[Likelihood], asked: Words) -> Exception:
        """Say that these likelihoods have other measures."""
        measures = dict.fromkeys(measure for one in among for measure in one.measures)
        named = self.kind == "counts" and asked.likelihood
        said = f" with likelihood = {asked.likelihood!r}" if named else ""
        return ValueError(
            f"{_KINDS[self.kind]} have measure {_either(list(measures))}{said}, not "
            f"{shown(asked.measure)}; a table of estimates needs kind = 'estimates'."
        )

    def no_coding(self) -> Exception:
        """Say what a coding is for."""
        return ValueError("coding is for the OR of the binomial likelihood.")

    def no_prior(self, asked: Words) -> Exception:
        """Say that the measure has no default priors, and what one might look like."""
        mu, tau = _EXAMPLES.get(asked.measure, ("20", "5"))
        about = _OF_ONE_ARM.get(asked.measure, _UNITS)
        return ValueError(
            f"no default prior exists for {asked.measure}, {about}: "
            f"give mu and tau, e.g. mu = 'Normal(0, {mu})' and tau = 'HalfNormal({tau})'."
        )


def _either(names: Sequence[str]) -> str:
    *most, last = map(repr, names)
    return f"{', '.join(most)} or {last}" if most else last
