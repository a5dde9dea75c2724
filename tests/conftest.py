"""Fixtures and settings that the whole suite shares."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

# Two OpenMP threads on a loaded machine spin on each other. The variables must be set before
# numpy or torch are imported, which is why this stands at module level and torch is not touched.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

_ROOT = Path(__file__).resolve().parents[1]
_SHARED_DATA = Path(os.environ.get("VOXUDA_SHARED_DATA", _ROOT.parent / "shared" / "data"))
_NEED_VIEWER = tuple(
    _ROOT / "tests" / name for name in ("gui", "_napari", "benchmarks/gui_latency/test_window.py")
)


_EXTRAS = ("tifffile", "zarr")  # tests that need one of them skip without


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _has_qt_binding() -> bool:
    return any(_is_installed(name) for name in ("PyQt6", "PySide6", "PyQt5", "PySide2"))


def _missing_for_the_viewer() -> str | None:
    """Say why tests of the docks cannot run here, or None when they can."""
    missing = [
        name for name in ("napari", "qtpy", "superqt", "pytestqt") if not _is_installed(name)
    ]
    if not _has_qt_binding():
        missing.append("a Qt binding")
    if missing:
        return f"not installed: {', '.join(missing)}"
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "no display; run `xvfb-run -a pytest`"
    return None


_NO_VIEWER = _missing_for_the_viewer()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what needs a viewer where there can be none, and the part that is not asked for."""
    needs_viewer = any(collection_path.is_relative_to(path) for path in _NEED_VIEWER)
    part = config.getoption("--part")
    if needs_viewer:
        return True if _NO_VIEWER is not None or part == "headless" else None
    return True if part == "viewer" and collection_path.name.startswith("test_") else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options with which CI makes sure that nothing is left out unseen."""
    parser.addoption(
        "--require-viewer", action="store_true", help="fail where the docks cannot be tested"
    )
    parser.addoption(
        "--part",
        choices=("viewer", "headless"),
        help="run only what needs a viewer, or only the rest; only the rest can share two processes",
    )
    parser.addoption(
        "--require-extras", action="store_true", help="fail where an optional package is missing"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without a viewer, or without an optional package, where they were asked for."""
    missing = [name for name in _EXTRAS if not _is_installed(name)]
    if config.getoption("--require-extras") and missing:
        raise pytest.UsageError(f"--require-extras: not installed: {', '.join(missing)}")
    if config.getoption("--require-viewer") and _NO_VIEWER is not None:
        raise pytest.UsageError(f"--require-viewer: the docks cannot be tested: {_NO_VIEWER}")


def pytest_report_header() -> list[str]:
    """Say what this run leaves out."""
    lines = []
    if _NO_VIEWER is not None:
        left_out = ", ".join(str(path.relative_to(_ROOT)) for path in _NEED_VIEWER)
        lines.append(f"left out are {left_out}: {_NO_VIEWER}")
    if not _SHARED_DATA.is_dir():
        lines.append(f"tests on shared data are skipped: no folder {_SHARED_DATA}")
    return lines


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real and third-party files; skip where it is not at hand."""
    if not _SHARED_DATA.is_dir():
        pytest.skip(f"shared data not found in {_SHARED_DATA}; set VOXUDA_SHARED_DATA")
    return _SHARED_DATA


class StandIn:
    """Two sites of the Protein Data Bank on this machine: ``rcsb`` and, to fall back to, ``pdbe``.

    `asked` holds the paths that were asked for, and `agents` the programs that asked.
    """

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.agents: list[str] = []
        self.held = threading.Event()
        self.held.set()  # cleared by a test, it lets every answer wait

    def put(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """Answer `path` with `body`; without, a path is answered 404."""
        self.answers[path] = (status, body, headers)

    def archive(self, port: int, **bounds: float) -> object:
        """Return the sites as the program knows them."""
        from napari_voxuda.io._https import Bounds
        from napari_voxuda.io.pdb_entries import Archive, Site

        url = f"http://127.0.0.1:{port}"
        sites = (
            Site(name="RCSB", address=url + "/rcsb/{entry}.cif.gz", allow_http=True),
            Site(name="PDBe", address=url + "/pdbe/{middle}/{entry}.cif.gz", allow_http=True),
        )
        return Archive(sites=sites, bounds=Bounds(**bounds))  # type: ignore[arg-type]

    def serve(self) -> ThreadingHTTPServer:
        """Return a server that gives the answers."""
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand_in.asked.append(self.path)
                stand_in.agents.append(self.headers["User-Agent"])
                stand_in.held.wait(30)
                status, body, headers = stand_in.answers.get(self.path, (404, b"", {}))
                self.send_response(status)
                for name, value in {"Content_Length": str(len(body)), **headers}.items():
                    if value:
                        self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # the reader went away, as it may
                    super().handle()

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="session", autouse=True)
def _no_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave the network, the user's cache and the user's runs alone."""
    from napari_voxuda.io import pdb_entries

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdb_entries, "ARCHIVE", pdb_entries.Archive(sites=()))
        patch.setenv(pdb_entries.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        patch.setenv("VOXUDA_RUNS", str(tmp_path_factory.mktemp("runs") / "runs"))
        yield


@pytest.fixture
def pdb_sites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    """Stand-ins for the sites of the Protein Data Bank, and an empty cache ``tmp_path/cache``."""
    from napari_voxuda.io import pdb_entries

    stand_in = StandIn()
    server = stand_in.serve()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setattr(pdb_entries, "ARCHIVE", stand_in.archive(server.server_port))
    monkeypatch.setenv(pdb_entries.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield stand_in
    stand_in.held.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def pdb_file() -> Callable[..., bytes]:
    """Return a function that makes an entry's gzipped mmCIF file: a made-up ball of leucines."""

    def make(identifier: str, *, atoms: int = 400) -> bytes:
        import gemmi
        import numpy as np

        rng = np.random.default_rng(0)
        chain = gemmi.Chain("A")
        for number in range(atoms):
            direction = rng.normal(size=3)
            place = direction / np.linalg.norm(direction) * 30 * rng.random() ** (1 / 3)
            atom = gemmi.Atom()
            atom.name, atom.element = "CA", gemmi.Element("C")
            atom.pos = gemmi.Position(*place)
            residue = gemmi.Residue()
            residue.name, residue.seqid = "LEU", gemmi.SeqId(str(number + 1))
            residue.add_atom(atom)
            chain.add_residue(residue)
        model = gemmi.Model(1)
        model.add_chain(chain)
        structure = gemmi.Structure()
        structure.name = identifier.upper()
        structure.info["_entry.id"] = identifier.upper()
        structure.add_model(model)
        structure.setup_entities()
        return gzip.compress(structure.make_mmcif_document().as_string().encode(), mtime=0)

    return make


@pytest.fixture(autouse=True)
def _own_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the choices made in docks out of the user's settings and of other tests."""
    monkeypatch.setenv("VOXUDA_CONFIG", str(tmp_path / "config"))


@pytest.fixture(autouse=True)
def _single_torch_thread() -> None:
    """Keep torch on one thread, also where it was imported before this file was read."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
