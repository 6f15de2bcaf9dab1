"""What people say to a bot that is no question about the documents, and what a sensible reply is (pure, English)."""

import re
from typing import Literal

Kind = Literal["empty", "greeting", "thanks", "farewell", "identity"]

REPLIES: dict[Kind, str] = {
    "empty": "What would you like to know? Ask in a sentence, for example: how many days of leave do I get?",
    "greeting": "Hello! Ask me anything about our documents, and I will show you the section behind every sentence.",
    "thanks": "You are welcome. A thumb up or down tells us whether the answer helped.",
    "farewell": "Goodbye!",
    "identity": (
        "I am Footnote, a program. I answer from our own documents, show the exact section behind every sentence, "
        "and say so when I cannot find something."
    ),
}

_ADDRESS = (
    r"(?: (?:there|again|all|everyone|team|bot|footnote|everybody|folks|you|so much|a lot|very much"
    r"|for (?:that|your help|the help)))*"
)
_GREETING = rf"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|howdy|greetings|hiya){_ADDRESS}"
_THANKS = (
    r"(?:ok |okay |great |perfect |cool |super )?"
    rf"(?:thanks|thank you|many thanks|thx|ty|cheers|much appreciated){_ADDRESS}"
)
_CONTENT = r"(?:ok|okay|great|perfect|cool|got it|understood|nice|awesome|makes sense)"
_FAREWELL = rf"(?:bye|goodbye|bye bye|see you|good night|have a (?:good|nice) (?:day|evening|weekend)){_ADDRESS}"
_IDENTITY = (
    r"(?:hi |hello |hey )?(?:who|what) (?:are|is) (?:you|this|footnote|this bot)(?: exactly)?"
    r"|are you (?:a )?(?:bot|human|robot|person|real|an ai|ai|a real person|a machine)"
    r"|what can you (?:do|help(?: me)? with|answer)|how (?:do|can) (?:you|i) (?:work|use you|use this)|help"
)
_PATTERNS: dict[Kind, re.Pattern[str]] = {
    "greeting": re.compile(_GREETING),
    "thanks": re.compile(f"{_THANKS}|{_CONTENT}"),
    "farewell": re.compile(_FAREWELL),
    "identity": re.compile(_IDENTITY),
}


def small_talk(text: str) -> Kind | None:
    """The kind of small talk that the whole text is; None for anything that may be a question about the documents."""
    said = " ".join(re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", "")))
    if not any(char.isalnum() for char in text):
        return "empty"
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(said)), None)
