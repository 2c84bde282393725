"""The reference of lab 3 earns full marks, and a seed chooses what it is tried on."""

from unet_answers import assert_right

from course_utils.checks.unet import LAB
from course_utils.solved.unet import (
    Decoder,
    Encoder,
    FourierEncoder,
    MNISTUNet,
    ResidualLayer,
)


def test_the_reference_earns_full_marks() -> None:
    assert_right("3.1", FourierEncoder)
    assert_right("3.2", ResidualLayer)
    assert_right("3.3", (Encoder, Decoder))
    assert_right("3.4", MNISTUNet)


def test_a_seed_chooses_the_sizes() -> None:
    for number, names in {
        "3.1": ("dim",),
        "3.2": ("channels_in", "h", "t_dim", "y_dim"),
        "3.3": ("channels_in", "layers", "t_dim", "y_dim"),
        "3.4": ("channels", "num_classes", "t_dim", "y_dim"),
    }.items():
        for name in names:
            tried = {LAB.jobs[number].parts[0].inputs(seed)[name] for seed in range(20)}
            assert len(tried) > 1, (number, name)
