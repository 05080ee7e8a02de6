"""Does requirements.lock still answer to what the packages of this tree depend on? Offline; part of `make check`.

Three faults are found: a dependency without a pin, a pin that the dependency does not accept, and a pin that nothing
needs any more. Run `make lock` to mend them.
"""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def pins() -> dict[str, str]:
    """Package -> version, of the lines that hold for this Python."""
    found = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line.removesuffix("\\").strip())
            if pin.marker is None or pin.marker.evaluate():
                found[canonicalize_name(pin.name)] = next(iter(pin.specifier)).version
    return found


def asked() -> Iterator[tuple[str, Requirement]]:
    """What the packages and the developer group ask for, with the file that asks."""
    for path in sorted([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml"),
                        *ROOT.glob("tools/*/pyproject.toml"), ROOT / "pyproject.toml"]):  # fmt: skip
        document = tomllib.loads(path.read_text())
        listed = [
            *document.get("project", {}).get("dependencies", []),
            *document.get("dependency-groups", {}).get("dev", []),
        ]
        for text in listed:
            yield str(path.relative_to(ROOT)), Requirement(text)


def faults() -> list[str]:
    """Each fault in words."""
    pinned, found, seen = pins(), [], set()
    waiting = [(where, wanted) for where, wanted in asked() if not wanted.name.startswith("shouwang-")]
    while waiting:
        where, wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name not in pinned:
            found.append(f"{where} needs {wanted}, which the lock does not have")
        elif not wanted.specifier.contains(pinned[name], prereleases=True):
            found.append(f"{where} needs {wanted}, but the lock has {pinned[name]}")
        elif (name, frozenset(wanted.extras)) not in seen:
            seen.add((name, frozenset(wanted.extras)))
            waiting += [(f"{name} {pinned[name]}", further) for further in needs(name, wanted.extras)]
    unused = set(pinned) - {name for name, _ in seen}
    return sorted(set(found)) + [f"nothing needs {name} any more" for name in sorted(unused)]


def needs(name: str, extras: set[str]) -> Iterator[Requirement]:
    """What an installed package needs on this machine, with these extras."""
    try:
        listed = requires(name) or []
    except PackageNotFoundError:
        listed = []
    for text in listed:
        further = Requirement(text)
        if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield further


if __name__ == "__main__":
    wrong = faults()
    for fault in wrong:
        sys.stderr.write(f"requirements.lock: {fault}\n")
    if wrong:
        sys.exit("run `make lock`, then `make setup`")
    sys.stdout.write(f"requirements.lock answers to all packages ({len(pins())} pins)\n")
