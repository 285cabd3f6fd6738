"""Where sets come from: the graph of their ancestors, from the manifests' recursive `parents`.

Nothing that a manifest says of its ancestors has been checked, so it may be of any shape, as deep
and as tangled as it likes: it is walked without recursion, each digest once, and a set that claims
to be its own ancestor loses that link.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeGuard

from transferset.manifest import Json
from transferset.shards import ShardSet

#: Most ancestors that are walked; a manifest is bounded, but not by much.
MOST_WALKED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Origin:
    """A file or page that a set was built from, as its manifest says."""

    file: str
    url: str
    digest: str
    licence: str
    language: str
    bytes: int | None
    date: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Origin:
        """From a member of a manifest's `sources`."""
        size = entry.get("bytes")
        return cls(
            file=_text(entry, "file"),
            url=_text(entry, "url") or _text(entry, "base"),
            digest=_digest(entry),
            licence=_text(entry, "licence"),
            language=_text(entry, "language"),
            bytes=size if _is_count(size) else None,
            date=_text(entry, "date"),
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """How many of a unit were left out of a set for a reason."""

    reason: str
    unit: str
    count: int


@dataclass(slots=True)
class Node:
    """A set, or what it was built from.

    Attributes:
        key: Identity: digest of the manifest where there is one.
        name: Its name.
        op: What made it.
        params: How.
        totals: Counts by name, as far as its manifest says so.
        licence: Its licence.
        ledger: What was left out of it.
        rows_before: Rows of the sets that it was made from, if it was and they are known.
        number: Its number on the page, if the report is about it.
        origins: What it was built from, if it is at the beginning of a chain.
        parents: Keys of the sets that it was made from, each with its role.
        hidden: How many sets this node stands for, if it is a gap in the drawing.
    """

    key: str
    name: str
    op: str
    params: Json
    totals: dict[str, int]
    licence: str
    ledger: tuple[Entry, ...] = ()
    rows_before: int | None = None
    number: int | None = None
    origins: tuple[Origin, ...] = ()
    parents: dict[str, str] = field(default_factory=dict)
    hidden: int = 0

    def read(self, unit: str) -> int:
        """How many of a unit were read; 0 where that is not known."""
        if unit == "rows" and self.rows_before is not None:
            return self.rows_before
        inside = self.totals.get(
            {"pages": "documents", "documents": "documents", "rows": "rows"}.get(unit, ""), 0
        )
        return inside + sum(e.count for e in self.ledger if e.unit == unit) if inside else 0


@dataclass(slots=True)
class Lineage:
    """Ancestors before descendants, every node once.

    Attributes:
        nodes: By key, in topological order.
        cycles: Links that were left out because a set named itself among its ancestors.
        unwalked: Whether there were more than `MOST_WALKED`.
    """

    nodes: dict[str, Node]
    cycles: int = 0
    unwalked: bool = False

    @property
    def origins(self) -> list[Origin]:
        """All that the sets were built from, each once."""
        return list(dict.fromkeys(o for node in self.nodes.values() for o in node.origins))


def lineage(sets: Sequence[ShardSet]) -> Lineage:
    """The ancestors of the given sets and these themselves.

    Args:
        sets: The sets of the report, in its order.

    Returns:
        The graph.
    """
    walk = _Walk()
    digests = [one.manifest.digest for one in sets]
    for number, (digest, one) in enumerate(zip(digests, sets, strict=True), 1):
        walk.given.setdefault(digest, (number, one.label))
    for digest, one in zip(digests, sets, strict=True):
        kept = {name: getattr(one.manifest, name) for name in _KEPT}
        walk.visit({"digest": digest, **kept})
    return walk.found


#: What is told of a set; its manifest tells the same of its ancestors.
_KEPT: Final = (
    "name", "op", "params", "licence", "totals", "ledger", "sources", "parents",
)  # fmt: skip


class _Walk:
    """A depth-first walk that finishes a set after its ancestors."""

    def __init__(self) -> None:
        self.found = Lineage({})
        self.given: dict[str, tuple[int, str]] = {}
        self._open: dict[str, Node] = {}
        self._unnamed = 0

    def visit(self, entry: Mapping[str, Any]) -> None:
        """Add an entry and its ancestors."""
        node = self._node(entry)
        if node.key in self.found.nodes:
            return
        self._open[node.key] = node
        stack = [(node, iter(_entries(entry, "parents")))]
        while stack:
            child, rest = stack[-1]
            parent = next(rest, None)
            if parent is None:
                stack.pop()
                self.found.nodes[child.key] = self._open.pop(child.key)
            elif (opened := self._link(child, parent)) is not None:
                stack.append((opened, iter(_entries(parent, "parents"))))

    def _link(self, child: Node, entry: Mapping[str, Any]) -> Node | None:
        """Note a parent; it is returned if it is new and is to be walked."""
        if len(self.found.nodes) + len(self._open) >= MOST_WALKED:
            self.found.unwalked = True
            return None
        parent = self._node(entry)
        if parent.key in self._open:
            self.found.cycles += 1
            return None
        child.parents.setdefault(parent.key, _text(entry, "role"))
        child.origins = ()
        if parent.key in self.found.nodes:
            return None
        self._open[parent.key] = parent
        return parent

    def _node(self, entry: Mapping[str, Any]) -> Node:
        key = _text(entry, "digest")
        if not key:
            self._unnamed += 1
            key = f"unnamed {self._unnamed}"
        number, name = self.given.get(key, (None, _text(entry, "name")))
        params = entry.get("params")
        return Node(
            key=key,
            name=name or "(without a name)",
            op=_text(entry, "op"),
            params=dict(params) if isinstance(params, Mapping) else {},
            totals=_counts(entry.get("totals")),
            licence=_text(entry, "licence"),
            ledger=tuple(_ledger(entry)),
            rows_before=_rows_before(entry),
            number=number,
            origins=tuple(Origin.of(source) for source in _entries(entry, "sources")),
        )


def _entries(entry: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    value = entry.get(member)
    items = value if isinstance(value, list | tuple) else ()
    return [item for item in items if isinstance(item, Mapping)]


def _text(entry: Mapping[str, Any], member: str) -> str:
    value = entry.get(member)
    return value if isinstance(value, str) else ""


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _counts(totals: object) -> dict[str, int]:
    pairs = totals.items() if isinstance(totals, Mapping) else ()
    return {str(name): value for name, value in pairs if _is_count(value)}


def _ledger(entry: Mapping[str, Any]) -> Iterator[Entry]:
    for one in _entries(entry, "ledger"):
        count = one.get("count")
        if _is_count(count):
            yield Entry(_text(one, "reason"), _text(one, "unit"), count)


def _rows_before(entry: Mapping[str, Any]) -> int | None:
    parents = [p for p in _entries(entry, "parents") if _text(p, "role") != "fit"]
    rows = [_counts(parent.get("totals")).get("rows") for parent in parents]
    known = [count for count in rows if count is not None]
    return sum(known) if known and len(known) == len(rows) else None


def _digest(source: Mapping[str, Any]) -> str:
    """The publisher's checksum before ours, which only says that the file is the same again."""
    published = source.get("published")
    named = published if isinstance(published, Mapping) else {}
    for kind in ("sha256", "sha1", "md5"):
        if isinstance(named.get(kind), str):
            return f"{kind.upper().replace('SHA', 'SHA-')} {named[kind]}"
    ours = _text(source, "blake3")
    return f"BLAKE3 {ours}" if ours else ""


def abridged(graph: Lineage, most: int) -> tuple[list[Node], int]:
    """As many nodes as can be drawn: long chains become a gap, then the farthest are left out.

    Args:
        graph: All of them.
        most: How many a drawing has room for; the report's own sets are always in it.

    Returns:
        Nodes in topological order, and how many others there are that no gap stands for.
    """
    nodes = list(graph.nodes.values())
    if len(nodes) > most:
        nodes = _chains_cut(graph.nodes)
    if len(nodes) <= most:
        return nodes, 0
    kept = _nearest({node.key: node for node in nodes}, most)
    left = [node for node in nodes if node.key in kept]
    return left, sum(max(1, node.hidden) for node in nodes if node.key not in kept)


def _chains_cut(nodes: Mapping[str, Node]) -> list[Node]:
    """Runs of sets with one parent and one child each become one node with a count."""
    children = Counter(parent for node in nodes.values() for parent in node.parents)
    run_of: dict[str, Node] = {}
    result: list[Node] = []
    for node in nodes.values():
        inner = node.number is None and len(node.parents) == 1 == children[node.key]
        above = run_of.get(next(iter(node.parents), ""))
        if inner and above is not None:
            above.hidden += 1
            run_of[node.key] = above
        elif inner:
            run = Node(node.key, "", "", {}, {}, "", parents=dict(node.parents), hidden=1)
            run_of[node.key] = run
            result.append(run)
        else:
            relinked = {
                run_of[p].key if p in run_of else p: role for p, role in node.parents.items()
            }
            result.append(replace(node, parents=relinked))
    return [_restored(node, nodes) for node in result]


def _restored(node: Node, nodes: Mapping[str, Node]) -> Node:
    """A gap of one set is no gap."""
    return nodes[node.key] if node.hidden == 1 else node


def _nearest(nodes: Mapping[str, Node], most: int) -> set[str]:
    """Keys of the report's sets and of their nearest ancestors, breadth first."""
    kept = [key for key, node in nodes.items() if node.number is not None]
    seen = set(kept)
    for key in kept:  # grows while it is walked
        for parent in nodes[key].parents:
            if len(kept) < most and parent in nodes and parent not in seen:
                seen.add(parent)
                kept.append(parent)
    return seen
