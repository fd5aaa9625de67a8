"""The personas of a workspace that may be asked, read again when a file of theirs changes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.config import Settings, ThresholdSettings
from engine.errors import InputError, PersonaError
from engine.events import Warned
from engine.files import os_failure
from engine.mixture import Mixture
from engine.personas.gate import Candidate
from engine.personas.registry import PersonaRegistry, Roster, StoredPersona
from engine.workspace import TIERS, Workspace

CONTROL_PERSONA = "fact-finder"


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise os_failure("look into", folder, error) from error


class ExpertPool:
    """Who can take part in a question. What is read and worked out is kept until a tier folder changes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._roster: tuple[tuple[int, ...], Roster] | None = None
        self._mixed: tuple[Roster, Settings, Mixture] | None = None

    def state(self) -> tuple[int, ...]:
        """Return what changes whenever a persona is written or moved: each tier folder's time of change.

        Raises WorkspaceError for a folder that may not be looked into.
        """
        return tuple(map(_changed, (self._workspace.personas / tier for tier in TIERS)))

    @property
    def personas(self) -> tuple[StoredPersona, ...]:
        """The personas that can take part, pruned ones left out."""
        return self._read().usable

    def unusable(self) -> Iterator[Warned]:
        """Yield a warning for each reason why a file of a persona cannot be used."""
        for reason in dict.fromkeys(problem.reason for problem in self._read().problems):
            yield Warned(problem=reason, mend="see 'persona-moe personas validate'")

    def mixture(self, settings: Settings, only: Sequence[str] = ()) -> Mixture:
        """Return the mixture of all that can take part.

        Raises PersonaError with the exact reason if nobody can, or one of ``only`` cannot.
        """
        self._require(only)
        roster = self._read()
        if self._mixed is None or self._mixed[0] is not roster or self._mixed[1] is not settings:
            self._mixed = roster, settings, Mixture(self._workspace, settings, roster.usable)
        return self._mixed[2]

    def require_affordable(
        self, settings: Settings, budget: float | None = None, only: Sequence[str] = ()
    ) -> None:
        """Raise InputError if ``budget``, by default the setting, pays for nobody who competes for a place.

        Personas asked for by name, ``only``, are asked whatever they cost.
        """
        competing = [each for each in self.personas if each.tier != "experimental"] or self.personas
        if only or not competing:
            return
        cheapest = min(competing, key=lambda each: (each.persona.activation_cost, each.persona.persona_id))
        cost = cheapest.persona.activation_cost
        allowed = settings.thresholds.budget if budget is None else budget
        if cost <= allowed:
            return
        enough = max(cost, ThresholdSettings().budget)
        key = f"persona-moe config set thresholds.budget {enough:g}"
        raise InputError(
            f"the budget of {allowed:g} pays for no persona: the cheapest, {cheapest.persona.persona_id}, "
            f"costs {cost:g}",
            f"run: {key}" if budget is None else f"give --budget {cost:g} or more",
        )

    def control(self, settings: Settings) -> Candidate:
        """Return the control arm: the plain fact-finder, or the cheapest persona where it was removed."""
        personas = {each.persona.persona_id: each for each in self.personas}
        plain = personas.get(CONTROL_PERSONA) or min(
            personas.values(), key=lambda each: (each.persona.activation_cost, each.persona.persona_id)
        )
        return self.mixture(settings).candidate(plain)

    def _read(self) -> Roster:
        state = self.state()
        if self._roster is None or self._roster[0] != state:
            self._roster = (state, PersonaRegistry.of(self._workspace).load())
        return self._roster[1]

    def _require(self, only: Sequence[str]) -> None:
        usable = {each.persona.persona_id for each in self.personas}
        if not usable and not only:
            mend = "'persona-moe personas restore ID' brings one back, 'personas new ID' makes one"
            raise PersonaError("no persona can take part: every one is pruned or cannot be read", mend)
        for persona_id in only:
            if persona_id not in usable:
                PersonaRegistry.of(self._workspace).get(persona_id)  # says what is wrong, unless it is pruned
                mend = f"bring it back with 'persona-moe personas restore {persona_id}'"
                raise PersonaError(f"persona {persona_id} is pruned and takes part in nothing", mend)
