"""Lends this machine's Python to nodes that have none, read-only, for Ansible's modules: `lend-python.py PID...`,
each PID the first process of a node. The mounts live in the node's own mount namespace and go with it.
Prints nothing; exits 1 when a node could not get it. x86-64 and every other 64-bit Linux (numbers of 5.2 and later)."""
import ctypes
import os
import sys
import sysconfig

OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
CLONE_NEWNS = 0x20000
OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, MOVE_MOUNT_F_EMPTY_PATH = 1, 0x8000, 0x1000, 4
AT_FDCWD = -100
MOUNT_ATTR_RDONLY = 1

libc = ctypes.CDLL(None, use_errno=True)


def must(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def lend(pid, paths):
    """Runs in a process of its own: it does not come back from the node's namespace."""
    read_only = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY, 0, 0, 0)
    trees = []
    for path in paths:
        tree = must(libc.syscall(OPEN_TREE, AT_FDCWD, path.encode(), OPEN_TREE_CLONE | AT_RECURSIVE))
        must(libc.syscall(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH | AT_RECURSIVE, read_only, ctypes.sizeof(read_only)))
        trees.append((tree, path))
    must(libc.setns(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), CLONE_NEWNS))
    for tree, path in trees:
        if os.path.exists(path):
            continue
        is_program = path.startswith("/usr/bin/")
        if is_program:
            open(path, "w").close()
        else:
            os.makedirs(path)
        must(libc.syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, path.encode(), MOVE_MOUNT_F_EMPTY_PATH))
    if not os.path.lexists("/usr/bin/python3"):
        os.symlink(os.path.basename(program), "/usr/bin/python3")


program = os.path.realpath("/usr/bin/python3")
library = sysconfig.get_path("stdlib")
failed = False
for pid in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            lend(int(pid), [program, library])
            os._exit(0)
        except OSError as error:
            print(f"process {pid}: {error}", file=sys.stderr)
            os._exit(1)
    failed |= os.waitpid(child, 0)[1] != 0
sys.exit(1 if failed else 0)
