"""Debian's Chromium driven without a driver: the DevTools protocol over a pair of pipes."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""


class Page:
    """One page of a running Chromium.

    Attributes
    ----------
    told : list of str
        Methods of the events the browser sent so far, with what a console or a request said.
    """

    def __init__(self, commands, answers):
        self._commands, self._answers = commands, answers
        self._number = 0
        self._session = None
        self.told: list[tuple[str, Mapping[str, object]]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **words):
        """Send a command and return its answer; what the browser tells meanwhile is kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": words}
        if self._session is not None:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        before = len(self.told)
        self.ask("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in [name for name, _ in self.told[before:]]:
            self._next()

    def look(self, *, width: int, dark: bool = False, height: int = 740) -> None:
        """Make the screen so wide (px), in the colours of the day or of the night."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, script: str):
        """Return the value of a script, which the page's own policy does not bind."""
        done = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def _next(self):
        data = bytearray()
        while (letter := self._answers.read(1)) not in (b"\0", b""):
            data += letter
        assert data, "Chromium ended"
        message = json.loads(data)
        if "method" in message:
            self.told.append((message["method"], message["params"]))
        return message


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A page of a Chromium that keeps its profile in a folder and ends with the block."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    words = (
        *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--remote-debugging-pipe", f"--user-data-dir={folder}"),
    )
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *words],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    with os.fdopen(ours_out, "wb") as commands, os.fdopen(ours_in, "rb") as answers:
        try:
            yield Page(commands, answers)
        finally:
            process.terminate()
            process.wait(timeout=20)
