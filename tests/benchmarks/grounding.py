"""How often the check errs, by kind of sentence and corpus, beside plain word overlap; and what it costs.

    FOOTNOTE_TEST_DATA=/path/to/data python -m tests.benchmarks.grounding [--show KIND] [--seed N]

`--show paraphrases` prints the sentences of a kind on which the check errs; how they are made stands in
`tests/bot/answering/verification/sets.py`.
"""

import argparse
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from time import process_time

from bot.answering.verification.entailment import check_entailment
from bot.answering.verification.parsing import parse_text
from tests.bot.answering.verification.sets import ENGLISH, SEED, Case, Sets, corpus, doc2dial

CORPORA = ("doc2dial", "policyqa", "obliqa", "handbooks/jupiterone-policies")
KINDS = ("quotes", "paraphrases", "values", "modality", "elsewhere", "grafts")
FAITHFUL = frozenset({"quotes", "paraphrases"})
OVERLAP = 0.6
SENTENCES, PASSAGES, ANSWERS = 6, 8, 60

Checker = Callable[[str, str], bool]


def checked(sentence: str, text: str) -> bool:
    return check_entailment(sentence, [text]).supported


def overlapping(sentence: str, text: str) -> bool:
    """The obvious alternative: enough of the sentence's stems occur somewhere in the text."""
    stems = set(ENGLISH.terms(sentence))
    return len(stems & set(ENGLISH.terms(text))) >= OVERLAP * len(stems)


def errors(cases: Sequence[Case], checker: Checker, *, faithful: bool) -> list[Case]:
    """Faithful cases that are removed, or false ones that are let through."""
    return [case for case in cases if checker(case.sentence, case.section.evidence) != faithful]


def report(name: str, sets: Sets, *, show: str) -> None:
    for kind in KINDS:
        cases: list[Case] = getattr(sets, kind)
        if not cases:
            continue
        faithful = kind in FAITHFUL
        wrong = errors(cases, checked, faithful=faithful)
        naive = errors(cases, overlapping, faithful=faithful)
        what = "removed" if faithful else "let through"
        print(
            f"{name:32}{kind:12}{what:12}{len(cases):5}  check {len(wrong) / len(cases):6.1%}  "
            f"overlap {len(naive) / len(cases):6.1%}"
        )
        for case in wrong if kind == show else ():
            verdict = check_entailment(case.sentence, [case.section.evidence])
            print(f"    {verdict}\n    {case.sentence}\n    < {case.source[:300]}\n")


def answers(sets: Sets) -> list[tuple[list[str], list[str]]]:
    """Made-up answers: six sentences, some of them of the eight passages of about 200 words that they cite."""
    rng = random.Random(SEED)
    texts = sorted({case.section.text for case in sets.quotes if 150 <= len(case.section.text.split()) <= 260})
    cases = [*sets.quotes, *sets.paraphrases, *sets.values, *sets.modality]
    made = []
    for _ in range(ANSWERS):
        passages = rng.sample(texts, min(PASSAGES, len(texts)))
        own = [case.sentence for case in cases if case.section.text in passages]
        said = rng.sample(own, min(SENTENCES // 2, len(own)))
        made.append((said + [case.sentence for case in rng.sample(cases, SENTENCES - len(said))], passages))
    return made


def milliseconds(sets: Sets, *, warm: bool) -> list[float]:
    """Processor time of each answer, every sentence checked against all passages; cold: nothing read before."""
    taken = []
    for said, passages in answers(sets):
        parse_text.cache_clear()
        if warm:
            for text in (*said, *passages):
                parse_text(text, "english")
        started = process_time()
        for sentence in said:
            check_entailment(sentence, passages)
        taken.append(1000 * (process_time() - started))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--show", choices=KINDS, default="")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    data = Path(os.environ["FOOTNOTE_TEST_DATA"])  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests
    for name in CORPORA:
        sets = doc2dial(data, seed=given.seed) if name == "doc2dial" else corpus(data, name, seed=given.seed)
        report(name, sets, show=given.show)
    sets = doc2dial(data)
    for warm in (False, True):
        taken = milliseconds(sets, warm=warm)
        state = "passages read before" if warm else "nothing read before"
        print(
            f"an answer of {SENTENCES} sentences against {PASSAGES} passages, {state}: "
            f"median {median(taken):.1f} ms, 95 % under {quantiles(taken, n=20)[-1]:.1f} ms"
        )


if __name__ == "__main__":
    main()
