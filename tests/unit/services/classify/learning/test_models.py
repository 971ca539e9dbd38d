"""Models that learn on the stream: they learn, in any chunks, and go on after being saved."""

import io

import numpy as np
import pytest

from services.classify.learning.models import MODELS
from services.classify.learning.models.adain import Adain
from services.classify.learning.models.perceptron import Perceptron, PerceptronOptions, answer
from services.classify.learning.prequential import run
from services.classify.learning.reservoir import Reservoir
from services.classify.learning.scaling import RunningScale
from services.classify.model import arrays_from_bytes, arrays_to_bytes
from tests.unit.services.classify.learning.streams import blobs, rotating_plane

QUICK = PerceptronOptions(hidden=(16,), capacity=200)


@pytest.mark.long
@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_and_answers_with_probabilities(name):
    stream = blobs(320)
    model = MODELS[name](6, 3, 0, len(stream))
    assert np.allclose(model.probabilities(stream.rows[:2]), 1 / 3)
    result = run(model, stream, chunk=25)
    assert np.allclose(result.probabilities.sum(axis=1), 1.0)
    late = slice(240, None)
    assert (result.probabilities[late].argmax(axis=1) == stream.label[late]).mean() > 0.7


@pytest.mark.parametrize(
    "make", [lambda: Perceptron(6, 3, 5, QUICK), lambda: Adain(6, 3, 5, 60, 3)]
)
def test_saved_loaded_and_continued_is_as_uninterrupted(make):
    stream = blobs(600)
    straight, first = make(), make()
    for start in range(0, 600, 50):
        straight.learn(stream.rows[start : start + 50], stream.label[start : start + 50])
    for start in range(0, 300, 50):
        first.learn(stream.rows[start : start + 50], stream.label[start : start + 50])
    second = make()
    second.restore(arrays_from_bytes(arrays_to_bytes(first.arrays())))
    for start in range(300, 600, 50):
        second.learn(stream.rows[start : start + 50], stream.label[start : start + 50])
    asked = blobs(50, seed=7).rows
    assert np.array_equal(straight.probabilities(asked), second.probabilities(asked))
    one, other = straight.arrays(), second.arrays()
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[k], other[k], equal_nan=True) for k in one)


def test_a_saved_perceptron_answers_without_its_library():
    stream = blobs(200)
    model = Perceptron(6, 3, 0, QUICK)
    assert np.allclose(answer(model.arrays(), stream.rows), 1 / 3)
    model.learn(stream.rows, stream.label)
    found = answer(model.arrays(), stream.rows)
    assert np.array_equal(found, model.probabilities(stream.rows))
    x = model.scale.scaled(stream.rows)
    theirs = [network.predict_proba(x) for network in model._networks]
    assert np.allclose(found, np.mean(theirs, axis=0))


class TestAdain:
    def chunks(self, stream, size=100):
        for start in range(0, len(stream), size):
            yield stream.rows[start : start + size], stream.label[start : start + size]

    def test_weights_are_positive_and_sum_to_one(self):
        model = Adain(6, 3, 0, chunk=100)
        for rows, label in self.chunks(blobs(800, spread=3.0)):
            assert model.estimated_weights(rows).sum() == pytest.approx(1.0)
            model.learn(rows, label)
            assert model.last_weights.sum() == pytest.approx(1.0)
            assert (model.last_weights > 0).all()

    def test_an_example_got_wrong_never_loses_against_one_got_right(self):
        model = Adain(6, 3, 0, chunk=100)
        for rows, label in self.chunks(blobs(800, spread=3.0)):
            newest = model.hypotheses[-1] if model.hypotheses else None
            before = model.estimated_weights(rows)
            model._scale.learn(rows)
            estimate = model.estimated_weights(rows)
            after = model._reweighted(rows, label, estimate) if newest else before
            if newest is not None:
                gain = after / estimate
                wrong = newest.says(rows) != label
                assert wrong.any()
                assert gain[wrong].min() >= gain[~wrong].max() - 1e-12
            model.learn_chunk(rows, label)

    def test_memory_does_not_grow_with_the_stream(self):
        def size(model):
            sink = io.BytesIO()
            np.savez(sink, **model.arrays())
            return sink.tell()

        model = Adain(6, 3, 0, chunk=50, most=4)
        sizes = []
        for rows, label in self.chunks(blobs(1_500), 50):
            model.learn(rows, label)
            sizes.append(size(model))
        assert len(model.hypotheses) == 4
        assert max(sizes[10:]) < 1.3 * sizes[8]

    def test_a_better_hypothesis_has_more_say(self):
        model = Adain(6, 3, 0, chunk=100)
        for rows, label in self.chunks(blobs(300)):
            model.learn(rows, label)
        one = model.hypotheses[0]
        votes = []
        for beta in (0.05, 0.2, 0.6, 1.5, 3.0):
            one.beta = beta
            votes.append(one.vote(0.5))
        assert votes == sorted(votes, reverse=True)
        assert votes[-1] == 0.0

    def test_on_a_slowly_turning_plane_it_beats_its_newest_hypothesis_alone(self):
        stream = rotating_plane(2_500)
        model, own, alone = Adain(5, 2, 0, chunk=100), [], []
        for rows, label in self.chunks(stream):
            if model.hypotheses:
                own.append((model.probabilities(rows).argmax(axis=1) == label).mean())
                alone.append((model.hypotheses[-1].says(rows) == label).mean())
            model.learn(rows, label)
        assert np.mean(own) > np.mean(alone) + 0.005

    def test_the_same_seed_gives_the_same_model(self):
        one, other = Adain(6, 3, 3, chunk=100), Adain(6, 3, 3, chunk=100)
        for rows, label in self.chunks(blobs(300)):
            one.learn(rows, label)
            other.learn(rows, label)
        assert arrays_to_bytes(one.arrays()) == arrays_to_bytes(other.arrays())


@pytest.mark.long
def test_replay_keeps_what_is_out_of_season():
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (600, 4)).astype(np.float32)
    label = np.repeat([0, 1, 2], 200)  # one class after the other
    rows[np.arange(600), label] += 4.0
    found = []
    for options in (QUICK, PerceptronOptions(hidden=(16,), capacity=0)):
        model = Perceptron(4, 3, 0, options)
        for start in range(0, 600, 20):
            model.learn(rows[start : start + 20], label[start : start + 20])
        found.append((model.probabilities(rows[:200]).argmax(axis=1) == 0).mean())
    assert found[0] > found[1] + 0.1


class TestScale:
    def test_chunks_give_what_all_at_once_would(self):
        rows = blobs(500).rows
        whole, parts = RunningScale(6), RunningScale(6)
        whole.learn(rows)
        for start in range(0, 500, 7):
            parts.learn(rows[start : start + 7])
        assert np.allclose(whole.mean, parts.mean)
        assert np.allclose(whole.sum_squares, parts.sum_squares)

    def test_scaled_rows_are_even_and_whole(self):
        scale = RunningScale(6)
        rows = blobs(500).rows
        scale.learn(rows)
        x = scale.scaled(rows)
        assert np.isfinite(x).all()
        assert np.allclose(x.mean(axis=0), 0.0, atol=0.05)


def test_a_reservoir_is_a_fair_sample_of_fixed_size():
    counts = np.zeros(100)
    for seed in range(300):
        kept, rng = Reservoir(10, 1), np.random.default_rng(seed)
        for start in range(0, 100, 9):
            part = np.arange(start, min(start + 9, 100))
            kept.add(part[:, None].astype(np.float32), part, rng)
        _, label = kept.sample(10, rng)
        assert len(set(label.tolist())) == 10
        counts[label] += 1
    assert abs(counts[:50].sum() - counts[50:].sum()) < 0.08 * counts.sum()
