#!/bin/sh
# The hook 'update' of the repository: REFERENCE OLD NEW. What git itself refuses (a forced push, a deletion) is not asked here.
set -eu
case $1 in
refs/heads/*) ;;
*)
    printf '%s\n' "only branches are taken here, not $1" >&2
    exit 1
    ;;
esac
if [ "$1" = "refs/heads/$BOOTSTRAP_BRANCH" ] && [ "$BOOTSTRAP_ACCESS" != write ]; then
    printf '%s\n' "the jobs of this Jenkins run the branch $BOOTSTRAP_BRANCH with the rights of the machine: push another branch, and let an operator merge it" >&2
    exit 1
fi
