"""docker-compose.yml against what it speaks of: our settings, commands and paths, nats.conf, .env.example.

What this cannot catch: whether the official images behave as they are documented to. No engine runs here.
"""

import json
import os
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import shouwang.dispatch.main
import shouwang.dispatch.settings
import shouwang.location.main
import shouwang.location.settings
import shouwang.training.main
import shouwang.training.settings
from shouwang.stack.cli import app
from shouwang.stack.servers import nats as broker
from shouwang.stack.servers import postgres as database

SERVICES = {"location": shouwang.location, "dispatch": shouwang.dispatch, "training": shouwang.training}
ONCE = ("provision", "migrate")
OURS = (*SERVICES, *ONCE)
UNITS = {"s": 1, "m": 60}


def seconds(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]


def variables(service: dict[str, Any]) -> dict[str, str | None]:
    return service.get("environment", {})


def test_the_official_schema_accepts_it(tool):
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("password", "accepted"), [("a$b@/:%#c", True), ("", False)])
def test_compose_itself_accepts_it_with_a_password_and_refuses_it_without(tool, password, accepted):
    environment = {**os.environ, "POSTGRES_PASSWORD": password}

    done = tool("docker-compose", "--env-file", os.devnull, "config", "--quiet", env=environment)

    assert (done.returncode == 0) is accepted, done.stderr
    assert accepted or ".env.example" in done.stderr


def test_the_password_has_no_default(raw_compose):
    assert variables(raw_compose["services"]["postgres"])["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_who_waits_waits_for_something_that_happens(compose):
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}, which is no service"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits until {other} is healthy: nobody looks"
            else:
                assert how["condition"] == "service_completed_successfully"
                assert services[other]["restart"] == "no", f"{name} waits for the end of {other}, which starts again"


def test_every_image_of_ours_is_a_stage_of_the_dockerfile(compose, dockerfile):
    stages = {rest.split(" AS ")[1] for word, rest in dockerfile if word == "FROM" and " AS " in rest}
    for name in OURS:
        build = compose["services"][name]["build"]
        assert build["args"]["SERVICE"] in stages
        assert compose["services"][name]["image"] == f"shouwang-{build['args']['SERVICE']}:local"


@pytest.mark.parametrize("name", SERVICES)
def test_a_health_check_asks_for_a_path_that_the_service_has(compose, dockerfile, name):
    *command, path = compose["services"][name]["healthcheck"]["test"]
    service = SERVICES[name].main.assemble(SERVICES[name].settings.Settings())

    assert path in dict(service.app.routes)
    assert command == ["CMD", "python", "-I", "/opt/shouwang/probe.py"]
    assert ("COPY", "deploy/probe.py /opt/shouwang/probe.py") in dockerfile


@pytest.mark.parametrize("name", ONCE)
def test_a_one_shot_is_a_command_and_is_told_what_it_asks_for(compose, name):
    program, word = compose["services"][name]["command"]
    told = set(variables(compose["services"][name])) - {"PGPASSWORD"}

    assert program in {script.name for script in entry_points(group="console_scripts")}
    command = get_command(app).commands[word]
    assert told == {option.envvar for option in command.params if getattr(option, "envvar", None)}


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_a_setting_of_the_service(compose, name):
    fields = SERVICES[name].settings.Settings.model_fields
    told = variables(compose["services"][name])

    assert set(told) - {"PGPASSWORD"} <= {f"SHOUWANG_{field.upper()}" for field in fields}
    assert {"SHOUWANG_NATS_URL", "SHOUWANG_POSTGRES_URL", "PGPASSWORD"} <= set(told)


def test_the_addresses_are_those_of_the_containers(compose):
    services = compose["services"]
    for name in OURS:
        told = variables(services[name])
        assert told.get("SHOUWANG_NATS_URL", "nats://nats:4222") == "nats://nats:4222"
        role, base = (variables(services["postgres"])[key] for key in ("POSTGRES_USER", "POSTGRES_DB"))
        address = f"postgresql://{role}@postgres:5432/{base}"
        assert told.get("SHOUWANG_POSTGRES_URL", address) == address
    assert variables(services["nats"])["SHOUWANG_NATS_PORT"] == "4222"


def test_the_broker_gets_the_one_configuration_and_every_variable_it_asks_for(compose, root):
    service = compose["services"]["nats"]
    mounted = next(volume for volume in service["volumes"] if isinstance(volume, dict))
    text = "\n".join(line.split("#")[0] for line in broker.CONFIG.read_text().splitlines())

    assert (root / mounted["source"]).resolve() == broker.CONFIG.resolve()
    assert mounted["target"] == service["command"][-1]
    assert set(re.findall(r"\$(\w+)", text)) == set(variables(service)) - {"GOMEMLIMIT"}
    store = variables(service)["SHOUWANG_NATS_STORE"]
    assert f"nats-data:{store}" in service["volumes"], "the streams would go with the container"


def test_published_ports_are_ports_somebody_listens_on_and_only_this_machine_reaches_them(compose):
    services = compose["services"]
    told = variables(services["nats"])
    listening = {
        "nats": {told[key] for key in told if key.endswith("_PORT")},
        "location": {"8000"},
        "dispatch": {"8000"},
        "training": {"8000"},
    }
    taken = []
    for name, service in services.items():
        for published in service.get("ports", []):
            address, outside, inside = published.split(":")
            assert address == "127.0.0.1"
            assert inside in listening[name]
            taken.append(outside)
    assert len(taken) == len(set(taken))
    assert "ports" not in services["postgres"]


def test_the_database_keeps_its_data_and_is_set_up_as_in_the_tests(compose):
    service = compose["services"]["postgres"]
    settings = dict(word.split("=") for word in service["command"] if "=" in word)

    assert service["volumes"] == ["postgres-data:/var/lib/postgresql"], "since 18 the image keeps everything below this"
    assert settings.items() <= database._SETTINGS.items()
    assert set(variables(service)["POSTGRES_INITDB_ARGS"].split()) <= set(
        Path(database.__file__).read_text().split('"')
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_time_to_stop(compose, name):
    settings = SERVICES[name].settings.Settings()

    # Once for the outbox, once for the broker's goodbye, and something for what is in hand.
    assert seconds(compose["services"][name]["stop_grace_period"]) > 2 * settings.stop_s


def test_every_container_is_kept_small(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"].keys() >= {"max-size", "max-file"}, name
        assert "mem_limit" in service, name
        assert ":" in service["image"], f"{name}: an image without a tag is another one tomorrow"
    assert [name for name, service in compose["services"].items() if "cap_add" in service] == ["postgres"]


def test_the_example_of_env_speaks_of_every_variable_with_its_default(compose, raw_compose, root):
    text = (root / ".env.example").read_text()
    example = dict(re.findall(r"^#?(\w+)=(.*)$", text, flags=re.MULTILINE))
    defaults = {"POSTGRES_PASSWORD": "", "SHOUWANG_BIND": "127.0.0.1"}
    for name, module in SERVICES.items():
        fields = module.settings.Settings.model_fields
        for variable, value in variables(compose["services"][name]).items():
            if value is None:
                defaults[variable] = fields[variable.removeprefix("SHOUWANG_").lower()].default
    used = set(re.findall(r"\$\{(\w+)", (root / "docker-compose.yml").read_text()))

    assert set(example) == set(defaults)
    assert used <= set(example)
    for variable, default in defaults.items():
        if isinstance(default, int | float):
            assert float(example[variable]) == default, variable
        elif isinstance(default, dict):
            assert json.loads(example[variable]) == default, variable
        elif default is not None:
            assert example[variable] == default, variable
