"""Prepares a Prefect server for `infra/prefect.yaml`: work pools, the automation for dead runs, and S3 credentials.

    PREFECT_API_URL=http://127.0.0.1:4200/api python infra/prefect_setup.py

Run it again to apply a change. If AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set, they become Prefect Secret
blocks, which the server encrypts. The work pools refer to the blocks: a worker fetches the values when it starts a run,
and no deployment, run or log contains them. AWS_ENDPOINT_URL and AWS_DEFAULT_REGION are not secret: their values are
stored in the work pools.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import yaml
from prefect import get_client
from prefect.automations import Automation
from prefect.blocks.system import Secret
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.workers.utilities import get_default_base_job_template_for_infrastructure_type

POOLS = {"cpu": "process", "gpu": "process", "docker": "docker", "kubernetes": "kubernetes"}
IMAGE = "monkeys:latest"
HEARTBEAT_EVERY_S = 30
ALLOWS_NAMESPACES = {"seccompProfile": {"type": "Unconfined"}, "procMount": "Unmasked"}
"""The security context that a pod needs so that bubblewrap can create namespaces."""
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
SETTINGS = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION")


async def main() -> None:
    """Create or update the secret blocks, work pools and automations."""
    environment = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_EVERY_S)}
    environment |= {name: os.environ[name] for name in SETTINGS if name in os.environ}
    for name in SECRETS:
        if name in os.environ:
            block = name.lower().replace("_", "-")
            await Secret(value=os.environ[name]).save(block, overwrite=True)
            environment[name] = f"{{{{ prefect.blocks.secret.{block} }}}}"
            print(f"secret block {block}")
    async with get_client() as client:
        for pool, kind in POOLS.items():
            await make_pool(client, pool, kind, environment)
    for automation in yaml.safe_load(Path(__file__).with_name("automations.yaml").read_text())["automations"]:
        await make_automation(automation)


async def make_pool(client: PrefectClient, name: str, kind: str, environment: dict[str, str]) -> None:
    """Create or update a work pool whose runs get this environment in addition to that of the worker."""
    template: dict[str, Any] | None = await get_default_base_job_template_for_infrastructure_type(kind)
    if template is None:
        raise SystemExit(f"prefect_setup: this server has no work pools of type {kind}")
    variables = template["variables"]["properties"]
    variables["env"]["default"] = environment
    if "image" in variables:
        variables["image"]["default"] = IMAGE
        # By default, a Docker worker pulls `latest` images from a registry, even if they were built on this machine.
        variables["image_pull_policy"]["default"] = "IfNotPresent"
    if "auto_remove" in variables:
        # Otherwise, `docker inspect` would show the S3 secret in containers that have exited.
        variables["auto_remove"]["default"] = True
    if kind == "kubernetes":
        (container,) = template["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]["containers"]
        container["securityContext"] = ALLOWS_NAMESPACES
    await client.create_work_pool(WorkPoolCreate(name=name, type=kind, base_job_template=template), overwrite=True)
    print(f"work pool {name} ({kind})")


async def make_automation(document: dict[str, Any]) -> None:
    """Create an automation, or replace the one with the same name."""
    wanted = Automation.model_validate(document)
    try:
        earlier = await Automation.read(name=wanted.name)
    except ValueError:
        await wanted.acreate()
    else:
        wanted.id = earlier.id
        await wanted.aupdate()
    print(f"automation {wanted.name}")


if __name__ == "__main__":
    asyncio.run(main())
