"""What the inspector tells of Java's libraries, from libraries that are there, and from one that misses another."""

from pathlib import Path
from types import ModuleType

TOLD = """\
\tlinux-vdso.so.1 (0x00007ffc)
\tlibharfbuzz.so.0 => not found
\tlibawt.so => /usr/lib/jvm/java/lib/libawt.so (0x00007f1)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2)
\tlibharfbuzz.so.0 => not found
"""


def test_each_missing_library_is_named_once(inspector: ModuleType) -> None:
    assert ["libharfbuzz.so.0"] == inspector.find_missing_libraries(TOLD, "")


def test_where_ldd_itself_fails_its_words_are_told(inspector: ModuleType) -> None:
    assert ["not a dynamic executable"] == inspector.find_missing_libraries("", "not a dynamic executable")


def test_every_library_below_java_is_looked_at_with_its_own_folders_on_the_path(
    inspector: ModuleType, java_that_misses_a_library: Path
) -> None:
    lib = java_that_misses_a_library / "lib"
    (lib / "server").mkdir()
    # Found in Java's own folder though no system has it.
    (lib / "server/libnowhere.so.0").write_bytes((lib / "libawt.so").read_bytes())
    assert {"libraries": 2, "missing": {}} == inspector.read_java({"java_home": str(java_that_misses_a_library)})
    (lib / "server/libnowhere.so.0").unlink()
    assert {"libraries": 2, "missing": {str(lib / "libfontmanager.so"): ["libnowhere.so.0"]}} == inspector.read_java(
        {"java_home": str(java_that_misses_a_library)}
    )


def test_where_there_is_no_java_there_is_no_library(inspector: ModuleType, tmp_path: Path) -> None:
    assert {"libraries": 0, "missing": {}} == inspector.read_java({"java_home": str(tmp_path)})
