"""Which embedder makes the vectors: what ``embedding.embedder`` comes to."""

from engine.config import Settings
from engine.embedding.base import Embedder
from engine.errors import ModelUnavailableError


async def open_embedder(settings: Settings) -> Embedder:
    """Return the embedder of the settings. The caller closes it.

    ``auto`` is the server's model where ``embedding.model_name`` names one, else the ``embed`` extra.
    Raises ModelUnavailableError, with the mend, if there is none.
    """
    from engine.embedding.minilm import MiniLm
    from engine.embedding.served import ServedEmbedder

    wanted = settings.embedding
    if wanted.embedder == "ollama" and not wanted.model_name:
        raise ModelUnavailableError(
            "no embedding model is named", "set embedding.model_name, such as nomic-embed-text"
        )
    if wanted.embedder == "minilm" or not wanted.model_name:
        return MiniLm()
    return await ServedEmbedder.open(settings.ollama, wanted)
