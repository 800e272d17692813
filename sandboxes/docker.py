"""Docker: warm, hardened containers, for machines where an engine is at hand and bubblewrap is not.

What a program is kept from:
- the network (none, and no sockets but pairs);
- every file but the image's, read-only; /tmp is small and memory, and what a program leaves there is removed;
- other processes: each program is a user that nobody else is, without capabilities, without a way to gain any, and
  behind two filters on system calls (the engine's default profile, and the one that `bubblewrap` has); what it starts
  is killed when it ends;
- more time, memory, processes, output and open files than its limits (memory: each process for itself and, by the
  container, all together; a container has one CPU).

What it is not kept from: using its limits in full; where no control group can be made, CPU time in processes that it
does not wait for, up to the limit on the clock; seeing that the server and, beside a checker, the checker run
(not their memory, files or environment); learning the kernel's version, the CPUs and the clock; a hole in the kernel
itself, unless the runtime is gVisor (`runsc`); timing what else the machine does. The engine runs as root: whoever may
use it could be root on the machine, the controller included.

gVisor does not bound the memory of all together by itself, and loses a process of the machine's for every one that it
refuses to a program: a fork bomb that has much more than 15 seconds may still end the container, which is an
infrastructure outcome, and the next program has a new one.
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
        description="Image with the Python that runs the samples (3.8 or newer); unset: one made from `python` on this "
        "machine. With an image, `python` is its path in there; unset: python3.",
    )
    runtime: str | None = Field(None, description="The engine's runtime, such as runsc (gVisor); unset: its default.")

    def ingredients(self) -> dict[str, object]:
        """What a verdict depends on: the limits, and the Python that runs the samples."""
        if self.image is None:
            return super().ingredients()
        settings = self.model_dump(mode="json", exclude={"name", "workers", "runtime"})
        from sandboxes.containers.client import engine, image_id  # docker-py takes a moment

        with engine() as client:
            return {**settings, "image": image_id(client, self.image)}

    def check(self) -> None:
        """Ask the engine, its runtime and the image.

        Raises:
            SandboxUnavailableError: one of them is missing; the message says what helps.
        """
        from sandboxes.containers.client import engine

        with engine() as client:
            self._check(client)

    def open(self) -> Sandbox:
        """A running sandbox; close it by leaving its `with` block.

        Raises:
            SandboxUnavailableError: this machine cannot offer it.
        """
        from sandboxes.containers.client import engine
        from sandboxes.containers.container import Container, ContainerPlan, remove_abandoned
        from sandboxes.containers.image import image_of

        with engine() as client:
            bound = f"cgroup v{self._check(client).get('CgroupVersion', 1)}"
            remove_abandoned(client)
            if self.image is None:
                interpreter = find_interpreter(self.python)
                image, command = image_of(interpreter, client), interpreter.command
            else:
                image, command = self.image, (str(self.python or "python3"), "-s", "-B")
        # For a program and the checker beside it.
        processes, memory_bytes = 2 * (self.processes + 2), 2 * self.memory_limit_mb << 20
        if self.runtime is not None:
            # gVisor's own threads count as well, some for each process.
            processes = max(_THREADS_OF_A_RUNTIME, 16 * processes)
        plan = ContainerPlan(image, command, processes + 2, memory_bytes, self.runtime)
        rules = filter_program()

        def start() -> ForkServer:
            return ForkServer(Container(plan), rules)

        name = "docker" if self.runtime is None else f"docker-{self.runtime}"
        return ServerPool(name, self, start, reuse=True, memory_bound=bound)

    def _check(self, client: "DockerClient") -> dict[str, Any]:
        """Ask for the runtime and the image; returns what the engine says of itself."""
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
