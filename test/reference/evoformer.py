"""The Evoformer of AlphaFold 2 (Jumper et al., Nature 596, 2021): the outputs of
DeepMind's class EvoformerIteration with random weights, f32.

The weights are stored as OpenFold, whose checkpoints are those of this model in
PyTorch, names them: heads and their channels merged, matrices [out, in], and the
two sides of the incoming triangle multiplication swapped.

  python3 evoformer.py OUTPUT_FOLDER         needs alphafold-colabfold (with jax
                                             and dm-haiku); written with 2.3.11"""

import haiku
import jax
import numpy
import torch
from alphafold.model import config, modules

from common import save, weights

BLOCKS, S, N = 2, 5, 7
HM, DM, HZ, DZ, CT, CO = 2, 4, 2, 4, 6, 3

ATTENTION = {"query_norm": "layer_norm", "feat_2d_weights": "linear",
             "attention": "mha"}
MULTIPLICATION = {
    "layer_norm_input": "layer_norm_in", "center_layer_norm": "layer_norm_out",
    "left_projection": "linear_a_p", "right_projection": "linear_b_p",
    "left_gate": "linear_a_g", "right_gate": "linear_b_g",
    "output_projection": "linear_z", "gating_linear": "linear_g"}
SWAPPED = MULTIPLICATION | {
    "left_projection": "linear_b_p", "right_projection": "linear_a_p",
    "left_gate": "linear_b_g", "right_gate": "linear_a_g"}
TRANSITION = {"input_layer_norm": "layer_norm", "transition1": "linear_1",
              "transition2": "linear_2"}
NAMES = {  # of the modules, then of what they hold: here and in OpenFold
    "msa_row_attention_with_pair_bias": ("msa_att_row", {
        "query_norm": "layer_norm_m", "feat_2d_norm": "layer_norm_z",
        "feat_2d_weights": "linear_z", "attention": "mha"}),
    "msa_column_attention": ("msa_att_col._msa_att", {
        "query_norm": "layer_norm_m", "attention": "mha"}),
    "msa_transition": ("msa_transition", TRANSITION),
    "outer_product_mean": ("outer_product_mean", {
        "layer_norm_input": "layer_norm", "left_projection": "linear_1",
        "right_projection": "linear_2", "output": "linear_out"}),
    "triangle_multiplication_outgoing": ("pair_stack.tri_mul_out",
                                         MULTIPLICATION),
    "triangle_multiplication_incoming": ("pair_stack.tri_mul_in", SWAPPED),
    "triangle_attention_starting_node": ("pair_stack.tri_att_start", ATTENTION),
    "triangle_attention_ending_node": ("pair_stack.tri_att_end", ATTENTION),
    "pair_transition": ("pair_stack.pair_transition", TRANSITION),
}
LINEARS = {"query": "linear_q", "key": "linear_k", "value": "linear_v",
           "gating": "linear_g", "output": "linear_o"}


def settings():
    c = config.model_config("model_1").model
    e = c.embeddings_and_evoformer.evoformer
    e.msa_row_attention_with_pair_bias.num_head = HM
    e.msa_column_attention.num_head = HM
    e.triangle_attention_starting_node.num_head = HZ
    e.triangle_attention_ending_node.num_head = HZ
    for side in ("outgoing", "incoming"):
        multiplication = e["triangle_multiplication_" + side]
        multiplication.num_intermediate_channel = CT
        multiplication.fuse_projection_weights = False
    e.outer_product_mean.num_outer_channel = CO
    c.global_config.deterministic = True
    c.global_config.bfloat16 = False
    return e, c.global_config


def evoformer(msa, pair):
    masks = {"msa": numpy.ones((S, N), "f4"), "pair": numpy.ones((N, N), "f4")}
    x = {"msa": msa, "pair": pair}
    for _ in range(BLOCKS):
        x = modules.EvoformerIteration(*settings(), is_extra_msa=False)(
            x, masks, is_training=False)
    return x


def draw(path, name, shape):
    """Matrices of variance 1 / inputs."""
    r = torch.randn(*shape)
    if name in ("scale", "offset"):
        return 0.1 * r + (name == "scale")
    if name.endswith("b") or name == "bias":
        return 0.1 * r
    inputs = shape[0]
    if name == "output_w":  # [heads, channels, out]; [channels, channels, out]
        inputs = shape[0] * shape[1]
    return r / inputs**0.5


def store(path, name, value):
    """blocks/evoformer_iteration_1/MODULE[/PART..], NAME: a weight here."""
    block, module, *parts = path.split("/")
    number = block.removeprefix("evoformer_iteration").lstrip("_") or "0"
    where, names = NAMES[module]
    kind = {"scale": "weight", "weights": "weight", "offset": "bias"}.get(
        name, name)
    if parts[:1] == ["attention"] or (not parts and name.startswith("output")):
        what, kind = name.rsplit("_", 1)
        kind = {"w": "weight", "b": "bias"}[kind]
        part = (names["attention"] + "." + LINEARS[what] if parts
                else names["output"])
    elif parts:
        part = names[parts[0]]
    else:
        part, kind = names[name], "weight"
    if kind == "weight" and value.dim() > 1:
        if name == "output_w":
            value = value.flatten(0, 1)
        value = value.flatten(1).T
    weights[f"evoformer.blocks.{number}.{where}.{part}.{kind}"] = value.flatten(
        ) if kind == "bias" else value


network = haiku.transform(evoformer)
start = {"msa": torch.randn(S, N, HM * DM), "pair": torch.randn(N, N, HZ * DZ)}
key = jax.random.PRNGKey(0)
shapes = jax.eval_shape(network.init, key, *(x.numpy() for x in start.values()))
params = {}
for path, held in sorted(shapes.items()):
    drawn = {n: draw(path, n, s.shape) for n, s in sorted(held.items())}
    params[path] = {n: v.numpy() for n, v in drawn.items()}
    for n, v in drawn.items():
        store(path, n, v)
with jax.default_matmul_precision("highest"):
    found = network.apply(params, key, *(x.numpy() for x in start.values()))
save(start, {n: torch.from_numpy(numpy.array(v)) for n, v in found.items()})
