#!/usr/bin/env python3
"""Whether TLS handshakes leave anything behind in the proxy.

Two processes shake hands with it as fast as they can, one connection after another: full handshakes and resumed ones, of TLS 1.2 and 1.3; some end with close_notify,
some without, some in the middle. Printed is the proxy's resident memory along the way, and at the end what the second half has added.

usage: measure.py SERVER [HANDSHAKES [OpenSsl|SslStream]]    (the published kestrelstream, as benchmarks/load/run.sh makes it; default 100000, OpenSsl)
"""
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import Process, Value

CLIENTS = 2
REPORTS = 10


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def serve(listener):
    """The destination: answers each message with itself."""
    def echo(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass

    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def shake(port, root, count, done):
    contexts = []
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        context = ssl.create_default_context(cafile=root)
        context.minimum_version = context.maximum_version = version
        contexts.append(context)

    sessions = [None, None]
    for i in range(count):
        kind = i % 2
        raw = socket.create_connection(("127.0.0.1", port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if i % 50 == 49:
            # A hello, and nobody there for the answer.
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            try:
                contexts[kind].wrap_bio(incoming, outgoing, server_hostname="a.example.com").do_handshake()
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
            raw.close()
        else:
            tls = contexts[kind].wrap_socket(raw, server_hostname="a.example.com", session=sessions[kind] if i % 5 else None)
            tls.sendall(b"ping")
            assert tls.recv(16) == b"ping"
            sessions[kind] = tls.session
            if i % 3 == 0:
                tls = tls.unwrap()
            tls.close()
        with done.get_lock():
            done.value += 1


def main():
    server, total = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    tls = sys.argv[3] if len(sys.argv) > 3 else "OpenSsl"
    route = {"Mode": "Terminate", "Certificates": ["a"]} | ({"SessionCacheSize": 1000} if tls == "OpenSsl" else {})
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem",
             "-subj", "/CN=a.example.com", "-addext", "subjectAltName=DNS:a.example.com", "-days", "2"],
            check=True, stderr=subprocess.DEVNULL)
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with open(f"{folder}/appsettings.json", "w") as config:
            json.dump({"StreamProxy": {
                "Engine": "EventLoop", "Tls": {"Engine": tls},
                "Listeners": {"public": {"Address": "127.0.0.1:0"}},
                "Certificates": {"a": {"Path": "cert.pem", "KeyPath": "key.pem"}},
                "Routes": {"all": {"Tls": route, "ClusterId": "c"}},
                "Clusters": {"c": {"Destinations": {"a": {"Address": "127.0.0.1:%d" % listener.getsockname()[1]}}}},
            }}, config)
        proxy = subprocess.Popen([server, "run", "--config", f"{folder}/appsettings.json"], stdout=subprocess.PIPE, text=True)
        try:
            port = 0
            for line in proxy.stdout:
                port = int(line.rsplit(":", 1)[1].split()[0]) if "127.0.0.1:" in line else port
                if line.startswith("Ready"):
                    break
            measure(proxy.pid, port, f"{folder}/cert.pem", total)
        finally:
            proxy.terminate()
            proxy.wait()


def measure(pid, port, root, total):
    done = Value("i", 0)
    clients = [Process(target=shake, args=(port, root, total // CLIENTS, done), daemon=True) for _ in range(CLIENTS)]
    started = time.monotonic()
    print(f"{0:>8} handshakes: {resident(pid)} MB")
    for client in clients:
        client.start()
    middle = 0
    for report in range(1, REPORTS + 1):
        while done.value < total // CLIENTS * CLIENTS * report // REPORTS:
            if any(client.exitcode not in (None, 0) for client in clients):
                sys.exit("a client has failed")
            time.sleep(0.05)
        now = resident(pid)
        middle = now if report == REPORTS // 2 else middle
        print(f"{done.value:>8} handshakes: {now} MB", flush=True)
    print(f"the second half has added {now - middle} MB; {total / (time.monotonic() - started):.0f} handshakes a second")


if __name__ == "__main__":
    main()
