"""What a TAP service says of itself and of its jobs, in XML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from services.portal.tap.jobs import MOST_ROWS, Job, Phase

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_UWS = (
    'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.1"'
)


def moment(unix_s: float | None) -> str:
    """ISO 8601, UTC; empty for none."""
    if unix_s is None:
        return ""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(name: str, unix_s: float | None) -> str:
    if unix_s is None:
        return f'<uws:{name} xsi:nil="true"/>'
    return f"<uws:{name}>{moment(unix_s)}</uws:{name}>"


def job_document(job: Job, url: str, destroyed_s: float, longest_s: float) -> str:
    """A job (UWS 1.1, section 2.2.2); ``url`` is its own."""
    parameters = "".join(
        f"<uws:parameter id={quoteattr(name)}>{escape(xml_text(value))}</uws:parameter>"
        for name, value in job.parameters.items()
    )
    results = error = ""
    if job.phase is Phase.COMPLETED:
        href = quoteattr(f"{url}/results/result")
        results = f'<uws:result id="result" xlink:type="simple" xlink:href={href}/>'
    if job.phase is Phase.ERROR:
        error = (
            '<uws:errorSummary type="fatal" hasDetail="true">'
            f"<uws:message>{escape(xml_text(job.error))}</uws:message></uws:errorSummary>"
        )
    owner = "" if job.owner.startswith("@") else escape(job.owner)
    return (
        f"{_HEAD}<uws:job {_UWS}><uws:jobId>{job.id}</uws:jobId>"
        f"<uws:ownerId>{owner}</uws:ownerId><uws:phase>{job.phase}</uws:phase>"
        f'<uws:quote xsi:nil="true"/>{_time("creationTime", job.created_s)}'
        f"{_time('startTime', job.started_s)}{_time('endTime', job.ended_s)}"
        f"<uws:executionDuration>{int(longest_s)}</uws:executionDuration>"
        f"{_time('destruction', destroyed_s)}<uws:parameters>{parameters}</uws:parameters>"
        f"<uws:results>{results}</uws:results>{error}</uws:job>\n"
    )


def results_document(job: Job, url: str) -> str:
    """The list of a job's results."""
    href = quoteattr(f"{url}/results/result")
    is_there = job.phase is Phase.COMPLETED
    one = f'<uws:result id="result" xlink:type="simple" xlink:href={href}/>' if is_there else ""
    return f"{_HEAD}<uws:results {_UWS}>{one}</uws:results>\n"


def parameters_document(job: Job) -> str:
    """A job's parameters."""
    parameters = "".join(
        f"<uws:parameter id={quoteattr(name)}>{escape(xml_text(value))}</uws:parameter>"
        for name, value in job.parameters.items()
    )
    return f"{_HEAD}<uws:parameters {_UWS}>{parameters}</uws:parameters>\n"


def job_list_document(jobs: Sequence[Job], url: str) -> str:
    """The caller's jobs; ``url`` is that of the list."""
    entries = "".join(
        f'<uws:jobref id="{job.id}" xlink:type="simple" xlink:href={quoteattr(f"{url}/{job.id}")}>'
        f"<uws:phase>{job.phase}</uws:phase></uws:jobref>"
        for job in jobs
    )
    return f"{_HEAD}<uws:jobs {_UWS}>{entries}</uws:jobs>\n"


def availability_document(since_s: float) -> str:
    """That the service is up (VOSI 1.1)."""
    return (
        f'{_HEAD}<vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">'
        f"<vosi:available>true</vosi:available><vosi:upSince>{moment(since_s)}</vosi:upSince>"
        "</vosi:availability>\n"
    )


def capabilities_document(url: str, longest_s: float, keep_s: float) -> str:
    """What the service can do (TAPRegExt 1.0); ``url`` is that of ``/tap``."""
    formats = "".join(
        f"<outputFormat><mime>{mime}</mime><alias>{alias}</alias></outputFormat>"
        for mime, alias in (
            ("application/x-votable+xml", "votable"), ("text/csv", "csv"),
            ("application/vnd.apache.parquet", "parquet"), ("application/json", "json"),
        )
    )  # fmt: skip
    return (
        f'{_HEAD}<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0" '
        'xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1" '
        'xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">'
        f'{_interface(url)}<language><name>ADQL</name><version ivo-id="ivo://ivoa.net/std/ADQL#v2.0">'
        "2.0</version><description>The archive's SQL, with TOP and CONTAINS of a circle"
        f"</description></language>{formats}"
        f"<retentionPeriod><default>{int(keep_s)}</default></retentionPeriod>"
        f"<executionDuration><hard>{int(longest_s)}</hard></executionDuration>"
        f'<outputLimit><hard unit="row">{MOST_ROWS}</hard></outputLimit></capability>'
        + "".join(
            f'<capability standardID="ivo://ivoa.net/std/VOSI#{name}">'
            f"{_interface(f'{url}/{name}')}</capability>"
            for name in ("availability", "capabilities", "tables")
        )
        + "</vosi:capabilities>\n"
    )


def _interface(url: str) -> str:
    use = "base" if url.endswith("/tap") else "full"
    return (
        '<interface xsi:type="vs:ParamHTTP" role="std" version="1.1">'
        f'<accessURL use="{use}">{escape(url)}</accessURL></interface>'
    )


def xml_text(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c < "\ufffe"
    )
