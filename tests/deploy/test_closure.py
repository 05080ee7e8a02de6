"""deploy/closure.py: an image gets what its service needs out of the one lock; all of it, and no more."""

import re
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

SERVICES = {
    "location": "shouwang-location",
    "dispatch": "shouwang-dispatch",
    "training": "shouwang-training",
    "stack": "shouwang",
}
SITE = Path(sysconfig.get_path("purelib"))
LEFT_OUT = re.findall(r"--without (\S+)", (Path(__file__).parents[2] / "deploy/Dockerfile").read_text())


@pytest.fixture(scope="module")
def closure(root):
    spec = spec_from_file_location("closure", root / "deploy/closure.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def house(tmp_path):
    """A tree with one package, and a place to install things."""

    def put(name: str, needs: list[str]) -> None:
        folder = tmp_path / "site" / f"{name}-1.dist-info"
        folder.mkdir(parents=True)
        lines = "".join(f"Requires-Dist: {need}\n" for need in needs)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{lines}")

    def package(dependencies: list[str]) -> None:
        (tmp_path / "services/a").mkdir(parents=True)
        (tmp_path / "services/a/pyproject.toml").write_text(
            f'[project]\nname = "shouwang-a"\ndependencies = {dependencies!r}\n'
        )

    names = ("broker", "deep", "developer", "extra", "old", "one")
    (tmp_path / "requirements.lock").write_text(
        "".join(f"{name}==1 \\\n    --hash=sha256:{name}\n" for name in names)
        + "forked==1 ; python_full_version < '3.0' \\\n    --hash=sha256:no\n"
        + "forked==2 ; python_full_version >= '3.0' \\\n    --hash=sha256:yes\n"
    )
    tmp_path.joinpath("site").mkdir()
    return tmp_path, put, package


def asked(closure, house, *without):
    root, *_ = house
    return closure.Closure("a", root / "site", frozenset(without), root)


def test_needs_are_followed_as_deep_as_they_go_and_developers_tools_are_not_needed(closure, house):
    _, put, package = house
    package(["one"])
    put("one", ["deep>=1"])
    put("deep", [])

    found = asked(closure, house)

    assert set(found.lines) == {"one", "deep"}
    assert found.lines["deep"] == "deep==1 \\\n    --hash=sha256:deep\n"
    assert not found.unread


def test_extras_and_markers_count(closure, house):
    _, put, package = house
    package(["one[more]", "forked"])
    put("one", ["extra; extra == 'more'", "broker; extra == 'other'", "old; python_version < '3'"])
    put("extra", [])
    put("forked", [])

    found = asked(closure, house)

    assert set(found.lines) == {"one", "extra", "forked"}
    assert found.lines["forked"].startswith("forked==2 ;")


def test_what_is_left_out_takes_with_it_what_only_it_needs(closure, house):
    _, put, package = house
    package(["one", "broker"])
    put("one", [])
    put("broker", ["deep"])

    assert set(asked(closure, house, "broker").lines) == {"one"}


def test_what_is_not_installed_is_named_because_its_needs_are_not_known(closure, house):
    _, _, package = house
    package(["one"])

    assert asked(closure, house).unread == {"one"}


def test_what_the_lock_does_not_have_is_refused(closure, house):
    _, _, package = house
    package(["stranger>=2"])

    with pytest.raises(LookupError, match="stranger>=2 is needed"):
        asked(closure, house)


def real(closure, service):
    return closure.Closure(service, SITE, frozenset(LEFT_OUT))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_pins_of_the_lock_with_their_hashes_and_nothing_of_developers(closure, root, service):
    lock, found = (root / "requirements.lock").read_text(), real(closure, service)
    sent = subprocess.run(
        [sys.executable, root / "deploy/closure.py", service, *(f"--without={name}" for name in LEFT_OUT)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert not found.unread
    assert sent == "".join(found.lines[name] for name in sorted(found.lines))
    for lines in found.lines.values():
        assert lines in lock
        assert "--hash=sha256:" in lines
    assert found.lines.keys() >= {"faststream", "nats-py", "asyncpg", "greenlet", "h3"}
    assert not found.lines.keys() & {"pytest", "ruff", "mypy", "hatchling", "testcontainers", *LEFT_OUT}
    assert ("h3ronpy" in found.lines) is (service in ("location", "stack"))
    assert ("ortools" in found.lines) is (service in ("training", "stack"))
    assert {"libs/common", "libs/contracts"} <= {str(folder) for folder in found.folders.values()}


@pytest.mark.parametrize("service", SERVICES)
def test_that_is_enough_to_start(closure, root, service, tmp_path):
    """A Python that sees its own library, these packages and our folders: does the command load?"""
    found = real(closure, service)
    for package in distributions(path=[str(SITE)]):
        if canonicalize_name(package.name) in found.lines:
            link(package, tmp_path)
    sources = [str(root / folder / "src") for folder in found.folders.values()]
    module = "shouwang.stack.cli" if service == "stack" else f"shouwang.{service}.main"
    code = f"import sys; sys.path += {[str(tmp_path), *sources]!r}; import {module}; print({module}.main.__name__)"

    done = subprocess.run(
        [sys._base_executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert done.stdout == "main\n", done.stderr


def link(package, folder: Path) -> None:
    for file in package.files or []:
        if file.parts[0] != "..":  # console scripts
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).symlink_to(file.locate())
