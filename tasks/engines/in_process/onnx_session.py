"""Graphs in ONNX Runtime, each call on one CPU thread."""

from pathlib import Path
from typing import Any

from sandboxes.errors import first_line
from tasks.errors import UserError

WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


def open_session(path: Path, weights: Path | None = None) -> Any:
    """An `onnxruntime.InferenceSession` of a graph; `weights` is the folder of its weights, if that is another one.

    Raises:
        UserError: ONNX Runtime cannot load it.
    """
    import onnxruntime  # slow to import, and only needed for drawing or scoring samples

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        graph: Path | bytes = path
        if weights is not None:
            # ONNX Runtime looks in another folder only for the weights of a graph that it gets as bytes.
            options.add_session_config_entry(WEIGHTS_FOLDER, str(weights))
            graph = path.read_bytes()
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UserError(f"{path}: ONNX Runtime cannot load it: {first_line(error)}") from error
