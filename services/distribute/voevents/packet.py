"""Write an association as a VOEvent 2.0 packet.

Valid against the IVOA schema (http://www.ivoa.net/xml/VOEvent/VOEvent-v2.0.xsd, REC 2011-07-11).
Position ICRS in degrees, time UTC. The same association and time of writing give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from lxml import etree

from shared.light_curves.photometry import magnitude_ab_of, mjd_utc_of_tai
from shared.schemas.association import Association

NAMESPACE = "http://www.ivoa.net/xml/VOEvent/v2.0"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA_LOCATION = f"{NAMESPACE} http://www.ivoa.net/xml/VOEvent/VOEvent-v2.0.xsd"
_FRAME = "UTC-ICRS-TOPO"
_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)

POSITION_ERROR_DEG = 0.5 / 3600
"""Radius around the position. Alerts give none; 0.5 arcsec is several times the astrometric
scatter of ZTF (below 0.1 arcsec, Masci et al. 2019) and of Rubin."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes the packets."""

    authority: str
    """IVOA authority, e.g. ``org.tocsin``."""
    contact_name: str
    contact_email: str = ""

    @property
    def ivorn(self) -> str:
        """The author's own identifier."""
        return f"ivo://{self.authority}/broker"


def ivorn_of(association: Association, authority: str, notice_id: str | None = None) -> str:
    """Identifier of the packet about an association.

    It names the pair and the notice that the statement rests on, so that a later packet can cite
    it. A withdrawal keeps the notice of the statement it withdraws, and is marked.

    Parameters
    ----------
    association
        What the packet is about.
    authority
        IVOA authority.
    notice_id
        Instead of the association's own: that of an earlier statement about the same pair.
    """
    statement = quote(
        f"{association.association_id}/{notice_id or association.notice_id}", safe="/"
    )
    is_withdrawal = notice_id is None and association.state == "withdrawn"
    return f"ivo://{authority}/associations#{statement}{'/withdrawn' if is_withdrawal else ''}"


def voevent(association: Association, author: Author, written_ms: int) -> bytes:
    """The packet, UTF-8 XML.

    Parameters
    ----------
    association
        What to say.
    author
        Who says it.
    written_ms
        When the association was made, Unix milliseconds.

    Raises
    ------
    ValueError
        If a text holds a character that XML cannot.
    """
    root = etree.Element(
        f"{{{NAMESPACE}}}VOEvent", nsmap={"voe": NAMESPACE, "xsi": _XSI}, version="2.0"
    )
    root.set("ivorn", ivorn_of(association, author.authority))
    root.set("role", _role(association))
    root.set(f"{{{_XSI}}}schemaLocation", _SCHEMA_LOCATION)
    _who(root, author, written_ms)
    _what(root, association)
    _where_when(root, association)
    _how(root, association)
    _why(root, association)
    _citations(root, association, author.authority)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _role(association: Association) -> str:
    """``test`` unless both the alert and the notice are real."""
    is_real = association.role == "observation" and not association.is_simulated
    return "observation" if is_real and association.event_role == "observation" else "test"


def _who(root: etree._Element, author: Author, written_ms: int) -> None:
    who = etree.SubElement(root, "Who")
    etree.SubElement(who, "AuthorIVORN").text = author.ivorn
    written = datetime.fromtimestamp(written_ms / 1000, UTC)
    etree.SubElement(who, "Date").text = written.strftime("%Y-%m-%dT%H:%M:%S")
    contact = etree.SubElement(who, "Author")
    etree.SubElement(contact, "title").text = "Tocsin alert broker"
    etree.SubElement(contact, "contactName").text = author.contact_name
    if author.contact_email:
        etree.SubElement(contact, "contactEmail").text = author.contact_email


def _what(root: etree._Element, a: Association) -> None:
    what = etree.SubElement(root, "What")
    _param(what, "state", a.state, "meta.code.status")
    _param(what, "reason", a.reason)
    candidate = _group(what, "object")
    _param(candidate, "survey", a.survey, "meta.dataset")
    _param(candidate, "object_id", a.object_id, "meta.id;meta.main")
    _param(candidate, "alert_id", a.alert_id, "meta.id")
    _param(candidate, "is_simulated", str(a.is_simulated).lower())
    _param(candidate, "reliability", a.reliability, "stat.probability")
    photometry = _group(what, "photometry")
    _param(photometry, "band", a.band, "instr.bandpass")
    _param(photometry, "flux", a.flux_njy, "phot.flux.density", "nJy")
    _param(photometry, "flux_error", a.flux_err_njy, "stat.error;phot.flux.density", "nJy")
    if a.flux_njy is not None and a.flux_njy > 0:
        magnitude = round(float(magnitude_ab_of(a.flux_njy)), 4)
        _param(photometry, "mag", magnitude, "phot.mag", "mag")
    _param(photometry, "first_detection", a.first_detection_mjd_tai, "time.start", "d")
    event = _group(what, "association")
    _param(event, "event_id", a.event_id, "meta.id")
    _param(event, "event_version", a.event_version, "meta.version")
    _param(event, "event_time", a.event_time, "time.epoch")
    _param(event, "event_role", a.event_role)
    _param(event, "notice_type", a.notice_type)
    _param(event, "notice_id", a.notice_id, "meta.id")
    _param(event, "messenger", a.messenger)
    _param(event, "far", a.far_hz, "arith.rate;stat.falsealarm", "Hz")
    _param(event, "credible_level", a.credible_level, "stat.probability")
    _param(event, "searched_area", a.searched_area_deg2, "pos.angArea", "deg2")
    _param(event, "separation", a.separation_deg, "pos.angDistance", "deg")
    _param(event, "time_offset", a.time_offset_days, "time.interval", "d")


def _group(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, "Group", name=name)


def _param(
    parent: etree._Element,
    name: str,
    value: str | float | None,
    ucd: str = "",
    unit: str = "",
) -> None:
    """A Param; none if there is no value."""
    if value is None or value == "":
        return
    kind = {int: "int", float: "float"}.get(type(value), "string")
    param = etree.SubElement(parent, "Param", name=name, value=str(value), dataType=kind)
    if ucd:
        param.set("ucd", ucd)
    if unit:
        param.set("unit", unit)


def _where_when(root: etree._Element, a: Association) -> None:
    data_location = etree.SubElement(etree.SubElement(root, "WhereWhen"), "ObsDataLocation")
    etree.SubElement(data_location, "ObservatoryLocation", id=a.survey)
    location = etree.SubElement(data_location, "ObservationLocation")
    etree.SubElement(location, "AstroCoordSystem", id=_FRAME)
    coords = etree.SubElement(location, "AstroCoords", coord_system_id=_FRAME)
    instant = etree.SubElement(etree.SubElement(coords, "Time", unit="s"), "TimeInstant")
    etree.SubElement(instant, "ISOTime").text = _iso_utc(a.mjd_tai)
    position = etree.SubElement(coords, "Position2D", unit="deg")
    etree.SubElement(position, "Name1").text = "RA"
    etree.SubElement(position, "Name2").text = "Dec"
    values = etree.SubElement(position, "Value2")
    etree.SubElement(values, "C1").text = f"{a.ra_deg:.7f}"
    etree.SubElement(values, "C2").text = f"{a.dec_deg:.7f}"
    etree.SubElement(position, "Error2Radius").text = f"{POSITION_ERROR_DEG:.7f}"


def _iso_utc(mjd_tai: float) -> str:
    """UTC of a TAI date, ISO 8601 without a zone, to the millisecond."""
    milliseconds = round(float(mjd_utc_of_tai(mjd_tai)) * 86_400_000)
    instant = _MJD_ZERO + timedelta(milliseconds=milliseconds)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}"


def _how(root: etree._Element, a: Association) -> None:
    how = etree.SubElement(root, "How")
    etree.SubElement(how, "Description").text = (
        f"Alert {a.alert_id} of {a.survey}, Kafka message {a.origin_topic}/{a.origin_partition}/"
        f"{a.origin_offset}, compared by Tocsin with the localization of notice {a.notice_id}."
    )


def _why(root: etree._Element, a: Association) -> None:
    why = etree.SubElement(root, "Why")
    messenger = a.messenger.replace("_", " ")
    etree.SubElement(why, "Name").text = a.event_id
    etree.SubElement(why, "Concept").text = f"candidate optical counterpart of a {messenger} event"
    etree.SubElement(why, "Description").text = (
        f"First seen {abs(a.time_offset_days):.3f} days"
        f" {'after' if a.time_offset_days >= 0 else 'before'} the event; the smallest credible"
        f" region of the event that holds it is the {100 * a.credible_level:.2f} % one. A credible"
        " level is not the probability of an association."
    )


def _citations(root: etree._Element, a: Association, authority: str) -> None:
    """What the packet follows up, replaces or takes back; JSON notices have no IVORN to cite."""
    cited = []
    if a.notice_ivorn:
        cited.append(("followup", a.notice_ivorn))
    if a.state == "withdrawn":
        cited.append(("retraction", ivorn_of(a, authority, a.notice_id)))
    elif a.previous_notice_id:
        cited.append(("supersedes", ivorn_of(a, authority, a.previous_notice_id)))
    if not cited:
        return
    citations = etree.SubElement(root, "Citations")
    for how, ivorn in cited:
        etree.SubElement(citations, "EventIVORN", cite=how).text = ivorn
