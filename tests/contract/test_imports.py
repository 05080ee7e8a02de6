"""Any program of any agency can install the contracts alone: they import pydantic and the standard library only."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2] / "libs/contracts/src/shouwang/contracts"
FILES = sorted(HOME.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            yield node.module or ""


def is_allowed(module: str, *others: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names or any(
        module == other or module.startswith(f"{other}.") for other in others
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOME)))
def test_only_pydantic_and_the_standard_library(path: Path) -> None:
    assert [name for name in imported(path) if not is_allowed(name, "pydantic", "shouwang.contracts")] == []


@pytest.mark.parametrize("path", sorted((HOME / "compatibility").glob("*.py")), ids=lambda path: path.name)
def test_the_comparison_needs_the_standard_library_only(path: Path) -> None:
    """It is used on schemas of which there is no model any more."""
    assert [name for name in imported(path) if not is_allowed(name, "shouwang.contracts.compatibility")] == []
