"""The command line. Commands parse, call and print; each is imported only when it is used.

`footnote --help` must stay quick, so nothing but click is imported here.
"""

import importlib
from pathlib import Path
from typing import Any

import click

from bot.cli.errors import one_line_errors
from bot.cli.invocation import Invocation
from bot.cli.output import prepare_streams

# Command: the module that holds it as `command`, and its line in `footnote --help`.
COMMANDS = {
    "demo": ("bot.cli.demo", "Index the handbook that comes with Footnote and answer questions about it."),
    "sync": ("bot.cli.sync", "Bring the index up to date with folders of documents."),
    "search": ("bot.cli.search", "Find the sections that a question is about."),
    "ask": ("bot.cli.ask", "Answer a question, with the section behind every sentence."),
    "chat": ("bot.cli.chat", "Ask question after question in the terminal, and vote on the answers."),
    "serve": ("bot.cli.serve", "Run everything that is configured, with health and metrics, until it is stopped."),
    "vote": ("bot.cli.vote", "Say whether an answer helped, or take that back."),
    "show": ("bot.cli.show", "Print what was parsed from a document, with its sections."),
    "index": ("bot.cli.index", "Generations of the index: list them, rebuild, or go back to the one before."),
    "evaluate": ("bot.cli.evaluate", "Measure retrieval, abstention and answers on a judged question file."),
    "review": ("bot.cli.review", "Decide on disputed and down-voted answers and on corrections that wait."),
    "export": ("bot.cli.export", "Write curated training data, or compare two exports."),
    "report": ("bot.cli.report", "Tell how satisfied people are, what fails and why, and what would repair it."),
    "feedback": ("bot.cli.feedback", "Move recorded answers and votes: into a file, or from a file into the store."),
    "forget": ("bot.cli.forget", "Erase what is recorded of a person, and list the exports that hold rows of theirs."),
    "slack": ("bot.cli.slack", "What an administrator of Slack needs."),
    "doctor": ("bot.cli.doctor", "Check the configuration and everything that Footnote needs."),
}

# Names of the whole product's commands that this version does not serve yet.
RESERVED = frozenset("teams".split())


class LazyGroup(click.Group):
    """Commands from a literal table, so that listing them imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse reserved names in one line, and what is no text, and suggest a near name for an unknown one."""
        name = args[0]
        if not all(map(_is_text, args)):
            raise click.UsageError("An argument is no text in UTF-8: half a character stands in it.", ctx)
        if name in RESERVED:
            from bot.errors import UsageProblem

            raise UsageProblem(f"`footnote {name}` is reserved for a later version")
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        with one_line_errors(ctx.ensure_object(Invocation)):
            return super().invoke(ctx)


def _is_text(argument: str) -> bool:
    """Whether an argument has no half characters; a file that is there may be named in any way."""
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in argument) or Path(argument).exists()


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click calls it
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"footnote {version('footnote-bot')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="The state folder, in place of FOOTNOTE_HOME or .footnote in the working folder.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
@click.pass_context
def main(ctx: click.Context, /, home: Path | None, *, debug: bool) -> None:
    """Footnote answers questions from your own documents and shows the exact section behind every sentence."""
    prepare_streams()
    invocation = ctx.ensure_object(Invocation)
    invocation.home = home
    invocation.debug = debug
