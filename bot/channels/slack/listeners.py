"""What Slack tells us, taken in before it is acknowledged; what only shows something is done right after that."""

import logging
import re
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from slack_bolt import Ack, App, BoltContext
from slack_bolt.authorization import AuthorizeResult

from bot.access.audience import channel_settings
from bot.channels.slack import events, rendering, views
from bot.channels.slack.actions import TAKEN_BACK, Votes, complaint, told
from bot.channels.slack.client import suppress_errors
from bot.channels.slack.ephemeral import tell
from bot.channels.slack.events import IncomingEvent, pressed, team_of, user_of
from bot.channels.slack.install.workspaces import Installed, Workspace, Workspaces, client
from bot.channels.slack.overview import Home
from bot.channels.slack.rendering import line
from bot.channels.slack.thread_state import ThreadState
from bot.config.settings import Settings, revealed
from bot.errors import BotError
from bot.services.questions import QuestionService
from bot.services.votes import Choice, VoteService
from bot.state.protocol import Event
from feedback.errors import FeedbackError, UnknownExchange
from feedback.records import Reason

logger = logging.getLogger(__name__)

LOOKING = "Looking in the documents …"
GONE = "This answer is not kept any more."
SHARED_ALREADY = "It is shared already."
Json = dict[str, Any]

# `new`, `known` and `busy`, as the process that serves us answers.
Accept = Callable[[Event], str]


class SlackListeners:
    """Listens through slack_bolt's `App`. Every listener returns only when what it heard is kept.

    `passed` tells whether a question was passed on to a thread. `soon` runs what may be lost: a page, a modal, a note.
    `busy` is what is said where too many wait.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        memory: ThreadState,
        votes: Votes,
        page: Home,
        *,
        settings: Settings,
        questions: QuestionService,
        vote_service: VoteService,
        passed: Callable[[str], object | None],
        accept: Accept,
        soon: Executor,
        busy: str,
    ) -> None:
        self._settings = settings
        self._questions = questions
        self._vote_service = vote_service
        self._workspaces = workspaces
        self._memory = memory
        self._votes = votes
        self._page = page
        self._passed = passed
        self._accept_event = accept
        self._pool = soon
        self._busy = busy

    def app(self) -> App:
        """The app with all listeners; connects to nothing."""
        app = App(
            name="footnote",
            client=client(self._settings),
            signing_secret=revealed(self._settings.slack_signing_secret),
            authorize=cast("Callable[..., AuthorizeResult]", Installed(self._workspaces)),  # it may know nobody
            # The acknowledgement waits for the listener: what is acknowledged is kept.
            process_before_response=True,
        )
        for name in ("message", "app_mention"):
            app.event(name)(self._hear)
        for name in ("reaction_added", "reaction_removed"):
            app.event(name)(self._reaction)
        for name in ("member_joined_channel", "member_left_channel"):
            app.event(name)(self._members)
        for name in ("app_uninstalled", "tokens_revoked"):
            app.event(name)(self._removed)
        app.event("app_home_opened")(self._opened)
        app.command(re.compile(".+"))(self._command)
        app.action(rendering.VOTE)(self._voted)
        app.action(rendering.QUOTES)(self._quotes)
        app.action(rendering.SHARE)(self._share)
        app.action(rendering.ASK_PERSON)(self._ask_person)
        app.action(rendering.ACCEPT)(self._accept_reply)
        app.action(views.WITHDRAW)(self._withdraw)
        app.action(views.ERASE)(self._erase)
        app.view(views.FEEDBACK)(self._feedback)
        app.action(re.compile(".*"))(_pass)  # links and what an older version has shown
        return app

    # Questions

    def _hear(self, body: Json) -> None:
        workspace = self._workspace(body)
        heard = events.heard(body, bot=workspace.bot, bot_id=workspace.bot_id) if workspace else None
        if heard and workspace:
            wanted = self._wanted(heard)
            if wanted:
                self._take(workspace, wanted)

    def _wanted(self, heard: IncomingEvent) -> IncomingEvent | None:
        """What is to be done about it; None where it is none of our business."""
        if heard.kind == "question":
            return self._wanted_question(heard)
        if self._is_ours(heard):
            return heard
        # An edited message that calls us by now is a question since then.
        return events.first_version(heard) if heard.kind == "edit" and heard.called else None

    def _wanted_question(self, heard: IncomingEvent) -> IncomingEvent | None:
        if heard.is_direct or heard.called:
            return heard
        if heard.thread and self._is_reply(heard):
            return events.from_expert(heard)
        if heard.thread:
            return heard if self._goes_on(heard) else None
        if heard.others or not events.is_question(heard.text):
            return None
        if heard.place == "mpim":
            return heard
        answered = channel_settings(self._settings, f"slack:{heard.channel}").auto_answer
        return events.unasked(heard) if answered else None

    def _goes_on(self, heard: IncomingEvent) -> bool:
        """Whether a message in a thread goes on with what we answered there: its asker's, or a question of others."""
        if heard.others or not heard.text:
            return False
        if self._memory.has_asked(heard.team, heard.channel, heard.thread, heard.user):
            return True
        return events.is_question(heard.text) and self._memory.is_known(heard.team, heard.channel, heard.thread)

    def _is_reply(self, heard: IncomingEvent) -> bool:
        """Whether somebody writes in a thread in which owners of documents were asked."""
        channel = f"slack:{heard.channel}"
        if not heard.text or all(source.owner_channel != channel for source in self._settings.sources):
            return False
        return self._passed(f"slack:{heard.team}:{heard.channel}:{heard.thread}") is not None

    def _is_ours(self, heard: IncomingEvent) -> bool:
        """Whether the message was accepted as a question."""
        return self._memory.kept(f"asked:{heard.team}:{heard.channel}:{heard.ts}") is not None

    def _take(self, workspace: Workspace, heard: IncomingEvent) -> str:
        """Keep it to be worked on; raises where that is impossible, so that it is not acknowledged."""
        if heard.kind == "question":
            self._memory.keep(f"asked:{heard.team}:{heard.channel}:{heard.ts}", "1")
        turn = f"{heard.team}:{heard.channel}:{heard.root}" if heard.root else ""
        accepted = self._accept_event(Event("slack", heard.id, datetime.now(UTC), heard.to_json(), turn))
        if accepted == "busy" and not heard.unasked and self._memory.once(f"busy:{heard.id}", lasts=timedelta(hours=1)):
            self._soon(self._tell, workspace, heard, self._busy)
        return accepted

    def _command(self, ack: Ack, body: Json) -> None:
        workspace, text = self._workspace(body), str(body.get("text") or "").strip()
        if workspace is None:
            ack()
            return
        heard = IncomingEvent(
            "command",
            f"{body.get('team_id')}:{body.get('channel_id')}:{body.get('trigger_id')}",
            str(body.get("team_id") or workspace.team),
            str(body.get("channel_id") or ""),
            str(body.get("user_id") or ""),
            events.words(text, bot=workspace.bot),
            event=str(body.get("trigger_id") or ""),
            response_url=str(body.get("response_url") or ""),
            enterprise=str(body.get("enterprise_id") or ""),
        )
        accepted = self._accept_event(Event("slack", heard.id, datetime.now(UTC), heard.to_json()))
        ack(text=self._busy if accepted == "busy" else LOOKING, response_type="ephemeral")

    # Votes

    def _voted(self, ack: Ack, body: Json) -> None:
        workspace, action = self._workspace(body), body["actions"][0]
        vote, _, answer = str(action.get("value") or "").partition(":")
        if workspace is None or vote not in {"up", "down"}:
            ack()
            return
        text, counts = self._cast(body, answer, "up" if vote == "up" else "down")
        ack()
        where = pressed(body)
        if vote == "down" and counts:
            self._soon(self._ask_why, workspace, body, views.About(answer, where.channel, where.thread))
        else:
            self._soon(self._note, workspace, where, text, answer if counts else "")

    def _withdraw(self, ack: Ack, body: Json) -> None:
        workspace, answer = self._workspace(body), str(body["actions"][0].get("value") or "")
        text, _ = self._cast(body, answer, "none")
        ack()
        if workspace and (body.get("view") or {}).get("type") == "home":
            self._soon(self._publish, workspace, user_of(body))
        elif workspace:
            self._soon(self._note, workspace, pressed(body), text)

    def _cast(self, body: Json, answer: str, vote: Choice) -> tuple[str, bool]:
        """Count a click before it is acknowledged; gives what its person is told, and whether it counts."""
        key = f"{team_of(body)}:{user_of(body)}:{body['actions'][0].get('action_ts')}"
        try:
            counts = self._votes.cast(user_of(body), answer, vote, key=key)
        except (FeedbackError, BotError) as error:
            logger.warning("a vote was refused: %s", type(error).__name__)
            return complaint(error), False
        return told(counts), True

    def _feedback(self, ack: Ack, body: Json) -> None:
        """What was filled into the modal; what cannot be kept stays in it, with the reason."""
        what, given = views.typed(body["view"])
        reason: Reason = next((each for each in views.REASONS if each == given["reason"]), "")
        try:
            self._votes.cast(
                user_of(body),
                what.answer,
                "down",
                key=f"{team_of(body)}:{user_of(body)}:{body['view'].get('id')}",
                reason=reason,
                comment=given["comment"],
                correction=given["correction"],
            )
        except (FeedbackError, BotError) as error:
            logger.warning("what was said of an answer was refused: %s", type(error).__name__)
            ack(response_action="errors", errors={"comment": complaint(error)})
            return
        ack()

    def _reaction(self, body: Json) -> None:
        workspace, event = self._workspace(body), body["event"]
        if workspace is None:
            return
        answer = self._votes.reacted(
            event, team=team_of(body), event_id=str(body.get("event_id") or ""), bot=workspace.bot
        )
        if answer:
            item = event["item"]
            text = self._counts(answer, str(event["user"]))
            where = IncomingEvent("question", "", team_of(body), str(item["channel"]), str(event["user"]))
            self._soon(self._note, workspace, where, text, answer if text != TAKEN_BACK else "")

    def _counts(self, answer: str, user: str) -> str:
        try:
            return told(self._vote_service.current(answer, user=f"slack:{user}"))
        except (FeedbackError, BotError):
            return ""

    # What is pressed

    def _share(self, ack: Ack, body: Json) -> None:
        workspace, where = self._workspace(body), pressed(body)
        answer = str(body["actions"][0].get("value") or "")
        if workspace:
            heard = IncomingEvent(
                "share",
                f"share:{where.team}:{where.channel}:{answer}",
                where.team,
                where.channel,
                where.user,
                response_url=where.response_url,
                value=answer,
                enterprise=where.enterprise,
            )
            if self._take(workspace, heard) == "known":
                self._soon(self._tell, workspace, where, SHARED_ALREADY)
        ack()

    def _ask_person(self, ack: Ack, body: Json) -> None:
        workspace, where = self._workspace(body), pressed(body)
        answer = str(body["actions"][0].get("value") or "")
        container = body.get("container") or {}
        if workspace:
            heard = replace(
                where,
                kind="person",
                id=f"person:{where.team}:{answer}:{body['actions'][0].get('action_ts')}",
                # What one person alone sees has no thread that others see.
                thread="" if container.get("is_ephemeral") else where.thread or str(container.get("message_ts") or ""),
                value=answer,
            )
            self._take(workspace, heard)
        ack()

    def _accept_reply(self, ack: Ack, body: Json) -> None:
        workspace, where = self._workspace(body), pressed(body)
        ts = str(body["actions"][0].get("value") or "")
        if workspace:
            name = f"accept:{where.team}:{where.channel}:{ts}:{body['actions'][0].get('action_ts')}"
            self._take(workspace, replace(where, kind="accept", id=name, value=ts))
        ack()

    def _erase(self, ack: Ack, body: Json) -> None:
        workspace, action = self._workspace(body), body["actions"][0]
        if workspace:
            heard = IncomingEvent(
                "erase",
                f"erase:{team_of(body)}:{user_of(body)}:{action.get('action_ts')}",
                team_of(body),
                user_of(body),
                user_of(body),
                enterprise=pressed(body).enterprise,
            )
            self._take(workspace, heard)
        ack()

    def _quotes(self, ack: Ack, body: Json) -> None:
        workspace, answer = self._workspace(body), str(body["actions"][0].get("value") or "")
        ack()
        if workspace:
            self._soon(self._show_quotes, workspace, str(body.get("trigger_id") or ""), answer)

    # What may be lost

    def _opened(self, body: Json) -> None:
        workspace, event = self._workspace(body), body["event"]
        if workspace and event.get("tab") == "messages":
            self._soon(self._suggest, workspace, str(event.get("user")), str(event.get("channel")))
        elif workspace:
            self._soon(self._publish, workspace, str(event.get("user")))

    def _members(self, body: Json) -> None:
        workspace = self._workspace(body)
        if workspace:
            workspace.people.members_changed(str(body["event"].get("channel") or ""))

    def _removed(self, body: Json) -> None:
        tokens = body["event"].get("tokens") or {}
        if body["event"]["type"] == "app_uninstalled" or tokens.get("bot"):
            self._workspaces.forget(team_of(body), str(body.get("enterprise_id") or ""))

    def _ask_why(self, workspace: Workspace, body: Json, what: views.About) -> None:
        workspace.calls(
            "views.open", attempts=1, trigger_id=str(body.get("trigger_id") or ""), view=views.feedback(what)
        )

    def _show_quotes(self, workspace: Workspace, trigger: str, answer: str) -> None:
        try:
            view = views.quotes(self._questions.exchange(answer).citations)
        except UnknownExchange:
            view = views.told("Quoted text", GONE)
        except (FeedbackError, BotError):
            view = views.told("Quoted text", "The quotes cannot be read just now. Please try again in a minute.")
        workspace.calls("views.open", attempts=1, trigger_id=trigger, view=view)

    def _publish(self, workspace: Workspace, user: str) -> None:
        groups = workspace.people.groups_of(user)
        known = self._page.known(workspace.people.person(user), groups)
        workspace.calls("views.publish", user_id=user, view=views.home(known))

    def _suggest(self, workspace: Workspace, user: str, channel: str) -> None:
        prompts = self._page.prompts(workspace.people.groups_of(user))
        if prompts:
            workspace.calls(  # with a `thread_ts` the agent view would show nothing, and say nothing
                "assistant.threads.setSuggestedPrompts",
                channel_id=channel,
                prompts=[{"title": each.title, "message": each.message} for each in prompts],
            )

    def _note(self, workspace: Workspace, where: IncomingEvent, text: str, answer: str = "") -> None:
        """Tell one person what became of their vote, and let them take it back."""
        if text:
            tell(workspace.calls, where, rendering.note(text, views.WITHDRAW, answer))

    def _tell(self, workspace: Workspace, where: IncomingEvent, text: str) -> None:
        tell(workspace.calls, where, line(text))

    def _soon(self, do: Callable[..., None], *arguments: Any) -> None:
        self._pool.submit(suppress_errors, partial(do, *arguments))

    def _workspace(self, body: Json) -> Workspace | None:
        enterprise = (body.get("enterprise") or {}).get("id") or body.get("enterprise_id") or ""
        return self._workspaces.of(team_of(body), str(enterprise))


def _pass(ack: Ack, context: BoltContext) -> None:
    """Acknowledge what needs nothing more."""
    ack()
