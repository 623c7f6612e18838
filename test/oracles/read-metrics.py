"""Reads a JSON list of base64 bodies from stdin; writes for each its samples as prometheus_client parses them, or null."""
import base64
import json
import sys

from prometheus_client.parser import text_string_to_metric_families


def read(body):
    try:
        text = body.decode('utf-8')
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        return [[s.name, s.labels, repr(s.value), s.timestamp] for s in samples]
    except Exception:  # the parser raises whatever its own code runs into
        return None


json.dump([read(base64.b64decode(body)) for body in json.load(sys.stdin)], sys.stdout)
