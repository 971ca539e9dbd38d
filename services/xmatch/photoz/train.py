"""``tocsin photoz train``: a photometric-redshift model from galaxies with known redshifts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from services.xmatch.photoz.forest import LEVELS, save_model
from services.xmatch.photoz.galaxy_files import Band, GalaxyFileError, read_galaxies
from services.xmatch.photoz.scores import scores_of

DESCRIPTION = """\
Train a photometric-redshift model on galaxies with magnitudes and spectroscopic redshifts.

A fifth of the galaxies is held out and scored: bias, NMAD, outliers, PIT and CRPS, which are
printed and stand in the model's card. The model is used by xmatch on the catalogs named, whose
photometry must be of the same system: set TOCSIN_XMATCH_PHOTO_Z to its folder."""

EXAMPLES = """\
examples:
  tocsin photoz train desi.parquet --redshift zspec --bands g,r,z,w1,w2 \\
      --catalogs legacy_dr10 -o photoz-legacy
        columns g_mag, g_mag_err and so on
  tocsin photoz train boss1.csv boss2.csv --redshift Z \\
      --bands u=MAG_U:MAGERR_U,g=MAG_G:MAGERR_G,r=MAG_R:MAGERR_R --catalogs sdss -o photoz-sdss
        columns by other names; errors after the colon"""

HELD_OUT = 0.2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="tocsin photoz train",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("file", nargs="+", type=Path, help="CSV or Parquet, all of one layout")
    made.add_argument("--redshift", required=True, help="column of the spectroscopic redshift")
    made.add_argument("--bands", required=True, help="bands, blue to red, separated by commas")
    made.add_argument(
        "--catalogs", default="", help="catalogs whose photometry this is, separated by commas"
    )
    made.add_argument("--seed", type=int, default=1, help="same seed, same model (default 1)")
    made.add_argument("--trees", type=int, default=60, help="size of the forest (default 60)")
    made.add_argument("-o", "--output", required=True, type=Path, help="folder for the model")
    return made


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 if a model was written, 2 if the input cannot be used."""
    arguments = parser().parse_args(argv)
    if not 1 <= arguments.trees <= 500:
        sys.stderr.write("tocsin photoz train: --trees must be between 1 and 500\n")
        return 2
    try:
        card = _train(arguments)
    except (GalaxyFileError, ValueError, OSError) as error:
        sys.stderr.write(f"tocsin photoz train: {error}\n")
        return 2
    sys.stdout.write(json.dumps(card, indent=2) + "\n")
    return 0


def _train(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read, hold out, train, score, write; the card."""
    # scikit-learn takes a second to import, which --help and bad input need not wait for.
    from services.xmatch.photoz.training import train_forest  # noqa: PLC0415

    bands = [Band.parse(text) for text in arguments.bands.split(",")]
    galaxies = read_galaxies(arguments.file, arguments.redshift, bands)
    order = np.random.default_rng(arguments.seed).permutation(len(galaxies.redshift))
    held, used = np.split(order, [int(HELD_OUT * len(order))])
    forest = train_forest(
        galaxies.rows[used],
        galaxies.redshift[used],
        len(bands),
        seed=arguments.seed,
        trees=arguments.trees,
    )
    scores = scores_of(forest.quantiles(galaxies.rows[held]), galaxies.redshift[held])
    lowest, highest = np.quantile(galaxies.redshift[used], [0.001, 0.999])
    card = {
        "bands": [band.name for band in bands],
        "catalogs": [name.strip() for name in arguments.catalogs.split(",") if name.strip()],
        "trained_on": len(used),
        "files_sha256": galaxies.files,
        "left_out": galaxies.left_out,
        "redshift_range": [round(float(lowest), 4), round(float(highest), 4)],
        "seed": arguments.seed,
        "trees": arguments.trees,
        "held_out_scores": scores,
    }
    version = save_model(arguments.output, forest, card)
    return {"model": str(arguments.output), "version": version, "levels": len(LEVELS), **card}


if __name__ == "__main__":
    sys.exit(main())
