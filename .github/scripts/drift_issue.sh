#!/bin/sh
# One open issue per stack that has drifted: opened, or told again with today's difference.
# Usage: drift_issue.sh STACK FILE; GH_TOKEN and GITHUB_REPOSITORY in the environment.
set -eu
stack=$1
file=$2
title="Drift: stack $stack is not what the program declares"
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
    echo "\`pulumi preview --refresh --expect-no-changes --stack $stack\` found:"
    echo
    echo '```diff'
    cut -c 1-400 "$file" | head -c 50000
    echo
    echo '```'
    echo
    echo "Either put the change into the program, or run the deployment again, which undoes it."
} > "$body"
found=$(gh issue list --repo "$GITHUB_REPOSITORY" --state open --search "in:title \"$title\"" --json number --jq '.[0].number // empty')
if [ -n "$found" ]; then
    gh issue comment "$found" --repo "$GITHUB_REPOSITORY" --body-file "$body"
else
    gh issue create --repo "$GITHUB_REPOSITORY" --title "$title" --body-file "$body"
fi
