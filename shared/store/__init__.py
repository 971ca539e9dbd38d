"""The document database: motor, and nothing else in Tocsin knows it.

Motor was the user's choice; its makers' successor is PyMongo's own ``AsyncMongoClient``. Changing
over means changing ``client.py``.
"""

from shared.store.client import Document, Store, open_store
from shared.store.collections import Collection

__all__ = ["Collection", "Document", "Store", "open_store"]
