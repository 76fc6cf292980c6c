"""The manifests: they are what Kubernetes' own schemas say, pods may do no more than they need, and every configuration
in them is one that its program takes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.composed import COMPOSE, TOOLS, make_secrets
from tests.deploy.kubernetes import FILES, MANIFESTS, RELEASES, SCHEMAS, Manifest, objects, of_kind, pods, write_schemas

PODS = {name: (whole, pod) for name, whole, pod in pods()}
OURS = ("minewatch-sensor", "minewatch-collector", "minewatch-console")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.mark.parametrize("release", RELEASES)
def test_kubeconform_finds_nothing_wrong(release: str, tmp_path: Path) -> None:
    tool = TOOLS / "bin" / "kubeconform"
    if not tool.exists() or not SCHEMAS.exists():
        pytest.skip("kubeconform or its schemas are not here: make deploy-tools")
    place = write_schemas(release, tmp_path / "schemas") / "{{.ResourceKind}}{{.KindSuffix}}.json"
    asked = [tool, "-strict", "-summary", "-schema-location", str(place)]
    checked = subprocess.run([*asked, MANIFESTS], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert f"{len(objects())} resources found in {len(FILES)} files - Valid: {len(objects())}," in checked.stdout
    broken = (MANIFESTS / "collectors.yaml").read_text().replace("replicas:", "replicass:")
    refused = subprocess.run([*asked, "-"], input=broken, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "replicass" in refused.stdout


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_do_no_more_than_it_needs(name: str) -> None:
    whole, pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    sensor = name == "minewatch-sensor"
    assert pod.get("hostNetwork", False) is sensor
    assert whole["metadata"]["namespace"] == ("minewatch-sensors" if sensor else "minewatch")
    for container in pod["containers"]:
        its = container["securityContext"]
        assert its["capabilities"] == ({"drop": ["ALL"], "add": ["NET_RAW"]} if sensor else {"drop": ["ALL"]})
        assert its["allowPrivilegeEscalation"] is sensor
        assert its["readOnlyRootFilesystem"] or name == "kafka"
        assert container["resources"]["limits"]["memory"]
        assert re.search(r":\d+(\.\d+)+(-[a-z]+)?$", container["image"]), "a version is to be pinned"
        assert all(probe in container for probe in PROBES)
        passwords = [one.get("value", "") for one in container.get("env", ()) if "PASSWORD" in one["name"].upper()]
        assert all(value.startswith("/run/secrets/") for value in passwords)
    assert all("hostPath" not in volume or sensor for volume in pod["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_a_pod_of_ours_is_asked_where_it_answers(name: str) -> None:
    (container,) = PODS[name][1]["containers"]
    paths = {probe: container[probe]["httpGet"]["path"] for probe in PROBES}
    if name == "minewatch-console":
        assert set(paths.values()) == {"/health"}
    else:
        assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    (port,) = container["ports"]
    assert {container[probe]["httpGet"]["port"] for probe in PROBES} == {port["name"]}
    text = configuration(name) + " ".join(container["args"])
    assert f":{port['containerPort']}" in text


def test_the_namespace_of_the_centre_takes_only_restricted_pods() -> None:
    levels = {one["metadata"]["name"]: one["metadata"]["labels"] for one in of_kind("Namespace")}
    level = {name: labels["pod-security.kubernetes.io/enforce"] for name, labels in levels.items()}
    assert level == {"minewatch": "restricted", "minewatch-sensors": "privileged"}


def test_every_volume_is_of_something_there_is_and_every_mount_of_a_volume() -> None:
    maps = {one["metadata"]["name"] for one in of_kind("ConfigMap")}
    claims = {one["metadata"]["name"] for one in of_kind("PersistentVolumeClaim")}
    guide = (COMPOSE.parent / "kubernetes" / "README.md").read_text(encoding="utf-8")
    for name, (whole, pod) in PODS.items():
        volumes = {volume["name"] for volume in pod["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in whole["spec"].get("volumeClaimTemplates", ())}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes, name
        for volume in pod["volumes"]:
            assert volume.get("configMap", {"name": name})["name"] in maps | {name}
            assert "persistentVolumeClaim" not in volume or volume["persistentVolumeClaim"]["claimName"] in claims
            assert "secret" not in volume or f"`{volume['secret']['secretName']}`" in guide
    assert not of_kind("Secret"), "secrets are the operator's"


def test_selectors_find_their_pods() -> None:
    labels = {name: whole["spec"]["template"]["metadata"]["labels"] for name, (whole, _) in PODS.items()}

    def found(selector: dict[str, str]) -> bool:
        return any(selector.items() <= its.items() for its in labels.values())

    for whole, _ in PODS.values():
        assert found(whole["spec"]["selector"]["matchLabels"])
    for one in of_kind("PodDisruptionBudget"):
        assert found(one["spec"]["selector"]["matchLabels"])
    for one in of_kind("Service"):
        assert found(one["spec"]["selector"])
    for one in of_kind("NetworkPolicy"):
        assert found(one["spec"]["podSelector"].get("matchLabels", {}))
        for rule in (*one["spec"].get("ingress", ()), *one["spec"].get("egress", ())):
            for peer in (*rule.get("from", ()), *rule.get("to", ())):
                assert "podSelector" not in peer or found(peer["podSelector"]["matchLabels"])


def test_nobody_speaks_with_the_centre_but_as_a_policy_says() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(rule["ports"] for spec in policies.values() for rule in spec.get("ingress", ()))
    assert all(rule["ports"] for spec in policies.values() for rule in spec.get("egress", ()))


@pytest.mark.parametrize("name", OURS)
def test_minewatch_takes_each_configuration(name: str, tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path / "secrets")
    part = {"minewatch-sensor": "sensor-1"}.get(name, name.removeprefix("minewatch-"))
    text = configuration(name)
    for inside, outside in (("ca.crt", "ca.pem"), ("tls.crt", f"{part}.pem"), ("tls.key", f"{part}.key")):
        text = text.replace(f"/run/secrets/minewatch/{inside}", str(secrets / outside))
    assert "/run/secrets" not in text
    (tmp_path / "minewatch.yaml").write_text(text)
    command = [sys.executable, "-m", "sensor.cli", "check", "--configuration-only", "-c"]
    given = [f"{tmp_path}/minewatch.yaml", "--set", "sensor_id=node-7.example.org"]
    checked = subprocess.run([*command, *given], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_examples_have_what_was_tried_with_compose() -> None:
    """Those files are run by real servers (test_running_centre.py): the examples differ in names and places alone."""
    held = {one["metadata"]["name"]: one["data"] for one in of_kind("ConfigMap")}
    for file in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf", "database.sql"):
        assert settings(held["postgres"][file]) == settings((COMPOSE / "postgres" / file).read_text())
    assert settings(held["kafka"]["server.properties"]) == settings((COMPOSE / "kafka/server.properties").read_text())


def configuration(name: str) -> str:
    """The configuration in the config map of that name."""
    (its,) = [one for one in of_kind("ConfigMap") if one["metadata"]["name"] == name]
    text: str = its["data"]["minewatch.yaml"]
    return text


def settings(text: str) -> list[str]:
    """Lines that are no comments, without where secrets and data lie and what a broker is called."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "--"))]
    lines = [re.sub(r"/run/secrets/\S+", "SECRET", line) for line in lines]
    return [re.sub(r"//(kafka|localhost)[a-z.]*:|/data/logs$|/data$", ":", line) for line in lines]


def test_a_comparison_of_settings_sees_a_difference() -> None:
    assert settings("a=/run/secrets/x\n# b\nc=1") == settings("a=/run/secrets/y/z\nc=1") != settings("a=1")


def test_what_makes_pods_is_all_that_is_looked_at() -> None:
    pods_of: list[Manifest] = of_kind("Pod", "Job", "CronJob", "ReplicaSet")
    assert not pods_of
    assert yaml.safe_load((MANIFESTS / "network.yaml").read_text().split("---")[0])["kind"] == "NetworkPolicy"
