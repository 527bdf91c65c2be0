"""``reconcile emulator``: Entra and Graph on this machine, for trying things out."""

from __future__ import annotations

import shlex
import signal
from threading import Event

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.logs import say


@click.group("emulator")
def command() -> None:
    """Entra and Graph on this machine, for trying things out."""


@command.command("serve")
@click.option("--scenario", metavar="NAME", help="The world to serve; --emulate, or demo, when not given.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Port on 127.0.0.1; 0 takes a free one."
)
@click.pass_obj
def serve(invocation: Invocation, scenario: str | None, port: int) -> int:
    """Serve the emulator over TLS until Ctrl-C.

    Prints the two variables with which any client on this machine reaches it under Microsoft's host names. Keys and
    secrets of the scenario are written to .emulator/, where the demo's portals look for them.
    """
    from reconciler.emulator import scenarios
    from reconciler.emulator.serve import Server

    world = scenarios.load(scenario or invocation.emulate or "demo")
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Server(world, invocation.root, port) as server:
        for variable, value in server.environment.items():
            click.echo(f"export {variable}={shlex.quote(value)}")
        say(f"Serving the scenario {world.name!r}. No real tenant is involved.")
        say(
            "Run the two lines above in another shell, and there `reconcile apply` in this folder, which needs the "
            f"scenario's portal files: {invocation.root}\n"
            "Ctrl-C stops the emulator; unset the two variables then, because nothing answers behind them any more."
        )
        stop.wait()
    say("Stopped.")
    return 0
