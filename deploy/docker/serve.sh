#!/bin/sh
# Without arguments: the image's service. With arguments: another module of the same image, e.g.
#   serve.sh services.mma.receive
# exec, so that the worker itself gets SIGTERM: it finishes the take, commits and leaves its group.
set -eu
mkdir -p "$NUMBA_CACHE_DIR" "$MPLCONFIGDIR"
[ $# -gt 0 ] || set -- "$TOCSIN_MODULE"
exec python -m "$@"
