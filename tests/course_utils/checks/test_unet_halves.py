"""Job 3.3 beyond its corpus: what is judged apart, and partial credit."""

from torch import Tensor
from unet_answers import layer, report

from course_utils.solved.unet import Decoder, Encoder


def test_an_encoder_is_judged_apart_from_the_residual_layer() -> None:
    """Stand-ins answer for the layers: a mistake of job 3.2 costs no points in 3.3."""

    class Broken(Encoder):
        def __init__(self, *sizes: int) -> None:
            super().__init__(*sizes)
            for part in self.layers:
                part.__class__ = layer(lambda self, x, t, y: 0 * x)

    assert report("3.3", (Broken, Decoder)).passed


def test_one_of_two_stubs_is_partial_credit() -> None:
    def stub(self: Encoder, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        raise NotImplementedError("Your job 3.3")

    found = report("3.3", (type("Encoder", (Encoder,), {"forward": stub}), Decoder))
    assert found.stub and found.earned == 2
