// digger as its callers see it: every RPC over a socket, by descriptors loaded at run time.
//
// Messages come as plain objects in lowerCamelCase, 64-bit numbers and enums as text, unset fields absent.
import { fileURLToPath } from 'node:url';
import {
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/**
 * A message as plain JSON, as a consumer without generated types has it: the tests check shapes by what they assert,
 * with typed access they would assert our own declarations.
 */
// oxlint-disable-next-line typescript/no-explicit-any
export type Message = { readonly [field: string]: any };

/** A subscription to the feed. */
export type Subscription = {
  /** Every frame so far. */
  readonly frames: readonly Message[];
  /** Resolves when the stream ended: undefined for OK, else why. */
  readonly ended: Promise<ServiceError | undefined>;
  cancel(): void;
};

const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));

/** A call that hangs is a failure, not a test that never ends. */
const CALL_DEADLINE_MS = 10_000;

/** See the head of the file. */
export class DiggerClient implements Disposable {
  /** `127.0.0.1:PORT` of the gRPC listener. */
  readonly address: string;
  readonly #clients: ReadonlyMap<string, InstanceType<ServiceClientConstructor>>;

  constructor(address: string) {
    this.address = address;
    this.#clients = connect(address);
  }

  /** A unary call, e.g. `call('LookupService', 'ResolveAddress', { address })`. Rejects with a gRPC `ServiceError`. */
  async call(service: string, method: string, request: Message = {}): Promise<Message> {
    const client = this.#client(service);
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + CALL_DEADLINE_MS;
      client[method]?.(request, { deadline }, (error: ServiceError | null, response: Message) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  /** `ResolveAddress`, the resolution only. */
  async resolve(address: string, port?: number, protocol?: string): Promise<Message> {
    const query = { address, ...(port === undefined ? {} : { port }), ...(protocol === undefined ? {} : { protocol }) };
    return (await this.call('LookupService', 'ResolveAddress', query))['resolution'];
  }

  /** Opens a feed. */
  watch(request: Message = {}): Subscription {
    const frames: Message[] = [];
    const stream = this.#client('ChangeFeedService')['Watch']?.(request);
    const ended = new Promise<ServiceError | undefined>((resolve) => {
      stream.on('data', (frame: Message) => frames.push(frame));
      stream.on('error', (error: ServiceError) => resolve(error));
      stream.on('end', () => resolve(undefined));
    });
    return { frames, ended, cancel: () => stream.cancel() };
  }

  /** A unary call of these bytes, decoded or not: `callBytes('/digger.v1.LookupService/GetPod', bytes)`. */
  async callBytes(path: string, request: Buffer): Promise<Buffer> {
    const same = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + CALL_DEADLINE_MS };
      this.#client('LookupService').makeUnaryRequest(path, same, same, request, options, (error, response) =>
        error ? reject(error) : resolve(response ?? Buffer.alloc(0)),
      );
    });
  }

  /** `grpc.health.v1.Health/Check`: `SERVING`, `NOT_SERVING`. */
  async health(service = ''): Promise<string> {
    return (await this.call('Health', 'Check', { service }))['status'];
  }

  /** Closes the connections. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #client(service: string): InstanceType<ServiceClientConstructor> {
    const client = this.#clients.get(service);
    if (!client) throw new Error(`there is no ${service}`);
    return client;
  }
}

function connect(address: string): ReadonlyMap<string, InstanceType<ServiceClientConstructor>> {
  const files = ['lookup', 'feed', 'status'].map((name) => `digger/v1/${name}.proto`);
  const definition = loadSync([...files, 'grpc/health/v1/health.proto'], {
    includeDirs: [PROTO],
    longs: String,
    enums: String,
    arrays: true,
    objects: true,
    oneofs: true,
  });
  const { digger, grpc } = loadPackageDefinition(definition) as unknown as {
    digger: { v1: GrpcObject };
    grpc: { health: { v1: GrpcObject } };
  };
  return new Map(
    Object.entries({ ...digger.v1, ...grpc.health.v1 }).flatMap(([name, client]) => {
      if (typeof client !== 'function') return [];
      // A snapshot frame may be larger than the 4 MB default of the client.
      const options = { 'grpc.max_receive_message_length': 64 * 1024 * 1024 };
      return [[name, new client(address, credentials.createInsecure(), options)] as const];
    }),
  );
}
