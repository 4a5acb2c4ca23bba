"""How well the check before review tells what breaks a rule: `python -m bench.rulecheck`.

The labelled passages of `tests/content/check/labelled` are split in two halves by a fixed hash: the rules were
tuned on one, the kept half is only measured. A finding is a rule in a passage. `--tuning` shows the mistakes of the
tuning half (those of the kept half are never shown: who looks has no kept half any more). Ends with
`RESULT {"precision", "recall"}` of the kept half, micro-averaged over rules.
"""

import argparse
import json

from tests.content.check import passages


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tuning", action="store_true", help="measure the tuning half and show its mistakes")
    tuning = parser.parse_args().tuning
    half = [one for one in passages.read() if one.kept is not tuning]
    score = passages.measure(half)
    clean = sum(not one.fires for one in half)
    print(f"{len(half)} passages ({clean} clean) of the {'tuning' if tuning else 'kept'} half")
    print(f"{'rule':<16}{'labelled':>9}{'found':>7}{'right':>7}{'precision':>11}{'recall':>8}")
    for rule, row in sorted(score.rules.items()):
        print(
            f"{rule:<16}{row.labelled:>9}{row.found:>7}{row.right:>7}{row.precision:>11.2f}{row.recall:>8.2f}"
        )
    if tuning:
        for line in score.mistakes:
            print(line)
    result = {"precision": round(score.all.precision, 3), "recall": round(score.all.recall, 3)}
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    main()
