// A request whose bytes are looked at by its method before objects are made of them, if they have to be at all.

/** Stands where the decoded message would. */
export class UnreadRequest<Request extends object> {
  readonly bytes: Buffer;
  readonly #decode: (bytes: Buffer) => Request;

  /** `decode` throws CallError when the bytes are refused. */
  constructor(bytes: Buffer, decode: (bytes: Buffer) => Request) {
    this.bytes = bytes;
    this.#decode = decode;
  }

  /** The message. Throws CallError. */
  read(): Request {
    return this.#decode(this.bytes);
  }
}
