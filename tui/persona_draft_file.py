"""A draft in the user's own editor: written, edited, read back; a text with a mistake in it stays."""

import re
from typing import TYPE_CHECKING, Final

from engine.errors import InputError, PersonaError, WorkspaceError
from engine.files import read_bounded
from engine.personas.document import MAX_BYTES, decode_persona
from engine.personas.draft import Draft
from tui.persona_bench import is_usable
from tui.persona_edit import run_editor

if TYPE_CHECKING:
    from engine.personas.registry import StoredPersona
    from tui.persona_bench import PersonaBench

_TRAIT: Final = re.compile(r"\btrait ([a-z][a-z0-9_-]*)")
_FIELDS: Final = (
    ("expertise", "field:expertise"),
    ("activation_cost", "field:cost"),
    ("persona_id", "field:id"),
    ("metadata", "field:name"),
    ("traits", "section:traits"),
)


class DraftFile:
    """The file that the editor opens."""

    def __init__(self, bench: "PersonaBench", draft: Draft, stored: "StoredPersona | None") -> None:
        """``stored`` is None for a persona that was never saved."""
        self._bench, self._draft, self._stored = bench, draft, stored
        name = draft.now.persona_id
        self.path = bench.new_path(name) if stored is None else bench.draft_path(stored)

    def begin(self) -> bool:
        """Write the draft, unless a text that does not validate is there: that one is gone on with.

        Returns whether it was written.
        """
        if self.path.exists() and not is_usable(self.path):
            return False
        self._bench.keep_draft(self.path, self._draft.now)
        return True

    def run_editor(self) -> str:
        """Let the user edit; return what went wrong, empty if nothing did."""
        try:
            run_editor(self.path)
        except (InputError, PersonaError) as error:
            return str(error)
        return ""

    def read(self) -> Draft:
        """Return the edited draft. Raises PersonaError naming the field; the text is kept then."""
        where = f"{self._draft.now.persona_id}.json"
        mend = "your text is kept; e goes on with it, z discards it"
        try:
            persona = decode_persona(read_bounded(self.path, MAX_BYTES), where)
        except (PersonaError, WorkspaceError) as error:
            raise PersonaError(error.problem, f"{error.mend}; {mend}" if error.mend else mend) from error
        was = self._draft.now.persona_id
        if self._stored is not None and persona.persona_id != was:
            raise PersonaError(
                f"{where}: persona_id cannot change from {was} to {persona.persona_id}",
                f"clone it for another id; {mend}",
            )
        return Draft(self._draft.base, persona)


def row_of_problem(problem: str) -> str:
    """Return the key of the card's line that a problem is about.

    >>> row_of_problem("a.json: trait depth must be a whole number from 1 to 9, not 12")
    'trait:depth'
    """
    if match := _TRAIT.search(problem):
        return f"trait:{match[1]}"
    return next((key for word, key in _FIELDS if word in problem), "field:name")
