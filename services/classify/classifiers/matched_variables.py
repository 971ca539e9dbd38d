"""Which alerts lie on a catalogued variable star."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.alert_batch import AlertBatch

VARIABLE_STAR_CATALOGS = ("gcvs", "vsx")
RADIUS_ARCSEC = 2.0
_NOT_STARS = r"(?i)\b(SN|AGN|QSO|BLLAC|GAL|TDE|GRB)"
"""Types of VSX and GCVS that are not stars that vary, or are what is looked for."""


def has_variable_star(batch: AlertBatch) -> npt.NDArray[np.bool_]:
    """Shape (n,): a source of a variable-star catalog within ``RADIUS_ARCSEC``.

    False throughout where xmatch has not run.
    """
    found = np.zeros(len(batch), dtype=bool)
    if batch.record_batch.schema.get_field_index("matches") < 0:
        return found
    matches = batch.column("matches")
    sources = pc.list_flatten(matches)
    if len(sources) == 0:
        return found
    is_variable = pc.and_(
        pc.is_in(pc.struct_field(sources, "catalog"), pa.array(VARIABLE_STAR_CATALOGS)),
        pc.less_equal(pc.struct_field(sources, "separation_arcsec"), RADIUS_ARCSEC),
    )
    classes = pc.fill_null(pc.struct_field(sources, "source_class"), "")
    is_star = pc.and_not(is_variable, pc.match_substring_regex(classes, _NOT_STARS))
    parents = pc.list_parent_indices(matches).to_numpy(zero_copy_only=False)
    found[parents[pc.fill_null(is_star, fill_value=False).to_numpy(zero_copy_only=False)]] = True
    return found
