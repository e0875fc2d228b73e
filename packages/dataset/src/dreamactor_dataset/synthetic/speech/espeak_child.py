"""The process that speaks: `python -m dreamactor_dataset.synthetic.speech.espeak_child < REQUEST.json`.

Started by `espeak`, never by hand. Nothing heavy may be imported here: it forks once an utterance.
"""

import ctypes
import json
import os
import sys
from ctypes import POINTER, Structure, Union, c_char, c_char_p, c_int, c_short, c_uint, c_void_p
from pathlib import Path

# Constants of speak_lib.h.
_SYNCHRONOUS = 2
_PHONEME_EVENTS, _IPA, _DO_NOT_EXIT = 0x0001, 0x0002, 0x8000
_RATE, _PITCH = 1, 3
_UTF8 = 1
_LIST_END, _PHONEME = 0, 7


class _Id(Union):
    _fields_ = (("number", c_int), ("name", c_char_p), ("string", c_char * 8))


class _Event(Structure):
    _fields_ = (
        ("type", c_int),
        ("identifier", c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("position_ms", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(c_int, POINTER(c_short), c_int, POINTER(_Event))


def main() -> int:
    """Speak every line of the request; each in a fork, because the library does not forget the line before."""
    request = json.load(sys.stdin)
    library = ctypes.CDLL(request["library"])
    data = request["data"]
    rate_hz = library.espeak_Initialize(
        _SYNCHRONOUS, 0, data.encode() if data else None, _PHONEME_EVENTS | _IPA | _DO_NOT_EXIT
    )
    if rate_hz <= 0:
        print("its data cannot be read", file=sys.stderr)
        return 1
    if hasattr(library, "espeak_ng_SetRandSeed"):
        # Breath is noise, seeded with the time of day unless told otherwise; older versions never seed it.
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    for number, line in enumerate(request["lines"]):
        child = os.fork()
        if child == 0:
            os._exit(_speak(library, rate_hz, Path(request["folder"]) / str(number), *line))
        if os.waitpid(child, 0)[1] != 0:
            print(f"no voice {line[0]!r}, or it failed", file=sys.stderr)
            return 1
    return 0


def _speak(
    library: ctypes.CDLL, rate_hz: int, start: Path, voice: str, words_per_minute: int, pitch: int, text: str
) -> int:
    """Speak one line into START.pcm and START.json. Returns the exit status."""
    samples, phonemes = bytearray(), []

    def take(wave: ctypes._Pointer, count: int, events: ctypes._Pointer) -> int:
        if wave:
            samples.extend(ctypes.string_at(wave, 2 * count))
        index = 0
        while events[index].type != _LIST_END:
            if events[index].type == _PHONEME:
                phonemes.append((events[index].position_ms, _ipa(events[index].id.string)))
            index += 1
        return 0

    callback = _Callback(take)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        return 1
    library.espeak_SetParameter(_RATE, words_per_minute, 0)
    library.espeak_SetParameter(_PITCH, pitch, 0)
    encoded = text.encode()
    if library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None) != 0 or not samples:
        return 1
    start.with_suffix(".pcm").write_bytes(samples)
    start.with_suffix(".json").write_text(json.dumps({"rate_hz": rate_hz, "phonemes": phonemes}))
    return 0


def _ipa(string: bytes) -> str:
    # Eight bytes hold it; a character cut at their end says nothing.
    return string.decode(errors="ignore")


if __name__ == "__main__":
    sys.exit(main())
