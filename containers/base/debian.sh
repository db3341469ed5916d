#!/usr/bin/env bash
# Make the root file system of the debian base image: what the public slim Python image has, from Debian's own packages.
#
#   SOURCE_DATE_EPOCH=1700000000 containers/base/debian.sh bookworm base.tar /etc/ssl/certs/ca-certificates.crt
#
# Further words are packages to add, for an image that needs tools besides Python.
# The same packages give the same bytes: mmdebstrap sorts the archive and sets times later than SOURCE_DATE_EPOCH back to it.
# The CA certificates of this host go in, so that a later build with network works behind a proxy with a certificate of its own.
set -euo pipefail
suite=$1 archive=$2 certificates=$3
packages=(usr-is-merged python3 python3-venv ca-certificates "${@:4}")

# Licences stay (path-include); other documentation, translations and the caches of apt and dpkg go.
# The hook merges /usr before any package is there, so that usrmerge, which would do it and brings all of Perl, is not needed.
exec mmdebstrap \
    --variant=minbase \
    --setup-hook='printf "Package: usrmerge\nPin: version *\nPin-Priority: -1\n" >"$1/etc/apt/preferences.d/usrmerge"' \
    --hook-directory=/usr/share/mmdebstrap/hooks/merged-usr \
    --include="$(IFS=,; echo "${packages[*]}")" \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/lintian/*' \
    --dpkgopt='path-exclude=/usr/share/bash-completion/*' \
    --customize-hook='ln -s /usr/bin/python3 "$1/usr/local/bin/python"' \
    --customize-hook="upload '$certificates' /etc/ssl/certs/ca-certificates.crt" \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/* "$1"/usr/share/doc-base' \
    --customize-hook='rm -f "$1"/etc/apt/preferences.d/usrmerge' \
    --customize-hook='rm -f "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/machine-id "$1"/var/lib/dbus/machine-id' \
    --customize-hook='find "$1/usr" -name __pycache__ -prune -exec rm -rf {} +' \
    --customize-hook='chroot "$1" python -m compileall -q --invalidation-mode unchecked-hash /usr/lib/python3.11' \
    "$suite" "$archive"
