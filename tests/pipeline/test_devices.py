"""Where models run: on the processor or on a GPU, and nowhere that torch only has a name for."""

from __future__ import annotations

import pytest

from transferset.errors import UsageError
from transferset.pipeline.options import check_device


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:0", "cuda:12"])
def test_devices(device):
    assert check_device(device) == device


def test_the_usual_one():
    assert check_device(None) == "cpu"


@pytest.mark.parametrize("device", ["", "meta", "mps", "CPU", "cpu:1", "cuda:", "cuda:1234", "x\n"])
def test_others_are_refused(device):
    with pytest.raises(UsageError, match="a device of torch's, cpu or cuda, found"):
        check_device(device)
