"""How the workers grow and shrink: KEDA on lag and age, or an HPA on CPU where KEDA is not."""

from __future__ import annotations

from deploy.k8s.workers import WORKERS, Manifest, Worker, labels, lag_per_pod

AGE_OBJECTIVE_S = 5
PROMETHEUS = "http://prometheus-operated.monitoring:9090"
BOOTSTRAP = "tocsin-kafka-bootstrap:9093"
_BEHAVIOUR = {
    # Up at once, by half as much again; down slowly, or each burst would move all partitions.
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
    },
}


def scaled() -> tuple[Worker, ...]:
    """The workers that grow with what waits for them."""
    return tuple(worker for worker in WORKERS if worker.reads)


def keda_login() -> Manifest:
    """How KEDA itself logs in to Kafka: a user that may only look."""
    references = [
        {"parameter": "username", "name": "keda-login", "key": "username"},
        {"parameter": "password", "name": "keda", "key": "password"},
        {"parameter": "sasl", "name": "keda-login", "key": "sasl"},
        {"parameter": "tls", "name": "keda-login", "key": "tls"},
        {"parameter": "ca", "name": "tocsin-cluster-ca-cert", "key": "ca.crt"},
    ]
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": {"name": "kafka"},
        "spec": {"secretTargetRef": references},
    }


def scaled_object(worker: Worker) -> Manifest:
    """Pods for the lag of each topic, and for the age at which alerts leave."""
    lag = [
        {
            "type": "kafka",
            "metadata": {
                "bootstrapServers": BOOTSTRAP,
                "consumerGroup": worker.group,
                "topic": topic,
                "lagThreshold": str(lag_per_pod(worker)),
                "activationLagThreshold": "0",
                "offsetResetPolicy": "earliest",
                # Never more pods than partitions: one more would have nothing to read.
                "allowIdleConsumers": "false",
            },
            "authenticationRef": {"name": "kafka"},
        }
        for topic in worker.reads
    ]
    age = {
        "type": "prometheus",
        "metadata": {
            "serverAddress": PROMETHEUS,
            # Without traffic the quantile is NaN, which KEDA takes for a number: >= 0 drops it.
            "query": f'max(tocsin:record_age_seconds:p95{{service="{worker.name}"}} >= 0) '
            "or vector(0)",
            "threshold": str(AGE_OBJECTIVE_S),
            "ignoreNullValues": "true",
        },
    }
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": worker.name, "labels": labels(worker)},
        "spec": {
            "scaleTargetRef": {"name": worker.name},
            "minReplicaCount": min(worker.replicas, worker.most),
            "maxReplicaCount": worker.most,
            "pollingInterval": 5,
            "cooldownPeriod": 300,
            # Kafka or Prometheus away: what runs goes on running.
            "fallback": {"failureThreshold": 3, "replicas": worker.replicas},
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _BEHAVIOUR}},
            "triggers": [*lag, age],
        },
    }


def autoscaler(worker: Worker) -> Manifest:
    """The fallback: by CPU, which says less (a worker that waits for Kafka is idle)."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": worker.name, "labels": labels(worker)},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": worker.name},
            "minReplicas": worker.replicas,
            "maxReplicas": worker.most,
            "behavior": _BEHAVIOUR,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 70},
                    },
                }
            ],
        },
    }
