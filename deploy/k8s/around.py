"""What stands around the workers: settings, the database, volumes, jobs, the default refusal."""

from __future__ import annotations

from typing import Any

from deploy.k8s.kafka import PARTITIONS
from deploy.k8s.scaling import BOOTSTRAP
from deploy.k8s.workers import (
    CA_FOLDER,
    CATALOGS,
    DATABASE_SECRET,
    LEARNING,
    PREFIX,
    STATE,
    USER,
    VERSION,
    Claim,
    Manifest,
    database_uri,
    egress,
    kafka_login,
)

NIGHTLY = (
    ("archive-pack", "archive", "0 16 * * *", ("services.archive.verbs.pack",)),
    ("targets", "learning", "0 17 * * *", ("services.classify.verbs.targets.make",)),
    ("learn", "learning", "30 17 * * *", ("services.classify.verbs.learn.nightly",)),
)
"""Jobs after the night of Chile and California, at UTC hours: name, image, when, what."""
JOB_LABELS = {"app.kubernetes.io/component": "job", "app.kubernetes.io/part-of": "tocsin"}
_CLAIMS: dict[str, tuple[Claim, ...]] = {
    "archive": (("archive", f"{STATE}/archive", False),),
    "learning": (("archive", f"{STATE}/archive", True), (*LEARNING, False)),
}
"""What the nightly jobs of an image mount, and whether read-only."""


def namespace() -> Manifest:
    """Pods that break the restricted standard are refused here."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "tocsin",
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }


def settings() -> Manifest:
    """What all workers are told; passwords are in Secrets that the operators make."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "tocsin-settings"},
        "data": {
            "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": BOOTSTRAP,
            "TOCSIN_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "TOCSIN_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "TOCSIN_KAFKA_CA_FILE": f"{CA_FOLDER}/ca.crt",
            "TOCSIN_TOPIC_PREFIX": PREFIX,
            "TOCSIN_PARTITIONS": str(PARTITIONS),
            "TOCSIN_REPLICATION": "3",
            "TOCSIN_SURVEY_TOPICS": "ztf=ztf_alerts,lsst=lsst_alerts",
        },
    }


def refuse_all() -> Manifest:
    """Nothing may talk to anything unless a policy of its own says so."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "refuse-all"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }


def let_jobs_out() -> Manifest:
    """Jobs may ask what workers may: names, Kafka, the database; nothing may ask them."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "jobs"},
        "spec": {
            "podSelector": {"matchLabels": JOB_LABELS},
            "policyTypes": ["Ingress", "Egress"],
            "egress": egress(),
        },
    }


def volumes() -> list[Manifest]:
    """Catalogs, written by a job; the archive's files; what the nightly loop remembers."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": size}},
            },
        }
        for name, size in (("catalogs", "50Gi"), ("archive", "2Ti"), (LEARNING[0], "10Gi"))
    ]


def database() -> list[Manifest]:
    """Three members by the community operator; the URI is in the Secret that it makes."""
    return [
        {
            "apiVersion": "mongodbcommunity.mongodb.com/v1",
            "kind": "MongoDBCommunity",
            "metadata": {"name": "tocsin-database"},
            "spec": {
                "members": 3,
                "type": "ReplicaSet",
                "version": "8.0.4",
                "security": {"authentication": {"modes": ["SCRAM"]}},
                "users": [
                    {
                        "name": "tocsin",
                        "db": "admin",
                        "passwordSecretRef": {"name": "tocsin-database-password"},
                        "roles": [{"name": "readWrite", "db": "tocsin"}],
                        "scramCredentialsSecretName": "tocsin",
                        "connectionStringSecretName": DATABASE_SECRET,
                    }
                ],
                "additionalMongodConfig": {"storage.wiredTiger.engineConfig.cacheSizeGB": 2},
            },
        }
    ]


def jobs() -> list[Manifest]:
    """Indexes of the catalogs, once per version; nightly work."""
    index: Manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"catalogs-{VERSION.replace('.', '-')}"},
        "spec": {
            "backoffLimit": 3,
            "template": _job_template(
                _job_pod(
                    "catalogs", "xmatch", ("services.xmatch.commands.preparing",),
                    ((CATALOGS[0], CATALOGS[1], False),),
                )
            ),
        },
    }  # fmt: skip
    nightly: list[Manifest] = [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": name},
            "spec": {
                "schedule": when,
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 3600,
                "jobTemplate": {
                    "spec": {
                        "backoffLimit": 2,
                        "activeDeadlineSeconds": 6 * 3600,
                        "template": _job_template(_job_pod(name, image, what, _CLAIMS[image])),
                    }
                },
            },
        }
        for name, image, when, what in NIGHTLY
    ]
    return [index, *nightly]


def _job_template(pod: dict[str, Any]) -> Manifest:
    """A job's pod, known as one: jobs must be let out where all else is refused."""
    return {"metadata": {"labels": JOB_LABELS}, "spec": pod}


def _job_pod(
    name: str, image: str, arguments: tuple[str, ...], claims: tuple[Claim, ...]
) -> dict[str, Any]:
    return {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": name,
                "image": f"tocsin-{image}:{VERSION}",
                "args": list(arguments),
                "envFrom": [{"configMapRef": {"name": "tocsin-settings"}}],
                "env": [*kafka_login(image), database_uri()],
                "resources": {
                    "requests": {"cpu": "500m", "memory": "1Gi"},
                    "limits": {"cpu": "2", "memory": "4Gi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the pod's own
                    {"name": "kafka-ca", "mountPath": CA_FOLDER, "readOnly": True},
                    {"name": "state", "mountPath": STATE},
                    *(
                        {"name": volume, "mountPath": path, "readOnly": read_only}
                        for volume, path, read_only in claims
                    ),
                ],
            }
        ],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "kafka-ca", "secret": {"secretName": "tocsin-cluster-ca-cert"}},
            {"name": "state", "emptyDir": {"sizeLimit": "2Gi"}},
            *(
                {
                    "name": volume,
                    "persistentVolumeClaim": {"claimName": volume, "readOnly": read_only},
                }
                for volume, _, read_only in claims
            ),
        ],
    }
