"""What is done by hand to the index, or to an answer in a chat, stands in the audit without words."""

from bot.app import bootstrap
from bot.config.settings import Settings, Source
from bot.services.escalation import OpenEscalation
from tests.fakes import FakeEmbedder
from tests.feedback.samples import exchange


def test_changes_of_the_index_by_hand_are_listed(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "leave.md").write_text("# Leave\n\nFive days.\n", encoding="utf-8")
    source = Source(name="docs", path=tmp_path / "docs")
    app = bootstrap(Settings(home=tmp_path / "state", sources=(source,)), embedder=FakeEmbedder())
    app.ingestion.sync()
    app.ingestion.rebuild()
    app.ingestion.rollback()
    app.ingestion.remove("docs")
    entries = list(app.audit.entries())
    assert [each.action for each in entries] == ["rebuilt the index", "rolled the index back", "removed a source"]
    assert (entries[-1].about, bool(entries[-1].by)) == ("docs", True)
    app.close()


def test_an_accepted_reply_is_listed_with_whoever_accepted_it(tmp_path):
    app = bootstrap(Settings(home=tmp_path / "state"), embedder=FakeEmbedder())
    app.feedback.record(exchange(1))
    escalation = OpenEscalation("answer-00001", "slack:T:C:1", "slack:T:C:2")
    app.escalation.accept(escalation, "Five days, marked.", author="slack:U1", user="slack:U2", key="k")
    (entry,) = app.audit.entries()
    assert (entry.action, entry.about) == ("reviewed: accept", "answer-00001")
    assert entry.by == app.pseudonym("slack:U2")
    app.close()
