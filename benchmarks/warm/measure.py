#!/usr/bin/env python3
"""What WarmConnections saves when the destination is far away.

Between the proxy and an echo server stands a small relay that plays a way of 10 ms in each direction: what comes is handed on
10 ms later, and a new connection is usable 20 ms after it was accepted, as a handshake over such a way takes. Clients connect one
after another, say something, and wait for the answer. Printed is the median time from connect to answer.

usage: measure.py SERVER    (the published kestrelstream, as benchmarks/load/run.sh makes it)
"""
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

WAY = 0.010
CLIENTS = 100
PAUSE = 0.05    # between clients, so that what was taken is replaced meanwhile


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def pump(reader, writer):
    """Hands on everything WAY later than it came."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(WAY, writer.write, data)
    loop.call_later(WAY, writer.close)


def far_away(port):
    async def relay(reader, writer):
        await asyncio.sleep(2 * WAY)
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer), return_exceptions=True)
    return relay


async def first_answer(port):
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    await reader.readexactly(5)
    took = time.perf_counter() - began
    writer.close()
    return took


async def measure(server, engine, warm, destination):
    config = {"StreamProxy": {
        "Engine": engine,
        "Listeners": {"public": {"Address": "127.0.0.1:0"}},
        "Routes": {"all": {"ClusterId": "c"}},
        "Clusters": {"c": {"WarmConnections": warm, "Destinations": {"a": {"Address": f"127.0.0.1:{destination}"}}}},
    }}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "appsettings.json")
        with open(path, "w") as file:
            json.dump(config, file)
        process = await asyncio.create_subprocess_exec(server, "run", "--config", path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            port = None
            while (line := (await process.stdout.readline()).decode()) and not line.startswith("Ready"):
                if "127.0.0.1:" in line:
                    port = int(line.split("127.0.0.1:")[1].split()[0].rstrip(",.)"))
            await asyncio.sleep(1)
            times = []
            for _ in range(CLIENTS):
                times.append(await first_answer(port))
                await asyncio.sleep(PAUSE)
            return statistics.median(times) * 1000
        finally:
            process.terminate()
            await process.wait()


async def main(server):
    backend = await asyncio.start_server(echo, "127.0.0.1", 0)
    relay = await asyncio.start_server(far_away(backend.sockets[0].getsockname()[1]), "127.0.0.1", 0)
    destination = relay.sockets[0].getsockname()[1]
    print("| engine | WarmConnections | connect to answer, ms |")
    print("|---|---|---|")
    for engine in ("EventLoop", "Sockets"):
        for warm in (0, 2):
            print(f"| {engine} | {warm} | {await measure(server, engine, warm, destination):.1f} |")


if len(sys.argv) != 2:
    sys.exit(__doc__)
asyncio.run(main(sys.argv[1]))
