#!/bin/sh
# Put a file's text into the pull request as the one comment with this name: edited in place, or made where there is none.
# Usage: comment.sh NAME FILE; GH_TOKEN, GITHUB_REPOSITORY and NUMBER (of the pull request) in the environment.
set -eu
name=$1
file=$2
marker="<!-- cqrs: $name -->"
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
    echo "$marker"
    # A comment has at most 65,536 characters.
    head -c 60000 "$file"
} > "$body"
found=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" \
    --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -n "$found" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found" --field "body=@$body" > /dev/null
else
    gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --field "body=@$body" > /dev/null
fi
