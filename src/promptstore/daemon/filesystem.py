"""Which file systems tell of changes: those of a network do not, whoever else writes there."""

from __future__ import annotations

import os

SILENT = frozenset(
    {"9p", "afs", "ceph", "cifs", "drvfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "vboxsf"}
)
"""File systems on which inotify sees this machine's own changes only (inotify(7), "Limitations and caveats")."""
_SILENT_FUSE = frozenset(
    {"fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.glusterfs", "fuse.vmhgfs-fuse", "fuse.prl_fsd"}
)
_MOUNTS = "/proc/self/mountinfo"


def is_silent(path: str) -> bool:
    """Whether changes at ``path`` may come without an event."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            return kind_of(os.path.realpath(path), file.read()) in SILENT | _SILENT_FUSE
    except OSError:
        return False


def kind_of(path: str, mountinfo: str) -> str:
    """The file system's type of ``path``, by the table of mounts (proc_pid_mountinfo(5)); the last mount wins."""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        if len(words) < 5 or not right:
            continue
        place = _unescaped(words[4])
        if _is_below(path, place) and len(place) >= len(best):
            best, kind = place, right.split()[0]
    return kind


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")


def _unescaped(place: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        place = place.replace(code, char)
    return place
