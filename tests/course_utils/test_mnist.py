"""MNISTSampler: what it draws, where its data come from, and what it says without them."""

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import mnist
from course_utils.distributions import LabeledSampleable
from course_utils.mnist import MNISTSampler
from course_utils.mnist_files import DataError, StorageError
from course_utils.runtime import set_seed

COURSE_DATA = os.environ.get("COURSE_DATA", "")
torchvision_mirrors = mnist._torchvision_mirrors  # which every test replaces
has_mnist = bool(COURSE_DATA) and mnist.raw_folder(Path(COURSE_DATA)).is_dir()


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """Each test in a folder of its own, as in a fresh process, and asking nobody."""
    monkeypatch.chdir(tmp_path)
    for variable in ("COURSE_DATA", "COURSE_OFFLINE", "COURSE_MNIST_MIRRORS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(mnist, "_torchvision_mirrors", lambda: ["http://127.0.0.1:9/"])
    monkeypatch.setattr(mnist, "_prepared", {})
    monkeypatch.setattr(mnist, "_failures", {})
    monkeypatch.setattr(mnist, "_noticed", False)


@pytest.fixture
def sampler(small, tmp_path):
    """120 different images of noise, 12 of each digit."""
    small.write(tmp_path)
    return MNISTSampler(tmp_path)


@pytest.fixture
def digits():
    return MNISTSampler(source="digits")


def keys(images):
    return [image.numpy().tobytes() for image in images]


def label_of(sampler):
    """From an image to its label, for data without duplicates."""
    images, labels = sampler.subset()
    table = dict(zip(keys(images), labels.tolist(), strict=True))
    assert len(table) == len(sampler)
    return table


# ---- What is drawn ----


def test_shapes_dtypes_and_attributes(sampler, digits):
    for data in (sampler, digits):
        assert isinstance(data, LabeledSampleable)
        assert data.num_classes == 10 and data.shape == (1, 32, 32)
        images, labels = data.sample(7)
        assert images.shape == (7, 1, 32, 32) and images.dtype == torch.float32
        assert labels.shape == (7,) and labels.dtype == torch.int64
        images, labels = data.subset()
        assert images.min() == -1 and images.max() == 1
        assert labels.unique().tolist() == list(range(10))
    assert (sampler.source, digits.source) == ("mnist", "digits")
    assert len(sampler) == 120
    assert repr(digits) == "MNISTSampler(source='digits', split='train', images=1,497)"


def test_images_stay_with_their_labels_and_differ_within_a_call(sampler, small):
    table = label_of(sampler)
    assert list(table.values()) == small.arrays[small.train.labels.name].tolist()
    assert list(table)[:5] == keys(sampler.subset(5)[0])
    images, labels = sampler.sample(len(sampler))
    assert [table[key] for key in keys(images)] == labels.tolist()
    assert len(set(keys(images))) == len(sampler)
    assert keys(images) != list(table), "a permutation, not the order of the files"


def test_every_image_is_drawn_equally_often(sampler):
    set_seed(0)
    position = {key: index for index, key in enumerate(label_of(sampler))}
    draws = [position[key] for _ in range(400) for key in keys(sampler.sample(30)[0])]
    counts = np.bincount(draws, minlength=120)
    # Each count is Binomial(400, 1/4): 100 with a standard deviation of 8.7.
    assert counts.min() > 55 and counts.max() < 145


def test_a_seed_fixes_the_draws(sampler):
    def draws(seed):
        set_seed(seed)
        return *sampler.sample(20), sampler.sample_given(torch.arange(10))

    first, again, other = draws(3), draws(3), draws(4)
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], other[0]) and not torch.equal(first[2], other[2])


def test_writing_into_what_was_drawn_changes_no_data(sampler, tmp_path):
    before = [tensor.clone() for tensor in sampler.subset()]
    for tensor in [*sampler.subset(), *sampler.sample(120), sampler.sample_given([0, 1])]:
        tensor.fill_(5)
    for data in (sampler, MNISTSampler(tmp_path)):
        assert all(map(torch.equal, data.subset(), before))


@pytest.mark.parametrize("as_list", [False, True])
def test_images_of_the_labels_asked_for(sampler, as_list):
    table = label_of(sampler)
    labels = [3, 0, 3, 9, 9, 9, 1]
    images = sampler.sample_given(labels if as_list else torch.tensor(labels, dtype=torch.int32))
    assert [table[key] for key in keys(images)] == labels
    assert len(set(keys(images))) == len(labels)
    assert len(set(keys(sampler.sample_given([4] * 12)))) == 12
    assert sampler.sample_given(torch.tensor([], dtype=torch.int64)).shape == (0, 1, 32, 32)


@pytest.mark.parametrize("label", [-1, 10, 255])
def test_a_label_outside_the_digits_is_refused(sampler, label):
    with pytest.raises(ValueError, match=rf"{label}.*expected digits 0 … 9"):
        sampler.sample_given(torch.tensor([1, label]))


@pytest.mark.parametrize("labels", [torch.tensor([[1]]), torch.zeros(3), torch.tensor([True])])
def test_labels_of_another_kind_are_refused(sampler, labels):
    with pytest.raises(ValueError, match=r"labels have shape .* expected \(n,\)"):
        sampler.sample_given(labels)


def test_more_images_of_a_digit_than_there_are(sampler):
    with pytest.raises(ValueError, match=r"13 images of the digit 4 .* holds 12"):
        sampler.sample_given([4] * 13)


@pytest.mark.parametrize("draw", ["sample", "subset"])
def test_bad_numbers_of_samples(sampler, draw):
    with pytest.raises(ValueError, match=r"num_samples is 121; expected at most 120"):
        getattr(sampler, draw)(121)
    for number in (0, -3, True):
        with pytest.raises(ValueError, match="expected a whole number of at least 1"):
            getattr(sampler, draw)(number)
    # Without the type checker of the tests, as a student runs it.
    for number in (2.0, "3"):
        with pytest.raises(ValueError, match="expected a whole number of at least 1"):
            sampler._check_count(number)


# ---- Preparing ----


def test_resizing_is_that_of_torchvision_through_pil(sampler, small):
    from torchvision.transforms import Compose, Normalize, Resize, ToTensor

    transform = Compose([Resize(32), ToTensor(), Normalize([0.5], [0.5])])
    noise = small.arrays[small.train.images.name]
    expected, grey_level = torch.stack([transform(Image.fromarray(a)) for a in noise]), 2 / 255
    torch.testing.assert_close(sampler.subset()[0], expected, rtol=0, atol=1.01 * grey_level)
    # Rounding may go the other way for a few; a shift or another filter moves all of them.
    assert (sampler.subset()[0] - expected).abs().mean() < 0.1 * grey_level


def test_data_are_bytes_shared_by_all_samplers_and_in_no_checkpoint(sampler, tmp_path):
    assert sampler.state_dict() == {}
    images = dict(sampler.named_buffers())["_images"]
    assert images.dtype == torch.uint8 and images.shape == (120, 1, 32, 32)
    other = dict(MNISTSampler(tmp_path).named_buffers())["_images"]
    assert other.data_ptr() == images.data_ptr()


def test_the_module_draws_where_it_lies(sampler):
    assert sampler.double().sample(2)[0].dtype == torch.float32
    moved = sampler.to("meta")
    images, labels = moved.sample(3)
    assert images.device.type == labels.device.type == "meta"
    assert images.shape == (3, 1, 32, 32)


def test_test_data_are_others(small, tmp_path):
    small.write(tmp_path, packed=True)
    train, test = MNISTSampler(tmp_path), MNISTSampler(tmp_path, train=False)
    assert (len(train), len(test), test.split) == (120, 30, "test")
    assert not set(label_of(train)) & set(label_of(test))


def test_files_that_changed_are_read_again(small, sampler, tmp_path):
    path = tmp_path / "MNIST" / "raw" / small.train.images.name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=small.train.images.name):
        MNISTSampler(tmp_path)
    path.write_bytes(whole)
    assert len(MNISTSampler(tmp_path)) == 120


# ---- The embedded digits ----


def test_digits_are_those_of_scikit_learn(digits):
    table = mnist._digits_table()
    # As load_digits() gives them; importing it here would take longer than all other tests.
    assert table.shape == (1797, 65) and table[:, :64].sum() == 561_718
    assert table[:10, 64].tolist() == list(range(10))
    images, labels = digits.subset(100)
    # Averages over blocks undo the resizing, up to what crosses the edge of a block.
    blocks = images.reshape(-1, 8, 4, 8, 4).mean((2, 4)).flatten(1)
    nearest = torch.cdist(blocks, torch.from_numpy(table[:, :64] - 8) / 8).argmin(1)
    assert labels.tolist() == table[nearest, 64].tolist()


def test_digits_without_the_file_that_scikit_learn_keeps(monkeypatch):
    table = mnist._digits_table()
    bunch = SimpleNamespace(data=table[:, :64].astype(float), target=table[:, 64].astype(int))
    loader = SimpleNamespace(load_digits=lambda: bunch)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", loader)
    monkeypatch.setitem(sys.modules, "sklearn", SimpleNamespace(datasets=loader))
    monkeypatch.setattr(mnist.importlib.util, "find_spec", lambda name: None)
    assert np.array_equal(mnist._digits_table(), table)


def test_digits_are_split_evenly_by_class():
    train, test = MNISTSampler(source="digits"), MNISTSampler(train=False, source="digits")
    assert (len(train), len(test)) == (1497, 300)
    counts = [data.subset()[1].bincount() for data in (train, test)]
    share = counts[1] / (counts[0] + counts[1])
    assert ((share - 1 / 6).abs() < 0.006).all()
    assert not set(keys(train.subset()[0])) & set(keys(test.subset()[0]))


# ---- Where the data come from ----


def test_an_unknown_source():
    with pytest.raises(ValueError, match=r"source is 'cifar'; expected \"auto\""):
        MNISTSampler(source="cifar")


def test_the_folder_is_root_or_course_data_or_data(small, tmp_path, monkeypatch):
    for name in ("data", "named", "given"):
        small.write(tmp_path / name)
    seen = []
    monkeypatch.setattr(
        mnist, "_mnist", lambda folder, split: seen.append(folder) or mnist._digits(True)
    )
    MNISTSampler()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "named"))
    MNISTSampler()
    MNISTSampler("given")
    raws = [tmp_path / name / "MNIST" / "raw" for name in ("data", "named", "given")]
    assert seen == raws


def test_a_missing_folder_is_an_error_that_names_it(tmp_path, monkeypatch, capsys):
    with pytest.raises(DataError, match=r"root names .*nowhere, which is missing"):
        MNISTSampler(tmp_path / "nowhere")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "absent"))
    with pytest.raises(DataError, match=r"COURSE_DATA names .*absent, which is missing.*Create"):
        MNISTSampler()
    monkeypatch.setenv("COURSE_DATA", __file__)
    with pytest.raises(DataError, match="which is not a folder"):
        MNISTSampler()
    assert capsys.readouterr().out == ""
    assert MNISTSampler(source="digits").source == "digits", "needs no folder"
    assert capsys.readouterr().out == "", "and no notice"

    def refuse(self):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.is_dir", refuse)
    with pytest.raises(DataError, match=r"COURSE_DATA names .*out of reach \(Permission denied"):
        MNISTSampler()


def test_missing_files_are_downloaded_into_the_folder_named(small, tmp_path, serve, monkeypatch):
    mirror = serve(small.packed)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_MNIST_MIRRORS", f"http://127.0.0.1:9/ {mirror.url}")
    folder = small.write(tmp_path)
    (folder / small.test.labels.name).unlink()
    assert MNISTSampler().source == "mnist"
    assert dict(mirror.asked) == {f"{small.test.labels.name}.gz": 1}
    assert len(MNISTSampler(train=False)) == 30


def test_a_download_makes_the_default_folder(small, tmp_path, serve, capfd):
    sampler = MNISTSampler(mirrors=[serve(small.packed).url])
    assert sampler.source == "mnist" and (tmp_path / "data" / "MNIST" / "raw").is_dir()
    assert capfd.readouterr().err == ""


def test_without_a_network_digits_do_with_one_notice(small, tmp_path, capfd):
    assert MNISTSampler().source == "digits"
    assert MNISTSampler(train=False).source == "digits"
    assert MNISTSampler(tmp_path).source == "digits"
    written = capfd.readouterr()
    assert written.err == ""
    assert written.out.count("scikit-learn") == 1 and "COURSE_DATA" in written.out
    assert str(tmp_path / "data") in written.out and "http://127.0.0.1:9/" in written.out
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_mirrors_that_failed_are_not_waited_for_again(small, serve):
    mirror = serve({})
    assert MNISTSampler().source == "digits", "the failure of other mirrors"
    for _ in range(3):
        assert MNISTSampler(mirrors=[mirror.url]).source == "digits"
    assert mirror.asked.total() == 1
    mirror.files = dict(small.packed)
    assert MNISTSampler(source="mnist", mirrors=[mirror.url]).source == "mnist"
    assert MNISTSampler().source == "mnist"


def test_files_on_disk_of_one_split_alone_do_not_mix_sources(small, tmp_path):
    folder = small.write(tmp_path)
    (folder / small.test.images.name).unlink()
    assert MNISTSampler(tmp_path).source == MNISTSampler(tmp_path, train=False).source == "digits"


@pytest.mark.parametrize("value, asks", [("1", False), ("0", True), ("", True)])
def test_course_offline(small, serve, monkeypatch, capsys, value, asks):
    monkeypatch.setenv("COURSE_OFFLINE", value)
    mirror = serve(small.packed)
    source = MNISTSampler(mirrors=[mirror.url]).source
    assert (source, bool(mirror.asked)) == (("mnist", True) if asks else ("digits", False))
    assert ("COURSE_OFFLINE" in capsys.readouterr().out) is not asks


def test_mnist_insisted_on_is_mnist_or_an_error(small, tmp_path, monkeypatch, capsys):
    with pytest.raises(DataError, match=r"not complete in .*raw .*127\.0\.0\.1:9.*source=\"digits"):
        MNISTSampler(source="mnist")
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(DataError, match="COURSE_OFFLINE forbids"):
        MNISTSampler(source="mnist")
    assert capsys.readouterr().out == ""
    small.write(tmp_path / "data", packed=True)
    assert MNISTSampler(source="mnist").source == "mnist"


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_a_damaged_file_is_an_error_and_never_replaced(small, tmp_path, serve, source):
    mirror, folder = serve(small.packed), small.write(tmp_path, packed=True)
    path = folder / f"{small.train.labels.name}.gz"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match=r"train-labels.*HTML page.*Delete it"):
        MNISTSampler(tmp_path, source=source, mirrors=[mirror.url])
    assert path.read_bytes() == b"<html>not found</html>" and not mirror.asked


def test_a_folder_that_cannot_be_written(small, tmp_path, serve, monkeypatch, capsys):
    mirror = serve(small.packed)

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.mkdir", refuse)
        # Named: an error. Not named: a notice, for the course runs on the digits.
        with pytest.raises(StorageError, match=r"could not be written: Permission denied"):
            MNISTSampler(tmp_path, mirrors=[mirror.url])
        assert MNISTSampler(mirrors=[mirror.url]).source == "digits"
        assert "Permission denied" in capsys.readouterr().out
    assert MNISTSampler(tmp_path, mirrors=[mirror.url]).source == "mnist", "once it is mended"


# ---- The real thing ----


def test_torchvision_has_mirrors_and_the_same_files(monkeypatch):
    monkeypatch.undo()
    from torchvision.datasets import MNIST

    assert all(url.startswith("http") for url in mnist._torchvision_mirrors())
    files = [
        spec.name for split in (mnist.TRAIN, mnist.TEST) for spec in (split.images, split.labels)
    ]
    assert [f"{name}.gz" for name in files] == [name for name, _ in MNIST.resources]


@pytest.mark.mnist
@pytest.mark.skipif(not has_mnist, reason="COURSE_DATA holds no MNIST")
def test_mnist_itself():
    train, test = (
        MNISTSampler(COURSE_DATA, train=train, source="mnist") for train in (True, False)
    )
    assert (len(train), len(test)) == (60_000, 10_000)
    assert sum(buffer.nbytes for buffer in train.buffers()) <= 250e6
    images, labels = train.subset(10)
    assert labels.tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert images.min() == -1 and images.max() > 0.9
    assert test.subset(5)[1].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize(("n", "size"), [(3, 5), (2, 50), (5, 5)])
def test_every_choice_of_different_items_is_equally_likely(n: int, size: int) -> None:
    torch.manual_seed(0)
    counts = torch.zeros(size)
    rounds = 4000
    for _ in range(rounds):
        picks = mnist._distinct(n, size, torch.device("cpu"))
        assert len(set(picks.tolist())) == n
        counts[picks] += 1
    share = n / size
    # Six standard errors of a binomial count.
    allowed = 6 * (rounds * share * (1 - share)) ** 0.5 + 1e-6
    assert (counts - rounds * share).abs().max() <= allowed
