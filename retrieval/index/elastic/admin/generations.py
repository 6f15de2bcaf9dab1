"""Which generation the alias stands for, and how a new one takes its place.

`ALIAS-000001` and so on each hold one generation; the alias names the current one. A new generation is filled beside
it and takes its place in one call. One other is kept, to go back to.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from elasticsearch import BadRequestError, ConflictError, Elasticsearch, NotFoundError

from retrieval.errors import IndexNotReady
from retrieval.index.elastic.mapping import OWNER, made_from, mappings, settings
from retrieval.index.elastic.retries import retry_write
from retrieval.index.elastic.visibility import VisibilityRecord
from retrieval.index.generations import IndexFingerprint


@dataclass(frozen=True, slots=True)
class Described:
    """One generation as its index describes itself; `before` names the one whose place it took last."""

    name: str
    number: int
    made: IndexFingerprint
    complete: bool
    current: bool
    before: str


class Generations:
    """The indices behind one alias; the client's errors are for the caller to map."""

    def __init__(self, client: Elasticsearch, alias: str, wanted: IndexFingerprint, *, shards: int = 1) -> None:
        self._client, self.alias, self.wanted = client, alias, wanted
        self.shards = shards
        self._name = re.compile(rf"{re.escape(alias)}-([0-9]{{6,}})")

    @property
    def lock(self) -> str:
        """The small index that holds the right to write."""
        return f"{self.alias}-lock"

    def current(self) -> tuple[str, IndexFingerprint] | None:
        """The index behind the alias and what it was made with; None when there is none.

        Raises `IndexNotReady` when the alias stands for something else.
        """
        try:
            found = self._client.indices.get_mapping(index=self.alias)
        except NotFoundError:
            return None
        made = {name: made_from(each["mappings"]) for name, each in found.items()}
        if len(made) > 1:
            raise IndexNotReady(
                f"the alias {self.alias!r} stands for several indices ({', '.join(sorted(made))}): leave it to the "
                "newest of them, or choose another with `elasticsearch_alias`"
            )
        for name, said in made.items():
            if said is not None and name != self.alias:
                return name, said
        raise IndexNotReady(
            f"the index behind {self.alias!r} was not made by Footnote and is left alone: "
            "choose another name with `elasticsearch_alias`"
        )

    def all(self) -> list[Described]:
        """Every generation, by number."""
        found = self._client.indices.get(
            index=f"{self.alias}-*", features="mappings,aliases", allow_no_indices=True, expand_wildcards="open"
        )
        made = [
            _generation(name, int(number[1]), each, self.alias)
            for name, each in found.items()
            if (number := self._name.fullmatch(name))
        ]
        return sorted((each for each in made if each), key=lambda each: each.number)

    def first(self, dimensions: int) -> tuple[str, IndexFingerprint]:
        """The current generation, made now if there is none; another process may be doing the same."""
        found = self.current()
        if found:
            return found
        complete = [each for each in self.all() if each.complete]
        name = self._with_ledger(complete[-1].name) if complete else self._create(1, dimensions, complete=True)
        self.promote(name)
        return self.current() or (name, self.wanted)

    def successor(self, current: str, dimensions: int) -> str:
        """A generation of the wanted kind beside the current one: what a killed rebuild left, or an empty one."""
        generations = self.all()
        newest = max((each.number for each in generations), default=0)
        here = next((each.number for each in generations if each.name == current), 0)
        for each in reversed(generations):
            was_current = each.complete and each.before
            if each.number > here and each.made == self.wanted and not was_current:
                return self._with_ledger(each.name)
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
        return self._with_ledger(name)

    def _with_ledger(self, name: str) -> str:
        """The same name; its index has a ledger, also when whoever made the index died before writing one."""
        id_, record = VisibilityRecord.empty()
        with suppress(ConflictError):  # it is there
            retry_write(lambda: self._client.index(index=name, id=id_, document=record, op_type="create", refresh=True))
        return name

    def finish(self, name: str) -> None:
        """A generation that was filled may take its place from now on."""
        self._say(name, complete=True)

    def _say(self, name: str, **said: object) -> None:
        """Add to what a generation says of itself."""
        meta = self._client.indices.get_mapping(index=name)[name]["mappings"]["_meta"]
        self._client.indices.put_mapping(index=name, meta={**meta, OWNER: {**meta[OWNER], **said}})

    def promote(self, name: str) -> None:
        """Make a complete generation the current one, in one step."""
        actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self.alias}}]
        found = self.current()
        if found and found[0] != name:
            self._say(name, before=found[0])
            actions.append({"remove": {"index": found[0], "alias": self.alias, "must_exist": True}})
        self._client.indices.update_aliases(actions=actions)

    def kept(self) -> Described | None:
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


def _generation(name: str, number: int, described: dict[str, Any], alias: str) -> Described | None:
    made = made_from(described["mappings"])
    if made is None:
        return None
    said = described["mappings"]["_meta"][OWNER]
    complete = bool(said.get("complete"))
    return Described(name, number, made, complete, alias in described["aliases"], str(said.get("before", "")))
