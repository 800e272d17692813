"""Docker: warm, hardened containers, for machines that have a Docker engine but no bubblewrap.

A program cannot
- use the network: the container has none, and it can create no sockets except pairs;
- access files other than those of the image, which are read-only; /tmp is small, in memory, and emptied after each
  program;
- reach other processes: each program runs as a separate user, without capabilities or a way to gain any, and behind two
  filters on system calls (the engine's default profile, and that of `bubblewrap`); what it started is killed when it
  ends;
- exceed its limits on time, memory, processes, output and open files (memory: for each process separately and, in the
  container, for all together; a container has one CPU).

A program can
- use its limits in full;
- use some CPU time that is not counted, in short-lived processes that it does not wait for, if the control group of the
  container cannot be read;
- see that the server and, if there is one, the checker are running, but not their memory, files or environment;
- learn the kernel's version, the CPUs and the clock;
- exploit a hole in the kernel, unless the runtime is gVisor (`runsc`);
- measure the load that other processes put on the machine.

The engine runs as root: anyone who may use it, including the controller, can become root on the machine.

gVisor does not limit the memory of all processes together, and uses up a process of the host for each process that it
denies to a program: a fork bomb that runs for much longer than 15 seconds may still end the container. That is an
infrastructure outcome, and the next program gets a new container.
"""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sandboxes import Sandbox, SandboxUnavailableError
from sandboxes.controller.forkserver import ForkServer
from sandboxes.controller.pool import ServerPool
from sandboxes.linux.interpreter import find_interpreter
from sandboxes.linux.seccomp import filter_program
from sandboxes.settings import ExecutionSettings

if TYPE_CHECKING:
    from docker import DockerClient

_THREADS_OF_A_RUNTIME = 4000


class DockerConfig(ExecutionSettings):
    """The Docker sandbox: the image and the Python that run the samples, how many at once, and what each may use."""

    name: Literal["docker"] = "docker"
    image: str | None = Field(
        None,
        description="Image with the Python that runs the samples (3.8 or newer); default: one built from "
        "`python` on this machine. With an image, `python` is the path inside it; default: python3.",
    )
    runtime: str | None = Field(None, description="Docker's runtime, such as runsc (gVisor); default: Docker's own.")

    def ingredients(self) -> dict[str, object]:
        """What a verdict depends on: the limits, and the Python that runs the samples."""
        if self.image is None:
            return super().ingredients()
        settings = self.model_dump(mode="json", exclude={"name", "workers", "runtime"})
        from sandboxes.containers.client import docker_client, image_id  # slow to import

        with docker_client() as client:
            return {**settings, "image": image_id(client, self.image)}

    def check(self) -> None:
        """Make sure that the engine, the runtime and the image exist.

        Raises:
            SandboxUnavailableError: one of them is missing; the message says how to fix that.
        """
        from sandboxes.containers.client import docker_client

        with docker_client() as client:
            self._check(client)

    def open(self) -> Sandbox:
        """A running sandbox; close it by leaving its `with` block.

        Raises:
            SandboxUnavailableError: this machine cannot run it.
        """
        from sandboxes.containers.client import docker_client
        from sandboxes.containers.container import Container, ContainerPlan, remove_abandoned
        from sandboxes.containers.image import image_of

        with docker_client() as client:
            bound = f"cgroup v{self._check(client).get('CgroupVersion', 1)}"
            remove_abandoned(client)
            if self.image is None:
                interpreter = find_interpreter(self.python)
                image, command = image_of(interpreter, client), interpreter.command
            else:
                image, command = self.image, (str(self.python or "python3"), "-s", "-B")
        # Doubled, because a program and its checker share a container.
        processes, memory_bytes = 2 * (self.processes + 2), 2 * self.memory_limit_mb << 20
        if self.runtime is not None:
            # The threads of gVisor count too, several per process.
            processes = max(_THREADS_OF_A_RUNTIME, 16 * processes)
        plan = ContainerPlan(image, (*command, *self.python_options()), processes + 2, memory_bytes, self.runtime)
        rules = filter_program()

        def start() -> ForkServer:
            return ForkServer(Container(plan), rules)

        name = "docker" if self.runtime is None else f"docker-{self.runtime}"
        return ServerPool(name, self, start, reuse=True, memory_bound=bound)

    def _check(self, client: "DockerClient") -> dict[str, Any]:
        """Make sure that the runtime and the image exist; returns the engine's description of itself."""
        from sandboxes.containers.client import image_id

        facts: dict[str, Any] = client.info()
        runtimes = facts.get("Runtimes", {})
        if self.runtime is not None and self.runtime not in runtimes:
            raise SandboxUnavailableError(
                f"the Docker engine has no runtime {self.runtime}: it has {', '.join(sorted(runtimes))}"
            )
        if self.image is not None:
            image_id(client, self.image)
        return facts
