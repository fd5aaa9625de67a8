"""Which tree-sitter grammar reads which file, and what counts as a definition in each language."""

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tree_sitter import Parser


class Grammar(msgspec.Struct, frozen=True):
    """A grammar wheel, its entry point, and node types.

    ``definitions`` define a symbol; ``containers`` among them hold more definitions; ``wrappers``
    (export statements, template headers, decorators) stand around one and belong to it.
    """

    module: str
    entry: str
    definitions: frozenset[str]
    containers: frozenset[str] = frozenset()
    wrappers: frozenset[str] = frozenset()


def _grammar(
    module: str, definitions: str, containers: str = "", wrappers: str = "", entry: str = "language"
) -> Grammar:
    inner = frozenset(containers.split())
    return Grammar(
        f"tree_sitter_{module}",
        entry,
        frozenset(definitions.split()) | inner,
        inner,
        frozenset(wrappers.split()),
    )


_SCRIPT = "function_declaration generator_function_declaration method_definition variable_declarator"
_SCRIPT_WRAPPERS = "export_statement lexical_declaration variable_declaration expression_statement"
_TYPED = f"{_SCRIPT} type_alias_declaration enum_declaration function_signature abstract_method_signature"
_TYPED_CONTAINERS = (
    "class_declaration abstract_class_declaration interface_declaration internal_module module"
)
_C = (
    "function_definition struct_specifier union_specifier enum_specifier type_definition preproc_function_def"
)
_C_WRAPPERS = "preproc_if preproc_ifdef preproc_else linkage_specification declaration_list declaration"

PYTHON = _grammar("python", "function_definition", "class_definition", "decorated_definition")
JAVASCRIPT = _grammar("javascript", _SCRIPT, "class_declaration", _SCRIPT_WRAPPERS)
TYPESCRIPT = _grammar("typescript", _TYPED, _TYPED_CONTAINERS, _SCRIPT_WRAPPERS, "language_typescript")
TSX = _grammar("typescript", _TYPED, _TYPED_CONTAINERS, _SCRIPT_WRAPPERS, "language_tsx")
GO = _grammar("go", "function_declaration method_declaration type_spec type_alias", "", "type_declaration")
RUST = _grammar(
    "rust",
    "function_item function_signature_item struct_item enum_item union_item type_item macro_definition "
    "const_item",
    "impl_item trait_item mod_item",
    "foreign_mod_item",
)
C = _grammar("c", _C, "", _C_WRAPPERS)
CPP = _grammar(
    "cpp",
    f"{_C} alias_declaration concept_definition",
    "class_specifier struct_specifier namespace_definition",
    f"{_C_WRAPPERS} template_declaration",
)
JAVA = _grammar(
    "java",
    "method_declaration constructor_declaration annotation_type_declaration",
    "class_declaration interface_declaration enum_declaration record_declaration",
    "enum_body_declarations",
)
BASH = _grammar("bash", "function_definition")

BY_SUFFIX: dict[str, Grammar] = {
    **dict.fromkeys((".py", ".pyi"), PYTHON),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), JAVASCRIPT),
    **dict.fromkeys((".ts", ".mts", ".cts"), TYPESCRIPT),
    ".tsx": TSX,
    ".go": GO,
    ".rs": RUST,
    **dict.fromkeys((".c", ".h"), C),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), CPP),
    ".java": JAVA,
    **dict.fromkeys((".sh", ".bash"), BASH),
}


def installed(suffix: str) -> bool:
    """Return whether the grammar for files of ``suffix`` is installed."""
    grammar = BY_SUFFIX[suffix]
    return find_spec("tree_sitter") is not None and find_spec(grammar.module) is not None


@cache
def parser_for(suffix: str) -> "Parser":
    """Return the tree-sitter parser for files of ``suffix``; ImportError if it is not installed."""
    from importlib import import_module

    from tree_sitter import Language, Parser

    grammar = BY_SUFFIX[suffix]
    return Parser(Language(getattr(import_module(grammar.module), grammar.entry)()))
