"""Real servers for the tests, each a separate process that the tests start, wait for and stop."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import s3fs

from tests.serializing_proxy import serializing_proxy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"no server within {seconds} s:\n{log.read_text()}")


@dataclass(frozen=True)
class S3:
    """An S3 server with files on disk; `environment` is what a client needs."""

    root: Path
    environment: dict[str, str]

    def new_bucket(self) -> str:
        name = f"bucket-{secrets.token_hex(4)}"
        client = s3fs.S3FileSystem(
            key=self.environment["AWS_ACCESS_KEY_ID"],
            secret=self.environment["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            skip_instance_cache=True,
        )
        client.mkdir(name)
        return name


def s3_of(root: Path) -> S3:
    """Where an S3 server that keeps its files here will listen, and whom it will let in."""
    root.mkdir(parents=True)
    return S3(
        root,
        {
            "AWS_ACCESS_KEY_ID": "test-key",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(8),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )


@contextmanager
def serving(s3: S3) -> Iterator[S3]:
    """rclone's S3 server: it checks secrets, and keeps objects as files. It may stop and be started again.

    Requests come to it one at a time. Where one empties a folder while another writes to it, the second fails before
    its body is read; the server then waits for the body, and the client for a "100 Continue" that never comes.
    """
    who = f"{s3.environment['AWS_ACCESS_KEY_ID']},{s3.environment['AWS_SECRET_ACCESS_KEY']}"
    port = int(s3.environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
    behind = free_port()
    rclone = shutil.which("rclone") or str(Path(sys.executable).parent / "rclone")
    command = [rclone, "serve", "s3", "--addr", f"127.0.0.1:{behind}", "--auth-key", who, str(s3.root)]
    log = s3.root.with_name("rclone.log")
    with running(command, log, {"RCLONE_CONFIG": str(s3.root.with_name("rclone.conf"))}) as process:
        wait_for_port(behind, process, log)
        with serializing_proxy(port, behind):
            yield s3


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """An S3 server for as long as the block lasts."""
    with serving(s3_of(folder / "buckets")) as s3:
        yield s3


@contextmanager
def moto_server(folder: Path) -> Iterator[S3]:
    """moto's S3 server. What it and rclone's get wrong differs: this one lets any secret in and forgets all when it
    stops, but honours conditional writes, pages its listings as S3 does, and takes concurrent requests."""
    s3 = s3_of(folder / "none")
    address = s3.environment["AWS_ENDPOINT_URL"].removeprefix("http://")
    host, _, port = address.rpartition(":")
    log = folder / "moto.log"
    with running([sys.executable, "-m", "moto.server", "--host", host, "--port", port], log) as process:
        wait_for_port(int(port), process, log)
        yield s3


@contextmanager
def prefect_server(folder: Path) -> Iterator[str]:
    """A Prefect server with a separate database; yields its API's URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    prefect = str(Path(sys.executable).parent / "prefect")
    log = folder / "prefect.log"
    environment = {"PREFECT_HOME": str(folder / "home"), "PREFECT_API_URL": url}
    with running([prefect, "server", "start", "--port", str(port), "--no-ui"], log, environment) as process:
        wait_for_port(port, process, log, seconds=180)
        yield url


@contextmanager
def docker_engine(folder: Path) -> Iterator[str]:
    """A Docker engine with all its files in `folder` and without a network; yields its address."""
    address = f"unix://{folder}/docker.sock"
    places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    command = ["dockerd", *places, "-H", address, "--iptables=false", "--ip6tables=false", "--bridge=none"]
    runsc = shutil.which("runsc")
    if runsc:
        runtimes = {"runsc": {"path": runsc, "runtimeArgs": ["--network=none", "--fsgofer-host-uds"]}}
        (folder / "daemon.json").write_text(json.dumps({"runtimes": runtimes}))
        command += ["--config-file", f"{folder}/daemon.json"]
    log = folder / "dockerd.log"
    with running(command, log) as process:
        deadline = time.monotonic() + 60
        while b"API listen on" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the Docker engine did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield address
