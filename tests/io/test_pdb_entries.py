"""Fetching entries from a stand-in on this machine; no test touches the network."""

from __future__ import annotations

import gzip
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
import pytest

from napari_voxuda import __version__
from napari_voxuda.errors import DownloadError, InputError, OutputError
from napari_voxuda.io import pdb_entries
from napari_voxuda.io._https import Bounds, get
from napari_voxuda.io.pdb_entries import (
    Archive,
    Site,
    cached_entry,
    entry_identifier,
    entry_path,
    fetch_entry,
    is_entry_identifier,
)

FIRST, SECOND = "/rcsb/1abc.cif.gz", "/pdbe/ab/1abc.cif.gz"


@pytest.fixture
def bounded(monkeypatch):
    """Return a function that makes the bounds of the sites tighter."""

    def tighten(**bounds):
        archive = pdb_entries.ARCHIVE
        changed = Archive(sites=archive.sites, bounds=Bounds(**bounds))
        monkeypatch.setattr(pdb_entries, "ARCHIVE", changed)

    return tighten


@pytest.fixture
def nobody_answers(pdb_sites, monkeypatch):
    """Sites at a port that nobody listens to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setattr(pdb_entries, "ARCHIVE", pdb_sites.archive(port))


def no_traces(folder: Path) -> bool:
    return not any(path.is_file() for path in folder.rglob("*"))


@pytest.mark.parametrize("word", ["1bxn", "1BXN", "pdb_00001bxn", "PDB_00001BXN"])
def test_identifiers_come_in_two_forms(word):
    assert is_entry_identifier(word)
    assert entry_identifier(word) == "1bxn"


@pytest.mark.parametrize(
    "word",
    ["", "bxn1", "1bx", "1bxnn", "1b/n", "1bx.", "pdb_0001bxn", "pdb_10001bxn", " 1bxn", "١abc"],
)
def test_other_words_are_no_identifiers(word):
    assert not is_entry_identifier(word)
    with pytest.raises(InputError, match="such as 1bxn or pdb_00001bxn, got"):
        entry_identifier(word)


def test_the_real_sites_are_https_and_rcsb_is_first():
    first, second = (site.address.format(entry="1bxn", middle="bx") for site in Archive().sites)
    assert first == "https://files.rcsb.org/download/1bxn.cif.gz"
    assert second.startswith("https://ftp.ebi.ac.uk/")
    assert second.endswith("/mmCIF/bx/1bxn.cif.gz")
    assert not any(site.allow_http for site in Archive().sites)


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("VOXUDA_CACHE", str(tmp_path))
    assert entry_path("PDB_00001BXN") == tmp_path / "structures" / "1bxn.cif.gz"
    monkeypatch.setenv("VOXUDA_CACHE", "")
    platform = Path(platformdirs.user_cache_dir("napari-voxuda", appauthor=False))
    assert entry_path("1bxn") == platform / "structures" / "1bxn.cif.gz"


def test_an_entry_is_fetched_once_and_then_needs_no_network(pdb_sites, pdb_file, tmp_path):
    pdb_sites.put(FIRST, pdb_file("1abc"))
    assert cached_entry("1abc") is None
    path = fetch_entry("1ABC")
    assert path == tmp_path / "cache" / "structures" / "1abc.cif.gz"
    assert path.read_bytes() == pdb_file("1abc")
    assert pdb_sites.asked == [FIRST]
    assert pdb_sites.agents == [f"napari-voxuda/{__version__}"]
    assert fetch_entry("1abc") == cached_entry("pdb_00001abc") == path
    assert pdb_sites.asked == [FIRST]
    assert [p.name for p in path.parent.iterdir()] == ["1abc.cif.gz"]


def test_what_is_cached_is_used_offline(nobody_answers, pdb_file):
    path = entry_path("1abc")
    path.parent.mkdir(parents=True)
    path.write_bytes(pdb_file("1abc"))
    assert fetch_entry("1abc") == path


@pytest.mark.parametrize("damage", ["truncated", "empty", "another", "too large"])
def test_a_damaged_cached_file_is_fetched_anew(pdb_sites, pdb_file, bounded, damage):
    good = pdb_file("1abc")
    bounded(download_bytes=len(good) + 100)
    content = {
        "truncated": good[:-20],
        "empty": b"",
        "another": pdb_file("1abd"),
        "too large": good + bytes(200),
    }
    pdb_sites.put(FIRST, good)
    path = entry_path("1abc")
    path.parent.mkdir(parents=True)
    path.write_bytes(content[damage])
    assert cached_entry("1abc") is None
    assert fetch_entry("1abc").read_bytes() == good


def _wrong(pdb_file):
    good = pdb_file("1abc")
    plain = gzip.decompress(good).decode()
    return {
        "truncated": (good[:-20], "no whole gzipped file"),
        "damaged": (good[:200] + bytes(20) + good[220:], "no whole gzipped file"),
        "not zipped": (plain.encode(), "no whole gzipped file"),
        "a web page": (gzip.compress(b"<html>Sign in</html>"), "no mmCIF file"),
        "nothing": (gzip.compress(b""), "no mmCIF file"),
        "two blocks": (gzip.compress((plain + plain.replace("data_", "data_b")).encode()), "mmCIF"),
        "no entry": (gzip.compress(b"data_x\n_a.b 1\n"), "no mmCIF file of an entry"),
        "another entry": (pdb_file("9xyz"), "another entry, 9XYZ"),
        "no atoms": (gzip.compress(b"data_1ABC\n_entry.id 1ABC\n"), "no atoms"),
        "bomb": (gzip.compress(bytes(5 << 20)), "unpacks to more than 4 MiB"),
        "two-part bomb": (good + gzip.compress(bytes(5 << 20)), "unpacks to more than 4 MiB"),
        "oversize": (good + bytes(200_000), r"larger than 0\.09537 MiB"),
    }


@pytest.mark.parametrize(
    "kind",
    [
        *("truncated", "damaged", "not zipped", "a web page", "nothing", "two blocks", "no entry"),
        *("another entry", "no atoms", "bomb", "two-part bomb", "oversize"),
    ],
)
def test_what_cannot_be_used_never_enters_the_cache(pdb_sites, pdb_file, bounded, tmp_path, kind):
    bounded(download_bytes=100_000, unpacked_bytes=4 << 20)
    content, words = _wrong(pdb_file)[kind]
    pdb_sites.put(FIRST, content)
    with pytest.raises(DownloadError, match=f"RCSB: .*{words}.*; PDBe: no such file"):
        fetch_entry("1abc")
    assert no_traces(tmp_path / "cache")
    pdb_sites.put(SECOND, pdb_file("1abc"))
    assert fetch_entry("1abc").read_bytes() == pdb_file("1abc")
    assert pdb_sites.asked == [FIRST, SECOND] * 2


def test_a_size_that_is_not_announced_is_bounded_too(pdb_sites, pdb_file, bounded):
    bounded(download_bytes=100_000)
    pdb_sites.put(FIRST, bytes(300_000), Content_Length="")
    pdb_sites.put(SECOND, pdb_file("1abc"), Content_Length="")
    assert fetch_entry("1abc").read_bytes() == pdb_file("1abc")
    with pytest.raises(DownloadError, match=r"larger than 0\.09537 MiB"):
        get(
            pdb_entries.ARCHIVE.sites[0].address.format(entry="1abc"),
            pdb_entries.ARCHIVE.bounds,
            allow_http=True,
        )


def test_a_size_that_is_announced_is_refused_before_it_is_sent(pdb_sites, pdb_file):
    pdb_sites.put(FIRST, pdb_file("1abc"), Content_Length=str(10**12))
    with pytest.raises(DownloadError, match="RCSB: the file is larger than 64 MiB"):
        fetch_entry("1abc")


def test_a_connection_that_breaks_off_is_told(pdb_sites, pdb_file):
    good = pdb_file("1abc")
    pdb_sites.put(FIRST, good, Content_Length=str(len(good) + 10))
    with pytest.raises(DownloadError, match=f"RCSB: it broke off after {len(good)} of"):
        fetch_entry("1abc")


@pytest.mark.parametrize(
    ("answer", "words"), [({"status": 503}, "it answered 503"), ({"status": 403}, "answered 403")]
)
def test_the_second_site_is_asked_when_the_first_fails(pdb_sites, pdb_file, answer, words):
    pdb_sites.put(FIRST, **answer)
    with pytest.raises(DownloadError, match=f"RCSB: .*{words}"):
        fetch_entry("1abc")
    pdb_sites.put(SECOND, pdb_file("1abc"))
    assert fetch_entry("1abc").is_file()


def test_an_identifier_that_nobody_knows_is_an_input_error(pdb_sites, tmp_path):
    with pytest.raises(InputError, match=r"^1abc: the Protein Data Bank has no such entry"):
        fetch_entry("1abc")
    assert pdb_sites.asked == [FIRST, SECOND]
    assert no_traces(tmp_path / "cache")


def test_offline_says_so_and_what_to_do(nobody_answers, tmp_path):
    with pytest.raises(DownloadError) as caught:
        fetch_entry("1abc")
    text = str(caught.value).lower()
    assert text.count("refused") == 2
    assert "try again with a connection, or put 1abc.cif.gz into" in text
    assert str(tmp_path / "cache" / "structures").lower() in text


def test_a_site_that_falls_silent_is_given_up(pdb_sites, bounded):
    pdb_sites.held.clear()
    bounded(silence_seconds=0.2)
    with pytest.raises(DownloadError, match="RCSB: timed out; PDBe: timed out"):
        fetch_entry("1abc")


def test_a_site_that_takes_too_long_is_given_up(pdb_sites, pdb_file, bounded):
    pdb_sites.put(FIRST, pdb_file("1abc"))
    bounded(total_seconds=-1.0)
    with pytest.raises(DownloadError, match="it took longer than -1 s"):
        fetch_entry("1abc")


def test_redirects_to_anything_but_https_are_refused(pdb_sites, pdb_file):
    pdb_sites.put("/elsewhere", pdb_file("1abc"))
    for address in ("/elsewhere", "http://127.0.0.1/", "file:///etc/hostname", "ftp://127.0.0.1/"):
        pdb_sites.asked.clear()
        pdb_sites.put(FIRST, status=302, Location=address)
        with pytest.raises(DownloadError, match=r"RCSB: it .*(is not HTTPS|is not allowed)"):
            fetch_entry("1abc")
        assert pdb_sites.asked == [FIRST, SECOND]


def test_a_redirect_to_https_is_followed(pdb_sites):
    # The stand-in speaks no TLS: that the handshake fails shows that it was tried.
    port = urlsplit(pdb_entries.ARCHIVE.sites[0].address).port
    pdb_sites.put(FIRST, status=301, Location=f"https://127.0.0.1:{port}/")
    with pytest.raises(DownloadError, match=r"RCSB: .*SSL"):
        fetch_entry("1abc")


def test_an_address_that_is_not_https_is_not_asked(pdb_sites, pdb_file):
    pdb_sites.put(FIRST, pdb_file("1abc"))
    address = pdb_entries.ARCHIVE.sites[0].address
    archive = Archive(sites=(Site(name="RCSB", address=address),))
    with pytest.raises(DownloadError, match="is not HTTPS"):
        fetch_entry("1abc", archive=archive)
    assert pdb_sites.asked == []


def test_two_threads_at_once_get_one_whole_file(pdb_sites, pdb_file):
    pdb_sites.put(FIRST, pdb_file("1abc"))
    pdb_sites.held.clear()  # both have asked before either is answered
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(fetch_entry("1abc"))) for _ in "ab"]
    for thread in threads:
        thread.start()
    while len(pdb_sites.asked) < 2:
        threading.Event().wait(0.01)
    pdb_sites.held.set()
    for thread in threads:
        thread.join()
    assert paths == [entry_path("1abc")] * 2
    assert [p.name for p in entry_path("1abc").parent.iterdir()] == ["1abc.cif.gz"]
    assert cached_entry("1abc") is not None


def test_a_cache_that_cannot_be_made_is_told(pdb_sites, pdb_file, monkeypatch, tmp_path):
    pdb_sites.put(FIRST, pdb_file("1abc"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("VOXUDA_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"the cache folder cannot be made.*VOXUDA_CACHE"):
        fetch_entry("1abc")
