"""Says who is behind the addresses on the command line, then counts what the feed's snapshot has:

    PYTHONPATH=OUT python3 docs/python/who.py 127.0.0.1:50051 10.244.1.2 10.96.0.10

OUT is what docs/python/buf.gen.yaml makes. A method is called by its path, so messages are all that is generated.
"""

import collections
import json
import sys

import grpc
from digger.v1 import feed_pb2, lookup_pb2

RETRY = {"methodConfig": [{"name": [{"service": "digger.v1.LookupService"}], "timeout": "5s", "retryPolicy": {
    "maxAttempts": 4, "initialBackoff": "0.2s", "maxBackoff": "2s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]}


def main(server, addresses):
    options = [("grpc.service_config", json.dumps(RETRY)), ("grpc.keepalive_time_ms", 30_000)]
    with grpc.insecure_channel(server, options=options) as channel:
        batch = channel.unary_unary(
            "/digger.v1.LookupService/BatchResolveAddresses",
            lookup_pb2.BatchResolveAddressesRequest.SerializeToString,
            lookup_pb2.BatchResolveAddressesResponse.FromString)
        queries = [lookup_pb2.AddressQuery(address=each) for each in addresses]
        for address, result in zip(addresses, batch(lookup_pb2.BatchResolveAddressesRequest(queries=queries)).results):
            answer = result.resolution
            target = answer.WhichOneof("target")
            name = getattr(answer, target).name if target in ("pod", "service", "node") else ""
            outcome = lookup_pb2.Outcome.Name(answer.outcome) if not result.HasField("error") else result.error.message
            print(address, outcome, target or "", name, answer.workload.kind, answer.workload.name)

        watch = channel.unary_stream(
            "/digger.v1.ChangeFeedService/Watch",
            feed_pb2.WatchRequest.SerializeToString,
            feed_pb2.WatchResponse.FromString)
        kinds = collections.Counter()
        for frame in watch(feed_pb2.WatchRequest(snapshot_only=True), timeout=30):
            kinds.update(change.upsert.WhichOneof("entity") for change in frame.changes.changes)
        print("snapshot:", ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
