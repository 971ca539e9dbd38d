"""portal: the mesh's face. Everything Tocsin knows over HTTP, to people and to programs.

In: the document database, the archive's files and Kafka's out topics, all read; what users give
(filters, subscriptions, labels, votes), which goes to the database or to a topic with the caller
as its author. It must never show anyone what is another's, nor let one caller starve the others.
"""
