"""The server under load: point reads while a load runs, and beside 1,000 clients that send nothing more.

python3 .ci/server_load.py ADDRESS FOLDER PROCESS, called by `.ci/server load`. wrk is the client.
"""

import json
import os
import pathlib
import random
import re
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.request

address, folder = sys.argv[1], pathlib.Path(sys.argv[2])
host, port = address.rsplit(":", 1)
graph = f"http://{address}/v1/graphs/mail"
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

# Each request reads another node.
script = folder / "reads.lua"
script.write_text(
    "local n = 0\n"
    "request = function()\n"
    "  n = n + 7919\n"
    "  return wrk.format('GET', '/v1/graphs/mail/nodes/node/' .. (n % 50000))\n"
    "end\n"
)


def reads(seconds: int) -> dict:
    """Point reads by 32 connections of two threads."""
    command = ["wrk", "-t2", "-c32", f"-d{seconds}s", "--latency", "-s", str(script), f"http://{address}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    to_ms = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    latency = {
        quantile: float(number) * to_ms[unit]
        for quantile, number, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", said)
        if quantile in ("50", "99")
    }
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return {"reads_per_second": round(rate), "p50_ms": latency["50"], "p99_ms": latency["99"], "errors": int(errors.group(1)) if errors else 0}


def load() -> str:
    """Starts a load of a million events; gives the address of its job."""
    rows = ["src,dst,time"]
    choose = random.Random(1)
    rows += [f"{choose.randrange(50_000)},{choose.randrange(50_000)},{600_000 + at}" for at in range(1_000_000)]
    body = "\r\n".join(
        [
            "--part",
            'Content-Disposition: form-data; name="options"',
            "Content-Type: application/json",
            "",
            json.dumps({"kind": "events", "namespace": "load"}),
            "--part",
            'Content-Disposition: form-data; name="file"; filename="load.csv"',
            "",
            "\n".join(rows),
            "--part--",
            "",
        ]
    ).encode()
    headers = {"Content-Type": "multipart/form-data; boundary=part", "Origin": f"http://{address}"}
    request = urllib.request.Request(f"{graph}/loads", body, headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        return f"http://{address}" + answer.headers["Location"]


def job(place: str) -> dict:
    with urllib.request.urlopen(place) as answer:
        return json.load(answer)


def slow_clients(n: int) -> list[socket.socket]:
    """Clients that begin a request, and then send a letter now and then."""
    held = []
    for _ in range(n):
        client = socket.create_connection((host, int(port)))
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        held.append(client)
    return held


def tell(what: str, numbers: dict) -> None:
    print(f"{what}: " + ", ".join(f"{name} {value}" for name, value in numbers.items()), flush=True)


reads(2)
tell("alone", reads(8))
place = load()
tell("while a load runs", reads(8))
state = job(place)
print(f"  the load meanwhile: {state['state']}, {state['records']} records, {state['seconds']:.1f} s", flush=True)
while (state := job(place))["state"] in ("queued", "running"):
    time.sleep(0.2)
events = state["report"]["events"]
print(f"  and whole: {events} events, {state['report']['seconds']:.1f} s, {events / state['report']['seconds']:.0f} a second", flush=True)
clients = slow_clients(1000)
dripping = threading.Event()


def drip() -> None:
    while not dripping.wait(0.5):
        for client in clients:
            try:
                client.sendall(b"x")
            except OSError:
                pass


threading.Thread(target=drip, daemon=True).start()
tell("beside 1,000 slow clients", reads(8))
dripping.set()
status = pathlib.Path(f"/proc/{sys.argv[3]}/status").read_text() if os.path.exists("/proc") else ""
print("  memory of the server: " + next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")), "?") + " kB", flush=True)
