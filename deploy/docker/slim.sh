#!/bin/sh
# slim.sh VENV: takes out of a virtual environment what a running service never opens: tests,
# headers, sources of compiled modules, the installer, Arrow's parts for Flight and cloud stores,
# numba's for graphics cards, symbols of shared libraries. imports.py looks afterwards whether
# everything that the service imports is still there.
set -eu
site="$1/lib/python3.11/site-packages"
rm -rf "$site"/pip "$site"/pip-* "$site"/setuptools "$site"/setuptools-* "$site"/_distutils_hack \
    "$site"/distutils-precedence.pth "$1"/bin/pip* "$1"/include
# astropy imports its own test runner; scipy asks NumPy for all of its modules, f2py too.
find "$site" -path "$site/astropy/tests" -prune -o \
    -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
rm -rf "$site"/pyarrow/include "$site"/pyarrow/src "$site"/pyarrow/_flight* \
    "$site"/pyarrow/libarrow_flight* "$site"/pyarrow/libarrow_python_flight* \
    "$site"/pyarrow/libarrow_s3* "$site"/pyarrow/_s3fs* "$site"/pyarrow/_gcsfs* \
    "$site"/pyarrow/_azurefs* "$site"/pyarrow/_orc* "$site"/pyarrow/_substrait* \
    "$site"/pyarrow/_parquet_encryption* "$site"/pyarrow/libarrow_python_parquet_encryption* \
    "$site"/numba/cuda "$site"/numba/scripts "$site"/numpy/distutils \
    "$site"/numpy/_core/include "$site"/numpy/_core/lib "$site"/numpy/random/lib \
    "$site"/scipy/misc "$site"/scipy/datasets "$site"/sklearn/datasets/data \
    "$site"/sklearn/datasets/images "$site"/matplotlib/mpl-data/sample_data
# Wheels hold copies where a distribution has links; the one that is linked against stays.
for library in "$site"/pyarrow/lib*.so.*.*.*; do
  [ -e "$library" ] || continue
  linked=${library%.*.*}
  [ -e "$linked" ] && rm -f "$library" "${library%%.so*}.so"
done
find "$site" \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.c' \
    -o -name '*.cc' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*.f90' \) \
    -type f -delete
# Wheels' repaired libraries do not all survive stripping: one that cannot be loaded stays as it was.
find "$site" -name '*.so*' -type f | while read -r library; do
  strip --strip-unneeded -o "$library.stripped" "$library" 2>/dev/null || continue
  if ldd "$library.stripped" >/dev/null 2>&1; then
    mv "$library.stripped" "$library"
  else
    rm "$library.stripped"
  fi
done
