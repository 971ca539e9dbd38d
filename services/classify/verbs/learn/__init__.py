"""``tocsin learn ...``: each verb a module with ``main``."""
