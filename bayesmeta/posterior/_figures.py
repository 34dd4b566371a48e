"""Figures of checks, printed so that they read as they are judged."""


def beside(value: float, *limits: float, digits: int = 4) -> str:
    """Write a value with as many digits as keep it on its side of every limit.

    Examples
    --------
    >>> from bayesmeta.posterior import beside
    >>> beside(1.0102, 1.01), beside(1.0002, 1.01)
    ('1.0102', '1')
    """
    for places in range(digits, 18):
        text = f"{value:.{places}g}"
        if all(_side(float(text), limit) == _side(value, limit) for limit in limits):
            return text
    return repr(value)


def _side(value: float, limit: float) -> int:
    return int(value > limit) - int(value < limit)
