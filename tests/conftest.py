"""Every test runs small, quiet, on one thread, and talks to nobody but this machine."""

import os

# Before torch and matplotlib are imported: they read these once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["COURSE_BUDGET"] = "smoke"
os.environ.pop("COURSE_DEVICE", None)
os.environ.pop("COURSE_PROGRESS", None)

import ipaddress
import signal
import socket

import pytest
import torch

torch.set_num_threads(1)

# A shell that starts the tests in the background (`make test &`) has them ignore interrupts; some
# of them are about interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_loopback(host: object) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections leave this machine in no test; a loopback server is fine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise OSError(f"tests have no network, and one connects to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
