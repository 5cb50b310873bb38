// Frames are composed by hand; what comes out has to be what protobuf would have made.

import { type ByteString } from '../../src/model/byte-string.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  ChangesFrame,
  encodeProgress,
  encodeRemoval,
  encodeReset,
  MAX_ENTITY_BYTES,
  MAX_MESSAGE_BYTES,
  removalKey,
  withToken,
} from '../../src/wire/frame.ts';
import { encodedBytes } from '../../src/wire/encoded-entity.ts';
import { encodeLabel, hasLabels, labelsOf } from '../../src/wire/labels.ts';
import { messageType } from '../../src/wire/schema.ts';
import { entity } from '../feed/cluster.ts';

const WatchResponse = messageType('digger.v1.WatchResponse');

// Lengths around the places where a varint grows by a byte.
const ballast = fc.constantFrom(0, 1, 40, 60, 90, 100, 127, 128, 16_200, 16_300, 16_384, 70_000);
const spec = fc.record({
  kind: fc.constantFrom('Pod' as const, 'Service' as const, 'Node' as const, 'Workload' as const),
  namespace: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('x', 'y'.repeat(253)),
  ballast,
});

describe('a frame of changes', () => {
  it('equals what protobuf makes of the same message', () => {
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 6 }), fc.uint8Array({ maxLength: 300 }), (specs, token) => {
        const frame = new ChangesFrame('FULL');
        const changes = specs.map((one, index) => {
          const made = entity(one, `uid-${index}`);
          if (index % 3 === 2) {
            const bytes = encodeRemoval(removalKey(made));
            frame.addRemoval(bytes);
            return { removal: messageType('digger.v1.Removal').decode(bytes) };
          }
          frame.addUpsert(made);
          const message = messageType(`digger.v1.${one.kind}`).decode(encodedBytes(made));
          return { upsert: { [one.kind.toLowerCase()]: message } };
        });
        const encoded = frame.encode(token).message;
        const expected = { changes: { changes }, resumeToken: token };
        assert.deepEqual(
          WatchResponse.toObject(WatchResponse.decode(encoded)),
          WatchResponse.toObject(WatchResponse.decode(WatchResponse.encode(expected).finish())),
        );
      }),
    );
  });

  it('14.7 is never larger than what clients accept: an entity that would not fit goes without its values, and says so', () => {
    for (const kind of ['Pod', 'Service', 'Workload'] as const) {
      for (const [ballast, isWhole] of [
        [MAX_ENTITY_BYTES - 1_000, true],
        [MAX_ENTITY_BYTES, false],
        [9_000_000, false],
      ] as const) {
        const frame = new ChangesFrame('FULL');
        // What may be in a frame before an entity that ends it, and the longest token.
        frame.addUpsert(entity({ kind: 'Pod', namespace: 'a', name: 'first', ballast: 65_000 }, 'uid-0'));
        frame.addUpsert(entity({ kind, namespace: 'a', name: 'large', labels: { app: 'x' }, ballast }, 'uid-1'));
        const { message } = frame.encode(Buffer.alloc(4096));
        assert.ok(message.byteLength <= MAX_MESSAGE_BYTES, `${message.byteLength} bytes`);
        const { changes } = WatchResponse.toObject(WatchResponse.decode(message))['changes'];
        const sent = changes[1].upsert[kind.toLowerCase()];
        assert.equal(sent.name, 'large');
        assert.deepEqual([sent.labels, sent.omitted], isWhole ? [{ app: 'x' }, undefined] : [undefined, ['*']]);
      }
    }
  });

  it('has in front of it what gRPC puts before a message', () => {
    const { prefixed, message } = withToken(encodeReset('TOO_SLOW', 'x'.repeat(300)), Buffer.of(7));
    assert.deepEqual([...prefixed.subarray(0, 5)], [0, 0, 0, message.byteLength >> 8, message.byteLength & 0xff]);
    assert.deepEqual(prefixed.subarray(5), message);
  });

  it('carries VIEW_BASIC as a prefix of the whole entity', () => {
    const made = entity({ kind: 'Pod', namespace: 'a', name: 'x', labels: { app: 'web' } }, 'uid-1');
    const frame = new ChangesFrame('BASIC');
    frame.addUpsert(made);
    const decoded = WatchResponse.toObject(WatchResponse.decode(frame.encode(Buffer.of(1)).message)) as {
      changes: { changes: { upsert: { pod: Record<string, unknown> } }[] };
    };
    const pod = decoded.changes.changes[0]?.upsert.pod;
    assert.equal(pod?.['name'], 'x');
    assert.equal(pod?.['labels'], undefined);
  });
});

describe('the other frames', () => {
  it('carry their token behind what they say', () => {
    const reset = WatchResponse.toObject(
      WatchResponse.decode(withToken(encodeReset('TOO_SLOW', 'why'), Buffer.of(7)).message),
      {
        enums: String,
      },
    );
    assert.deepEqual(reset, {
      reset: { reason: 'RESET_REASON_TOO_SLOW', message: 'why' },
      resumeToken: Buffer.of(7),
    });
  });

  it('tell times to the millisecond, and leave out what is not known', () => {
    const resources = [
      { resource: 'pods', lastContactMs: 1_700_000_000_250, stalenessMs: 1_500 },
      { resource: 'nodes', lastContactMs: undefined, stalenessMs: undefined },
    ];
    const decoded = WatchResponse.toObject(WatchResponse.decode(encodeProgress(1_700_000_000_999, resources, true)), {
      longs: Number,
    });
    assert.deepEqual(decoded, {
      progress: {
        serverTime: { seconds: 1_700_000_000, nanos: 999_000_000 },
        resources: [
          {
            resource: 'pods',
            lastContact: { seconds: 1_700_000_000, nanos: 250_000_000 },
            staleness: { seconds: 1, nanos: 500_000_000 },
          },
          { resource: 'nodes' },
        ],
        closing: true,
      },
    });
  });
});

describe('labels in encoded bytes', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  const labels = fc.dictionary(text, text, { maxKeys: 8, noNullPrototype: true });

  it('are found as they were encoded', () => {
    fc.assert(
      fc.property(labels, text, text, (given, key, value) => {
        const made = entity({ kind: 'Service', namespace: 'a', name: 'x', labels: given }, 'uid-1');
        const hasIn = (values: ByteString, wanted: Record<string, string>) =>
          hasLabels(
            values,
            Object.entries(wanted).map(([name, wantedValue]) => encodeLabel(name, wantedValue)),
          );
        const has = (wanted: Record<string, string>) => hasIn(made.values, wanted);
        assert.ok(has(given));
        assert.equal(has({ [key]: value }), Object.hasOwn(given, key) && given[key] === value);
        assert.equal(has({ ...given, another: 'label' }), given['another'] === 'label');
        assert.ok(hasIn(labelsOf(made.values), given));
      }),
    );
  });
});
