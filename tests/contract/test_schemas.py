"""The committed schemas are those of the models, and `export` never breaks what is committed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shouwang.contracts.catalogue import Message, messages, schema
from shouwang.stack import contracts

ROOT = Path(__file__).parents[2]
MESSAGES = list(messages().values())
by_name = pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)


def test_committed_files_are_those_of_the_models() -> None:
    assert contracts.check(ROOT) == []


@by_name
def test_schema_is_a_schema_that_says_what_it_is(message: Message) -> None:
    made = schema(message)
    Draft202012Validator.check_schema(made)
    assert made["$id"].endswith(f":{message.name}")
    assert made["title"]
    assert made["description"], "a contract without a docstring"


@by_name
def test_one_schema_serves_reading_and_writing(message: Message) -> None:
    """Else a field is written that the schema of the reader does not have (a computed or a renamed one)."""
    assert message.model.model_json_schema(mode="serialization") == message.model.model_json_schema(mode="validation")


@by_name
def test_only_requests_refuse_unknown_fields(message: Message) -> None:
    assert (schema(message).get("additionalProperties") is False) == (message.kind == "request")


def test_messages_declared_elsewhere_are_not_contracts() -> None:
    from shouwang.contracts.shapes import FACTS, Fact

    class Elsewhere(Fact, name="test.elsewhere.declared.v1", keys=("unit",)):
        unit: str

    try:
        assert Elsewhere.contract not in messages()
    finally:
        del FACTS[Elsewhere.contract]


# -- export, on a copy -----------------------------------------------------------------------------------------------

OFFERED = "dispatch.task.offered.v1"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / contracts.SCHEMAS, tmp_path / contracts.SCHEMAS)
    (tmp_path / contracts.REFERENCE).parent.mkdir(parents=True)
    shutil.copy(ROOT / contracts.REFERENCE, tmp_path / contracts.REFERENCE)
    return tmp_path


def edit(root: Path, name: str, **changes: Any) -> Path:
    """Change what is committed, so that the model is what is new."""
    path = root / contracts.SCHEMAS / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    return path


def committed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / contracts.SCHEMAS / f"{name}.json").read_text("utf-8"))
    return found


def test_export_changes_nothing_when_nothing_changed(copy: Path) -> None:
    assert contracts.export(copy) == []


def test_export_fills_an_empty_tree(tmp_path: Path) -> None:
    assert len(contracts.export(tmp_path)) == len(MESSAGES) + 1
    assert contracts.check(tmp_path) == []


def test_export_refuses_an_incompatible_edit_and_writes_nothing(copy: Path) -> None:
    properties = {**committed(OFFERED)["properties"], "route_m": {"type": "number"}}
    path = edit(copy, OFFERED, properties=properties)
    outdated = edit(copy, "report", description="old words")
    before = {file: file.read_text("utf-8") for file in copy.rglob("*.*")}
    with pytest.raises(contracts.Refused) as refused:
        contracts.export(copy)
    said = str(refused.value)
    assert f"{path.relative_to(copy)}: $.route_m: field removed or renamed" in said
    assert "make it v2" in said
    assert outdated.name not in said
    assert before == {file: file.read_text("utf-8") for file in copy.rglob("*.*")}
    assert any("make it v2" in line and "$.route_m" in line for line in contracts.check(copy))


def test_export_writes_a_compatible_edit(copy: Path) -> None:
    properties = {name: made for name, made in committed("report")["properties"].items() if name != "battery_pct"}
    path = edit(copy, "report", properties=properties)
    [line] = contracts.check(copy)
    assert "compatible" in line
    assert "run `make contracts`" in line
    assert contracts.export(copy) == [str(path.relative_to(copy))]
    assert contracts.check(copy) == []


def test_a_new_message_may_be_refused(copy: Path) -> None:
    path = copy / contracts.SCHEMAS / f"{OFFERED}.json"
    path.unlink()
    [line] = contracts.check(copy)
    assert line == f"{path.relative_to(copy)} is missing: run `make contracts`"
    with pytest.raises(contracts.Refused, match="new messages are not accepted"):
        contracts.export(copy, accept_new=False)
    assert contracts.export(copy) == [str(path.relative_to(copy))]


def test_a_message_that_is_gone_is_refused(copy: Path) -> None:
    gone = copy / contracts.SCHEMAS / "dispatch.task.forgotten.v1.json"
    shutil.copy(copy / contracts.SCHEMAS / f"{OFFERED}.json", gone)
    with pytest.raises(contracts.Refused, match=r"forgotten\.v1\.json: the message is gone"):
        contracts.export(copy)
    assert any("belongs to no message" in line for line in contracts.check(copy))


def test_an_outdated_reference_is_told(copy: Path) -> None:
    (copy / contracts.REFERENCE).write_text("old", "utf-8")
    assert contracts.check(copy) == [f"{contracts.REFERENCE} is out of date: run `make contracts`"]


def test_reference_names_every_message_and_every_field() -> None:
    text = contracts.reference()
    for message in MESSAGES:
        assert message.subject.replace("{", "<").replace("}", ">") in text
        for name in message.model.model_fields:
            assert f"`{name}` " in text or f"`{name}?` " in text
