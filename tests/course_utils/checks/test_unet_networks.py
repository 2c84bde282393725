"""Job 3.4 beyond its corpus: what is judged apart, and whose stub is named."""

from torch import Tensor, nn
from unet_answers import layer, report, told

from course_utils.solved.unet import FourierEncoder, MNISTUNet, ResidualLayer


def test_a_stub_of_an_earlier_job_is_named() -> None:
    def stub(self: nn.Module, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        raise NotImplementedError("Your job 3.2")

    class Waiting(MNISTUNet):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            for part in self.modules():
                if isinstance(part, ResidualLayer):
                    part.__class__ = layer(stub)

    found = report("3.4", Waiting)
    assert found.stub and "Your job 3.2" in told(found)


def test_a_network_is_judged_apart_from_its_waves() -> None:
    """Nor is the stub of job 3.1 the first thing that an unsolved job 3.4 tells."""

    def stub(self: FourierEncoder, t: Tensor) -> Tensor:
        raise NotImplementedError("Your job 3.1")

    class Waiting(MNISTUNet):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            self.time_embedder = type("FourierEncoder", (FourierEncoder,), {"forward": stub})(8)

    assert report("3.4", Waiting).passed
