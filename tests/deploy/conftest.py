"""What these tests share: the compose file as compose would read it, and the Dockerfile in parts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def raw_compose() -> dict[str, Any]:
    """docker-compose.yml with its variables as they stand."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="session")
def compose(raw_compose: dict[str, Any]) -> dict[str, Any]:
    """docker-compose.yml where .env holds nothing but the password."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        if isinstance(value, str):
            return VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "secret", value)
        return value

    return filled(raw_compose)


@pytest.fixture(scope="session")
def dockerfile() -> list[tuple[str, str]]:
    """Instructions of deploy/Dockerfile with their arguments, continued lines joined, comments gone."""
    text = "".join(
        line for line in (ROOT / "deploy/Dockerfile").read_text().splitlines(keepends=True) if not line.startswith("#")
    )
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


@pytest.fixture(scope="session")
def tool():
    """Runs a program that is not in the lock, beside this Python or on PATH; skips the test where it is in neither."""

    def run(name: str, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        program = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
        if program is None:
            pytest.skip(f"{name} is not installed (PyPI has it as a wheel, the lock does not)")
        return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, **options)

    return run
