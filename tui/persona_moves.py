"""``personas move``, ``prune``, ``retire``, ``pin``, ``unpin``, ``restore``, ``undo``: many at once.

All ids are looked up before anything is done, so a typing error in the last changes nothing.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.persona_desk import registry_of, report_all

if TYPE_CHECKING:
    from engine.personas.registry import PersonaRegistry, StoredPersona


def _for_all(
    args: argparse.Namespace,
    act: "Callable[[PersonaRegistry, StoredPersona], tuple[StoredPersona, str]]",
    check: "Callable[[StoredPersona], object]" = lambda _: None,
) -> int:
    from tui import persona_card as card

    registry = registry_of(args)
    done: list[dict[str, Any]] = []
    with registry.workspace.lock():
        chosen = [registry.get(each) for each in dict.fromkeys(args.ids)]
        for stored in chosen:
            check(stored)
        for stored in chosen:
            after, said = act(registry, stored)
            done.append({**card.summary(after), "said": said})
    return report_all(args, done)


def _moved(
    registry: "PersonaRegistry", stored: "StoredPersona", wanted: str, reason: str
) -> "tuple[StoredPersona, str]":
    from engine.personas.workbench import target_of

    name = stored.persona.persona_id
    moved = registry.move(name, target_of(stored, wanted), reason=reason)
    return moved, f"{name} moved from {stored.tier} to {moved.tier}"


def move(args: argparse.Namespace) -> int:
    """Move personas to a tier, or a step up or down; returns the exit code."""
    from engine.personas.workbench import target_of

    return _for_all(
        args,
        lambda registry, stored: _moved(registry, stored, args.tier, args.reason),
        lambda stored: target_of(stored, args.tier),
    )


def prune(args: argparse.Namespace) -> int:
    """Move personas to the archive; returns the exit code."""
    from engine.personas.workbench import target_of

    return _for_all(
        args,
        lambda registry, stored: _moved(registry, stored, "pruned", args.reason),
        lambda stored: target_of(stored, "pruned"),
    )


def retire(args: argparse.Namespace) -> int:
    """Move personas to the archive and pin them there; returns the exit code."""

    def act(registry: "PersonaRegistry", stored: "StoredPersona") -> "tuple[StoredPersona, str]":
        name = stored.persona.persona_id
        if stored.tier != "pruned":
            registry.move(name, "pruned", reason=args.reason)
        after, _ = registry.pin(name)
        return after, f"{name} is retired: in the archive, pinned"

    return _for_all(args, act)


def pin(args: argparse.Namespace) -> int:
    """Tell the lifecycle to leave personas where they are; returns the exit code."""
    return _pinned(args, True)


def unpin(args: argparse.Namespace) -> int:
    """Let the lifecycle move personas again; returns the exit code."""
    return _pinned(args, False)


def _pinned(args: argparse.Namespace, pinned: bool) -> int:
    def act(registry: "PersonaRegistry", stored: "StoredPersona") -> "tuple[StoredPersona, str]":
        name = stored.persona.persona_id
        after, changed = registry.pin(name, pinned)
        state = "pinned" if pinned else "not pinned"
        return after, f"{name} is {state}{'' if changed else ' already'}"

    return _for_all(args, act)


def restore(args: argparse.Namespace) -> int:
    """Undo the last move of each persona; returns the exit code."""

    def act(registry: "PersonaRegistry", stored: "StoredPersona") -> "tuple[StoredPersona, str]":
        after = registry.restore(stored.persona.persona_id)
        return after, f"{stored.persona.persona_id} is {after.tier} again"

    return _for_all(args, act)


def undo(args: argparse.Namespace) -> int:
    """Take back the last change of each persona, or the last of all; returns the exit code."""
    from tui import persona_card as card

    registry = registry_of(args)
    done: list[dict[str, Any]] = []
    with registry.workspace.lock():
        for name in dict.fromkeys(args.ids) or [""]:
            undone = registry.undo(name)
            stored = registry.get(undone.persona_id)
            said = f"{undone.what} of {undone.persona_id} is taken back; it is {undone.tier}"
            done.append({**card.summary(stored), "undone": undone.what, "said": said})
    return report_all(args, done)
