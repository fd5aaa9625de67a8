import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_samples import RUN, numbered, record, sample_run

from engine import events as ev
from engine.errors import InputError
from engine.snapshots.drawing import MAX_NODES, drawing
from engine.snapshots.export_html import to_html
from engine.snapshots.export_markdown import to_markdown
from engine.snapshots.format import Timed
from engine.snapshots.graphs import (
    graph_bytes,
    graph_of,
    save_graph_snapshot,
    to_dot,
    to_graphml,
    to_node_link,
)
from engine.snapshots.lanes import lanes
from engine.snapshots.library import SnapshotLibrary

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def snapshot(tmp_path):
    return SnapshotLibrary(tmp_path).open(record(tmp_path, sample_run()).snapshot)


def assert_reads_back_equal(graph):
    again = nx.parse_graphml(to_graphml(graph).decode())
    again.graph.clear()  # networkx always notes its reader's defaults there
    assert nx.utils.graphs_equal(again, graph)
    again = nx.node_link_graph(json.loads(to_node_link(graph)), edges="edges")
    assert nx.utils.graphs_equal(again, graph)
    assert isinstance(again, nx.DiGraph)


def test_the_graph_holds_what_was_opened():
    graph = graph_of(sample_run())
    assert [*graph] == ["q", "e:pipx", "p:p1"]
    assert graph.nodes["p:p1"] == {
        "kind": "passage",
        "label": "Install",
        "parent": "e:pipx",
        "persona": "fact-finder",
        "relevance": 0.9,
    }
    assert graph.edges["e:pipx", "p:p1"]["kind"] == "home"
    assert_reads_back_equal(graph)


@settings(max_examples=40, deadline=None)
@given(RUN)
def test_any_graph_reads_back_equal(run):
    assert_reads_back_equal(graph_of(run))


def test_dot_quotes_what_could_break_out():
    run = numbered(
        [ev.NodeOpened(node='a"b', kind="entity", label='x"];evil\\', parent="", persona="", relevance=0)]
    )
    dot = to_dot(graph_of(run)).decode()
    assert '"a\\"b" [label="x\\"];evil\\\\"' in dot
    with pytest.raises(InputError, match="graphml, json or dot"):
        graph_bytes(run, "png")


def test_a_saved_graph_does_not_depend_on_the_time_or_the_order(tmp_path):
    graph = graph_of(sample_run())
    shuffled = nx.DiGraph()
    shuffled.add_nodes_from(reversed([*graph.nodes(data=True)]))
    shuffled.add_edges_from(reversed([*graph.edges(data=True)]))

    class Holder:
        def __init__(self, graph):
            self.graph = graph

    one = save_graph_snapshot(graph, "q1", datetime(2026, 1, 2, tzinfo=UTC), folder=tmp_path)
    two = save_graph_snapshot(Holder(shuffled), "q1", 1234.5, folder=tmp_path)
    assert one.name == "q1.2026-01-02T00-00-00-00-00.json"
    assert one.read_bytes() == two.read_bytes()
    again = nx.node_link_graph(json.loads(one.read_bytes()), edges="edges")
    assert nx.utils.graphs_equal(again, graph)
    with pytest.raises(InputError, match="query id"):
        save_graph_snapshot(graph, "../q1", "now", folder=tmp_path)
    with pytest.raises(InputError, match="timestamp"):
        save_graph_snapshot(graph, "q1", "///", folder=tmp_path)


def test_markdown_tells_the_run_and_escapes_foreign_text(snapshot):
    text = to_markdown(snapshot).decode()
    assert text.startswith("# How do I install it?\n")
    for said in (
        "## Answer",
        "guide.md, Install, lines 3-5",
        "## Experts",
        "over budget",
        "## Timeline",
        "Trail:",
    ):
        assert said in text
    assert "<script>" not in text
    assert "\\<script\\>" in text
    assert to_markdown(snapshot) == text.encode()


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.ids, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value))
            if name == "href":
                self.links.append(value)
            if name == "id":
                self.ids.append(value)


def test_the_page_needs_nothing_and_runs_nothing(snapshot):
    html = to_html(snapshot).decode()
    page = Page()
    page.feed(html)
    assert not {"script", "link", "iframe", "img", "object", "form", "base"} & {*page.tags}
    assert page.links[:2] == ["#answer", "#citations"]
    assert [link for link in page.links if "cite-" in link] == ["#cite-1", "#cite-1", "#cite-2", "#cite-1"]
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len({*page.ids}) == len(page.ids)
    assert not [a for a in page.attributes if a[1] in {"src", "style"} or a[1].startswith("on")]
    assert "default-src 'none'" in html
    urls = re.findall(r"https?://[^\"' <]+", html)
    assert {*urls} == {"http://www.w3.org/2000/svg"}
    assert "&lt;script&gt;alert" in html
    assert "See [elsewhere] &amp; &lt;i&gt;there&lt;/i&gt;." in html


@settings(max_examples=30, deadline=None)
@given(RUN)
def test_no_text_becomes_markup(run):
    svg, drawn, there = drawing(run)
    assert drawn == there
    page = Page()
    page.feed(svg)
    page.feed(lanes([Timed(7 * event.seq, event) for event in run]))
    assert {*page.tags} <= {"svg", "path", "title", "circle", "text", "a"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 59), min_size=60, max_size=60))
def test_no_label_of_the_picture_lies_on_another_and_all_are_inside(parents):
    run = [
        ev.NodeOpened(
            node=f"p:{n}", kind="passage", label="A name", parent=f"p:{parent}", persona="", relevance=0.5
        )
        for n, parent in enumerate(parents)
    ]
    svg, drawn, _ = drawing(run)
    assert drawn == 60
    width, height = (float(each) for each in re.findall(r'(?:width|height)="([0-9.]+)"', svg)[:2])
    columns: dict[str, list[float]] = {}
    for x, y in re.findall(r'<text x="([0-9.]+)" y="([0-9.]+)"', svg):
        columns.setdefault(x, []).append(float(y))
        assert float(x) < width - 200
        assert float(y) < height
    for places in columns.values():
        places.sort()
        assert all(b - a >= 20 for a, b in pairwise(places))


def test_the_way_to_what_is_cited_is_emphasised_and_leads_to_the_citation():
    svg = drawing(sample_run())[0]
    assert '<a href="#cite-1"><circle class="passage cited"' in svg
    assert ">[1] Install</text>" in svg
    assert svg.count('class="edge trail"') == 2
    assert svg.count('class="edge"') == 0


def test_the_lanes_show_who_was_at_work_when():
    run = sample_run()
    svg = lanes([Timed(1000 * event.seq, event) for event in run])
    names = re.findall(r'text-anchor="end">([a-z -]+)</text><path class="span"', svg)
    assert names == ["gate", "graph", "fact-finder", "answer", "control arm"]
    for moment in ("experts chosen", "evidence ranked", "answer"):
        assert f">{moment}</text>" in svg
    assert lanes([Timed(0, event) for event in run]) == ""


def test_nodes_without_a_name_or_opened_by_themselves_are_drawn_too():
    run = [
        ev.NodeOpened(node=node, kind="entity", label="x", parent=parent, persona="", relevance=0.5)
        for node, parent in (("", "nowhere"), ("a", ""), ("b", "b"), ("c", "later"), ("later", "c"))
    ]
    assert drawing(run)[1:] == (5, 5)


def test_a_large_graph_is_drawn_in_part_and_the_same_every_time():
    run = numbered(
        [
            ev.NodeOpened(
                node=f"p:{n}",
                kind="passage",
                label=f"P{n}",
                parent=f"p:{n // 3}",
                persona="",
                relevance=n % 100 / 100,
            )
            for n in range(1, 400)
        ]
    )
    svg, drawn, there = drawing(run)
    assert (drawn, there) == (MAX_NODES, 399)
    assert svg.count("<circle") == MAX_NODES
    assert drawing(run)[0] == svg


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_chromium_shows_the_page_without_a_complaint(snapshot, tmp_path):
    page = tmp_path / "run.html"
    page.write_bytes(to_html(snapshot))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000"]
    done = subprocess.run(
        [str(CHROMIUM), *flags, "--dump-dom", f"file://{page}#cite-2"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert "CONSOLE" not in done.stderr
    assert "Refused to" not in done.stderr
    opened = re.findall(r'<details open[^>]* id="(cite-\d)">.*?</blockquote>', done.stdout, re.DOTALL)
    assert opened == ["cite-1", "cite-2"]
    picture = done.stdout.partition('class="picture"')[2]
    assert picture.count("<circle") == 3
