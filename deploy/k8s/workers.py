"""The processes that run on the cluster, as a literal table, and the manifests of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.capacity import COSTS

Manifest = dict[str, Any]
Claim = tuple[str, str, bool]
"""A volume that is mounted: name of the claim, path, whether read-only."""

VERSION = "0.1.0"
PREFIX = "tocsin."
HTTP_PORT = 9100
USER = 10001


@dataclass(frozen=True)
class Worker:
    """One Deployment.

    Attributes
    ----------
    name
        Of the Deployment, and of the consumer group after the prefix.
    image
        Which image it runs: ``tocsin-<image>``.
    module
        The module it runs, where that is not the image's own service.
    reads
        Topics whose lag makes it grow; none where it does not.
    volumes
        Claims it mounts: name of the claim, path, whether read-only.
    replicas, most
        Pods to begin with, and at most (not above the number of partitions).
    """

    name: str
    image: str
    module: str = ""
    reads: tuple[str, ...] = ()
    volumes: tuple[Claim, ...] = ()
    replicas: int = 2
    most: int = 12
    memory_mib: int = 512
    serves: int = 0
    """The port under which others than Prometheus may ask it; 0 where none may."""
    talks_to_the_world: bool = False

    @property
    def target(self) -> int:
        """The container's port behind ``serves``; the portal's is that of its instruments."""
        return HTTP_PORT if self.serves == 80 else self.serves

    @property
    def group(self) -> str:
        """Its consumer group."""
        return f"{PREFIX}{self.name}"


STATE = "/var/lib/tocsin"
CA_FOLDER = "/etc/tocsin/kafka-ca"
DATABASE_SECRET = "tocsin-database-uri"  # noqa: S105  # a name
CATALOGS = ("catalogs", f"{STATE}/catalogs", True)
LEARNING = ("learning", f"{STATE}/learning")
SURVEY_TOPICS = ("ztf_alerts", "lsst_alerts")
WORKERS = (
    Worker("ingest", "ingest", reads=SURVEY_TOPICS, memory_mib=640),
    Worker(
        "xmatch", "xmatch", reads=(f"{PREFIX}alerts",), memory_mib=1024, volumes=(CATALOGS,)
    ),
    Worker("classify", "classify", reads=(f"{PREFIX}alerts.matched",), memory_mib=512),
    Worker("mma", "mma", reads=(f"{PREFIX}alerts.classified",), memory_mib=768),
    Worker("distribute", "distribute", reads=(f"{PREFIX}alerts.correlated",), memory_mib=512),
    Worker(
        "archive", "archive", reads=(f"{PREFIX}alerts.correlated",), memory_mib=640, most=6,
        volumes=(("archive", f"{STATE}/archive", False),),
    ),
    Worker(
        "learning", "learning", module="services.classify.learning", replicas=1, most=1,
        memory_mib=2048, volumes=((*LEARNING, False),),
    ),
    Worker(
        "receive", "mma", module="services.mma.receive", replicas=1, most=1,
        talks_to_the_world=True,
    ),
    Worker(
        "courier", "distribute", module="services.distribute.courier", replicas=1, most=1,
        talks_to_the_world=True,
    ),
    Worker(
        "vtp", "distribute", module="services.distribute.vtp", replicas=1, most=1, serves=8099,
    ),
    Worker(
        "portal", "portal", most=4, serves=80,
        volumes=(("archive", f"{STATE}/archive", True),),
    ),
)  # fmt: skip


def manifests(worker: Worker) -> list[Manifest]:
    """Everything one worker is on the cluster, its scaling apart."""
    parts = [
        _service_account(worker), _deployment(worker), _service(worker),
        _disruption_budget(worker), _network_policy(worker),
    ]  # fmt: skip
    return [part for part in parts if part is not None]


def labels(worker: Worker) -> dict[str, str]:
    """What its pods are known by."""
    return {"app.kubernetes.io/name": worker.name, "app.kubernetes.io/part-of": "tocsin"}


def _meta(worker: Worker, suffix: str = "") -> Manifest:
    return {"name": f"{worker.name}{suffix}", "labels": labels(worker)}


def _service_account(worker: Worker) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _meta(worker),
        "automountServiceAccountToken": False,
    }


def _deployment(worker: Worker) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(worker),
        "spec": {
            "replicas": worker.replicas,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": labels(worker)},
            # A new pod is ready before an old one drains: lag does not jump at a rollout.
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": labels(worker)},
                "spec": _pod(worker),
            },
        },
    }


def _pod(worker: Worker) -> Manifest:
    claims = [
        {"name": claim, "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}
        for claim, _, read_only in worker.volumes
    ]
    return {
        "serviceAccountName": worker.name,
        "automountServiceAccountToken": False,
        # SIGTERM: finish the take, commit, leave the group; a take waits for its sends.
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels(worker)},
            }
        ],
        "containers": [_container(worker)],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}},
            {"name": "state", "emptyDir": {"sizeLimit": "2Gi"}},
            {"name": "kafka-ca", "secret": {"secretName": "tocsin-cluster-ca-cert"}},
            *claims,
        ],
    }


def _container(worker: Worker) -> Manifest:
    memory = f"{worker.memory_mib}Mi"
    ports = [{"name": "metrics", "containerPort": HTTP_PORT}]
    if worker.serves and worker.target != HTTP_PORT:
        ports.append({"name": "served", "containerPort": worker.target})
    container: Manifest = {
        "name": worker.name,
        "image": f"tocsin-{worker.image}:{VERSION}",
        "ports": ports,
        "envFrom": [{"configMapRef": {"name": "tocsin-settings"}}],
        "env": _environment(worker),
        "resources": {
            "requests": {"cpu": "500m", "memory": memory},
            "limits": {"cpu": "1", "memory": memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the pod's own
            {"name": "state", "mountPath": STATE},
            {"name": "kafka-ca", "mountPath": CA_FOLDER, "readOnly": True},
            *(
                {"name": claim, "mountPath": path, "readOnly": read_only}
                for claim, path, read_only in worker.volumes
            ),
        ],
        **_probes(),
    }
    return container | ({"args": [worker.module]} if worker.module else {})


def _environment(worker: Worker) -> list[Manifest]:
    environment = [*kafka_login(worker.name), database_uri()]
    if worker.serves:
        listen = f"TOCSIN_{worker.name.upper()}_HOST"
        environment.append({"name": listen, "value": "0.0.0.0"})  # noqa: S104
    return environment


def kafka_login(user: str) -> list[Manifest]:
    """A user's name and password, as Strimzi's user operator keeps them."""
    password = {"secretKeyRef": {"name": user, "key": "password"}}
    return [
        {"name": "TOCSIN_KAFKA_USERNAME", "value": user},
        {"name": "TOCSIN_KAFKA_PASSWORD", "valueFrom": password},
    ]


def database_uri() -> Manifest:
    """The URI, as MongoDB's operator keeps it."""
    key = {"secretKeyRef": {"name": DATABASE_SECRET, "key": "connectionString.standard"}}
    return {"name": "TOCSIN_DATABASE_URI", "valueFrom": key}


def _probes() -> Manifest:
    """Ready is started; live is progress: a worker that stands still with lag is restarted."""
    get = {"port": "metrics"}
    return {
        "startupProbe": {
            "httpGet": {"path": "/ready", **get},
            "periodSeconds": 3,
            "failureThreshold": 100,
        },
        "readinessProbe": {"httpGet": {"path": "/ready", **get}, "periodSeconds": 5},
        "livenessProbe": {
            "httpGet": {"path": "/live", **get},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    }


def _service(worker: Worker) -> Manifest:
    ports = [{"name": "metrics", "port": HTTP_PORT, "targetPort": "metrics"}]
    if worker.serves:
        ports.append({"name": "served", "port": worker.serves, "targetPort": worker.target})
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(worker),
        "spec": {"selector": labels(worker), "ports": ports},
    }


def _disruption_budget(worker: Worker) -> Manifest | None:
    if worker.most == 1:
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _meta(worker),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels(worker)}},
    }


def _network_policy(worker: Worker) -> Manifest:
    """In: who scrapes, and who asks the portal. Out: names, Kafka, the database."""
    monitoring = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    }
    ingress: list[Manifest] = [
        {"from": [monitoring], "ports": [{"port": "metrics", "protocol": "TCP"}]}
    ]
    if worker.serves:
        ingress.append({"ports": [{"port": worker.target, "protocol": "TCP"}]})
    out = egress()
    if worker.talks_to_the_world:
        out.append(
            {
                "to": [
                    {
                        "ipBlock": {
                            "cidr": "0.0.0.0/0",
                            "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                       "169.254.0.0/16"],
                        }
                    }
                ]
            }
        )  # fmt: skip
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _meta(worker),
        "spec": {
            "podSelector": {"matchLabels": labels(worker)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": out,
        },
    }


def egress() -> list[Manifest]:
    """Where everything of ours may go: names, Kafka, the database."""
    return [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {
            "to": [{"podSelector": {"matchLabels": {"strimzi.io/cluster": "tocsin"}}}],
            "ports": [{"port": 9093, "protocol": "TCP"}, {"port": 9092, "protocol": "TCP"}],
        },
        {
            "to": [{"podSelector": {"matchLabels": {"app": "tocsin-database-svc"}}}],
            "ports": [{"port": 27017, "protocol": "TCP"}],
        },
    ]


def lag_per_pod(worker: Worker) -> int:
    """Messages of lag for which one more pod is wanted, as measured (``deploy.capacity``)."""
    return next(cost.lag_per_pod for cost in COSTS if cost.service == worker.name)
