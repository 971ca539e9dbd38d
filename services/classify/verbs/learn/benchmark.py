"""``tocsin learn benchmark``: common models on static features, and on the same data as a stream.

Plays labelled seasons in order of time: in chunks (batch), with a label delay (delayed), by single
examples (example), alert by alert as light curves grow (causal). One table, one plot. A quarter of
each season is a hold-out that no model learns from. CPU is that of one thread.

  tocsin learn benchmark                              everything, about half an hour
  tocsin learn benchmark --streams ztf_laiss          one stream, a minute
  tocsin learn benchmark --models ADAIN logistic --ways batch example
"""

from __future__ import annotations

import sys
from dataclasses import asdict

from threadpoolctl import threadpool_limits

from services.classify.figures.learning import plot_benchmark
from services.classify.learning.benchmark import WAYS, Score, benchmark, means
from services.classify.learning.causal import causal_score
from services.classify.learning.models import BATCH, INCREMENTAL, MODELS
from services.classify.learning.streams import STREAMS
from services.classify.verbs.learn.choices import (
    add_data,
    add_runs,
    parser_of,
    print_table,
    say,
    write_results,
)

COLUMNS = (
    "stream", "way", "model", "accuracy", "macro_f1", "late_accuracy", "hold_out_accuracy",
    "hold_out_macro_f1", "hold_out_log_loss", "learning_ms", "answering_ms",
)  # fmt: skip
CAUSAL_MODELS = (BATCH, INCREMENTAL, "logistic", "ADAIN")


def main(argv: list[str] | None = None) -> int:
    """Play, print the table, draw the plot."""
    parser = parser_of("benchmark", __doc__ or "")
    add_data(parser)
    parser.add_argument("--streams", nargs="+", choices=list(STREAMS), default=list(STREAMS))
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    ways = [*WAYS, "causal"]
    parser.add_argument("--ways", nargs="+", choices=ways, default=ways)
    add_runs(parser, "learn-benchmark")
    chosen = parser.parse_args(argv)
    scores: list[Score] = []
    try:
        with threadpool_limits(1):
            for name in chosen.streams:
                stream = STREAMS[name](chosen.data)
                say(f"{name}: {len(stream)} objects, {stream.rows.shape[1]} features")
                played = [way for way in chosen.ways if way != "causal"]
                for seed in range(chosen.seeds):
                    scores += benchmark(stream, chosen.models, played, seed)
                    say(f"{name}: seed {seed} done")
            if "causal" in chosen.ways and "snpcc" in chosen.streams:
                for model in (one for one in CAUSAL_MODELS if one in chosen.models):
                    scores += [causal_score(chosen.data, model, s) for s in range(chosen.seeds)]
                    say(f"snpcc, alert by alert: {model} done")
    except FileNotFoundError as error:
        say(str(error))
        return 2
    rows = means(scores)
    print_table(rows, COLUMNS)
    write_results(chosen.output, [asdict(one) for one in scores])
    plot_benchmark(rows, chosen.output / "benchmark.png")
    say(f"plot: {chosen.output / 'benchmark.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
