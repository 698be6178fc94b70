#!/usr/bin/python3
"""Check event messages against the schema.

    validate_events.py [--stream] SCHEMA              one message a line on stdin
    validate_events.py [--stream] SCHEMA FILE.json…   files that hold arrays of messages

Each violation is a line "where: path: what"; the last line is "validated N
messages".  Exits 1 when there was a violation or no message, 2 when it could
not check at all.  --stream says that each input is one stream in the order
received, and checks what a schema cannot: event_id rises, and both
timestamps are ts_us in whole seconds.

Stricter than JSON readers are: a key given twice, NaN, and 7.0 where an
integer is due are violations.
"""
import argparse
import json
import sys

from jsonschema import Draft202012Validator
from jsonschema.validators import extend


class BadJson(ValueError):
    """JSON that a reader may take but that no message may contain."""


def unique_keys(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadJson("a key is given twice: " +
                      ", ".join(repr(k) for k, _ in pairs))
    return result


def no_constant(name):
    raise BadJson(name + " is not JSON")


DECODER = json.JSONDecoder(object_pairs_hook=unique_keys,
                           parse_constant=no_constant)


def is_integer(_checker, value):
    return isinstance(value, int) and not isinstance(value, bool)


Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", is_integer))


def error_path(error):
    path = "$"
    for step in error.absolute_path:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


class Checker:
    """Whether the schema takes a message, and if not, why.

    Each branch of the schema's oneOf takes one message_type and no other
    (checked here), so a message fits the schema exactly when it fits the
    branch it names.  That is quicker than to try all seven, and says more
    than "not valid under any of the given schemas".
    """

    def __init__(self, schema):
        Validator.check_schema(schema)
        self.branches = {}
        for branch in schema["oneOf"]:
            name = branch["$ref"].rsplit("/", 1)[1]
            pinned = schema["$defs"][name]["properties"]["message_type"]
            if pinned != {"const": name} or name in self.branches:
                raise ValueError(f"schema: {name} does not pin message_type")
            self.branches[name] = Validator(
                {"$ref": branch["$ref"], "$defs": schema["$defs"]})

    def problems(self, message):
        if not isinstance(message, dict):
            return [("$", "is not an object")]
        if "message_type" not in message:
            return [("$", "'message_type' is a required property")]
        kind = message["message_type"]
        if not isinstance(kind, str) or kind not in self.branches:
            return [("$.message_type", f"{kind!r} is no message type")]
        errors = sorted(self.branches[kind].iter_errors(message),
                        key=lambda e: [str(s) for s in e.absolute_path])
        return [(error_path(e), e.message) for e in errors]


class Stream:
    """The order and the clocks of one input's messages (--stream)."""

    def __init__(self):
        self.last_id = None

    def problems(self, message):
        """Caller has seen that the schema takes the message."""
        if message["message_type"] == "gap":
            gap = message["data"]
            if gap["from_id"] > gap["to_id"]:
                yield "$.data", "from_id is above to_id"
            return
        seconds = message["ts_us"] // 1000000
        (kind, body), = message["data"].items()
        if message["timestamp"] != seconds:
            yield "$.timestamp", "is not ts_us in seconds"
        if body["timestamp"] != seconds:
            yield f"$.data.{kind}.timestamp", "is not ts_us in seconds"
        event_id = message["event_id"]
        if self.last_id is not None and event_id <= self.last_id:
            yield "$.event_id", f"{event_id} does not rise from {self.last_id}"
        self.last_id = event_id


def from_lines(stream):
    """Yields (where, message or BadJson) for each line that is not blank."""
    number = 0
    for number, raw in enumerate(stream, 1):
        where = f"line {number}"
        try:
            line = raw.decode("utf-8")
            if line.strip():
                yield where, DECODER.decode(line)
        except ValueError as problem:
            yield where, BadJson(str(problem))


def skip_blanks(text, at):
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def from_array(name, text):
    """Yields (file:line, message or BadJson) for each element of the array."""
    line, counted = 1, 0
    at = skip_blanks(text, 0)
    try:
        if text[at:at + 1] != "[":
            raise BadJson("is not an array of messages")
        at = skip_blanks(text, at + 1)
        while text[at:at + 1] != "]":
            line, counted = line + text.count("\n", counted, at), at
            message, at = DECODER.raw_decode(text, at)
            yield f"{name}:{line}", message
            at = skip_blanks(text, at)
            if text[at:at + 1] == ",":
                at = skip_blanks(text, at + 1)
                if text[at:at + 1] == "]":
                    raise BadJson("a comma before the end of the array")
            elif text[at:at + 1] != "]":
                raise BadJson("no comma or end of array after this message")
        if text[at + 1:].strip():
            raise BadJson("text after the array")
    except ValueError as problem:
        yield f"{name}:{line}", BadJson(str(problem))


def inputs(files):
    if not files:
        yield from_lines(sys.stdin.buffer)
    for name in files:
        with open(name, encoding="utf-8") as file:
            yield from_array(name, file.read())


def check_all(checker, files, in_order):
    """Prints the violations; returns (messages, violations)."""
    messages = violations = 0
    for source in inputs(files):
        stream = Stream()
        for where, message in source:
            messages += 1
            if isinstance(message, BadJson):
                found = [("$", str(message))]
            else:
                found = checker.problems(message)
                if not found and in_order:
                    found = list(stream.problems(message))
            violations += len(found)
            for path, what in found:
                print(f"{where}: {path}: {what}")
    return messages, violations


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stream", action="store_true",
                        help="also check order and timestamps")
    parser.add_argument("schema")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    try:
        with open(args.schema, encoding="utf-8") as file:
            checker = Checker(json.load(file))
        messages, violations = check_all(checker, args.files, args.stream)
    except Exception as problem:      # unreadable file, schema at fault
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    print(f"validated {messages} messages")
    return 1 if violations or not messages else 0


if __name__ == "__main__":
    sys.exit(main())
