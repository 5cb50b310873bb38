// A consumer of the feed that keeps one copy and one token, whatever replica they come from, and applies frames as the
// contract says.
import assert from 'node:assert/strict';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { comparable } from '../observers/expected-entities.ts';

/** See the head of the file. */
export class HoppingConsumer {
  readonly copy = new Map<string, { readonly uid: string; readonly entity: Message }>();
  readonly resets: string[] = [];
  hops = 0;
  behind = 0;
  changes = 0;
  /** Bytes of the longest token. */
  longestToken = 0;
  #token = Buffer.alloc(0);
  #stream: ReturnType<DiggerProcess['watch']> | undefined;
  #digger: DiggerProcess | undefined;
  #applied = 0;
  #synced = false;

  async hop(digger: DiggerProcess | undefined): Promise<void> {
    assert.ok(digger);
    this.#apply();
    this.#stream?.cancel();
    this.hops += 1;
    this.#connect(digger);
    await this.untilFrames(1);
  }

  leave(): void {
    this.#stream?.cancel();
  }

  async untilSynced(): Promise<void> {
    await this.#until('synced', () => this.#synced);
  }

  async untilFrames(count: number): Promise<void> {
    await this.#until(`${count} frames`, () => this.#applied >= count);
  }

  /** Everything that it holds, by `kind uid`. */
  get entities(): ReadonlyMap<string, Message> {
    this.#apply();
    return new Map([...this.copy].map(([key, { uid, entity }]) => [`${key.split(' ')[0]} ${uid}`, entity]));
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    await eventually(what, async () => {
      this.#apply();
      if (!holds() && (await this.#isEnded())) {
        // The replica has not seen yet what we have: as any client would, come back.
        this.behind += 1;
        assert.ok(this.#digger);
        this.#connect(this.#digger);
      }
      return holds() ? done(undefined) : notYet(this.#stream?.frames.map((frame) => frame['frame']));
    });
  }

  #connect(digger: DiggerProcess): void {
    this.#digger = digger;
    this.#stream = digger.watch({ resumeToken: this.#token, heartbeatInterval: { seconds: 1 } });
    this.#applied = 0;
    this.#synced = false;
  }

  async #isEnded(): Promise<boolean> {
    const error = await Promise.race([this.#stream?.ended, new Promise((resolve) => setImmediate(resolve, 'open'))]);
    if (error === 'open') return false;
    assert.match(String(error), /REPLICA_BEHIND|has not seen yet/);
    return true;
  }

  #apply(): void {
    const frames = this.#stream?.frames ?? [];
    for (; this.#applied < frames.length; this.#applied++) {
      const frame = frames[this.#applied] ?? {};
      if (frame['frame'] === 'reset') {
        this.copy.clear();
        this.resets.push(frame['reset']['reason']);
      }
      if (frame['frame'] === 'synced') this.#synced = true;
      for (const change of (frame['changes']?.['changes'] ?? []) as Message[]) this.#change(change);
      this.#token = frame['resumeToken'];
      this.longestToken = Math.max(this.longestToken, this.#token.length);
    }
  }

  #change(change: Message): void {
    this.changes += 1;
    const upsert = change['upsert'] as Message | undefined;
    if (upsert) {
      const kind = upsert['entity'] as string;
      const entity = upsert[kind] as Message;
      const workload = kind === 'workload' ? `${entity['apiVersion']}/${entity['kind']}` : '';
      const key = `${kind} ${workload} ${entity['namespace'] ?? ''}/${entity['name']}`;
      this.copy.set(key, { uid: entity['uid'], entity: comparable(entity) });
      return;
    }
    const removal = change['removal'] as Message;
    const kind = String(removal['kind']).replace('ENTITY_KIND_', '').toLowerCase();
    const workload = kind === 'workload' ? `${removal['workloadApiVersion']}/${removal['workloadKind']}` : '';
    const key = `${kind} ${workload} ${removal['namespace'] ?? ''}/${removal['name']}`;
    if (this.copy.get(key)?.uid === removal['uid']) this.copy.delete(key);
  }
}
