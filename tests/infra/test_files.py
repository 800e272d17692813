"""Checks of the files in `infra/` that need neither Docker nor a cluster.

`tests/flows/test_workers.py` deploys from them on a real Prefect server.
"""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.provers.lean4.installation import is_sound

INFRA = Path(__file__).parents[2] / "infra"
VARIABLES = {"POSTGRES_PASSWORD": "a", "S3_ACCESS_KEY": "b", "S3_SECRET_KEY": "c"}


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((INFRA / "compose.yaml").read_text()))


def test_the_compose_file_follows_the_compose_specification(tmp_path: Path) -> None:
    command = ["docker", "compose"]
    if not shutil.which("docker") or subprocess.run([*command, "version"], check=False, capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in VARIABLES.items()))
    command += ["--env-file", str(tmp_path / "env"), "-f", str(INFRA / "compose.yaml"), "--profile", "gpu", "config"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_every_service_has_an_image_and_depends_only_on_existing_services() -> None:
    services = compose()["services"]
    assert {"postgres", "prefect", "s3", "worker", "vllm", "gpu-worker"} <= services.keys()
    for name, service in services.items():
        assert service.get("image") or service.get("build"), name
        for other, condition in service.get("depends_on", {}).items():
            assert other in services
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits forever for {other}"
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in compose()["volumes"]


def test_the_compose_file_contains_no_secret_and_fails_without_one() -> None:
    text = (INFRA / "compose.yaml").read_text()
    for line in text.splitlines():
        if re.search(r"(PASSWORD|SECRET_ACCESS_KEY|S3_SECRET_KEY|ACCESS_KEY_ID): ", line):
            assert ":?set it in infra/.env}" in line, line


def test_workers_poll_pools_that_the_setup_creates() -> None:
    setup = (INFRA / "prefect_setup.py").read_text()
    pools = set(re.findall(r'"(\w+)": "(?:process|docker|kubernetes)"', setup))
    commands = " ".join(str(service.get("command", "")) for service in compose()["services"].values())
    polled = set(re.findall(r"--pool (\w+)", commands)) | set(
        re.findall(r"--pool, (\w+)", (INFRA / "kubernetes" / "workers.yaml").read_text())
    )
    deployments = yaml.safe_load((INFRA / "prefect.yaml").read_text())["deployments"]
    assert polled == {"cpu", "gpu", "kubernetes"}
    assert polled <= pools
    assert {each["work_pool"]["name"] for each in deployments} == pools


def test_the_docker_build_context_contains_what_the_dockerfile_copies() -> None:
    dockerfile = (INFRA / "Dockerfile").read_text()
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
    allowed = {line[1:] for line in (INFRA / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    assert copied == allowed
    assert set(wheel_packages()) <= copied


def test_images_of_provers_name_the_versions_of_the_docs() -> None:
    docs = (INFRA.parent / "docs" / "proofs.md").read_text()
    rocq, lean = ((INFRA / "provers" / f"{name}.Dockerfile").read_text() for name in ("rocq", "lean"))
    (version,) = re.findall(r"monkeys-rocq:(\S+)", rocq)
    assert f"Rocq {version}" in docs
    assert re.escape(version) in rocq.split("RUN")[1]
    assert [set(re.findall(r"apt-get install .*?(coq.*?) \\", rocq))] == [{" ".join(packages())}]
    (tag,) = re.findall(r"^ARG LEAN=(v\S+)$", lean, re.MULTILINE)
    assert f"monkeys-lean:{tag}" in lean
    assert set(re.findall(r"\bv4\.\d+\.\d+\b", lean)) - {tag} == set(
        re.findall(r"^ARG ELAN=(\S+)$", lean, re.MULTILINE)
    )
    assert is_sound(tag.removeprefix("v"))
    assert tag in re.findall(r"--branch (\S+)", docs)


def packages() -> list[str]:
    """The Debian packages of `make provers`."""
    (found,) = re.findall(r"^packages=\((.+)\)$", (INFRA / "provers.sh").read_text(), re.MULTILINE)
    return str(found).split()


def test_the_emulated_machine_gets_every_package() -> None:
    (packed,) = re.findall(
        r'^tar -cf "\$folder/checkout.tar" (.+) -C', (INFRA / "cgroup2_vm.sh").read_text(), re.MULTILINE
    )
    assert {*wheel_packages(), "tests", "pyproject.toml"} <= set(packed.split())


def wheel_packages() -> list[str]:
    project = tomllib.loads((INFRA.parent / "pyproject.toml").read_text())
    return list(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def test_kubernetes_manifests_render() -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    command = ["kubectl", "kustomize", str(INFRA / "kubernetes")]
    rendered = documents(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered]
    assert len(names) == len(set(names)) == 10
    assert {each["metadata"]["namespace"] for each in rendered} == {"monkeys"}


def test_kubernetes_manifests_refer_only_to_existing_objects() -> None:
    manifests = [each for path in (INFRA / "kubernetes").glob("*.yaml") for each in documents(path.read_text())]
    named = {(each["kind"], each["metadata"]["name"]) for each in manifests if "metadata" in each}
    for each in manifests:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert each["spec"]["selector"]["matchLabels"] == labels
            account = each["spec"]["template"]["spec"].get("serviceAccountName")
            assert account is None or ("ServiceAccount", account) in named
        if each["kind"] == "Service":
            apps = {name for kind, name in named if kind in {"Deployment", "StatefulSet"}}
            assert each["spec"]["selector"]["app"] in apps


def documents(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each]
