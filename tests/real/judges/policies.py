"""Policies judged by parliament, in an environment of its own: ``{name: document}`` in, findings out."""

import json
import sys

import parliament  # type: ignore[import-not-found]


def main() -> None:
    """Each document is judged as a policy of an identity or of a resource, by whether it names principals."""
    found = []
    for name, document in json.load(sys.stdin).items():
        analysed = parliament.analyze_policy_string(json.dumps(document), ignore_private_auditors=True)
        for one in analysed.findings:
            detail = one.detail if isinstance(one.detail, str) else json.dumps(one.detail, sort_keys=True, default=str)
            found.append([name, one.issue, detail])
    json.dump(found, sys.stdout)


main()
