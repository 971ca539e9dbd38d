"""What the database's errors mean for a stage: wait for it, or set the record aside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from shared.errors import RejectedRecordError, UpstreamUnavailableError

DUPLICATE_KEY = 11000
_BAD_DOCUMENT = frozenset({2, 22, 52, 56, 57, 121, 10334, 17280, 17419, 17420})
"""BadValue, InvalidBSON, bad field names, DocumentValidationFailure, object or key too large.

Any other code (not primary, shutting down, out of disk, not authorised, too many requests) says
nothing about the record, so waiting is safe and setting aside would lose it. Codes:
github.com/mongodb/mongo, src/mongo/base/error_codes.yml.
"""


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn the driver's errors into the two kinds a stage may raise.

    Raises
    ------
    UpstreamUnavailableError
        If the database is away, changes its primary, or refuses for reasons of its own.
    RejectedRecordError
        ``document_too_large`` or ``bad_document``, if it never will take what it was given.
    """
    try:
        yield
    except DocumentTooLarge as error:
        raise RejectedRecordError("document_too_large", str(error)) from error
    except (BSONError, OverflowError) as error:
        raise RejectedRecordError("bad_document", str(error)) from error
    except (AutoReconnect, ConnectionFailure, WTimeoutError, ExecutionTimeout) as error:
        cause = str(error).partition(" (configured timeouts")[0]  # a page of topology follows
        raise UpstreamUnavailableError(f"the database does not answer: {cause}") from error
    except BulkWriteError as error:
        codes = {entry.get("code") for entry in error.details.get("writeErrors", [])}
        raise _refused(codes & _BAD_DOCUMENT, _first_message(error)) from error
    except OperationFailure as error:
        raise _refused({error.code} & _BAD_DOCUMENT, str(error)) from error
    except PyMongoError as error:
        raise UpstreamUnavailableError(f"the database failed: {error}") from error


def _refused(bad: set[int | None], message: str) -> RejectedRecordError | UpstreamUnavailableError:
    if bad:
        return RejectedRecordError("bad_document", message)
    return UpstreamUnavailableError(f"the database refuses: {message}")


def _first_message(error: BulkWriteError) -> str:
    failures = [
        *error.details.get("writeErrors", []),
        *error.details.get("writeConcernErrors", []),
    ]
    return "; ".join(str(failure.get("errmsg", failure)) for failure in failures[:3])
