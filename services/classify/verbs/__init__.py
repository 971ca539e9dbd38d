"""``tocsin models ...``: one module per verb, each a ``main(argv) -> int``."""
