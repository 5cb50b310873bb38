// Compressed bodies: whatever the members, flushes and pieces, everything comes out, and as soon as it can.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, createGzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { gunzip } from '../../../src/kube/transport/gunzip.ts';
import { WireError } from '../../../src/kube/wire-error.ts';

async function* bodyOf(pieces: readonly Buffer[], onNext: () => void = () => {}): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    onNext();
    yield piece;
  }
  onNext();
}

async function inflate(pieces: readonly Buffer[]): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of gunzip(bodyOf(pieces))) blocks.push(block);
  return Buffer.concat(blocks);
}

/** Each text flushed by itself; `together`: inside of one member, else in a member of its own. */
async function deflate(texts: readonly string[], together: boolean): Promise<readonly Buffer[]> {
  if (!together) return texts.map((text) => gzipSync(text));
  const gzip = createGzip();
  const flushed: Buffer[] = [];
  let blocks: Buffer[] = [];
  gzip.on('data', (block: Buffer) => blocks.push(block));
  for (const text of texts) {
    gzip.write(text);
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    flushed.push(Buffer.concat(blocks));
    blocks = [];
  }
  const ended = new Promise((resolve) => gzip.once('end', resolve));
  gzip.end();
  await ended;
  return [...flushed, Buffer.concat(blocks)];
}

const anyTexts = fc.array(fc.string({ maxLength: 300 }), { minLength: 1, maxLength: 6 });

test('members and flushes come out whole, in whatever pieces the bytes come', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyTexts,
      fc.boolean(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }),
      async (texts, together, cuts) => {
        const bytes = Buffer.concat(await deflate(texts, together));
        const offsets = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
        const pieces = offsets.slice(1).map((end, index) => bytes.subarray(offsets[index], end));
        assert.equal((await inflate(pieces)).toString(), texts.join(''));
      },
    ),
    { numRuns: 300 },
  );
});

for (const together of [false, true]) {
  test(`each flush comes out before the next piece is asked for (${together ? 'one member' : 'a member each'})`, async () => {
    const texts = Array.from({ length: 200 }, (_, index) => `event ${index}\n`.repeat(1 + (index % 50)));
    const pieces = await deflate(texts, together);
    let asked = 0;
    let inflated = '';
    const onNext = () => {
      assert.equal(inflated, texts.slice(0, asked).join(''), `when piece ${asked} is asked for`);
      asked += 1;
    };
    for await (const block of gunzip(bodyOf(pieces, onNext))) inflated += block.toString();
    assert.equal(inflated, texts.join(''));
    assert.ok(asked > texts.length);
  });
}

test('a body that ends inside a member is damaged, wherever it ends', async () => {
  const members = [gzipSync('first'), gzipSync('second')];
  const bytes = Buffer.concat(members);
  for (let length = 1; length < bytes.length; length += 1) {
    const whole = length === members[0]?.length;
    if (whole) assert.equal((await inflate([bytes.subarray(0, length)])).toString(), 'first');
    else await assert.rejects(inflate([bytes.subarray(0, length)]), WireError, `${length} bytes`);
  }
});

test('a body without a byte is empty', async () => {
  assert.equal((await inflate([])).length, 0);
  assert.equal((await inflate([Buffer.alloc(0)])).length, 0);
});

test('data that is not gzip, or is followed by something else, is damaged', async () => {
  const whole = gzipSync('whole');
  const flipped = Buffer.from(whole);
  flipped[flipped.length - 6] = (flipped[flipped.length - 6] ?? 0) ^ 1;
  await assert.rejects(inflate([Buffer.from('{"kind":"PodList"}')]), WireError);
  await assert.rejects(inflate([flipped]), WireError, 'the checksum is another');
  await assert.rejects(inflate([Buffer.concat([whole, Buffer.from('<html>')])]), WireError);
  await assert.rejects(inflate([Buffer.concat([whole, Buffer.alloc(8)])]), WireError);
  await assert.rejects(inflate([whole, Buffer.alloc(8)]), WireError);
});

test('what breaks the body is told as it is, and an early end ends the body', async () => {
  const broken = (async function* () {
    yield gzipSync('first');
    throw new RangeError('cut');
  })();
  await assert.rejects(async () => {
    for await (const _ of gunzip(broken));
  }, RangeError);
  let ended = false;
  const endless = (async function* () {
    try {
      for (;;) yield gzipSync('again');
    } finally {
      ended = true;
    }
  })();
  for await (const block of gunzip(endless)) {
    assert.equal(block.toString(), 'again');
    break;
  }
  assert.ok(ended);
});

test('a piece that inflates to a thousand times its size waits in zlib, not in memory', async () => {
  const member = gzipSync(Buffer.alloc(2 ** 20));
  const piece = Buffer.concat(Array.from({ length: 64 }, () => member));
  const before = process.memoryUsage().arrayBuffers;
  const blocks = gunzip(bodyOf([piece]));
  await blocks.next();
  // As good as forever for a thread that has nothing else to do.
  for (let turn = 0; turn < 2_000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const waiting = process.memoryUsage().arrayBuffers - before;
  assert.ok(waiting < 2 * 2 ** 20, `${waiting} bytes`);
  let inflated = 0;
  for await (const block of blocks) inflated += block.length;
  assert.ok(inflated > 63 * 2 ** 20);
});
