"""Where a prior was published, and for what."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from ..errors import ModelError
from ..ways import shown

if TYPE_CHECKING:
    from .prior import Prior

RATIOS = ("OR", "RR", "HR", "IRR", "ROM", "RGM", "RATIO")
MOST_REASON = 200  # characters of a reason that a table still holds
_WORDS = {"tau": "tau", "mu": "mu", "tau2": "tau²"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPrior:
    """A prior as it was published.

    Attributes
    ----------
    key : str
        Its name in the library.
    parameter : {"tau", "mu"}
        What `law` is a prior of.
    law : Prior
        Of `parameter`, on the analysis scale of `measure`.
    family : str
        Of what was published, in words.
    on : {"tau2", "tau", "mu"}
        What was published: the law of tau is that of tau² with its logarithm halved.
    numbers : tuple of str
        As they were published.
    measure : str
        Whose scale it was made for, e.g. ``"OR"``: of the logarithm, for a ratio.
    outcome, comparison, area : str
        What the meta-analyses behind it had; empty where all went in.
    citation, table : str
        The paper, and where in it.
    note : str
        What a reader should know, e.g. of a number that looks like a typing error.
    """

    key: str
    parameter: Literal["tau", "mu"]
    law: "Prior"
    family: str
    on: Literal["tau2", "tau", "mu"]
    numbers: tuple[str, ...]
    measure: str
    outcome: str
    comparison: str
    area: str
    citation: str
    table: str
    note: str

    @property
    def scale(self) -> str:
        """The scale it was made for, in words."""
        return f"log {self.measure}" if self.measure in RATIOS else self.measure

    @property
    def about(self) -> str:
        """What it was made for, in words."""
        found = "; ".join(filter(None, (self.outcome, self.comparison, self.area)))
        return found or "all meta-analyses of its source"

    @property
    def published(self) -> str:
        """What was published, in words."""
        return f"{self.family} on {_WORDS[self.on]}: {', '.join(self.numbers)}"


@final
@dataclass(frozen=True, slots=True)
class Source:
    """Where a prior in use comes from.

    Attributes
    ----------
    record : PublishedPrior
    override : str
        The reason why it serves another scale than its own, if it does; else empty.
    """

    record: PublishedPrior
    override: str = ""

    def __post_init__(self) -> None:
        text = self.override
        if not isinstance(text, str) or len(text) > MOST_REASON or not _in_words(text):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ModelError(
                f"from_library: override is a reason in words, at most {MOST_REASON} characters in "
                f"one line, got {shown(text)}."
            )

    @property
    def spelling(self) -> str:
        """How the prior is written."""
        reason = f", override={self.override!r}" if self.override else ""
        return f"from_library({self.record.key!r}{reason})"

    @property
    def said(self) -> str:
        """Citation, what it was made for, and why it is used on another scale, in one sentence."""
        record = self.record
        reason = f"; taken although made for {record.scale}: {self.override}" * bool(self.override)
        note = f" ({record.note})" if record.note else ""
        return f"{record.citation} {record.table}: {record.about}, on {record.scale}{note}{reason}"


def _in_words(text: str) -> bool:
    """Whether a reason is one line that says something, or none was given."""
    return not text or (text.isprintable() and not text.isspace())
