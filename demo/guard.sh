#!/usr/bin/env bash
# The second half of `./dev demo`: the scanned image is sealed, run and guarded, on a Docker daemon of
# the demo's own. Where this machine cannot, it says what it leaves out, and why.
# usage: guard.sh LAZARET IMAGE-FOLDER OUTPUT-FOLDER
set -euo pipefail

lazaret=$1 image=$2 out=$3
name=lazaret-demo:1

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
left_out() {
    say "left out: sealing, verifying and guarding a container: $*"
    exit 0
}

[[ $EUID -eq 0 ]] || left_out "a container engine of the demo's own needs root"
command -v dockerd >/dev/null || left_out "\`dockerd\` is not installed"
command -v docker >/dev/null || left_out "\`docker\` is not installed"

work=$(mktemp -d "${TMPDIR:-/tmp}/lazaret-demo.XXXXXX")
state=$work/state
export DOCKER_HOST=unix://$work/docker.sock
agent=

finish() {
    [[ -z $agent ]] || kill "$agent" 2>/dev/null || true
    docker ps -q 2>/dev/null | xargs -r docker kill >/dev/null 2>&1 || true
    if [[ -s $work/docker.pid ]]; then
        local daemon
        daemon=$(<"$work/docker.pid")
        kill "$daemon" 2>/dev/null || true
        for _ in {1..100}; do
            kill -0 "$daemon" 2>/dev/null || break
            sleep 0.1
        done
    fi
    rm -rf --one-file-system "$work" 2>/dev/null || true
}
trap finish EXIT

say "starting a Docker daemon of the demo's own"
dockerd --data-root "$work/data" --exec-root "$work/exec" --host "$DOCKER_HOST" \
    --pidfile "$work/docker.pid" --bridge=none --iptables=false --ip6tables=false \
    >"$out/dockerd.log" 2>&1 &
for _ in {1..150}; do
    docker version >/dev/null 2>&1 && break
    sleep 0.2
done
docker version >/dev/null 2>&1 || left_out "\`dockerd\` does not start here; see $out/dockerd.log"
say "\$ tar -C $image -c . | docker load"
tar -C "$image" -c . | docker load

say "\$ lazaret key new $out/key"
rm -f "$out/key" "$out/key.pub"
"$lazaret" key new "$out/key"
say "\$ lazaret seal docker:$name --key $out/key"
"$lazaret" seal "docker:$name" --key "$out/key" --state "$state"
say "\$ lazaret verify docker:$name"
"$lazaret" verify "docker:$name" --state "$state"

container=$(docker run --detach --network none --name shop "$name" sleep 600) ||
    left_out "the container does not start (an image without its layer of Debian has no programs)"
drop() {
    # A copy of `sleep` with a byte more, under the name of a well-known miner: harmless, and a
    # program that the sealed image does not hold.
    docker exec "$container" sh -c \
        "cp /bin/sleep /tmp/$1; printf x >>/tmp/$1; /tmp/$1 0.3 && echo '$1 ran' || echo '$1 did not run'" 2>&1
}

# Starts the agent with the given options, drops a program, ends the agent.
watch() {
    local mode=$1 program=$2
    rm -f "$out/alerts.jsonl"
    say "\$ lazaret agent $mode"
    "$lazaret" agent "$mode" --state "$state" -o "$out/alerts.jsonl" --seconds 120 &
    agent=$!
    sleep 3
    if ! kill -0 "$agent" 2>/dev/null; then
        agent=
        say "left out: the agent cannot run here (see above)"
        return 1
    fi
    say "\$ docker exec shop sh -c 'cp /bin/sleep /tmp/$program; printf x >>/tmp/$program; /tmp/$program'"
    drop "$program"
    sleep 1
    kill "$agent"
    wait "$agent" || true
    agent=
    if ! grep -q "$program" "$out/alerts.jsonl" 2>/dev/null; then
        echo "error: the agent did not name $program" >&2
        exit 1
    fi
}

say "\$ lazaret agent --status"
"$lazaret" agent --status --state "$state" || true
if watch --observe xmrig; then
    watch --enforce minerd || true
    say "\$ lazaret verify container:shop"
    code=0
    "$lazaret" verify container:shop --state "$state" || code=$?
    [[ $code -eq 1 ]] || { echo "error: exit code $code, and 1 was due" >&2; exit 1; }
    say "\$ lazaret scan --running"
    code=0
    "$lazaret" scan --running --state "$state" --db "$out/db" --offline || code=$?
    [[ $code -eq 0 || $code -eq 1 || $code -eq 3 ]] || exit "$code"
fi

say "an attacker changes one byte of a stored layer, and restores the file's time"
bottom=$(docker image inspect --format '{{.GraphDriver.Data.LowerDir}}' "$name" | sed 's/.*://')
victim=$bottom/usr/bin/openssl
if [[ ! -f $victim ]]; then
    left_out "tampering with a layer: the engine does not keep layers in folders here"
fi
touch -r "$victim" "$work/time"
printf '\xcc' | dd of="$victim" bs=1 seek=4096 conv=notrunc status=none
touch -r "$work/time" "$victim"
say "\$ lazaret verify docker:$name"
code=0
"$lazaret" verify "docker:$name" --state "$state" || code=$?
[[ $code -eq 1 ]] || { echo "error: exit code $code, and 1 was due" >&2; exit 1; }
say "done: alerts are in $out/alerts.jsonl"
