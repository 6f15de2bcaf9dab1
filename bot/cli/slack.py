import click

from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import print_json, print_text


@click.group("slack")
def command() -> None:
    """What an administrator of Slack needs."""


@command.command("manifest")
@click.option("--url", metavar="URL", help="The public address, such as https://bot.example.com; without Socket Mode.")
@json_option
@click.pass_obj
def manifest(invocation: Invocation, /, *, url: str | None, as_json: bool) -> None:
    """Print the app's manifest for these settings, with exactly the scopes that are used.

    Paste it at api.slack.com/apps, "Create New App", "From a manifest". With `slack_app_token`, or while nothing of
    Slack is configured, it is for Socket Mode, which needs no public address.
    """
    import yaml

    from bot.channels.slack.install.manifest import ADDRESS
    from bot.channels.slack.install.manifest import manifest as app_manifest
    from bot.errors import UsageProblem

    settings = invocation.settings
    if url and not url.startswith("https://"):
        raise UsageProblem("--url must begin with https://, as Slack calls no other")
    by_http = url is not None or (settings.slack_signing_secret is not None and settings.slack_app_token is None)
    several = bool(settings.slack_client_id)
    found = app_manifest(socket=not by_http, several=several, address=url or ADDRESS)
    if as_json:
        print_json(found)
    else:
        print_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True).rstrip())
