# shellcheck shell=sh
# Virtual environments for scripts/* and .ci/run. Source it from the repository root; it runs nothing by itself.

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The first interpreter that runs and is Python 3.11 to 3.13; a pyenv shim may exist and still fail.
find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found. Install one (Debian, Ubuntu: apt-get install python3 python3-venv)," \
        "or name it: PYTHON=/path/to/python3.12 $0"
}

# make_environment FOLDER REQUIREMENTS [INCLUDED_REQUIREMENTS...]: install the first file, unless all is as it was.
#
# The stamp is written last and removed first. So no stamp means an interrupted installation, which starts afresh;
# another stamp means changed requirements, which are installed on top, or another Python, which starts afresh.
make_environment() {
    folder=$1 requirements=$2
    shift
    python=$(find_python) || exit 1
    version=$("$python" -c 'import sys; print(*sys.version_info[:3], sys.base_prefix)')
    stamp="$version $(cat "$@" | cksum)"

    exec 9<"$requirements" # two scripts at once: the second waits here, then finds the stamp
    "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
    installed=$(cat "$folder/.stamp" 2>/dev/null || true)
    if [ "$installed" != "$stamp" ]; then
        rm -f "$folder/.stamp"
        case $installed in
            "$version "*) ;;
            *) create_environment "$python" "$folder" ;;
        esac
        echo "Installing $requirements into $folder ..."
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" ||
            fail "pip could not install $requirements into $folder; its message is above. Run $0 again to retry."
        printf '%s\n' "$stamp" >"$folder/.stamp"
    fi
    exec 9<&-
}

create_environment() {
    echo "Creating $2 with $("$1" -V) ..."
    rm -rf "$2"
    "$1" -m venv "$2" ||
        fail "$1 cannot create virtual environments. Debian, Ubuntu: apt-get install python3-venv. Then run $0 again."
}

make_serving_environment() {
    make_environment .venv requirements-serve.txt
}

make_development_environment() {
    make_environment .venv-dev requirements-dev.txt requirements.txt requirements-serve.txt
}
