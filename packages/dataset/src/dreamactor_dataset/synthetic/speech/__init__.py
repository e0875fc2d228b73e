"""Speech with truth: sentences spoken by espeak-ng, whose phonemes come with their times, as face units per frame.

Read in this order: `sentences`, `espeak` (and `espeak_child`), `visemes`, `mouth`, `utterances`, `faces`.
"""
