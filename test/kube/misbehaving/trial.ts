// The watching side and the misbehaving server put together, and what must hold at a quiet point.
//
// At a quiet point the server answers well again, but what is dead stays dead: silent connections stay silent, poisoned
// events poisoned. Then it must hold within a deadline that every store equals the model, that every reflector knows
// it, that a change that is made now arrives, and that nothing is left over: no request, no socket, no timer, no
// listener.

import { type Certificate, createCertificate } from '../../simulator/server/certificate.ts';
import { SERVED } from './cluster-model.ts';
import type { Protocol } from './gateway.ts';
import { ServerThread } from './server-thread.ts';
import { Watching } from './watching.ts';

/** A dead HTTP/2 connection is noticed after 750 ms; the longest wait for relief is 1.5 s. */
const RECOVERY_MS = 10_000;
/** At a quiet point: a guard for the watch of each resource, and what pings and waits need. */
const MAX_TIMERS = 4 * Object.keys(SERVED).length + 10;
const MAX_LISTENERS = 4 * Object.keys(SERVED).length;

export class Trial implements AsyncDisposable {
  /** The server can have either. */
  readonly certificates: readonly [Certificate, Certificate];
  readonly untrusted = createCertificate();
  readonly server: ServerThread;
  readonly watching: Watching;
  /** Most at any quiet point. */
  readonly most = { sockets: 0, timers: 0, listeners: 0 };
  readonly #warnings: string[] = [];
  #protocol: Protocol = 'h2';

  private constructor(server: ServerThread, port: number, certificates: Trial['certificates'], random: () => number) {
    this.server = server;
    this.certificates = certificates;
    this.watching = new Watching(port, certificates.map(({ cert }) => cert).join(''), random);
    process.on('warning', this.#onWarning);
  }

  /** Everything is listed and watched. */
  static async begin(seed: number, random: () => number): Promise<Trial> {
    const certificates = [createCertificate(), createCertificate()] as const;
    const server = new ServerThread(seed, certificates[0]);
    const trial = new Trial(server, await server.call('listen'), certificates, random);
    for (const plural of Object.keys(SERVED)) {
      for (const name of ['a', 'b', 'c', 'd']) await server.call('put', plural, name);
    }
    trial.watching.start();
    await trial.quietPoint();
    return trial;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('warning', this.#onWarning);
    await this.watching.stop();
    await this.server.stop();
  }

  /** Resolves with how long it took, in ms; throws with what does not hold. */
  async quietPoint(deadlineMs = RECOVERY_MS): Promise<number> {
    await this.server.call('setCertificate', this.certificates[0]);
    await this.server.call('heal');
    for (const plural of Object.keys(SERVED)) await this.server.call('put', plural, 'probe');
    const startMs = performance.now();
    for (;;) {
      const problems = await this.#problems();
      if (problems.length === 0) break;
      if (performance.now() - startMs > deadlineMs) {
        throw new Error(`not well within ${deadlineMs} ms:\n  ${problems.join('\n  ')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const holdings = this.watching.holdings();
    for (const key of ['sockets', 'timers', 'listeners'] as const) {
      this.most[key] = Math.max(this.most[key], holdings[key]);
    }
    if (this.#warnings.length > 0) throw new Error(this.#warnings.join('\n'));
    await this.server.call('sweep');
    return performance.now() - startMs;
  }

  /** From now on everything is watched over this protocol. */
  async speak(protocol: Protocol): Promise<void> {
    if (protocol === this.#protocol) return;
    this.#protocol = protocol;
    await this.server.call('offer', protocol);
    await this.server.call('afflict', 'reset');
    await this.quietPoint();
  }

  readonly #onWarning = (warning: Error): void => void this.#warnings.push(String(warning));

  async #problems(): Promise<readonly string[]> {
    const report = await this.server.call('report');
    const { sockets, timers, listeners } = this.watching.holdings();
    const problems = [...this.watching.differences(report.states)];
    const bound = (what: string, found: number, allowed: number) => {
      if (found > allowed) problems.push(`${found} ${what}, at most ${allowed} are in use`);
    };
    bound('requests under way', report.underWay, this.watching.resources);
    bound('sockets', sockets, report.alive);
    bound('timers', timers, MAX_TIMERS);
    bound('listeners', listeners, MAX_LISTENERS);
    // A page whose token is the one that led to it is asked for once; a list can be begun again.
    bound('pages', report.pages, 2 * report.lists);
    return problems;
  }
}
