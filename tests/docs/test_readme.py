"""What the README tells people to type is true: targets exist, subjects exist, settings exist."""

import re
from pathlib import Path

import h3
import pytest

from shouwang.common.settings import ServiceSettings
from shouwang.contracts import dispatch, location
from shouwang.contracts.streams import STREAMS
from shouwang.contracts.training.people import ImportFile
from shouwang.dispatch.settings import Settings as Dispatch
from shouwang.location.settings import Settings as Location
from shouwang.training.settings import Settings as Training

ROOT = Path(__file__).parents[2]
SETTINGS: list[type[ServiceSettings]] = [Dispatch, Location, Training]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md"]
PAGES += [*ROOT.glob("services/*/README.md"), *ROOT.glob("libs/*/README.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_and_paths_exist(page: Path) -> None:
    text, makefile = page.read_text(), (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?m)^make ([a-z]+)|`make ([a-z]+)", text):
        assert re.search(rf"(?m)^{next(filter(None, target))}:", makefile), target
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_exist(page: Path) -> None:
    fields = {f"SHOUWANG_{name.upper()}" for settings in SETTINGS for name in settings.model_fields}
    assert set(re.findall(r"SHOUWANG_[A-Z_]+", page.read_text())) <= fields


def test_the_cell_of_tangxia_is_the_one_in_the_subjects() -> None:
    cell = h3.latlng_to_cell(27.875, 120.700, 5)
    for page in PAGES[:2]:
        assert set(re.findall(r"85[0-9a-f]{13}", page.read_text())) == {cell}
    assert location.CellCount.subject(r5=cell, r7="x").startswith(f"location.count.v1.{cell}.")
    assert location.CellFrame.subject(r5=cell, r7="x").startswith(f"location.cell.v1.{cell}.")


def test_the_examples_are_requests_that_are_understood() -> None:
    text = (ROOT / "README.md").read_text()
    asked = dict(re.findall(r"req (request\.duty-room\.[a-z_.0-9]+)[ \\\n]+'(\{[^']+\})'", text))
    for contract in (location.Nearby, dispatch.OpenIncident):
        contract.model_validate_json(asked.pop(contract.subject("duty-room")))
    assert not asked
    imports = re.findall(r"req request\.organiser\.(training\.import_file\.v1) '(\{[^']+\})'", text)
    for page in PAGES[:2]:
        assert imports[0] in re.findall(r"req request\.organiser\.([a-z_.0-9]+) '(\{[^']+\})'", page.read_text())
    assert ImportFile.contract == imports[0][0]
    ImportFile.model_validate_json(imports[0][1])
    assert "DISPATCH" in STREAMS


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_own_setting_says_what_it_is(settings: type[ServiceSettings]) -> None:
    own = set(settings.model_fields) - set(settings.__mro__[1].model_fields)
    assert own
    assert not [name for name in own if not settings.model_fields[name].description]
