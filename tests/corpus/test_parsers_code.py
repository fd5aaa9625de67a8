"""Source code: symbols, their passages and positions, in each language."""

import pytest

from engine.corpus.parsers import code, parse
from engine.corpus.records import ParsedDocument


def parsed(filename: str, source: str, limit: int = 1200) -> ParsedDocument:
    return parse(source.encode(), name=f"d/{filename}", filename=filename, limit=limit)[0]


def homes(document: ParsedDocument) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for passage in document.passages:
        for name in passage.names:
            if name.kind == "symbol":
                found.setdefault(name.text, (passage.start, passage.end))
    return found


PYTHON = '''\
"""What the module does."""
import os

# leads to f
@decorated
def f(a):
    return a

class Store:
    """Keeps things."""

    size = 1

    def put(self):
        """Add."""
        return 1

    def get(self):
        return 2
'''


def test_python_functions_and_a_class_that_fits() -> None:
    document = parsed("store.py", PYTHON)
    assert homes(document) == {
        "f": (4, 7),
        "Store": (9, 19),
        "Store.put": (9, 19),
        "put": (9, 19),
        "Store.get": (9, 19),
        "get": (9, 19),
    }
    assert document.passages[0].text.startswith('"""What the module does."""')
    assert document.passages[0].title == "store"


def test_python_class_that_is_too_long_gives_each_method_its_passage() -> None:
    document = parsed("store.py", PYTHON, limit=120)
    assert homes(document)["Store"] == (9, 12)
    assert homes(document)["Store.put"] == homes(document)["put"] == (14, 16)
    put = next(p for p in document.passages if p.start == 14)
    assert (put.title, put.section) == ("Store.put", ("Store", "put"))


def test_function_that_is_too_long_is_split_at_blank_lines() -> None:
    body = "\n\n".join(f"    step_{n} = {n}\n    use(step_{n})" for n in range(12))
    document = parsed("a.py", f"def run():\n{body}\n", limit=150)
    assert len(document.passages) > 2
    assert all(p.text.split("\n")[0].lstrip().startswith(("step", "def")) for p in document.passages)
    assert homes(document) == {"run": (1, document.passages[0].end)}


CASES = {
    "a.js": (
        "/** doc */\nexport function load(a) {}\nconst save = (b) => { return b }\n"
        "class K { run() {} }\nconst n = 3\n",
        {"load": (1, 2), "save": (3, 3), "K": (4, 4), "K.run": (4, 4), "run": (4, 4)},
    ),
    "a.ts": (
        "export interface I { x: number }\ntype T = string\n"
        "namespace N { export function h() {} }\nenum E { A }\n",
        {"I": (1, 1), "T": (2, 2), "N": (3, 3), "N.h": (3, 3), "h": (3, 3), "E": (4, 4)},
    ),
    "a.tsx": ("export const View = () => <b>hi</b>\n", {"View": (1, 1)}),
    "a.go": (
        "package x\n\n// Put puts.\nfunc (s *Store) Put(a int) {}\n\ntype Store struct { a int }\n",
        {"Store.Put": (3, 4), "Put": (3, 4), "Store": (6, 6)},
    ),
    "a.rs": (
        "/// Doc\n#[derive(Debug)]\npub struct P { a: i32 }\nimpl P {\n  fn new() -> P { P{a:1} }\n}\n",
        {"P": (1, 3), "P.new": (4, 6), "new": (4, 6)},
    ),
    "a.c": (
        "#ifdef A\nstatic int *q(void)\n{ return 0; }\n#endif\nstruct s { int x; };\n",
        {"q": (1, 4), "s": (5, 5)},
    ),
    "a.cpp": (
        "namespace ns {\nclass Foo { int get(); };\n}\nint Foo::put(int a) { return a; }\n",
        {"ns": (1, 3), "ns.Foo": (1, 3), "Foo": (1, 3), "Foo.put": (4, 4), "put": (4, 4)},
    ),
    "A.java": (
        "package x;\n/** Doc. */\npublic class Foo {\n  Foo() {}\n"
        "  @Override public int m() { return 1; }\n}\n",
        {"Foo": (2, 6), "Foo.Foo": (2, 6), "Foo.m": (2, 6), "m": (2, 6)},
    ),
    "a.sh": ("# says hi\nhello() {\n  echo hi\n}\n", {"hello": (1, 4)}),
}


@pytest.mark.parametrize("filename", CASES)
def test_symbols_of_each_language(filename: str) -> None:
    source, expected = CASES[filename]
    found = homes(parsed(filename, source))
    assert {name: found.get(name) for name in expected} == expected


def test_broken_source_is_read_as_far_as_it_goes() -> None:
    document = parsed("a.py", "def good():\n    return 1\n\ndef broken(:\n  ][\n\ndef after():\n    pass\n")
    assert {"good", "after"} <= homes(document).keys()


def test_without_the_extra_source_is_cut_at_blank_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(code, "installed", lambda suffix: False)
    document, notes = parse(PYTHON.encode(), name="d/a.py", filename="a.py", limit=60)
    assert len(notes) == 1
    assert "pip install 'persona-moe[code]'" in notes[0]
    assert homes(document) == {}
    assert len(document.passages) > 2
