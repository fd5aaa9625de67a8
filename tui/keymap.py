"""Every action of the app in one list: keys, footer, help, palette, docs and remapping come from it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from textual.binding import Binding

Scope: TypeAlias = Literal[
    "app", "main", "ask", "list", "personas", "roster", "card", "import", "prompt",
    "replay", "reader", "runs", "compare", "models", "dialog",
]  # fmt: skip

SCOPES: Final[dict[Scope, str]] = {
    "app": "Everywhere",
    "ask": "In the question",
    "main": "In a pane",
    "list": "In a list or tree",
    "personas": "In the personas pane",
    "roster": "In the roster of personas",
    "card": "In a persona's card",
    "import": "In an import of personas",
    "prompt": "Where something is asked for",
    "replay": "While a run is replayed",
    "reader": "In a passage, card or node",
    "runs": "In the list of runs",
    "compare": "In a comparison of two runs",
    "models": "In the list of models",
    "dialog": "In any other window",
}


class Action(msgspec.Struct, frozen=True):
    """One thing that a key does. ``keys`` are Textual's names, comma-separated; ``footer`` shows it there."""

    id: str
    scope: Scope
    keys: str
    label: str
    help: str
    footer: bool = False
    priority: bool = False


ACTIONS: Final = (
    Action("app.help", "app", "f1,question_mark", "Help", "all keys, by where they work", True),
    Action("app.palette", "app", "ctrl+p,colon", "Commands", "find any action by name"),
    Action(
        "app.stop", "app", "ctrl+c", "Stop", "stop the run, else indexing; what is done stays", False, True
    ),
    Action("app.quit", "app", "ctrl+q", "Quit", "leave; a run that goes on is stopped and kept", False, True),
    Action("ask.send", "ask", "enter", "Ask", "ask the question", True, True),
    Action("ask.newline", "ask", "alt+enter,ctrl+n", "New line", "start a new line", True, True),
    Action("ask.earlier", "ask", "up", "Earlier", "the question before, from the first line", True),
    Action("ask.later", "ask", "down", "Later", "the question after, from the last line"),
    Action("ask.complete", "ask", "tab", "Complete", "complete @persona or a document, else next pane", True),
    Action("ask.leave", "ask", "escape", "To the panes", "leave the question; stops a run", True),
    Action("main.ask", "main", "i", "Ask", "go to the question", True),
    Action("main.pane_1", "main", "1", "Answer", "go to the answer"),
    Action("main.pane_2", "main", "2", "Graph", "go to the graph"),
    Action("main.pane_3", "main", "3", "Personas", "go to the personas"),
    Action("main.pane_4", "main", "4", "Evidence", "go to evidence and scores"),
    Action("main.pane_5", "main", "5", "Timeline", "go to the timeline"),
    Action("main.stop", "main", "s,escape", "Stop", "stop the run, else indexing; what is done stays"),
    Action("main.again", "main", "R", "Ask again", "ask again, and look for the model again"),
    Action("main.cite", "main", "c", "Citations", "open the first citation in its context", True),
    Action("main.zoom", "main", "z", "Zoom", "one pane on the whole screen, and back", True),
    Action("main.wider", "main", "plus,equals_sign", "Wider", "more room for the left side"),
    Action("main.narrower", "main", "minus", "Narrower", "less room for the left side"),
    Action("main.taller", "main", "K", "Taller", "more height for this pane"),
    Action("main.shorter", "main", "J", "Shorter", "less height for this pane"),
    Action("main.edges", "main", "e", "Edges", "the edges of the node beside the graph, or not"),
    Action("main.runs", "main", "r", "Runs", "recorded runs: open one to replay it", True),
    Action("main.roster", "main", "P", "All personas", "the roster: find, change, move, compare, share"),
    Action("main.sessions", "main", "o", "Sessions", "go on with an earlier session", True),
    Action("main.new_session", "main", "N", "New session", "what was asked before is not followed"),
    Action("main.models", "main", "M", "Models", "who writes: pick a model, fetch one", True),
    Action("main.index", "main", "a", "Add documents", "index a file or folder", False),
    Action("main.copy", "main", "y", "Copy", "copy the answer with its sources", False),
    Action("main.copy_line", "main", "Y", "Copy line", "copy the line under the cursor"),
    Action("main.write", "main", "w", "Write", "write the answer with its sources to a file"),
    Action("main.theme", "main", "T", "Theme", "next theme: dark, light, contrast, the terminal's own"),
    Action("main.quit", "main", "q", "Quit", "leave; a run that goes on is stopped and kept"),
    Action("list.up", "list", "up,k", "Up", "one line up"),
    Action("list.down", "list", "down,j", "Down", "one line down"),
    Action("list.first", "list", "home,g", "First", "to the first line"),
    Action("list.last", "list", "end,G", "Last", "to the last line"),
    Action("list.page_up", "list", "pageup,ctrl+u", "Page up", "half a page up"),
    Action("list.page_down", "list", "pagedown,ctrl+d", "Page down", "half a page down"),
    Action("list.fold", "list", "space", "Fold", "open or close the line"),
    Action("list.in", "list", "right,l", "Open", "open the line, or go into it"),
    Action("list.out", "list", "left,h", "Close", "close the line, or go to the one above it"),
    Action("list.choose", "list", "enter", "Details", "all about the line: passage, node, card, moment"),
    Action("personas.promote", "personas", "p", "Promote", "one tier up", True),
    Action("personas.demote", "personas", "d", "Demote", "one tier down", True),
    Action("personas.undo", "personas", "u", "Undo", "take back what was last done to personas", True),
    Action(
        "personas.roster", "personas", "P", "All", "all personas: find, change, move, compare, share", True
    ),
    Action("roster.filter", "roster", "slash", "Filter", "show only those that hold all these words", True),
    Action("roster.sort", "roster", "o", "Sort", "sort by the next column", True),
    Action("roster.reverse", "roster", "O", "Turn round", "sort the other way round"),
    Action("roster.mark_all", "roster", "A", "Mark all", "mark all that are shown, or none"),
    Action("roster.promote", "roster", "p", "Up", "one tier up: the marked ones, else this one", True),
    Action("roster.demote", "roster", "d", "Down", "one tier down", True),
    Action("roster.prune", "roster", "x", "Prune", "into the archive", True),
    Action("roster.retire", "roster", "X", "Retire", "into the archive, and pinned there"),
    Action("roster.restore", "roster", "v", "Restore", "undo the last move in its history"),
    Action("roster.pin", "roster", "f", "Pin", "pin, so that the lifecycle leaves it alone, or unpin"),
    Action("roster.undo", "roster", "u", "Undo", "take back what was last done, all session long", True),
    Action("roster.compare", "roster", "c", "Compare", "compare the marked ones side by side", True),
    Action("roster.new", "roster", "n", "New", "make one: blank, clone, template, from a paragraph", True),
    Action("roster.take_in", "roster", "I", "Import", "import files, folders, bundles"),
    Action("roster.give_out", "roster", "E", "Export", "export the marked ones, else all but the pruned"),
    Action(
        "roster.close", "roster", "escape,q", "Close", "end the filter, then the marks, then go back", True
    ),
    Action("card.more", "card", "plus,equals_sign", "More", "turn the trait or cost up, as right and l do"),
    Action("card.less", "card", "minus", "Less", "turn the trait or cost down, as left and h do"),
    Action("card.set", "card", "1,2,3,4,5,6,7,8,9", "Set", "set the trait"),
    Action("card.trait", "card", "a", "Add trait", "add a trait: name and value"),
    Action("card.remove", "card", "delete,backspace", "Remove", "take the trait out"),
    Action("card.save", "card", "w", "Save", "save what was changed", True),
    Action("card.discard", "card", "z", "Discard", "discard the changes; again brings them back", True),
    Action("card.editor", "card", "e", "Editor", "edit the file in $VISUAL or $EDITOR", True),
    Action(
        "card.try_out", "card", "t", "Try", "run it alone on the last question, the draft beside it", True
    ),
    Action("card.promote", "card", "p", "Up", "one tier up", True),
    Action("card.demote", "card", "d", "Down", "one tier down", True),
    Action("card.prune", "card", "x", "Prune", "into the archive"),
    Action("card.retire", "card", "X", "Retire", "into the archive, and pinned there"),
    Action("card.restore", "card", "v", "Restore", "undo the last move in its history"),
    Action("card.pin", "card", "f", "Pin", "pin, so that the lifecycle leaves it alone, or unpin"),
    Action("card.undo", "card", "u", "Undo", "take back what was last done, all session long", True),
    Action("card.next", "card", "right_square_bracket,n", "Next", "the next persona of the roster"),
    Action("card.previous", "card", "left_square_bracket,N", "Previous", "the persona before"),
    Action("card.copy", "card", "y", "Copy", "copy the card"),
    Action("card.close", "card", "escape,q", "Close", "back; unsaved changes are kept for later", True),
    Action("import.skip", "import", "s", "Skip", "leave the one here as it is", True),
    Action("import.replace", "import", "r", "Replace", "replace the one here; undo brings it back", True),
    Action("import.rename", "import", "n", "Rename", "take it in under another id", True),
    Action("import.carry_out", "import", "w", "Take in", "carry out what is shown", True),
    Action("import.close", "import", "escape,q", "Close", "back; nothing is taken in", True),
    Action("prompt.cancel", "prompt", "escape", "Leave", "leave it as it was", True),
    Action("replay.play", "replay", "space", "Play/pause", "go on, or hold", True, True),
    Action("replay.next", "replay", "full_stop", "Step", "one event forward", True),
    Action("replay.previous", "replay", "comma", "Back", "one event back", True),
    Action(
        "replay.next_decision",
        "replay",
        "right_square_bracket",
        "Next decision",
        "to the next decision",
        True,
    ),
    Action("replay.previous_decision", "replay", "left_square_bracket", "Decision before", "to that before"),
    Action("replay.onward", "replay", "right_curly_bracket", "Onward", "a tenth of the run forward"),
    Action("replay.backward", "replay", "left_curly_bracket", "Backward", "a tenth of the run back"),
    Action("replay.faster", "replay", "greater_than_sign", "Faster", "twice the speed"),
    Action("replay.slower", "replay", "less_than_sign", "Slower", "half the speed"),
    Action("replay.start", "replay", "0", "Start", "to the first event"),
    Action("replay.end", "replay", "dollar_sign", "End", "to the last event"),
    Action("replay.close", "replay", "escape", "Leave", "back to the last live run", True),
    Action("reader.next", "reader", "n", "Next", "the next citation or passage", True),
    Action("reader.previous", "reader", "N,p", "Previous", "the citation or passage before", True),
    Action("reader.copy", "reader", "y", "Copy", "copy this text", True),
    Action("reader.close", "reader", "escape,q", "Close", "back", True),
    Action("runs.mark", "runs", "m", "Mark", "mark the run, or take the mark off", True),
    Action("runs.compare", "runs", "c", "Compare", "the two marked, or the marked and this one", True),
    Action("runs.close", "runs", "escape,q", "Close", "back", True),
    Action("compare.left", "compare", "less_than_sign", "Replay left", "replay the run on the left", True),
    Action("compare.right", "compare", "greater_than_sign", "Replay right", "replay the other", True),
    Action("compare.copy", "compare", "y", "Copy", "copy the comparison", True),
    Action("compare.close", "compare", "escape,q", "Close", "back", True),
    Action("models.pull", "models", "p", "Fetch", "have the server fetch a model", True),
    Action("models.cancel_pull", "models", "x", "Stop fetching", "what is there of it stays", True),
    Action("models.retry", "models", "R", "Ask again", "ask the servers again", True),
    Action("models.close", "models", "escape", "Close", "back", True),
    Action("dialog.close", "dialog", "escape,q", "Close", "back", True),
)
BY_ID: Final = {action.id: action for action in ACTIONS}


def bindings(scope: Scope) -> "list[Binding | tuple[str, str] | tuple[str, str, str]]":
    """Return the keys of ``scope`` as Textual wants them; the action's name is the id after the dot.

    >>> len(bindings("dialog"))
    1
    """
    from textual.binding import Binding

    return [
        Binding(
            action.keys,
            action.id.partition(".")[2],
            action.label,
            show=action.footer,
            tooltip=action.help,
            id=action.id,
            priority=action.priority,
        )
        for action in ACTIONS
        if action.scope == scope
    ]


def actions_of(place: object) -> "Iterator[Action]":
    """Yield the actions whose keys work at ``place``, a widget, a screen or the app."""
    for kind in type(place).__mro__:
        for binding in vars(kind).get("BINDINGS", ()):
            if (action := BY_ID.get(getattr(binding, "id", None) or "")) is not None:
                yield action


_WORDS: Final = {
    "question_mark": "?", "colon": ":", "full_stop": ".", "comma": ",", "right_square_bracket": "]",
    "left_square_bracket": "[", "greater_than_sign": ">", "less_than_sign": "<",
    "right_curly_bracket": "}", "left_curly_bracket": "{", "dollar_sign": "$",
    "plus": "+", "equals_sign": "=", "minus": "-", "escape": "esc", "slash": "/",
}  # fmt: skip


def shown(keys: str) -> str:
    """Return ``keys`` as a person reads them.

    >>> shown("pagedown,ctrl+d"), shown("greater_than_sign")
    ('pagedown  ctrl+d', '>')
    """
    return "  ".join(_WORDS.get(key.strip(), key.strip()) for key in keys.split(","))


def table(keymap: Mapping[str, str] | None = None) -> str:
    """Return the table of keys for the documentation, in Markdown, one part for each scope."""
    lines: list[str] = []
    for scope, title in SCOPES.items():
        lines += [f"### {title}", "", "| Key | Action | Does |", "|---|---|---|"]
        for action in ACTIONS:
            if action.scope == scope:
                keys = (keymap or {}).get(action.id, action.keys)
                named = " ".join(f"`{each}`" for each in shown(keys).split("  "))
                lines.append(f"| {named} | `{action.id}` | {action.help} |")
        lines.append("")
    return "\n".join(lines)
