"""Specifications from files and texts."""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pydantic import ValidationError

from ..errors import SpecError
from ..sheets import read_bytes
from ._problems import sentence
from ._sizes import RANGE, refuse_sizes
from ._whole import Specification

LARGEST = 2**22  # bytes of a specification
# A key of many parts, for each of which tomllib copies all before it: minutes and gigabytes.
_DEEP = re.compile(r"""(?<![\w."'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""")


@final
@dataclass(frozen=True, slots=True)
class Source:
    """A specification and the text it came from.

    Attributes
    ----------
    path : Path
    text : str
    specification : Specification
    sha256 : str
        Of the file.
    """

    path: Path
    text: str
    specification: Specification
    sha256: str


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
        content = read_bytes(path, most=LARGEST)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not a text file in UTF-8; save it as UTF-8.") from None
    found = parse_specification(text, name=str(path))
    return Source(path, text, found, hashlib.sha256(content).hexdigest())


def source_of(text: str, path: Path) -> Source:
    """Validate the text of a specification that would stand in a file of this name."""
    found = parse_specification(text, name=path.name)
    return Source(path, text, found, hashlib.sha256(text.encode()).hexdigest())


def parse_specification(text: str, *, name: str = "specification") -> Specification:
    """Validate the text of a specification; `name` stands for the file in messages."""
    too_deep = f"{name} is not valid TOML: it nests too deeply."
    if _DEEP.search(text):
        raise SpecError(too_deep)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{name} is not valid TOML: {error}.") from None
    except RecursionError:
        raise SpecError(too_deep) from None
    except ValueError:
        said = f"it has a whole number of thousands of digits, and {RANGE}"
        raise SpecError(f"{name} is not valid TOML: {said}.") from None
    refuse_sizes(content, text, name)
    try:
        return Specification.model_validate(content)
    except ValidationError as error:
        raise SpecError(sentence(error, text, name)) from None
