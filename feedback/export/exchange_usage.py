"""Accounts for every exchange of an export: whose rows it is in, or why it is in none."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from feedback.curation.dataset import CuratedDataset, RejectedExchange, RowOrigin

# An exchange that no format which was asked for has a use for is left out at this step.
STAGE = "format"
NOT_ASKED_FOR = "no-row-of-these-formats"
DIGEST_BYTES = 32


class ExchangeUsage:
    """What is known of exchanges while rows are written; `used` are those that are in a row."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self._offered: dict[str, None] = {}
        self._reasons: dict[str, str] = {}
        self._people: dict[str, bytearray] = defaultdict(bytearray)

    def record_offered(self, origins: Iterable[RowOrigin]) -> None:
        """Record that curation gave a row of these exchanges."""
        self._offered |= dict.fromkeys(origin.exchange for origin in origins)

    def record_flaw(self, exchange: str, reason: str) -> None:
        """Record why a format does not use an exchange; the first reason counts."""
        self._reasons.setdefault(exchange, reason)

    def record_row(self, origins: Iterable[RowOrigin], *, digest: bytes) -> None:
        """Record that a row (of which `digest` is the sha256) comes from these exchanges, and whose words it holds."""
        people: set[str] = set()
        for origin in origins:
            self.used.add(origin.exchange)
            people.update(origin.people)
        for person in people - {""}:
            self._people[person] += digest

    def rows_by_person(self) -> Mapping[str, Iterable[str]]:
        """Return by person (keyed hash) the sha256 of the rows that hold something of theirs, as a store registers."""
        return {person: _split_digests(digests) for person, digests in sorted(self._people.items())}

    def rejected_exchanges(self, curated: CuratedDataset) -> Iterator[RejectedExchange]:
        """Yield every exchange that is in no row, once, with the step and the reason.

        Raises RuntimeError when an exchange is accounted for twice, or not at all.
        """
        gone: set[str] = set()
        for each in self._without_row(curated):
            if each.exchange in gone or each.exchange in self.used:
                raise RuntimeError(f"the exchange {each.exchange!r} is accounted for twice")
            gone.add(each.exchange)
            yield each
        if len(gone) + len(self.used) != curated.exchanges:
            raise RuntimeError(
                f"{curated.exchanges} exchanges went in, {len(self.used)} are used and {len(gone)} were rejected"
            )

    def _without_row(self, curated: CuratedDataset) -> Iterator[RejectedExchange]:
        yield from curated.rejected_exchanges()
        for exchange in self._offered:
            if exchange not in self.used:
                yield RejectedExchange(exchange, STAGE, self._reasons.get(exchange, NOT_ASKED_FOR))


def _split_digests(digests: bytearray) -> Iterator[str]:
    for start in range(0, len(digests), DIGEST_BYTES):
        yield digests[start : start + DIGEST_BYTES].hex()
