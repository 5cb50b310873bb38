// Bytes from the API server that cannot be what they claim to be. Always retryable: the stream is given up and asked
// for again from the last known version; nothing is ever skipped.

/** Largest object and watch frame that is read: client-go's limit for a frame, ten times what etcd stores. */
export const MAX_OBJECT_BYTES = 16 * 1024 * 1024;

export class WireError extends Error {
  override readonly name = 'WireError';
}
