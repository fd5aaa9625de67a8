"""Settings: shipped files equal the defaults, every mistake is named, changes keep comments."""

import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import (
    PARTS,
    HomeKinds,
    OllamaSettings,
    RetrievalSettings,
    Settings,
    SystemSettings,
    ThresholdSettings,
    decision_digest,
    load_settings,
    set_value,
    settable_keys,
)
from engine.config_file import MAX_BYTES, parse_toml, typed
from engine.errors import ConfigError, WorkspaceError
from engine.trait_table import KNOBS
from engine.workspace import data_folder


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    folder.mkdir()
    for source in data_folder("configs").glob("*.toml"):
        (folder / source.name).write_bytes(source.read_bytes())
    return folder


def write(folder: Path, part: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{part}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_files_say_the_defaults_and_every_key(configs: Path) -> None:
    assert load_settings(configs) == Settings()
    for part, kind in PARTS.items():
        shipped = parse_toml((configs / f"{part}.toml").read_bytes(), part)
        assert list(shipped) == list(kind.__struct_fields__)


def test_every_shipped_key_has_a_comment_above_it(configs: Path) -> None:
    for part in ("system", "thresholds", "ollama", "retrieval"):
        lines = (configs / f"{part}.toml").read_text().splitlines()
        for number, line in enumerate(lines):
            if " = " in line and not line.startswith("#"):
                above = lines[number - 1]
                assert above.startswith(("#", "[")) or " = " in above, f"{part}: {line}"


def test_a_kind_of_home_that_an_older_file_does_not_name_is_worth_its_default(tmp_path: Path) -> None:
    write(tmp_path, "retrieval", "[home_kinds]\ntitle = 0.9\nalias = 0.7\n")
    assert load_settings(tmp_path).retrieval.home_kinds == HomeKinds(title=0.9)


def test_missing_files_mean_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "nowhere") == Settings()


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "system.toml").write_bytes(b"\xef\xbb\xbfseed = 7\n")
    assert load_settings(tmp_path).system.seed == 7


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("system", "max_iteration = 3", ["system.toml", "max_iteration", "did you mean max_iterations?"]),
        ("system", "max_iterations = 0", ["max_iterations", "from 1 to 10", "not 0"]),
        ("system", "max_iterations = 'many'", ["max_iterations", "whole number", "not 'many'"]),
        ("system", "enable_caching = 1", ["enable_caching", "true or false"]),
        ("system", "log_level = 'loud'", ["log_level", '"debug"', "not 'loud'"]),
        ("system", "workers = 33", ["workers", "from 1 to 32", "not 33"]),
        ("system", "seed = nan", ["seed", "finite"]),
        ("system", "seed = 0x" + "f" * 4000, ["seed", "more than 70 digits"]),
        ("thresholds", "budget = inf", ["budget", "finite"]),
        ("thresholds", "budget = 0", ["budget", "above 0"]),
        ("thresholds", "pruning_threshold = 0.9", ["pruning_threshold <= demotion_threshold"]),
        ("thresholds", "weight_relevance=0\nweight_consistency=0\nweight_novelty=0", ["above 0"]),
        ("ollama", "api_endpoint = 'file:///etc/passwd'", ["api_endpoint", "http"]),
        ("ollama", "api_endpoint = 'http://user:pw@host'", ["api_endpoint", "user name"]),
        ("ollama", "api_endpoint = ['http://a', 'gopher://b']", ["api_endpoint", "http"]),
        ("ollama", 'model_name = "a\\nb"', ["model_name"]),
        ("traits", "rows = [{trait='depth', knob='max_hopz', low=1, high=2}]", ["rows[0].knob", "max_hops"]),
        ("traits", "rows = [{trait='depth', knob='max_hops', low=1, hi=2}]", ["rows[0].hi", "rows[0].high"]),
        ("traits", "rows = [{trait='depth', knob='max_hops', low=1, high=9}]", ["max_hops", "1 and 6"]),
        (
            "traits",
            "rows = [{trait='a', knob='seeds', low=1, high=2}, {trait='b', knob='seeds', low=1, high=2}]",
            ["seeds has two rows"],
        ),
        ("retrieval", "[home_kinds]\ntopics = 0.5", ["retrieval.toml", "did you mean home_kinds.topic?"]),
        ("retrieval", "[home_kinds]\ntopic = 2", ["home_kinds.topic", "from 0.0 to 1.0", "not 2"]),
        ("retrieval", "front = ", ["retrieval.toml", "not valid TOML"]),
        ("retrieval", "front = 'a.b" + "." * 40 + "'", ["line 1", "32 dots"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(
    tmp_path: Path, part: str, text: str, said: list[str]
) -> None:
    write(tmp_path, part, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)
    for words in said:
        assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_files_that_are_no_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "system.toml"
    for content, said in ((b"seed = 1 # \xff", "UTF-8"), (b"#" * (MAX_BYTES + 1), "larger")):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=said):
            load_settings(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="symbolic link"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 100_000 + " = 1",
        "[a" + ".a" * 100_000 + "]",
        "a = " + "[" * 200_000,
        "a = " + "{a=" * 60_000,
        ("a." * 32 + "a = 1\n") * 3800,
        "\n".join(f"[{'a.' * 31}k{n}]" for n in range(3500)),
        "x = '''" + "\n" * 250_000,
        'a = "' + "\\u0041" * 40_000 + '"',
    ],
    ids=["dots", "header", "arrays", "tables", "dotted lines", "headers", "newlines", "escapes"],
)
def test_hostile_toml_of_the_largest_size_costs_no_more_than_a_few_plain_files(text: str) -> None:
    """A quarter of a second; told against a plain file, since a machine may be slow and a tracer slower."""

    def spent(text: str) -> float:
        began = time.process_time()
        with pytest.raises(ConfigError):
            typed(parse_toml(text.encode()[:MAX_BYTES], "x.toml"), SystemSettings, "x.toml")
        return time.process_time() - began

    plain = "\n".join(f"[k{n}]\na = {n}" for n in range(12_000))
    assert spent(text) < 5 * spent(plain)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_settings_or_a_config_error(data: bytes) -> None:
    for kind in PARTS.values():
        try:
            settings = typed(parse_toml(data, "x.toml"), kind, "x.toml")
        except ConfigError:
            continue
        assert isinstance(settings, kind)


def test_setting_a_value_keeps_every_other_line(configs: Path) -> None:
    path = configs / "thresholds.toml"
    before = path.read_text()
    path.write_text(before.replace("budget = 4.0", "  budget=4.0   # mine: #1"))
    assert set_value(configs, "thresholds.budget", "2.5").thresholds.budget == 2.5
    assert path.read_text() == before.replace("budget = 4.0", "budget = 2.5  # mine: #1")


@pytest.mark.parametrize(
    ("key", "typed_in", "value"),
    [
        ("ollama.model_name", "qwen3:4b", "qwen3:4b"),
        ("ollama.model_name", '"llama3.2"', "llama3.2"),
        ("ollama.model_name", "3", "3"),
        ("ollama.api_endpoint", '["http://a:1", "http://b:2"]', ["http://a:1", "http://b:2"]),
        ("system.learn", "false", False),
        ("system.log_level", "info", "info"),
        ("thresholds.budget", "3", 3.0),
    ],
)
def test_values_are_read_as_toml_or_as_plain_text(
    configs: Path, key: str, typed_in: str, value: object
) -> None:
    part, name = key.split(".")
    comments = (configs / f"{part}.toml").read_text().count("#")
    assert getattr(getattr(set_value(configs, key, typed_in), part), name) == value
    assert getattr(getattr(load_settings(configs), part), name) == value
    assert (configs / f"{part}.toml").read_text().count("#") == comments


def test_a_value_is_set_where_the_file_or_the_line_is_missing(tmp_path: Path) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    assert set_value(configs, "system.seed", "5").system.seed == 5
    write(configs, "thresholds", "# only a comment")
    set_value(configs, "thresholds.budget", "5")
    assert (configs / "thresholds.toml").read_text() == "# only a comment\nbudget = 5\n"


def test_a_value_spread_over_lines_is_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path, "ollama", 'api_endpoint = [\n  "http://a:1",\n]\nmax_tokens = 7\n')
    assert set_value(tmp_path, "ollama.api_endpoint", "http://b:2").ollama.endpoints == ("http://b:2",)
    assert load_settings(tmp_path).ollama.max_tokens == 7


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("thresholds.budgett", "1", "did you mean thresholds.budget"),
        ("budget", "1", "did you mean thresholds.budget"),
        ("thresholds.budget", "-1", "above 0"),
        ("thresholds.budget", "1\nx = 2", "one line"),
        ("traits.rows", "[]", "edit"),
        ("nothing", "1", "config show"),
    ],
)
def test_a_value_that_is_wrong_changes_nothing(configs: Path, key: str, value: str, said: str) -> None:
    before = {path.name: path.read_bytes() for path in configs.iterdir()}
    with pytest.raises(ConfigError, match=said):
        set_value(configs, key, value)
    assert {path.name: path.read_bytes() for path in configs.iterdir()} == before


def test_a_file_that_is_broken_is_not_written_over(configs: Path) -> None:
    path = write(configs, "system", "seed = = 3")
    with pytest.raises(ConfigError, match="not valid TOML"):
        set_value(configs, "system.learn", "false")
    assert path.read_text() == "seed = = 3"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="No such file"):
        set_value(tmp_path / "nowhere", "system.seed", "3")


@given(st.floats(min_value=0.001, max_value=1000, allow_nan=False))
def test_any_valid_budget_reads_back_as_set(value: float) -> None:
    # Without a folder of its own for each example: the text layer is what the law is about.
    text = f"budget = {value!r}"
    assert typed(parse_toml(text.encode(), "t.toml"), ThresholdSettings, "t.toml").budget == value


def test_only_what_decides_is_in_the_digest() -> None:
    base = decision_digest(Settings())
    same = Settings(
        system=SystemSettings(log_level="debug", enable_caching=False, batch_size=1, workers=1),
        ollama=OllamaSettings(provider="extractive", api_endpoint="http://elsewhere:1"),
    )
    assert decision_digest(same) == base
    some = RetrievalSettings.__struct_fields__[0]
    others = [
        Settings(system=SystemSettings(seed=1)),
        Settings(system=SystemSettings(max_iterations=5)),
        Settings(thresholds=ThresholdSettings(budget=5.0)),
        Settings(retrieval=msgspec.structs.replace(RetrievalSettings(), **{some: 0.125})),
        Settings(ollama=OllamaSettings(model_name="m")),
        Settings(traits=msgspec.structs.replace(Settings().traits, rows=())),
    ]
    digests = [base, *map(decision_digest, others)]
    assert len(set(digests)) == len(digests)


def test_every_key_but_the_table_can_be_set() -> None:
    fields = {f"{part}.{name}" for part, kind in PARTS.items() for name in kind.__struct_fields__}
    assert set(settable_keys()) == fields - {"traits.rows"}


def test_the_default_rows_reach_neither_past_nor_short_of_their_knobs() -> None:
    assert {row.knob for row in Settings().traits.rows} == set(KNOBS)
