"""Filters as Comet reads them; and what is tried with them, all of it refused or ended in time."""

from __future__ import annotations

import time

import pytest

from services.distribute.vtp.filters import FilterJudge, refusal

PACKET = b"""<?xml version="1.0"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" ivorn="ivo://a.b/c#1" role="test"
 version="2.0"><What><Param name="mag" value="19.1"/><Param name="band" value="r"/>
<Param name="none" value=""/></What></voe:VOEvent>"""

POSITIVE = [
    "/*[local-name()='VOEvent' and @role='test']",
    '//Param[@name="mag" and @value < 20]',
    "//Param[@name='mag']/@value",
    "count(//Param)",
    "string(//Param[@name='band']/@value)",
    "true()",
    "number(//Param[@name='mag']/@value) - 19",
]
NEGATIVE = [
    '//Param[@name="mag" and @value < 19]',
    "//Nothing",
    "count(//Nothing)",
    "string(//Param[@name='none']/@value)",
    "false()",
    "0",
]
BOMBS = {
    "deep nesting": "//*[//*[//*[//*[//*[//*]]]]]",
    "searches": "//a//b//c//d//e//f//g//h//i",
    "axes": "/".join(["descendant::*"] * 9),
    "length": "//a" * 400,
    "reads a file": "document('/etc/passwd')",
    "regular expression": "re:test('" + "a" * 30 + "!', '(a+)+$')",
    "extension": "exsl:node-set(//*)",
    "variable": "//*[@a=$b]",
    "control characters": "//a\n\x00",
    "unparsed entity": "unparsed-entity-uri('x')",
}
SLOW = "count(//*[count(//*[count(//*[count(//*) > 0]) > 0]) > 0])"
"""Within every limit on texts; on a packet of a hundred elements it runs for seconds."""
LARGE = b"<VOEvent><What>" + b"<Param/>" * 400 + b"</What></VOEvent>"


@pytest.fixture(scope="module")
def judge():
    judge = FilterJudge(0.25)
    yield judge
    judge.close()


async def test_a_filter_is_positive_as_in_comet(judge):
    for expression in (*POSITIVE, *NEGATIVE):
        assert refusal(expression) is None
    assert await judge.passed(PACKET, POSITIVE) == dict.fromkeys(POSITIVE, True)
    assert await judge.passed(PACKET, NEGATIVE) == dict.fromkeys(NEGATIVE, False)


@pytest.mark.parametrize("name", BOMBS)
def test_a_text_that_may_do_harm_is_refused(name):
    assert refusal(BOMBS[name]) is not None


def test_brackets_inside_a_literal_are_only_letters():
    assert refusal("//Param[@value='[[[[[[document(']") is None


async def test_what_is_no_xpath_or_fails_passes_nothing_and_harms_nobody(judge):
    bad = ["//[", "foo::bar", "undeclared:Name", "1 +", "('a'"]
    verdicts = await judge.passed(PACKET, [*bad, "true()"])
    assert verdicts == dict.fromkeys(bad) | {"true()": True}


async def test_a_filter_that_takes_too_long_is_ended_once_and_the_others_go_on(judge):
    assert refusal(SLOW) is None
    began = time.monotonic()
    verdicts = await judge.passed(LARGE, ["true()", SLOW, "count(//Param) = 400"])
    assert verdicts == {"true()": True, SLOW: None, "count(//Param) = 400": True}
    assert SLOW in judge.banned
    assert time.monotonic() - began < 20
    began = time.monotonic()
    assert await judge.passed(LARGE, [SLOW, "true()"]) == {SLOW: None, "true()": True}
    assert time.monotonic() - began < 1.0


async def test_packets_that_are_no_xml_pass_nothing(judge):
    bomb = (
        b'<!DOCTYPE v [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        b"<VOEvent>&b;</VOEvent>"
    )
    for packet in (b"", b"<VOEvent", bomb, b"\xff\xfe"):
        assert await judge.passed(packet, ["true()"]) == {"true()": None}
