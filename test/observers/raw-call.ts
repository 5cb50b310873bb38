// What a gRPC call is on HTTP/2 (PROTOCOL-HTTP2.md), for tests that make one by hand because a client library would
// read, wait or give up on its own.

/** Headers of a request. */
export function callHeaders(path: string): Record<string, string> {
  return { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
}

/** A message behind its prefix: not compressed, and its length. */
export function prefixed(message: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
