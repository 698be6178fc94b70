# shellcheck shell=bash
# What the project's scripts share: progress lines, root, packages, an ordinary user, building. Sourced, not run; the
# caller has `set -euo pipefail`.
#
# Two users take part. The invoker (root, or somebody with sudo) installs packages and the built files. Everything else,
# every server above all, runs as an ordinary user: the invoker, or, since PostgreSQL refuses root, `postgres` when that is
# root. Root executes and writes nothing that this user could have changed.

RDB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The caller's make, locale and libpq settings must not reach what we run. PG_CONFIG and PG_TEST_* are ours to keep.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CDPATH LANGUAGE
for RDB_VAR in ${!PG@} ${!LC_@}; do
    [[ $RDB_VAR == PG_* ]] || unset "$RDB_VAR"
done
export LANG=C.UTF-8 LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin
umask 022

# ---------------------------------------------------------------------------------------------------------------- talking

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }

die() {
    printf 'error: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
    exit 1
}

# step WHAT COMMAND…: a progress line, the command with its output kept aside, its time; its output when it fails.
# The command runs in a subshell with errexit on, so that a function may be a plain list of commands.
step() {
    local what=$1 start=$SECONDS rc log file
    shift
    say "$what"
    # Without a name from the start, so that nothing is left however this ends.
    file=$(mktemp "${TMPDIR:-/tmp}/rustydb-step.XXXXXX")
    exec {log}<>"$file"
    rm "$file"
    set +e
    (set -e; "$@") >&"$log" 2>&1 </dev/null {log}>&-
    rc=$?
    set -e
    if [ "$rc" -ne 0 ]; then
        note "FAILED after $((SECONDS - start)) s (status $rc); the end of its output:"
        tail -n 60 "/proc/self/fd/$log" | sed 's/^/    | /'
        exit "$rc"
    fi
    exec {log}>&-
    note "done in $((SECONDS - start)) s"
}

# ------------------------------------------------------------------------------------------------------------------ users

is_root() { [ "$(id -u)" -eq 0 ]; }

as_root() {
    if is_root; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this step needs root, and there is no sudo: $*" "run it as root, or install sudo and allow it to $(id -un)"
    fi
}

# Asks for the password, if one is needed, where it can be seen: the steps' own output is kept aside.
ensure_root() {
    is_root && return
    command -v sudo >/dev/null || die "$1 needs root, and there is no sudo" "run this as root, or install sudo and allow it to $(id -un)"
    sudo -n true 2>/dev/null && return
    if [ -t 0 ] || [ -t 2 ]; then
        sudo -v && return
    fi
    die "$1 needs root, and sudo does not let $(id -un) in without a password" "run this as root, or allow sudo to $(id -un)"
}

ordinary_user() { if is_root; then echo postgres; else id -un; fi; }

# exec_as_user COMMAND…: becomes the command, run by the ordinary user in the current directory, which that must be able to
# enter. setpriv rather than runuser: nothing stands between the command and its signals, or changes its process id.
exec_as_user() {
    is_root || exec "$@"
    local home keep=() v
    home=$(getent passwd postgres | cut -d: -f6)
    for v in CI TERM LANG LC_ALL PG_CONFIG ${!PG_TEST_@} ${!RUSTYDB_@} ${!CHECK_@} ${!DEMO_@} ${!TAP_@}; do
        [ -z "${!v+set}" ] || keep+=("$v=${!v}")
    done
    exec setpriv --reuid=postgres --regid=postgres --init-groups \
        env -i PATH="$PATH" HOME="$home" USER=postgres LOGNAME=postgres SHELL=/bin/bash "${keep[@]}" "$@"
}

as_user() { (exec_as_user "$@"); }

# -------------------------------------------------------------------------------------------------------------- PostgreSQL

# The PostgreSQL version that this release of Debian packages.
release_pg_major() {
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    case $codename in
        bookworm) echo 15 ;;
        trixie) echo 17 ;;
        *) apt-cache depends postgresql 2>/dev/null | sed -n 's/^ *Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1 ;;
    esac
}

# PG_CONFIG if it is set; else the newest complete PostgreSQL (server, headers, PGXS); else where the release's will be.
pg_config_path() {
    local c
    if [ -n "${PG_CONFIG:-}" ]; then
        echo "$PG_CONFIG"
        return
    fi
    while read -r c; do
        if [ -x "${c%/*}/postgres" ] && [ -f "$("$c" --pgxs)" ] && [ -d "$("$c" --includedir-server)" ]; then
            echo "$c"
            return
        fi
    done < <(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -t/ -k5,5rn)
    echo "/usr/lib/postgresql/$(release_pg_major)/bin/pg_config"
}

pg_bindir() { "$(pg_config_path)" --bindir; }

# ---------------------------------------------------------------------------------------------------------------- packages

# The version of clang that this release of Debian packages.
release_clang_major() {
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    case $codename in
        bookworm) echo 14 ;;
        trixie) echo 19 ;;
        *) apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p' | head -n 1 ;;
    esac
}

# What each purpose needs. libc6-dev is only recommended by gcc, and recommendations are not installed; so is libclang-rt, which
# has clang's sanitizers and libFuzzer.
packages_for() {
    local major
    echo gcc libc6-dev make libwebsockets-dev libjansson-dev liblz4-dev libzstd-dev liburing-dev libpq-dev
    if [ -z "${PG_CONFIG:-}" ]; then
        major=$(pg_config_path | cut -d/ -f5)
        echo "postgresql-$major" "postgresql-client-$major" "postgresql-server-dev-$major"
    fi
    case $1 in
        demo) ;;
        check) echo clang "libclang-rt-$(release_clang_major)-dev" perl libipc-run-perl python3 python3-jsonschema bzip2 ;;
        long) packages_for check | tail -n 1; echo debootstrap sudo ;;
        *) die "packages_for: no such purpose: $1" ;;
    esac
}

missing_packages() {
    local p
    for p in "$@"; do
        dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || echo "$p"
    done
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
        -o Dpkg::Use-Pty=0 "$@"
}

# The index is refreshed when it lacks a package, or when a download fails because it is old.
apt_install() {
    apt-cache show "$@" >/dev/null 2>&1 || apt_get update
    apt_get install --no-install-recommends "$@" || { apt_get update && apt_get install --no-install-recommends "$@"; }
}

# install_packages demo|check|long: what is missing, and nothing if nothing is.
install_packages() {
    local wanted missing
    command -v apt-get >/dev/null || die "this needs Debian, or something with its packages (no apt-get here)"
    # Only the package index knows which PostgreSQL an unknown release has.
    if [ -z "${PG_CONFIG:-}" ] && [ -z "$(release_pg_major)" ]; then
        ensure_root "reading the package index"
        step "reading the package index" apt_get update
        [ -n "$(release_pg_major)" ] || die "cannot tell which PostgreSQL this release has" "set PG_CONFIG"
    fi
    wanted=$(packages_for "$1")
    # shellcheck disable=SC2086 # a list of words
    missing=$(missing_packages $wanted)
    [ -n "$missing" ] || return 0
    ensure_root "installing packages"
    # shellcheck disable=SC2086
    step "installing packages (${missing//$'\n'/ })" apt_install $missing
}

# ---------------------------------------------------------------------------------------------------------- copies, builds

# The checkout's files, NUL-separated: what git knows or would add; without git everything but build products.
list_sources() {
    local f
    if git -C "$RDB_ROOT" -c safe.directory="$RDB_ROOT" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$RDB_ROOT" -c safe.directory="$RDB_ROOT" ls-files -z --cached --others --exclude-standard |
            while IFS= read -r -d '' f; do
                # A file that is deleted but not yet committed is still listed.
                if [ -e "$RDB_ROOT/$f" ] || [ -L "$RDB_ROOT/$f" ]; then printf '%s\0' "$f"; fi
            done
    else
        (cd "$RDB_ROOT" && find . -name .git -prune -o \( -type f -o -type l \) \
            ! -name '*.o' ! -name '*.d' ! -name '*.so' ! -name .build-flags -print0)
    fi
}

# copy_sources DIR: the checkout may be where the ordinary user cannot go (below root's home), so work happens in copies.
# Copying again into the same directory touches only files whose contents differ, and leaves objects alone, so that a build
# compiles what changed. The checkout's own times say nothing of that: another one may have been copied here before.
copy_sources() {
    local to=$1 new=$1/.new f
    mkdir -p "$to"
    rm -rf "$new"
    mkdir "$new"
    list_sources | tar -C "$RDB_ROOT" --null -T - -cf - | tar -C "$new" --no-same-owner -m -xf -
    chmod -R u+w,a+rX "$new"
    while IFS= read -r -d '' f; do
        if [ -e "$new/$f" ] || [ -L "$new/$f" ]; then continue; fi
        rm "$to/$f"
    done < <(cd "$to" && find . -path ./.new -prune -o \( -type f -o -type l \) \
        ! -name '*.o' ! -name '*.d' ! -name '*.so' ! -name .build-flags -print0)
    while IFS= read -r -d '' f; do
        if [ ! -L "$new/$f" ] && [ ! -L "$to/$f" ] && cmp -s "$new/$f" "$to/$f"; then
            chmod --reference="$new/$f" "$to/$f"
            continue
        fi
        mkdir -p "$(dirname "$to/$f")"
        mv -fT "$new/$f" "$to/$f"
    done < <(cd "$new" && find . \( -type f -o -type l \) -print0)
    rm -rf "$new"
}

build_in() {
    make -C "$1" -s -j"$(nproc)" PG_CONFIG="$(pg_config_path)"
    [ ! -f "$1/bench/Makefile" ] || make -C "$1/bench" -s PG_CONFIG="$(pg_config_path)"
    [ ! -d "$1/t/module" ] || [ "${2:-}" != module ] || make -C "$1/t/module" -s PG_CONFIG="$(pg_config_path)"
}

install_from() {
    as_root make -C "$1" -s install PG_CONFIG="$(pg_config_path)"
    [ ! -d "$1/t/module" ] || [ "${2:-}" != module ] ||
        as_root make -C "$1/t/module" -s install PG_CONFIG="$(pg_config_path)"
}

# build_and_install DIR [module]: a copy of the sources; with `module', the tests' helper module too.
build_and_install() {
    ensure_root "installing the extension"
    step "building with $(pg_config_path)" build_in "$@"
    step "installing into $("$(pg_config_path)" --pkglibdir)" install_from "$@"
}

# ----------------------------------------------------------------------------------------------------------------- servers

# stop_servers_below DIR: shuts down at once every server whose data directory is below DIR. A postmaster.pid alone proves
# nothing, since process ids are used again: the process must also stand in that directory, as a postmaster does.
stop_servers_below() {
    local file pid
    while IFS= read -r -d '' file; do
        pid=$(head -n 1 "$file" 2>/dev/null) || continue
        [[ $pid =~ ^[0-9]+$ ]] || continue
        [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$(readlink -f "${file%/*}")" ] || continue
        kill -QUIT "$pid" 2>/dev/null || continue
        for _ in $(seq 100); do
            [ -d "/proc/$pid" ] || break
            sleep 0.1
        done
    done < <(find "$1" -name postmaster.pid -print0 2>/dev/null)
}
