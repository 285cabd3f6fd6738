"""Too little memory is told from other failures, and said in one sentence."""

from __future__ import annotations

import pytest

from transferset.errors import TransfersetError
from transferset.training.room import is_out_of_memory, shortage, with_memory

OF_TORCH = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you "
    "tried to allocate 5603328 bytes. Error code 12 (Cannot allocate memory)"
)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError(OF_TORCH), "none left for 5603328 bytes more"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.50 GiB."), "for 2.50 GiB more"),
        (MemoryError("Unable to allocate 1.2 GiB for an array"), "none left for 1.2 GiB more"),
        (RuntimeError("std::bad_alloc"), "none left"),
        (RuntimeError("could not create a primitive"), "none left"),
        (RuntimeError("could not execute a primitive"), "none left"),
        (MemoryError(), "none left"),
    ],
)
def test_what_says_that_memory_ended(error, told):
    assert is_out_of_memory(error)
    assert shortage(error).endswith(told)
    match = f"enough memory, found {shortage(error)}; buy some"
    with pytest.raises(TransfersetError, match=match), with_memory("buy some"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("could not create a primitive descriptor for the matmul primitive"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("out of memory"),
    ],
)
def test_what_does_not(error):
    assert not is_out_of_memory(error)
    with pytest.raises(type(error), match=str(error)), with_memory("buy some"):
        raise error
