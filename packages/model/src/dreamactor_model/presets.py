"""The sizes of the model, as flat frozen dataclasses (figures of the public Wan bases; `tiny` is ours, for CPUs)."""

from dataclasses import dataclass
from types import MappingProxyType

from dreamactor_core.errors import SettingsError
from dreamactor_core.settings.training import ReferenceAttention

# The VAE and the pose encoder share these: latent frame 0 stands for one video frame, every other one for four.
TEMPORAL_STRIDE = 4
CONTROL_CHANNELS = 6
FACE_CROP_PX = 224
# The paper trains on clips of 25 to 121 frames (4.1).
SHORTEST_TRAINED_FRAMES = 25


@dataclass(frozen=True)
class ActorConfig:
    """Shape of `DreamActor`: its transformer, pose encoder and face encoder.

    `text_dim` is None where the base has no text branch; `spatial_stride` is the VAE's, in pixels a latent.
    `reference_pose`: whether references carry pose features of their own, which tell what of the person is where in
    them. The paper's carry none, and a large base finds out; a small model from nothing never would.
    `reference_warp`: whether the model is shown, beside the pose of every latent frame, the first reference cut at its
    joints and moved to that pose (`dreamactor_signals.warp`). Likewise not the paper's.
    `reference_attention`: joint, references attend to the video as it does to them (the paper's); causal, they do not,
    so that they pass through the transformer once a segment. A model must be sampled as it was trained.
    """

    dim: int
    layers: int
    heads: int
    ffn_dim: int
    latent_channels: int
    spatial_stride: int
    pose_channels: int
    pose_width: int
    face_width: int
    face_stem: int
    text_dim: int | None = None
    text_tokens: int = 512
    patch_size: int = 2
    frequency_dim: int = 256
    rope_theta: float = 10_000.0
    reference_attention: ReferenceAttention = "joint"
    reference_pose: bool = False
    reference_warp: bool = False
    eps: float = 1e-6

    @property
    def motion_channels(self) -> int:
        """Of the patch embedding, beside noised latents: pose features, and latents of the warped reference if any."""
        return self.pose_channels + self.latent_channels * self.reference_warp


@dataclass(frozen=True)
class VAEConfig:
    """Shape of the `AutoencoderKLWan` behind `VideoVAE`.

    `patch_size` folds pixels into channels before the first convolution: every level then runs at a lower resolution.
    """

    latent_channels: int
    base_dim: int
    decoder_base_dim: int
    dim_mult: tuple[int, ...]
    residual_blocks: int
    temporal_downsample: tuple[bool, ...]
    is_residual: bool = False
    patch_size: int | None = None

    @property
    def spatial_stride(self) -> int:
        """Pixels a latent, along each side."""
        return (self.patch_size or 1) * 2 ** (len(self.dim_mult) - 1)


@dataclass(frozen=True)
class AudioConfig:
    """Shape of `AudioEncoder`.

    `feature_width` is that of the speech features, `token_width` that of a face motion token; `dilations`, in frames,
    one a layer, say how much speech around a frame it hears.
    """

    feature_width: int
    token_width: int
    width: int
    dilations: tuple[int, ...]

    @property
    def context(self) -> int:
        """Frames heard before and after the one whose token is made (features hear a little more)."""
        return sum(self.dilations)


@dataclass(frozen=True)
class RefinerConfig:
    """Shape of `Refiner`.

    Attributes:
        widths: of each level, from half the resolution of a frame downwards.
        fineness: sides of its frames, in those of the frames that the VAE decodes.
    """

    widths: tuple[int, ...]
    fineness: int = 1


@dataclass(frozen=True)
class Preset:
    """One size: the model, the VAE whose latents it reads, and what turns speech into its face tokens.

    `audio_width` and `audio_dilations` are those of `AudioConfig`; its other widths follow from features and actor.
    `refiner` is None where the VAE is large enough to keep faces.
    """

    name: str
    actor: ActorConfig
    vae: VAEConfig
    audio_width: int
    audio_dilations: tuple[int, ...]
    refiner: RefinerConfig | None = None

    def audio(self, feature_width: int) -> AudioConfig:
        """The audio encoder for speech features of that width."""
        return AudioConfig(feature_width, self.actor.face_width, self.audio_width, self.audio_dilations)


_WAN_VAE_8X = VAEConfig(
    latent_channels=16,
    base_dim=96,
    decoder_base_dim=96,
    dim_mult=(1, 2, 4, 4),
    residual_blocks=2,
    temporal_downsample=(False, True, True),
)
_WAN_VAE_16X = VAEConfig(
    latent_channels=48,
    base_dim=160,
    decoder_base_dim=256,
    dim_mult=(1, 2, 4, 4),
    residual_blocks=2,
    temporal_downsample=(False, True, True),
    is_residual=True,
    patch_size=2,
)
# Two levels behind a 2x2 patch: 8x in space and 4x in time with every convolution at half resolution or less. The
# residual kind learns faster from nothing: its shortcuts carry colour from the first step.
_TINY_VAE = VAEConfig(
    latent_channels=16,
    base_dim=32,
    decoder_base_dim=32,
    dim_mult=(1, 2, 2),
    residual_blocks=1,
    temporal_downsample=(True, True),
    is_residual=True,
    patch_size=2,
)


def _wan(name: str, vae: VAEConfig, *, dim: int, layers: int, heads: int, ffn_dim: int) -> Preset:
    actor = ActorConfig(
        dim=dim,
        layers=layers,
        heads=heads,
        ffn_dim=ffn_dim,
        latent_channels=vae.latent_channels,
        spatial_stride=vae.spatial_stride,
        pose_channels=16,
        pose_width=32,
        face_width=512,
        face_stem=64,
        text_dim=4096,
    )
    # 30 frames, 1.2 s, on either side.
    return Preset(name, actor, vae, audio_width=512, audio_dilations=(1, 2, 4, 8, 8, 4, 2, 1))


PRESETS = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(
                "tiny",
                ActorConfig(
                    dim=256,
                    layers=8,
                    heads=4,
                    ffn_dim=1024,
                    latent_channels=_TINY_VAE.latent_channels,
                    spatial_stride=_TINY_VAE.spatial_stride,
                    pose_channels=16,
                    pose_width=8,
                    face_width=128,
                    face_stem=16,
                    reference_pose=True,
                    reference_warp=True,
                ),
                _TINY_VAE,
                audio_width=128,
                # 15 frames, 0.6 s, on either side.
                audio_dilations=(1, 2, 4, 8),
                refiner=RefinerConfig((32, 64, 96, 128), fineness=2),
            ),
            _wan("wan-1.3b", _WAN_VAE_8X, dim=1536, layers=30, heads=12, ffn_dim=8960),
            _wan("wan-5b", _WAN_VAE_16X, dim=3072, layers=30, heads=24, ffn_dim=14336),
            _wan("wan-14b", _WAN_VAE_8X, dim=5120, layers=40, heads=40, ffn_dim=13824),
        )
    }
)


def get_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        SettingsError: there is none.
    """
    if name not in PRESETS:
        raise SettingsError(f"no model preset {name!r}", remedy=f"Choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def latent_frames(frame_count: int) -> int:
    """Latent frames that hold `frame_count` video frames (rounded up to the next 4F - 3)."""
    return 1 + -(-(frame_count - 1) // TEMPORAL_STRIDE)


def video_frames(latent_count: int) -> int:
    """Video frames that `latent_count` latent frames decode to: T = 4F - 3."""
    return 1 + (latent_count - 1) * TEMPORAL_STRIDE
