"""Tables of studies under random names, marks and orders, with the arrays that they mean.

The writer knows nothing of the reader: it draws figures, writes each under the names of a program
or of ours, and keeps what it drew.
"""

import random
from collections.abc import Mapping, Sequence

import numpy as np

A, C = "_treatment", "_control"
COUNTS = ("events", "n")
# Our names of what is written, and the names that stand for them.
SETS: Mapping[str, Mapping[str, str]] = {
    "ours": {
        f"{x}{arm}": f"{x}{arm}" for x in ("events", "n", "mean", "sd", "time") for arm in (A, C)
    },
    "metafor counts": {f"events{A}": "ai", f"n{A}": "n1i", f"events{C}": "ci", f"n{C}": "n2i"},
    "metafor means": {
        f"mean{A}": "m1i", f"sd{A}": "sd1i", f"n{A}": "n1i",
        f"mean{C}": "m2i", f"sd{C}": "sd2i", f"n{C}": "n2i",
    },
    "metafor time": {
        f"events{A}": "x1i", f"time{A}": "t1i", f"events{C}": "x2i", f"time{C}": "t2i",
    },
    "meta counts": {
        f"events{A}": "event.e", f"n{A}": "n.e", f"events{C}": "event.c", f"n{C}": "n.c",
    },
    "meta means": {
        f"mean{A}": "mean.e", f"sd{A}": "sd.e", f"n{A}": "n.e",
        f"mean{C}": "mean.c", f"sd{C}": "sd.c", f"n{C}": "n.c",
    },
    "RevMan": {
        f"events{A}": "Experimental cases", f"n{A}": "Experimental N",
        f"events{C}": "Control cases", f"n{C}": "Control N",
    },
}  # fmt: skip
KINDS = {
    "counts": ("ours", "metafor counts", "meta counts", "RevMan"),
    "means": ("ours", "metafor means", "meta means"),
    "time": ("ours", "metafor time"),
    "y": (("y", "se"), ("yi", "sei"), ("TE", "seTE"), ("Y", "S E")),
    "variance": (("yi", "vi"),),
    "ratio": (("HR", "LCI", "UCI"), ("hr", "lower", "upper"), ("estimate", "lower", "upper")),
}
STUDIES = ("study", "Study", "Trial", "studlab", "Study ID")


class Table:
    """A table as it is written, and what it means.

    Attributes
    ----------
    kind, text : str
    study : list of str
    spoiled : str
        The study of which one figure is none.
    means : mapping of str to ndarray
        By our names, on the analysis scale for estimates.
    """

    def __init__(self, case: int, *, spoil: bool = False) -> None:
        draw = random.Random(f"table {case}")
        self.kind = draw.choice(list(KINDS))
        k = draw.randint(2, 6)
        self.study = [f"{draw.choice(['Ander', 'Björk', 'NA', 'None'])} {i}" for i in range(k)]
        self.means, cells = _drawn(draw, self.kind, k)
        self.spoiled = draw.choice(self.study) if spoil else ""
        if spoil:
            name, at = draw.choice(list(cells)), self.study.index(self.spoiled)
            cells = {**cells, name: [*cells[name][:at], "x7", *cells[name][at + 1 :]]}
        columns = {draw.choice(STUDIES): self.study, **cells}
        if draw.random() < 0.5:
            columns["Region"] = [draw.choice(["north", "south", "NA", ""]) for _ in range(k)]
        if draw.random() < 0.3 and "ci" not in columns:
            columns["ci"] = [f"{draw.random():.2f}" for _ in range(k)]
        order = list(columns)
        draw.shuffle(order)
        comma = draw.random() < 0.3
        between = draw.choice(";\t") if comma else draw.choice(",;\t|")
        rows = [order, *zip(*(columns[name] for name in order), strict=True)]
        lines = [between.join(_cell(cell, comma=comma and i > 0) for cell in row)
                 for i, row in enumerate(rows)]  # fmt: skip
        self.text = "\n".join(lines) + "\n"


def _cell(cell: str, *, comma: bool) -> str:
    is_number = cell.lstrip("-").replace(".", "", 1).isdigit()
    return cell.replace(".", ",") if comma and is_number else cell


def _drawn(
    draw: random.Random, kind: str, k: int
) -> tuple[dict[str, np.ndarray], dict[str, Sequence[str]]]:
    if kind in ("counts", "means", "time"):
        figures = {name: make(draw, k) for name, make in _ARMS[kind].items()}
        names = SETS[draw.choice(KINDS[kind])]
        cells = {names[name]: column for name, column in figures.items()}
        return {name: np.array(column, dtype=float) for name, column in figures.items()}, cells
    names = draw.choice(KINDS[kind])
    if kind == "ratio":
        middle = [draw.uniform(-1, 1) for _ in range(k)]
        width = [draw.uniform(0.1, 0.6) for _ in range(k)]
        three = [[f"{np.exp(m + s * w):.4f}" for m, w in zip(middle, width, strict=True)]
                 for s in (0, -1, 1)]  # fmt: skip
        estimate, lower, upper = (np.log(np.array(one, dtype=float)) for one in three)
        means = {"y": estimate, "se": (upper - lower) / (2 * 1.959963984540054)}
        return means, dict(zip(names, three, strict=True))
    y = [f"{draw.uniform(-2, 2):.2f}" for _ in range(k)]
    spread = [f"{draw.uniform(0.05, 0.9):.4f}" for _ in range(k)]
    se = np.array(spread, dtype=float)
    se = np.sqrt(se) if kind == "variance" else se
    return {"y": np.array(y, dtype=float), "se": se}, dict(zip(names, (y, spread), strict=True))


def _whole(low: int, high: int):
    return lambda draw, k: [str(draw.randint(low, high)) for _ in range(k)]


def _decimal(low: float, high: float):
    return lambda draw, k: [f"{draw.uniform(low, high):.1f}" for _ in range(k)]


_ARMS = {
    "counts": {f"events{A}": _whole(0, 20), f"n{A}": _whole(21, 900),
               f"events{C}": _whole(0, 20), f"n{C}": _whole(21, 900)},
    "means": {f"mean{A}": _decimal(-9, 9), f"sd{A}": _decimal(0.5, 4), f"n{A}": _whole(2, 90),
              f"mean{C}": _decimal(-9, 9), f"sd{C}": _decimal(0.5, 4), f"n{C}": _whole(2, 90)},
    "time": {f"events{A}": _whole(0, 20), f"time{A}": _decimal(5, 500),
             f"events{C}": _whole(0, 20), f"time{C}": _decimal(5, 500)},
}  # fmt: skip
