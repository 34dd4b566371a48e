"""The report as one HTML page, of what it shows and its drawings."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from ._drawings import drawings
from ._figures import NARROW
from ._view import View

if TYPE_CHECKING:
    import jinja2


def render(view: View, figures: Mapping[str, Mapping[str, str]]) -> str:
    """Return the report as one HTML page that needs nothing else.

    Parameters
    ----------
    view : mapping
        Of ``view_of``, as it is or read back from JSON.
    figures : mapping
        SVG text by outcome and figure.
    """
    drawn = drawings(figures)
    outcomes = [_outcome(one, drawn.each[one["result"]["name"]]) for one in view["outcomes"]]
    page = _environment().get_template("report.html.j2")
    return page.render({**view, "outcomes": outcomes, "shared": drawn.shared})


@lru_cache(maxsize=1)
def _environment() -> "jinja2.Environment":
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("bayesmeta.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _outcome(outcome: View, drawn: Mapping[str, Markup]) -> View:
    """An outcome with its drawings, those for phones apart."""
    narrow = {name: one for name, one in drawn.items() if name.endswith(NARROW)}
    return {
        **outcome,
        "figures": {name: one for name, one in drawn.items() if name not in narrow},
        "narrow": {name.removesuffix(NARROW): one for name, one in narrow.items()},
    }
