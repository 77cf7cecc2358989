"""Statistics over verdicts: agreement, intervals, comparison, calibration; each figure says on how many it stands."""
