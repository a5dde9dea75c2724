"""Set up a fresh clone and run the demo or the whole test suite in it.

    python3 scripts/bootstrap.py demo [options of napari-voxuda demo]
    python3 scripts/bootstrap.py test

Needs Python 3.11 or newer and nothing else. Everything goes into the clone: ``.venv`` and, for the
tests, ``.tox``. Run it again as often as you like; what is there already is used again. Where it
runs as root on a Debian-like system it installs missing system packages, else it names them.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
CONSTRAINTS = ROOT / "constraints" / "ci.txt"
OLDEST_PYTHON = (3, 11)

# What Qt's xcb platform and a software OpenGL context need, by the package that holds it.
VIEWER_LIBRARIES = {
    "libdbus-1.so.3": "libdbus-1-3",
    "libEGL.so.1": "libegl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libGL.so.1": "libgl1",
    "libGLX_mesa.so.0": "libglx-mesa0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
VIEWER_PROGRAMS = {"Xvfb": "xvfb", "xvfb-run": "xvfb", "xauth": "xauth"}


def main(words: list[str]) -> int:
    """Run the demo or the tests and return the exit status."""
    if sys.version_info < OLDEST_PYTHON:
        newer = next(filter(None, (shutil.which(f"python3.{m}") for m in range(14, 10, -1))), None)
        if newer is None:
            return fail("Python 3.11 or newer is needed; install it and run it with this script.")
        return subprocess.call([newer, __file__, *words])
    if words[:1] == ["demo"]:
        make_environment("-e", ".")
        return subprocess.call([BIN / "napari-voxuda", "demo", *words[1:]], cwd=ROOT)
    if words == ["test"]:
        make_environment("tox")
        tox = [*display(), BIN / "tox", "run", "-qq", "-e"]
        # One call each, and pytest last in "full": so its summary is the last line of all.
        failed = [subprocess.call([*tox, name], cwd=ROOT) != 0 for name in ("headless", "full")]
        return int(any(failed))
    print(__doc__)
    return 2


def make_environment(*requirements: str) -> None:
    """Make .venv and install `requirements` at the versions that CI uses, unless that is done."""
    if not (BIN / "python").exists() or not (BIN / "pip").exists():
        if importlib.util.find_spec("ensurepip") is None:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            install_system_packages([f"python{version}-venv"])
        run(sys.executable, "-m", "venv", "--clear", VENV)
    wanted = hashlib.sha256(CONSTRAINTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes())
    mark = VENV / f".installed-{requirements[-1].replace('.', 'package')}"
    if mark.exists() and mark.read_text() == wanted.hexdigest():
        return
    print(f"Installing into {VENV}; the first time this takes some minutes.", flush=True)
    run(BIN / "python", "-m", "pip", "install", "-q", "-c", CONSTRAINTS, *requirements)
    mark.write_text(wanted.hexdigest())


def display() -> list[str]:
    """Return the command that gives a program a display, after installing what a viewer needs."""
    if sys.platform != "linux":
        return []
    needs_server = not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY")
    missing = {package for name, package in VIEWER_LIBRARIES.items() if not is_loadable(name)}
    if needs_server:
        missing |= {package for name, package in VIEWER_PROGRAMS.items() if not shutil.which(name)}
    if missing:
        # The software renderer cannot be looked up by a library's name.
        install_system_packages([*sorted(missing), "libgl1-mesa-dri"])
    return ["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24"] if needs_server else []


def is_loadable(library: str) -> bool:
    """Whether the dynamic linker finds `library`."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def install_system_packages(packages: list[str]) -> None:
    """Install Debian packages as root; else say which are missing and stop."""
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        sys.exit(fail(f"Missing on this system (Debian's names): {' '.join(packages)}."))
    if os.geteuid() != 0:
        sys.exit(fail(f"Missing on this system. Run: sudo apt-get install {' '.join(packages)}"))
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "update", "-q")
    run(*command)


def run(*command: str | Path) -> None:
    """Run a command in the clone and stop where it fails."""
    status = subprocess.call(command, cwd=ROOT)
    if status:
        sys.exit(fail(f"Failed with status {status}: {' '.join(map(str, command))}"))


def fail(sentence: str) -> int:
    """Print an error and return the exit status that goes with it."""
    print(f"bootstrap.py: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
