"""Which system calls are left to a process that has read all it needs: those that touch its own memory and its pipes.

A filter of the kernel (seccomp) refuses every other one with EPERM: no file, socket, process or signal to others can be
asked for, whatever Python objects or machine code the process finds. It needs no privileges, and cannot be taken off.
"""

import ctypes
import platform
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Unconfinable(Exception):  # crosses a pipe as its text
    """This system has no filter of system calls that we know how to set."""


class _Machine(NamedTuple):
    audit_arch: int
    allowed: tuple[int, ...]


# read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn mremap madvise
# sched_yield getpid gettid nanosleep clock_gettime clock_nanosleep gettimeofday futex sigaltstack getrandom exit
# exit_group, by the numbers of each machine.
_MACHINES: Mapping[str, _Machine] = {
    "x86_64": _Machine(
        0xC000003E,
        (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 25, 28, 24, 39, 186, 35, 228, 230, 96, 202, 131, 318, 60, 231),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        (
            *(63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 216, 233, 124, 172, 178, 101, 113, 115, 169, 98),
            *(132, 278, 93, 94),
        ),
    ),
}  # fmt: skip

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
# BPF: load a word, compare it, return. Offsets into `struct seccomp_data`: number 0, architecture 4.
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050001
# Calls of the x32 convention, which share the architecture.
_X32 = 0x40000000

_Instruction = tuple[int, int, int, int]


class _Filter(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Filter)))


def is_confinable() -> bool:
    """Whether this system can confine code at all."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES


def confine() -> None:
    """Leave this process, for good, only what it needs to compute; raises Unconfinable."""
    if not is_confinable():
        raise Unconfinable(f"{platform.system()} on {platform.machine()}")
    code = _program(_MACHINES[platform.machine()])
    filters = (_Filter * len(code))(*(_Filter(*instruction) for instruction in code))
    program = _Program(len(code), filters)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        raise Unconfinable(f"the kernel refuses a filter of system calls (error {ctypes.get_errno()})")


def _program(machine: _Machine) -> Sequence[_Instruction]:
    count = len(machine.allowed)
    comparisons = [(_JUMP_IF_EQUAL, count - place, 0, number) for place, number in enumerate(machine.allowed)]
    return [
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 1, 0, machine.audit_arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_JUMP_IF_AT_LEAST, count, 0, _X32),
        *comparisons,
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
