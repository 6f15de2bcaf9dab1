"""Recognises the numbers of clauses and headings (pure)."""

import re

# `1.2`, `14.2.3`, `3.1.(b)`, `A2.5`, `APP2.A2.5.Guidance.5.`: at least two levels, then text.
_CLAUSE = re.compile(
    r"(?:§+\s*)?"
    r"(?P<number>(?:[A-Z]{2,}[ ]?[0-9]*\.)?[A-Z]?[0-9]+(?:\.(?:[0-9]+|[A-Z][A-Za-z]*|\([0-9A-Za-z]{1,5}\)))+)"
    r"\.?(?=\s|$)"
)
_AFTER_CLAUSE = re.compile(r"\s*[\"'“‘(\[]?[A-Z]|\s*$")


def clause_number(text: str) -> str:
    """The number that a clause or heading begins with (`14.2.3`), empty for none.

    Two levels need a capital after them: `2.5 days` is an amount, `2.5 Days off` a clause.
    """
    match = _CLAUSE.match(text)
    if not match:
        return ""
    number = match["number"]
    deep = number.count(".") >= 2
    return number if deep or _AFTER_CLAUSE.match(text, match.end()) else ""
