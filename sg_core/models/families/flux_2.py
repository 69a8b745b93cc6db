# SPDX-License-Identifier: MIT
"""FLUX.2 (Black Forest Labs 2025): one language model for the text, latents patched into channels, a flow.

``dev`` is told its guidance as a number and reads with Mistral; ``klein`` reads with Qwen 3, and has a pass without the
prompt where it was not distilled.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from sg_core.conditioning import Conditioning
from sg_core.models.family import QWEN_TOKENIZERS, Family, around, chat, joint_grids, read_spans, shifted
from sg_core.tokens import TokenSpans

LENGTH = 512  # tokens of the template and the prompt in it


def encode(pipe: Any, prompts: list[str], negative: bool) -> Conditioning:
    """Three layers' states side by side, and the positions of the text."""
    states, positions = pipe.encode_prompt(prompts, device=pipe.text_encoder.device, max_sequence_length=LENGTH)
    return Conditioning({"encoder_hidden_states": states}, {"txt_ids": positions[:1]})


def dev_spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """Mistral's tokens, a system message in front."""
    from diffusers.pipelines.flux2.pipeline_flux2 import format_input

    def filled(text: str) -> str:
        messages = format_input([text], pipe.system_message)
        return str(pipe.tokenizer.apply_chat_template(messages, add_generation_prompt=False, tokenize=False)[0])

    before, after = around(filled, prompt)
    tokenizer = getattr(pipe.tokenizer, "tokenizer", pipe.tokenizer)  # within a processor of pictures and text
    spans = read_spans(tokenizer, prompt, LENGTH, before=before, after=after, add_special_tokens=False)
    return padded(tokenizer, spans)


def klein_spans(pipe: Any, prompt: str, negative: bool) -> TokenSpans:
    """Qwen's tokens, told not to think."""
    before, after = around(chat(pipe.tokenizer, enable_thinking=False), prompt)
    return padded(pipe.tokenizer, read_spans(pipe.tokenizer, prompt, LENGTH, before=before, after=after))


def padded(tokenizer: Any, spans: TokenSpans) -> TokenSpans:
    """As the network gets them: Mistral's tokenizer fills up on the left, so that the text stands last."""
    empty = LENGTH - len(spans) if tokenizer.padding_side == "left" else 0
    return [*[(0, 0)] * empty, *spans]


def predict(pipe: Any, latent: Tensor, time: Tensor, text: Conditioning) -> Tensor:
    """The flow."""
    guidance = text.rows.get("guidance")
    rows = {name: row for name, row in text.rows.items() if name != "guidance"}
    positions = pipe._prepare_latent_ids(latent).to(latent.device)
    inputs = {**rows, "txt_ids": text.shared["txt_ids"].expand(len(latent), -1, -1), "img_ids": positions}
    packed = pipe._pack_latents(latent)
    output = pipe.transformer(packed, timestep=time / 1000, guidance=guidance, return_dict=False, **inputs)[0]
    flow: Tensor = output.transpose(1, 2).reshape(latent.shape)
    return flow


def spacing(noise: Mapping[str, Any], count: int, size: tuple[int, int]) -> dict[str, Any]:
    """Evenly from 1, moved by the picture's size and the number of steps as was measured for this model."""
    from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu

    return {**shifted(noise, count, size), "mu": compute_empirical_mu(size[0] * size[1], count)}


def clean(pipe: Any, latent: Tensor) -> Tensor:
    """The latents were normalised by statistics that the autoencoder keeps, and patched two by two."""
    norm = pipe.vae.bn
    spread = (norm.running_var + pipe.vae.config.batch_norm_eps).sqrt().view(1, -1, 1, 1)
    cells: Tensor = pipe._unpatchify_latents(latent * spread + norm.running_mean.view(1, -1, 1, 1))
    return cells


def family(
    pipeline: str, spans: Callable[[Any, str, bool], TokenSpans], encoder: str, tokenizers: tuple[str, ...]
) -> Family:
    """Both of the kind: what differs is who reads."""
    return Family(
        pipeline=pipeline,
        parts={
            "transformer": ("Flux2Transformer2DModel",),
            "vae": ("AutoencoderKLFlux2",),
            "text_encoder": (encoder,),
            "tokenizer": tokenizers,
        },
        pixels=16,
        encode=encode,
        spans=spans,
        predict=predict,
        grids=joint_grids,
        spacing=spacing,
        clean=clean,
    )


MISTRAL_TOKENIZERS = ("PixtralProcessor", "TokenizersBackend", "PreTrainedTokenizerFast")
FLUX_2_DEV = family("Flux2Pipeline", dev_spans, "Mistral3ForConditionalGeneration", MISTRAL_TOKENIZERS)
FLUX_2_KLEIN = family("Flux2KleinPipeline", klein_spans, "Qwen3ForCausalLM", QWEN_TOKENIZERS)
