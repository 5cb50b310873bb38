// A crowd of connections: each says hello in HTTP/2, makes a call that it never finishes, and stays.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import type { Story } from '../stories/story.ts';
import { besideOthers, metric } from './bystanders.ts';
import { END_HEADERS, FRAME, frame, lookupHeaders, open, untilBegun } from './raw-http2.ts';

/** Half of the backlog that Node asks the system for: no connection may be refused by the system. */
const AT_ONCE = 250;

/** Comes, stays until every one of it is let in, and goes. */
export async function crowd(story: Story, digger: DiggerProcess, size: number): Promise<void> {
  await besideOthers(story, digger, async () => {
    const before = await metric(digger, 'digger_grpc_connections');
    const sockets: Socket[] = [];
    try {
      // All of them within 30 s: then those that do not answer pings are found out.
      while (sockets.length < size) {
        const batch = Array.from({ length: Math.min(AT_ONCE, size - sockets.length) }, () => open(digger.address));
        for (const socket of batch) socket.write(frame(FRAME.headers, END_HEADERS, 1, lookupHeaders()));
        sockets.push(...batch);
        await untilBegun(batch);
      }
      await eventually(`${size} are connected`, async () => {
        const connections = (await metric(digger, 'digger_grpc_connections')) - before;
        return connections >= size ? done(undefined) : notYet(connections);
      });
      assert.equal(digger.isRunning, true);
      assert.equal((await digger.resolve(story.demo.wellKnown.statefulPod.ip))['outcome'], 'OUTCOME_RESOLVED');
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
}
