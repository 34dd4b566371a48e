"""Count what the house is held to: `uv run benchmarks/house.py [folder of a checkout]`.

Where models and tables are told apart: isinstance, issubclass, ``type(...)``, ``is``, match cases,
getattr with a default and class names as strings, on the classes of models, of their parts and of
tables, outside model/, studies/ and what belongs to tables (effects/, multivariate/) or to
``engines/capability.py``. Registering a function for a class is not counted: its base raises.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOMES = ("model/", "studies/", "engines/capability.py")
FAR = ("effects/__init__.py", "effects/_sizes.py", "multivariate/__init__.py")  # tables' own files
NO_TABLES = ("Published", "Excluded", "Account", "Origin")  # beside the tables of studies/
LINES = 400
SUBJECTS = {"model", "data", "studies", "table"}


def parsed(folder: Path) -> dict[str, ast.Module]:
    return {
        path.relative_to(folder).as_posix(): ast.parse(path.read_text())
        for path in sorted(folder.rglob("*.py"))
    }


def kinds(trees: dict[str, ast.Module]) -> set[str]:
    """Names of the classes of models and of tables, and of the unions that stand for them."""
    found = {"EffectSizes", "MultivariateEffects"}
    for file, tree in trees.items():
        if not file.startswith(("model/", "studies/")):
            continue
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name not in NO_TABLES:
                found.add(node.name)
            if isinstance(node, ast.TypeAlias):
                found.add(node.name.id)
    return found - {"Rows", "Array", "Key", "Data"}


def names_in(node: ast.AST) -> set[str]:
    plain = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return plain | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def documented(tree: ast.Module) -> set[int]:
    """Identities of the nodes that hold docstrings."""
    bodies = [
        node.body
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    return {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}


def names_of(node: ast.AST) -> str:
    """The name that a node is, if it is one."""
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def told_by_call(node: ast.AST, known: set[str]) -> str:
    """How a call tells classes apart, or nothing."""
    name = called(node)
    if name in ("isinstance", "issubclass") and names_in(node.args[1]) & known:
        return "isinstance"
    if name == "type" and names_in(node.args[0]) & SUBJECTS:
        return "type()"
    default = name == "getattr" and len(node.args) == 3 and names_in(node.args[0]) & SUBJECTS
    return "getattr with a default" if default else ""


def told_by_name(node: ast.AST, known: set[str]) -> str:
    """How a comparison, a pattern or a string tells classes apart, or nothing."""
    if isinstance(node, ast.Compare) and any(names_of(one) in known for one in node.comparators):
        return "is"
    if isinstance(node, ast.match_case) and names_in(node.pattern) & known:
        return "match"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "class name" if re.sub("RR$|OR$|RD$", "", node.value) in known else ""
    return ""


def sites(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """How each place tells models or tables apart, where it does."""
    said = documented(tree)
    for node in ast.walk(tree):
        if id(node) not in said and (how := told_by_call(node, known) or told_by_name(node, known)):
            yield how


def dispatch(trees: dict[str, ast.Module]) -> Counter[str]:
    found: Counter[str] = Counter()
    known = kinds(trees)
    for file, tree in trees.items():
        if file.startswith(HOMES) or file in FAR or file == "__init__.py":
            continue
        found.update(sites(tree, known))
    return found


def naming(folder: Path, name: str) -> int:
    """Files that name a class, in code or in words."""
    word = re.compile(rf"\b{name}\b")
    return sum(bool(word.search(path.read_text())) for path in folder.rglob("*.py"))


def pragmas(folder: Path) -> int:
    """Lines that switch a rule of the type checker off for a whole file."""
    return sum(
        len(re.findall(r"^# pyright: report", path.read_text(), re.MULTILINE))
        for path in folder.rglob("*.py")
    )


def private_imports(folder: Path) -> int:
    """Imports by tests of private names or from private files."""
    found = 0
    for tree in parsed(folder).values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(
                "bayesmeta"
            ):
                continue
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            found += any(part.startswith("_") for part in parts)
    return found


def circles(trees: dict[str, ast.Module]) -> int:
    """Files that import one another, however far round, in groups."""
    modules = {
        ("bayesmeta/" + file).removesuffix(".py").removesuffix("/__init__"): file for file in trees
    }
    arrows: dict[str, set[str]] = {}
    for module, file in modules.items():
        here = ("bayesmeta/" + file).split("/")[:-1]
        arrows[module] = set()
        for node in ast.walk(trees[file]):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = "/".join(
                    [*here[: len(here) - node.level + 1], *(node.module or "").split(".")]
                )
                base = base.rstrip("/")
                ends = {f"{base}/{alias.name}" for alias in node.names} & set(modules) or {base}
                arrows[module] |= ends & set(modules) - {module}
    reach = {one: set(ends) for one, ends in arrows.items()}
    for middle in modules:
        for one in modules:
            if middle in reach[one]:
                reach[one] |= reach[middle]
    rounds = {frozenset(b for b in reach[a] if a in reach[b]) for a in modules if a in reach[a]}
    return len(rounds)


def measured(root: Path) -> dict[str, int]:
    package = root / "bayesmeta"
    trees = parsed(package)
    told = dispatch(trees)
    rooms = [*package.rglob("__init__.py")]
    return {
        "files that name PoissonNormal": naming(package, "PoissonNormal"),
        "files that name ContinuousNormal": naming(package, "ContinuousNormal"),
        "places that tell models or tables apart": sum(told.values()),
        **{f"of these {kind}": told[kind] for kind in sorted(told)},
        "rules switched off for whole files": pragmas(package),
        "private imports in tests": private_imports(root / "tests"),
        f"modules over {LINES} lines": sum(
            len(path.read_text().splitlines()) > LINES for path in package.rglob("*.py")
        ),
        "circles of files": circles(trees),
        "folders of more than 15 files": sum(len([*one.parent.glob("*.py")]) > 15 for one in rooms),
    }


if __name__ == "__main__":
    for what, count in measured(Path(sys.argv[1]) if sys.argv[1:] else ROOT).items():
        print(f"{what}: {count}")
