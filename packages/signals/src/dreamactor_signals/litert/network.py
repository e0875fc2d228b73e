"""One LiteRT network: arrays in, named arrays out."""

from threading import Lock

import numpy as np


class Network:
    """An interpreter of one `.tflite` file with one input. Threads may share it: they run it one after another.

    Args:
        model: the file's bytes.
        threads: of the interpreter's kernels.
    """

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        # Imported here: loading the runtime takes longer than this package's door may.
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=model, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._running = Lock()
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    @property
    def input_size(self) -> int:
        """Side of the square image it reads, in pixels."""
        return int(self._input["shape"][1])

    def __call__(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Run it on one input without its batch axis; the outputs keep theirs."""
        with self._running:
            self._interpreter.set_tensor(self._input["index"], values[None].astype(np.float32, copy=False))
            self._interpreter.invoke()
            return {out["name"]: self._interpreter.get_tensor(out["index"]) for out in self._outputs}
