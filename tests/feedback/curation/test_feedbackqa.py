"""Real ratings with real disagreement, curated: every exchange is accounted for."""

import os
from pathlib import Path

import pytest

from bot.app import bootstrap
from bot.config.settings import Settings
from feedback.curation.options import CurationOptions
from feedback.curation.pipeline import curate
from tests.fakes import FakeEmbedder
from tests.feedback import feedbackqa
from tests.feedback.curation.test_pipeline import reconciles

DATA = os.environ.get("FOOTNOTE_TEST_DATA", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests


@pytest.mark.full
@pytest.mark.skipif(
    not DATA or not (Path(DATA) / "feedbackqa").is_dir(),
    reason="set FOOTNOTE_TEST_DATA to a folder that holds feedbackqa/, questions with people's ratings",
)
@pytest.mark.timeout(600)
def test_every_rated_answer_is_trained_on_or_left_out_for_a_reason(tmp_path):
    rows = feedbackqa.read_ratings(Path(DATA) / "feedbackqa")
    feedbackqa.write_documents(rows, tmp_path / "documents")
    app = bootstrap(Settings(home=tmp_path / "state"), embedder=FakeEmbedder())
    report = app.ingestion.sync([tmp_path / "documents" / "feedbackqa"], allow_empty=True)
    assert not report.skipped
    exchanges, _ = feedbackqa.record_all(rows, app.index, app.feedback)
    made = curate(
        app.feedback.reviewed_exchanges(),
        app.knowledge,
        app.gate,
        CurationOptions(searches=50),
        work=tmp_path / "work",
    )
    assert exchanges == made.exchanges == len(rows)
    assert reconciles(made)
    left = {step: sum(each["left"].values()) for step, each in made.counts.items()}
    # A third of these answers was rated up by one and down by another.
    assert left["judgement"] > len(rows) / 4
    assert left["staleness"] == left["eligibility"] == left["audience"] == 0
    assert left["groundedness"] == 0, "what is quoted is supported"
    rows_made = list(made.examples())
    assert made.counts["rows"]["out"] == len({each.origin.exchange for each in rows_made})
    splits = {each.cluster: each.split for each in rows_made}
    assert all(splits[each.cluster] == each.split for each in rows_made)
    assert all(splits[each.cluster] == each.split for each in made.retrievals())
