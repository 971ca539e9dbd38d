"""``tocsin``: one command with many verbs; see the tables in ``services.console.verbs``."""

from __future__ import annotations

import importlib
import os
import sys

import click

from services.console.running_mesh import RunningMesh
from services.console.settings import LocalSettings
from services.console.verbs import GROUPS, OWN_VERBS, SERVICE_VERBS, Verb

EPILOG = """\b
A first evening:
  tocsin up                          start Kafka, the database and every service
  tocsin simulate --alerts 5000      a night of a telescope that does not exist
  tocsin watch                       rates and ages, live (Ctrl-C leaves it)
  tocsin audit                       does the account balance?
  tocsin down                        stop everything, keep the data

\b
Real packets:
  tocsin ingest check night.tar      decode without Kafka, one JSON line each
  tocsin replay night.tar --rate 100 feed them to the running mesh

Settings are variables that begin with TOCSIN_; data, logs and state live in ./.tocsin
(TOCSIN_STATE_DIR). Every verb has its own --help.
"""


class VerbGroup(click.Group):
    """A group whose verbs come from the tables and are imported only when one is called."""

    def __init__(self, verbs: dict[str, Verb | dict[str, Verb]], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]  # click's own keywords
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs, in the order of the tables."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command or sub-group called ``cmd_name``."""
        found = self._verbs.get(cmd_name)
        if found is None:
            return None
        if isinstance(found, Verb):
            return own_command(found) if found in OWN_VERBS else process_command(found)
        return VerbGroup(dict(found), name=cmd_name, help=GROUPS[cmd_name])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List verbs from the tables: nothing is imported to show help."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, summary_of(name, v)) for name, v in self._verbs.items()])


def summary_of(name: str, found: Verb | dict[str, Verb]) -> str:
    """What a verb does; of a group, what it is about and the verbs inside."""
    if isinstance(found, Verb):
        return found.summary
    return f"{GROUPS[name]} ({', '.join(found)})"


def own_command(verb: Verb) -> click.Command:
    """The click command of one of the console's own modules."""
    command: click.Command = importlib.import_module(verb.module).command
    return command


def process_command(verb: Verb) -> click.Command:
    """A command that becomes ``python -m <module>``, pointed at the running mesh."""

    def become(arguments: tuple[str, ...]) -> None:
        mesh = RunningMesh.read(LocalSettings().folder)
        if mesh is not None:
            os.environ.update(mesh.environment())
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", verb.module, *arguments])  # noqa: S606  # by list, no shell

    return click.Command(
        verb.name,
        callback=become,
        help=verb.summary,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        add_help_option=False,
    )


def verb_tree() -> dict[str, Verb | dict[str, Verb]]:
    """All verbs by name, those of two words under their group."""
    tree: dict[str, Verb | dict[str, Verb]] = {
        verb.name: verb for verb in (*OWN_VERBS, *SERVICE_VERBS) if " " not in verb.name
    }
    for group in GROUPS:
        tree[group] = {
            verb.name.removeprefix(f"{group} "): verb
            for verb in SERVICE_VERBS
            if verb.name.startswith(f"{group} ")
        }
    return tree


tocsin = VerbGroup(
    verb_tree(),
    name="tocsin",
    help="Tocsin: an alert broker for the time-domain and multi-messenger sky.",
    epilog=EPILOG,
)


def main() -> None:
    """Entry point of the ``tocsin`` command."""
    tocsin(prog_name="tocsin")


if __name__ == "__main__":
    main()
