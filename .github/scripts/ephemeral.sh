#!/bin/sh
# Stacks of pull requests, named pr-<number>; they live for so many hours after their last update.
# Usage: ephemeral.sh up STACK | ephemeral.sh down STACK | ephemeral.sh expire HOURS
set -eu
what=$1
stack=$2
here=$(dirname "$0")

destroy() {
    pulumi destroy --stack "$1" --yes --non-interactive --color never --remove
}

pulumi install
case "$what $stack" in
    "up pr-"*)
        pulumi stack select --create "$stack"
        cp Pulumi.dev.yaml "Pulumi.$stack.yaml"
        pulumi config set --stack "$stack" cqrs:forceDestroy true
        pulumi up --stack "$stack" --yes --non-interactive --color never
        ;;
    "down pr-"*)
        destroy "$stack"
        ;;
    "expire "*)
        pulumi stack ls --json > stacks.json
        for one in $(python3 "$here/expired_stacks.py" "$stack" < stacks.json); do
            destroy "$one"
        done
        ;;
    *)
        echo "ephemeral.sh: $what $stack is not allowed; expected up pr-<number>, down pr-<number> or expire HOURS" >&2
        exit 2
        ;;
esac
