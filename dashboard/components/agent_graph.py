"""From the observations of a trace to a graph of what called what, drawn in layers as SVG. Pure functions."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from markupsafe import Markup

from dashboard.components import formats
from dashboard.components.palette import TYPE_LOOKS
from dashboard.components.tree import Tree, tree_of

MAX_NODES = 48
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 168, 44, 32, 52, 16
_MAX_NAME = 20


@dataclass(frozen=True)
class Node:
    """All observations of one type and name.

    Attributes:
        type: of the observations.
        name: of the observations.
        layer: how deep the shallowest of them lies.
        count: how many there are.
        first: the id of the one that the tree shows first.
    """

    type: str
    name: str
    layer: int
    count: int
    first: str


@dataclass(frozen=True)
class Edge:
    """From one node, by its place, to another: `calls` where one lies in the other, else what followed what."""

    start: int
    end: int
    count: int
    calls: bool


@dataclass(frozen=True)
class Graph:
    """Nodes in the order in which they first appear, the edges between them, and how many nodes were left out."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    omitted: int = 0


def graph_of(observations: pa.Table) -> Graph:
    """The graph of a trace; of more than `MAX_NODES` nodes the most frequent remain."""
    tree = tree_of(observations)
    keys = list(zip(tree.columns.get("type", ()), tree.columns.get("name", ()), strict=True))
    counts = Counter(keys)
    kept = {key for key, _ in counts.most_common(MAX_NODES)}
    layers: dict[tuple[str, str], int] = {}
    firsts: dict[tuple[str, str], str] = {}
    for key, depth, each in zip(keys, tree.columns.get("depth", ()), tree.ids, strict=True):
        layers[key] = min(depth, layers.get(key, depth))
        firsts.setdefault(key, each)
    nodes = [Node(*key, layers[key], counts[key], firsts[key]) for key in firsts if key in kept]
    places = {(node.type, node.name): place for place, node in enumerate(nodes)}
    return Graph(nodes, _edges(tree, [places.get(key, -1) for key in keys]), len(counts) - len(nodes))


def _edges(tree: Tree, places: Sequence[int]) -> Sequence[Edge]:
    """Each call, and each step from one child to the next of the same parent, counted by the nodes that it joins."""
    calls: Counter[tuple[int, int]] = Counter()
    steps: Counter[tuple[int, int]] = Counter()
    way: list[int] = []
    latest: dict[int, int] = {}
    for row, depth in enumerate(tree.columns.get("depth", ())):
        del way[depth:]
        latest = {level: place for level, place in latest.items() if level <= depth}
        place = places[row]
        if way and -1 not in {place, way[-1]}:
            calls[way[-1], place] += 1
        if latest.get(depth, -1) != -1 and place != -1:
            steps[latest[depth], place] += 1
        latest[depth] = place
        way.append(place)
    return [
        *(Edge(*ends, count, calls=True) for ends, count in calls.items() if ends[0] != ends[1]),
        *(Edge(*ends, count, calls=False) for ends, count in steps.items() if ends[0] != ends[1]),
    ]


def drawn(graph: Graph, link: Callable[[str], str]) -> Markup:
    """The graph as SVG, layer below layer; a node leads to its first observation by `link`."""
    if not graph.nodes:
        return Markup('<p class="absent">No observations.</p>')
    spots = _spots(graph.nodes)
    width = max(x for x, _ in spots) + _WIDTH + _MARGIN
    height = max(y for _, y in spots) + _HEIGHT + _MARGIN
    lines = Markup("").join(_line(edge, spots) for edge in graph.edges)
    boxes = Markup("").join(_box(node, spot, link) for node, spot in zip(graph.nodes, spots, strict=True))
    left_out = (
        Markup('<p class="quiet">{} rarer kinds of observations are left out.</p>').format(graph.omitted)
        if graph.omitted
        else Markup("")
    )
    return Markup(
        '<div class="graph"><svg role="group" aria-label="Graph of the trace" width="{0}" height="{1}"'
        ' viewBox="0 0 {0} {1}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>{2}{3}</svg></div>{4}'
    ).format(width, height, lines, boxes, left_out)


def _spots(nodes: Sequence[Node]) -> Sequence[tuple[int, int]]:
    """Where each node's upper left corner lies: each layer in rows of at most five, in the middle."""
    rows: dict[tuple[int, int], list[int]] = defaultdict(list)
    filled: Counter[int] = Counter()
    for place, node in enumerate(nodes):
        rows[node.layer, filled[node.layer] // 5].append(place)
        filled[node.layer] += 1
    most = max(map(len, rows.values()))
    spots: dict[int, tuple[int, int]] = {}
    for line, (_, places) in enumerate(sorted(rows.items())):
        left = _MARGIN + (most - len(places)) * (_WIDTH + _GAP_X) // 2
        for at, place in enumerate(places):
            spots[place] = (left + at * (_WIDTH + _GAP_X), _MARGIN + line * (_HEIGHT + _GAP_Y))
    return [spots[place] for place in range(len(nodes))]


def _line(edge: Edge, spots: Sequence[tuple[int, int]]) -> Markup:
    (x1, y1), (x2, y2) = spots[edge.start], spots[edge.end]
    if y1 == y2:
        forward = x2 > x1
        x1, x2 = (x1 + _WIDTH, x2) if forward else (x1, x2 + _WIDTH)
        y1 = y2 = y1 + _HEIGHT // 2 + (8 if forward else -8)
    else:
        x1, x2 = x1 + _WIDTH // 2, x2 + _WIDTH // 2
        y1, y2 = (y1 + _HEIGHT, y2) if y2 > y1 else (y1, y2 + _HEIGHT)
    bend = (y2 - y1) // 2
    kind = "calls" if edge.calls else "follows"
    path = f"M{x1} {y1}C{x1} {y1 + bend},{x2} {y2 - bend},{x2} {y2}"
    width = f"{min(1.2 + edge.count**0.5 / 3, 4):.1f}"
    return Markup('<path class="edge {}" d="{}" stroke-width="{}" marker-end="url(#tip)"/>').format(kind, path, width)


def _box(node: Node, spot: tuple[int, int], link: Callable[[str], str]) -> Markup:
    icon, colour = TYPE_LOOKS.get(node.type, TYPE_LOOKS["SPAN"])
    short = node.name if len(node.name) <= _MAX_NAME else f"{node.name[: _MAX_NAME - 1]}…"
    times = f" · {formats.compact(node.count)}×" if node.count > 1 else ""
    parts: Mapping[str, object] = {
        "href": link(node.first), "name": node.name, "short": short, "kind": node.type.lower() + times, "icon": icon,
        "colour": colour, "x": spot[0], "y": spot[1], "width": _WIDTH, "height": _HEIGHT,
    }  # fmt: skip
    return Markup(
        '<a href="{href}" class="node"><title>{name} ({kind})</title><g transform="translate({x} {y})">'
        '<rect width="{width}" height="{height}" rx="10" stroke="{colour}"/>'
        '<text class="mark" x="12" y="29" fill="{colour}" aria-hidden="true">{icon}</text>'
        '<text class="name" x="38" y="19">{short}</text><text class="kind" x="38" y="34">{kind}</text></g></a>'
    ).format(**parts)
