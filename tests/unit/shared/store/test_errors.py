"""Which of the driver's errors mean waiting, and which a bad record."""

import pymongo.errors as driver
import pytest
from bson.errors import InvalidDocument

from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.store.errors import mapped_errors


def bulk(code):
    return driver.BulkWriteError({"writeErrors": [{"code": code, "errmsg": "no"}]})


@pytest.mark.parametrize(
    "error",
    [
        driver.ServerSelectionTimeoutError("nobody"),
        driver.NetworkTimeout("slow"),
        driver.NotPrimaryError("moved"),
        driver.WTimeoutError("majority away", 64),
        driver.OperationFailure("not authorised", 13),
        driver.OperationFailure("out of disk", 14031),
        driver.ConfigurationError("odd"),
        bulk(91),
        driver.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"errmsg": "w"}]}),
    ],
)
def test_what_says_nothing_about_the_record_is_waited_for(error):
    with pytest.raises(UpstreamUnavailableError), mapped_errors():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        driver.DocumentTooLarge("16 MB"),
        InvalidDocument("cannot encode"),
        OverflowError("more than 8 bytes"),
        driver.OperationFailure("too large", 10334),
        bulk(121),
    ],
)
def test_what_the_database_never_takes_is_set_aside(error):
    with pytest.raises(RejectedRecordError), mapped_errors():
        raise error


def test_a_bug_stays_a_bug():
    with pytest.raises(KeyError), mapped_errors():
        raise KeyError("mine")
