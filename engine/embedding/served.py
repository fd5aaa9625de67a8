"""An embedder behind an Ollama server: the model that the settings name."""

from collections.abc import Sequence

from engine.config import EmbeddingSettings, OllamaSettings
from engine.corpus.vectors import EmbedderRef
from engine.errors import ModelUnavailableError
from engine.ids import digest
from engine.models.choose import endpoints_of
from engine.models.ollama import OllamaModel


class ServedEmbedder:
    """A server's embedding model, asked through the same pool of servers as the one that writes."""

    reusable = False

    def __init__(self, chat: OllamaModel, settings: EmbeddingSettings, ref: EmbedderRef) -> None:
        self.ref = ref
        self._chat, self._settings = chat, settings

    @classmethod
    async def open(cls, ollama: OllamaSettings, settings: EmbeddingSettings) -> "ServedEmbedder":
        """Return the embedder, its digest and size asked of the server. The caller closes it.

        Raises ModelUnavailableError if no server has the model, or it makes no vectors.
        """
        chat = OllamaModel(ollama, endpoints_of(ollama))
        try:
            info = await chat.capabilities(settings.model_name)
            if info.capabilities and "embedding" not in info.capabilities:
                raise ModelUnavailableError(
                    f"the model {info.name!r} makes no vectors",
                    "name an embedding model in embedding.model_name",
                )
            (probe,) = await chat.embed(info.name, ["size"])
        except BaseException:
            await chat.aclose()
            raise
        prefixes = (settings.question_prefix, settings.passage_prefix)
        made_by = digest("embedder.v1", info.name, info.digest, *prefixes)
        return cls(chat, settings, EmbedderRef(name=info.name, digest=made_by, dims=len(probe)))

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        """Return a vector for each text, under the prefix that the model wants for its kind."""
        prefix = self._settings.question_prefix if question else self._settings.passage_prefix
        return await self._chat.embed(self.ref.name, [prefix + text for text in texts])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._chat.aclose()
