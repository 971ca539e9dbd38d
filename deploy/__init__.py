"""How Tocsin is packed, deployed and watched. Nothing here is imported by a running service."""
