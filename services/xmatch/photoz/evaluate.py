"""``tocsin photoz evaluate``: how good a photometric-redshift model is on other galaxies."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from services.xmatch.photoz.forest import PhotoZModelError, load_model
from services.xmatch.photoz.galaxy_files import Band, GalaxyFileError, read_galaxies
from services.xmatch.photoz.scores import scores_of

DESCRIPTION = """\
Score a photometric-redshift model on galaxies with spectroscopic redshifts it was not trained on.

Printed as JSON: bias and NMAD of dz/(1+z), outliers beyond 0.15, the histogram of the PIT and its
distance from uniform, how many truths lie in the central 68 and 90 per cent, and the CRPS."""

EXAMPLES = """\
examples:
  tocsin photoz evaluate photoz-legacy other.parquet --redshift zspec
  tocsin photoz evaluate photoz-sdss test.csv --redshift Z --bands u=MAG_U:MAGERR_U,g=MAG_G"""


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 if scores were printed, 2 if model or input cannot be used."""
    parser = argparse.ArgumentParser(
        prog="tocsin photoz evaluate",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("file", nargs="+", type=Path, help="CSV or Parquet, all of one layout")
    parser.add_argument("--redshift", required=True, help="column of the spectroscopic redshift")
    parser.add_argument("--bands", help="as for train, where columns have other names")
    arguments = parser.parse_args(argv)
    try:
        model = load_model(arguments.model)
        texts = arguments.bands.split(",") if arguments.bands else model.bands
        given = {band.name: band for band in map(Band.parse, texts)}
        unknown = sorted(set(given) - set(model.bands))
        if unknown:
            raise GalaxyFileError(
                f"the model has no band {unknown[0]!r}; it has {', '.join(model.bands)}"
            )
        bands = [given.get(name, Band(name, f"{name}_mag", None)) for name in model.bands]
        galaxies = read_galaxies(arguments.file, arguments.redshift, bands)
    except (GalaxyFileError, PhotoZModelError) as error:
        sys.stderr.write(f"tocsin photoz evaluate: {error}\n")
        return 2
    inside = model.forest.covers(galaxies.rows)
    scores = scores_of(model.forest.quantiles(galaxies.rows), galaxies.redshift)
    result = {
        "model_version": model.version,
        "left_out": galaxies.left_out,
        "outside_training": int((~inside).sum()),
        "all": scores,
    }
    if inside.any() and not inside.all():
        result["inside_training"] = scores_of(
            model.forest.quantiles(galaxies.rows[inside]), galaxies.redshift[inside]
        )
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
