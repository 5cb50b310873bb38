// The open connections of the admin listener, and which one goes when there are too many.
//
// At the bound the new connection stays and an old one goes, so that a probe always gets in: of the source that has
// most, the one that has been quiet longest, and only when there is no such one, the one whose answer is under way
// longest. A crowd of half requests pushes out itself.

export interface AdminConnectionsOptions {
  readonly max: number;
  readonly maxOfSource: number;
  readonly onPushedOut: () => void;
}

interface Connection {
  readonly source: string;
  answering: boolean;
}

/** `Socket`: what a connection is known by. */
export class AdminConnections<Socket extends { destroy(): unknown }> {
  readonly #options: AdminConnectionsOptions;
  /** The longest quiet one, or the one answered longest, first: each begin and end puts it at the end. */
  readonly #connections = new Map<Socket, Connection>();

  constructor(options: AdminConnectionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** A new connection; ends another one where there is no room. */
  add(socket: Socket, source: string): void {
    const { max, maxOfSource } = this.#options;
    const counts = new Map<string, number>();
    for (const each of this.#connections.values()) counts.set(each.source, (counts.get(each.source) ?? 0) + 1);
    if ((counts.get(source) ?? 0) >= maxOfSource) this.#pushOut(source);
    else if (this.#connections.size >= max) {
      const [busiest] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most));
      this.#pushOut(busiest);
    }
    this.#connections.set(socket, { source, answering: false });
  }

  remove(socket: Socket): void {
    this.#connections.delete(socket);
  }

  /** False: an answer is under way on it already. */
  beginAnswer(socket: Socket): boolean {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.answering) return false;
    connection.answering = true;
    this.#touch(socket, connection);
    return true;
  }

  endAnswer(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.answering = false;
    this.#touch(socket, connection);
  }

  #touch(socket: Socket, connection: Connection): void {
    this.#connections.delete(socket);
    this.#connections.set(socket, connection);
  }

  #pushOut(source: string): void {
    const candidates = [...this.#connections].filter(([, each]) => each.source === source);
    const [victim] = candidates.find(([, { answering }]) => !answering) ?? candidates[0] ?? [];
    if (victim === undefined) return;
    // Its own `close` comes later.
    this.#connections.delete(victim);
    victim.destroy();
    this.#options.onPushedOut();
  }
}
