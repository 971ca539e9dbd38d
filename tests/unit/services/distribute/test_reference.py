import duckdb
import pyarrow as pa

from services.distribute.filters.reference import REFERENCE_FILE, reference_text
from shared.filters.surveys import survey_schemas
from shared.filters.syntax import LIST_FUNCTIONS, SCALAR_FUNCTIONS
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.published import OPEN_STRUCTS
from shared.testing.published import published_batch


def test_the_page_is_up_to_date():
    assert REFERENCE_FILE.read_text(encoding="utf-8") == reference_text(), (
        "run: python -m services.distribute.filters.reference"
    )


def test_every_listed_function_exists_and_reaches_nothing_outside():
    rows = duckdb.execute("SELECT function_name, function_type FROM duckdb_functions()").fetchall()
    kinds = {}
    for name, kind in rows:
        kinds.setdefault(name, set()).add(kind)
    grammar = {"greatest", "ifnull", "least", "nullif", "mag"}
    for name in (SCALAR_FUNCTIONS | LIST_FUNCTIONS) - grammar:
        assert kinds.get(name, set()) & {"scalar", "macro"}, name
        assert not kinds[name] & {"table", "pragma", "table_macro"}, name


def test_every_survey_s_own_fields_have_an_avro_form():
    values = {"bool": True, "string": "x"}
    for survey, schema in survey_schemas().items():
        changes = {
            name: [{m.name: values.get(str(m.type), 1) for m in schema.field(name).type}]
            for name in OPEN_STRUCTS
        }
        batch = published_batch(1).record_batch
        for name in OPEN_STRUCTS:
            index = batch.schema.get_field_index(name)
            array = pa.array(changes[name], schema.field(name).type)
            batch = batch.set_column(index, schema.field(name), array)
        assert len(encode_alerts(batch)) == 1, survey
