"""A real Kubernetes control plane with KEDA on one machine, for checking the manifests.

API server, controller manager, scheduler and etcd are the real ones; nodes and pods are KWOK's:
they are scheduled, become ready and go, and no container runs.
"""
