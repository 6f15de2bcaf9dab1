"""The result of one check of the configuration; `footnote doctor` prints it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; `mend` is what the person should do, empty when nothing."""

    check: str
    ok: bool
    detail: str
    mend: str = ""
