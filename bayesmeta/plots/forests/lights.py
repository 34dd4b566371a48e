"""Lights of risk of bias beside a forest: a colour and a sign for each judgement."""

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...reading import Level, RiskOfBias
from .._style import GREEN, INK, VERMILLION, Page
from .._text import clean, write

YELLOW, WINE, GREY = "#f0e442", "#882255", "#cccccc"  # Okabe & Ito; Tol
SIGNS: Mapping[Level, tuple[str, str]] = {  # as robvis has them
    Level.LOW: ("+", GREEN),
    Level.SOME_CONCERNS: ("−", YELLOW),
    Level.MODERATE: ("−", YELLOW),
    Level.HIGH: ("×", VERMILLION),
    Level.SERIOUS: ("×", VERMILLION),
    Level.CRITICAL: ("!", WINE),
    Level.NO_INFORMATION: ("?", GREY),
}
_MARKERS = {"+": "+", "−": "_", "×": "x"}  # drawn, so that they stand in the middle
_STEP, _APART = 1.5, 0.3  # per point of letters: from light to light; before the overall one
_OVERALL = "O"


def heads_of(bias: RiskOfBias, *, whole: bool) -> tuple[str, ...]:
    """What stands above the lights: all of them, or the overall one alone."""
    domains = [f"D{i}" for i in range(1, len(bias.tool.domains) + 1)]
    return (*domains, _OVERALL) if whole else (_OVERALL,)


def lights_of(bias: RiskOfBias | None, study: str, *, whole: bool) -> tuple[Level, ...]:
    """The judgements of a study that are drawn; none where it is not judged."""
    found = () if bias is None else next(iter(bias.of([study]).levels.values()), ())
    return found if whole else found[-1:]


def width_of_lights(heads: Sequence[str], page: Page) -> float:
    """Their width, in inches."""
    apart = _APART if len(heads) > 1 else 0.0
    return (_STEP * len(heads) + apart) * page.text / 72


def legend_of(bias: RiskOfBias, *, whole: bool) -> tuple[str, ...]:
    """Lines for the foot: what the letters above and the signs inside the lights mean."""
    domains = [f"D{i} {name}" for i, name in enumerate(bias.tool.domains, start=1)]
    used = {one for row in bias.levels.values() for one in (row if whole else row[-1:])}
    signs = ", ".join(f"{SIGNS[one][0]} {one}" for one in bias.tool.levels if one in used)
    heads = (
        f"{', '.join(domains)}, {_OVERALL} overall"
        if whole
        else f"{_OVERALL} overall; a wider figure shows each domain"
    )
    return (f"Risk of bias ({bias.tool.name}): {heads}.", f"Lights: {signs}.")


def draw_heads(
    figure: Figure, right: float, middle: float, heads: Sequence[str], page: Page
) -> None:
    """Write what stands above the lights."""
    for at, head in zip(_places(right, len(heads), page), heads, strict=True):
        write(figure, at, middle, head, align="center", size=0.9 * page.small)


def draw_lights(
    figure: Figure, right: float, middle: float, study: str, levels: Sequence[Level], page: Page
) -> None:
    """Draw the lights of one study, which end at `right` (inches)."""
    wide, high = figure.get_size_inches()
    for number, (at, level) in enumerate(
        zip(_places(right, len(levels), page), levels, strict=True)
    ):
        sign, color = SIGNS[level]
        place = ([at / wide], [1 - middle / high])
        of = "overall" if number == len(levels) - 1 else f"D{number + 1}"
        figure.add_artist(
            Line2D(
                *place,
                marker="o",
                markersize=1.12 * page.text,
                markerfacecolor=color,
                markeredgecolor=INK,
                markeredgewidth=0.4,
                label=f"risk of bias: {clean(study)}, {of}: {level}",
            )
        )
        ink = "white" if level is Level.CRITICAL else INK
        if sign in _MARKERS:
            how = {"markersize": 0.52 * page.text, "markeredgewidth": 1.1, "color": ink}
            figure.add_artist(Line2D(*place, marker=_MARKERS[sign], **how))
        else:
            how = {"size": 0.85 * page.text, "weight": "bold", "color": ink}
            write(figure, at, middle, sign, align="center", **how)


def _places(right: float, count: int, page: Page) -> Iterator[float]:
    """Where the middle of each light is, the overall one apart."""
    step, apart = _STEP * page.text / 72, _APART * page.text / 72
    last = right - step / 2
    for i in range(count - 1):
        yield last - apart - step * (count - 1 - i)
    yield last
