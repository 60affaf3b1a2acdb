"""Decodes OTLP with OpenTelemetry's own Python classes, for a look that owes nothing to ours.

    decode_otlp.py traces|logs|metrics [--delimited] FILE

FILE holds one export request as it was sent or, with --delimited, any number of them, each behind its
length as a varint. Out comes a JSON list of requests. Names are those of the .proto files; IDs and other
bytes are hexadecimal; a value of any type is an object with its type, such as {"int": 200}; a list of
attributes is an object with their names. What has no place in the .proto files, an attribute that is there
twice, a metric that tells of one label set twice, and a histogram that contradicts itself, is an error: a
receiver may not complain, but no sender should do it.
"""

import argparse
import json
import sys

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.internal.decoder import _DecodeVarint32
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}


def messages(data, delimited):
    if not delimited:
        yield data
        return
    at = 0
    while at < len(data):
        length, at = _DecodeVarint32(data, at)
        if at + length > len(data):
            sys.exit(f"the last message ends {at + length - len(data)} bytes early")
        yield data[at : at + length]
        at += length


def plain(message):
    """A message as what JSON can say. Fields that are not set are left out."""
    name = message.DESCRIPTOR.name
    unknown = [field.field_number for field in UnknownFieldSet(message)]
    if unknown:
        sys.exit(f"{name} has fields that its .proto file does not know: {unknown}")
    if name == "AnyValue":
        return any_value(message)
    if name == "HistogramDataPoint":
        check_histogram(message)
    if name in ("Gauge", "Sum", "Histogram"):
        check_points(message)
    return {field.name: of_field(field, value) for field, value in message.ListFields()}


def check_histogram(point):
    counts, bounds = list(point.bucket_counts), list(point.explicit_bounds)
    if not counts and not bounds:
        return
    if len(counts) != len(bounds) + 1:
        sys.exit(f"a histogram has {len(counts)} counts for {len(bounds)} bounds")
    if any(one >= following for one, following in zip(bounds, bounds[1:])):
        sys.exit(f"a histogram's bounds do not ascend: {bounds}")
    if sum(counts) != point.count or (point.count == 0 and point.sum != 0):
        sys.exit(f"a histogram of {point.count} values with the sum {point.sum} has {counts}")


def check_points(data):
    known = set()
    for point in data.data_points:
        labels = json.dumps(attributes(point.attributes), sort_keys=True)
        if labels in known:
            sys.exit(f"two points of one {data.DESCRIPTOR.name} have these attributes: {labels}")
        known.add(labels)
        if point.start_time_unix_nano > point.time_unix_nano:
            sys.exit(f"a point ends before it begins: {labels}")
    if data.DESCRIPTOR.name != "Gauge" and not data.aggregation_temporality:
        sys.exit(f"a {data.DESCRIPTOR.name} does not say which time it is of")


def of_field(field, value):
    if field.message_type and field.message_type.name == "KeyValue":
        return attributes(value)
    if isinstance(value, (bytes, str, bool, int, float)):
        return scalar(field, value)
    if field.message_type:
        return [plain(each) for each in value] if hasattr(value, "add") else plain(value)
    return [scalar(field, each) for each in value]


def scalar(field, value):
    if field.type == FieldDescriptor.TYPE_BYTES:
        return value.hex()
    if field.type == FieldDescriptor.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    return value


def attributes(pairs):
    named = {}
    for pair in pairs:
        if pair.key in named:
            sys.exit(f"the attribute {pair.key} is there twice")
        named[pair.key] = plain(pair.value)
    return named


def any_value(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return {}
    said = getattr(value, kind)
    if kind == "array_value":
        said = [plain(each) for each in said.values]
    elif kind == "kvlist_value":
        said = attributes(said.values)
    elif kind == "bytes_value":
        said = said.hex()
    return {kind.removesuffix("_value"): said}


def main():
    parser = argparse.ArgumentParser(description="Prints OTLP export requests as JSON.")
    parser.add_argument("signal", choices=REQUESTS)
    parser.add_argument("--delimited", action="store_true")
    parser.add_argument("file", type=argparse.FileType("rb"))
    said = parser.parse_args()
    data = said.file.read()
    requests = (REQUESTS[said.signal].FromString(it) for it in messages(data, said.delimited))
    print(json.dumps([plain(request) for request in requests]))


if __name__ == "__main__":
    main()
