// A TCP proxy on loopback that can misbehave as networks do.
//
// `cut` resets every open connection; `refuse` closes new ones at once; `hold` keeps connections open and lets nothing
// through, in either direction (half-open: what a dropped NAT entry looks like), while the peers still get their TCP
// acknowledgements; `freeze` does that to the connections that are open now and lets new ones through; `pass` lets
// everything through again, held bytes first.
import { createServer, type Server, type Socket, connect } from 'node:net';

type Mode = 'pass' | 'hold' | 'refuse';
type State = { mode: Mode; accepted: number; targetPort: number };
type Pair = { readonly client: Socket; readonly server: Socket };

/** See the head of the file. */
export class TcpProxy implements AsyncDisposable {
  /** Where to connect to. */
  readonly port: number;
  readonly #listener: Server;
  readonly #pairs: Set<Pair>;
  readonly #state: State;

  private constructor(listener: Server, port: number, pairs: Set<Pair>, state: State) {
    this.#listener = listener;
    this.port = port;
    this.#pairs = pairs;
    this.#state = state;
  }

  /** Listens on a free port of 127.0.0.1 and forwards to `targetPort` of 127.0.0.1. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const pairs = new Set<Pair>();
    const state: State = { mode: 'pass', accepted: 0, targetPort };
    const listener = createServer((client) => {
      if (state.mode === 'refuse') {
        client.resetAndDestroy();
        return;
      }
      state.accepted++;
      const pair: Pair = { client, server: connect(state.targetPort, '127.0.0.1') };
      pairs.add(pair);
      forward(pair);
      if (state.mode === 'hold') hold(pair);
      const end = (): void => {
        pairs.delete(pair);
        client.destroy();
        pair.server.destroy();
      };
      // An error is always followed by close; what broke it is the business of the two ends.
      for (const socket of [client, pair.server]) socket.on('error', end).on('close', end);
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(0, '127.0.0.1', resolve);
    });
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
    return new TcpProxy(listener, address.port, pairs, state);
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Connections that were ever let in: moves when a peer comes back. */
  get accepted(): number {
    return this.#state.accepted;
  }

  /** New connections go there; what they went to before was started anew. */
  retarget(port: number): void {
    this.#state.targetPort = port;
  }

  /** Resets every open connection; the mode for new ones stays. Returns how many were cut. */
  cut(): number {
    const count = this.#pairs.size;
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return count;
  }

  /** Resets new connections as soon as they come; open ones stay. */
  refuse(): void {
    this.#state.mode = 'refuse';
  }

  /** Nothing goes through any more, on open connections and on new ones. */
  hold(): void {
    this.#state.mode = 'hold';
    for (const pair of this.#pairs) hold(pair);
  }

  /** Nothing goes through any more on the connections that are open now; new ones are not touched. Returns how many. */
  freeze(): number {
    for (const pair of this.#pairs) hold(pair);
    return this.#pairs.size;
  }

  /** Everything goes through again. */
  pass(): void {
    this.#state.mode = 'pass';
    for (const pair of this.#pairs) {
      pair.client.resume();
      pair.server.resume();
    }
  }

  /** Cuts everything and stops listening. */
  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

// By hand instead of `pipe`, whose flow control would resume a stream that is held.
function forward(pair: Pair): void {
  const oneWay = (from: Socket, to: Socket): void => {
    from.on('data', (chunk) => void to.write(chunk));
    from.on('end', () => to.end());
  };
  oneWay(pair.client, pair.server);
  oneWay(pair.server, pair.client);
}

function hold(pair: Pair): void {
  pair.client.pause();
  pair.server.pause();
}
