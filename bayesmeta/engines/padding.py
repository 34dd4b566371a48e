"""Tables filled up with studies that say nothing, so that tables of many sizes share a program."""

SMALLEST = 4  # tables are padded to 4, 8, 16, ... studies, so that most share one program


def padded_k(k: int) -> int:
    """Number of studies that a table is filled up to."""
    return max(SMALLEST, 1 << (k - 1).bit_length())
