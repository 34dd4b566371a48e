"""Figures inside the page: what many of them draw, letters above all, stands in it once."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from markupsafe import Markup

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_POINTS = ("d", "x", "y")
_LONG = re.compile(r"(\.\d\d)\d+")
_AFTER_LETTER = re.compile(r"(?<=[A-Za-z]) | (?=[A-Za-z])")

Xml.register_namespace("", SVG.strip("{}"))


class Drawings(NamedTuple):
    """The figures of a page.

    Attributes
    ----------
    shared : Markup
        What they refer to, to stand before them.
    each : mapping
        By outcome and name, the drawing.
    """

    shared: Markup
    each: Mapping[str, Mapping[str, Markup]]


def drawings(figures: Mapping[str, Mapping[str, str]]) -> Drawings:
    """Turn SVG files into drawings that share their letters, marks and clips.

    Places are rounded to a hundredth of a point; comments, which name what is drawn, are dropped.

    Parameters
    ----------
    figures : mapping
        SVG text by outcome and name, as Matplotlib writes it.
    """
    shared: dict[str, str] = {}  # text by identifier
    each = {
        outcome: {name: _drawn(svg, shared) for name, svg in drawn.items()}
        for outcome, drawn in figures.items()
    }
    texts = "".join(shared.values())
    return Drawings(
        Markup(f'<svg class="shared" aria-hidden="true"><defs>{texts}</defs></svg>'),
        each,
    )


def _drawn(svg: str, shared: dict[str, str]) -> Markup:
    root = Xml.fromstring(svg)
    names = dict(_moved(root, shared))
    for one in root.iter():
        one.text = one.tail = None
        one.attrib.pop("id", None)
        if LINK in one.attrib:
            one.set("href", f"#{names[one.attrib.pop(LINK).removeprefix('#')]}")
        if "clip-path" in one.attrib:
            one.set("clip-path", f"url(#{names[one.attrib['clip-path'][5:-1]]})")
        _shorten(one)
    root.attrib = {name: root.attrib[name] for name in ("width", "height", "viewBox")}
    root.set("aria-hidden", "true")
    return Markup(_text(root))


def _moved(root: Xml.Element, shared: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Take the definitions out of a drawing; their names in it, and on the page."""
    for parent in [*root.iter()]:
        for defined in parent.findall(f"{SVG}defs"):
            parent.remove(defined)
            for one in defined:
                if (name := one.attrib.pop("id", "")) != "":
                    yield name, _name(name, one, shared)


def _name(name: str, one: Xml.Element, shared: dict[str, str]) -> str:
    """Under what name a definition is shared: another one where that holds something else."""
    for part in one.iter():
        part.text = part.tail = None
        _shorten(part)
    number = 1
    while True:
        unique = name if number == 1 else f"{name}-{number}"
        one.attrib.pop("id", None)
        one.set("id", unique)
        text = _text(one)
        if shared.setdefault(unique, text) == text:
            return unique
        number += 1


def _text(one: Xml.Element) -> str:
    """An element as HTML has it, which knows the names of SVG by themselves."""
    return Xml.tostring(one, encoding="unicode").replace(f' xmlns="{SVG.strip("{}")}"', "")


def _shorten(one: Xml.Element) -> None:
    for name in _POINTS:
        if name in one.attrib:
            points = " ".join(_LONG.sub(r"\1", one.attrib[name]).split())
            one.set(name, _AFTER_LETTER.sub("", points) if name == "d" else points)
