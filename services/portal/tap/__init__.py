"""Archive queries over HTTP as the IVOA's TAP has them: jobs, results, and what tables there are.

TAP 1.1 with the UWS 1.1 pattern. The query language is the archive's SQL (docs/archive.md) with
ADQL's ``TOP`` and cone; every query is judged by ``shared/filters/guard.py`` and run in a process
of its own.
"""
