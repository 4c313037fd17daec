#!/usr/bin/env bash
# Everything there is to run before a change goes in: installs what the tests talk to, builds the solution, runs all tests.
# Works on a fresh Debian machine with the .NET SDK. Last line: "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")"

configuration=Release
results=$PWD/TestResults
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# --- What the tests talk to --------------------------------------------------------------------------------------------------

# program:package
peers=(nginx:nginx curl:curl openssl:openssl gnutls-cli:gnutls-bin psql:postgresql mariadbd:mariadb-server redis-server:redis-server python3:python3 setpriv:util-linux systemd-analyze:systemd dnsmasq:dnsmasq-base haproxy:haproxy pebble:pebble sshd:openssh-server ssh:openssh-client chromium:chromium node:nodejs npm:npm promtool:prometheus prometheus:prometheus)

missing_packages() {
    local peer
    for peer in "${peers[@]}"; do
        command -v "${peer%%:*}" > /dev/null || PATH=$PATH:/usr/sbin:/sbin command -v "${peer%%:*}" > /dev/null || echo "${peer##*:}"
    done
    ls -d /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null || echo postgresql
    ls /usr/lib/nginx/modules/ngx_stream_module.so > /dev/null 2>&1 || nginx -V 2>&1 | grep -q -- '--with-stream ' || echo libnginx-mod-stream
}

install_packages() {
    local sudo= policy=/usr/sbin/policy-rc.d made_policy=
    if [ "$(id -u)" != 0 ]; then
        sudo=$(command -v sudo) || { echo "Not root and no sudo. Please install: $*" >&2; return 1; }
    fi

    # The packages of servers would start their services; the tests start their own on free ports.
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy > /dev/null && $sudo chmod +x $policy && made_policy=yes
    fi
    $sudo apt-get update -q \
        && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
    local status=$?
    [ -n "$made_policy" ] && $sudo rm -f $policy
    return $status
}

mapfile -t packages < <(missing_packages 2> /dev/null | sort -u)
if [ ${#packages[@]} -gt 0 ]; then
    echo "Installing: ${packages[*]}"
    # Without them the tests that need them fail and say so.
    install_packages "${packages[@]}" || echo "Installing has failed; going on." >&2
fi

# The driver of the browser, of the version that the lock file names.
if command -v npm > /dev/null && [ ! -d tests/dashboard/node_modules/playwright-core ]; then
    (cd tests/dashboard && npm ci --no-audit --no-fund) || echo "npm ci has failed; going on." >&2
fi

# --- Build, once -------------------------------------------------------------------------------------------------------------

if ! dotnet build KestrelStream.sln -c $configuration -v minimal; then
    echo "The build has failed."
    echo "0 passed, 1 failed"
    exit 1
fi

# --- Test --------------------------------------------------------------------------------------------------------------------

# Sums an attribute of <Counters …/> in a result file.
counter() { grep -o '<Counters [^>]*' "$2" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" | head -n 1; }

passed=0 failed=0
rm -rf "$results" && mkdir -p "$results"
for project in tests/*/*.csproj; do
    grep -q '<IsTestProject>true</IsTestProject>' "$project" || continue
    name=$(basename "$project" .csproj)
    echo "== $name"
    dotnet test "$project" -c $configuration --no-build --nologo --results-directory "$results" \
        --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" --blame-hang --blame-hang-timeout 3m --blame-hang-dump-type none \
        | tee "$results/$name.log"
    status=${PIPESTATUS[0]}

    total=0 project_passed=0
    if [ -f "$results/$name.trx" ]; then
        total=$(counter total "$results/$name.trx")
        project_passed=$(counter passed "$results/$name.trx")
    fi
    project_failed=$((${total:-0} - ${project_passed:-0}))
    # A host that crashed or hung leaves no result, or only those of the tests before; a project of which nothing ran proves nothing.
    if grep -q 'Test Run Aborted' "$results/$name.log" || { [ $project_failed -eq 0 ] && { [ $status -ne 0 ] || [ "${total:-0}" -eq 0 ]; }; }; then
        echo "$name: the run has failed (exit code $status, ${total:-0} tests)"
        project_failed=$((project_failed + 1))
    fi
    passed=$((passed + ${project_passed:-0}))
    failed=$((failed + project_failed))
done

[ $((passed + failed)) -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
