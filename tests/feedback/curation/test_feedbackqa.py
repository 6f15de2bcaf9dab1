"""Real ratings with real disagreement, curated: every exchange is accounted for."""

import os
from pathlib import Path

import pytest

from bot.app import App
from bot.config.settings import Settings
from feedback.curation.options import Options
from feedback.curation.pipeline import curate
from retrieval.embedding.sentence_transformers import Embedder
from retrieval.sync import Source
from tests.fakes import FakeEmbedder
from tests.feedback import feedbackqa
from tests.feedback.curation.test_pipeline import reconciles

DATA = os.environ.get("FOOTNOTE_TEST_DATA", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests


@pytest.mark.skipif(
    not DATA or not (Path(DATA) / "feedbackqa").is_dir(),
    reason="set FOOTNOTE_TEST_DATA to a folder that holds feedbackqa/, questions with people's ratings",
)
@pytest.mark.timeout(600)
def test_every_rated_answer_is_trained_on_or_left_out_for_a_reason(tmp_path):
    rows = feedbackqa.rated(Path(DATA) / "feedbackqa")
    feedbackqa.write_documents(rows, tmp_path / "documents")
    house = App(Settings(home=tmp_path / "state"))
    embedder: Embedder = FakeEmbedder()
    house.__dict__["embedder"] = embedder
    source = Source("feedbackqa", tmp_path / "documents" / "feedbackqa")
    report = house.sync([source], allow_empty=True, progress=lambda *_: None)
    assert not report.skipped
    counted = feedbackqa.fill(rows, house.index, house.feedback)
    made = curate(house.feedback.judged, house.sources, Options(searches=50), tmp_path / "work")
    assert counted[0] == made.exchanges == len(rows)
    assert reconciles(made)
    left = {step: sum(each["left"].values()) for step, each in made.counts.items()}
    # A third of these answers was rated up by one and down by another.
    assert left["judgement"] > len(rows) / 4
    assert left["staleness"] == left["eligibility"] == left["audience"] == 0
    assert left["groundedness"] == 0, "what is quoted is supported"
    rows_made = list(made.examples())
    assert made.counts["rows"]["out"] == len({each.source.exchange for each in rows_made})
    splits = {each.cluster: each.split for each in rows_made}
    assert all(splits[each.cluster] == each.split for each in rows_made)
    assert all(splits[each.cluster] == each.split for each in made.retrievals())
