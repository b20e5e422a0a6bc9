"""Log lines, for people and for machines."""

import io
import json
import logging

from chain.node.logs import JsonLines, TextLines

RECORD = logging.makeLogRecord(
    {"name": "noema.x", "levelname": "INFO", "msg": "block final", "created": 0.5, "height": 7}
)


def test_text_line() -> None:
    assert TextLines().format(RECORD) == "00:00:00.500 INFO    block final  height=7"


def test_json_line() -> None:
    assert json.loads(JsonLines().format(RECORD)) == {
        "time": "1970-01-01T00:00:00.500+00:00",
        "level": "info",
        "source": "noema.x",
        "event": "block final",
        "height": 7,
    }


def test_exception_is_part_of_the_event() -> None:
    stream = io.StringIO()
    logger = logging.Logger("noema.y")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("failed", extra={"part": "rpc"})
    document = json.loads(stream.getvalue())
    assert (document["event"], document["part"]) == ("failed", "rpc")
    assert document["exception"].endswith("ValueError: broken")
