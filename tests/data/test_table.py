import csv
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.data import open_collection
from deepneuron.data.table import open_table
from deepneuron.errors import DataError, DataNotFoundError


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six pictures: 1.png to 6.png, in images/."""
    (tmp_path / "images").mkdir()
    for number in range(1, 7):
        (tmp_path / "images" / f"{number}.png").touch()
    return tmp_path


def write(folder: Path, text: str, name: str = "labels.csv", encoding="utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def told(collection) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in collection.skipped}


def test_a_table_names_paths_and_labels(folder):
    text = "path,label\nimages/1.png,dog\nimages/2.png,cat\nimages/3.png,dog\n"
    collection = open_collection(write(folder, text), strict=True)
    train = collection.parts["train"]
    assert (collection.kind, collection.class_names) == ("csv", ("cat", "dog"))
    assert train.labels.tolist() == [1, 0, 1]
    assert train.names == ("images/1.png", "images/2.png", "images/3.png")
    assert train.pictures == tuple(folder / name for name in train.names)
    assert (list(collection.parts), collection.skipped) == (["train"], ())


@pytest.mark.parametrize(
    "header",
    [
        *("path,label", "Filename,Class", "file,target", "IMAGE PATH,Category"),
        *("image-name,species", "img,labels", "id,label", "file_name,breed"),
    ],
)
def test_columns_are_found_by_common_names(folder, header):
    text = f"{header}\nimages/1.png,a\nimages/2.png,b\n"
    assert open_table(write(folder, text)).class_names == ("a", "b")


def test_other_columns_do_not_matter(folder):
    text = "id,label,class_name,image\n7,0,cat,images/1.png\n8,1,dog,images/2.png"
    assert open_table(write(folder, text)).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    "text",
    [
        "images/1.png,a\nimages/2.png,b\n",
        "a,images/1.png\nb,images/2.png\n",
        "images/1.png,a,train\nimages/2.png,b,train\n",
    ],
)
def test_a_header_is_not_needed(folder, text):
    collection = open_table(write(folder, text), strict=True)
    assert collection.class_names == ("a", "b")
    assert collection.parts["train"].names == ("images/1.png", "images/2.png")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_and_byte_order_and_line_ends(folder, mark, encoding, end):
    rows = ["path,label", "images/1.png,ä", "images/2.png,猫", ""]
    path = write(folder, end.join(rows).replace(",", mark), encoding=encoding)
    assert open_table(path, strict=True).class_names == ("ä", "猫")


def test_a_tsv_has_tabs(folder):
    path = write(folder, "path\tlabel\nimages/1.png\ta,b\nimages/2.png\tc", "t.tsv")
    assert open_collection(path).class_names == ("a,b", "c")


def test_a_split_makes_parts(folder):
    text = (
        "path,label,split\nimages/1.png,a,train\nimages/2.png,b,Training\n"
        "images/3.png,a,val\nimages/4.png,b,valid\nimages/5.png,a,TEST\n"
        "images/6.png,b,testing\n"
    )
    collection = open_table(write(folder, text), strict=True)
    assert {part: len(rows) for part, rows in collection.parts.items()} == {
        "train": 2,
        "validation": 2,
        "test": 2,
    }
    assert collection.parts["test"].names == ("images/5.png", "images/6.png")


def test_an_unknown_split_is_an_error(folder):
    text = "path,label,split\nimages/1.png,a,train\nimages/2.png,b,fold3\n"
    with pytest.raises(DataError, match=r"Line 3 .* split 'fold3'"):
        open_table(write(folder, text))


def test_labels_that_count_are_in_their_order(folder):
    rows = "".join(f"images/{n}.png,{label}\n" for n, label in enumerate((10, 9, 1), 1))
    collection = open_table(write(folder, "path,label\n" + rows))
    assert collection.class_names == ("1", "9", "10")
    assert collection.parts["train"].labels.tolist() == [2, 1, 0]


def test_spaces_around_cells_and_blank_lines(folder):
    text = "path, label\n\n images/1.png , a \n  ,  \nimages/2.png,b\n\n"
    collection = open_table(write(folder, text), strict=True)
    assert collection.class_names == ("a", "b")


@pytest.mark.skipif(sys.platform == "win32", reason="both are separators here")
def test_paths_written_on_windows_are_found(folder):
    text = "path,label\nimages\\1.png,a\nimages\\2.png,b\n"
    assert len(open_table(write(folder, text), strict=True).parts["train"]) == 2


def test_absolute_paths_are_found(folder):
    one, two = (folder / "images" / f"{n}.png" for n in (1, 2))
    path = folder / "elsewhere.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "label"), (one, "a"), (two, "b")])
    assert open_table(path, strict=True).parts["train"].pictures == (one, two)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("images/9.png,a", "there is no such file"),
        ("images,a", "it is a folder"),
        ("images/3.png", "it has 1 of 2 cells"),
        ("images/3.png,", "it has no label"),
        (",a", "it names no picture"),
        ("images/1.png/x.png,a", "there is no such file"),
        ("null\0.png,a", "there is no such file"),
        (f"{'x' * 400}.png,a", ""),
    ],
)
def test_a_row_that_cannot_be_used_is_named_or_an_error(folder, row, reason):
    text = f"path,label\nimages/1.png,a\n{row}\nimages/2.png,b\n"
    path = write(folder, text)
    collection = open_table(path)
    assert len(collection.parts["train"]) == 2
    ((name, why),) = told(collection).items()
    assert "line 3" in name
    assert reason in why
    with pytest.raises(DataError, match="line 3"):
        open_table(path, strict=True)


def test_a_picture_named_twice_is_read_once(folder):
    text = "path,label\nimages/1.png,a\nimages/2.png,b\nimages/../images/1.png,a\n"
    collection = open_table(write(folder, text), strict=True)
    assert len(collection.parts["train"]) == 2
    assert list(told(collection).values()) == ["line 2 names the same picture"]


def test_a_picture_with_two_labels_is_an_error(folder):
    text = "path,label\nimages/1.png,a\nimages/2.png,b\nimages/1.png,b\n"
    with pytest.raises(DataError, match=r"two labels: a in line 2, b in line 4\."):
        open_table(write(folder, text))


def test_no_picture_there_is_an_error(folder):
    text = "path,label\n1.png,a\n2.png,b\n"
    with pytest.raises(
        DataNotFoundError, match=r"None of the pictures .*1\.png\. Paths"
    ):
        open_table(write(folder, text))


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c\nd,e,f\n",
        "path\nimages/1.png\n",
        "one\n",
        "images/1.png,a,b,c\n",
        "a,b\n",
    ],
)
def test_columns_that_nobody_knows_are_an_error(folder, text):
    with pytest.raises(DataError, match="Give it the header: path,label"):
        open_table(write(folder, text))


@pytest.mark.parametrize("text", ["", "\n\n", "path,label\n", " , \n"])
def test_an_empty_table_is_an_error(folder, text):
    with pytest.raises(DataError, match=r"empty table|no pictures to train on"):
        open_table(write(folder, text))


def test_one_class_is_an_error_in_a_table(folder):
    text = "path,label\nimages/1.png,a\nimages/2.png,a\n"
    with pytest.raises(DataError, match="a single class to train on, a"):
        open_table(write(folder, text))


def test_a_class_only_in_test_is_an_error_in_a_table(folder):
    rows = ("images/1.png,a,train", "images/2.png,b,train", "images/3.png,c,test")
    text = "\n".join(("path,label,split", *rows))
    with pytest.raises(DataError, match=r"class in test .*: c\."):
        open_table(write(folder, text))


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_an_error(folder, encoding):
    text = "path,label\nimages/1.png,ä\nimages/2.png,b\n"
    with pytest.raises(DataError, match=r"not in UTF-8\. Save it as CSV UTF-8"):
        open_table(write(folder, text, encoding=encoding))


def test_no_table_is_an_error(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"no file .*absent\.csv"):
        open_table(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="cannot be read"):
        open_table(tmp_path)


def test_a_cell_without_end_is_an_error(folder):
    text = 'path,label\nimages/1.png,"' + "x" * 200_000
    with pytest.raises(DataError, match="no table that can be read"):
        open_table(write(folder, text))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [f"images/{n}.png" for n in range(9)] + ["", "x", "images"]
            ),
            st.text(max_size=4),
        ),
        max_size=9,
    )
)
def test_every_row_of_a_table_is_accounted_for(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("table")
    (folder / "images").mkdir()
    for number in range(6):
        (folder / "images" / f"{number}.png").touch()
    path = folder / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    try:
        collection = open_table(path)
    except DataError:
        return
    blank = sum(not path.strip() and not label.strip() for path, label in rows)
    used = len(collection.parts["train"])
    assert used + len(collection.skipped) + blank == len(rows)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_an_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_table(path)
    assert str(caught.value).isprintable()
