// `digger watch` whose output is not read: what the service sends stays at the service, and goes on when its output is
// read.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';

import { ask } from '../../../src/cli/ask/ask.ts';
import { parseCommandLine } from '../../../src/cli/line/command-line.ts';
import { CallError } from '../../../src/rpc/errors/call-error.ts';
import { toServerError } from '../../../src/rpc/errors/status-details.ts';
import type { WatchCall } from '../../../src/rpc/methods/register.ts';
import { ROOT } from '../../project/repository.ts';
import { FakePicture } from '../../rpc/fake-picture.ts';
import { encodeMessage, eventually, serve, type Serving } from '../../rpc/serving.ts';

const NAME = 'n'.repeat(250);
/** About 32 KB of names, numbered by its token. */
function frame(number: number): Buffer {
  const upsert = { node: { name: NAME, uid: 'u' } };
  return encodeMessage('digger.v1.WatchResponse', {
    changes: { changes: Array.from({ length: 120 }, () => ({ upsert })) },
    resumeToken: Buffer.from(String(number)),
  });
}

/** Standard output as a pipe is: takes a little, then says so. */
class Pipe extends EventEmitter {
  text = '';
  asleep = false;

  write(text: string): boolean {
    this.text += text;
    return !this.asleep;
  }

  wake(): void {
    this.asleep = false;
    this.emit('drain');
  }
}

describe('a reader that sleeps', () => {
  let serving: Serving;
  const picture = new FakePicture();
  /** Frames that the service could hand over. */
  let sent = 0;
  /** Tokens that subscriptions came with. */
  let tokens: string[] = [];
  const calls: WatchCall[] = [];

  before(async () => {
    picture.onWatch = (call) => {
      calls.push(call);
      tokens.push(Buffer.from(call.request.resumeToken).toString());
      const send = (): void => {
        while (!call.cancelled) {
          sent += 1;
          if (!call.write(frame(sent))) {
            call.once('drain', send);
            return;
          }
        }
      };
      send();
    };
    serving = await serve({}, picture);
  });
  after(() => serving.stop());
  beforeEach(() => {
    sent = 0;
    tokens = [];
    calls.length = 0;
  });

  it('13.10 stops the stream, and gets the rest when it wakes', async () => {
    const stdout = new Pipe();
    stdout.asleep = true;
    const { done, end } = watchInto(stdout, serving.target);
    const asleepAt = await untilQuiet(() => sent);
    assert.ok(asleepAt > 0 && asleepAt < 200, `${asleepAt} frames were taken`);
    assert.ok(stdout.text.length < 200_000, `${stdout.text.length} bytes for a reader that sleeps`);
    stdout.wake();
    await eventually(
      () => sent > asleepAt + 20,
      () => `${sent} sent`,
    );
    end();
    assert.equal(await done, 0);
  });

  it('13.10 is ended by a service that has no patience, wakes, and goes on where it was', async () => {
    const stdout = new Pipe();
    stdout.asleep = true;
    const { done, end, stderr } = watchInto(stdout, serving.target);
    await untilQuiet(() => sent);
    const stalled = new CallError(status.RESOURCE_EXHAUSTED, 'SUBSCRIBER_STALLED', 'took nothing for too long');
    calls[0]?.emit('error', toServerError(stalled, 'r'));
    // It is not asked again before the output is read.
    await untilQuiet(() => sent);
    assert.equal(calls.length, 1);
    stdout.wake();
    await eventually(
      () => tokens.length === 2,
      () => stderr(),
    );
    // What had come before the end was shown first.
    const shown = stdout.text.match(/"upsert"/g)?.length ?? 0;
    assert.ok(Number(tokens[1]) >= 1 && Number(tokens[1]) <= shown / 120, `from ${tokens[1]} of ${shown / 120} frames`);
    end();
    assert.equal(await done, 0);
  });

  it('13.10 costs a real process no memory', async (t) => {
    const args = [join(ROOT, 'src/main.ts'), 'watch', '--address', serving.target, '--timeout=60s'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await eventually(
      () => sent > 0,
      () => 'not subscribed',
    );
    const taken = await untilQuiet(() => sent);
    // Far less than it is sent in this time when nothing stops it.
    assert.ok(taken < 400, `${taken} frames of 32 KB were taken`);
    const resident = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
    assert.ok(resident < 200_000, `${resident} kB resident`);
    // Awake, it takes more.
    child.stdout.resume();
    await eventually(
      () => sent > taken + 50,
      () => `${sent} sent`,
    );
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
});

function watchInto(stdout: Pipe, address: string): { done: Promise<number>; end: () => void; stderr: () => string } {
  const line = parseCommandLine(['watch', '--address', address, '--timeout=60s', '--output=json'], '1.2.3', 0);
  assert.ok(line.action === 'ask', JSON.stringify(line));
  const ending = new AbortController();
  let told = '';
  const stderr = {
    write(text: string): boolean {
      told += text;
      return true;
    },
  };
  const done = ask(line.order, { stdin: Readable.from([]), stdout, stderr, signal: ending.signal });
  return { done, end: () => ending.abort(), stderr: () => told };
}

/** The value once it has begun and not changed for a second; rejects when it never rests. */
async function untilQuiet(value: () => number): Promise<number> {
  const deadline = Date.now() + 20_000;
  for (let last = value(), since = Date.now(); ; ) {
    await delay(20);
    if (value() !== last) [last, since] = [value(), Date.now()];
    if (last > 0 && Date.now() - since > 1_000) return last;
    assert.ok(Date.now() < deadline, `still growing: ${last}`);
  }
}
