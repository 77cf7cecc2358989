"""Sampling by trace id: a whole trace is kept or dropped, by every replica and protocol alike."""

from hashlib import sha256

import numpy as np

from heliograph.domain.events import RUN, SESSION, MappedBatch

_ALL = 0xFFFFFFFF


def is_kept(trace_id: str, rate: float) -> bool:
    """Whether a trace belongs to the sample; contract 3.2: the hash's first 32 bits as a share of all."""
    return int.from_bytes(sha256(trace_id.encode()).digest()[:4], "big") / _ALL < rate


def sampled(batch: MappedBatch, rate: float) -> MappedBatch:
    """The batch without the events of traces outside the sample, their scores included.

    What belongs to a session or an experiment alone is kept.
    """
    subjects = batch.records["subject"].to_pylist()
    kept = {
        subject: subject.startswith((SESSION, RUN)) or is_kept(subject, rate) for subject in dict.fromkeys(subjects)
    }
    if all(kept.values()):
        return batch
    return batch.reordered(np.flatnonzero([kept[subject] for subject in subjects]))
