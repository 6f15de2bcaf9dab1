"""A use of each method that every feedback store has, for tests of what all of them must raise."""

import pytest

from tests.feedback.samples import correction, decision, exchange, export, vote

STORE_USES = [
    pytest.param(lambda store: store.record(exchange()), id="record"),
    pytest.param(lambda store: store.exchange("a"), id="exchange"),
    pytest.param(lambda store: store.conversation("a", limit=1), id="conversation"),
    pytest.param(lambda store: list(store.exchanges()), id="exchanges"),
    pytest.param(lambda store: store.vote(vote()), id="vote"),
    pytest.param(lambda store: store.votes("a"), id="votes"),
    pytest.param(lambda store: store.correct(correction()), id="correct"),
    pytest.param(lambda store: store.corrections("a"), id="corrections"),
    pytest.param(lambda store: store.decide(decision()), id="decide"),
    pytest.param(lambda store: store.decisions("a"), id="decisions"),
    pytest.param(lambda store: store.write_many([exchange()]), id="write_many"),
    pytest.param(lambda store: list(store.reviewed_exchanges()), id="reviewed_exchanges"),
    pytest.param(lambda store: list(store.records()), id="records"),
    pytest.param(lambda store: store.register_export(export(), {}), id="register_export"),
    pytest.param(lambda store: store.forget("ada"), id="forget"),
]
