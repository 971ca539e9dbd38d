"""Learning on the stream: labels in by the day, models that follow, targets that teach most.

In: labelled light curves of past seasons, or the archive's alerts with the ``labels`` topic.
Out: judged models, ranked target lists, anomaly scores that follow each user's votes. Nothing here
runs in the river's workers; what the river answers with changes by promotion only.
"""
