"""The server under load: point reads while loads run, and beside 1,000 clients that send a header letter by letter.

python3 .ci/server_load.py ADDRESS PROCESS, called by `.ci/server load`. oha is the client.
"""

import json
import os
import pathlib
import random
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.request

address, process = sys.argv[1:]
host, port = address.rsplit(":", 1)
graph = f"http://{address}/v1/graphs/mail"
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def reads(seconds: int, rate: int | None) -> dict:
    """Point reads by 32 connections, each of another node: as many as are answered, or at a rate.

    At a rate, a read waits from when it was due, not from when the client came to send it.
    """
    command = ["oha", "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-c", "32", "--rand-regex-url"]
    command += ["-q", str(rate), "--latency-correction"] if rate else []
    said = json.loads(subprocess.run([*command, f"{graph}/nodes/node/[1-4][0-9]{{4}}"], capture_output=True, text=True, check=True).stdout)
    ms = {name: round(said["latencyPercentiles"][name] * 1e3, 2) for name in ("p50", "p99")}
    errors = sum(n for status, n in said["statusCodeDistribution"].items() if status != "200")
    # Those that were under way when the time was over are no errors.
    errors += sum(n for why, n in said["errorDistribution"].items() if "deadline" not in why)
    return {"reads_per_second": round(said["summary"]["requestsPerSec"]), **{f"{name}_ms": of for name, of in ms.items()}, "errors": errors}


def form(n: int) -> bytes:
    """The form of the n-th load: a million events."""
    choose = random.Random(n)
    rows = ["src,dst,time"]
    rows += [f"{choose.randrange(50_000)},{choose.randrange(50_000)},{(n + 1) * 1_000_000 + at}" for at in range(1_000_000)]
    options = {"kind": "events", "namespace": "load"}
    return "\r\n".join(
        [
            "--part",
            'Content-Disposition: form-data; name="options"',
            "Content-Type: application/json",
            "",
            json.dumps(options),
            "--part",
            'Content-Disposition: form-data; name="file"; filename="load.csv"',
            "",
            "\n".join(rows),
            "--part--",
            "",
        ]
    ).encode()


def load(body: bytes) -> dict:
    """Uploads and loads; gives the job when it is over."""
    headers = {"Content-Type": "multipart/form-data; boundary=part", "Origin": f"http://{address}"}
    request = urllib.request.Request(f"{graph}/loads", body, headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        place = f"http://{address}" + answer.headers["Location"]
    while (state := job(place))["state"] in ("queued", "running"):
        time.sleep(0.05)
    return state


class Loads:
    """One load after the other, until it is told to stop."""

    def __init__(self, forms: list[bytes]) -> None:
        self.forms, self.over, self.done = forms, threading.Event(), []
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while self.forms and not self.over.is_set():
            self.done.append(load(self.forms.pop(0)))

    def __enter__(self) -> "Loads":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


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


RATE = 6_000
reads(2, None)
tell("alone", reads(8, None))
tell(f"alone, {RATE} a second asked", reads(8, RATE))
loads = Loads([form(n) for n in range(12)])
with loads:
    told = reads(8, RATE)
    went_on = bool(loads.forms)
tell("while loads run, one after the other", told)
for ended in loads.done:
    assert ended["state"] == "done", ended
print(f"  {len(loads.done)} loads of a million events" + ("" if went_on else ", which ended before the reads"), flush=True)
print(f"  their seconds: {', '.join(str(round(ended['report']['seconds'], 1)) for ended in loads.done)}", flush=True)
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
tell("beside 1,000 slow clients", reads(8, RATE))
dripping.set()
status = pathlib.Path(f"/proc/{process}/status").read_text() if os.path.exists("/proc") else ""
print("  memory of the server: " + next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")), "?") + " kB", flush=True)
