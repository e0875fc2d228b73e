"""The transformer: what may change what (`test_model_base_parity.py`: it equals its base)."""

import dataclasses
from typing import Literal

import pytest
import torch
from diffusers import WanTransformer3DModel
from dreamactor_core.errors import SettingsError
from dreamactor_model.actor import DreamActor, parameter_group
from dreamactor_model.conditions import Conditions, stack
from dreamactor_model.dit.attention import KeysValues, attend
from dreamactor_model.dit.dit import DiT
from dreamactor_model.dit.face_attention import FaceAttention, group_face_tokens
from dreamactor_model.dit.precision import to_bfloat16
from dreamactor_model.dit.rope import frame_positions, rotate, rotation_3d
from dreamactor_model.dit.warp_prior import WARP_ERROR, expected_velocity
from dreamactor_model.presets import ActorConfig, get_preset, latent_frames, video_frames
from micro_model import MICRO_ACTOR
from torch import Tensor, nn
from torch.nn import functional as F
from wan_folders import wan_sizes

FRAMES = 4


def _inputs(config: ActorConfig, batch: int = 2, references: int = 2) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(7)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    return {
        "latents_BCFHW": normal(batch, config.latent_channels, FRAMES, 8, 6),
        "timesteps_BF": torch.rand(batch, FRAMES, generator=generator),
        "references_BRCHW": normal(batch, references, config.latent_channels, 8, 6),
        "pose_BCFHW": normal(batch, config.pose_channels, FRAMES, 8, 6),
        "face_BTC": normal(batch, video_frames(FRAMES), config.face_width),
    }


def _awake(module: nn.Module) -> nn.Module:
    """Fill every branch that starts at zero, as training would."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
        for name, parameter in module.named_parameters():
            if name.endswith("patch_embedding.weight"):
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return module.eval()


def _changed_frames(before: Tensor, after: Tensor) -> list[int]:
    """Latent frames of a velocity (B, C, F, H, W) that differ."""
    return [frame for frame in range(before.shape[2]) if not torch.equal(before[:, :, frame], after[:, :, frame])]


def _unfolded(attention: FaceAttention, x_BFLD: Tensor, face_BFMC: Tensor) -> Tensor:
    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (attention.heads, -1)).transpose(-2, -3)

    def and_nothing(x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 1))

    q, k, v = heads(attention.to_q(x_BFLD)), heads(attention.to_k(face_BFMC)), heads(attention.to_v(face_BFMC))
    k, v = and_nothing(k), and_nothing(v)
    return attention.to_out[0](F.scaled_dot_product_attention(q, k, v).transpose(-2, -3).flatten(-2))


def test_folded_face_attention_equals_the_plain_one() -> None:
    torch.manual_seed(0)
    attention = _awake(FaceAttention(dim=48, heads=4, face_width=8)).double()
    x = torch.randn(2, 3, 10, 48, dtype=torch.float64)
    face = torch.randn(2, 3, 4, 8, dtype=torch.float64)
    folded = attention(x, attention.fold(face))
    torch.testing.assert_close(folded, _unfolded(attention, x, face), rtol=1e-12, atol=1e-12)


def test_one_token_of_the_first_frame_and_four_of_the_others() -> None:
    face_BTC = torch.arange(9.0).view(1, 9, 1)
    groups = group_face_tokens(face_BTC)[0, :, :, 0].tolist()
    assert groups == [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]


def test_face_attention_adds_nothing_where_a_token_looks_away() -> None:
    torch.manual_seed(0)
    attention = _awake(FaceAttention(dim=8, heads=2, face_width=4))
    x, face = torch.randn(1, 1, 5, 8), torch.randn(1, 1, 4, 4)
    with torch.no_grad():
        attention.to_q.weight.zero_()
        attention.to_q.bias.fill_(1.0)
        for toward, bias in ((True, 100.0), (False, -100.0)):
            attention.to_k.bias.fill_(bias)
            added = attention(x, attention.fold(face)) - attention.to_out[0].bias
            assert bool(added.abs().max() > 1e-3) is toward


@pytest.mark.parametrize(("token", "frame"), [(0, 0), (1, 1), (4, 1), (5, 2), (12, 3)])
@torch.no_grad()
def test_face_tokens_reach_their_own_latent_frame_only(token: int, frame: int) -> None:
    # One block: in a deeper model self-attention passes the change on.
    actor = _awake(DreamActor(dataclasses.replace(MICRO_ACTOR, layers=1)))
    inputs = _inputs(MICRO_ACTOR)
    before = actor(**inputs)
    inputs["face_BTC"] = inputs["face_BTC"].clone()
    inputs["face_BTC"][:, token] += 1
    assert _changed_frames(before, actor(**inputs)) == [frame]


@torch.no_grad()
def test_every_frame_sees_every_reference_through_ref_attn_alone() -> None:
    actor = _awake(DreamActor(dataclasses.replace(MICRO_ACTOR, layers=1)))
    nn.init.zeros_(actor.dit.blocks[0].attn1.to_out[0].weight)
    inputs = _inputs(MICRO_ACTOR)
    before = actor(**inputs)
    for reference in range(2):
        other = inputs["references_BRCHW"].clone()
        other[:, reference] += 1
        assert _changed_frames(before, actor(**{**inputs, "references_BRCHW": other})) == list(range(FRAMES))


@torch.no_grad()
def test_ref_attn_is_the_same_for_equal_frames_early_and_late() -> None:
    actor = _awake(DreamActor(dataclasses.replace(MICRO_ACTOR, layers=1)))
    nn.init.zeros_(actor.dit.blocks[0].attn1.to_out[0].weight)
    inputs = _inputs(MICRO_ACTOR)
    still = {
        "latents_BCFHW": inputs["latents_BCFHW"][:, :, :1].expand(-1, -1, FRAMES, -1, -1),
        "timesteps_BF": inputs["timesteps_BF"][:, :1].expand(-1, FRAMES),
    }
    velocity = actor(**still, references_BRCHW=inputs["references_BRCHW"])
    torch.testing.assert_close(velocity[:, :, 0], velocity[:, :, -1])


@torch.no_grad()
def test_pose_enters_its_own_frame_and_references_carry_none() -> None:
    actor = _awake(DreamActor(dataclasses.replace(MICRO_ACTOR, layers=0)))
    inputs = _inputs(MICRO_ACTOR)
    before = actor(**inputs)
    inputs["pose_BCFHW"] = inputs["pose_BCFHW"].clone()
    inputs["pose_BCFHW"][:, :, 2] += 1
    assert _changed_frames(before, actor(**inputs)) == [2]
    patches = actor.prepare(Conditions(inputs["references_BRCHW"], inputs["pose_BCFHW"], None))
    other_pose = actor.prepare(Conditions(inputs["references_BRCHW"], inputs["pose_BCFHW"] + 1, None))
    assert torch.equal(patches.reference_tokens_BRLD, other_pose.reference_tokens_BRLD)
    assert not torch.equal(patches.pose_tokens_BFLD, other_pose.pose_tokens_BFLD)


@torch.no_grad()
def test_references_are_clean_whatever_the_video_s_noise() -> None:
    actor = _awake(DreamActor(MICRO_ACTOR))
    captured: list[Tensor] = []
    actor.dit.condition_embedder.register_forward_pre_hook(lambda _, arguments: captured.append(arguments[0]))
    inputs = _inputs(MICRO_ACTOR)
    actor(**inputs)
    assert torch.equal(captured[0], torch.cat([torch.zeros(2, 2), inputs["timesteps_BF"]], dim=1))


@torch.no_grad()
def test_a_frame_s_timestep_modulates_that_frame_alone() -> None:
    actor = _awake(DreamActor(dataclasses.replace(MICRO_ACTOR, layers=0)))
    inputs = _inputs(MICRO_ACTOR)
    before = actor(**inputs)
    inputs["timesteps_BF"] = inputs["timesteps_BF"].clone()
    inputs["timesteps_BF"][:, 1] = 0.5
    assert _changed_frames(before, actor(**inputs)) == [1]


@torch.no_grad()
def test_swapped_references_differ_by_their_positions_alone() -> None:
    """Positions are all that tells references: a swap changes the result, unless the two are equal."""
    actor = _awake(DreamActor(MICRO_ACTOR))
    inputs = _inputs(MICRO_ACTOR)
    before = actor(**inputs)
    swapped = actor(**{**inputs, "references_BRCHW": inputs["references_BRCHW"].flip(1)})
    assert not torch.allclose(before, swapped, atol=1e-6)
    same = inputs["references_BRCHW"][:, :1].expand(-1, 2, -1, -1, -1)
    torch.testing.assert_close(
        actor(**{**inputs, "references_BRCHW": same}), actor(**{**inputs, "references_BRCHW": same.flip(1)})
    )


def test_references_stand_before_the_clip_each_at_a_place_of_its_own() -> None:
    assert frame_positions(3, 2, torch.device("cpu")).tolist() == [-1, -2, -3, 0, 1]


def test_rotation_depends_on_distance_alone() -> None:
    q, k = torch.randn(2, 1, 1, 1, 24).unbind(0)

    def score(query_time: int, key_time: int) -> Tensor:
        times = torch.tensor([query_time, key_time])
        rotation = rotation_3d(times, 1, 1, 24, 10_000.0)
        return (rotate(q, rotation.slice(0, 1)) * rotate(k, rotation.slice(1, 2))).sum()

    torch.testing.assert_close(score(5, 2), score(1, -2))
    assert not torch.isclose(score(5, 2), score(5, 3))


def _causal(layers: int) -> tuple[DreamActor, DreamActor]:
    """A model of each kind with the same weights."""
    config = dataclasses.replace(MICRO_ACTOR, layers=layers)
    joint = _awake(DreamActor(config))
    causal = DreamActor(dataclasses.replace(config, reference_attention="causal")).eval()
    causal.load_state_dict(joint.state_dict())
    return joint, causal


@torch.no_grad()
def test_causal_references_are_the_joint_ones_until_they_would_look_at_the_video() -> None:
    inputs = _inputs(MICRO_ACTOR)
    joint, causal = _causal(layers=1)
    # In a single block only Ref Attn reads what the references have made of the video.
    for actor in (joint, causal):
        nn.init.zeros_(actor.dit.blocks[0].ref_attn.to_out[0].weight)
    torch.testing.assert_close(causal(**inputs), joint(**inputs), rtol=1e-5, atol=1e-6)
    joint, causal = _causal(layers=2)
    assert not torch.allclose(causal(**inputs), joint(**inputs), atol=1e-3)
    torch.testing.assert_close(
        causal(**{**inputs, "references_BRCHW": None}), joint(**{**inputs, "references_BRCHW": None})
    )


@torch.no_grad()
def test_causal_references_still_reach_every_frame() -> None:
    _, causal = _causal(layers=2)
    inputs = _inputs(MICRO_ACTOR)
    other = inputs["references_BRCHW"].clone()
    other[:, 1] += 1
    before, after = causal(**inputs), causal(**{**inputs, "references_BRCHW": other})
    assert _changed_frames(before, after) == list(range(FRAMES))


@pytest.mark.parametrize("reference_attention", ["joint", "causal"])
@torch.no_grad()
def test_constants_serve_every_step_of_a_segment(reference_attention: Literal["joint", "causal"]) -> None:
    actor = _awake(DreamActor(dataclasses.replace(MICRO_ACTOR, reference_attention=reference_attention)))
    inputs = _inputs(MICRO_ACTOR)
    constants = actor.prepare(Conditions(inputs["references_BRCHW"], inputs["pose_BCFHW"], inputs["face_BTC"]))
    for level in (0.9, 0.2):
        step = {"latents_BCFHW": level * inputs["latents_BCFHW"], "timesteps_BF": torch.full((2, FRAMES), level)}
        assert torch.equal(actor.denoise(*step.values(), constants), actor(**{**inputs, **step}))


@torch.no_grad()
def test_without_a_face_face_attn_is_left_out_and_a_zero_face_is_the_learned_no_motion() -> None:
    actor = _awake(DreamActor(MICRO_ACTOR))
    inputs = _inputs(MICRO_ACTOR)
    left_out = actor(**{**inputs, "face_BTC": None})
    dropped = actor(**{**inputs, "face_BTC": torch.zeros_like(inputs["face_BTC"])})
    assert not torch.allclose(left_out, dropped, atol=1e-4)
    for block in actor.dit.blocks:
        nn.init.zeros_(block.face_attn.to_out[0].weight)
        nn.init.zeros_(block.face_attn.to_out[0].bias)
    torch.testing.assert_close(actor(**inputs), left_out)


STAGES = {"1": {"base"}, "2": {"face_encoder", "face"}, "3": {"base", "face_encoder", "face"}}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_trains_its_parameters_and_no_others(stage: str) -> None:
    actor = _awake(DreamActor(MICRO_ACTOR)).train()
    for name, parameter in actor.named_parameters():
        parameter.requires_grad_(parameter_group(name) in STAGES[stage])
    inputs = _inputs(MICRO_ACTOR, batch=1)
    inputs["pose_BCFHW"] = actor.encode_pose(torch.rand(1, 6, video_frames(FRAMES), 64, 48))
    # Stage 1 leaves the face out (paper 3.4).
    inputs["face_BTC"] = None if stage == "1" else actor.encode_face(torch.rand(1, video_frames(FRAMES), 3, 224, 224))
    actor(**inputs).square().mean().backward()
    for name, parameter in actor.named_parameters():
        if parameter_group(name) not in STAGES[stage]:
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.any(), name


def test_the_face_group_is_the_encoder_its_mlp_and_face_attn() -> None:
    names = [name for name, _ in DreamActor(MICRO_ACTOR).named_parameters()]
    roots = {name.split(".")[0] if "blocks" not in name else name.split(".")[3] for name in names if _is_face(name)}
    assert roots == {"face_encoder", "face_mlp", "face_attn", "norm_face"}
    assert parameter_group("face_encoder.readout.weight") == "face_encoder"
    assert parameter_group("face_mlp.layers.1.weight") == "face"
    base = {name.split(".")[3] for name in names if "blocks" in name and not _is_face(name)}
    assert base == {"attn1", "ref_attn", "ffn", "scale_shift_table"}


def _is_face(name: str) -> bool:
    return parameter_group(name) in ("face_encoder", "face")


@pytest.mark.parametrize(("name", "billions"), [("wan-1.3b", 1.42), ("wan-5b", 5.0), ("wan-14b", 14.29)])
def test_presets_have_every_weight_of_their_base(name: str, billions: float) -> None:
    config = get_preset(name).actor
    with torch.device("meta"):
        ours = DiT(config).state_dict()
        base = WanTransformer3DModel(**wan_sizes(config)).state_dict()
    assert sum(weight.numel() for weight in base.values()) / 1e9 == pytest.approx(billions, rel=0.01)
    different = {key for key in base if key not in ours or ours[key].shape != base[key].shape}
    assert different == {"patch_embedding.weight"}  # it has the pose columns beside


@torch.no_grad()
def test_half_precision_keeps_times_norms_and_modulation_and_barely_changes_the_velocity() -> None:
    config = dataclasses.replace(MICRO_ACTOR, text_dim=12, text_tokens=5)
    actor, half = _awake(DreamActor(config)), _awake(DreamActor(config))
    half.load_state_dict(actor.state_dict())
    to_bfloat16(half.dit)
    singles = {
        name.split(".")[-2] if "table" not in name else "scale_shift_table"
        for name, parameter in half.dit.named_parameters()
        if parameter.dtype == torch.float32
    }
    assert singles == {"linear_1", "linear_2", "norm2", "norm_face", "scale_shift_table"}
    inputs = _inputs(config)
    velocity = half(**inputs)
    assert velocity.dtype == torch.float32
    difference = (velocity - actor(**inputs)).std() / actor(**inputs).std()
    assert 0 < difference < 0.03


@pytest.mark.slow
def test_compiled_blocks_learn_as_plain_ones() -> None:
    actor = _awake(DreamActor(MICRO_ACTOR))
    inputs = _inputs(MICRO_ACTOR)
    weight = actor.dit.blocks[0].ffn.net[0].proj.weight
    gradients = []
    for _ in range(2):
        actor.zero_grad()
        actor(**inputs).square().mean().backward()
        gradients.append(weight.grad)
        actor.compile_blocks()
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-6)


@pytest.mark.slow
@torch.no_grad()
def test_compiled_blocks_change_nothing() -> None:
    actor = _awake(DreamActor(MICRO_ACTOR))
    inputs = _inputs(MICRO_ACTOR)
    plain = actor(**inputs)
    actor.compile_blocks()
    torch.testing.assert_close(actor(**inputs), plain, rtol=1e-4, atol=1e-5)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(SettingsError, match="tiny"):
        get_preset("huge")


@pytest.mark.parametrize(("frames", "latents"), [(1, 1), (2, 2), (5, 2), (6, 3), (73, 19), (121, 31)])
def test_frames_and_latents(frames: int, latents: int) -> None:
    assert latent_frames(frames) == latents
    assert video_frames(latents) >= frames > video_frames(latents) - 4


def test_references_carry_a_pose_where_the_model_reads_it() -> None:
    torch.manual_seed(0)
    actor = _awake(DreamActor(dataclasses.replace(MICRO_ACTOR, reference_pose=True)))
    inputs = _inputs(MICRO_ACTOR)
    control = torch.rand(2, 2, 6, 64, 48, generator=torch.Generator().manual_seed(3))
    pose = actor.encode_reference_pose(control)
    assert pose.shape == (2, 2, MICRO_ACTOR.pose_channels, 8, 6)
    plain, posed = actor(**inputs), actor(**inputs, reference_pose_BRCHW=pose)
    assert _changed_frames(plain, posed) == list(range(FRAMES))
    # The second reference's alone counts too, and none is what zeros are.
    assert not torch.equal(
        actor(**inputs, reference_pose_BRCHW=pose * torch.tensor([1.0, 0])[:, None, None, None]), posed
    )
    assert torch.equal(actor(**inputs, reference_pose_BRCHW=torch.zeros_like(pose)), plain)


def test_a_model_whose_references_carry_no_pose_makes_none() -> None:
    assert DreamActor(MICRO_ACTOR).encode_reference_pose(torch.rand(1, 1, 6, 64, 48)) is None


def test_the_pose_of_references_goes_with_them_and_stays_without_motion() -> None:
    inputs = _inputs(MICRO_ACTOR)
    pose = torch.ones(2, 2, MICRO_ACTOR.pose_channels, 8, 6)
    whole = Conditions(inputs["references_BRCHW"], inputs["pose_BCFHW"], inputs["face_BTC"], pose)
    assert whole.without_motion().reference_pose_BRCHW.equal(pose)
    assert not whole.without_reference().reference_pose_BRCHW.any()
    first = torch.tensor([True, False])
    kept = whole.keep(references_B=first, pose_B=~first, face_B=first).reference_pose_BRCHW
    assert kept[0].equal(pose[0])
    assert not kept[1].any()


@pytest.mark.parametrize("born", ["newborn", "grown"])
def test_a_model_that_learns_to_read_a_warp_begins_with_what_the_warp_implies(born: str) -> None:
    config = dataclasses.replace(MICRO_ACTOR, reference_warp=True)
    plain = _awake(DreamActor(MICRO_ACTOR))
    actor, inputs = (DreamActor(config) if born == "newborn" else plain.with_warp()).eval(), _inputs(MICRO_ACTOR)
    assert actor.config == config
    warp = torch.randn(inputs["latents_BCFHW"].shape, generator=torch.Generator().manual_seed(3))
    implied = expected_velocity(inputs["latents_BCFHW"], inputs["timesteps_BF"], warp)
    torch.testing.assert_close(actor(**inputs, warp_BCFHW=warp), implied)
    _awake(actor)
    told = actor(**inputs, warp_BCFHW=warp)
    assert _changed_frames(implied, told) == list(range(FRAMES))
    # Without one it answers as if nothing were known, and what it has learned is not added to a warp alone.
    untold = expected_velocity(inputs["latents_BCFHW"], inputs["timesteps_BF"], torch.zeros_like(warp))
    assert not torch.allclose(told - implied, actor(**inputs) - untold, atol=1e-4)
    assert torch.equal(actor(**inputs, warp_BCFHW=torch.zeros_like(warp)), actor(**inputs))


def test_what_else_a_model_knows_stays_when_it_learns_to_read_a_warp() -> None:
    plain = _awake(DreamActor(MICRO_ACTOR))
    before, after = plain.state_dict(), plain.with_warp().state_dict()
    changed = {
        name for name in before if before[name].shape != after[name].shape or not before[name].equal(after[name])
    }
    assert changed == {"dit.patch_embedding.weight", "dit.proj_out.weight", "dit.proj_out.bias"}


@pytest.mark.parametrize(("shown", "error"), [(True, WARP_ERROR), (False, 1.0)])
@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_what_a_warp_implies_is_the_mean_of_the_velocity(shown: bool, error: float, level: float) -> None:
    generator = torch.Generator().manual_seed(2)
    shape = (1, 4, 1, 200, 200)
    warp, errors, noise = (torch.randn(shape, generator=generator) for _ in range(3))
    warp = warp * shown
    clean = warp + error * errors
    noisy, velocity = (1 - level) * clean + level * noise, noise - clean
    surprise = velocity - expected_velocity(noisy, torch.full((1, 1), level), warp)
    # A mean given x_t and the warp leaves nothing that either could still tell.
    for known in (noisy, warp, torch.ones_like(noisy)):
        assert abs(float((surprise * known).mean())) < 0.02 * float(velocity.std())


def test_the_first_step_from_pure_noise_leads_to_the_warp() -> None:
    noise, warp = torch.randn(1, 4, 2, 4, 4), torch.randn(1, 4, 2, 4, 4)
    torch.testing.assert_close(noise - expected_velocity(noise, torch.ones(1, 2), warp), warp)


def test_a_warp_goes_when_either_its_reference_or_its_motion_goes() -> None:
    inputs = _inputs(MICRO_ACTOR)
    warp = torch.ones_like(inputs["latents_BCFHW"])
    whole = Conditions(inputs["references_BRCHW"], inputs["pose_BCFHW"], None, warp_BCFHW=warp)
    assert not whole.without_motion().warp_BCFHW.any()
    assert not whole.without_reference().warp_BCFHW.any()
    first, both = torch.tensor([True, False]), torch.tensor([True, True])
    for references, pose in ((first, both), (both, first)):
        kept = whole.keep(references_B=references, pose_B=pose, face_B=both).warp_BCFHW
        assert kept[0].equal(warp[0])
        assert not kept[1].any()
    assert stack([whole, whole.without_motion()]).warp_BCFHW.equal(torch.cat([warp, torch.zeros_like(warp)]))


@pytest.mark.parametrize("tokens", [7, 300])
def test_attention_in_bfloat16_is_that_of_the_fused_kernel(tokens: int) -> None:
    generator = torch.Generator().manual_seed(5)
    q, k, v = (torch.randn(2, count, 3, 16, generator=generator).bfloat16() for count in (tokens, 40, 40))
    expected = F.scaled_dot_product_attention(*(each.float().transpose(1, 2) for each in (q, k, v))).transpose(1, 2)
    torch.testing.assert_close(attend(q, KeysValues(k, v)).float(), expected, atol=0.02, rtol=0.02)
