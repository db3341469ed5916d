# Sourced by the scripts beside it: words for the terminal, and installing Debian packages.

say() { printf 'slipway: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Run as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Install Debian packages, or say by hand what would.
apt_install() {
    command -v apt-get >/dev/null || die "$* is missing and this is no Debian; install it with your package manager and repeat"
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        die "$* is missing; as root run: apt-get update && apt-get install $*"
    fi
    say "installing $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
