"""Runs a command in a terminal of its own, types `q` once it has drawn what is waited for, and prints all that it drew.

    in_terminal.py WANTED COMMAND...
"""

import fcntl
import os
import pty
import struct
import sys
import termios

wanted, command = sys.argv[1].encode(), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
drawn, typed = b"", False
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:  # The last who had the terminal has gone.
        break
    if not piece:
        break
    drawn += piece
    if not typed and wanted in drawn:
        os.write(terminal, b"q")
        typed = True
sys.stdout.buffer.write(drawn)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
