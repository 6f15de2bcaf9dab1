"""Tells by its meaning and form whether a message that nobody addressed to the bot is people talking to each other."""

from collections.abc import Callable, Sequence

from bot.answering.understanding.addressing import Example, Scene, form, is_for_bot, is_foreign
from retrieval.embedding.protocol import Embedder
from retrieval.embedding.text_classifier import Sample, TextClassifier
from retrieval.errors import EmbeddingUnavailable

# What scores less is people talking. Of what scores more, 97 % was for the bot in messages that were not learned from.
FOR_BOT = 0.2


class ChatterClassifier:
    """Learns from examples at first use, when they are asked for; threads may share it."""

    def __init__(self, embedder: Embedder, examples: Callable[[], Sequence[Example]]) -> None:
        self._examples = examples
        self._classifier = TextClassifier(embedder, self._samples)

    def is_chatter(self, text: str, scene: Scene) -> bool:
        """Whether a message is not for the bot: by its form alone where the model says nothing of it."""
        score = None if is_foreign(text) else self._score(text, scene)
        return not is_for_bot(text, scene) if score is None else score < FOR_BOT

    def _samples(self) -> tuple[list[Sample], list[Sample]]:
        samples = [(each.for_bot, Sample(each.text, form(each.text, each.scene))) for each in self._examples()]
        return [each for for_bot, each in samples if for_bot], [each for for_bot, each in samples if not for_bot]

    def _score(self, text: str, scene: Scene) -> float | None:
        try:
            return self._classifier.score(Sample(text, form(text, scene)))
        except EmbeddingUnavailable:
            return None
