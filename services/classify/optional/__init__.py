"""The registry of optional extras: packages of others that classify or fit light curves.

They are asked by ``tocsin classify FILE --with NAME``, never by the stream. To add one, write its
file here, its other half in ``inside/`` and its line below.
"""

from __future__ import annotations

from services.classify.optional.base import Extra
from services.classify.optional.mosfit import Mosfit
from services.classify.optional.parsnip import Parsnip
from services.classify.optional.supernnova import SuperNNova
from shared.registry import registry

EXTRAS: dict[str, Extra] = registry((SuperNNova(), Parsnip(), Mosfit()))
