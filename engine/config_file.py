"""Settings files: read within bounds, checked against a type, changed one line at a time."""

import difflib
import math
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.errors import ConfigError, WorkspaceError
from engine.files import is_missing, read_bounded, write_atomic

MAX_BYTES = 256 * 1024
MAX_DOTS = 32  # tomllib takes time quadratic in the parts of a key: two minutes for 100 KB of dots
MAX_DEPTH = 32

_LIKENESS = 0.6
"""Names less alike than this share hardly a letter in order: "nope" was not meant to be "comparer"."""
_T = TypeVar("_T")
_PATH = re.compile(r"^(?P<problem>.*?) - at `\$(?P<path>.*)`$", re.DOTALL)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of ``names`` that ``name`` was most likely meant to be, or ``""``.

    >>> nearest("budgett", ["budget", "max_experts"])
    'budget'
    """
    found = difflib.get_close_matches(name[:100], sorted(names), n=1, cutoff=_LIKENESS)
    return found[0] if found else ""


def nearest_key(name: str, names: Iterable[str]) -> str:
    """Return what :func:`nearest` does for names such as ``thresholds.budget``.

    What stands before the point, if it is right, says nothing of how near the rest is.

    >>> nearest_key("thresholds.bugdet", ["thresholds.budget", "ollama.model_name"])
    'thresholds.budget'
    >>> nearest_key("thresholds.nope", ["thresholds.unsupported"])
    ''
    """
    names = list(names)
    part, point, key = name.partition(".")
    beside = [each.removeprefix(part + point) for each in names if point and each.startswith(part + point)]
    if not beside:
        return nearest(name, names)
    guess = nearest(key, beside)
    return f"{part}.{guess}" if guess else ""


def parse_toml(data: bytes, where: str) -> dict[str, Any]:
    """Return what a settings file says. ``where`` names the file in errors.

    Strict UTF-8 (a byte order mark is allowed), at most 256 KB, no line with more than 32 dots and
    no nesting deeper than 32, so that any input is parsed or refused in under a second. Raises
    ConfigError.
    """
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{where} is larger than {MAX_BYTES} bytes, the most allowed for settings")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS and not line.lstrip().startswith("#"):
            raise ConfigError(f"{where}: line {number} has more than {MAX_DOTS} dots; no setting needs them")
    try:
        content = tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{where} is nested deeper than {MAX_DEPTH} levels") from error
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{where} is not valid TOML: {error}", "see docs/settings.md") from error
    _refuse_extremes(content, where)
    return content


def _refuse_extremes(content: dict[str, Any], where: str) -> None:
    level: list[tuple[str, Any]] = list(content.items())
    for _ in range(MAX_DEPTH):
        below: list[tuple[str, Any]] = []
        for key, value in level:
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigError(f"{where}: {key} must be a finite number, not {value}")
            if isinstance(value, dict):
                below.extend((f"{key}.{name}", each) for name, each in value.items())
            elif isinstance(value, list):
                below.extend((key, each) for each in value)
        if not below:
            return
        level = below
    raise ConfigError(f"{where} is nested deeper than {MAX_DEPTH} levels")


def typed(content: dict[str, Any], kind: type[_T], where: str) -> _T:
    """Return ``content`` as a ``kind`` Struct, its defaults filled in.

    Raises ConfigError naming the file, the key and what is allowed there; for an unknown key, the
    nearest valid one.
    """
    _refuse_unknown(content, kind, where, "")
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        match = _PATH.match(str(error))
        key = match["path"].lstrip(".") if match else ""
        problem = _expectation(content, kind, key) or str(error).partition(" - at ")[0]
        raise ConfigError(f"{where}: {key}: {problem}" if key else f"{where}: {problem}") from error


def _expectation(content: Any, kind: Any, key: str) -> str:
    """Return what is allowed at ``key`` and what stands there; ``""`` where a rule of its own spoke."""
    info: Any = msgspec.inspect.type_info(kind)
    for part in re.findall(r"[^.\[\]]+", key):
        if part.isdigit() and isinstance(content, list):
            content, info = content[int(part)], getattr(info, "item_type", None)
        elif isinstance(content, dict) and isinstance(info, msgspec.inspect.StructType):
            content = content.get(part)
            info = next((each.type for each in info.fields if each.name == part), None)
        else:
            info = None
    allowed = _allowed(info)
    if not allowed or not key or isinstance(content, dict):
        return ""
    return f"must be {allowed}, not {_shown(content)}"


def _shown(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 256:  # Python refuses to print the hugest ones
        return "a number of more than 70 digits"
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _allowed(info: Any) -> str:
    kinds = msgspec.inspect
    match info:
        case kinds.Metadata(extra_json_schema={"description": str(description)}):
            return description
        case kinds.Metadata():
            return _allowed(info.type)
        case kinds.BoolType():
            return "true or false"
        case kinds.IntType():
            return "a whole number" + _range(info)
        case kinds.FloatType():
            return "a number" + _range(info)
        case kinds.LiteralType():
            return "one of " + ", ".join(f'"{value}"' for value in info.values)
        case kinds.StrType():
            return "text" if info.max_length is None else f"text of at most {info.max_length} characters"
        case kinds.ListType() | kinds.VarTupleType():
            return "a list"
        case kinds.StructType():
            return "a table with " + ", ".join(each.name for each in info.fields)
        case _:
            return ""


def _range(info: Any) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge} to {info.le}"
    low = f" above {info.gt}" if info.gt is not None else ""
    return low + (f" and at most {info.le}" if info.le is not None else "")


def _refuse_unknown(content: dict[str, Any], kind: Any, where: str, prefix: str) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in content.items():
        if key not in fields:
            guess = nearest(key, fields)
            mend = f"did you mean {prefix}{guess}?" if guess else f"known keys: {', '.join(sorted(fields))}"
            raise ConfigError(f"{where}: unknown key {prefix}{key}", mend)
        row = _row_type(fields[key])
        if row is not None and isinstance(value, list):
            for number, each in enumerate(value):
                if isinstance(each, dict):
                    _refuse_unknown(each, row, where, f"{key}[{number}].")
        elif row is not None and isinstance(value, dict):
            _refuse_unknown(value, row, where, f"{key}.")


def _row_type(kind: Any) -> Any:
    """Return the Struct that this type is, or that a list of it holds, if there is one."""
    if hasattr(kind, "__struct_fields__"):
        return kind
    return next(filter(None, map(_row_type, getattr(kind, "__args__", ()))), None)


def read_settings(path: Path, kind: type[_T]) -> _T:
    """Return the settings of one file; all defaults if there is no such file. Raises ConfigError."""
    return typed(_read(path)[1], kind, f"{path.parent.name}/{path.name}")


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        data = read_bounded(path, MAX_BYTES)
    except WorkspaceError as error:
        if is_missing(error):
            return b"", {}
        raise ConfigError(error.problem, error.mend) from error
    return data, parse_toml(data, f"{path.parent.name}/{path.name}")


def write_key(path: Path, key: str, value: str, kind: type[_T]) -> _T:
    """Set the top-level ``key`` of the file to what the user typed; return the settings it gives.

    ``value`` is read as TOML (``4.0``, ``true``, ``"text"``) or else taken as plain text. Comments
    and the other lines stay as they are wherever the key has a line of its own; only where it has
    not is the file written anew. Nothing is written unless the result is valid. Raises ConfigError,
    or WorkspaceError when the file cannot be written.
    """
    where = f"{path.parent.name}/{path.name}"
    data, before = _read(path)
    wanted, settings = _choose(before, key, value, kind, where)
    text = data.decode("utf-8-sig")
    for candidate in (*_edits(text, key, wanted), _rewritten(before | {key: wanted})):
        try:
            same = parse_toml(candidate.encode(), where) == before | {key: wanted}
        except ConfigError:
            continue
        if same:
            write_atomic(path, candidate.encode())
            return settings
    raise ConfigError(f"{where}: {key} cannot be set here", "edit the file")


def _choose(before: dict[str, Any], key: str, value: str, kind: type[_T], where: str) -> tuple[Any, _T]:
    candidates: list[Any] = []
    if len(value) <= 4096 and "\n" not in value and "\r" not in value:
        try:
            parsed = parse_toml(f"value = {value}".encode("utf-8", "replace"), where)
        except ConfigError:
            parsed = {}
        if parsed.keys() == {"value"}:
            candidates.append(parsed["value"])
        candidates.append(value)
    first: ConfigError | None = None
    for candidate in candidates:
        try:
            return candidate, typed(before | {key: candidate}, kind, where)
        except ConfigError as error:
            first = first or error
    raise first or ConfigError(f"{where}: {key}: the value must be one line of at most 4096 characters")


def _rewritten(content: dict[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(content)


def _inline(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return _rewritten({"v": value}).removeprefix("v = ").rstrip("\n")


def _edits(text: str, key: str, value: Any) -> Iterable[str]:
    assignment = f"{key} = {_inline(value)}"
    lines = text.split("\n")
    start = re.compile(rf"[ \t]*{re.escape(key)}[ \t]*=")
    for index, line in enumerate(lines):
        if not start.match(line):
            continue
        # A '#' may belong to the old value or begin a comment.
        hashes = [match.start() for match in re.finditer("#", line)][:16]
        for position in hashes:
            if _is_whole(line[:position]):
                kept = f"{assignment}  {line[position:].rstrip()}"
                yield "\n".join([*lines[:index], kept, *lines[index + 1 :]])
        yield "\n".join([*lines[:index], assignment, *lines[index + 1 :]])
        return
    yield f"{text.rstrip()}\n{assignment}\n".lstrip("\n")
    yield f"{assignment}\n{text}"


def _is_whole(assignment: str) -> bool:
    try:
        return bool(parse_toml(assignment.encode(), ""))
    except ConfigError:
        return False
