"""A follow-up question read with the one before it: what "it" or "she" stands for, said and recorded.

No model takes part. The rules are few, and each names itself in what it carries over, so that a
user who is misread sees why and can ask in full:

* a pronoun stands for a name: a person's for the person that the last answer named, *it* for what
  the last question was about, *there* for the place, *they* for several;
* a question that only changes the question word ("and when?") keeps the rest of the last one;
* "what about X?" puts X in place of the name that the last question was about.

A question that can stand alone is read as it is.
"""

import re
from typing import Final, Literal, TypeAlias

import msgspec

from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.tokens import STOP_WORDS, fold
from engine.events import Carried, FollowUpRead
from engine.graph.question import LONGEST_QUESTION, names_in
from engine.graph.subject import ASKING, BEING, HELPING, LEADING, has_content, subject

LONGEST_CARRIED: Final = 600
MOST_NAMES: Final = 3
_SHORT: Final = 5

Role: TypeAlias = Literal["person", "thing", "place", "many"]
Source: TypeAlias = Literal["question", "answer"]

_ROLES: Final[dict[str, Role]] = {
    **dict.fromkeys(("he", "him", "his", "she", "her", "hers"), "person"),
    **dict.fromkeys(("it", "its", "this", "that"), "thing"),
    "there": "place",
    **dict.fromkeys(("they", "them", "their", "theirs", "these", "those", "both"), "many"),
}  # fmt: skip
_POSSESSIVE: Final = frozenset({"his", "hers", "its", "their", "theirs"})
_POINTING: Final = frozenset({"this", "that", "these", "those", "both"})
_DETERMINING: Final = STOP_WORDS | {"every", "another"}
_CONNECTIVES: Final = frozenset({"and", "but", "or", "so", "also", "then", "ok"})
_IMPERSONAL: Final = re.compile(
    r"\bit\s+(?:(?:is|was)\s+)?(?:possible|true|safe|necessary|clear|likely|worth|take|takes|took)\b", re.I
)
_ABOUT: Final = re.compile(r"\A\s*(?:(?:and|but|so)\s+)?(?:what|how)\s+about\s+(.+?)[\s?.!]*\Z", re.I | re.S)
_WHICH: Final = re.compile(
    r"\A\s*(?:(?:in|for|of)\s+)?(?:which|what)\s+(?!(?:is|are|was|were|do|does|did)\b)", re.I
)
_APOSTROPHE: Final = re.compile("['’]")
_MARKER: Final = re.compile(r"\s*\[\d+\]|[*_`#>]")
_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_CAPITALS: Final = re.compile(
    r"[A-Z][^\W_]*(?:['’-][^\W_]+)*(?:\s+(?:(?:of|the|de|van|von)\s+)?[A-Z][^\W_]*(?:['’-][^\W_]+)*)*"
)


_PERSONAL: Final = re.compile(r"[A-Z][\w.'’-]*(?:\s+(?:de|van|von|da|di|of)?\s*[A-Z][\w.'’-]*){1,3}")
_IMPERSONAL_NAME: Final = re.compile(r"\b(?:the|of the|and)\b|\d", re.I)


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The question before: as it was read, its answer, what kind of answer it asked for.

    ``digest`` is that of its run, empty where the run was not recorded to its end.
    """

    question: str
    answer: str
    answer_type: str = "other"
    digest: str = ""


class _Word(msgspec.Struct, frozen=True):
    low: str
    start: int
    end: int


def read_follow_up(text: str, earlier: Earlier, store: SqliteStore) -> FollowUpRead | None:
    """Return how ``text`` is read after ``earlier``, None if it stands alone."""
    words = [_Word(match[0].lower(), *match.span()) for match in _WORD.finditer(text)]
    own = [
        name
        for name in names_in(text, store)
        if name.surface.lower() not in _ROLES or _is_acronym(name.surface, text)
    ]
    about = _ABOUT.match(text)
    topic = _topics(earlier, store, "thing")
    pronouns = _pronouns(text, words)
    if about and not any(word.start >= about.start(1) for word in pronouns):
        return _made(text, earlier, *_instead(about[1], topic, earlier))
    found = [word for word in pronouns if not any(name.end <= word.start for name in own)]
    if found and (has_content(text) or any(word.low not in _POINTING for word in found)):
        return _replaced(text, found, earlier, store)
    if not words:
        return None
    joins = words[0].low in _CONNECTIVES
    if joins and len(words) <= _SHORT and not {word.low for word in words} & (ASKING | HELPING):
        rest = text[words[0].end :].strip(" ,?.!\n\t")
        if has_content(rest):
            return _made(text, earlier, *_instead(rest, topic, earlier))
    if own:
        return None
    if joins or not has_content(text):
        rest = LEADING.sub("", earlier.question, count=1).strip()
        rest = rest[:LONGEST_CARRIED]
        why = "the rest of the question before"
        carried = Carried(phrase="", text=rest, source="question", reason=why)
        return _made(text, earlier, f"{text.rstrip(' ?.!')}: {rest}", [carried])
    return None


def _made(text: str, earlier: Earlier, reading: str, carried: list[Carried]) -> FollowUpRead | None:
    if not carried or reading == text or len(reading) > LONGEST_QUESTION:
        return None
    return FollowUpRead(
        reading=reading,
        previous=earlier.digest,
        earlier_question=earlier.question,
        earlier_answer=earlier.answer,
        earlier_type=earlier.answer_type,
        carried=carried,
    )


# -- pronouns ------------------------------------------------------------------------------------------
def _pronouns(text: str, words: list[_Word]) -> list[_Word]:
    """Return the words of the whole question that stand for something said before."""
    impersonal = {match.start() for match in _IMPERSONAL.finditer(text)}
    return [
        word
        for index, word in enumerate(words)
        if word.low in _ROLES
        and word.start not in impersonal
        and not _is_acronym(text[word.start : word.end], text)
        and _stands_for_a_name(words, index)
    ]


def _stands_for_a_name(words: list[_Word], index: int) -> bool:
    word = words[index].low
    before = _uncontracted(words[index - 1].low) if index else ""
    after = _uncontracted(words[index + 1].low) if index + 1 < len(words) else ""
    if word == "there":  # "is there a ..." means nothing, "who lives there" does
        return before not in BEING and after not in BEING and index > 0
    if word in _POINTING:  # "that lamp" and "the lamp that ..." need no name
        return after in HELPING | {""} and (not before or not has_content(before))
    return True


def _uncontracted(word: str) -> str:
    """Return the word without what an apostrophe joins to it: "isn" of "isn't", a form of being."""
    return _APOSTROPHE.split(word, maxsplit=1)[0]


def _is_acronym(surface: str, text: str) -> bool:
    """Return whether a pronoun stands in capitals, as "the IT department", in a text that does not."""
    return len(surface) > 1 and surface.isupper() and not text.isupper()


def _replaced(text: str, found: list[_Word], earlier: Earlier, store: SqliteStore) -> FollowUpRead | None:
    reading, last = "", 0
    carried: list[Carried] = []
    for word in found:
        names, source, reason = _antecedent(_ROLES[word.low], earlier, store)
        if not names:
            continue
        named = " and ".join(names)
        after = _WORD.search(text, word.end)
        owned = word.low in _POSSESSIVE or (word.low == "her" and after is not None and has_content(after[0]))
        reading += text[last : word.start] + (f"{named}'s" if owned else named)
        last = word.end
        if all(each.phrase != word.low for each in carried):
            carried.append(Carried(phrase=word.low, text=named, source=source, reason=reason))
    return _made(text, earlier, reading + text[last:], carried)


def _antecedent(role: Role, earlier: Earlier, store: SqliteStore) -> tuple[list[str], Source, str]:
    """Return what a pronoun of this role stands for, where that was said, and the rule in words."""
    asked, answered = _topics(earlier, store, role), _answered(earlier, store)
    wants = {"person": "person", "place": "place"}.get(role, "")
    if role == "person" and (people := _people(earlier, answered)):
        return people[:1], "answer", "the likeliest person in the last answer"
    if wants and earlier.answer_type == wants and answered:
        return answered[:1], "answer", f"the {wants} that the last answer names first"
    if role == "thing" and _WHICH.match(earlier.question) and answered:
        return answered[:1], "answer", "the last question asked which one, and the answer names it first"
    if role == "many":
        several = asked if len(asked) > 1 or len(answered) < 2 else answered
        if len(several) < 2 and earlier.answer_type == "person" and (people := _people(earlier, answered)):
            return people[:1], "answer", "the likeliest person in the last answer"
        source: Source = "question" if several is asked else "answer"
        return several[:MOST_NAMES], source, f"the names in the last {source}"
    if role != "thing" and answered:
        return answered[:1], "answer", "the name that the last answer adds first"
    if asked:
        return asked[:1], "question", "the first name in the last question"
    if answered:
        return answered[:1], "answer", "the name that the last answer adds first"
    return [], "question", ""


def _topics(earlier: Earlier, store: SqliteStore, role: Role) -> list[str]:
    """Return what the last question was about: its names, or else its words that mean something.

    A question may be a heading, and so a name, but is about what it asks for.
    """
    found = dict.fromkeys(name.surface for name in names_in(earlier.question, store))
    names = [name for name in found if name.split()[0].lower() not in ASKING | HELPING]
    names = names or _capitalised(earlier.question)
    about = subject(earlier.question) if role in ("thing", "many") and not names else ""
    return [about[:LONGEST_CARRIED]] if about else names


def _answered(earlier: Earlier, store: SqliteStore) -> list[str]:
    """Return the names that the last answer adds to those of its question, in its order."""
    answer = " ".join(_MARKER.sub("", earlier.answer).split())
    said = fold(earlier.question).lower()
    at_home = [name.surface for name in names_in(answer, store) if _is_written_as_name(name.surface)]
    found = dict.fromkeys([*at_home, *(each for each in _capitalised(answer) if " " in each)])
    new = [name for name in found if not re.search(rf"(?<!\w){re.escape(fold(name).lower())}(?!\w)", said)]
    return sorted(new, key=lambda name: (answer.find(name), name))


def _is_written_as_name(surface: str) -> bool:
    """Whether a word of it that means something begins like a name; "A persona" and "the question" do not."""
    words = surface.replace("’", "'").removesuffix("'s").split()
    return any(
        (word[0].isupper() or not word.isalpha()) and word.lower() not in _DETERMINING for word in words
    )


def _people(earlier: Earlier, answered: list[str]) -> list[str]:
    """Return those of the names that may be a person's, the likeliest first.

    What is done *by* somebody, and who is *born* or *is a* something, is a person more likely than
    the first name that comes; an article, an *of* or a number speaks against it.
    """
    answer = " ".join(_MARKER.sub("", earlier.answer).split())
    judged = []
    for order, name in enumerate(answered):
        written = re.escape(name)
        likely = 2 * bool(re.search(rf"\bby\s+{written}", answer))
        likely += 2 * bool(re.search(rf"{written}\s*(?:\([^)]*\d|was born\b|(?:is|was) an?\b)", answer))
        likely += bool(_PERSONAL.fullmatch(name))
        likely -= 3 * bool(_IMPERSONAL_NAME.search(name))
        if likely > 0:
            judged.append((-likely, order, name))
    return [name for _, _, name in sorted(judged)]


def _capitalised(text: str) -> list[str]:
    """Return the runs of capitalised words that do not merely open a sentence."""
    runs = []
    for match in _CAPITALS.finditer(text):
        opens = match.start() == 0 or text[: match.start()].rstrip()[-1:] in ".!?:"
        words = match[0].split()
        while words and (words[0].lower() in ASKING or not has_content(words[0])):
            words, opens = words[1:], False
        if words and not (opens and len(words) == 1):
            runs.append(" ".join(words))
    return runs


# -- what about ----------------------------------------------------------------------------------------
def _instead(new: str, topics: list[str], earlier: Earlier) -> tuple[str, list[Carried]]:
    """Return the last question with ``new`` in place of what it was about."""
    for topic in topics:
        place = earlier.question.find(topic)
        if place >= 0 and topic != earlier.question:
            reading = earlier.question[:place] + new + earlier.question[place + len(topic) :]
            why = "the question before, with the new name in place of the old"
            return reading, [Carried(phrase=topic, text=new, source="question", reason=why)]
    return new, []
