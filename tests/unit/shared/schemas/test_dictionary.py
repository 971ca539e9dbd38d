from shared.schemas.dictionary import DICTIONARY_FILE, dictionary_text
from shared.schemas.published import PUBLISHED


def test_the_page_is_up_to_date():
    assert DICTIONARY_FILE.read_text(encoding="utf-8") == dictionary_text(), (
        "run: python -m shared.schemas.dictionary"
    )


def test_every_column_is_described_and_says_what_null_means():
    for field in PUBLISHED:
        words = field.metadata or {}
        assert words.get(b"meaning"), f"{field.name} has no meaning"
        assert not field.nullable or words.get(b"null"), f"{field.name}: what does null mean?"
