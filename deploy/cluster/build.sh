#!/usr/bin/env bash
# build.sh FOLDER: builds a real control plane into FOLDER/bin, each program once: etcd, Kubernetes
# (API server, controller manager, scheduler, kubectl in one binary), KWOK, KEDA. About 20 minutes
# on two cores the first time; what is there already is left as it is.
set -euo pipefail
mkdir -p "${1:?usage: build.sh FOLDER}/bin"
bin=$(cd "$1/bin" && pwd)
cd "$(dirname "$0")"
V=k8s.io/component-base/version
C=k8s.io/client-go/pkg/version
once() {  # once NAME: then a command that makes $bin/NAME.new
  name=$1; shift
  [ -x "$bin/$name" ] && return
  echo "building $name"
  "$@" && mv "$bin/$name.new" "$bin/$name"
}
in_folder() { (cd "$1"; shift; "$@"); }
once etcd in_folder etcd go build -trimpath -ldflags "-s -w" -o "$bin/etcd.new" .
once kwok sh -c "GOBIN='$bin/kwok.d' go install sigs.k8s.io/kwok/cmd/kwok@v0.7.0 && mv '$bin/kwok.d/kwok' '$bin/kwok.new'"
once kube in_folder kubernetes go build -trimpath -ldflags "-s -w \
  -X $V.gitVersion=v1.34.1 -X $V.gitMajor=1 -X $V.gitMinor=34 \
  -X $C.gitVersion=v1.34.1 -X $C.gitMajor=1 -X $C.gitMinor=34" -o "$bin/kube.new" .
once keda-operator in_folder keda go build -trimpath -ldflags "-s -w" -o "$bin/keda-operator.new" \
  github.com/kedacore/keda/v2/cmd/operator
once keda-adapter in_folder keda go build -trimpath -ldflags "-s -w" -o "$bin/keda-adapter.new" \
  github.com/kedacore/keda/v2/cmd/adapter
