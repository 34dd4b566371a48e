"""Specifications from files and texts."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pydantic import ValidationError

from ..errors import FileError, SpecError
from ._problems import sentence
from ._whole import Specification


@final
@dataclass(frozen=True, slots=True)
class Source:
    """A specification and the text it came from.

    Attributes
    ----------
    path : Path
    text : str
    specification : Specification
    """

    path: Path
    text: str
    specification: Specification


def load_specification(path: Path | str) -> Source:
    """Read a specification file.

    Parameters
    ----------
    path : Path or str
        TOML file. Paths in it are relative to its folder.

    Returns
    -------
    Source

    Raises
    ------
    FileError
        If the file cannot be read.
    SpecError
        If it is not a valid specification; the message gives the line.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not a text file in UTF-8; save it as UTF-8.") from None
    return Source(path, text, parse_specification(text, name=str(path)))


def parse_specification(text: str, *, name: str = "specification") -> Specification:
    """Validate the text of a specification; `name` stands for the file in messages."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: a whole number of 5,000 digits
        raise SpecError(f"{name} is not valid TOML: {error}.") from None
    try:
        return Specification.model_validate(content)
    except ValidationError as error:
        raise SpecError(sentence(error, text, name)) from None
