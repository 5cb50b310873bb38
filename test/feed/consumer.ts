// A reference consumer: keeps a copy from decoded frames alone, as the contract in feed.proto tells it to.
//
// It trusts nothing and asserts the order of the stream while it goes: a Reset or nothing before the first Changes, no
// Synced twice, no empty Changes, no Reset without a reason, a token on every frame.

import assert from 'node:assert/strict';
import { messageType } from '../../src/wire/schema.ts';

export interface DecodedFrame {
  readonly reset?: { readonly reason: string; readonly message: string };
  readonly changes?: { readonly changes: readonly DecodedChange[] };
  readonly synced?: object;
  readonly progress?: {
    readonly closing: boolean;
    readonly resources: readonly { readonly resource: string }[];
    readonly serverTime: { readonly seconds: string };
  };
  readonly resumeToken: Uint8Array;
}

export interface DecodedChange {
  readonly upsert?: Readonly<Record<string, DecodedEntity>>;
  readonly removal?: DecodedEntity & { readonly workloadApiVersion: string; readonly workloadKind: string };
}

export interface DecodedEntity {
  readonly kind: string;
  readonly apiVersion?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const WatchResponse = messageType('digger.v1.WatchResponse');

const AS_OBJECT = { defaults: true, enums: String, longs: String } as const;

export function decodeFrame(bytes: Uint8Array): DecodedFrame {
  return WatchResponse.toObject(WatchResponse.decode(bytes), AS_OBJECT) as DecodedFrame;
}

/** An entity as it appears in decoded frames. */
export function decodeEntity(kind: string, bytes: Uint8Array): DecodedEntity {
  const type = messageType(`digger.v1.${kind}`);
  return type.toObject(type.decode(bytes), AS_OBJECT) as DecodedEntity;
}

/** What one frame was, in one word each: `reset NO_TOKEN`, `changes 3`, `synced`, `progress`, `closing`. */
export function describeFrame(frame: DecodedFrame): string {
  if (frame.reset) return `reset ${frame.reset.reason.replace('RESET_REASON_', '')}`;
  if (frame.changes) return `changes ${frame.changes.changes.length}`;
  if (frame.synced) return 'synced';
  return frame.progress?.closing ? 'closing' : 'progress';
}

export class Consumer {
  /** By kind, api version and kind of a workload, namespace, name. */
  readonly copy = new Map<string, DecodedEntity>();
  token: Uint8Array = new Uint8Array();
  synced = false;
  readonly story: string[] = [];
  /** Removals of what was not held: harmless, and counted because they should be rare. */
  idleRemovals = 0;
  upserts = 0;

  /** A new stream with the stored token: the copy stays, trust has to come again. */
  reconnect(): void {
    this.synced = false;
  }

  apply(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    this.story.push(describeFrame(frame));
    if (frame.reset) {
      assert.notEqual(frame.reset.reason, 'RESET_REASON_UNSPECIFIED', 'a Reset says why');
      assert.notEqual(frame.reset.message, '', 'in words too');
      this.copy.clear();
      this.synced = false;
    } else if (frame.changes) {
      assert.notEqual(frame.changes.changes.length, 0, 'a frame of changes has at least one');
      for (const change of frame.changes.changes) this.#change(change);
    } else if (frame.synced) {
      assert.equal(this.synced, false, 'Synced comes once');
      this.synced = true;
    } else {
      assert.ok(frame.progress, 'a frame is one of the four');
    }
    assert.ok(frame.resumeToken.length > 0 && frame.resumeToken.length <= 4096, 'every frame carries a token');
    this.token = frame.resumeToken;
  }

  /** `kind namespace/name uid` of everything held, sorted. */
  get held(): readonly string[] {
    return [...this.copy].map(([key, entity]) => `${key} ${entity.uid}`).sort();
  }

  #change(change: DecodedChange): void {
    if (change.removal) {
      const { kind, workloadApiVersion, workloadKind, namespace, name, uid } = change.removal;
      const type = kind.replace('ENTITY_KIND_', '').toLowerCase();
      const key = [type, workloadApiVersion, workloadKind, namespace, name].join('|');
      if (!this.copy.has(key)) this.idleRemovals++;
      else assert.equal(this.copy.get(key)?.uid, uid, `the removal of ${key} concerns the object that is held`);
      this.copy.delete(key);
      return;
    }
    const [type, entity] = Object.entries(change.upsert ?? {})[0] ?? [];
    assert.ok(type && entity, 'a change is an upsert or a removal');
    const workload = type === 'workload';
    const apiVersion = workload ? entity.apiVersion : '';
    const key = [type, apiVersion, workload ? entity.kind : '', entity.namespace ?? '', entity.name].join('|');
    this.upserts++;
    this.copy.set(key, entity);
  }
}
