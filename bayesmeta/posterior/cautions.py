"""Sentences that a reader should know, of which those of several answers may be one."""

from typing import Self, final


@final
class Caution(str):
    """A sentence beside an answer.

    Attributes
    ----------
    general : str
        The same without the figures of this answer: cautions whose `general` is the same are said
        once, with all the answers they concern.
    """

    __slots__ = ("general",)
    general: str

    def __new__(cls, text: str, general: str = "") -> Self:
        """Make one; without `general` it is shared as it stands."""
        found = super().__new__(cls, text)
        found.general = general or text
        return found


def general_of(caution: str) -> str:
    """Return the sentence that several answers may share."""
    return caution.general if isinstance(caution, Caution) else caution
