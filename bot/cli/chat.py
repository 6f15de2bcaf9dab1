import shlex
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bot.cli.errors import one_line_errors
from bot.cli.invocation import Invocation
from bot.cli.options import current_user, group_option, user_option


@click.command("chat")
@click.option("--conversation", metavar="ID", help="Go on with this conversation, or begin it.")
@group_option
@user_option("Who asks and votes")
@click.pass_obj
def command(invocation: Invocation, /, *, conversation: str | None, groups: tuple[str, ...], user: str | None) -> None:
    """Ask question after question in the terminal, and vote on the answers.

    Each question is understood from those before it. An answer is recorded, so that it can be voted on.
    """
    from bot.channels.terminal.conversation import TerminalConversation
    from bot.channels.terminal.screen import Terminal

    terminal = Terminal()

    @contextmanager
    def report_errors() -> Iterator[None]:
        try:
            with one_line_errors(invocation):
                yield
        except click.ClickException as failure:
            terminal.end_line()
            failure.show()

    name = conversation or uuid.uuid4().hex
    chat = TerminalConversation(
        terminal=terminal,
        services=invocation.app,
        report_errors=report_errors,
        conversation=name,
        groups=frozenset(groups),
        user=current_user(user),
    )
    if conversation:
        chat.resume()
    if terminal.watched:
        terminal.note("Ask about your documents. + or - votes on an answer, ? tells more, ctrl-d ends.")
    chat.run()
    if chat.is_recorded:
        terminal.note(f"To go on later: footnote chat --conversation {shlex.quote(name)}")
