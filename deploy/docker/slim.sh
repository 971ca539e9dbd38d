#!/bin/sh
# slim.sh VENV: takes out of a virtual environment what a running service never opens: tests,
# headers, the installer, and Arrow's parts for Flight and cloud stores, that nothing here opens.
set -eu
site="$1/lib/python3.11/site-packages"
rm -rf "$site"/pip "$site"/pip-* "$site"/setuptools "$site"/setuptools-* "$1"/bin/pip*
find "$site" -type d \( -name tests -o -name test \) -not -path '*/numba/*' -not -path '*/astropy/*' \
    -prune -exec rm -rf {} +
find "$site/numba" -type d -name tests -prune -exec rm -rf {} + 2>/dev/null || true
rm -rf "$site"/numba/cuda/tests "$site"/pyarrow/include "$site"/pyarrow/src \
    "$site"/pyarrow/libarrow_flight* "$site"/pyarrow/_flight* \
    "$site"/pyarrow/libarrow_s3* \
    "$site"/pyarrow/_s3fs* "$site"/pyarrow/_gcsfs* "$site"/pyarrow/_azurefs* "$site"/numpy/_core/include
find "$site" -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' | xargs -r rm -f
find "$site" -name '*.so*' -type f -exec sh -c 'command -v strip >/dev/null && strip --strip-unneeded "$1" 2>/dev/null || true' _ {} \;
