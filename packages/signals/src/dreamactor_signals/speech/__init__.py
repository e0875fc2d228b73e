"""Speech: features of a recording, one vector a video frame, for the audio encoder (paper: motion from audio).

Read in this order: `recording` (a WAV to samples), `log_mel` (the embedded features), `pretrained` (Whisper, wav2vec2
and HuBERT by path), `features` (the result and its file).
"""

from dreamactor_signals.speech.features import SpeechFeatures, SpeechReader

__all__ = ["SpeechFeatures", "SpeechReader"]
