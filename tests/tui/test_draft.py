"""The answer while it is written: the same lines in pieces as at once, and little work for each piece."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.glyphs import ASCII, UNICODE
from tui.panes import draft
from tui.panes.draft import Draft

TEXT = """\
# Heading

A **bold** word, `code` and [1].

- first item that is long enough to be wrapped at this width
- second

3. third

```
fenced   code

after a blank line
```

> quoted

| a | b |
| 1 | 2 |
"""
PIECE = st.sampled_from([*TEXT.split(" "), "\n\n", "\n", "```\n", "- ", "x" * 90, "日本 "])


def lines(rows: list[draft.Row]) -> list[str]:
    return [row.text for row in rows]


def test_markdown_is_shown_as_lines() -> None:
    made = Draft()
    made.show(TEXT, 30, UNICODE)
    assert lines(made.rows) == [
        "Heading", "",
        "A bold word, code and [1].", "",
        "· first item that is long", "  enough to be wrapped at this", "  width", "· second", "",
        "3. third", "",
        "  fenced   code", "  ", "  after a blank line", "",
        "│ quoted", "",
        "| a | b |", "| 1 | 2 |", "",
    ]  # fmt: skip
    assert ("bold", "strong") in made.rows[2].parts


@settings(deadline=None)
@given(st.lists(PIECE, max_size=60), st.integers(9, 60))
def test_pieces_give_the_lines_of_the_whole(pieces: list[str], width: int) -> None:
    growing, whole = Draft(), Draft()
    text = ""
    for piece in pieces:
        text += piece
        kept = growing.show(text, width, ASCII)
        assert 0 <= kept <= len(growing.rows)
    whole.show(text, width, ASCII)
    assert growing.rows == whole.rows


def test_only_the_paragraph_being_written_is_read_again() -> None:
    made = Draft()
    read: list[int] = []
    rows_of = draft._block_rows
    try:
        draft._block_rows = lambda text, *rest: read.append(len(text)) or rows_of(text, *rest)  # type: ignore[func-returns-value]
        text = ""
        for number in range(1_500):
            text += f"word{number} " + ("\n\n" if number % 60 == 59 else "")
            made.show(text, 70, UNICODE)
    finally:
        draft._block_rows = rows_of
    assert max(read) < 700
    assert len(made.rows) > 150


def test_a_line_of_a_megabyte_is_taken_in_pieces() -> None:
    made = Draft()
    made.show("x" * 1_000_000, 70, UNICODE)
    assert len(made.rows) > 14_000
    kept = made.show("x" * 1_000_000 + "y", 70, UNICODE)
    assert kept > 14_000


def test_nothing_in_it_can_act() -> None:
    made = Draft()
    made.show("a\x1b]52;c;aGk=\x07 [@click=app.quit]x[/] \u202eb <script>", 70, UNICODE)
    assert lines(made.rows)[0] == "a␛]52;c;aGk=␇ [@click=app.quit]x[/] \ufffdb <script>"
