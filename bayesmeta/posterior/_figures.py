"""Figures of checks, printed so that they read as they are judged."""


def beside(value: float, *limits: float, digits: int = 4) -> str:
    """Write a value with as many digits as keep it on its side of every limit.

    Examples
    --------
    >>> from bayesmeta.posterior import beside
    >>> beside(1.0102, 1.01), beside(1.0002, 1.01)
    ('1.0102', '1')
    """
    texts = (f"{value:.{places}g}" for places in range(digits, 18))
    return next(
        text  # seventeen digits are the value itself
        for text in texts
        if all(_side(float(text), limit) == _side(value, limit) for limit in limits)
    )


def _side(value: float, limit: float) -> int:
    return int(value > limit) - int(value < limit)
