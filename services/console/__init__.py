"""The ``tocsin`` command: starts, stops and watches the mesh on one machine.

In: what the user asks for. Out: processes, tables, JSON. It starts services and their tools as
processes and never imports them: the console must work while a service is broken.
"""
