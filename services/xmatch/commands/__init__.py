"""``tocsin catalogs import|list|show|verify|remove``: one module each."""
