"""Text formats: where passages stand, what they are called, and that positions can be trusted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cleaning import clean
from engine.corpus.parsers import fingerprint, parse
from engine.corpus.records import ParsedDocument
from engine.errors import InputError


def parsed(filename: str, source: str | bytes, limit: int = 1200) -> ParsedDocument:
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    return parse(data, name=f"d/{filename}", filename=filename, limit=limit)[0]


def names(document: ParsedDocument, index: int) -> set[tuple[str, str]]:
    return {(name.kind, name.text) for name in document.passages[index].names}


LAW = settings(deadline=None, max_examples=40)
FRAGMENTS = st.sampled_from(
    [
        *("", "", " \t", "Some words. More words!", "word " * 30, "é 世界。", "title: T", "---", "::"),
        *("# Head", "## Sub", "Title", "=====", "-----", "~~~", "```", "- item", "  - inner", "    code"),
        *("> quote", "| a | b |", "|---|---|", "<!-- c -->", "<div>", "[a]: http://x", ".. note:: x"),
        *("def f():", "    return 1", "class A:", "# comment", "@deco"),
        *("\x1b[2J", "\u202ebidi", "a\x0cb", "x\u2028y"),
    ]
)
SOURCES = st.builds(
    lambda lines, ending: ending.join(lines),
    st.lists(FRAGMENTS, max_size=25),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


@pytest.mark.parametrize("filename", ["a.md", "a.txt", "a.rst", "a.py", "a.js", "a.json"])
@LAW
@given(source=SOURCES)
def test_reading_the_lines_back_gives_the_passage(filename: str, source: str) -> None:
    lines = clean(source).split("\n")
    try:
        document = parsed(filename, source, limit=100_000)
    except InputError:
        return  # the law below on plain text says when that may be
    for passage in document.passages:
        assert passage.text == "\n".join(lines[passage.start - 1 : passage.end])
        assert lines[passage.start - 1].strip()
        assert lines[passage.end - 1].strip()
        assert passage.evidence_id == passage.passage_id


@pytest.mark.parametrize("filename", ["a.md", "a.txt", "a.rst", "a.py"])
@LAW
@given(source=SOURCES, limit=st.integers(20, 200))
def test_pieces_of_long_blocks_are_within_their_lines_and_the_limit(
    filename: str, source: str, limit: int
) -> None:
    lines = clean(source).split("\n")
    try:
        document = parsed(filename, source, limit)
    except InputError:
        return
    ids = [passage.passage_id for passage in document.passages]
    assert len(set(ids)) == len(ids)
    for passage in document.passages:
        assert passage.text in "\n".join(lines[passage.start - 1 : passage.end])
        assert 0 < len(passage.text) <= limit
    starts = [passage.start for passage in document.passages]
    assert starts == sorted(starts)


@LAW
@given(source=SOURCES, limit=st.integers(20, 200))
def test_plain_text_loses_no_word(source: str, limit: int) -> None:
    try:
        document = parsed("a.txt", source, limit)
    except InputError:
        assert not clean(source).split()
        return
    assert "".join("".join(p.text.split()) for p in document.passages) == "".join(clean(source).split())


MARKDOWN = """\
---
title: "The Guide"
tags: [a, b]
---

Opening words.

# Install `it`

First paragraph.

Second paragraph.

## On Linux

```sh
# not a heading
make run
```

## Empty

# Use
<!-- hidden -->
Words.
"""


def test_markdown_sections_titles_and_names() -> None:
    document = parsed("guide.md", MARKDOWN)
    shown = [(p.start, p.end, p.title, p.section) for p in document.passages]
    assert document.title == "The Guide"
    assert shown == [
        (6, 6, "The Guide", ()),
        (10, 12, "Install it", ("Install it",)),
        (16, 19, "On Linux", ("Install it", "On Linux")),
        (21, 21, "Empty", ("Install it", "Empty")),
        (25, 25, "Use", ("Use",)),
    ]
    assert names(document, 0) == {("title", "The Guide"), ("file", "guide")}
    assert names(document, 1) == {("heading", "Install it")}
    assert document.passages[2].text == "```sh\n# not a heading\nmake run\n```"


def test_markdown_headings_are_read_as_a_reader_sees_them_and_lines_count_characters_of_any_width() -> None:
    text = "# 😀 The `ask` **command** [here][r] <b>é</b> &amp; on {#ask}\n\nOne 日本.\n\nTwo\n\n[r]: http://x.invalid\n"
    document = parsed("a.md", text)
    assert document.title == "😀 The ask command here é & on"
    assert [(p.start, p.end, p.text) for p in document.passages] == [(3, 5, "One 日本.\n\nTwo")]


def test_heading_of_an_empty_section_goes_to_the_first_passage_below_it() -> None:
    document = parsed("a.md", "# Top\n\n## Below\n\ntext\n")
    assert len(document.passages) == 1
    assert {("heading", "Top"), ("heading", "Below")} <= names(document, 0)


def test_title_is_the_first_heading_else_the_file_stem() -> None:
    assert parsed("a.md", "## First\n\ntext").title == "First"
    assert parsed("notes.txt", "text").title == "notes"
    assert parsed("notes.txt", "text").passages[0].title == "notes"


def test_a_thematic_break_at_the_top_is_no_front_matter() -> None:
    assert parsed("a.md", "---\n\nWords.\n\n---\n").passages[0].start <= 3


def test_paragraphs_are_packed_within_a_section_and_never_over_its_end() -> None:
    document = parsed("a.md", "# A\n\none\n\ntwo\n\n# B\n\nthree\n")
    assert [p.text for p in document.passages] == ["one\n\ntwo", "three"]


def test_cells_that_a_table_lacks_are_no_blocks_of_their_own() -> None:
    document = parsed("a.md", "| a | b | c |\n|---|---|---|\n| 1\n# Next\n\nText.\n")
    assert [(passage.start, passage.end) for passage in document.passages] == [(1, 3), (6, 6)]


def test_long_paragraph_is_cut_at_sentence_ends() -> None:
    text = " ".join(f"Sentence number {n} is here." for n in range(100))
    document = parsed("a.txt", text, 200)
    assert all(p.text.endswith(".") and p.text.startswith("Sentence") for p in document.passages)
    assert {(p.start, p.end) for p in document.passages} == {(1, 1)}


def test_copies_of_a_text_have_ids_of_their_own_and_an_edit_elsewhere_keeps_them() -> None:
    before = parsed("a.md", "# A\n\nsame\n\n# B\n\nsame\n")
    after = parsed("a.md", "# New\n\nmore\n\n# A\n\nsame\n\n# B\n\nsame\n")
    ids = [p.passage_id for p in before.passages]
    assert len(set(ids)) == 2
    assert [p.passage_id for p in after.passages][1:] == ids
    assert before.digest != after.digest


def test_restructured_text_sections_and_no_included_file() -> None:
    source = """\
=====
Title
=====

.. include:: /etc/passwd

.. raw:: html
   :file: /etc/passwd

Part ``one``
------------

Words here::

   literal

.. unknown-directive:: x
"""
    document = parsed("a.rst", source)
    assert [(p.start, p.end, p.section) for p in document.passages] == [
        (5, 8, ("Title",)),
        (13, 17, ("Title", "Part one")),
    ]
    assert not any("root:" in p.text for p in document.passages)


def test_restructured_text_without_docutils_is_plain_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.corpus.parsers import restructured

    monkeypatch.setattr(restructured, "_MAX_CHARS", 10)
    document, notes = parse(b"Title\n=====\n\nwords", name="d/a.rst", filename="a.rst", limit=1200)
    assert "plain paragraphs" in notes[0]
    assert document.passages[0].text.startswith("Title")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfwords", "words"),
        ("wörds".encode("utf-16"), "wörds"),
        ("wörds".encode("utf-32"), "wörds"),
        (b"a\x1b]0;x\x07b", "a\u241b]0;x\u2407b"),
    ],
)
def test_encodings_and_control_characters(data: bytes, text: str) -> None:
    assert parsed("a.txt", data).passages[0].text == text


@pytest.mark.parametrize(
    ("filename", "data", "reason"),
    [
        ("a.txt", b"a\0b", "binary"),
        ("a.md", b"good \xff bad", "not UTF-8 text (byte 5)"),
        ("a.md", b"\n \t\n", "no text"),
        ("a.pdf", b"just text", "not a readable PDF"),
        ("a.docx", b"just text", "not a readable Word document"),
    ],
)
def test_what_cannot_be_read_says_why(filename: str, data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match="^" + reason.replace("(", r"\(").replace(")", r"\)")):
        parsed(filename, data)


def test_fingerprint_follows_the_size_of_passages() -> None:
    assert fingerprint("a.md", 1200) != fingerprint("a.md", 900)
