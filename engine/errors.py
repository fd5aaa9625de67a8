"""The errors this product raises on purpose; everything else is a defect.

::

    PersonaMoeError                 the work failed                     exit 1
    |-- InputError                  what the user gave cannot be used   exit 2
    |   |-- ConfigError             a settings file or key
    |   |-- PersonaError            a persona document or id
    |   `-- SnapshotError           a snapshot file or id
    |       `-- SnapshotHeaderError its first line is damaged, and with it all that follows
    |-- WorkspaceError              the folder cannot be read or written exit 1
    |   `-- WorkspaceBusyError      another process holds it
    |-- CorpusError                 the index is missing, empty or damaged
    |   `-- NothingIndexedError     there is no document to answer from
    `-- ModelUnavailableError       no model could be reached           exit 3

A message names the thing, the place and the mend, on one line.
"""

from typing import ClassVar

from engine.cleaning import one_line


class PersonaMoeError(Exception):
    """The work failed. ``str(error)`` is one clean line: what, where and how to mend it.

    >>> str(PersonaMoeError("index is damaged", "run 'persona-moe index' again"))
    "index is damaged; run 'persona-moe index' again"
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, mend: str = "") -> None:
        self.problem = one_line(problem)
        self.mend = one_line(mend)
        super().__init__(f"{self.problem}; {self.mend}" if self.mend else self.problem)


class InputError(PersonaMoeError):
    """Something the user gave (an argument, a question, a file) cannot be used."""

    exit_code = 2


class ConfigError(InputError):
    """A settings file is malformed, or a key in it is unknown or out of range."""


class PersonaError(InputError):
    """A persona document is malformed, duplicated, or there is none of that id."""


class SnapshotError(InputError):
    """A snapshot is malformed, from a future version, or there is none of that id."""


class SnapshotHeaderError(SnapshotError):
    """The first line of a snapshot is damaged, so nothing can be read; ``how`` says what is wrong there."""

    def __init__(self, problem: str, *, how: str) -> None:
        self.how = one_line(how)
        super().__init__(problem)


class WorkspaceError(PersonaMoeError):
    """The workspace folder cannot be read or written."""


class WorkspaceBusyError(WorkspaceError):
    """Another process is writing to the workspace and did not finish in time."""


class CorpusError(PersonaMoeError):
    """The corpus is missing, empty or damaged."""


class NothingIndexedError(CorpusError):
    """There is no document to answer from; the mend is that of the command line."""

    def __init__(self) -> None:
        super().__init__("nothing is indexed yet", "run 'persona-moe index PATH' with your documents")


class ModelUnavailableError(PersonaMoeError):
    """No model could be reached, or the one asked for is not there.

    ``where`` is the server's address; it stands beside the problem, which the digest of a run holds.
    """

    exit_code = 3
    where = ""

    def __str__(self) -> str:
        return f"{self.where}: {super().__str__()}" if self.where else super().__str__()
