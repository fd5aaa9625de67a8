"""Source code: a section for each function and class, named by the symbol it defines.

tree-sitter reads broken source too. Without it, or for a language it has no grammar for here, the
blocks between blank lines are taken as they stand.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from engine.cleaning import one_line
from engine.corpus.parsers.grammars import BY_SUFFIX, Grammar, installed, parser_for
from engine.corpus.parsers.outline import Original, Outline, Section, blank_line_blocks
from engine.corpus.records import Name

if TYPE_CHECKING:
    from tree_sitter import Node

MISSING = "source code was read without its symbols; to find them by name: pip install 'persona-moe[code]'"
_MAX_DEPTH = 40
_LEADING = frozenset({"comment", "line_comment", "block_comment", "attribute_item", "decorator"})
_NAME_FIELDS = ("name", "declarator", "type", "trait")
_WORD = re.compile(r"\w")
_PLAIN_NAME = re.compile(r"[~\w$.:]{1,200}")
_FUNCTION_VALUES = frozenset({"arrow_function", "function_expression", "generator_function", "class"})


class _Definition(msgspec.Struct, frozen=True):
    first: int
    last: int
    path: tuple[str, ...]
    container: bool
    inner: "tuple[_Definition, ...]"


def _symbol(node: "Node") -> str:
    """Return the name a definition gives itself, "" if it has none."""
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        if value is None or value.type not in _FUNCTION_VALUES:
            return ""
    if node.type in {"struct_specifier", "union_specifier", "enum_specifier", "class_specifier"} and (
        node.child_by_field_name("body") is None
    ):
        return ""
    found = node
    for _ in range(_MAX_DEPTH):
        inner = next((child for field in _NAME_FIELDS if (child := found.child_by_field_name(field))), None)
        if inner is None or found.type in {
            "qualified_identifier",
            "template_function",
            "scoped_type_identifier",
        }:
            break
        found = inner
    if found is node or found.text is None:
        return ""
    plain = _PLAIN_NAME.match(found.text.decode("utf-8", "replace").strip("\"'"))
    return one_line(plain[0]).replace("::", ".") if plain else ""


def _receiver(node: "Node") -> str:
    receiver = node.child_by_field_name("receiver")
    if receiver is None or receiver.text is None:
        return ""
    words = re.findall(r"\w+", receiver.text.decode("utf-8", "replace").split("[")[0])
    return words[-1] if words else ""


def _definitions(
    node: "Node", grammar: Grammar, path: tuple[str, ...], depth: int = 0
) -> Iterator[_Definition]:
    """Yield the definitions below ``node`` in order, each with the comments that lead to it."""
    lead = 0
    previous_last = -1
    for child in node.named_children:
        first, last = child.start_point.row + 1, _last_row(child) + 1
        if child.type in _LEADING:
            # A comment behind code on the same line belongs to that code.
            if first > previous_last and (not lead or first != previous_last + 1):
                lead = first
            previous_last = last
            continue
        if lead and previous_last + 1 < first:
            lead = 0
        begin = lead or first
        lead, previous_last = 0, last
        symbol = _symbol(child) if child.type in grammar.definitions else ""
        if symbol:
            owner = _receiver(child)
            own = (*path, *filter(None, (owner, *symbol.split("."))))
            container = child.type in grammar.containers
            inner: tuple[_Definition, ...] = ()
            body = child.child_by_field_name("body")
            if container and body is not None and depth < _MAX_DEPTH:
                inner = tuple(_definitions(body, grammar, own, depth + 1))
            yield _Definition(begin, last, own, container, inner)
        elif child.type in grammar.wrappers and depth < _MAX_DEPTH:
            for at, found in enumerate(_definitions(child, grammar, path, depth + 1)):
                lone = len(child.named_children) <= 2
                yield _widened(
                    found,
                    begin if at == 0 and (lone or child.type != "declaration_list") else found.first,
                    last,
                    lone,
                )


def _widened(found: _Definition, first: int, last: int, lone: bool) -> _Definition:
    return msgspec.structs.replace(found, first=first, last=last if lone else found.last)


def _last_row(node: "Node") -> int:
    end = node.end_point
    return max(end.row - 1 if end.column == 0 else end.row, node.start_point.row)


class _Sections:
    """Turns nested definitions into sections that follow each other and never overlap."""

    def __init__(self, lines: list[str], limit: int) -> None:
        self.lines = lines
        self.limit = limit
        self.sections: list[Section] = []
        self.names: list[tuple[int, Name]] = []

    def cover(
        self,
        first: int,
        last: int,
        path: tuple[str, ...],
        found: tuple[_Definition, ...],
        names: tuple[Name, ...],
    ) -> None:
        """Make sections of lines first..last of the symbol ``path``, with ``found`` in it."""
        at = first
        for definition in found:
            begin = max(definition.first, at)
            if definition.last < begin:  # it shares its line with the one before
                self.name_inside(definition, max(at - 1, first))
                continue
            if begin > at:
                self.add(at, begin - 1, path, names)
                names = ()
            size = sum(len(line) + 1 for line in self.lines[begin - 1 : definition.last])
            if definition.container and definition.inner and size > self.limit:
                self.cover(
                    begin, definition.last, definition.path, definition.inner, symbols(definition.path)
                )
            else:
                self.add(begin, definition.last, definition.path, symbols(definition.path))
                for inner in definition.inner:
                    self.name_inside(inner, inner.first)
            at = definition.last + 1
        if at <= last:
            self.add(at, last, path, names)
        else:
            self.names.extend((at - 1, name) for name in names)

    def name_inside(self, definition: _Definition, line: int) -> None:
        self.names.extend((line, name) for name in symbols(definition.path))
        for inner in definition.inner:
            self.name_inside(inner, max(inner.first, line))

    def add(self, first: int, last: int, path: tuple[str, ...], names: tuple[Name, ...]) -> None:
        blocks = [
            block
            for block in blank_line_blocks(self.lines, first, last, prose=False)
            if any(_WORD.search(self.lines[number - 1]) for number in range(block.first, block.last + 1))
        ]
        if blocks or names:
            self.sections.append(Section(path=path, title=".".join(path), names=names, blocks=blocks))


def symbols(path: tuple[str, ...]) -> tuple[Name, ...]:
    """Return the names of a symbol: qualified, and bare if that differs.

    >>> [name.text for name in symbols(("Store", "put"))]
    ['Store.put', 'put']
    """
    return tuple(Name(text, "symbol") for text in dict.fromkeys((".".join(path), path[-1])))


def outline(original: Original) -> Outline:
    """Return the functions and classes of source code as sections, or its blank-line blocks."""
    lines = original.text.split("\n")
    suffix = original.suffix
    if suffix not in BY_SUFFIX or not installed(suffix):
        notes = [MISSING] if suffix in BY_SUFFIX else []
        blocks = blank_line_blocks(lines, 1, len(lines), prose=False)
        return Outline(kind="code", text=original.text, sections=[Section(blocks=blocks)], notes=notes)
    tree = parser_for(suffix).parse(original.text.encode())
    found = tuple(_definitions(tree.root_node, BY_SUFFIX[suffix], ()))
    made = _Sections(lines, original.limit)
    made.cover(1, len(lines), (), found, ())
    return Outline(kind="code", text=original.text, sections=made.sections, names=made.names)
