"""A retrieval data set: a corpus, questions, and which passages answer them."""

from pathlib import Path

import msgspec

from engine.corpus.discover import visible_name
from engine.errors import InputError
from engine.evaluation.metrics import parse_qrels


class Query(msgspec.Struct, frozen=True):
    """A line of ``queries.jsonl``; other keys (an answer, a type) are let be."""

    id: str
    text: str


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """``queries`` id -> text, in file order, judged ones only; ``qrels`` id -> passage -> grade."""

    name: str
    corpus: Path
    queries: dict[str, str]
    qrels: dict[str, dict[str, float]]


def read_dataset(folder: Path) -> Dataset:
    """Return the data set in ``folder``.

    Raises InputError naming the file, and the line where there is one, that cannot be used.
    """
    place = visible_name(folder.resolve().name)
    queries: dict[str, str] = {}
    decoder = msgspec.json.Decoder(Query)
    for number, line in enumerate(_read(folder, "queries.jsonl").splitlines(), 1):
        if not line.strip():
            continue
        try:
            query = decoder.decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise InputError(
                f"{place}/queries.jsonl line {number}: {error}", 'write {"id": "...", "text": "..."}'
            ) from error
        queries[query.id] = query.text
    judgements = _read(folder, "qrels.tsv")
    try:
        qrels = parse_qrels(judgements)
    except InputError as error:
        raise InputError(f"{place}/{error.problem.replace('qrels', 'qrels.tsv', 1)}", error.mend) from error
    judged = {name: text for name, text in queries.items() if name in qrels}
    if not judged:
        raise InputError(
            f"no question of {place}/queries.jsonl is judged in {place}/qrels.tsv",
            "use the same question ids in both",
        )
    corpus = folder / "corpus.jsonl"
    if not corpus.is_file():
        raise _missing(folder, "corpus.jsonl")
    return Dataset(name=place, corpus=corpus, queries=judged, qrels=qrels)


def _missing(folder: Path, name: str) -> InputError:
    return InputError(
        f"there is no {name} in '{folder}'", "a data set holds corpus.jsonl, queries.jsonl and qrels.tsv"
    )


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(folder, name) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"'{folder / name}' is not UTF-8 at byte {error.start}", "save it as UTF-8"
        ) from error
    except OSError as error:
        raise InputError(f"cannot read '{folder / name}': {error.strerror}", "check the path") from error
