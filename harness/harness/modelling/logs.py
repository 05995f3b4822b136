"""What the libraries have to say goes to a file of the run, not between the user's lines."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path


def libraries_write_to(path: Path) -> None:
    """Send the log lines and warnings of transformers, TRL, torch and DeepSpeed to a file.

    Call it before anything else imports them; a second call changes nothing.
    """
    root = logging.getLogger()
    if any(isinstance(h, logging.FileHandler) for h in root.handlers):
        return
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    warnings.simplefilter("default")
    logging.captureWarnings(capture=True)
    # said on import, of a machine without CUDA
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)

    import torch

    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")

    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_default_handler()
    transformers_logging.enable_propagation()
    transformers_logging.disable_progress_bar()
