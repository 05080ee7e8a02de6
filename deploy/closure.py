"""Which lines of requirements.lock a package of this tree needs to run, so that an image gets these and no others.

    python deploy/closure.py location                     the lines, with their hashes
    python deploy/closure.py location --folders           the folders of this tree it consists of
    python deploy/closure.py location --into VENV         installs the lines into VENV

There is one lock, for developers and images alike. What a pin itself needs only its metadata knows, and that is there
once it is installed. So `--into` goes by rounds: install what is known to be needed (hashes checked, nothing else
brought along), read what that needs, until nothing is new. No index is asked to choose anything. Without `--into` the
metadata of the Python that runs this is read, which must have everything installed, as `.venv` has.
"""

import argparse
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

try:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name
except ImportError:  # a bare image has pip and nothing else; pip brings the same library along
    from pip._vendor.packaging.requirements import Requirement
    from pip._vendor.packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SOURCE_ONLY = "prcoords"
"""Pure Python that comes without a wheel. pip builds it with the newest setuptools, which no hash covers."""


class Closure:
    """What `package` needs, as far as the metadata in `site` can tell.

    Args:
        package: of this tree, with or without `shouwang-`; or of the lock.
        site: folder with installed packages.
        without: packages to leave out, and with them what only they need.

    Raises: LookupError when something is needed that neither this tree nor the lock has.
    """

    def __init__(self, package: str, site: Path, without: frozenset[str] = frozenset(), root: Path = ROOT) -> None:
        self.folders: dict[str, Path] = {}
        """Packages of this tree that are needed: name -> folder relative to it."""
        self.lines: dict[str, str] = {}
        """Pins that are needed: name -> the lines of the lock."""
        self.unread: set[str] = set()
        """Pins among them that are not installed, so that their own needs are not known."""
        tree, lock = packages(root), pins((root / "requirements.lock").read_text())
        installed = {canonicalize_name(found.name): found for found in distributions(path=[str(site)])}
        first = canonicalize_name(package)
        waiting, seen = [Requirement(f"shouwang-{first}" if f"shouwang-{first}" in tree else first)], set()
        while waiting:
            wanted = waiting.pop()
            name = canonicalize_name(wanted.name)
            if name in without or (name, frozenset(wanted.extras)) in seen:
                continue
            seen.add((name, frozenset(wanted.extras)))
            if name in tree:
                self.folders[name], listed = tree[name]
                waiting += holding(listed, wanted.extras)
            elif name in lock:
                self.lines[name] = lock[name]
                if name in installed:
                    waiting += holding(installed[name].requires or [], wanted.extras)
                else:
                    self.unread.add(name)
            else:
                raise LookupError(f"{wanted} is needed, which neither this tree nor requirements.lock has")


def packages(root: Path) -> dict[str, tuple[Path, list[str]]]:
    """Packages of the tree: name -> (folder, dependencies)."""
    found: dict[str, tuple[Path, list[str]]] = {}
    for path in sorted(root.glob("*/*/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        found[canonicalize_name(project["name"])] = (path.parent.relative_to(root), project["dependencies"])
    return found


def pins(lock: str) -> dict[str, str]:
    """The entries of a lock that hold for this Python: name -> its lines."""
    entries: list[str] = []
    for line in lock.splitlines():
        if line.startswith(" "):
            entries[-1] += f"{line}\n"
        elif line and not line.startswith("#"):
            entries.append(f"{line}\n")
    found: dict[str, str] = {}
    for entry in entries:
        pin = Requirement(entry.splitlines()[0].removesuffix("\\"))
        if pin.marker is None or pin.marker.evaluate():
            found[canonicalize_name(pin.name)] = entry
    return found


def holding(listed: list[str], extras: set[str]) -> Iterator[Requirement]:
    """Those of the requirements that hold on this machine, with these extras."""
    for text in listed:
        further = Requirement(text)
        if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield further


def install(package: str, venv: Path, without: frozenset[str]) -> None:
    """Install what `package` needs from the lock into `venv`, which needs no pip of its own."""
    site = site_of(venv)
    while unread := (closure := Closure(package, site, without)).unread:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
            wanted.writelines(closure.lines[name] for name in sorted(unread))
            wanted.flush()
            pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install"]
            checked = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
            wheels = ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]  # an image of Python has no compiler
            subprocess.run([*pip, *checked, *wheels, "--requirement", wanted.name], check=True)  # noqa: S603 - no shell


def site_of(venv: Path) -> Path:
    """Where `venv`, made by this Python, keeps packages."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", help="location, dispatch, training, stack; or any name in the lock")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave this out")
    parser.add_argument("--folders", action="store_true", help="print the folders of this tree instead")
    parser.add_argument("--into", type=Path, metavar="VENV", help="install instead of printing")
    asked = parser.parse_args()
    without = frozenset(map(canonicalize_name, asked.without))
    if asked.into:
        install(asked.package, asked.into, without)
        return
    closure = Closure(asked.package, Path(sysconfig.get_path("purelib")), without)
    if asked.folders:
        sys.stdout.writelines(f"{folder}\n" for folder in sorted(closure.folders.values()))
        return
    if closure.unread:
        raise LookupError(f"not installed, so what they need is not known: {', '.join(sorted(closure.unread))}")
    sys.stdout.writelines(closure.lines[name] for name in sorted(closure.lines))


if __name__ == "__main__":
    try:
        main()
    except (LookupError, subprocess.CalledProcessError) as error:
        sys.exit(f"closure: {error}")
