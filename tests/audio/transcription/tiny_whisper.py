"""A Whisper model small enough to be made by a test: it speaks nonsense, in segments with times."""

import json
from pathlib import Path

import numpy as np
from ctranslate2.specs import whisper_spec
from ctranslate2.specs.common_spec import LayerNormSpec
from ctranslate2.specs.model_spec import LayerSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

LANGUAGES = ("en", "de")
MELS = 80
WIDTH = 16
HEADS = 2
FRAMES = 1_500  # that the encoder gives for 30 s
LONGEST = 448  # tokens that the decoder takes
TIMES = 1_501  # tokens that stand for times, 20 ms apart
LETTERS = tuple(sorted(pre_tokenizers.ByteLevel.alphabet()))
WORDS = tuple(f"Ġ{word}" for word in ("so", "ho", "la", "ti", "re", "mi"))


def write_model(folder: Path, *, seed: int = 0, tokenizer: bool = True) -> Path:
    """A folder as faster-whisper's converter makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    made = _tokenizer()
    tokens = [token for token, _ in sorted(made.get_vocab().items(), key=lambda one: one[1])]
    spec = whisper_spec.WhisperSpec(1, HEADS, 1, HEADS)
    _fill(spec, len(tokens), np.random.default_rng(seed))
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [made.token_to_id(f"<|{code}|>") for code in LANGUAGES]
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.save(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))
    if tokenizer:
        made.save(str(folder / "tokenizer.json"))
    return folder


def _tokenizer() -> Tokenizer:
    # By the empty token CTranslate2 knows a model of several languages.
    vocabulary = {token: number for number, token in enumerate(("", *LETTERS, *WORDS))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    special = ["endoftext", "startoftranscript", *LANGUAGES, *tasks]
    special += [f"{0.02 * step:.2f}" for step in range(TIMES)]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in special])
    return tokenizer


def _fill(spec: whisper_spec.WhisperSpec, tokens: int, rng: np.random.Generator) -> None:
    def random(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.3).astype(np.float32)

    def zeros(count: int) -> np.ndarray:
        return np.zeros(count, dtype=np.float32)

    def norm(layer: LayerNormSpec) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, dtype=np.float32), zeros(WIDTH)

    def linear(layer: LayerSpec, outputs: int, inputs: int) -> None:
        layer.weight, layer.bias = random(outputs, inputs), zeros(outputs)

    def attention(layer: LayerSpec, *, itself: bool) -> None:
        norm(layer.layer_norm)
        linear(layer.linear[0], 3 * WIDTH if itself else WIDTH, WIDTH)
        if not itself:
            linear(layer.linear[1], 2 * WIDTH, WIDTH)
        linear(layer.linear[-1], WIDTH, WIDTH)

    def forward(layer: LayerSpec) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 2 * WIDTH, WIDTH)
        linear(layer.linear_1, WIDTH, 2 * WIDTH)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = random(WIDTH, MELS, 3), zeros(WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = random(WIDTH, WIDTH, 3), zeros(WIDTH)
    encoder.position_encodings.encodings = random(FRAMES, WIDTH)
    norm(encoder.layer_norm)
    for layer in encoder.layer:
        attention(layer.self_attention, itself=True)
        forward(layer.ffn)
    decoder.embeddings.weight = random(tokens, WIDTH)
    decoder.embeddings.weight[: 1 + len(LETTERS)] *= (
        0.01  # words are likelier than bytes, which seldom are text
    )
    decoder.position_encodings.encodings = random(LONGEST, WIDTH)
    norm(decoder.layer_norm)
    decoder.projection.weight = decoder.embeddings.weight
    for layer in decoder.layer:
        attention(layer.self_attention, itself=True)
        attention(layer.attention, itself=False)
        forward(layer.ffn)
