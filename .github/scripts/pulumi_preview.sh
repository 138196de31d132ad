#!/bin/sh
# Pulumi's preview of a stack as a comment's Markdown on standard output; fails where the preview does, after printing it.
# Usage: pulumi_preview.sh STACK
set -eu
stack=$1
output=$(mktemp)
trap 'rm -f "$output"' EXIT
code=0
pulumi preview --stack "$stack" --diff --non-interactive --color never > "$output" 2>&1 || code=$?
echo "### Preview of \`$stack\` (Pulumi, against the deployed stack)"
echo
if [ "$code" -ne 0 ]; then
    echo "> [!CAUTION]"
    echo "> The preview failed."
    echo
fi
echo '```diff'
# Definitions and policies are long lines.
cut -c 1-400 "$output" | head -n 700
echo '```'
exit "$code"
