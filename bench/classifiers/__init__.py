"""The classifiers on public benchmarks: fixed hash splits, seeds 0 to 4, beside what is known."""
