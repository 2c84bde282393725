"""course_utils.mnist_files: damage is named and never read; a download is whole or absent."""

import errno
import gzip
import multiprocessing
import os
import socket
import threading
import time

import numpy as np
import pytest

from course_utils import mnist_files
from course_utils.mnist_files import DataError, DownloadError, StorageError, download, find, read

HTML = b"<!DOCTYPE html>\n<html><body>Please log in to the network</body></html>"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


# ---- Reading ----


@pytest.mark.parametrize("packed", [False, True])
def test_whole_files_are_read(mini, tmp_path, packed):
    folder = mini.write(tmp_path, packed)
    for spec in mini.specs:
        array = read(find(folder, spec), spec)
        assert array.dtype == np.uint8 and array.flags.writeable
        np.testing.assert_array_equal(array, mini.arrays[spec.name])


def test_a_file_gzipped_in_another_way_is_the_same_file(mini, tmp_path):
    spec = mini.train.images
    path = tmp_path / f"{spec.name}.gz"
    path.write_bytes(gzip.compress(mini.plain[spec.name], compresslevel=1, mtime=7))
    np.testing.assert_array_equal(read(path, spec), mini.arrays[spec.name])


def test_the_plain_file_comes_before_the_gzipped_one(mini, tmp_path):
    folder, spec = mini.write(tmp_path), mini.train.labels
    assert find(folder, mini.test.images) == folder / mini.test.images.name
    (folder / f"{spec.name}.gz").write_bytes(b"whatever")
    assert find(folder, spec) == folder / spec.name
    (folder / spec.name).unlink()
    assert find(folder, spec) == folder / f"{spec.name}.gz"
    (folder / f"{spec.name}.gz").unlink()
    assert find(folder, spec) is None
    assert find(tmp_path / "nowhere", spec) is None


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


DAMAGE = {
    "truncated": ("", lambda data: data[:100], "holds 100 bytes"),
    "too long": ("", lambda data: data + b"x", "holds more than"),
    "wrong checksum": ("", flipped, "MD5 checksum"),
    "empty": ("", lambda data: b"", "empty"),
    "html": ("", lambda data: HTML, "HTML page"),
    "lfs": ("", lambda data: b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "gz truncated": (".gz", lambda data: gzip.compress(data)[:200], "ends before"),
    "gz of a truncated file": (".gz", lambda data: gzip.compress(data[:100]), "holds 100 bytes"),
    "gz of a wrong file": (".gz", lambda data: gzip.compress(flipped(data)), "MD5 checksum"),
    "gz of a huge file": (".gz", lambda data: gzip.compress(bytes(10**6)), "holds more than"),
    "gz with a wrong sum": (".gz", lambda data: gzip.compress(data)[:-8] + bytes(8), "no whole"),
    "gz damaged inside": (
        ".gz",
        lambda data: gzip.compress(data)[:50] + b"\xff" * 50 + gzip.compress(data)[100:],
        "gzip|MD5|bytes",
    ),
    "gz html": (".gz", lambda data: HTML, "HTML page"),
    "gz not packed": (".gz", lambda data: data, "starts like an idx file"),
    "gz empty": (".gz", lambda data: b"", "empty"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_and_kept(mini, tmp_path, damage):
    suffix, harm, found = DAMAGE[damage]
    spec = mini.train.images
    path = tmp_path / (spec.name + suffix)
    path.write_bytes(harmed := harm(mini.plain[spec.name]))
    with pytest.raises(DataError, match=found) as caught:
        read(path, spec)
    message = str(caught.value)
    assert str(path) in message and f"{len(harmed):,} bytes on disk" in message
    assert f"{spec.size:,} bytes" in message and spec.md5 in message and "Delete it" in message
    assert path.read_bytes() == harmed


def test_files_of_another_shape_are_refused_although_the_checksum_holds(mini, tmp_path):
    spec = mini.train.images
    other = mnist_files.FileSpec(spec.name, (spec.shape[0], 14, 56), spec.md5)
    path = tmp_path / spec.name
    path.write_bytes(mini.plain[spec.name])
    with pytest.raises(DataError):
        read(path, other)


def test_a_file_that_may_not_be_read_is_named(mini, tmp_path, monkeypatch):
    folder, spec = mini.write(tmp_path), mini.train.images

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", refuse)
        with pytest.raises(DataError, match=r"train-images.*cannot be read: Permission denied"):
            read(folder / spec.name, spec)
    monkeypatch.setattr("pathlib.Path.stat", refuse)
    with pytest.raises(DataError, match=r"train-images.*cannot be read: Permission denied"):
        find(folder, spec)


# ---- Downloading ----


def test_a_download_ends_with_whole_files_and_nothing_else(mini, tmp_path, serve, capfd):
    mirror, folder = serve(mini.packed), tmp_path / "MNIST" / "raw"
    download(folder, mini.specs, [mirror.url.rstrip("/")])
    assert names(folder) == sorted(mini.packed)
    assert set(mirror.asked.values()) == {1}
    for spec in mini.specs:
        np.testing.assert_array_equal(read(find(folder, spec), spec), mini.arrays[spec.name])
    assert capfd.readouterr().err == ""


def test_progress_goes_to_stdout(mini, tmp_path, serve, capfd, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "1")
    download(tmp_path, [mini.train.images], [serve(mini.packed).url])
    written = capfd.readouterr()
    assert "Downloading train-images" in written.out and "100%" in written.out
    assert written.err == ""


def test_a_mirror_need_not_say_how_long_a_file_is(mini, tmp_path, serve):
    mirror = serve(mini.packed)
    mirror.declared = dict.fromkeys(mini.packed)
    download(tmp_path, mini.specs, [mirror.url])
    assert names(tmp_path) == sorted(mini.packed)


BAD_ANSWERS = {
    "html": (lambda packed, data: HTML, "HTML page"),
    "truncated": (lambda packed, data: packed[:200], "ends before"),
    "wrong checksum": (lambda packed, data: gzip.compress(flipped(data)), "MD5 checksum"),
    "not packed": (lambda packed, data: data, "no whole gzip file"),
    "huge": (lambda packed, data: packed + b"x" * 10**6, "no whole gzip file"),
    "absent": (lambda packed, data: 404, "404 Not Found"),
    "broken": (lambda packed, data: 500, "500 Internal Server Error"),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_what_a_mirror_sends_is_checked_and_the_next_one_asked(mini, tmp_path, serve, answer):
    spoil, reason = BAD_ANSWERS[answer]
    spec = mini.train.images
    name = f"{spec.name}.gz"
    bad = serve(mini.packed | {name: spoil(mini.packed[name], mini.plain[spec.name])})
    with pytest.raises(DownloadError, match=reason) as caught:
        download(tmp_path, mini.specs, [bad.url])
    assert bad.url in str(caught.value) and name in str(caught.value)
    assert names(tmp_path) == []

    good = serve(mini.packed)
    download(tmp_path, mini.specs, [bad.url, good.url])
    assert names(tmp_path) == sorted(mini.packed)
    # Only the spoilt file came from the second mirror.
    assert good.asked == {name: 1}


@pytest.mark.parametrize("declared", [10**7, None])
def test_an_endless_answer_does_not_fill_the_disk(mini, tmp_path, serve, monkeypatch, declared):
    spec, sizes = mini.train.labels, []
    name = f"{spec.name}.gz"
    mirror = serve({name: bytes(10**7)})
    mirror.declared[name] = declared
    verified = mnist_files._verified

    def spy(path, *args, **kwargs):
        sizes.append(path.stat().st_size)
        return verified(path, *args, **kwargs)

    monkeypatch.setattr(mnist_files, "_verified", spy)
    with pytest.raises(DownloadError):
        download(tmp_path, [spec], [mirror.url])
    assert sizes == [mnist_files.CHUNK_BYTES]


def test_a_mirror_that_is_down_is_asked_once_and_the_next_one_serves(
    mini, tmp_path, serve, monkeypatch
):
    opened = []
    urlopen = mnist_files.urllib.request.urlopen

    def spy(request, **kwargs):
        opened.append(request.full_url)
        return urlopen(request, **kwargs)

    monkeypatch.setattr(mnist_files.urllib.request, "urlopen", spy)
    down, good = closed_port(), serve(mini.packed)
    download(tmp_path, mini.specs, [down, good.url])
    assert names(tmp_path) == sorted(mini.packed)
    assert sum(url.startswith(down) for url in opened) == 1
    with pytest.raises(DownloadError, match="refused"):
        download(tmp_path / "other", mini.specs, [down])
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("mirrors", [[], ["no-address"], ["http://"]])
def test_mirrors_that_are_no_addresses_are_a_download_error(mini, tmp_path, mirrors):
    with pytest.raises(DownloadError, match=r"train-images.*was not downloaded"):
        download(tmp_path, mini.specs, mirrors)


def test_a_mirror_that_never_answers_is_given_up(mini, tmp_path, serve, monkeypatch):
    monkeypatch.setattr(mnist_files, "CONNECT_SECONDS", 0.2)
    silent, good = serve(mini.packed), serve(mini.packed)
    silent.before_answer = lambda name: silent.release.wait(10)
    started = time.monotonic()
    download(tmp_path, mini.specs, [silent.url, good.url])
    assert time.monotonic() - started < 5
    assert names(tmp_path) == sorted(mini.packed)
    with pytest.raises(DownloadError, match=r"no answer within 0\.2 s"):
        download(tmp_path / "other", mini.specs, [silent.url])


def test_a_name_that_is_looked_up_for_long_is_given_up(mini, tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_files, "CONNECT_SECONDS", 0.1)
    done = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: done.wait(10))
    with pytest.raises(DownloadError, match="no answer"):
        download(tmp_path, mini.specs, ["http://mirror.invalid/"])
    done.set()


def test_a_mirror_that_stalls_half_way_is_given_up(mini, tmp_path, serve, monkeypatch):
    monkeypatch.setattr(mnist_files, "READ_SECONDS", 0.3)
    name = f"{mini.train.images.name}.gz"
    stalling = serve(mini.packed | {name: mini.packed[name][:1000]})
    stalling.declared[name] = len(mini.packed[name])
    with pytest.raises(DownloadError, match=r"broke off: timed out"):
        download(tmp_path, mini.specs, [stalling.url])
    assert names(tmp_path) == []


def full_disk(monkeypatch):
    """Writing to any file fails as it does on a full disk; what was written before stays."""
    opened = mnist_files.Path.open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, data):
            self.file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def open_full(path, mode="r", *args, **kwargs):
        file = opened(path, mode, *args, **kwargs)
        return Full(file) if "x" in mode or "w" in mode else file

    monkeypatch.setattr("pathlib.Path.open", open_full)


def test_a_full_disk_leaves_no_file_and_says_so(mini, tmp_path, serve, monkeypatch):
    mirror = serve(mini.packed)
    with monkeypatch.context() as patch:
        full_disk(patch)
        with pytest.raises(StorageError, match=r"No space left.*Make room"):
            download(tmp_path, mini.specs, [mirror.url, mirror.url])
    assert names(tmp_path) == []
    # Another mirror would not help.
    assert mirror.asked.total() == 1
    download(tmp_path, mini.specs, [mirror.url])
    assert names(tmp_path) == sorted(mini.packed)


def test_a_folder_that_cannot_be_made_is_a_storage_error(mini, tmp_path, serve):
    (tmp_path / "MNIST").write_text("a file")
    with pytest.raises(StorageError, match="could not be written"):
        download(tmp_path / "MNIST" / "raw", mini.specs, [serve(mini.packed).url])


def test_an_interrupt_leaves_no_file(mini, tmp_path, serve, monkeypatch):
    def interrupted(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(mnist_files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download(tmp_path, mini.specs, [serve(mini.packed).url])
    assert names(tmp_path) == []


def test_a_rename_refused_because_another_was_faster_is_no_error(tmp_path, monkeypatch):
    part, path = tmp_path / "part", tmp_path / "path"
    part.write_bytes(b"same")

    def refuse(self, target):
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(PermissionError):
        mnist_files._rename(part, path)
    path.write_bytes(b"same")
    mnist_files._rename(part, path)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="needs fork to start quickly"
)
def test_two_processes_download_at_once(mini, tmp_path, serve):
    mirror, together = serve(mini.packed), threading.Barrier(2)
    # Each file is handed out when both have asked for it.
    mirror.before_answer = lambda name: together.wait(20)
    fork = multiprocessing.get_context("fork")
    arguments = (tmp_path, mini.specs, [mirror.url])
    processes = [fork.Process(target=download, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0]
    assert set(mirror.asked.values()) == {2}
    assert names(tmp_path) == sorted(mini.packed)
    for spec in mini.specs:
        np.testing.assert_array_equal(
            read(tmp_path / f"{spec.name}.gz", spec), mini.arrays[spec.name]
        )
