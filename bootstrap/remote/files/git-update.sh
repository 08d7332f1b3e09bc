#!/bin/sh
# The hook 'update' of the repository: REFERENCE OLD NEW. What git itself refuses (a forced push, a deletion) is not asked here.
set -eu
case $1 in
refs/heads/pushed | refs/heads/pushed/*)
    printf '%s\n' "a launch keeps commits in branches of this name: push another branch than ${1#refs/heads/}" >&2
    exit 1
    ;;
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
# With what this push brings: git keeps it in the folder of the repository until this hook takes it.
used=$(du -sk "${GIT_DIR:-.}" | cut -f 1)
if [ "$used" -gt "$BOOTSTRAP_MOST_KIB" ]; then
    printf '%s\n' "the repository would have $used KiB, and may have $BOOTSTRAP_MOST_KIB: ask an administrator to make room in it" >&2
    exit 1
fi
