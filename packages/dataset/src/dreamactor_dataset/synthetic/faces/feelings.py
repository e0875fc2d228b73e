"""What faces do when something is felt: which muscles pull together, and how strongly at the height of it.

The groups follow the action units by which FACS tells feelings apart, said in ARKit's units; beside them stand the
habits that use what is left of the muscles: chewing, blowing up the cheeks, biting a lip.
"""

FEELINGS: tuple[dict[str, float], ...] = (
    # Joy, laughter, a smile that is held back.
    {"mouthSmile": 0.9, "cheekSquint": 0.7, "eyeSquint": 0.3, "mouthDimple": 0.3, "mouthUpperUp": 0.25},
    {
        "mouthSmile": 1.0,
        "cheekSquint": 0.8,
        "jawOpen": 0.5,
        "eyeSquint": 0.5,
        "mouthUpperUp": 0.4,
        "mouthLowerDown": 0.4,
    },
    {"mouthSmile": 0.6, "mouthPress": 0.6, "mouthRollUpper": 0.4, "mouthDimple": 0.7, "cheekSquint": 0.3},
    # Sadness, weeping, pain.
    {"mouthFrown": 0.8, "browInnerUp": 0.8, "mouthShrugLower": 0.5, "eyeSquint": 0.2},
    {"browInnerUp": 0.7, "mouthStretch": 0.5, "mouthFrown": 0.5, "eyeSquint": 0.7, "cheekSquint": 0.5, "jawOpen": 0.2},
    {"browDown": 0.7, "eyeSquint": 0.8, "cheekSquint": 0.7, "noseSneer": 0.5, "mouthStretch": 0.5, "mouthUpperUp": 0.4},
    # Surprise, awe, fear.
    {"browInnerUp": 0.8, "browOuterUp": 0.9, "eyeWide": 0.8, "jawOpen": 0.5},
    {"browInnerUp": 0.5, "browOuterUp": 0.5, "eyeWide": 0.4, "jawOpen": 0.6, "mouthFunnel": 0.5},
    {"browInnerUp": 0.9, "eyeWide": 0.9, "mouthStretch": 0.8, "jawOpen": 0.25, "mouthLowerDown": 0.4},
    # Anger, rage, defiance, disgust.
    {"browDown": 1.0, "eyeSquint": 0.4, "noseSneer": 0.4, "mouthPress": 0.7, "mouthRollUpper": 0.4},
    {"browDown": 1.0, "noseSneer": 0.7, "eyeWide": 0.4, "mouthUpperUp": 0.5, "mouthLowerDown": 0.6, "jawForward": 0.6},
    {"jawForward": 0.9, "mouthShrugLower": 0.5, "browDown": 0.5, "mouthPress": 0.3},
    {"noseSneer": 1.0, "mouthUpperUp": 0.7, "browDown": 0.5, "eyeSquint": 0.5, "mouthShrugUpper": 0.4},
    # Contempt and doubt, which take one side.
    {"mouthSmileLeft": 0.5, "mouthDimpleLeft": 0.9, "mouthLeft": 0.4, "cheekSquintLeft": 0.4},
    {"mouthLeft": 0.7, "jawLeft": 0.6, "browOuterUpRight": 0.7, "eyeSquintLeft": 0.5},
    # Thinking it over, not knowing, being fed up, sending a kiss.
    {"mouthPucker": 0.6, "mouthShrugUpper": 0.5, "browDown": 0.3, "eyeSquint": 0.3},
    {"mouthShrugLower": 0.9, "mouthShrugUpper": 0.6, "mouthFrown": 0.6, "browOuterUp": 0.5, "browInnerUp": 0.5},
    {"cheekPuff": 0.9, "mouthPucker": 0.3, "browInnerUp": 0.4, "eyeWide": 0.2},
    {"mouthPucker": 1.0, "mouthFunnel": 0.3, "eyeSquint": 0.2},
    # Lips drawn in, a lip between the teeth, a yawn, chewing.
    {"mouthRollLower": 0.9, "mouthRollUpper": 0.9, "mouthPress": 0.4, "browInnerUp": 0.3},
    {"mouthRollLower": 0.8, "mouthUpperUp": 0.4, "browInnerUp": 0.3, "eyeSquint": 0.2},
    {"jawOpen": 0.9, "eyeBlink": 0.7, "browOuterUp": 0.4, "mouthFunnel": 0.3},
    {"jawOpen": 0.35, "mouthClose": 0.35, "jawLeft": 0.5, "mouthLeft": 0.2},
)
"""At full strength; a name without a side means both sides, and what takes one side takes the other as often."""
