#!/usr/bin/env python3
"""What the front door costs, and what it keeps away from everybody else.

cost     CPU time of the proxy for a session (connect, 64 bytes there and back, close): plain, with a PROXY header of version 2 in and out, and with
         access rules (100,000 networks) and limits. Rounds take turns; a figure is the median of what each round has over the plain one beside it.
stalled  9,000 connections begin a ClientHello and say no more. Meanwhile ordinary clients connect, send their hello and get an answer: p99 of that time
         without and with the others, and when those are freed, counted from their accept.
flood    clients send ClientHellos as fast as they can to a listener that ends TLS and never answer; meanwhile small messages go over open sessions of a
         plain listener of the same process: their p99 without and with the others. The proxy has one loop on one core, everything else the other cores.
shared   the same, but all processors are everybody's: two loops, and attackers that the kernel lets run as it does anybody.

usage: measure.py SERVER cost|stalled|flood|shared [engine]    (the published kestrelstream, as benchmarks/load/run.sh makes it; root gets a network of its own)
"""
import json
import multiprocessing
import os
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PAYLOAD = b"x" * 64
HEADER = bytes.fromhex("0d0a0d0a000d0a515549540a2111000c") + socket.inet_aton("192.0.2.1") + socket.inet_aton("198.51.100.2") + struct.pack("!HH", 56324, 443)
ROUNDS, SESSIONS = 15, 2000
STALLED, PREREAD = 9000, 12


def hello(name):
    """A ClientHello of TLS 1.3 with a P-256 key share that is a point of the curve (its generator)."""
    def ext(number, body):
        return struct.pack("!HH", number, len(body)) + body
    host = name.encode()
    point = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    extensions = (
        ext(0, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host)
        + ext(10, struct.pack("!HH", 2, 23))
        + ext(13, struct.pack("!HHHH", 6, 0x0403, 0x0804, 0x0401))
        + ext(43, b"\x02\x03\x04")
        + ext(51, struct.pack("!HHH", len(point) + 4, 23, len(point)) + point))
    body = b"\x03\x03" + os.urandom(32) + b"\x00" + struct.pack("!HH", 2, 0x1301) + b"\x01\x00" + struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message


def backend(listener, skip, replies):
    """Reads skip bytes and one message, then answers each message: 64 bytes, or whatever came, until the end."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    have = {}
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                have[connection] = -skip
                selector.register(connection, selectors.EVENT_READ)
                continue
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                del have[key.fileobj]
                key.fileobj.close()
                continue
            have[key.fileobj] += len(data)
            if have[key.fileobj] >= len(PAYLOAD):
                have[key.fileobj] = 0
                key.fileobj.sendall(PAYLOAD if replies else data)


def start_backend(skip=0, cores=None):
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    def run():
        if cores:
            os.sched_setaffinity(0, cores)
        backend(listener, skip, True)
    process = multiprocessing.get_context("fork").Process(target=run, daemon=True)
    process.start()
    port = listener.getsockname()[1]
    listener.close()
    return port


class Proxy:
    def __init__(self, server, engine, folder, config, cores=None, loops=2):
        config = {"StreamProxy": {"Engine": engine, **({"EventLoops": loops} if engine == "EventLoop" else {}), **config}}
        path = os.path.join(folder, "appsettings.json")
        with open(path, "w") as file:
            json.dump(config, file)
        before = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        self.process = subprocess.Popen([server, "run", "--config", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=before,
                                        env={**os.environ, "DOTNET_PROCESSOR_COUNT": str(loops)})
        self.ports = {}
        for line in self.process.stdout:
            if line.startswith("Ready"):
                break
            if line.startswith("Listener "):
                id, address = line[len("Listener "):].split(": ")
                self.ports[id] = int(address.rsplit(":", 1)[1])
        self.clock = (~self.process.pid << 3) | 2

    def cpu(self):
        return time.clock_gettime(self.clock)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def sessions(port, first, count):
    def one():
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(first)
        got = 0
        while got < len(PAYLOAD):
            data = connection.recv(4096)
            if not data:
                raise RuntimeError("closed before the answer")
            got += len(data)
        connection.close()
    for _ in range(count):
        one()


def cost(server, engine):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "deny.txt"), "w") as file:
            for i in range(100_000):
                file.write(f"{11 + i // 8192}.{i // 32 % 256}.{i % 32 * 8}.0/29\n")
        plain, behind_header = start_backend(), start_backend(skip=len(HEADER))
        proxy = Proxy(server, engine, folder, {
            "Listeners": {
                "plain": {"Address": "127.0.0.1:0"},
                "header": {"Address": "127.0.0.1:0", "ProxyProtocol": {"Mode": "Required", "TrustedNetworks": ["127.0.0.0/8"]}},
                "rules": {"Address": "127.0.0.1:0", "DenyFile": "deny.txt", "Limits": {
                    "MaxSessions": 100000, "MaxSessionsPerClient": 100000, "NewSessionsPerSecond": 100000, "NewSessionsPerSecondPerClient": 100000}},
            },
            "Routes": {
                "plain": {"Listeners": ["plain", "rules"], "ClusterId": "plain"},
                "header": {"Listeners": ["header"], "ClusterId": "header"},
            },
            "Clusters": {
                "plain": {"Destinations": {"a": {"Address": f"127.0.0.1:{plain}"}}},
                "header": {"ProxyProtocol": "V2", "Destinations": {"a": {"Address": f"127.0.0.1:{behind_header}"}}},
            },
        })
        work = {"plain": PAYLOAD, "header": HEADER + PAYLOAD, "rules": PAYLOAD}
        for _ in range(3):
            for listener, first in work.items():
                sessions(proxy.ports[listener], first, 1500)
            time.sleep(0.3)
        measured = {listener: [] for listener in work}
        for number in range(ROUNDS):
            for listener, first in list(work.items())[::1 if number % 2 == 0 else -1]:
                before = proxy.cpu()
                sessions(proxy.ports[listener], first, SESSIONS)
                time.sleep(0.05)
                measured[listener].append((proxy.cpu() - before) / SESSIONS * 1e6)
        proxy.stop()
        print(f"{engine}: a session {statistics.median(measured['plain']):.1f} us CPU")
        for listener, what in (("header", "PROXY v2 in and out"), ("rules", "access of 100,000 networks and limits")):
            over = [there - plain for there, plain in zip(measured[listener], measured["plain"])]
            print(f"{engine}: {what} {statistics.median(over):+.1f} us (middle half {sorted(over)[ROUNDS // 4]:+.1f} to {sorted(over)[-ROUNDS // 4 - 1]:+.1f})")


def percentile(times, part):
    return sorted(times)[int(len(times) * part)] * 1000


def exchanges(port, first, seconds, rate):
    """Times from connect to the answer of clients that come at a steady rate."""
    times, due = [], time.perf_counter()
    end = due + seconds
    while due < end:
        due += 1 / rate
        time.sleep(max(0, due - time.perf_counter()))
        began = time.perf_counter()
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(first)
        connection.recv(4096)
        times.append(time.perf_counter() - began)
        connection.close()
    return times


def hold(port, count, queue):
    """Connects, begins a hello, and waits for what becomes of it."""
    selector = selectors.DefaultSelector()
    began, ended, part = {}, [], hello("www.example.com")[:40]
    for number in range(count):
        connection = socket.socket()
        connection.bind((f"127.0.0.{2 + number % 8}", 0))
        connection.connect(("127.0.0.1", port))
        connection.sendall(part)
        began[connection] = time.perf_counter()
        selector.register(connection, selectors.EVENT_READ)
    queue.put("all connected")
    while began:
        ready = selector.select(timeout=30)
        if not ready:
            break
        now = time.perf_counter()
        for key, _ in ready:
            ended.append(now - began.pop(key.fileobj))
            selector.unregister(key.fileobj)
            key.fileobj.close()
    queue.put((len(began), min(ended), max(ended)))


def stalled(server, engine):
    with tempfile.TemporaryDirectory() as folder:
        port = start_backend()
        proxy = Proxy(server, engine, folder, {
            "Listeners": {"public": {"Address": "127.0.0.1:0", "PrereadTimeout": f"00:00:{PREREAD:02}"}},
            "Routes": {"a": {"Match": {"Sni": ["www.example.com"]}, "ClusterId": "c"}, "rest": {"Action": "Reject"}},
            "Clusters": {"c": {"Destinations": {"a": {"Address": f"127.0.0.1:{port}"}}}},
        })
        public, first = proxy.ports["public"], hello("www.example.com")
        exchanges(public, first, 5, 400)
        before = exchanges(public, first, 7, 250)
        queue = multiprocessing.Queue()
        holder = multiprocessing.Process(target=hold, args=(public, STALLED, queue), daemon=True)
        holder.start()
        queue.get(timeout=60)
        during = exchanges(public, first, PREREAD - 5, 250)
        left, shortest, longest = queue.get(timeout=60)
        time.sleep(1)
        after = exchanges(public, first, 7, 250)
        proxy.stop()
        calm = before + after
        print(f"{engine}: p50 {percentile(calm, .5):.3f} ms, p99 {percentile(calm, .99):.3f} ms (before {percentile(before, .99):.3f}, after {percentile(after, .99):.3f}); "
              f"beside {STALLED} that stand still p50 {percentile(during, .5):.3f} ms, p99 {percentile(during, .99):.3f} ms: {percentile(during, .99) / percentile(calm, .99):.2f} times")
        print(f"{engine}: freed {shortest:.2f} to {longest:.2f} s after their connect, PrereadTimeout {PREREAD} s; {left} left")


def messages(port, seconds, rate):
    """Times of messages on 8 open sessions, at a steady rate."""
    open_sessions = []
    for _ in range(8):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_sessions.append(connection)
    times, due, number = [], time.perf_counter(), 0
    end = due + seconds
    while due < end:
        due += 1 / rate
        time.sleep(max(0, due - time.perf_counter()))
        connection = open_sessions[number % 8]
        number += 1
        began = time.perf_counter()
        connection.sendall(PAYLOAD)
        connection.recv(4096)
        times.append(time.perf_counter() - began)
    for connection in open_sessions:
        connection.close()
    return times


def attack(port, stop, count, yields):
    """Hellos, as fast as they are taken; connections stay for a moment, so that the answer has somewhere to go."""
    if yields:
        # It is to keep the proxy busy, not the clients and the backend, which share its core.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    first, waiting = hello("www.example.com"), []
    while not stop.is_set():
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=1)
            connection.sendall(first)
            waiting.append(connection)
        except OSError:
            time.sleep(0.01)
        count.value += 1
        if len(waiting) > 200:
            old = waiting.pop(0)
            old.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            old.close()


def shared(server, engine):
    flood(server, engine, pinned=False)


def flood(server, engine, pinned=True):
    cores = sorted(os.sched_getaffinity(0))
    here, others = ({cores[0]}, set(cores[1:]) or {cores[0]}) if pinned else (set(cores), set(cores))
    os.sched_setaffinity(0, others)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=www.example.com",
                        "-addext", "subjectAltName=DNS:www.example.com", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, stderr=subprocess.DEVNULL)
        port = start_backend(cores=others)
        proxy = Proxy(server, engine, folder, {
            "Certificates": {"a": {"Path": "cert.pem", "KeyPath": "key.pem"}},
            "Listeners": {"plain": {"Address": "127.0.0.1:0"}, "tls": {"Address": "127.0.0.1:0"}},
            "Routes": {
                "plain": {"Listeners": ["plain"], "ClusterId": "c"},
                "tls": {"Listeners": ["tls"], "ClusterId": "c", "Tls": {"Mode": "Terminate", "Certificates": ["a"]}},
            },
            "Clusters": {"c": {"Destinations": {"a": {"Address": f"127.0.0.1:{port}"}}}},
        }, cores=here, loops=1 if pinned else 2)
        plain = proxy.ports["plain"]
        messages(plain, 4, 500)
        stop, count = multiprocessing.Event(), multiprocessing.Value("q", 0)
        warm = multiprocessing.Process(target=attack, args=(proxy.ports["tls"], stop, count, pinned), daemon=True)
        warm.start()
        time.sleep(4)
        stop.set()
        warm.join()
        # What the flood has woken in the compiler takes its time on one core.
        time.sleep(15)
        before = messages(plain, 8, 500)
        stop.clear()
        count.value = 0
        attacker = multiprocessing.Process(target=attack, args=(proxy.ports["tls"], stop, count, pinned), daemon=True)
        attacker.start()
        time.sleep(1)
        used, begun, since = proxy.cpu(), count.value, time.perf_counter()
        during = messages(plain, 8, 500)
        seconds = time.perf_counter() - since
        whose = "its core" if pinned else "a core"
        rate, busy = (count.value - begun) / seconds, (proxy.cpu() - used) / seconds
        stop.set()
        attacker.join()
        proxy.stop()
        print(f"{engine}: p50 {percentile(before, .5):.3f} ms, p99 {percentile(before, .99):.3f} ms; beside {rate:.0f} hellos a second (proxy {busy * 100:.0f} % of {whose}) "
              f"p50 {percentile(during, .5):.3f} ms, p99 {percentile(during, .99):.3f} ms: {percentile(during, .99) / percentile(before, .99):.2f} times")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2] not in ("cost", "stalled", "flood", "shared"):
        sys.exit(__doc__)
    if os.geteuid() == 0 and "FRONT_ISOLATED" not in os.environ and subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["FRONT_ISOLATED"] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up && echo 64 > /proc/sys/net/ipv4/tcp_max_tw_buckets; exec "$@"', "sh", sys.executable, *sys.argv])
    for engine in sys.argv[3:] or ["EventLoop", "Sockets"]:
        {"cost": cost, "stalled": stalled, "flood": flood, "shared": shared}[sys.argv[2]](sys.argv[1], engine)
