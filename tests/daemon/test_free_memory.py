"""Memory that nothing uses goes back to the system, also where free pieces lie between used ones."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.daemon import free_memory

ROOT = Path(__file__).parents[2]
#: Fills the C library's heap with blocks of 64 KiB, lets all but each tenth go, and gives back.
PROBE = """
import ctypes, re
from sensor.daemon.free_memory import FreeMemory
def resident(): return int(re.findall(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[0])
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
blocks = [c.malloc(64 << 10) for _ in range(2_000)]
for block in blocks:
    ctypes.memset(block, 1, 64 << 10)
full = resident()
for number, block in enumerate(blocks):
    if number % 10:
        c.free(ctypes.c_void_p(block))
between = resident()
FreeMemory().look(1.0)
print(full, between, resident())
"""


def has_trim() -> bool:
    return hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not has_trim(), reason="the C library has no malloc_trim")
def test_what_is_free_between_used_blocks_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, cwd=ROOT, check=True)
    full, between, after = map(int, re.findall(r"\d+", done.stdout))
    assert between > 0.9 * full
    assert after < full - 100_000  # of 128 MB a tenth is still used


def test_without_such_a_function_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    free_memory._trim.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert free_memory.FreeMemory().look(1.0) is False
    free_memory._trim.cache_clear()


def test_it_is_done_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "_trim", lambda: lambda _: 1)
    memory = free_memory.FreeMemory()
    assert [memory.look(at_s) for at_s in (5.0, 6.0, 14.9, 15.0, 16.0)] == [True, False, False, True, False]


#: Threads that allocate at once; how many heaps the C library tells of (malloc_info(3)).
HEAPS = """
import ctypes, sys, threading
from sensor.daemon.free_memory import keep_one_heap
assert not sys.argv[1:] or keep_one_heap()
c = ctypes.CDLL(None)
c.malloc.restype, c.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
threads = [threading.Thread(target=lambda: [c.malloc(5_000) for _ in range(2_000)]) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
out = c.fopen(b"/dev/stdout", b"w")
c.malloc_info(0, ctypes.c_void_p(out))
c.fflush(None)
"""


def heaps(*words: str) -> int:
    command = [sys.executable, "-c", HEAPS, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.count("<heap nr")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library has no mallopt")
def test_all_threads_share_one_heap() -> None:
    assert heaps("shared") == 1 < heaps()


def test_without_mallopt_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert free_memory.keep_one_heap() is False
