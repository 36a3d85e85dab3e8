"""Adds up the results of lit: the tests that failed, why others were skipped,
and the closing line "N passed, N failed, N skipped"."""

import json
import sys

PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def main(paths):
    tests = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            tests += [(path, test) for test in json.load(file)["tests"]]
    skipped = [test for test in tests if test[1]["code"] in SKIPPED]
    failed = [test for test in tests
              if test[1]["code"] not in PASSED | SKIPPED]
    for path, test in skipped:
        print(f"skipped: {test['name']} ({path}): needs what this machine "
              "does not have, such as a GPU")
    for path, test in failed:
        print(f"{test['code'].lower()}: {test['name']} ({path})")
    passed = len(tests) - len(skipped) - len(failed)
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
