"""The directional light radius: how far a galaxy's rim is in the direction of an alert.

Sullivan et al. 2006, ApJ 648, 868; Gupta et al. 2016, AJ 152, 154, eq. 2 and 3. There the axes
are second moments or half-light ellipses; here they are the isophotal diameters (25 mag/arcsec2
in B) that catalogs of nearby galaxies give, so d_DLR = 1 is the visible rim.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def bearing_rad(at: Floats, towards: Floats) -> Floats:
    """Position angle of one place seen from another, north through east, radians.

    Parameters
    ----------
    at, towards
        ICRS unit vectors, shape (n, 3). At a pole north is along RA 180 degrees seen from +90.
    """
    x, y, z = at.T
    across = np.hypot(x, y)
    safe = np.where(across > 0.0, across, 1.0)
    cos_ra, sin_ra = np.where(across > 0.0, x / safe, 1.0), np.where(across > 0.0, y / safe, 0.0)
    east = -sin_ra * towards[:, 0] + cos_ra * towards[:, 1]
    north = -z * (cos_ra * towards[:, 0] + sin_ra * towards[:, 1]) + across * towards[:, 2]
    return np.asarray(np.arctan2(east, north), dtype=np.float64)


def light_radius_arcsec(
    semi_major_arcsec: Floats,
    semi_minor_arcsec: Floats,
    position_angle_deg: Floats,
    bearing: Floats,
) -> Floats:
    """Radius of the ellipse in the direction of a bearing, arcseconds, shape (n,).

    Parameters
    ----------
    semi_major_arcsec, semi_minor_arcsec
        Semi-axes. Without a minor axis the galaxy is taken as round; NaN without a major axis.
    position_angle_deg
        Of the major axis, north through east. Where it is NaN the radius is that of the circle
        of the same area.
    bearing
        From ``bearing_rad``.
    """
    a = semi_major_arcsec
    b = np.where(np.isfinite(semi_minor_arcsec), semi_minor_arcsec, a)
    apart = np.radians(np.nan_to_num(position_angle_deg)) - bearing
    turned = a * b / np.hypot(a * np.sin(apart), b * np.cos(apart))
    return np.where(np.isfinite(position_angle_deg), turned, np.sqrt(a * b))
