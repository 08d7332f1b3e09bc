#!/bin/sh
# serve PERSON ACCESS BRANCH: the one command of the SSH key of a person, in the place of what the client asked for. It lets the
# client read the repository and, as far as ACCESS says (read, branches, write), push to it. BRANCH is the one that is launched.
set -eu
person=$1 access=$2 branch=$3
repository=/srv/git/toolkit.git hooks=/usr/local/lib/git-server

refuse() {
    logger -t git-server -- "refused: $person: $1" || true
    printf '%s\n' "$1" >&2
    exit 1
}

case ${SSH_ORIGINAL_COMMAND-} in
"git-upload-pack 'toolkit.git'" | "git-upload-pack '/toolkit.git'" | "git-upload-pack '$repository'")
    service=git-upload-pack ;;
"git-receive-pack 'toolkit.git'" | "git-receive-pack '/toolkit.git'" | "git-receive-pack '$repository'")
    service=git-receive-pack ;;
git-upload-archive*)
    refuse "archives are not served here: clone, then use git archive" ;;
*)
    refuse "this key opens the repository $repository alone, with git; there is no shell" ;;
esac
if [ "$service" = git-receive-pack ] && [ "$access" = read ]; then
    refuse "$person may read the repository, not push to it ('git' of 'people' in the environment file)"
fi
# Git takes every push where there is no hook, or one that cannot be run.
if [ "$service" = git-receive-pack ] && ! [ -x "$hooks/update" ]; then
    refuse "pushes are not taken now: $hooks/update, which says what may be pushed, cannot be run; 'host apply' puts it back"
fi

# Set here and not in the repository: what is pushed cannot change it.
export BOOTSTRAP_ACCESS="$access" BOOTSTRAP_BRANCH="$branch" BOOTSTRAP_MOST_KIB=2097152 HOME=/srv/git
export GIT_CONFIG_COUNT=7
export GIT_CONFIG_KEY_0=receive.denyNonFastForwards GIT_CONFIG_VALUE_0=true
export GIT_CONFIG_KEY_1=receive.denyDeletes GIT_CONFIG_VALUE_1=true
export GIT_CONFIG_KEY_2=receive.fsckObjects GIT_CONFIG_VALUE_2=true
export GIT_CONFIG_KEY_3=receive.maxInputSize GIT_CONFIG_VALUE_3=104857600
export GIT_CONFIG_KEY_4=core.hooksPath GIT_CONFIG_VALUE_4="$hooks"
export GIT_CONFIG_KEY_5=transfer.hideRefs GIT_CONFIG_VALUE_5=refs/bootstrap
export GIT_CONFIG_KEY_6=safe.directory GIT_CONFIG_VALUE_6="$repository"
logger -t git-server -- "$person: $service" || true
exec "$service" "$repository"
