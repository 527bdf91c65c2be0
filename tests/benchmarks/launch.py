"""Runs a command and tells what it cost: ``launch.py COMMAND…`` prints one line of JSON.

The memory of a child counts from the fork on, so that the peak of a small program started by a large one would be that
of the large one. This process stays smaller than anything that is measured.
"""

import os
import sys
import time

quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(pid, 0)
wall = time.perf_counter() - start
code, cpu, peak = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
print(f'{{"code": {code}, "wall": {wall:f}, "cpu": {cpu:f}, "peak": {peak:f}}}')
