#!/usr/bin/env bash
# Compares KestrelStream with nginx and HAProxy on this machine: CPU per unit of work, memory per session, latency beside bulk downloads. See README.md here.
# Needs Debian and the .NET SDK; installs the two proxies when they are missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

missing=()
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx)
command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
command -v openssl >/dev/null || missing+=(openssl)
# The stream module is a package of its own on Debian, and part of the binary elsewhere.
if command -v dpkg >/dev/null && ! dpkg -s libnginx-mod-stream >/dev/null 2>&1; then
    nginx -V 2>&1 | grep -qE -- '--with-stream( |$)' || missing+=(libnginx-mod-stream)
fi
if [ ${#missing[@]} -gt 0 ]; then
    sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
    echo "installing ${missing[*]}" >&2
    $sudo apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi
# Debian keeps both outside the PATH of ordinary users.
export PATH="$PATH:/usr/sbin"

if [ "$(ulimit -Hn)" != unlimited ] && [ "$(ulimit -Hn)" -lt 19500 ]; then
    echo "note: the limit of $(ulimit -Hn) open files allows fewer than 9,500 sessions at once (below 8,500 also fewer than 4,000 idle ones)" >&2
fi
ulimit -Sn "$(ulimit -Hn)"

output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
build() { dotnet publish "$root/$1" -c Release -o "$output/$2" -v quiet --nologo >&2; }
build src/KestrelStream.Server server
build benchmarks/KestrelStream.Load load

# A network of its own where that can be had: what other programs and earlier runs have left in TIME_WAIT makes every connection dearer, for a while.
isolated=()
if [ "$(id -u)" -eq 0 ] && command -v ip >/dev/null && unshare -n true 2>/dev/null; then
    isolated=(unshare -n bash -c 'ip link set lo up && echo 64 > /proc/sys/net/ipv4/tcp_max_tw_buckets && exec "$@"' isolated)
    echo "network: a namespace of its own" >&2
fi

"${isolated[@]}" "$output/load/KestrelStream.Load" --server "$output/server/kestrelstream" --configs "$here" "$@"
