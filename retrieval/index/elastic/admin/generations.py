"""The indices of an alias: which is current, and how a new one takes its place.

`ALIAS-000001` and so on each hold one generation; the alias names the current one. A new generation is filled beside
it and takes its place in one call. One other is kept for a rollback.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from elasticsearch import BadRequestError, ConflictError, Elasticsearch, NotFoundError

from retrieval.errors import IndexNotReady
from retrieval.index.elastic.mapping import OWNER, fingerprint_of, mappings, settings
from retrieval.index.elastic.retries import RETRIES, Retries
from retrieval.index.elastic.visibility import VisibilityRecord
from retrieval.index.generations import IndexFingerprint


@dataclass(frozen=True, slots=True)
class GenerationIndex:
    """The index of one generation by its metadata; `before` names the one whose place it took last."""

    name: str
    number: int
    built: IndexFingerprint
    complete: bool
    current: bool
    before: str


class GenerationIndices:
    """The indices of one alias; the client's errors are for the caller to map.

    `wanted` is what a generation must be built with for this process.
    """

    def __init__(
        self,
        client: Elasticsearch,
        alias: str,
        wanted: IndexFingerprint,
        *,
        shards: int = 1,
        retries: Retries = RETRIES,
    ) -> None:
        self._client, self.alias, self.wanted = client, alias, wanted
        self.shards, self._retries = shards, retries
        self._name = re.compile(rf"{re.escape(alias)}-([0-9]{{6,}})")

    @property
    def lock(self) -> str:
        """The small index that holds the write lock."""
        return f"{self.alias}-lock"

    def current(self) -> tuple[str, IndexFingerprint] | None:
        """The index behind the alias and what it was built with; None when there is none.

        Raises `IndexNotReady` when the alias stands for something else.
        """
        try:
            found = self._client.indices.get_mapping(index=self.alias)
        except NotFoundError:
            return None
        built = {name: fingerprint_of(each["mappings"]) for name, each in found.items()}
        if len(built) > 1:
            raise IndexNotReady(
                f"the alias {self.alias!r} stands for several indices ({', '.join(sorted(built))}): leave it to the "
                "newest of them, or choose another with `elasticsearch_alias`"
            )
        for name, fingerprint in built.items():
            if fingerprint is not None and name != self.alias:
                return name, fingerprint
        raise IndexNotReady(
            f"the index behind {self.alias!r} was not made by Footnote and is left alone: "
            "choose another name with `elasticsearch_alias`"
        )

    def all(self) -> list[GenerationIndex]:
        """Every generation, complete or not, by number."""
        found = self._client.indices.get(
            index=f"{self.alias}-*", features="mappings,aliases", allow_no_indices=True, expand_wildcards="open"
        )
        described = [
            _generation(name, int(number[1]), each, self.alias)
            for name, each in found.items()
            if (number := self._name.fullmatch(name))
        ]
        return sorted((each for each in described if each), key=lambda each: each.number)

    def first(self, dimensions: int) -> tuple[str, IndexFingerprint]:
        """The current generation, made now if there is none; other processes may do so at the same time."""
        found = self.current()
        if found:
            return found
        complete = [each for each in self.all() if each.complete]
        name = (
            self._with_visibility_record(complete[-1].name) if complete else self._create(1, dimensions, complete=True)
        )
        self.promote(name)
        return self.current() or (name, self.wanted)

    def successor(self, current: str, dimensions: int) -> str:
        """A generation of the wanted kind beside the current one: what a killed rebuild left, or an empty one."""
        generations = self.all()
        newest = max((each.number for each in generations), default=0)
        here = next((each.number for each in generations if each.name == current), 0)
        for each in reversed(generations):
            was_current = each.complete and each.before
            if each.number > here and each.built == self.wanted and not was_current:
                return self._with_visibility_record(each.name)
        return self._create(newest + 1, dimensions, complete=False)

    def _create(self, number: int, dimensions: int, *, complete: bool) -> str:
        name = f"{self.alias}-{number:06}"
        try:
            self._client.indices.create(
                index=name,
                settings=settings(shards=self.shards),
                mappings=mappings(self.wanted, dimensions, complete=complete),
            )
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
        return self._with_visibility_record(name)

    def _with_visibility_record(self, name: str) -> str:
        """Write an index's visibility record if whoever made the index died before that; gives the same name."""
        id_, record = VisibilityRecord.empty()
        with suppress(ConflictError):  # it is there
            self._retries.write(
                lambda: self._client.index(index=name, id=id_, document=record, op_type="create", refresh=True)
            )
        return name

    def finish(self, name: str) -> None:
        """Mark a generation that was filled as complete."""
        self._update_meta(name, complete=True)

    def _update_meta(self, name: str, **values: object) -> None:
        meta = self._client.indices.get_mapping(index=name)[name]["mappings"]["_meta"]
        self._client.indices.put_mapping(index=name, meta={**meta, OWNER: {**meta[OWNER], **values}})

    def promote(self, name: str) -> None:
        """Make a complete generation the current one, in one step."""
        actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self.alias}}]
        found = self.current()
        if found and found[0] != name:
            self._update_meta(name, before=found[0])
            actions.append({"remove": {"index": found[0], "alias": self.alias, "must_exist": True}})
        self._client.indices.update_aliases(actions=actions)

    def kept(self) -> GenerationIndex | None:
        """The generation whose place the current one took, if it is there."""
        generations = self.all()
        before = next((each.before for each in generations if each.current), "")
        return next((each for each in generations if each.complete and each.name == before), None)

    def sweep(self) -> None:
        """Delete generations that are neither current nor kept."""
        kept = self.kept()
        for each in self.all():
            if not each.current and each != kept:
                self._client.options(ignore_status=404).indices.delete(index=each.name)


def _generation(name: str, number: int, described: dict[str, Any], alias: str) -> GenerationIndex | None:
    built = fingerprint_of(described["mappings"])
    if built is None:
        return None
    meta = described["mappings"]["_meta"][OWNER]
    complete = bool(meta.get("complete"))
    return GenerationIndex(name, number, built, complete, alias in described["aliases"], str(meta.get("before", "")))
