"""The command `shouwang`: the whole suite on one machine.

Every command says what it does on stderr; only what a program is meant to read goes to stdout.
"""

import asyncio
import json
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from shouwang.stack import contracts as contract_files
from shouwang.stack.doctor import examine
from shouwang.stack.provision import SERVICES, migrate_all
from shouwang.stack.provision import provision as provision_streams
from shouwang.stack.replay import Endpoints, TraceError, run_demo, run_replay
from shouwang.stack.servers import ServerError
from shouwang.stack.suite import Suite

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
contracts_app = typer.Typer(no_args_is_help=True, help="The committed schemas of what goes over the wire.")
app.add_typer(contracts_app, name="contracts")

DEFAULT_DATA = Path(".shouwang")
REAL_SPEED_MPS = 70.0

Data = Annotated[Path, typer.Option("--data", help="folder that keeps everything: broker, database, logs, stack.json")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object at the end, and nothing else, on stdout")]
Nats = Annotated[str, typer.Option("--nats", envvar="SHOUWANG_NATS_URL", help="address of the broker")]
Postgres = Annotated[str, typer.Option("--postgres", envvar="SHOUWANG_POSTGRES_URL", help="address of the database")]
Seed = Annotated[int, typer.Option(help="the same seed plays the same people and calls")]


def say(text: str) -> None:
    """To whoever watches; never to stdout."""
    typer.echo(text, err=True)


@app.command()
def up(
    data: Data = DEFAULT_DATA,
    only: Annotated[str, typer.Option(help="services to run, comma-separated")] = ",".join(SERVICES),
) -> None:
    """Run the suite in the foreground until Ctrl-C; when it is ready, DATA/stack.json says where everything is."""

    async def run() -> None:
        async with Suite(data, say, only=[name.strip() for name in only.split(",") if name.strip()]) as suite:
            say(json.dumps(suite.stack, indent=2))
            say(f"ready; {suite.data / 'stack.json'} holds the same, Ctrl-C stops it")
            await asyncio.Event().wait()

    _run(run)
    say("stopped; DATA is kept")


@app.command()
def demo(
    for_s: Annotated[
        float, typer.Option("--for", min=15, help="seconds; the night 19:00-04:00 is pressed into them")
    ] = 120,
    as_json: Json = False,
    seed: Seed = 7,
) -> None:
    """A night in Tangxia (示例数据): patrollers walk, calls arrive, the nearest are offered them, go and arrive."""

    async def play(endpoints: Endpoints) -> dict[str, Any]:
        return await run_demo(endpoints, for_s, json_mode=as_json, seed=seed, say=say)

    # Offers wait 30 s in a real night; here an hour is some seconds, and so is a phone in a pocket.
    env = {"SHOUWANG_OFFER_S": "4", "SHOUWANG_MAX_SPEED_MPS": "200", "SHOUWANG_DUTY": "enforced"}
    _run(lambda: _own_stack(play, env, as_json=as_json))


@app.command()
def replay(
    units: Annotated[
        Path, typer.Option(exists=True, help="CSV[.gz] unit,ts,lat,lon; GPX; GeoLife PLT; or a folder of them")
    ],
    incidents: Annotated[Path | None, typer.Option(exists=True, help="CSV[.gz] id,ts,lat,lon,category")] = None,
    speed: Annotated[float, typer.Option(min=0.001, help="how many times faster than it was")] = 1.0,
    for_s: Annotated[
        float | None, typer.Option("--for", min=10, help="seconds; to the end of the trace if not given")
    ] = None,
    shift_s: Annotated[
        float | None, typer.Option(help="move the calls by so many seconds; else by whole weeks")
    ] = None,
    tz: Annotated[str | None, typer.Option(help="local time of the files, such as America/Los_Angeles")] = None,
    stack: Annotated[
        Path | None, typer.Option(exists=True, help="stack.json of a running suite; else an own one")
    ] = None,
    as_json: Json = False,
    seed: Seed = 7,
) -> None:
    """Play real traces and calls into an own suite, or into a running one."""

    async def play(endpoints: Endpoints) -> dict[str, Any]:
        return await run_replay(
            endpoints, units, incidents, speed, for_s, shift_s=shift_s, tz=tz, json_mode=as_json, seed=seed, say=say
        )

    async def run() -> None:
        if stack is None:
            env = {"SHOUWANG_OFFER_S": "4", "SHOUWANG_MAX_SPEED_MPS": str(REAL_SPEED_MPS * speed)}
            await _own_stack(play, env, as_json=as_json)
        else:
            running = json.loads(stack.read_text())
            _print(await play(Endpoints(running["nats"], running["metrics"])), as_json=as_json)

    _run(run)


@app.command()
def provision(nats: Nats = "nats://127.0.0.1:4222") -> None:
    """Make the broker's streams what the code says they are; safe to run any time."""
    _run(lambda: provision_streams(nats, say))


@app.command()
def migrate(postgres: Postgres = "postgresql://postgres@127.0.0.1:5432/shouwang") -> None:
    """Bring every service's schema to its newest version; safe to run any time."""
    _run(lambda: migrate_all(postgres, say))


@app.command()
def doctor(data: Data = DEFAULT_DATA) -> None:
    """Look whether this machine can run the suite, and whether the one in DATA is well."""
    findings = asyncio.run(examine(data))
    for finding in findings:
        typer.echo(str(finding))
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


@contracts_app.command("export")
def contracts_export(root: Annotated[Path, typer.Option(help="the repository")] = Path()) -> None:
    """Write the schemas and the reference again; refuses an edit that would break who has the old ones."""
    for written in contract_files.export(root):
        say(f"wrote {written}")


async def _own_stack(
    play: Callable[[Endpoints], Awaitable[dict[str, Any]]], env: Mapping[str, str], *, as_json: bool
) -> None:
    """A suite of its own in a folder of its own, gone afterwards."""
    quiet: Callable[[str], None] = (lambda _: None) if not as_json else say
    with tempfile.TemporaryDirectory(prefix="shouwang-", ignore_cleanup_errors=True) as folder:
        say("starting broker, database and services ...")
        settings = {"SHOUWANG_CHECK_NEAREST": "true", "SHOUWANG_LOG_LEVEL": "WARNING", **env}
        async with Suite(Path(folder), quiet, env=settings) as suite:
            summary = await play(Endpoints(suite.nats.url, suite.stack["metrics"]))
    _print(summary, as_json=as_json)


def _print(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))


def _run(work: Callable[[], Awaitable[None]]) -> None:
    """Run until done, or until SIGINT or SIGTERM, which end it in order. Known failures are one line."""
    try:
        asyncio.run(_until_told(work))
    except (ServerError, TraceError, RuntimeError, ValueError, OSError) as error:
        say(f"shouwang: {error}")
        raise typer.Exit(1) from None


async def _until_told(work: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.ensure_future(work())
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def main() -> None:
    """The console script `shouwang`."""
    app()


if __name__ == "__main__":
    main()
