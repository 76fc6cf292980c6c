"""deploy/kubernetes as it stands: its objects, and the schemas of Kubernetes in the form that kubeconform reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.composed import TOOLS
from tests.deploy.conftest import DEPLOY

MANIFESTS = DEPLOY / "kubernetes"
FILES = sorted(MANIFESTS.rglob("*.yaml"))
#: Where `make deploy-tools` unpacks kubernetes-validate, and the releases whose schemas are asked: the newest it ships
#: and the oldest that still gets mends.
SCHEMAS = TOOLS / "kubernetes" / "kubernetes_validate" / "kubernetes-json-schema"
RELEASES = ("v1.34.0", "v1.37.0")
Manifest = dict[str, Any]


def objects() -> list[Manifest]:
    """Every object of every file."""
    return [one for path in FILES for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def of_kind(*kinds: str) -> list[Manifest]:
    """Objects of some kinds."""
    return [one for one in objects() if one["kind"] in kinds]


def pods() -> Iterator[tuple[str, Manifest, Manifest]]:
    """Whatever makes pods: its name, itself, and the pod's specification."""
    for one in of_kind("DaemonSet", "Deployment", "StatefulSet"):
        yield one["metadata"]["name"], one, one["spec"]["template"]["spec"]


def write_schemas(release: str, folder: Path) -> Path:
    """The schemas of a release with references to files beside them: as they are shipped they name a server."""
    folder.mkdir(parents=True)
    for path in (SCHEMAS / f"{release}-local-strict").glob("*.json"):
        read = json.loads(path.read_text(encoding="utf-8").replace('"/api/_definitions.json#', '"_definitions.json#'))
        read.pop("$id", None)
        (folder / path.name).write_text(json.dumps(read), encoding="utf-8")
    return folder
