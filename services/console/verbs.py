"""Every verb of ``tocsin``, as literal tables: what it is called, where it lives, what it does.

The console's own verbs are modules with a click ``command``. Verbs that belong to a service are
modules of that service with ``main(argv) -> int``, started as processes of their own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """One verb; a name of two words is a verb inside a group."""

    name: str
    module: str
    summary: str


OWN_VERBS = (
    Verb("up", "services.console.up", "Start Kafka, the database and the services"),
    Verb("down", "services.console.down", "Stop everything; --wipe forgets the data too"),
    Verb("status", "services.console.status", "Which processes run, how they are, what waits"),
    Verb("demo", "services.console.demo", "Start everything, play a night, show what comes out"),
    Verb("audit", "services.console.audit", "Prove that nothing was lost, from the topics alone"),
    Verb("dead-letters", "services.console.dead_letters", "List, show and replay what was refused"),
    Verb("watch", "services.console.watch", "Follow rates, ages and lag of every service"),
)

SERVICE_VERBS = (
    Verb("simulate", "services.simulate.night", "Make a night of survey packets, and send them"),
    Verb("replay", "services.simulate.replay", "Feed packets from files to the survey's topic"),
    Verb("object", "services.archive.object", "Show an object: light curve, matches, cutouts"),
    Verb("packet", "services.archive.packet", "Give an alert's packet back, byte for byte"),
    Verb("archive query", "services.archive.verbs.query", "SQL over the packed nights"),
    Verb("archive list", "services.archive.verbs.listing", "Which nights are packed, and where"),
    Verb("archive pack", "services.archive.verbs.pack", "Put nights into Parquet, HATS layout"),
    Verb("archive compact", "services.archive.verbs.compact", "Few large files, not many small"),
    Verb("archive retain", "services.archive.verbs.retain", "Forget old nights; first says which"),
    Verb("archive verify", "services.archive.verbs.verify", "Check packed nights' files"),
    Verb("reprocess", "services.river.reprocess.command", "A night through the services again"),
    Verb("bench", "bench.mesh", "Measure the mesh from cold: rates, ages, CPU per alert"),
    Verb("faults", "tests.faults.run", "Break the mesh on purpose and count what is lost"),
    Verb("ingest check", "services.ingest.check", "Decode packets offline, one JSON line each"),
    Verb("crossmatch", "services.xmatch.files.verb", "Match a table of positions with catalogs"),
    Verb("catalogs import", "services.xmatch.commands.importing", "Import a catalog's files"),
    Verb("catalogs prepare", "services.xmatch.commands.preparing", "Index what packages bring"),
    Verb("catalogs list", "services.xmatch.commands.listing", "Catalogs served and registered"),
    Verb("catalogs show", "services.xmatch.commands.showing", "Provenance and some rows"),
    Verb("catalogs verify", "services.xmatch.commands.verifying", "Check files, order, counts"),
    Verb("catalogs remove", "services.xmatch.commands.removing", "Delete an imported version"),
    Verb("xmatch cone", "services.xmatch.cone", "Search the catalogs around a position"),
    Verb("photoz train", "services.xmatch.photoz.train", "Train photometric redshifts, and score"),
    Verb("photoz evaluate", "services.xmatch.photoz.evaluate", "Score them on other galaxies"),
    Verb("accounts", "services.portal.verbs.accounts", "Who may use the portal, and their tokens"),
    Verb("watchlists", "services.xmatch.watchlists.command", "Users' lists and regions to watch"),
    Verb("rematch", "services.xmatch.rematch.command", "Match recent objects again, for news"),
    Verb("classify", "services.classify.classify_file", "Classify light curves from any file"),
    Verb("models train", "services.classify.verbs.train", "Train a classifier anew, reproducibly"),
    Verb("models evaluate", "services.classify.verbs.evaluate", "Judge on labelled light curves"),
    Verb("models list", "services.classify.verbs.listing", "All models; a star on who answers"),
    Verb("models show", "services.classify.verbs.show", "A model's card"),
    Verb("models promote", "services.classify.verbs.promote", "Let a model answer, if it may"),
    Verb("models rollback", "services.classify.verbs.rollback", "Let the model before answer"),
    Verb("learn benchmark", "services.classify.verbs.learn.benchmark", "Static against streaming"),
    Verb("learn replay", "services.classify.verbs.learn.replay", "Seasons of active learning"),
    Verb(
        "learn nightly", "services.classify.verbs.learn.nightly", "Learn from the night, unattended"
    ),
    Verb("learn anomalies", "services.classify.verbs.learn.anomalies", "A user's own anomalies"),
    Verb("learn selection", "services.classify.verbs.learn.selection", "Who gets through"),
    Verb("learn rollback", "services.classify.verbs.learn.rollback", "Take a promotion back"),
    Verb("labels import", "services.classify.verbs.labels.importing", "Send a CSV of classes"),
    Verb("labels list", "services.classify.verbs.labels.listing", "Objects and their classes"),
    Verb("labels show", "services.classify.verbs.labels.showing", "All labels of an object"),
    Verb("labels poll-tns", "services.classify.verbs.labels.poll_tns", "Classes from TNS"),
    Verb("targets make", "services.classify.verbs.targets.make", "Tonight's list per facility"),
    Verb("targets show", "services.classify.verbs.targets.show", "The lists of a night"),
    Verb("mma send", "services.mma.send", "Put VOEvents and LVK notices on the notices topic"),
    Verb("mma sample-notice", "services.mma.sample", "Write a real notice to a file, to try"),
    Verb("mma parse", "services.mma.parse", "Read notices offline, one JSON line each"),
    Verb("mma locate", "services.mma.locate", "Positions in a sky map: level, area, volume"),
    Verb("mma overlap", "services.mma.overlap", "How well two localisations agree"),
    Verb("mma search", "services.mma.search", "Alerts of the archive inside a sky map"),
    Verb("mma plot", "services.mma.plot", "Draw an event and its candidates on the sky"),
    Verb("mma receive", "services.mma.receive", "Receive notices: GCN, VTP, HTTP, a folder"),
    Verb("mma coincide", "services.mma.coincide", "Which events may be one, and where"),
    Verb("subscriptions", "services.portal.verbs.subscriptions", "Have alerts sent to you"),
    Verb("filters", "services.portal.verbs.filters", "Write, check, try and run filters"),
)

GROUPS = {
    "archive": "Nights of alerts as Parquet",
    "ingest": "The door: survey packets in",
    "catalogs": "The catalogs that alerts are matched with",
    "xmatch": "What catalogs know about a position",
    "photoz": "Photometric redshifts of host galaxies",
    "models": "The classifiers' models",
    "learn": "Learning on the stream, and whether it helps",
    "labels": "What class objects are said to be",
    "targets": "What facilities should take spectra of",
    "mma": "Notices of other messengers",
}
"""What each group of verbs is about."""
