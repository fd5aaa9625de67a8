"""What is left of a defect: one clean line for the user, the details in a file only the user can read."""

import os
import traceback

from engine.cleaning import one_line


def keep_details(error: BaseException) -> str:
    """Write the traceback of ``error`` to the user's own log and return one line that says where.

    Variables are not written: they may hold text of documents, or secrets.
    """
    problem = one_line(f"{type(error).__name__}: {error}", 200)
    try:
        from platformdirs import user_state_path

        folder = user_state_path("persona-moe")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "last-error.txt"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        with open(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError as why:
        return f"{problem}; its details could not be kept ({why.strerror})"
    return f"{problem}; the details are in {path}"
