"""The process in which mmpose lives: `PYTHON FOLDER CONFIG CHECKPOINT DEVICE THREADS`, run by its own environment.

It imports nothing of this project. Protocol, all on stdin and stdout:

- hello, once: a JSON line, {"ready": {...}} or {"error": ..., "kind": ..., "remedy": ...};
- request: six little-endian numbers (height, width as int32; box x0 y0 x1 y1 as float32), then height x width x 3 bytes
  of RGB;
- answer: one byte `K`, then 133 x 3 float32 (x, y in frame pixels, score); or `E` and a JSON line {"error": ...}.

End of input ends it.
"""

import json
import os
import struct
import sys
from typing import Any, BinaryIO

from refusal import Refusal

REQUEST = struct.Struct("<iiffff")


def main() -> None:
    """Load, say hello, then answer until the input ends."""
    requests, answers = sys.stdin.buffer, _own_stdout()
    config, checkpoint, device, threads = sys.argv[1:5]
    try:
        estimator = _load(config, checkpoint, device, int(threads))
    except Refusal as refusal:
        _line(answers, {"error": refusal.problem, "kind": refusal.kind, "remedy": refusal.remedy})
        return
    _line(answers, {"ready": estimator.description})
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        _answer(estimator, head, requests, answers)


def _load(config: str, checkpoint: str, device: str, threads: int) -> Any:
    # The checkpoint is read first: whether it is one shows long before mmpose is imported.
    from checkpoint import read_checkpoint

    weights = read_checkpoint(checkpoint)
    from estimator import Estimator

    return Estimator(config, weights, device=device, threads=threads)


def _answer(estimator: Any, head: bytes, requests: BinaryIO, answers: BinaryIO) -> None:
    import numpy as np

    height, width, *box_px = REQUEST.unpack(head)
    pixels = requests.read(height * width * 3)
    frame = np.frombuffer(pixels, dtype=np.uint8).reshape(height, width, 3)
    try:
        keypoints = estimator.estimate(frame, np.array(box_px, dtype=np.float32))
    except (RuntimeError, ValueError) as problem:
        answers.write(b"E")
        _line(answers, {"error": f"{type(problem).__name__}: {problem}"})
        return
    answers.write(b"K" + keypoints.astype("<f4").tobytes())
    answers.flush()


def _own_stdout() -> BinaryIO:
    """The pipe to the parent; whatever libraries print goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _line(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
