#!/usr/bin/env bash
# A container engine: use the one that answers, else install Docker from Debian and start it.
#
#   tools/engine.sh start | stop
#
# Where systemd runs, it starts Docker. Elsewhere a daemon of Slipway's own is started, with a socket and a data folder of its own
# (SLIPWAY_ENGINE_RUN and SLIPWAY_ENGINE_DATA change them); `stop` ends that one and no other.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
source tools/common.sh

run=${SLIPWAY_ENGINE_RUN:-/run/slipway}
data=${SLIPWAY_ENGINE_DATA:-/var/lib/slipway/docker}
socket=unix://$run/docker.sock
pidfile=$run/docker.pid

answers() {
    if command -v docker >/dev/null; then
        docker version >/dev/null 2>&1 && return 0
        [ -z "${DOCKER_HOST:-}" ] && [ -S "$run/docker.sock" ] && docker --host "$socket" version >/dev/null 2>&1 && return 0
        return 1
    fi
    command -v podman >/dev/null && podman version >/dev/null 2>&1
}

start() {
    # Only a host that reaches no image registry needs mmdebstrap, so a host that cannot install it goes on without.
    if command -v apt-get >/dev/null && ! command -v mmdebstrap >/dev/null; then apt_install mmdebstrap ca-certificates; fi
    if answers; then return 0; fi
    [ -z "${DOCKER_HOST:-}" ] || [ "${DOCKER_HOST}" = "$socket" ] ||
        die "DOCKER_HOST is $DOCKER_HOST and nothing answers there; start that daemon or unset DOCKER_HOST"
    command -v dockerd >/dev/null || apt_install docker.io iptables
    if [ -d /run/systemd/system ]; then
        as_root systemctl start docker
        answers || die "Docker runs but refuses this user; run: sudo usermod -aG docker $USER, log in again, and repeat"
        return 0
    fi
    say "starting a Docker daemon at $socket, data in $data, log in $run/docker.log"
    as_root mkdir -p "$run" "$data"
    as_root bash -c 'nohup setsid dockerd --host "$1" --data-root "$2" --exec-root "$3/exec" --pidfile "$3/docker.pid" \
        --group "$4" >"$3/docker.log" 2>&1 </dev/null &' _ "$socket" "$data" "$run" "$(id -gn)"
    for _ in $(seq 60); do
        if docker --host "$socket" version >/dev/null 2>&1; then return 0; fi
        sleep 0.5
    done
    as_root tail -n 5 "$run/docker.log" >&2
    die "the Docker daemon did not answer in 30 s; its last words stand above, the rest in $run/docker.log"
}

stop() {
    [ -f "$pidfile" ] || { say "no daemon of Slipway's own runs"; return 0; }
    local pid
    pid=$(cat "$pidfile")
    as_root kill "$pid" 2>/dev/null || true
    for _ in $(seq 60); do
        if ! as_root kill -0 "$pid" 2>/dev/null; then
            # A container with the host's network leaves a mount below $run, with which the folder could not be removed.
            awk -v run="$run/" 'index($2, run) == 1 { print $2 }' /proc/mounts | while read -r place; do as_root umount "$place" || true; done
            say "the Docker daemon has stopped"
            return 0
        fi
        sleep 0.5
    done
    die "the Docker daemon (process $pid) does not stop; look into $run/docker.log"
}

case "${1:-}" in
    start | stop) "$1" ;;
    *) die "usage: tools/engine.sh start|stop" ;;
esac
