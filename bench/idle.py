"""Start-up time and idle memory of `signpost serve` on a fresh home with the starter library.

RSS counts a page shared by two processes twice; PSS divides it among them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.servers import free_port

SIGNPOST = str(Path(sys.executable).with_name("signpost"))


def _tree(pid: int) -> list[int]:
    """A process and everything below it."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(number for child in below for number in _tree(int(child)))]


def _memory(pid: int, field: str) -> float:
    """MiB of one field of the kernel's roll-up, over the whole tree."""
    total = 0
    for number in _tree(pid):
        for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{field}:"):
                total += int(line.split()[1])
    return total / 1024


def _wait(url: str, process: "subprocess.Popen[bytes]") -> float:
    began = time.perf_counter()
    while time.perf_counter() - began < 60:
        if process.poll() is not None:
            raise SystemExit("serve ended")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return time.perf_counter() - began
        except OSError:
            time.sleep(0.02)
    raise SystemExit("serve did not answer within 60 s")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "SIGNPOST_HOME": folder,
            "SIGNPOST_PORT": str(port),
            "SIGNPOST_PUBLIC_URL": url,
        }
        subprocess.run([SIGNPOST, "setup"], env=environment, check=True, stdout=subprocess.DEVNULL)
        starts = []
        for _ in range(3):
            process = subprocess.Popen([SIGNPOST, "serve"], env=environment, stdout=subprocess.DEVNULL)
            try:
                starts.append(_wait(url + "/", process))
                time.sleep(5)
                rss, pss = _memory(process.pid, "Rss"), _memory(process.pid, "Pss")
            finally:
                process.terminate()
                process.wait(30)
    start = sorted(starts)[1]
    print(
        f"start until the home page answers  {start:6.2f} s (median of 3: {', '.join(f'{s:.2f}' for s in starts)})"
    )
    print(f"idle memory, all processes         {rss:6.0f} MiB resident, {pss:.0f} MiB proportional")
    print("RESULT " + json.dumps({"rss_mib": round(rss), "pss_mib": round(pss), "start_s": round(start, 2)}))


if __name__ == "__main__":
    main()
