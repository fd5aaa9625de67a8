"""The settings, typed: one frozen record per file of ``configs/``, every value with its range.

``docs/settings.md`` and the comments in the shipped files say what each setting does.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from engine.config_file import nearest_key, read_settings, write_key
from engine.errors import ConfigError
from engine.ids import canonical, digest, q6
from engine.trait_table import TraitSettings

Share: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Weight: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Url: TypeAlias = Annotated[
    str,
    Meta(
        max_length=300,
        pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?\Z",
        description="an http or https address without user name",
    ),
]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
_NAME: Final = "a model's name: at most 200 visible ASCII characters"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One settings file."""


class SystemSettings(_Part, frozen=True, kw_only=True):
    """``system.toml``: how long a question may take, how loud the program is."""

    max_iterations: Annotated[int, Meta(ge=1, le=10)] = 3
    batch_size: Annotated[int, Meta(ge=1, le=65_536)] = 4096
    workers: Annotated[int, Meta(ge=1, le=32)] = 4
    log_level: LogLevel = "warning"
    enable_caching: bool = True
    seed: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    learn: bool = True
    learn_every: Annotated[int, Meta(ge=1, le=10_000)] = 10
    evolve: bool = False


class ThresholdSettings(_Part, frozen=True, kw_only=True):
    """``thresholds.toml``: who may speak, what counts as support, when a persona moves."""

    pruning_threshold: Share = 0.3
    demotion_threshold: Annotated[float, Meta(ge=0.0, le=0.48)] = 0.4
    promotion_threshold: Annotated[float, Meta(ge=0.52, le=1.0)] = 0.575
    questions_per_wrong_demotion: Annotated[int, Meta(ge=100, le=1_000_000)] = 5000
    min_questions: Annotated[int, Meta(ge=2, le=1000)] = 8
    cool_down: Annotated[int, Meta(ge=0, le=1000)] = 10
    grounding_floor: Share = 0.6
    audition_every: Annotated[int, Meta(ge=2, le=1000)] = 10
    least_lift: Annotated[float, Meta(ge=-1.0, le=1.0)] = 0.01
    activation_threshold: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.02
    budget: Annotated[float, Meta(gt=0.0, le=1000.0)] = 4.0
    max_experts: Annotated[int, Meta(ge=1, le=32)] = 4
    first_round: Annotated[int, Meta(ge=1, le=32)] = 2
    max_rounds: Annotated[int, Meta(ge=1, le=16)] = 3
    support_threshold: Share = 0.6
    weight_relevance: Weight = 0.5
    weight_consistency: Weight = 0.25
    weight_novelty: Weight = 0.25
    grounding_base: Share = 0.25
    unsupported: Literal["remove", "mark"] = "remove"

    def __post_init__(self) -> None:
        if self.pruning_threshold > self.demotion_threshold:
            raise ValueError("pruning_threshold <= demotion_threshold must hold")
        if self.weight_relevance + self.weight_consistency + self.weight_novelty <= 0:
            raise ValueError("one of weight_relevance, weight_consistency, weight_novelty must be above 0")

    @property
    def weights(self) -> tuple[float, float, float]:
        """Return the shares of relevance, consistency and novelty, each in [0, 1], summing to 1.

        >>> ThresholdSettings(weight_relevance=1, weight_consistency=0.5, weight_novelty=0.5).weights
        (0.5, 0.25, 0.25)
        """
        total = self.weight_relevance + self.weight_consistency + self.weight_novelty
        return (
            q6(self.weight_relevance / total),
            q6(self.weight_consistency / total),
            q6(self.weight_novelty / total),
        )


class OllamaSettings(_Part, frozen=True, kw_only=True):
    """``ollama.toml``: which model writes, and where it is served."""

    provider: Literal["auto", "ollama", "extractive"] = "auto"
    model_name: Annotated[str, Meta(max_length=200, pattern=r"^[\x21-\x7e]*\Z", description=_NAME)] = ""
    temperature: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.0
    max_tokens: Annotated[int, Meta(ge=1, le=131072)] = 1024
    api_endpoint: Annotated[
        Url | Annotated[list[Url], Meta(min_length=1, max_length=16)],
        Meta(description="an http or https address without user name, or a list of up to 16"),
    ] = "http://127.0.0.1:11434"
    max_experts: Annotated[int, Meta(ge=1, le=32)] = 2
    context_tokens: Annotated[int, Meta(ge=0, le=1_048_576)] = 0
    use_thinking: bool = False
    keep_alive: Annotated[
        str, Meta(pattern=r"^-?[0-9]{1,6}(ms|s|m|h)\Z", description='a duration with its unit, such as "10m"')
    ] = "10m"
    warm_up: Literal["named", "always", "never"] = "named"
    parallel: Annotated[int, Meta(ge=1, le=16)] = 1
    connect_seconds: Annotated[float, Meta(gt=0.0, le=60.0)] = 3.0
    first_token_seconds: Annotated[float, Meta(gt=0.0, le=3600.0)] = 300.0
    stall_seconds: Annotated[float, Meta(gt=0.0, le=3600.0)] = 60.0
    total_seconds: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 900.0

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Return the servers to ask, at least one.

        >>> OllamaSettings().endpoints
        ('http://127.0.0.1:11434',)
        """
        return (self.api_endpoint,) if isinstance(self.api_endpoint, str) else tuple(self.api_endpoint)


Positive: TypeAlias = Annotated[float, Meta(gt=0.0, le=10.0)]
Amount: TypeAlias = Annotated[float, Meta(ge=0.0, le=10.0)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=100_000)]
Depth: TypeAlias = Annotated[int, Meta(ge=1, le=1000)]


class HomeKinds(_Part, frozen=True, kw_only=True):
    """What each thing that makes a passage the home of a name is worth."""

    title: Share = 1.0
    heading: Share = 1.0
    symbol: Share = 1.0
    definition: Share = 1.0
    file: Share = 0.8
    alias: Share = 0.7
    topic: Share = 0.6


class RetrievalSettings(_Part, frozen=True, kw_only=True):
    """``retrieval.toml``: how passages are matched, linked and chosen."""

    k1: Positive = 1.0
    b: Share = 0.8
    title_weight: Amount = 2.5
    title_b: Share = 0.7
    part_weight: Share = 0.7
    mark_weight: Share = 0.7
    common_share: Share = 0.05
    common_after: Count = 200
    depth: Depth = 60
    family_weight: Amount = 0.3
    family_half: Positive = 0.5
    window_weight: Amount = 0.5
    window: Depth = 70
    window_k: Positive = 0.6
    pair_weight: Amount = 0.2
    pair_k: Positive = 0.6
    pair_gap: Count = 2
    title_bonus: Amount = 0.8
    feedback_weight: Amount = 0.3
    feedback_until: Positive = 0.5
    feedback_passages: Depth = 10
    feedback_words: Depth = 40
    feedback_b: Share = 0.5
    name_bonus: Amount = 2.0
    single_name: Share = 0.5
    plain_name: Share = 0.3
    by_words: Share = 0.6
    no_names: Share = 0.5
    second_share: Share = 0.8
    hop_idf_power: Amount = 1.3
    link_weight: Amount = 2.6
    home_base: Share = 0.3
    answered: Share = 0.7
    home_crowding: Share = 0.5
    context_weight: Amount = 0.8
    context_before: Count = 6
    context_after: Count = 4
    shared_weight: Amount = 2.0
    shared_most: Share = 0.02
    single_word: Share = 0.5
    single_inside: Share = 0.7
    fan: Depth = 8
    lift: Share = 0.2
    choose_from: Depth = 30
    set_size: Depth = 5
    path_order: Share = 0.5
    home_kinds: HomeKinds = HomeKinds()


class EmbeddingSettings(_Part, frozen=True, kw_only=True):
    """``embedding.toml``: who makes vectors, and what likeness of meaning counts."""

    embedder: Literal["auto", "ollama", "minilm"] = "auto"
    model_name: Annotated[str, Meta(max_length=200, pattern=r"^[\x21-\x7e]*\Z", description=_NAME)] = ""
    question_prefix: Annotated[str, Meta(max_length=200)] = ""
    passage_prefix: Annotated[str, Meta(max_length=200)] = ""
    weight: Amount = 0.7
    nearest: Depth = 60
    lead: Share = 0.07


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a workspace."""

    system: SystemSettings = SystemSettings()
    thresholds: ThresholdSettings = ThresholdSettings()
    ollama: OllamaSettings = OllamaSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    traits: TraitSettings = TraitSettings()


PARTS: Final[dict[str, type[msgspec.Struct]]] = {
    "system": SystemSettings,
    "thresholds": ThresholdSettings,
    "ollama": OllamaSettings,
    "retrieval": RetrievalSettings,
    "embedding": EmbeddingSettings,
    "traits": TraitSettings,
}


def load_settings(folder: Path) -> Settings:
    """Return the settings in the TOML files of ``folder``; what they leave out has its default.

    Raises ConfigError naming the file, the key and what is allowed there.
    """
    return Settings(
        system=read_settings(folder / "system.toml", SystemSettings),
        thresholds=read_settings(folder / "thresholds.toml", ThresholdSettings),
        ollama=read_settings(folder / "ollama.toml", OllamaSettings),
        retrieval=read_settings(folder / "retrieval.toml", RetrievalSettings),
        embedding=read_settings(folder / "embedding.toml", EmbeddingSettings),
        traits=read_settings(folder / "traits.toml", TraitSettings),
    )


def set_value(folder: Path, key: str, value: str) -> Settings:
    """Set one key, such as ``thresholds.budget``, to ``value`` as typed; return the settings after.

    The file keeps its comments; it is replaced whole, and only if the new value is valid. Raises
    ConfigError for an unknown key or a value out of range, WorkspaceError if it cannot be written.
    """
    part, _, name = key.partition(".")
    every = settable_keys()
    if key not in every:
        if part == "traits":
            raise ConfigError(f"{key} cannot be set in one line", f"edit {folder.name}/traits.toml")
        guess = nearest_key(key, every) or next((each for each in every if each.endswith(f".{key}")), "")
        mend = f"did you mean {guess}?" if guess else "'persona-moe config show' lists all keys"
        raise ConfigError(f"unknown setting {key}", mend)
    write_key(folder / f"{part}.toml", name, value, PARTS[part])
    return load_settings(folder)


def settable_keys() -> tuple[str, ...]:
    """Return every key that :func:`set_value` takes, in the order of the files.

    >>> settable_keys()[:2]
    ('system.max_iterations', 'system.batch_size')
    """
    parts = ((name, kind) for name, kind in PARTS.items() if name != "traits")
    return tuple(f"{name}.{field.name}" for name, kind in parts for field in msgspec.structs.fields(kind))


# What may differ between two runs whose decisions are equal.
_UNDECIDING: Final[dict[str, tuple[str, ...]]] = {
    "system": ("batch_size", "workers", "log_level", "enable_caching"),
    "ollama": (
        "provider", "api_endpoint", "keep_alive", "warm_up", "parallel",
        "connect_seconds", "first_token_seconds", "stall_seconds", "total_seconds",
    ),
}  # fmt: skip


def decision_digest(settings: Settings) -> str:
    """Return 32 hex digits over the settings that can change a decision, and over no others.

    Left out: ``batch_size``, ``workers``, ``log_level``, ``enable_caching``, and of ``ollama.toml``
    where and how patiently a server is asked (the model that was really used, and what it answered,
    are part of the run's own record), and all of ``embedding.toml`` (what vectors were compared is, too).

    >>> quiet = Settings(system=SystemSettings(log_level="error"))
    >>> decision_digest(quiet) == decision_digest(Settings())
    True
    >>> decision_digest(Settings(system=SystemSettings(seed=1))) == decision_digest(Settings())
    False
    """
    content: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    del content["embedding"]
    for part, names in _UNDECIDING.items():
        for name in names:
            del content[part][name]
    return digest("settings.v1", canonical(content))
