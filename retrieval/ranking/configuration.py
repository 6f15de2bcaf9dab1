"""The ingredients of ranking and their weights in one value; a weight of 0 switches one off.

How much vectors should count depends on the model that makes them, so a model may come with its own shares: its folder
then holds `ranking.json`, like `{"dense": 0.6, "dense_follow_up": 0.7}`.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.errors import EmbeddingUnavailable

RANKING = "ranking.json"
SHARES = ("dense", "dense_follow_up")


@dataclass(frozen=True, slots=True)
class RankingConfiguration:
    """Weights of the ingredients, the same for every index and every corpus."""

    title: float = 2.0  # BM25F: a word in the title counts as so many in the text
    headings: float = 2.0  # BM25F: the same for the heading path
    bigrams: float = 0.3  # adjacent terms, beside single ones
    heading_vector: float = 0.4  # cosine with the heading, beside that with the text
    dense: float = 0.5  # share of the vectors against the words, for a question in the documents' own words
    paraphrase: float = 0.3  # added to it, the fewer of the question's words any passage holds
    dense_follow_up: float = 0.65  # the share when a conversation went before
    context: float = 0.2  # the whole document's match
    context_follow_up: float = 0.3
    late_interaction: float = 2.5  # question tokens against those of heading and text, over the best few
    late_interaction_follow_up: float = 0.75
    history: float = 1.0  # terms and vector of earlier turns


SWITCHES = {
    "fields": {"title": 0.0, "headings": 0.0},
    "bigrams": {"bigrams": 0.0},
    "heading-vector": {"heading_vector": 0.0},
    "dense": {"dense": 0.0, "paraphrase": 0.0, "dense_follow_up": 0.0},
    "lexical": {"dense": 1.0, "dense_follow_up": 1.0},
    "context": {"context": 0.0, "context_follow_up": 0.0},
    "late-interaction": {"late_interaction": 0.0, "late_interaction_follow_up": 0.0},
    "history": {"history": 0.0},
}


# Where the best passage reaches this share of the greatest BM25F score, the words are the documents' own.
OWN_WORDS = 0.5


def shares(configuration: RankingConfiguration, *, follow_up: bool, lexical: float) -> tuple[float, float]:
    """The shares of vectors and of document context for one question.

    `lexical` is the best BM25F score over the greatest possible, 0 to 1: in a question that few words of are found, the
    words found by chance must not decide.
    """
    if follow_up:
        return configuration.dense_follow_up, configuration.context_follow_up
    paraphrased = 1 - min(1.0, lexical / OWN_WORDS)
    return min(1.0, configuration.dense + configuration.paraphrase * paraphrased), configuration.context


def switch_off(configuration: RankingConfiguration, *ingredients: str) -> RankingConfiguration:
    """The configuration without these ingredients; raises `KeyError` for one that is not in `SWITCHES`."""
    for ingredient in ingredients:
        configuration = replace(configuration, **SWITCHES[ingredient])
    return configuration


def load_configuration(folder: Path | None) -> RankingConfiguration:
    """The configuration for the model in this folder: the default weights, with the shares in its `ranking.json`.

    Raises `EmbeddingUnavailable` when that file cannot be read or holds anything but shares.
    """
    file = folder / RANKING if folder else None
    if file is None or not file.exists():
        return RankingConfiguration()
    try:
        shares = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EmbeddingUnavailable(f"{file} cannot be read as JSON: mend or delete it") from error
    if not isinstance(shares, dict) or not all(name in SHARES and is_share(share) for name, share in shares.items()):
        raise EmbeddingUnavailable(
            f"{file} must hold {' and '.join(SHARES)}, each from 0 to 1, and nothing else: mend or delete it"
        )
    return replace(RankingConfiguration(), **shares)


def is_share(value: object) -> bool:
    """Whether this is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
