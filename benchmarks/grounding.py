"""How well does support tell a borne-out sentence from a corrupted one, and from the wrong passage?

Run ``python benchmarks/grounding.py DATASET... [--limit N] [--page docs/scoring.md]``, each DATASET a
folder that holds ``corpus.jsonl`` (id, title, text). Sentences are taken from the corpus itself and
spoilt in one way at a time; where the folder also holds claims (``queries.jsonl`` with type "claim",
``qrels.tsv``), each claim is checked against its cited abstract and against the best wrong one. Told:
the area under the ROC curve per class, for our support and for plain word overlap, the share of
passages' words in common with the sentence.
"""

import argparse
import json
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import _page
import msgspec

from engine.evaluation.metrics import parse_qrels
from engine.evaluation.plain import PlainLexicon, fold_case
from engine.evaluation.support import SupportChecker
from engine.ids import uniform

SEED = 20240601
Scorer = Callable[[str, str], float]


class Row(msgspec.Struct, frozen=True):
    """One passage of the corpus."""

    id: str
    title: str
    text: str


class Case(msgspec.Struct, frozen=True):
    """A sentence with evidence that bears it out, and the same spoilt (sentence or evidence)."""

    kind: str
    good: tuple[str, str]
    bad: tuple[str, str]


def rows(dataset: Path) -> list[Row]:
    """Return the passages of the dataset, in file order."""
    with (dataset / "corpus.jsonl").open(encoding="utf-8") as lines:
        return [msgspec.json.decode(line, type=Row) for line in lines if line.strip()]


def lexicon_of(corpus: Sequence[Row]) -> PlainLexicon:
    """Return a lexicon with idf in [0, 1] counted over the corpus."""
    bare = PlainLexicon()
    counts = Counter(term for row in corpus for term in dict.fromkeys(bare.terms(f"{row.title}\n{row.text}")))
    whole = math.log(max(len(corpus), 2))
    return PlainLexicon((term, 1 - math.log(n) / whole) for term, n in sorted(counts.items()))


def pick(items: Sequence[str], *labels: str) -> str:
    """Return one of ``items``, the same one for the same labels."""
    return items[int(uniform(SEED, *labels) * len(items))]


def swap_number(sentence: str, label: str, passage: str) -> str | None:
    """Return ``sentence`` with a number changed to one that the passage lacks, None if it has none."""
    spots = list(re.finditer(r"(?<![\w.,-])\d{1,6}(?![\w.,-])", sentence))
    if not spots:
        return None
    spot = spots[int(uniform(SEED, "number", label) * len(spots))]
    for step in range(9):
        new = str(int(spot.group()) + 1 + (int(uniform(SEED, "by", label) * 9) + step) % 9)
        if not re.search(rf"(?<!\d){new}(?!\d)", passage):
            return sentence[: spot.start()] + new + sentence[spot.end() :]
    return None


def swap_entity(
    sentence: str, label: str, names: Sequence[str], passage: str, lexicon: PlainLexicon
) -> str | None:
    """Return ``sentence`` with one of its names replaced by a name that the passage lacks."""
    own = [
        name for name in lexicon.anchors(sentence[1:]) if not any(c.isdigit() for c in name) and len(name) > 3
    ]
    spots = [name for name in own if name.title() in sentence]
    if not spots or not names:
        return None
    old = pick(spots, "old", label).title()
    for attempt in range(8):
        new = pick(names, "new", label, str(attempt)).title()
        if fold_case(new) not in fold_case(passage):
            return sentence.replace(old, new, 1)
    return None


def negate(sentence: str) -> str | None:
    """Return ``sentence`` with its first plain auxiliary verb negated."""
    for verb in ("is", "was", "are", "were", "has", "had", "can", "will", "may", "could", "would"):
        marker = f" {verb} "
        if marker in sentence and f"{marker}not " not in sentence:
            return sentence.replace(marker, f" {verb} not ", 1)
    return None


def swap_within(sentence: str, label: str, passage: str, lexicon: PlainLexicon) -> str | None:
    """Return ``sentence`` with a number or name replaced by another one of the same passage."""
    here = dict.fromkeys(lexicon.anchors(sentence))
    spots = [a for a in here if a.isdigit() or a.title() in sentence]
    for old in spots:
        others = [a for a in lexicon.anchors(passage) if a not in here and a.isdigit() == old.isdigit()]
        if others:
            new = pick(others, "within", label)
            return sentence.replace(old if old.isdigit() else old.title(), new.title(), 1)
    return None


def wear(sentence: str, fillers: Sequence[str]) -> str:
    """Return ``sentence`` with a quarter of its long lower-case words replaced by words from elsewhere.

    It stands for rewording: a claim is seldom its evidence's own words. The choice depends on the
    word alone, so a sentence and its spoilt twin are worn alike.
    """

    def replaced(match: re.Match[str]) -> str:
        word = match.group()
        return pick(fillers, "filler", word) if uniform(SEED, "wear", word) < 0.25 else word

    return re.sub(r"\b[a-z]{5,}\b", replaced, sentence)


def cases(corpus: Sequence[Row], lexicon: PlainLexicon, limit: int) -> Iterator[Case]:
    """Yield cases of every class from sentences spread over the corpus."""
    names = [name for row in corpus[:: max(len(corpus) // 2000, 1)] for name in lexicon.anchors(row.title)]
    names = [name for name in names if not any(c.isdigit() for c in name)]
    read = [dict.fromkeys(lexicon.terms(f"{row.title}\n{row.text}")) for row in corpus]
    fillers = [
        w for row in corpus[:: max(len(corpus) // 500, 1)] for w in re.findall(r"\b[a-z]{5,}\b", row.text)
    ]
    order = sorted(range(len(corpus)), key=lambda i: uniform(SEED, "row", corpus[i].id))
    for index in order[:limit]:
        row = corpus[index]
        passage = f"{row.title}\n{row.text}"
        sentences = [row.text[a:b] for a, b in lexicon.sentences(row.text) if 40 <= b - a <= 300]
        if not sentences:
            continue
        sentence = pick(sentences, "sentence", row.id)
        spoilt = {
            "number swap": swap_number(sentence, row.id, passage),
            "entity swap": swap_entity(sentence, row.id, names, passage, lexicon),
            "negation": negate(sentence),
            "swap within the passage": swap_within(sentence, row.id, passage, lexicon),
        }
        for kind, text in spoilt.items():
            if text is not None and text != sentence:
                yield Case(kind, (sentence, passage), (text, passage))
                worn = wear(sentence, fillers), wear(text, fillers)
                yield Case(f"{kind}, reworded", (worn[0], passage), (worn[1], passage))
        near = neighbour(corpus, index, lexicon, read)
        wrong = f"{near.title}\n{near.text}"
        yield Case("wrong passage", (sentence, passage), (sentence, wrong))
        reworded = wear(sentence, fillers)
        yield Case("wrong passage, reworded", (reworded, passage), (reworded, wrong))


def neighbour(
    corpus: Sequence[Row], index: int, lexicon: PlainLexicon, read: Sequence[Mapping[str, None]]
) -> Row:
    """Return the passage that shares the most telling words with this one, among a spread of 60."""
    own = read[index]
    step = max(len(corpus) // 60, 1)
    others = [i for i in range(index % step, len(corpus), step) if i != index]

    def shared(i: int) -> tuple[float, int]:
        return math.fsum(lexicon.idf(term) for term in read[i] if term in own), -i

    return corpus[max(others, key=shared)]


def claims(dataset: Path, corpus: Sequence[Row], lexicon: PlainLexicon) -> Iterator[Case]:
    """Yield each claim with its cited abstract against the abstract that shares most of its words."""
    queries = dataset / "queries.jsonl"
    if not queries.exists():
        return
    gold = parse_qrels((dataset / "qrels.tsv").read_text(encoding="utf-8"))
    by_id = {row.id: row for row in corpus}
    read = {row.id: dict.fromkeys(lexicon.terms(f"{row.title}\n{row.text}")) for row in corpus}
    for line in queries.read_text(encoding="utf-8").splitlines():
        query = json.loads(line)
        cited = [by_id[i] for i in gold.get(query["id"], {}) if i in by_id]
        if query.get("type") != "claim" or not cited:
            continue
        terms = dict.fromkeys(lexicon.terms(query["text"]))
        wrong = max(
            (row for row in corpus if row.id not in gold[query["id"]]),
            key=lambda row: (math.fsum(lexicon.idf(t) for t in terms if t in read[row.id]), row.id),
        )
        any_row = by_id[pick([row.id for row in corpus if row.id not in gold[query["id"]]], query["id"])]
        good = (query["text"], f"{cited[0].title}\n{cited[0].text}")
        yield Case("claim: random abstract", good, (query["text"], f"{any_row.title}\n{any_row.text}"))
        yield Case("claim: nearest wrong abstract", good, (query["text"], f"{wrong.title}\n{wrong.text}"))


def auroc(good: Sequence[float], bad: Sequence[float]) -> float:
    """Return the chance that a good score exceeds a bad one, ties counting half (Mann-Whitney)."""
    ranked = sorted([(value, 1) for value in good] + [(value, 0) for value in bad])
    total, place = 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        total += sum(flag for _, flag in ranked[place:end]) * (place + 1 + end) / 2
        place = end
    wins = total - len(good) * (len(good) + 1) / 2
    return wins / (len(good) * len(bad))


def table(found: Iterable[Case], scorers: dict[str, Scorer]) -> list[tuple[str, int, dict[str, float]]]:
    """Return (class, number of cases, AUROC by scorer), classes in order of appearance."""
    grouped: dict[str, list[Case]] = {}
    for case in found:
        grouped.setdefault(case.kind, []).append(case)
    return [
        (
            kind,
            len(group),
            {
                name: auroc([score(*c.good) for c in group], [score(*c.bad) for c in group])
                for name, score in scorers.items()
            },
        )
        for kind, group in grouped.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table for each dataset; exit code 2 if a folder holds no corpus."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="*", type=Path, metavar="DATASET")
    parser.add_argument("--page", type=Path, help="write the table there, between its marks")
    parser.add_argument("--limit", type=int, default=1500, help="passages to take sentences from (1500)")
    options = parser.parse_args(arguments)
    if not options.datasets:
        print("skipped: needs a data set, see --help")
        return 0
    measured: dict[str, dict[str, str]] = {}
    for dataset in options.datasets:
        if not (dataset / "corpus.jsonl").is_file():
            print(f"no corpus.jsonl in {dataset.name}", file=sys.stderr)
            return 2
        started = time.perf_counter()
        corpus = rows(dataset)
        lexicon = lexicon_of(corpus)
        checker = SupportChecker(lexicon)

        def naive(sentence: str, passage: str, lexicon: PlainLexicon = lexicon) -> float:
            words, held = dict.fromkeys(lexicon.terms(sentence)), frozenset(lexicon.terms(passage))
            return sum(word in held for word in words) / max(len(words), 1)

        def ours(sentence: str, passage: str, checker: SupportChecker = checker) -> float:
            return checker.check(sentence, [passage]).value

        found = [*cases(corpus, lexicon, options.limit), *claims(dataset, corpus, lexicon)]
        print(f"{dataset.name}: {len(corpus)} passages, {len(found)} cases")
        print(f"  {'class':<32}{'cases':>6}{'support':>10}{'overlap':>10}")
        for kind, count, values in table(found, {"support": ours, "overlap": naive}):
            print(f"  {kind:<32}{count:>6}{values['support']:>10.3f}{values['overlap']:>10.3f}")
            cell = f"{values['support']:.3f} ({values['overlap']:.3f})"
            measured.setdefault(kind, {})[dataset.resolve().name] = cell
        print(f"  {time.perf_counter() - started:.1f} s")
    if options.page is not None:
        _page.write_part(options.page, "grounding", page_part(measured, options.limit))
    return 0


def page_part(measured: Mapping[str, Mapping[str, str]], limit: int) -> str:
    """Return the part of the page: a row for each class, a column for each data set."""
    sets = list(dict.fromkeys(name for cells in measured.values() for name in cells))
    rows = [(kind, *(cells.get(name, "") for name in sets)) for kind, cells in measured.items()]
    return (
        f"Support, and in brackets plain word overlap. Sentences of up to {limit:,} passages of each set; "
        "claims where a set holds them.\n\n" + _page.table(("class", *sets), rows)
    )


if __name__ == "__main__":
    sys.exit(main())
