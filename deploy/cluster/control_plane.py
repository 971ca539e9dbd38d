"""Starts and stops the control plane that ``build.sh`` built."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.local.server_process import LOOPBACK, LocalServerError, free_port

PROGRAMS = ("etcd", "kube", "kwok", "keda-operator", "keda-adapter")
_PATIENCE_S = 90.0
_NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "annotations": {"node.alpha.kubernetes.io/ttl": "0", "kwok.x-k8s.io/node": "fake"},
    },
    "status": {
        "allocatable": {"cpu": "32", "memory": "256Gi", "pods": "110"},
        "capacity": {"cpu": "32", "memory": "256Gi", "pods": "110"},
    },
}
_REQUEST_HEADERS = (
    "--requestheader-allowed-names=front-proxy",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
)


@dataclass
class ControlPlane:
    """A control plane in ``folder``, of the programs in ``programs``; use as a context manager."""

    folder: Path
    programs: Path
    nodes: int = 3
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _ports: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> ControlPlane:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._certificates()
            self._start_kubernetes()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End everything, the youngest first."""
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        self._running.clear()

    @property
    def kubeconfig(self) -> Path:
        """For any client."""
        return self.folder / "kubeconfig"

    def kubectl(self, *arguments: str, given: str = "", allowed: Sequence[int] = (0,)) -> str:
        """Run kubectl; its standard output, and what it complained of.

        Raises
        ------
        LocalServerError
            If it ends with another status than ``allowed``.
        """
        command = [str(self.programs / "kube"), "kubectl", "--kubeconfig", str(self.kubeconfig)]
        done = subprocess.run(
            [*command, *arguments], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode not in allowed:
            raise LocalServerError(f"kubectl {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start_keda(self) -> None:
        """KEDA's operator and its metrics adapter; its kinds must be defined already."""
        self.kubectl("create", "namespace", "keda")
        certificates = self.folder / "keda"
        self._signed(certificates, "localhost", authority="ca", names=("tls",))
        metrics, secure = free_port(), free_port()
        own = {"POD_NAMESPACE": "keda", "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda"}
        self._run(
            "keda-operator", f"--kubeconfig={self.kubeconfig}", f"--cert-dir={certificates}",
            f"--metrics-bind-address={LOOPBACK}:{free_port()}",
            f"--health-probe-bind-address={LOOPBACK}:{free_port()}",
            f"--metrics-service-bind-address={LOOPBACK}:{metrics}",
            environment={**own, "WATCH_NAMESPACE": "", "KUBECONFIG": str(self.kubeconfig)},
        )  # fmt: skip
        same = f"={self.kubeconfig}"
        self._run(
            "keda-adapter", f"--kubeconfig{same}", f"--lister-kubeconfig{same}",
            f"--authentication-kubeconfig{same}", f"--authorization-kubeconfig{same}",
            "--authentication-skip-lookup", f"--client-ca-file={certificates}/ca.crt",
            f"--requestheader-client-ca-file={self.folder}/proxy-ca.crt", *_REQUEST_HEADERS,
            f"--bind-address={LOOPBACK}", f"--secure-port={secure}", f"--port={free_port()}",
            f"--metrics-service-address=localhost:{metrics}", f"--cert-dir={certificates}",
            f"--tls-cert-file={certificates}/tls.crt",
            f"--tls-private-key-file={certificates}/tls.key",
            environment={**own, "WATCH_NAMESPACE": "", "KUBECONFIG": str(self.kubeconfig)},
        )  # fmt: skip
        self.apply(_external_metrics(secure))

    def apply(self, *manifests: object, dry_run: bool = False) -> str:
        """Apply manifests with the server's strict validation."""
        words = ["apply", "--server-side", "--validate=strict", "-f", "-"]
        text = "\n---\n".join(json.dumps(manifest) for manifest in manifests)
        return self.kubectl(*words, *(["--dry-run=server"] if dry_run else []), given=text)

    def _start_kubernetes(self) -> None:
        etcd, peer, api = free_port(), free_port(), free_port()
        self._ports["api"] = api
        self._run(
            "etcd", "--data-dir", str(self.folder / "etcd"), "--unsafe-no-fsync",
            "--listen-client-urls", f"http://{LOOPBACK}:{etcd}",
            "--advertise-client-urls", f"http://{LOOPBACK}:{etcd}",
            "--listen-peer-urls", f"http://{LOOPBACK}:{peer}",
            "--initial-advertise-peer-urls", f"http://{LOOPBACK}:{peer}",
            "--initial-cluster", f"default=http://{LOOPBACK}:{peer}",
        )  # fmt: skip
        token = secrets.token_hex(16)
        (self.folder / "tokens.csv").write_text(f'{token},admin,1,"system:masters"\n')
        self._run("kube", "apiserver", *self._api_server_options(etcd, api))
        self._write_kubeconfig(api, token)
        self._wait_ready()
        config = f"--kubeconfig={self.kubeconfig}"
        self._run(
            "kube", "controller-manager", config,
            f"--authentication-kubeconfig={self.kubeconfig}",
            f"--authorization-kubeconfig={self.kubeconfig}",
            f"--service-account-private-key-file={self.folder}/accounts.key",
            "--leader-elect=false", f"--bind-address={LOOPBACK}", f"--secure-port={free_port()}",
            "--controllers=*",
        )  # fmt: skip
        self._run("kube", "scheduler", config, "--leader-elect=false",
                  f"--bind-address={LOOPBACK}", f"--secure-port={free_port()}")  # fmt: skip
        self._run("kwok", config, "--manage-all-nodes=true",
                  f"--server-address={LOOPBACK}:{free_port()}",
                  "--node-lease-duration-seconds=40")  # fmt: skip
        for number in range(self.nodes):
            name = f"node-{number}"
            node = json.loads(json.dumps(_NODE))
            node["metadata"] |= {"name": name, "labels": {"kubernetes.io/hostname": name}}
            self.apply(node)

    def _api_server_options(self, etcd: int, api: int) -> list[str]:
        return [
            f"--etcd-servers=http://{LOOPBACK}:{etcd}", f"--bind-address={LOOPBACK}",
            "--advertise-address=10.255.255.1", f"--secure-port={api}",
            f"--cert-dir={self.folder}/certificates",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.folder}/accounts.key",
            f"--service-account-signing-key-file={self.folder}/accounts.key",
            f"--token-auth-file={self.folder}/tokens.csv", "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16", "--allow-privileged=true",
            f"--proxy-client-cert-file={self.folder}/proxy.crt",
            f"--proxy-client-key-file={self.folder}/proxy.key",
            f"--requestheader-client-ca-file={self.folder}/proxy-ca.crt", *_REQUEST_HEADERS,
        ]  # fmt: skip

    def _write_kubeconfig(self, api: int, token: str) -> None:
        server = {"server": f"https://{LOOPBACK}:{api}", "insecure-skip-tls-verify": True}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": server}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
            "current-context": "here",
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(json.dumps(config))

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while "ok" not in self.kubectl("get", "--raw", "/readyz", allowed=(0, 1)):
            if time.monotonic() > deadline:
                log = (self.folder / "apiserver.log").read_text()[-2000:]
                raise LocalServerError(f"the API server does not become ready:\n{log}")
            time.sleep(0.3)

    def _run(self, program: str, *options: str, environment: dict[str, str] | None = None) -> None:
        name = options[0] if program == "kube" else program
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running.append(
                subprocess.Popen(
                    [str(self.programs / program), *options],
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env={**os.environ, **(environment or {})},
                )
            )

    def _certificates(self) -> None:
        _openssl("genrsa", "-out", str(self.folder / "accounts.key"), "2048")
        self._signed(self.folder, "front-proxy", authority="proxy-ca", names=("proxy",))

    def _signed(self, folder: Path, subject: str, *, authority: str, names: Sequence[str]) -> None:
        """An authority, and certificates that it signs, in ``folder``."""
        folder.mkdir(exist_ok=True)
        at = {name: str(folder / name) for name in (authority, *names)}
        key = ("-newkey", "rsa:2048", "-nodes")
        _openssl("req", "-x509", *key, "-keyout", f"{at[authority]}.key", "-out",
                 f"{at[authority]}.crt", "-subj", f"/CN={authority}", "-days", "30")  # fmt: skip
        extensions = folder / "extensions.cnf"
        extensions.write_text(f"subjectAltName=DNS:{subject},DNS:localhost,IP:{LOOPBACK}\n")
        for name in names:
            _openssl("req", *key, "-keyout", f"{at[name]}.key", "-out", f"{at[name]}.csr",
                     "-subj", f"/CN={subject}")  # fmt: skip
            _openssl("x509", "-req", "-in", f"{at[name]}.csr", "-CA", f"{at[authority]}.crt",
                     "-CAkey", f"{at[authority]}.key", "-CAcreateserial", "-days", "30",
                     "-extfile", str(extensions), "-out", f"{at[name]}.crt")  # fmt: skip


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalServerError(f"openssl {arguments[0]}: {done.stderr}")


def _external_metrics(port: int) -> dict[str, object]:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "keda-metrics-apiserver", "namespace": "keda"},
        "spec": {
            "type": "ExternalName",
            "externalName": "localhost",
            "ports": [{"port": port, "name": "https"}],
        },
    }
    registration = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
        "spec": {
            "group": "external.metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "keda-metrics-apiserver", "namespace": "keda", "port": port},
        },
    }
    return {"apiVersion": "v1", "kind": "List", "items": [service, registration]}
