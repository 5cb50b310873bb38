// The first file of a thread that carries connections (`carrier.ts`). It ends by itself: when the main thread says so, and
// after an error that nothing here expects, which is told there.
//
// Before it ends it closes all of its sockets. Node goes on to read them while a thread ends, although no JavaScript can
// run there any more, and a request that comes in then aborts the whole process (`stream_base.cc`, 24.21).

import { parentPort, workerData } from 'node:worker_threads';

import { Carrier } from './carrier.ts';
import type { Tell } from './carrier-notes.ts';
import type { CarrierStart, ToCarrier } from './protocol.ts';

const main = parentPort;
if (main === null) throw new Error('bug: not a thread of its own');
const tell: Tell = (message, transfer = []) => main.postMessage(message, transfer);
const carrier = new Carrier(workerData as CarrierStart, tell);

function end(code: number): void {
  carrier.close();
  setImmediate(() => process.exit(code));
}

// Rejections that nothing handles come here too.
process.on('uncaughtException', (error: unknown) => {
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  end(1);
  tell({ failed: problem });
});
main.on('message', (message: ToCarrier) => {
  if ('end' in message) end(0);
  else carrier.take(message);
});
