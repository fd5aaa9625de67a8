"""The one place where a command gets hold of the workspace and the engine."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.pipeline import Engine
    from engine.workspace import Workspace


def open_workspace(args: argparse.Namespace) -> "Workspace":
    """Return the workspace that ``--workspace`` names, or the nearest, made if there is none.

    Raises WorkspaceError if it cannot be read, or made.
    """
    from engine.workspace import Workspace, find_workspace

    return Workspace.open(find_workspace(args.workspace, Path.cwd()))


def open_engine(args: argparse.Namespace) -> "Engine":
    """Return the engine over that workspace, to be used in a ``with`` statement."""
    from engine.pipeline import Engine

    return Engine.open(open_workspace(args))
